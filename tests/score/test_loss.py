"""What one event takes: reference values of credibility, magnitude, decay and open states."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from riskwatch.model import Claim, EventState, Verdict, VerdictKind
from riskwatch.score import evaluate
from riskwatch.score.loss import Span, credibility
from tests.score.builders import a_claim, an_event, day, methodology, some_inputs

RULE = methodology().credibility


def told(*parts: tuple[str, str]) -> tuple[Claim, ...]:
    return tuple(a_claim(f"F{n}", tier, status, id_=f"s{n}") for n, (tier, status) in enumerate(parts))


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        (told(("1", "confirmed")), 0.85),
        (told(*((tier, "confirmed") for tier in ("1", "2", "2", "3", "3"))), 0.99592),
        (told(("1", "confirmed")) * 25, 0.85),
        (told(*(("4", "rumoured"),) * 20), 0.50),
        (told(*(("4", "confirmed"),) * 20), 0.50),
        (told(("2", "rumoured")), 0.175),
        (told(("2", "rumoured"), ("primary", "denied")), 0.091875),
        (told(("2", "denied")), 0.0325),
        ((), 0.0),
        (told(("1", "background")), 0.0),
        (told(("odd", "confirmed")), 0.20),
    ],
)
def test_credibility_has_its_reference_values(claims: Any, expected: Any) -> None:
    assert credibility(claims, RULE) == pytest.approx(expected, abs=5e-6)


def test_a_denial_does_not_weaken_what_is_confirmed() -> None:
    confirmed = told(("1", "confirmed"))

    assert credibility((*confirmed, a_claim("V", "primary", "denied")), RULE) == credibility(confirmed, RULE)


def test_a_family_with_a_better_tier_counts_once_and_outside_the_lowest_group() -> None:
    both = (a_claim("A", "4", id_="low"), a_claim("A", "3", id_="high"))

    assert credibility(both, RULE) == pytest.approx(0.45)


@pytest.mark.parametrize(
    ("name", "attributes", "expected"),
    [
        ("role", {"role": "technical_lead"}, 1.3),
        ("role", {}, 0.7),
        ("role", {"role": "gardener"}, 0.7),
        ("people", {"count": 3}, 0.9),
        ("people", {"count": 100}, 1.5),
        ("people", {"count": "many"}, 0.8),
        ("people", {"count": True}, 0.8),
        ("people", {"count": float("nan")}, 0.8),
        ("staff_percent", {"percent": 14}, 1.4),
        ("abnormal_percent", {"percent": -5.0}, 0.5),
        ("abnormal_percent", {"percent": -5.0, "market_percent": -3.0}, 0.2),
        ("abnormal_percent", {"percent": 90.0}, 3.0),
        ("notice", {"notice_days": 60}, 0.85),
        ("notice", {"notice_days": -3}, 1.4),
        ("notice", {"notice_days": 400}, 0.3),
        ("notice", {}, 1.0),
        ("outage", {}, 1.0),
        ("outage", {"duration": 8, "share_affected": 50}, 1.0),
        ("outage", {"duration": 0.1}, 0.25),
        ("deal", {"acquihire": True}, 1.5),
        ("deal", {"acquihire": False}, 1.0),
        ("one", {"role": "ceo"}, 1.0),
    ],
)
def test_magnitudes_read_attributes_and_fall_back_to_their_default(
    name: Any, attributes: Any, expected: Any
) -> None:
    assert methodology().magnitudes[name].of(attributes) == pytest.approx(expected)


def test_decay_is_full_on_the_plateau_and_halves_every_half_life() -> None:
    span = Span(occurred=0, plateau=14, half_life=180, floor=0)

    assert [span.decay(at) for at in (-1, 0, 14, 194, 374)] == pytest.approx([0, 1, 1, 0.5, 0.25])


def test_an_open_state_holds_its_floor_and_fades_from_the_day_it_is_closed() -> None:
    span = Span(occurred=0, plateau=0, half_life=100, floor=0.5, closed=400)

    assert [span.decay(at) for at in (300, 400, 500)] == pytest.approx([0.5, 0.5, 0.25])
    assert [span.is_open(at) for at in (-1, 300, 400)] == [False, True, False]


def contribution(*events: Any, at: float = 0.0, **fields: Any) -> Any:
    score = evaluate(some_inputs(*events, at=at, **fields))
    return next(c for c in score.contributions if c.event_id == "e")


def suit(**fields: Any) -> Any:
    return an_event("e", "lawsuit", claims=(a_claim("A", "1", "reported"),), **fields)


def test_a_pending_suit_stays_open() -> None:
    assert contribution(suit(), at=1000).is_open
    assert contribution(suit(), at=1000).decay == pytest.approx(0.35)


def test_a_suit_that_nobody_mentions_for_three_years_is_assumed_closed() -> None:
    late = contribution(suit(), at=1095 + 365)

    assert not late.is_open
    assert late.decay == pytest.approx(0.175)


def test_a_departure_leaves_a_vacancy_only_in_a_key_post() -> None:
    ceo = an_event("e", "leadership_exit", attributes={"role": "ceo"})
    vice = an_event("e", "leadership_exit", attributes={"role": "vp"})

    assert contribution(ceo).is_open
    assert not contribution(vice).is_open


@pytest.mark.parametrize(("tier", "is_open"), [("4", True), ("1", False)])
def test_only_a_believed_closing_closes(tier: Any, is_open: Any) -> None:
    closing = an_event("m", "legal_resolution", on=10, claims=(a_claim("B", tier),), closes=("e",))

    assert contribution(suit(closed_at=day(10)), closing, at=20).is_open is is_open


def test_of_several_closings_the_earliest_believed_one_counts() -> None:
    closings = [
        an_event(f"m{on}", "legal_resolution", on=on, claims=(a_claim("B", tier),), closes=("e",))
        for on, tier in ((10, "4"), (20, "1"), (30, "1"))
    ]
    told = (suit(closed_at=day(10)), *closings)

    assert contribution(*told, at=19).is_open
    assert not contribution(*told, at=21).is_open
    assert contribution(*told, at=400).decay == contribution(suit(), closings[1], at=400).decay


def test_a_partial_easing_relieves_and_does_not_close() -> None:
    ban = an_event("e", "export_control", claims=(a_claim(),))
    easing = an_event("m", "restriction_lifted", on=10, attributes={"partial": True}, closes=("e",))
    after = contribution(ban, easing, at=20)

    assert after.is_open
    assert after.relief == pytest.approx(0.4 * 0.85)


def test_a_ruling_never_closes_its_suit() -> None:
    ruling = an_event("r", "adverse_ruling", on=10, closes=("e",))

    assert contribution(suit(), ruling, at=20).is_open


def test_a_person_closes_reopens_and_resizes() -> None:
    def decided(*kinds: Any) -> Any:
        verdicts = tuple(
            Verdict(f"v{n}", "e", kind, "Ann", "seen", {"magnitude": 2.0}, day(n))
            for n, kind in enumerate(kinds)
        )
        return contribution(suit(), at=30, verdicts=verdicts)

    assert decided(VerdictKind.CLOSE).is_open is False
    assert decided(VerdictKind.CLOSE, VerdictKind.REOPEN).is_open is True
    assert decided(VerdictKind.SET_MAGNITUDE).severity == pytest.approx(0.16)


def test_a_rejected_event_takes_nothing_until_somebody_confirms_it() -> None:
    rejected = Verdict("v1", "e", VerdictKind.REJECT, "Ann", "another company", {}, day(0))
    confirmed = Verdict("v2", "e", VerdictKind.CONFIRM, "Bob", "seen in court", {}, day(0.5))
    score = evaluate(some_inputs(suit(), at=1, verdicts=(rejected,)))

    assert score.contributions == ()
    assert [(note.event_id, note.reason) for note in score.not_counted] == [("e", "A person rejected it.")]
    assert contribution(suit(), at=1, verdicts=(rejected, confirmed)).credibility > 0.95


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (suit(state=EventState.WITHDRAWN), "It was withdrawn: no article states it any longer."),
        (suit(state=EventState.REJECTED), "A person rejected it."),
        (suit(merged_into="f"), "It is counted as part of another event."),
        (suit(type="sunspots"), "This version of the methodology does not weigh its type."),
        (replace(suit(), claims=()), "It is mentioned as background or as a possibility only."),
        (an_event("e", "product_release"), "It is neutral: it takes no points and gives none."),
        (an_event("e", "funding"), "It is good news: it can soften a harm and takes no points."),
        (
            an_event("e", "funding", claims=(a_claim(status="denied"),)),
            "It is denied: good news that nobody claims relieves nothing.",
        ),
        (suit(occurred_at=day(9)), "It is dated after the instant judged."),
        (an_event("e", "outage", on=-2000), "It happened so long ago that nothing of it is left."),
    ],
)
def test_every_event_that_takes_nothing_says_why(event: Any, reason: Any) -> None:
    score = evaluate(some_inputs(event))

    assert score.contributions == ()
    assert [note.reason for note in score.not_counted] == [reason]


def test_an_event_dated_tomorrow_counts_from_when_it_was_recorded() -> None:
    assert contribution(suit(occurred_at=day(1), first_recorded_at=day(0)), at=0).occurred_at == day(0)
