"""What a rule would have done, from stored scores."""

from datetime import timedelta

from riskwatch.model import EventState, Factor, Snapshot
from riskwatch.send.backtest import Backtest, Fired, History, backtest
from riskwatch.send.route import Known
from tests.send.makers import (
    BORDERS,
    T0,
    a_contribution,
    a_factor_loss,
    a_rule,
    a_score,
    an_event,
    below,
    on_events,
)

EVENT = an_event()


def day(number: int, points: float | None, subject: str = "acme", cost: float = 0.0) -> Snapshot:
    at = T0 - timedelta(days=180 - number)
    score = a_score(
        points,
        subject=subject,
        contributions=(a_contribution(EVENT, cost),) if cost else (),
        factors=(a_factor_loss(Factor.LEGAL, points or 0.0),),
    )
    return Snapshot(f"{subject}-{number}", score, "daily", at)


def tried(rule: object, *snapshots: Snapshot, **history: object) -> Backtest:
    past = History(tuple(snapshots), {"e1": EVENT}, **history)  # type: ignore[arg-type] # fields by name
    return backtest(rule, past, now=T0, borders=BORDERS)  # type: ignore[arg-type] # an AlertRule


def test_each_opening_is_named_with_day_and_subject() -> None:
    falls = [
        day(n, 50 if n in (20, 21, 60) else 70, subject)
        for subject in ("acme", "other")
        for n in range(0, 90, 1)
    ]

    result = tried(below(), *falls)

    assert result.fired is not None
    assert [(f"{one.at:%m-%d}", one.subject) for one in result.fired] == [
        ("09-23", "acme"), ("09-23", "other"), ("11-02", "acme"), ("11-02", "other"),
    ]  # fmt: skip
    assert result.sentence == (
        "r: would have fired 4 times in the last 180 days: "
        "2025-09-23 acme, 2025-09-23 other, 2025-11-02 acme, 2025-11-02 other"
    )


def test_the_second_evaluation_is_that_of_the_next_tick() -> None:
    (fired,) = tried(below(for_evaluations=3), day(10, 70), day(11, 50)).fired or ()

    assert fired == Fired(T0 - timedelta(days=169) + timedelta(minutes=10), "acme", 70, 50, ())


def test_an_evaluation_does_not_outlast_the_next_score() -> None:
    low, high = day(10, 50), day(10, 70)
    soon = Snapshot("soon", high.score, "change", low.recorded_at + timedelta(minutes=4))

    assert tried(below(), low, soon).fired == ()


def test_events_are_told_as_they_stood_then() -> None:
    rejected = an_event(state=EventState.REJECTED)
    history = History((day(10, 70, cost=5.0), day(12, 70)), {"e1": rejected})

    (fired,) = backtest(on_events(), history, now=T0, borders=BORDERS).fired or ()

    assert fired.event_ids == ("e1",)
    assert backtest(on_events(), History(history.snapshots, {}), now=T0, borders=BORDERS).fired == ()


def test_what_came_by_a_back_fill_would_not_have_been_told() -> None:
    assert tried(on_events(), day(10, 70, cost=5.0), old=frozenset({"e1"})).fired == ()


def test_scores_before_the_period_are_read_as_past_only() -> None:
    rule = a_rule({"kind": "score_drop", "points": 8, "window": "7d"})

    (fired,) = tried(rule, day(-100, 50), day(-2, 80), day(1, 70)).fired or ()

    assert (fired.value_old, fired.value_new) == (80, 70)


def test_scores_after_the_period_are_not_read() -> None:
    assert tried(below(), day(181, 50)).fired == ()


def test_a_scope_of_tags_and_criticality_is_heeded() -> None:
    known = Known(tags={"acme": frozenset({"eu"})}, criticality={"other": 1})
    lows = (day(10, 50), day(10, 50, "other"))

    assert [f.subject for f in tried(below(scope={"tags": ["eu"]}), *lows, known=known).fired or ()] == [
        "acme"
    ]
    assert [f.subject for f in tried(below(scope={"criticality": 1}), *lows, known=known).fired or ()] == [
        "other"
    ]


def test_a_rule_that_is_off_can_be_tried() -> None:
    assert len(tried(below(enabled=False), day(10, 50)).fired or ()) == 1


def test_the_sentence_says_none_once_and_many() -> None:
    one = Fired(T0, "acme", None, 1.0, ())

    assert Backtest("r", 180, ()).sentence == "r: would not have fired in the last 180 days"
    assert (
        Backtest("r", 180, (one,)).sentence
        == "r: would have fired once in the last 180 days: 2026-03-02 acme"
    )
    assert Backtest("r", 90, (one,) * 12).sentence.endswith("2026-03-02 acme and 2 more")


def test_feeds_and_the_portfolio_have_no_history() -> None:
    rule = a_rule({"kind": "staleness", "subject": "source", "older_than": "48h"})

    assert tried(rule).fired is None
    assert "cannot be tried" in tried(rule).sentence
