"""What is not told: silences, what another alert covers, what nobody heard of."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from riskwatch.model import EventMark, Incident, IncidentState, Severity, Silence, Step, Transition
from riskwatch.send.decide import ALL_SOURCES
from riskwatch.send.rule import AlertRule
from riskwatch.send.suppress import (
    Known,
    Routing,
    acknowledged,
    after_silences,
    due_reminders,
    is_silenced,
    silence_problems,
    suppress,
)
from tests.send.makers import T0, World, a_rule, an_event, at, of, on_events, past, seen

EVENTS = on_events(id="events")
SHUT = on_events(id="shut", severity="critical", types=["vendor_shutdown"], min_points=0)
FALL = a_rule({"kind": "score_drop", "points": 8, "window": "7d"}, id="fall", for_evaluations=1)
LOST = a_rule({"kind": "not_rated", "for": "24h"}, id="lost")
SILENT = a_rule({"kind": "staleness", "subject": "source", "older_than": "48h"}, id="silent", severity="info")
ROUTING = Routing(rules={rule.id: rule for rule in (EVENTS, SHUT, FALL, LOST, SILENT)})


def an_incident(rule: AlertRule, subject: str = "acme", **fields: object) -> Incident:
    incident = Incident(
        id=f"i-{rule.id}-{subject}", key=f"{rule.id}|{subject}", rule_id=rule.id, subject=subject,
        severity=rule.severity, state=IncidentState.FIRING, condition_hash=rule.condition_hash, opened_at=T0,
        owner=rule.owner,
    )  # fmt: skip
    return replace(incident, **fields)  # type: ignore[arg-type] # fields of Incident by name


def a_step(incident: Incident, step: Step | None = Step.OPENED, **fields: object) -> Transition:
    made = Transition(
        id=f"t-{incident.id}-{step}", incident_id=incident.id, seq=1, from_state=IncidentState.OK,
        to_state=IncidentState.FIRING, step=step, cause="change", value_old=None, value_new=None,
        occurred_at=T0, event_ids=tuple(mark.event_id for mark in incident.events),
    )  # fmt: skip
    return replace(made, **fields)  # type: ignore[arg-type] # fields of Transition by name


def marks(**points: float) -> tuple[EventMark, ...]:
    return tuple(EventMark(id_, "leadership_exit", value, "reported") for id_, value in points.items())


def a_silence(matchers: Mapping[str, str], **fields: object) -> Silence:
    made = Silence("s1", matchers, at(-1), at(48), "maintenance", "J. Doe", at(-1))
    return replace(made, **fields)  # type: ignore[arg-type] # fields of Silence by name


def why(
    *pairs: tuple[Incident, Transition], silences: Sequence[Silence] = (), standing: Sequence[Incident] = ()
) -> list[str | None]:
    judged = suppress(
        [step for _, step in pairs],
        incidents={incident.id: incident for incident, _ in pairs},
        routing=ROUTING,
        silences=silences,
        open_incidents=standing,
        now=T0,
    )
    return [one.suppressed_by for one in judged]


def opened(rule: AlertRule, subject: str = "acme", **fields: object) -> tuple[Incident, Transition]:
    old, new = fields.pop("value_old", None), fields.pop("value_new", None)
    incident = an_incident(rule, subject, **fields)
    return incident, a_step(incident, value_old=old, value_new=new)


# -------------------------------------------------------------------------------- silences
@pytest.mark.parametrize(
    ("matchers", "is_muted"),
    [
        ({"rule": "events"}, True),
        ({"rule": "fall"}, False),
        ({"subject": "acme/one"}, True),
        ({"subject": "acme"}, False),
        ({"vendor": "acme"}, True),
        ({"severity": "warning"}, True),
        ({"owner": "J. Doe"}, True),
        ({"owner": "nobody"}, False),
        ({"tag": "eu"}, True),
        ({"tag": "us"}, False),
        ({"factor": "leadership"}, True),
        ({"factor": "legal"}, False),
        ({"vendor": "acme", "factor": "legal"}, False),
        ({"colour": "red"}, False),
        ({}, False),
    ],
)
def test_a_silence_mutes_what_all_its_matchers_mean(matchers: dict[str, str], is_muted: bool) -> None:
    known = Known({"acme": frozenset({"eu"})}, {}, {"leadership_exit": "leadership", "fine": "legal"})
    incident = an_incident(EVENTS, "acme/one", owner="J. Doe", events=marks(e1=5.0))

    assert is_silenced(incident, a_silence(matchers), replace(ROUTING, known=known)) is is_muted


def test_a_silence_of_one_factor_does_not_mute_another_one_in_the_same_incident() -> None:
    known = Known(factors={"leadership_exit": "leadership", "fine": "legal"})
    both = (*marks(e1=5.0), EventMark("e2", "fine", 5.0, "reported"))
    incident, routing = an_incident(EVENTS, events=both), replace(ROUTING, known=known)

    assert not is_silenced(incident, a_silence({"factor": "legal"}), routing)
    assert is_silenced(incident, a_silence({"factor": "legal"}), routing, event_ids=("e2",))


def test_the_factor_of_a_rule_can_be_silenced() -> None:
    legal = a_rule({"kind": "score_below", "threshold": 60, "factor": "legal"}, id="legal")
    routing = Routing(rules={"legal": legal})

    assert is_silenced(an_incident(legal), a_silence({"factor": "legal"}), routing)


def test_what_is_silenced_is_stored_and_not_told() -> None:
    assert why(opened(EVENTS), silences=[a_silence({"vendor": "acme"})]) == ["silence:s1"]
    assert why(opened(EVENTS), silences=[a_silence({"vendor": "acme"}, starts_at=at(1))]) == [None]
    assert why(opened(EVENTS), silences=[a_silence({"vendor": "acme"}, ends_at=at(0))]) == [None]


def test_states_without_words_and_what_was_suppressed_before_stay_as_they_are() -> None:
    incident = an_incident(EVENTS)

    assert why((incident, a_step(incident, None)), silences=[a_silence({"vendor": "acme"})]) == [None]
    assert why((incident, a_step(incident, suppressed_by="digest_only"))) == ["digest_only"]


@pytest.mark.parametrize("step", [Step.RESOLVED, Step.CORRECTION])
def test_nobody_is_told_the_end_of_what_nobody_heard_of(step: Step) -> None:
    unheard = an_incident(EVENTS)
    heard = replace(unheard, told_at=at(-1))

    assert why((unheard, a_step(unheard, step))) == ["digest_only"]
    assert why((heard, a_step(heard, step))) == [None]


def test_the_first_word_of_an_incident_is_opened() -> None:
    incident = an_incident(EVENTS)

    (judged,) = suppress(
        [a_step(incident, Step.UPDATE)],
        incidents={incident.id: incident}, routing=ROUTING, silences=[], open_incidents=[], now=T0,
    )  # fmt: skip

    assert judged.step is Step.OPENED


def test_opened_and_resolved_of_one_run_are_both_told_in_their_order() -> None:
    incident = an_incident(EVENTS, state=IncidentState.OK)
    first, last = a_step(incident), a_step(incident, Step.RESOLVED, seq=2)

    assert why((incident, last), (incident, first)) == [None, None]


# -------------------------------------------------------------------------------- inhibition
def test_a_critical_incident_covers_warnings_of_the_same_event() -> None:
    shut, event = opened(SHUT, events=marks(e1=5.0)), opened(EVENTS, events=marks(e1=5.0))

    assert why(event, shut) == ["inhibited:i-shut-acme", None]


def test_a_warning_with_another_event_beside_is_told() -> None:
    shut, event = opened(SHUT, events=marks(e1=5.0)), opened(EVENTS, events=marks(e1=5.0, e2=4.0))

    assert why(event, shut) == [None, None]


def test_another_vendor_is_not_covered() -> None:
    assert why(opened(EVENTS, "other", events=marks(e1=5.0)), opened(SHUT, events=marks(e1=5.0))) == [
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("told", "moved", "fall", "is_covered"),
    [
        ({"e1": 8.0}, {"e1": 8.0}, 8.0, True),
        ({"e1": 8.0}, {"e1": 8.0, "e2": 2.0}, 10.0, True),
        ({"e1": 8.0}, {"e1": 8.0, "e2": 2.1}, 10.1, False),
        ({"e1": 8.0}, {"e1": 8.0}, 10.1, False),
        ({"e1": 8.0}, {}, 8.0, False),
        ({}, {"e1": 8.0}, 8.0, False),
    ],
)
def test_a_fall_is_covered_when_its_events_were_told(
    told: dict[str, float], moved: dict[str, float], fall: float, is_covered: bool
) -> None:
    standing = an_incident(EVENTS, "acme/one", events=marks(**told), told_at=at(-1))
    mine = opened(FALL, events=marks(**moved), value_old=80.0, value_new=80.0 - fall)

    assert why(mine, standing=[standing]) == (["inhibited:i-events-acme/one"] if is_covered else [None])


def test_events_of_several_incidents_cover_a_fall_together() -> None:
    standing = [
        an_incident(EVENTS, "acme/one", events=marks(e1=6.0), told_at=at(-1)),
        an_incident(EVENTS, "acme/two", events=marks(e2=3.0), told_at=at(-1)),
    ]
    mine = opened(FALL, events=marks(e1=6.0, e2=3.0), value_old=80.0, value_new=71.0)

    assert why(mine, standing=standing) == ["inhibited:i-events-acme/one"]


def test_a_graver_fall_is_never_covered_by_a_lesser_incident() -> None:
    standing = an_incident(EVENTS, events=marks(e1=8.0), told_at=at(-1))
    grave = opened(FALL, events=marks(e1=8.0), severity=Severity.CRITICAL, value_old=80.0, value_new=72.0)

    assert why(grave, standing=[standing]) == [None]


@pytest.mark.parametrize(
    "change",
    [
        {"told_at": None},
        {"state": IncidentState.OK},
        {"state": IncidentState.PENDING},
        {"events": tuple(replace(mark, is_denied=True) for mark in marks(e1=8.0))},
    ],
)
def test_only_what_was_told_and_stands_covers_a_fall(change: dict[str, object]) -> None:
    standing = replace(an_incident(EVENTS, events=marks(e1=8.0), told_at=at(-1)), **change)  # type: ignore[arg-type]

    assert why(opened(FALL, events=marks(e1=8.0), value_old=80.0, value_new=72.0), standing=[standing]) == [
        None
    ]


def test_a_silenced_incident_covers_nothing() -> None:
    event, fall = opened(EVENTS, events=marks(e1=8.0)), opened(FALL, events=marks(e1=8.0))

    assert why(event, fall, silences=[a_silence({"rule": "events"})]) == ["silence:s1", None]


def test_two_incidents_never_cover_each_other() -> None:
    first = opened(FALL, "acme", events=marks(e1=8.0), value_old=80.0, value_new=72.0)
    second = opened(FALL, "acme/one", events=marks(e1=8.0), value_old=80.0, value_new=72.0)

    assert why(first, second) == [None, "inhibited:i-fall-acme"]


def test_a_fall_that_was_told_goes_on_to_tell_its_worsening() -> None:
    standing = an_incident(EVENTS, events=marks(e1=8.0), told_at=at(-1))
    fall = an_incident(FALL, events=marks(e1=8.0), told_at=at(-1))

    assert why((fall, a_step(fall, Step.UPDATE)), standing=[standing]) == [None]


def test_lost_ratings_are_covered_when_no_source_answers_at_all() -> None:
    silent = an_incident(SILENT, ALL_SOURCES, told_at=at(-1))

    assert why(opened(LOST), standing=[silent]) == [f"inhibited:{silent.id}"]
    assert why(opened(LOST), standing=[replace(silent, subject="one")]) == [None]
    assert why(opened(LOST), standing=[replace(silent, rule_id="events")]) == [None]


def test_a_rule_that_is_gone_is_no_hindrance() -> None:
    stranger = an_incident(EVENTS, rule_id="gone")

    assert why((stranger, a_step(stranger))) == [None]


def test_one_happening_is_one_alert_whatever_rules_it_meets() -> None:
    rules = (EVENTS, FALL, a_rule({"kind": "grade_change"}, id="grade", for_evaluations=1))
    world = World(rules)
    event = an_event(home="acme/one", first_recorded_at=T0)
    story = past(78, 78)

    decided = world.evaluate(
        0,
        seen(65, events=[(event, 13.0)], past=story),
        seen(66, subject="acme/one", events=[(event, 12.0)], past=story),
    )
    judged = suppress(
        decided.transitions,
        incidents={one.id: one for one in decided.incidents},
        routing=Routing(rules={rule.id: rule for rule in rules}),
        silences=[],
        open_incidents=[],
        now=T0,
    )

    assert of(decided) == [Step.OPENED] * 5
    told = [one for one in judged if one.suppressed_by is None]
    subjects = {one.id: (one.rule_id, one.subject) for one in decided.incidents}
    assert [subjects[one.incident_id] for one in told] == [("events", "acme/one")]


# -------------------------------------------------------------------------------- the end of a silence
def ended(*incidents: Incident, silences: Sequence[Silence]) -> tuple[list[str], list[str]]:
    after = after_silences(
        silences, open_incidents=incidents, routing=ROUTING, now=T0, new_id=World(()).new_id
    )
    assert [one.seq for one in after.incidents] == [one.seq for one in after.transitions]
    return [str(one.step) for one in after.transitions], [one.id for one in after.silences if one.flushed_at]


def test_what_still_fires_when_a_silence_ends_is_told_once() -> None:
    over = a_silence({"vendor": "acme"}, ends_at=at(0))
    before = an_incident(EVENTS, opened_at=at(-10), events=marks(e1=5.0))

    assert ended(before, silences=[over]) == (["opened"], ["s1"])
    assert ended(replace(before, told_at=at(-10)), silences=[over]) == (["update"], ["s1"])
    assert ended(before, silences=[replace(over, flushed_at=at(0))]) == ([], [])
    assert ended(before, silences=[replace(over, ends_at=at(1))]) == ([], [])


@pytest.mark.parametrize(
    "change",
    [{"state": IncidentState.RECOVERING}, {"subject": "other"}, {"opened_at": at(0)}, {"opened_at": None}],
)
def test_what_the_silence_did_not_mute_is_not_told_again(change: dict[str, object]) -> None:
    incident = replace(an_incident(EVENTS, opened_at=at(-10)), **change)  # type: ignore[arg-type]

    assert ended(incident, silences=[a_silence({"vendor": "acme"}, ends_at=at(0))]) == ([], ["s1"])


def test_another_silence_goes_on() -> None:
    silences = [a_silence({"vendor": "acme"}, ends_at=at(0)), a_silence({"rule": "events"}, id="s2")]

    assert ended(an_incident(EVENTS, opened_at=at(-10)), silences=silences) == ([], ["s1"])


def test_two_silences_that_end_together_tell_it_once() -> None:
    silences = [
        a_silence({"vendor": "acme"}, ends_at=at(0)),
        a_silence({"rule": "events"}, id="s2", ends_at=at(0)),
    ]

    assert ended(an_incident(EVENTS, opened_at=at(-10)), silences=silences) == (["opened"], ["s1", "s2"])


def test_the_author_is_reminded_a_day_before_the_end_once() -> None:
    soon, long = a_silence({"rule": "r"}, ends_at=at(23)), a_silence({"rule": "r"}, ends_at=at(25))
    begun = replace(soon, starts_at=at(-48))

    assert [one.reminded_at for one in due_reminders([begun, long], now=T0)] == [T0]
    assert due_reminders([replace(begun, reminded_at=T0), replace(begun, ends_at=T0)], now=T0) == ()
    assert due_reminders([soon], now=T0) == (), "a silence of a day is not worth a reminder"


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({}, []),
        ({"matchers": {}}, ["matchers"]),
        ({"matchers": {"colour": "red"}}, ["matchers"]),
        ({"ends_at": at(-1)}, ["ends_at"]),
        ({"ends_at": at(-1) + timedelta(days=91)}, ["ends_at"]),
        ({"reason": " "}, ["reason"]),
    ],
)
def test_a_silence_has_matchers_an_end_within_90_days_and_a_reason(
    change: dict[str, object], fields: list[str]
) -> None:
    silence = replace(a_silence({"rule": "r"}), **change)  # type: ignore[arg-type]

    assert [field for _, field in silence_problems(silence)] == fields


def test_an_acknowledgement_names_who_and_until_when() -> None:
    taken = acknowledged(an_incident(EVENTS), by="J. Doe", now=T0, until=at(5), note="on it")

    assert (taken.acked_by, taken.acked_at, taken.acked_until, taken.ack_note) == (
        "J. Doe",
        T0,
        at(5),
        "on it",
    )
