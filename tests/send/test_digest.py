"""A digest covers its period without gap or overlap and lists what happened in the order designed."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from riskwatch.model import (
    Assertion,
    Delivery,
    DeliveryState,
    Event,
    EventState,
    Incident,
    IncidentState,
    Purpose,
    Schedule,
    Severity,
)
from riskwatch.send.digest import Happened, Period, Watched, contents, due_period, is_worth_sending, next_due
from riskwatch.send.message import AlertMessage, DigestMessage
from tests.score.builders import an_event, day
from tests.send.messages import an_alert
from tests.send.test_compose import config, scored

WATCHED = Watched(vendors_scored=12, vendors_total=12, sources_fresh=41, sources_total=43)
MONDAY = datetime(2026, 3, 9, 7, tzinfo=UTC)  # 08:00 in Berlin
NAMES = {"alibaba": "Alibaba", "alibaba/qwen": "Alibaba/Qwen"}


def a_schedule(**changes: Any) -> Schedule:
    values: dict[str, Any] = {
        "id": "weekly", "receiver_id": "procurement-mail", "zone": "Europe/Berlin", "local_time": "08:00",
        "days": ("mon",), "day_of_month": None, "next_due_at": MONDAY, "next_period": date(2026, 3, 9),
        "last_period": date(2026, 3, 2), "window_start_at": MONDAY - timedelta(days=7),
    }  # fmt: skip
    return Schedule(**{**values, **changes})


def due(schedule: Schedule, now: datetime) -> Period:
    period = due_period(schedule, now)
    assert period is not None
    return period


def advanced(schedule: Schedule, period: Period) -> Schedule:
    """Return the schedule as the store leaves it when a digest is made."""
    return replace(
        schedule,
        next_due_at=period.next.at,
        next_period=period.next.period,
        last_period=period.date,
        window_start_at=period.end_at,
    )


# ------------------------------------------------------------------------------------------- periods
def test_nothing_is_due_before_its_time_nor_while_the_schedule_is_off() -> None:
    assert due_period(a_schedule(), MONDAY - timedelta(seconds=1)) is None
    assert due_period(a_schedule(is_enabled=False), MONDAY) is None


def test_a_digest_covers_the_time_since_the_one_before() -> None:
    period = due(a_schedule(), MONDAY + timedelta(minutes=3))

    assert (period.date, period.start_at, period.end_at) == (
        date(2026, 3, 9), MONDAY - timedelta(days=7), MONDAY,
    )  # fmt: skip
    assert period.next.period == date(2026, 3, 16)


def test_three_missed_periods_are_one_digest_over_the_whole_time() -> None:
    period = due(a_schedule(), MONDAY + timedelta(days=22))

    assert period.date == date(2026, 3, 30)
    assert period.start_at == MONDAY - timedelta(days=7)
    assert period.end_at == datetime(2026, 3, 30, 6, tzinfo=UTC)  # summer time
    assert period.next.period == date(2026, 4, 6)


def test_years_asleep_are_one_digest_and_no_long_search() -> None:
    period = due(a_schedule(), MONDAY + timedelta(days=3000))

    assert MONDAY + timedelta(days=2993) <= period.end_at <= MONDAY + timedelta(days=3000)
    assert period.start_at == MONDAY - timedelta(days=7)


def test_the_first_digest_covers_one_period() -> None:
    first = {"window_start_at": None, "last_period": None}

    assert due(a_schedule(**first), MONDAY).start_at == MONDAY - timedelta(days=7)
    assert due(a_schedule(**first, days=()), MONDAY).start_at == MONDAY - timedelta(days=1)


def test_a_change_of_zone_leaves_neither_gap_nor_repeat() -> None:
    schedule = a_schedule(days=(), zone="Pacific/Auckland")
    sent = advanced(schedule, due(schedule, MONDAY))
    moved = next_due(
        MONDAY, local_time="08:00", zone="Pacific/Honolulu", last_period=sent.last_period
    )  # as the schedule is computed again
    west = replace(sent, zone="Pacific/Honolulu", next_due_at=moved.at, next_period=moved.period)
    following = due(west, moved.at)

    assert sent.last_period is not None
    assert following.date > sent.last_period
    assert following.start_at == due(schedule, MONDAY).end_at


@given(
    told_after_hours=st.lists(st.integers(0, 24 * 40), max_size=20),
    ticks=st.lists(st.integers(0, 24 * 45), min_size=1, max_size=20),
)
@settings(max_examples=60, deadline=None)
def test_all_digests_together_tell_each_event_once(told_after_hours: list[int], ticks: list[int]) -> None:
    start = MONDAY - timedelta(days=7)
    events = [
        replace(an_event(f"e{n}", "outage"), first_recorded_at=start + timedelta(hours=hours))
        for n, hours in enumerate(told_after_hours)
    ]
    schedule, seen = a_schedule(days=()), list[str]()
    for now in (start + timedelta(hours=hours) for hours in [*sorted(ticks), 24 * 60]):
        period = due_period(schedule, now)
        if period is None:
            continue
        message = contents(schedule, period=period, happened=happened(events=events), watched=WATCHED)
        seen += [line.event_id or "" for line in message.events]
        schedule = advanced(schedule, period)

    assert sorted(seen) == sorted(event.id for event in events)


# ------------------------------------------------------------------------------------------- contents
def happened(**changes: Any) -> Happened:
    values: dict[str, Any] = {"taxonomy": config().taxonomy, "names": NAMES}
    return Happened(**{**values, **changes})


def made(schedule: Schedule | None = None, **changes: Any) -> DigestMessage:
    schedule = schedule or a_schedule()
    return contents(schedule, period=due(schedule, MONDAY), happened=happened(**changes), watched=WATCHED)


def in_period(event: Event, **changes: Any) -> Event:
    return replace(event, first_recorded_at=MONDAY - timedelta(days=1), **changes)


def an_incident(id_: str, severity: Severity, **changes: Any) -> Incident:
    values: dict[str, Any] = {
        "id": id_, "key": id_, "rule_id": "tier1", "subject": "alibaba/qwen", "severity": severity,
        "state": IncidentState.FIRING, "condition_hash": "h", "opened_at": day(1),
    }  # fmt: skip
    return Incident(**{**values, **changes})


def test_the_digest_is_named_after_its_rhythm() -> None:
    assert made().name == "Weekly digest"
    assert made(a_schedule(days=())).name == "Daily digest"
    assert made(a_schedule(days=(), day_of_month=9)).name == "Monthly digest"


def test_firing_incidents_come_gravest_first_and_say_where_they_stand() -> None:
    incidents = [
        an_incident("01A", Severity.WARNING, acked_by="J. Doe"),
        an_incident("01B", Severity.CRITICAL, state=IncidentState.RECOVERING),
        an_incident("01C", Severity.CRITICAL, state=IncidentState.PENDING),
    ]

    assert [line.text for line in made(incidents=incidents, rules={"tier1": "Tier 1 below 60"}).firing] == [
        "Critical: Tier 1 below 60, since 4 Mar 2026 01:00 CET (00:00 UTC), recovering",
        "Warning: Tier 1 below 60, since 4 Mar 2026 01:00 CET (00:00 UTC), acknowledged by J. Doe",
    ]


def test_a_change_of_grade_shows_both_ends_and_a_move_within_a_grade_is_none() -> None:
    moved = [(scored(-5), scored(2)), (scored(2), scored(2.1)), (None, scored(2))]

    (line,) = made(moved=moved).grade_changes

    assert (line.subject_name, line.text, line.points) == ("Alibaba/Qwen", "A → D, 97.0 to 52.6", -44.4)


def test_events_come_by_points_and_rumours_apart() -> None:
    events = [
        in_period(an_event("small", "outage")),
        in_period(an_event("big", "leadership_exit", attributes={"role": "cto"})),
        in_period(an_event("whisper", "licence_restriction"), assertion=Assertion.RUMOURED),
    ]

    digest = made(events=events, points={"small": 1.04, "big": 16.5})

    assert [(line.event_id, line.points) for line in digest.events] == [("big", -16.5), ("small", -1.0)]
    assert digest.events[0].text == "A leader leaves (CTO): confirmed, 1 outlet, 3 Mar 2026"
    assert [line.event_id for line in digest.rumours] == ["whisper"]
    assert digest.rumours[0].points is None


def test_denied_neutral_and_earlier_events_are_not_news() -> None:
    events = [
        in_period(an_event("denied"), state=EventState.DENIED),
        in_period(an_event("release", "product_release")),
        replace(an_event("before"), first_recorded_at=MONDAY - timedelta(days=8)),
        replace(an_event("next"), first_recorded_at=MONDAY),
    ]

    assert not is_worth_sending(made(events=events))


def test_what_could_not_be_delivered_is_told_with_its_subject() -> None:
    payload = AlertMessage(alerts=(an_alert(),)).model_dump(mode="json")
    lost = Delivery(
        id="01D", idempotency_key="k", receiver_id="procurement-mail", kind="email",
        recipient="procurement@example.com", ordering_key="o", purpose=Purpose.UPDATE, payload=payload,
        created_at=day(2), deadline_at=day(4), state=DeliveryState.EXPIRED, last_outcome="timeout",
    )  # fmt: skip

    (line,) = made(expired=[lost]).expired

    assert line.subject_name == "Alibaba/Qwen"
    assert line.text == (
        "Update of 5 Mar 2026 01:00 CET (00:00 UTC) to procurement@example.com through procurement-mail: "
        "expired; last answer: timeout"
    )
