"""Deltas by cause, what-if, and courses over time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from riskwatch.errors import Invalid
from riskwatch.model import Assertion, EventState, RegisterEntry, Verdict, VerdictKind
from riskwatch.score import (
    Added,
    Change,
    Setting,
    by_cause,
    by_event,
    delta,
    evaluate,
    score,
    series,
    what_if,
)
from tests.score.builders import a_claim, alibaba, an_event, day, methodology, some_inputs, watched

SUIT = an_event("e", "lawsuit", claims=(a_claim("A", "2", "reported"),))
BREACH = an_event(
    "b", "security_breach", claims=(a_claim("A", "2", "reported"),), attributes={"kind": "theft"}
)


def moved(before: Any, after: Any) -> Any:
    causes = by_cause(before, after)
    return {cause: round(points, 9) for cause, points in causes.items() if abs(points) > 1e-9}


def test_more_evidence_is_told_apart_from_news() -> None:
    backed = replace(BREACH, claims=(*BREACH.claims, a_claim("B", "1", id_="more")))
    causes = moved(some_inputs(BREACH), some_inputs(backed, SUIT))

    assert set(causes) == {"evidence", "new"}
    assert causes["evidence"] < 0


def test_a_retraction_and_a_verdict_are_corrections() -> None:
    withdrawn = replace(BREACH, state=EventState.WITHDRAWN, claims=())
    reject = Verdict("v", "e", VerdictKind.REJECT, "Ann", "no", {}, day(0))

    assert set(moved(some_inputs(BREACH), some_inputs(withdrawn))) == {"corrections"}
    assert set(moved(some_inputs(SUIT), some_inputs(SUIT, verdicts=(reject,)))) == {"corrections"}
    assert set(moved(some_inputs(SUIT), some_inputs())) == {"corrections"}


def test_an_end_and_good_news_are_relief() -> None:
    settled = an_event("m", "legal_resolution", on=1, closes=("e",))
    closed = replace(SUIT, closed_at=day(1))
    outage = an_event("o", "access_suspension", on=-30)
    restored = replace(outage, attributes={"resolved": True}, closed_at=day(0))

    assert set(moved(some_inputs(SUIT, at=1), some_inputs(closed, settled, at=1))) == {"relief"}
    assert set(moved(some_inputs(outage), some_inputs(restored))) == {"relief"}


def test_size_and_method_have_causes_of_their_own() -> None:
    grown = RegisterEntry(valid_from="2026-03-03", recorded_at="2026-03-03", valuation_usd=1e9)
    smaller = alibaba().model_copy(update={"register_": (grown,)})
    stricter = methodology().model_copy(
        update={"score": methodology().score.model_copy(update={"x_max": 0.1})}
    )

    assert set(moved(some_inputs(), some_inputs(vendor=smaller))) == {"register"}
    assert set(moved(some_inputs(BREACH), some_inputs(BREACH, method=stricter))) == {"methodology"}


def test_a_denied_appointment_is_evidence_and_a_better_one_relief() -> None:
    exit_ = an_event("x", "leadership_exit", attributes={"role": "cto"}, story_id="s")
    came = an_event("m", "leadership_appointment", claims=(a_claim("A", "2", "reported"),), story_id="s")
    denied = replace(came, claims=(*came.claims, a_claim("V", "primary", "denied")))
    backed = replace(came, claims=(*came.claims, a_claim("B", "1", "reported")))

    assert set(moved(some_inputs(exit_, came), some_inputs(exit_, denied))) == {"evidence"}
    assert set(moved(some_inputs(exit_, came), some_inputs(exit_, backed))) == {"relief"}


def test_a_delta_holds_both_lists() -> None:
    before, after = some_inputs(SUIT), some_inputs(SUIT, BREACH)
    first, last = evaluate(before), evaluate(after)
    found = delta(before, after, scores=(first, last))

    assert found.by_event == by_event(first, last)
    assert (found.from_points, found.to_points) == (first.points, last.points)


def test_what_if_an_event_had_not_happened_equals_its_second_column() -> None:
    base = evaluate(some_inputs(SUIT, BREACH))
    without = {c.event_id: c.score_without for c in base.contributions}

    assert what_if(some_inputs(SUIT, BREACH), Change(without=("b",))).points == pytest.approx(without["b"])


def test_what_if_a_closing_is_taken_back_the_state_is_open_again() -> None:
    settled = an_event("m", "legal_resolution", on=1, closes=("e",))
    inputs = some_inputs(replace(SUIT, closed_at=day(1)), settled, at=1000)

    assert not evaluate(inputs).contributions[0].is_open
    assert what_if(inputs, Change(without=("m",))).contributions[0].is_open


def test_what_if_takes_status_magnitude_end_size_and_new_events() -> None:
    inputs = some_inputs(SUIT, BREACH, subject="alibaba/qwen")
    base = evaluate(inputs)

    def with_(**change: Any) -> Any:
        return what_if(inputs, Change(**change)).internal_points

    assert with_(set={"b": Setting(status=Assertion.CONFIRMED)}) < base.internal_points
    assert with_(set={"b": Setting(magnitude=0.1)}) > base.internal_points
    assert with_(add=(Added("vendor_shutdown", home="alibaba"),)) < 20
    assert with_(add=(Added("legal_resolution", relieves=("e",)),)) > base.internal_points
    assert (
        with_(register=RegisterEntry(valid_from="2026-03-01", recorded_at="2026-03-01", valuation_usd=1)) < 65
    )
    closed = what_if(replace(inputs, as_of=day(900)), Change(set={"e": Setting(closed_at=day(0))}))
    assert "e" not in {c.event_id for c in closed.contributions if c.is_open}


@pytest.mark.parametrize(
    "change",
    [
        Change(without=("nobody",)),
        Change(set={"nobody": Setting()}),
        Change(add=(Added("sunspots"),)),
        Change(add=(Added("lawsuit", tier="7"),)),
        Change(add=(Added("funding", relieves=("nobody",)),)),
    ],
)
def test_what_if_refuses_what_does_not_exist(change: Any) -> None:
    with pytest.raises(Invalid):
        what_if(some_inputs(SUIT), change)


def test_a_projection_never_falls_while_nothing_new_becomes_known() -> None:
    course = series(some_inputs(SUIT, BREACH), [day(n) for n in range(0, 400, 20)])

    assert [point.points for point in course] == sorted(point.points for point in course)


def test_the_one_door_scores_as_the_inputs_do() -> None:
    inputs = some_inputs(SUIT)
    found = score(
        "alibaba/qwen", events=[SUIT], vendor=alibaba(), methodology=methodology(), as_of=day(0),
        known_at=day(0), coverage=watched(day(0)), articles=40,
    )  # fmt: skip

    assert found == evaluate(inputs)


def test_the_digest_sees_every_input_that_counts() -> None:
    base = evaluate(some_inputs(SUIT)).inputs_digest
    others = [
        some_inputs(replace(SUIT, attributes={"amount": 5})),
        some_inputs(SUIT, articles=41),
        some_inputs(SUIT, coverage=()),
        some_inputs(SUIT, attention={"alibaba/qwen": 3.0}),
        some_inputs(SUIT, sets={"cn": {"alibaba"}}),
        some_inputs(SUIT, lens="api"),
        some_inputs(SUIT, verdicts=(Verdict("v", "e", VerdictKind.CONFIRM, "Ann", "so"),)),
        some_inputs(SUIT, vendor=alibaba().model_copy(update={"tickers": ("BABA",)})),
    ]

    digests = {evaluate(inputs).inputs_digest for inputs in others}
    assert len(digests | {base}) == len(others) + 1
