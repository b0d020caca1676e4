"""Who is told, with what and when; and what a flush owes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter

from riskwatch.model import (
    Delivery,
    DeliveryState,
    DueGroup,
    Incident,
    IncidentState,
    NotifyGroup,
    Purpose,
    Queued,
    Severity,
    Step,
    Transition,
)
from riskwatch.send.flush import other_receivers
from riskwatch.send.message import Alert, Message
from riskwatch.send.route import next_active
from riskwatch.send.rule import ActiveHours, AlertRule, ReceiverConfig, Route
from riskwatch.send.suppress import Known, Routing, collapse, flush, queue
from tests.send.makers import T0, World, at, below, on_events
from tests.send.test_suppress import a_step, an_incident, marks

_RECEIVER: TypeAdapter[ReceiverConfig] = TypeAdapter(ReceiverConfig)
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)
MAIL = _RECEIVER.validate_python({"id": "mail", "kind": "email", "to": ["a@example.com", "b@example.com"]})
SLACK = _RECEIVER.validate_python({"id": "slack", "kind": "slack", "secret": "s"})
HOOK = _RECEIVER.validate_python({"id": "hook", "kind": "webhook", "url": "https://x.org", "secret": "s"})
RECEIVERS = {one.id: one for one in (MAIL, SLACK, HOOK)}
RULE, EVENTS = below(id="low"), on_events(id="events")
GRAVE = below(id="grave", severity="critical")
RULES = {rule.id: rule for rule in (RULE, EVENTS, GRAVE)}
OFFICE = {"tz": "Europe/Berlin", "days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "18:00"}


def a_route(*receivers: str, **fields: object) -> Route:
    return Route.model_validate({"receivers": receivers or ("mail",), **fields})


def queued(
    rule: AlertRule = RULE,
    *,
    routes: Sequence[Route] = (),
    step: Transition | None = None,
    incident: Incident | None = None,
    **more: object,
) -> tuple[Queued, ...]:
    mine = incident or an_incident(rule, "acme/one")
    known = Known({"acme": frozenset({"eu"})}, {"acme/one": 2}, {"leadership_exit": "leadership"})
    routing = Routing(RULES, routes, more.pop("receivers", RECEIVERS), known)  # type: ignore[arg-type] # a mapping
    return queue(
        [step or a_step(mine)], incidents={mine.id: mine}, routing=routing, now=T0,
        settle_until=more.pop("settle_until", None),  # type: ignore[arg-type] # an instant
    )  # fmt: skip


# -------------------------------------------------------------------------------- routes
def test_without_routes_every_alert_goes_to_every_enabled_receiver() -> None:
    off = {**RECEIVERS, "slack": SLACK.model_copy(update={"enabled": False})}

    assert [one.receiver_id for one in queued()] == ["hook", "mail", "slack"]
    assert [one.receiver_id for one in queued(receivers=off)] == ["hook", "mail"]
    assert queued(receivers={}) == ()


def test_only_what_is_to_be_said_is_queued() -> None:
    incident = an_incident(RULE)

    assert queued(incident=incident, step=a_step(incident, None)) == ()
    assert queued(incident=incident, step=a_step(incident, suppressed_by="silence:1")) == ()


def test_the_first_matching_route_takes_an_alert_unless_it_says_continue() -> None:
    one, two = a_route("mail"), a_route("slack")

    assert [(q.route_id, q.receiver_id) for q in queued(routes=[one, two])] == [("route-1", "mail")]
    both = queued(routes=[a_route("mail", "mail", **{"continue": True}), two])
    assert [(q.route_id, q.receiver_id) for q in both] == [("route-1", "mail"), ("route-2", "slack")]
    assert queued(routes=[a_route("mail", id="own")])[0].route_id == "own"
    assert queued(routes=[a_route("nobody")]) == ()


@pytest.mark.parametrize(
    ("match", "takes"),
    [
        ({}, True),
        ({"severity": "warning"}, True),
        ({"severity": "critical"}, False),
        ({"owner": "J. Doe"}, True),
        ({"owner": "nobody"}, False),
        ({"factor": "leadership"}, True),
        ({"factor": "legal"}, False),
        ({"tag": "eu"}, True),
        ({"tag": "us"}, False),
        ({"criticality": 2}, True),
        ({"criticality": 1}, False),
    ],
)
def test_a_route_matches_by_what_it_says(match: dict[str, object], takes: bool) -> None:
    incident = an_incident(EVENTS, "acme/one", owner="J. Doe", events=marks(e1=5.0))

    assert bool(queued(EVENTS, incident=incident, routes=[a_route(match=match)])) is takes


def test_a_criticality_that_is_unknown_does_not_match() -> None:
    assert queued(incident=an_incident(RULE, "other"), routes=[a_route(match={"criticality": 4})]) == ()


# -------------------------------------------------------------------------------- groups and waits
def test_alerts_of_a_vendor_wait_a_minute_for_each_other_and_critical_ones_ten_seconds() -> None:
    (one,), (grave,) = queued(routes=[a_route()]), queued(GRAVE, routes=[a_route()])

    assert (one.group_key, one.flush_at, one.interval_seconds) == ("acme", at(0) + timedelta(seconds=60), 900)
    assert (grave.group_key, grave.interval_seconds) == ("acme|critical", 0)
    assert grave.flush_at == T0 + timedelta(seconds=10)


def test_updates_of_critical_incidents_keep_the_interval() -> None:
    incident = an_incident(GRAVE)

    (one,) = queued(incident=incident, step=a_step(incident, Step.UPDATE), routes=[a_route()])

    assert one.interval_seconds == 900


def test_a_route_says_how_to_group_and_how_long_to_wait() -> None:
    route = a_route(
        group_by=["subject", "rule", "rule_family", "severity"], group_wait="5m", group_interval="1h"
    )

    (one,) = queued(routes=[route])

    assert one.group_key == "acme/one|low|score_below|warning"
    assert (one.flush_at, one.interval_seconds) == (T0 + timedelta(minutes=5), 3600)


def test_a_rule_that_is_gone_is_its_own_family() -> None:
    incident = an_incident(RULE, rule_id="gone")

    assert queued(incident=incident, routes=[a_route(group_by=["rule_family"])])[0].group_key == "gone"


def test_nothing_leaves_before_things_have_settled() -> None:
    assert queued(routes=[a_route()], settle_until=at(1))[0].flush_at == at(1)
    assert queued(routes=[a_route()], settle_until=at(-1))[0].flush_at == T0 + timedelta(seconds=60)


def test_quiet_hours_hold_warnings_and_not_critical_alerts() -> None:
    night = ActiveHours.model_validate({**OFFICE, "from": "20:00", "to": "22:00"})
    route = a_route(active_hours=night)

    assert queued(routes=[route])[0].flush_at == datetime(2026, 3, 2, 19, tzinfo=UTC)
    assert queued(GRAVE, routes=[route])[0].flush_at == T0 + timedelta(seconds=10)
    patient = route.model_copy(update={"critical_waits": True})
    assert queued(GRAVE, routes=[patient])[0].flush_at == datetime(2026, 3, 2, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "instant", "expected"),
    [
        (OFFICE, "2026-03-02T08:00+00:00", "2026-03-02T08:00+00:00"),  # Monday 09:00 in Berlin
        (OFFICE, "2026-03-02T05:00+00:00", "2026-03-02T07:00+00:00"),
        (OFFICE, "2026-03-06T17:00+00:00", "2026-03-09T07:00+00:00"),  # Friday 18:00: over
        (OFFICE, "2026-03-28T12:00+00:00", "2026-03-30T06:00+00:00"),  # summer time begins on Sunday
        ({**OFFICE, "from": "22:00", "to": "06:00"}, "2026-03-03T03:00+00:00", "2026-03-03T03:00+00:00"),
        ({**OFFICE, "from": "22:00", "to": "06:00"}, "2026-03-03T12:00+00:00", "2026-03-03T21:00+00:00"),
        ({**OFFICE, "days": ["sun"]}, "2026-03-02T08:00+00:00", "2026-03-08T07:00+00:00"),
        ({**OFFICE, "days": ["mon"], "to": "08:01"}, "2026-03-02T08:00+00:00", "2026-03-09T07:00+00:00"),
        (
            {"tz": "Europe/Berlin", "from": "02:30", "to": "04:00"},
            "2026-03-29T00:30+00:00",
            "2026-03-29T01:30+00:00",  # 02:30 is skipped that night
        ),
    ],
)
def test_active_hours_are_those_of_the_wall_clock(
    hours: dict[str, object], instant: str, expected: str
) -> None:
    found = next_active(datetime.fromisoformat(instant), ActiveHours.model_validate(hours))

    assert found == datetime.fromisoformat(expected)


def test_what_a_change_of_method_caused_waits_in_one_group_for_each_receiver() -> None:
    incident = an_incident(RULE)
    step = a_step(incident, cause="rescore")

    found = queued(incident=incident, step=step)

    assert {(one.route_id, one.group_key) for one in found} == {("rescore", "rescore")}


# -------------------------------------------------------------------------------- flush
def an_alert(incident: Incident, step: Step, **fields: object) -> dict[str, object]:
    alert = Alert.model_validate(
        {
            "incident_id": incident.id, "transition_id": "t", "step": step, "severity": incident.severity,
            "rule_id": incident.rule_id, "rule_name": "Low", "rule_kind": "score_below",
            "subject": incident.subject, "subject_name": incident.subject, "headline": "x", "as_of": T0,
            **fields,
        }
    )  # fmt: skip
    return alert.model_dump(mode="json")


def told(incident: Incident, step: Step = Step.OPENED, number: int = 0, **fields: object) -> Transition:
    made = a_step(incident, step, id=f"t{number:05}-{incident.id}", alert=an_alert(incident, step))
    return replace(made, **fields)  # type: ignore[arg-type] # fields of Transition by name


def due(receiver: str, *transitions: Transition, id_: str = "g1", route: str = "route-1") -> DueGroup:
    return DueGroup(NotifyGroup(id_, route, receiver, "acme", T0, generation=3), transitions)


def flushed(
    *groups: DueGroup, incidents: Sequence[Incident], **receivers: ReceiverConfig
) -> tuple[Delivery, ...]:
    return flush(
        groups,
        receivers={**RECEIVERS, **receivers},
        incidents={one.id: one for one in incidents},
        now=T0,
        new_id=World(()).new_id,
    )


LOW, HIGH = an_incident(RULE), an_incident(GRAVE, "other")


def test_each_recipient_gets_one_message_for_a_group_gravest_first() -> None:
    made = flushed(due("mail", told(LOW), told(HIGH, number=1)), incidents=[LOW, HIGH])

    assert [(one.recipient, one.idempotency_key) for one in made] == [
        ("a@example.com", "a:g1:3:a@example.com"),
        ("b@example.com", "a:g1:3:b@example.com"),
    ]
    assert made[0].ordering_key == "mail|a@example.com|g1"
    assert [alert["incident_id"] for alert in made[0].payload["alerts"]] == [HIGH.id, LOW.id]
    assert made[0].incident_ids == (LOW.id, HIGH.id)
    assert (made[0].state, made[0].next_attempt_at, made[0].kind) == (DeliveryState.PENDING, T0, "email")
    assert _MESSAGE.validate_python(made[0].payload).kind == "alert"


def test_a_webhook_gets_one_message_for_each_step_in_the_order_of_its_incident() -> None:
    made = flushed(due("hook", told(LOW), told(HIGH, number=1)), incidents=[LOW, HIGH])

    assert [one.idempotency_key for one in made] == [
        f"w:t00000-{LOW.id}:hook", f"w:t00001-{HIGH.id}:hook",
    ]  # fmt: skip
    assert [one.ordering_key for one in made] == [f"hook|{LOW.id}", f"hook|{HIGH.id}"]


@pytest.mark.parametrize(
    ("steps", "purpose"),
    [
        ([Step.OPENED, Step.UPDATE], Purpose.ALERT),
        ([Step.UPDATE, Step.RESOLVED], Purpose.UPDATE),
        ([Step.CORRECTION, Step.RESOLVED], Purpose.CORRECTION),
        ([Step.RESOLVED], Purpose.RESOLVED),
    ],
)
def test_the_purpose_is_that_of_the_foremost_step(steps: list[Step], purpose: Purpose) -> None:
    incidents = [an_incident(RULE, f"v{i}") for i in range(len(steps))]
    transitions = [told(incident, step) for incident, step in zip(incidents, steps, strict=True)]

    assert {one.purpose for one in flushed(due("mail", *transitions), incidents=incidents)} == {purpose}


def test_a_critical_alert_is_tried_for_three_days_others_for_two() -> None:
    assert flushed(due("slack", told(LOW)), incidents=[LOW])[0].deadline_at == at(48)
    assert flushed(due("slack", told(HIGH)), incidents=[HIGH])[0].deadline_at == at(72)


def test_a_receiver_that_is_gone_or_off_is_owed_nothing() -> None:
    off = SLACK.model_copy(update={"enabled": False})

    assert flushed(due("slack", told(LOW)), incidents=[LOW], slack=off) == ()
    assert flushed(due("nobody", told(LOW)), incidents=[LOW]) == ()


@pytest.mark.parametrize("end", [Step.RESOLVED, Step.CORRECTION])
def test_what_began_and_ended_while_it_waited_is_not_told(end: Step) -> None:
    over = told(LOW, end, number=1, to_state=IncidentState.OK)

    assert flushed(due("mail", told(LOW), over), incidents=[LOW]) == ()
    assert (
        len(flushed(due("slack", told(LOW), over, told(HIGH)), incidents=[LOW, HIGH])[0].transition_ids) == 1
    )


def test_a_correction_that_leaves_an_incident_open_is_told() -> None:
    made = flushed(due("slack", told(LOW), told(LOW, Step.CORRECTION, number=1)), incidents=[LOW])

    assert len(made[0].payload["alerts"]) == 2


def test_a_step_that_was_never_put_into_words_is_passed_over() -> None:
    assert flushed(due("slack", told(LOW, alert=None)), incidents=[LOW]) == ()


def test_more_than_twenty_alerts_become_one_summary() -> None:
    incidents = [an_incident(RULE, f"v{i}/one") for i in range(20)]
    groups = [due("slack", told(one, number=i), id_=f"g{i:02}") for i, one in enumerate(incidents)]

    assert len(flushed(*groups, incidents=incidents)) == 20
    (summary,) = flushed(*groups, due("slack", told(HIGH), id_="g99"), incidents=[*incidents, HIGH])

    assert summary.idempotency_key == "a:g00:3:slack"
    assert {k: summary.payload[k] for k in ("kind", "total", "vendors", "by_step", "by_severity")} == {
        "kind": "overflow", "total": 21, "vendors": 21, "by_step": {"opened": 21},
        "by_severity": {"warning": 20, "critical": 1},
    }  # fmt: skip
    assert len(summary.payload["gravest"]) == 10
    assert summary.payload["gravest"][0]["incident_id"] == HIGH.id
    assert len(summary.transition_ids) == 21


def test_a_change_of_method_leaves_one_held_summary_for_each_recipient() -> None:
    incidents = [an_incident(RULE, f"v{i}") for i in range(25)]
    rescored = [
        replace(
            told(one, number=i),
            alert=an_alert(one, Step.OPENED, score_from=71.0, score_to=58.4, grade_to="C"),
        )
        for i, one in enumerate(incidents)
    ]

    made = flushed(
        due("slack", *rescored, route="rescore"), due("hook", *rescored, route="rescore"), incidents=incidents
    )

    assert [(one.receiver_id, one.state, one.deadline_at - T0) for one in made] == [
        ("hook", DeliveryState.HELD, timedelta(days=14)),
        ("slack", DeliveryState.HELD, timedelta(days=14)),
    ]
    payload = made[1].payload
    assert payload["title"] == "The method changed: 25 alerts over 25 vendors"
    assert payload["lines"][0] == "v0: 71 → 58 (— → C), Low, opened"
    assert payload["lines"][-1] == "and 5 more"
    short = flushed(due("slack", *rescored[:2], route="rescore"), incidents=incidents)
    assert len(short[0].payload["lines"]) == 2


# -------------------------------------------------------------------------------- not sent yet
def waiting(**fields: object) -> Delivery:
    (one,) = flushed(due("slack", told(LOW)), incidents=[LOW])
    return replace(one, **fields)  # type: ignore[arg-type] # fields of Delivery by name


def test_an_alert_that_waits_and_its_end_cancel_each_other() -> None:
    over = flushed(due("slack", told(LOW, Step.RESOLVED, to_state=IncidentState.OK)), incidents=[LOW])

    assert collapse(over, [waiting()]).pointless == (waiting().id,)
    assert collapse(over, [waiting()]).deliveries == ()


@pytest.mark.parametrize(
    "change",
    [
        {"attempts": 1},
        {"state": DeliveryState.SENDING},
        {"purpose": Purpose.UPDATE},
        {"recipient": "x"},
        {"incident_ids": (LOW.id, HIGH.id)},
    ],
)
def test_what_was_tried_or_says_more_is_not_taken_back(change: dict[str, object]) -> None:
    over = flushed(due("slack", told(LOW, Step.RESOLVED, to_state=IncidentState.OK)), incidents=[LOW])

    assert collapse(over, [waiting(**change)]).pointless == ()
    assert collapse(over, [waiting(**change)]).deliveries == over


def test_news_is_not_taken_back() -> None:
    update = flushed(due("slack", told(LOW, Step.UPDATE)), incidents=[LOW])

    assert collapse(update, [waiting()]).deliveries == update


# -------------------------------------------------------------------------------- fault 38
def test_the_failure_of_a_slack_hook_is_never_told_on_slack() -> None:
    second = SLACK.model_copy(update={"id": "slack2"})
    off = MAIL.model_copy(update={"id": "off", "enabled": False})

    assert [one.id for one in other_receivers("slack", [MAIL, SLACK, second, HOOK, off])] == ["mail", "hook"]
    assert [one.id for one in other_receivers("unknown", [MAIL])] == ["mail"]


def test_severities_rank() -> None:
    assert sorted(Severity, key=lambda one: one.rank) == [Severity.INFO, Severity.WARNING, Severity.CRITICAL]
