"""The laws of the score; each test carries the number of its law."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskwatch.model import (
    Assertion,
    Claim,
    CoverageFact,
    Event,
    Grade,
    RegisterEntry,
    SizeClass,
    Verdict,
    VerdictKind,
)
from riskwatch.score import Change, Inputs, by_cause, by_event, evaluate, series, what_if
from riskwatch.score.engine import internal_points
from riskwatch.score.loss import credibility
from riskwatch.score.methodology import Lens
from tests.score.builders import CLASSES, a_claim, alibaba, an_event, day, methodology, some_inputs
from tests.score.strategies import ADVERSE, FAMILIES, GOOD, LIVE_STATUS, NOW, TIERS, claims, events, histories

History = tuple[Event, ...]
law = settings(max_examples=300, deadline=None, database=None)
SUBJECTS = st.sampled_from(("alibaba", "alibaba/qwen"))
SETS = {"cn": frozenset({"alibaba"})}
TINY = 1e-9


def inputs_of(history: History, subject: str = "alibaba/qwen", **fields: object) -> Inputs:
    at = fields.pop("at", NOW)
    attention = {"alibaba": 300.0, "alibaba/qwen": 200.0, "other": 20.0}
    return some_inputs(*history, subject=subject, at=at, sets=SETS, attention=attention, **fields)  # type: ignore[arg-type] # by name


def points(history: tuple[Event, ...], subject: str = "alibaba/qwen", **fields: object) -> float:
    return internal_points(inputs_of(history, subject, **fields))


@law
@given(histories(), SUBJECTS)
def test_law_1_a_score_lies_above_0_and_at_most_100_and_no_factor_passes_its_floor(
    history: History, subject: str
) -> None:
    score = evaluate(inputs_of(history, subject))

    assert 0 < score.internal_points <= 100
    for factor in score.factors:
        assert 0 <= factor.loss <= methodology().factors[factor.factor].floor_k


@law
@given(histories(), SUBJECTS)
def test_law_2_points_are_never_negative_and_sum_to_what_is_lost(history: History, subject: str) -> None:
    score = evaluate(inputs_of(history, subject))

    taken = [score.structural_points, *(c.points for c in score.contributions)]
    assert all(part >= 0 for part in taken)
    assert math.fsum(taken) == pytest.approx(100 - score.internal_points, abs=1e-9)
    assert math.fsum(f.points for f in score.factors) == pytest.approx(
        100 - score.internal_points - taken[0], abs=1e-9
    )


@law
@given(histories(), st.data())
def test_law_3_order_of_events_claims_and_mitigations_does_not_matter(
    history: History, data: st.DataObject
) -> None:
    shuffled = tuple(
        replace(event, claims=tuple(data.draw(st.permutations(event.claims))))
        for event in data.draw(st.permutations(history))
    )

    assert evaluate(inputs_of(shuffled)) == evaluate(inputs_of(history))


@law
@given(histories(), events("new"), SUBJECTS)
def test_law_4_one_more_harm_never_raises_the_score(history: History, harm: Event, subject: str) -> None:
    assert points((*history, harm), subject) <= points(history, subject) + TINY


@law
@given(
    histories(),
    events("new"),
    st.sampled_from(FAMILIES),
    st.sampled_from(TIERS),
    st.sampled_from(LIVE_STATUS),
)
def test_law_5_one_more_supporting_claim_never_raises_the_score(
    history: History, harm: Event, family: str, tier: str, status: str
) -> None:
    backed = replace(harm, claims=(*harm.claims, a_claim(family, tier, status, at=day(0), id_="more")))

    assert points((*history, backed)) <= points((*history, harm)) + TINY


@law
@given(histories(), events("new"), st.floats(0, 3), st.floats(0, 3))
def test_law_5_more_severity_never_raises_the_score(
    history: History, harm: Event, one: float, other: float
) -> None:
    def judged(magnitude: float) -> float:
        verdict = Verdict("v", harm.id, VerdictKind.SET_MAGNITUDE, "Ann", "seen", {"magnitude": magnitude})
        return points((*history, harm), verdicts=(verdict,))

    assert judged(max(one, other)) <= judged(min(one, other)) + TINY


@law
@given(histories(), events("new"), st.sampled_from(FAMILIES), st.sampled_from(TIERS))
def test_law_5_a_denial_of_a_known_harm_never_lowers_the_score(
    history: History, harm: Event, family: str, tier: str
) -> None:
    denied = replace(harm, claims=(*harm.claims, a_claim(family, tier, "denied", at=day(0), id_="no")))

    assert points((*history, denied)) >= points((*history, harm)) - TINY


@law
@given(histories(), SUBJECTS, st.floats(0, 3000), st.floats(0, 3000))
def test_law_6_time_alone_never_lowers_the_score(
    history: History, subject: str, one: float, other: float
) -> None:
    first, last = sorted((NOW + one, NOW + other))

    assert points(history, subject, at=last) >= points(history, subject, at=first) - TINY


@law
@given(histories(), events("new", GOOD), st.data(), SUBJECTS)
def test_law_7_good_news_never_lowers_the_score_nor_lifts_it_above_the_score_without_harm(
    history: History, good: Event, data: st.DataObject, subject: str
) -> None:
    ids = [event.id for event in history if event.type in ADVERSE]
    closed = tuple(data.draw(st.lists(st.sampled_from(ids), unique=True))) if ids else ()
    harmless = tuple(event for event in history if event.type not in ADVERSE)
    eased = points((*history, replace(good, closes=closed)), subject)

    assert eased >= points(history, subject) - TINY
    assert eased <= points(harmless, subject) + TINY


@law
@given(histories(), st.data())
def test_law_7_a_stated_resolution_never_lowers_the_score(history: History, data: st.DataObject) -> None:
    on = data.draw(st.sampled_from(range(len(history)))) if history else None
    resolved = tuple(
        replace(e, attributes={**e.attributes, "resolved": True}, closed_at=day(NOW)) if n == on else e
        for n, e in enumerate(history)
    )

    assert points(resolved) >= points(history) - TINY


@law
@given(st.lists(events("x", homes=("alibaba/qwen",)), max_size=4), st.integers(1, 30))
def test_law_8_stories_without_good_news_do_not_matter_and_equal_events_load_by_the_root_of_their_number(
    several: list[Event], n: int
) -> None:
    harms = tuple(replace(event, id=f"h{number}") for number, event in enumerate(several))
    apart = tuple(replace(event, story_id=None) for event in harms)
    copies = tuple(an_event(f"c{number}") for number in range(n))
    load_of = {len(group): evaluate(inputs_of(group, at=1)).factors[0].load for group in (copies[:1], copies)}

    assert points(harms) == points(apart)
    assert load_of[n] == pytest.approx(math.sqrt(n) * load_of[1])


@law
@given(histories(), SUBJECTS, st.floats(NOW + 0.5, 2000))
def test_law_9_nothing_jumps_unless_something_happens(history: History, subject: str, at: float) -> None:
    before, after = series(inputs_of(history, subject), (day(at), day(at) + timedelta(days=1e-6)))

    assert abs(after.points - before.points) < 1e-3


@law
@given(claims(), st.integers(2, 25))
def test_law_10_copies_leave_credibility_unchanged(told: tuple[Claim, ...], n: int) -> None:
    rule = methodology().credibility

    assert credibility(told * n, rule) == credibility(told, rule)


@law
@given(claims())
def test_law_10_credibility_lies_above_0_and_at_most_1_and_the_lowest_tier_never_passes_one_half(
    told: tuple[Claim, ...],
) -> None:
    rule = methodology().credibility
    unlisted = tuple(replace(claim, tier="4") for claim in told)

    assert 0 < credibility(told, rule) <= 1
    assert credibility(unlisted, rule) <= 0.5


@law
@given(st.sampled_from(SizeClass), SUBJECTS)
def test_law_11_without_events_only_size_counts(size: SizeClass, subject: str) -> None:
    vendor = alibaba().model_copy(update={"size_class": size})
    score = evaluate(some_inputs(subject=subject, vendor=vendor))
    unwatched = evaluate(some_inputs(subject=subject, vendor=vendor, coverage=()))

    assert score.points == pytest.approx(100 * math.exp(-methodology().structural.base_loss[size]))
    assert (unwatched.points, unwatched.low, unwatched.high, unwatched.grade) == (None, None, None, Grade.NR)


@law
@given(histories(), events("new"), st.sampled_from(("hypothetical", "background")), st.data())
def test_law_12_background_and_hypothetical_claims_change_nothing(
    history: History, harm: Event, status: str, data: st.DataObject
) -> None:
    empty = a_claim("Z", "primary", status, at=day(NOW), id_="empty")
    target = data.draw(st.sampled_from((*history, harm)))
    retold = tuple(
        replace(e, claims=(*e.claims, empty)) if e.id == target.id else e for e in (*history, harm)
    )
    alone = replace(harm, id="alone", claims=(empty,), assertion=Assertion(status))

    base, told_again, beside = (
        evaluate(inputs_of(h)) for h in ((*history, harm), retold, (*history, harm, alone))
    )
    assert told_again == base
    assert (beside.inputs_digest, beside.contributions) == (base.inputs_digest, base.contributions)
    assert beside.internal_points == base.internal_points


@law
@given(histories(), SUBJECTS)
def test_law_13_the_score_lies_inside_its_interval(history: History, subject: str) -> None:
    (point,) = series(inputs_of(history, subject), (day(NOW),))

    assert point.low <= point.points + TINY
    assert point.points <= point.high + TINY


@law
@given(histories(), events("new"), st.sampled_from(TIERS))
def test_law_14_a_firmer_statement_never_raises_the_score(history: History, harm: Event, tier: str) -> None:
    rumoured, reported, confirmed = (
        points(
            (*history, replace(harm, claims=(*harm.claims, a_claim("Z", tier, status, at=day(0), id_="z"))))
        )
        for status in ("rumoured", "reported", "confirmed")
    )

    assert rumoured >= reported - TINY >= confirmed - 2 * TINY


@law
@given(histories(), st.data())
def test_law_15_taking_an_event_out_and_putting_it_back_restores_every_bit(
    history: History, data: st.DataObject
) -> None:
    base = evaluate(inputs_of(history))
    out = data.draw(st.sampled_from(history)) if history else an_event("gone")
    evaluate(inputs_of(tuple(event for event in history if event is not out)))
    back = (*(event for event in history if event is not out), *((out,) if history else ()))

    assert evaluate(inputs_of(back)) == base


@law
@given(events("x", homes=("alibaba/qwen",)), st.integers(2, 6))
def test_law_16_equal_events_each_keep_their_own_points(harm: Event, n: int) -> None:
    score = evaluate(inputs_of(tuple(replace(harm, id=f"h{number}", story_id=None) for number in range(n))))

    taken = {c.event_id: c.points for c in score.contributions}
    assert len(taken) + len(score.not_counted) == n
    assert len(set(taken.values())) <= 1


@law
@given(histories(most=12), SUBJECTS)
def test_law_17_the_printed_column_sums_to_the_printed_loss(history: History, subject: str) -> None:
    score = evaluate(inputs_of(history, subject))

    printed = [score.structural_printed, *(c.printed_points for c in score.contributions)]
    assert sum(round(part * 10) for part in printed) == 1000 - round(score.internal_points * 10)


@law
@given(histories(), st.lists(events("late"), max_size=3))
def test_law_18_what_was_recorded_later_has_no_effect_at_all(history: History, late: list[Event]) -> None:
    tomorrow = day(NOW) + timedelta(days=1)
    unknown = tuple(
        replace(e, id=f"l{n}", first_recorded_at=tomorrow, recorded_at=tomorrow) for n, e in enumerate(late)
    )
    told = tuple(
        replace(e, claims=(*e.claims, replace(a_claim("Z", "primary", id_="late"), recorded_at=tomorrow)))
        for e in history
    )
    verdicts = tuple(
        Verdict(f"v{e.id}", e.id, VerdictKind.REJECT, "Ann", "no", recorded_at=tomorrow) for e in history
    )

    base = evaluate(inputs_of(history))
    assert evaluate(inputs_of((*told, *unknown), verdicts=verdicts)) == base
    assert evaluate(inputs_of(history)).result_id == base.result_id


@law
@given(histories())
def test_law_19_a_new_methodology_is_a_new_result_and_leaves_the_old_one(history: History) -> None:
    newer = methodology().model_copy(update={"version": 2})
    old = evaluate(inputs_of(history))
    new = evaluate(inputs_of(history, method=newer))

    assert new.result_id != old.result_id
    assert (new.inputs_digest, new.internal_points) == (old.inputs_digest, old.internal_points)
    assert evaluate(inputs_of(history)) == old


@law
@given(histories(), histories(), st.integers(0, 100), st.data())
def test_law_20_deltas_by_event_and_by_cause_sum_to_the_movement_with_their_signs(
    history: History, more: History, days: int, data: st.DataObject
) -> None:
    known = tuple(event for event in history if data.draw(st.booleans()))
    grown = tuple(replace(e, claims=(*e.claims, a_claim("Z", "2", at=day(0), id_="z"))) for e in history)
    new = tuple(replace(event, id=f"n{event.id}", closes=()) for event in more)
    before, after = inputs_of(known, at=NOW), inputs_of((*grown, *new), at=NOW + days)
    first, last = evaluate(before), evaluate(after)

    causes = by_cause(before, after)
    moved = last.internal_points - first.internal_points
    assert math.fsum(by_event(first, last).values()) == pytest.approx(moved, abs=1e-9)
    assert math.fsum(causes.values()) == pytest.approx(moved, abs=1e-9)
    assert causes["time"] >= -TINY
    assert causes["relief"] >= -TINY
    assert causes["new"] <= TINY


@law
@given(histories(), SUBJECTS)
def test_law_21_what_if_without_a_change_equals_the_base(history: History, subject: str) -> None:
    inputs = inputs_of(history, subject)
    answer = what_if(inputs, Change())

    assert answer.what_if
    assert replace(answer, what_if=False) == evaluate(inputs)


@law
@given(histories(), st.lists(events("x", homes=("openai", "openai/gpt", "us")), max_size=4))
def test_law_22_events_of_another_vendor_change_nothing(history: History, others: list[Event]) -> None:
    foreign = tuple(replace(event, id=f"o{n}", vendor="openai") for n, event in enumerate(others))

    assert evaluate(inputs_of((*history, *foreign))) == evaluate(inputs_of(history))


@law
@given(histories(), st.lists(st.integers(0, 800), min_size=1, max_size=5))
def test_law_23_a_course_over_many_instants_equals_one_score_at_each(
    history: History, instants: list[int]
) -> None:
    courses = series(inputs_of(history), [day(at) for at in instants])

    for at, point in zip(instants, courses, strict=True):
        score = evaluate(inputs_of(history, at=at, known_at=day(NOW)))
        assert point.points == score.internal_points
        if score.low is not None:
            assert (point.low, point.high) == (score.low, score.high)


@law
@given(
    st.lists(st.floats(0, 500), min_size=len(CLASSES), max_size=len(CLASSES)),
    st.sampled_from(CLASSES),
    st.integers(0, 99),
)
def test_law_24_confidence_is_a_share_and_a_failed_poll_never_raises_it(
    ages_hours: list[float], failed: str, articles: int
) -> None:
    facts = tuple(
        CoverageFact(name, 1, day(0) - timedelta(hours=age))
        for name, age in zip(CLASSES, ages_hours, strict=True)
    )
    worse = tuple(replace(fact, last_ok_at=None) if fact.source_class == failed else fact for fact in facts)
    good, bad = (evaluate(some_inputs(an_event(), coverage=c, articles=articles)) for c in (facts, worse))

    assert 0 <= bad.confidence <= good.confidence <= 1
    assert bad.internal_points == good.internal_points


@law
@given(histories(), st.floats(0, 1), st.sampled_from(ADVERSE), SUBJECTS)
def test_law_25_a_lens_of_1_is_none_and_a_smaller_one_never_lowers_the_score(
    history: History, share: float, type_: str, subject: str
) -> None:
    def seen(share: float) -> float:
        factor = methodology().types[type_].factor
        lens = Lens(factors={factor: share}, types={type_: share})
        portfolio = methodology().portfolio.model_copy(update={"lens": {"test": lens}})
        return points(
            history, subject, lens="test", method=methodology().model_copy(update={"portfolio": portfolio})
        )

    assert seen(1.0) == points(history, subject)
    assert seen(share) >= points(history, subject) - TINY


@law
@given(st.floats(0, 1e12), st.floats(0, 1e11), histories())
def test_a_larger_vendor_never_scores_less_for_the_same_events(
    value: float, revenue: float, history: History
) -> None:
    def sized(value_usd: float) -> float:
        entry = RegisterEntry(
            valid_from="2026-01-01", recorded_at="2026-01-01", valuation_usd=value_usd, revenue_usd=0
        )
        return points(history, "alibaba", vendor=alibaba().model_copy(update={"register_": (entry,)}))

    assert sized(value + revenue) >= sized(value) - TINY
