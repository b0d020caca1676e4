from riskwatch.model import Assertion, Event, EventState, Verdict, VerdictKind
from tests.merge.makers import a_signal, day, ids, merged


def _after(kind: VerdictKind, values: dict[str, str | float] | None = None, **more: object) -> Event:
    new_id = ids()
    told = [a_signal("a", **{"person": "Dana Ortiz", "role": "cto", **more})]  # type: ignore[arg-type] # attributes
    known = merged(told, new_id=new_id).events
    verdict = Verdict("v1", known[0].id, kind, "Kim", "checked", values or {}, day(9))
    (event,) = merged(told, known=known, verdicts=[verdict], new_id=new_id).events
    return event


def test_a_rejected_event_is_told_in_no_story() -> None:
    event = _after(VerdictKind.REJECT)

    assert (event.state, event.story_id) == (EventState.REJECTED, None)
    assert event.history[-1].note == "rejected by review (Kim): checked"


def test_a_confirmed_rumour_is_confirmed() -> None:
    assert _after(VerdictKind.CONFIRM, assertion="rumoured").assertion is Assertion.CONFIRMED


def test_a_set_date_beats_the_majority() -> None:
    event = _after(VerdictKind.RE_DATE, {"occurred_at": "2026-02-01"}, claimed_at=day(0))

    assert (event.occurred_at, event.date_precision) == (day(-30), "day")
    assert _after(VerdictKind.RE_DATE, {"occurred_at": "soon"}).occurred_at == day(1)
    assert _after(VerdictKind.RE_DATE).occurred_at == day(1)


def test_set_attributes_beat_the_outlets() -> None:
    assert _after(VerdictKind.SET_ATTRIBUTES, {"role": "ceo"}).attributes["role"] == "ceo"


def test_a_moved_home_stays_moved() -> None:
    assert _after(VerdictKind.MOVE_HOME, {"home": "alibaba/-retail"}).home == "alibaba/-retail"
    assert _after(VerdictKind.MOVE_HOME).home == "alibaba"


def test_an_event_is_closed_when_a_person_says() -> None:
    assert _after(VerdictKind.CLOSE, {"closed_at": "2026-03-06T00:00:00+00:00"}).closed_at == day(3)
    assert _after(VerdictKind.CLOSE).closed_at == day(9)


def test_reopening_undoes_what_a_rule_closed() -> None:
    new_id = ids()
    told = [
        a_signal("a", "lawsuit", plaintiff="X Y"),
        a_signal("b", "legal_resolution", at=5, counterparty="X Y"),
    ]
    known = merged(told, new_id=new_id).events
    (suit,) = [e for e in known if e.type == "lawsuit"]
    verdict = Verdict("v1", suit.id, VerdictKind.REOPEN, "Kim", "appealed", recorded_at=day(9))

    after = merged(told, known=known, verdicts=[verdict], new_id=new_id).events

    assert suit.closed_at == day(5)
    assert [e.closed_at for e in after] == [None, None]


def test_the_latest_verdict_counts() -> None:
    new_id = ids()
    told = [a_signal("a", person="Dana Ortiz")]
    known = merged(told, new_id=new_id).events
    name = known[0].id
    verdicts = [
        Verdict("v2", name, VerdictKind.CONFIRM, "Kim", "seen", recorded_at=day(5)),
        Verdict("v1", name, VerdictKind.REJECT, "Lee", "wrong", recorded_at=day(4)),
    ]

    (event,) = merged(told, known=known, verdicts=verdicts, new_id=new_id).events

    assert event.state is EventState.LIVE


def test_a_verdict_on_a_swallowed_event_goes_to_its_heir() -> None:
    new_id = ids()
    apart = [a_signal("a", at=1, person="Dana Ortiz"), a_signal("b", at=60, person="Dana Ortiz")]
    _, young = known = merged(apart, new_id=new_id).events
    verdict = Verdict("v1", young.id, VerdictKind.REJECT, "Kim", "wrong", recorded_at=day(61))
    joined = [*apart, a_signal("c", at=30, person="Dana Ortiz")]
    once = merged(joined, known=known, verdicts=[verdict], new_id=new_id).events

    twice = merged(joined, known=once, verdicts=[verdict], new_id=new_id).events

    (heir,) = [e for e in twice if e.merged_into is None]
    assert heir.state is EventState.REJECTED
