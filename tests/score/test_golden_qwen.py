"""The worked example of March 2026: claims set by hand, figures to the printed digit."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from riskwatch.model import Claim, Event, Factor, Verdict, VerdictKind
from riskwatch.score import by_cause, evaluate
from tests.score.builders import ROOT, a_claim, an_event, day, some_inputs, without_baseline

TIERS = {"A": "1", "B": "2", "C": "2", "D": "3", "E": "3"}


def told(families: str, status: str, on: float) -> tuple[Claim, ...]:
    return tuple(a_claim(family, TIERS[family], status, at=day(on)) for family in families)


EXIT = an_event("exit", "leadership_exit", on=0, claims=told("ABCDE", "confirmed", 0),
                attributes={"role": "technical_lead"}, story_id="s", closed_at=day(2))  # fmt: skip
EXODUS = an_event(
    "exodus", "talent_exodus", on=0, claims=told("ABC", "confirmed", 0), attributes={"count": 3}, story_id="s"
)
REORG = an_event("reorg", "reorganization", on=1, claims=told("BC", "reported", 1), story_id="s")
SHARE = an_event("share", "share_drop", on=1, home="alibaba", claims=told("AB", "confirmed", 1),
                 attributes={"percent": 5.0}, story_id="s")  # fmt: skip
LICENCE = an_event("licence", "licence_restriction", on=1, claims=told("CD", "rumoured", 1), story_id="s")
COMPUTE = an_event("compute", "compute_shortage", on=1, claims=told("BD", "reported", 1), story_id="s")
APPT = an_event("appt", "leadership_appointment", on=2, claims=told("AB", "reported", 2),
                attributes={"role": "technical_lead"}, story_id="s", closes=("exit",))  # fmt: skip
STORY = (EXIT, EXODUS, REORG, SHARE, LICENCE, COMPUTE, APPT)


def as_known_then(events: tuple[Event, ...], at: float) -> tuple[Event, ...]:
    return tuple(event for event in events if event.occurred_at <= day(at))


def view(name: str, at: float, events: tuple[Event, ...] = STORY) -> Any:
    subject = "alibaba" if name == "alibaba" else "alibaba/qwen"
    method = without_baseline() if name == "kernel" else None
    return evaluate(some_inputs(*as_known_then(events, at), subject=subject, at=at, method=method))


EXPECTED = [
    ("kernel", 0, 66.1610, "C", 66.0, 66.2), ("kernel", 1, 49.8390, "D", 33.6, 64.3),
    ("kernel", 2, 54.1580, "D", 33.6, 70.1), ("kernel", 30, 56.6013, "C", 35.5, 72.1),
    ("kernel", 180, 71.9919, "B", 51.8, 82.9),
    ("qwen", 0, 64.2057, "C", 64.1, 64.2), ("qwen", 1, 48.3660, "D", 32.6, 62.4),
    ("qwen", 2, 52.5574, "D", 32.6, 68.0), ("qwen", 30, 54.9285, "D", 34.5, 69.9),
    ("qwen", 180, 69.8642, "C", 50.3, 80.5),
    ("alibaba", 0, 82.5162, "B", 82.4, 82.5), ("alibaba", 1, 64.1897, "C", 46.7, 78.6),
    ("alibaba", 2, 66.8438, "C", 46.8, 82.0), ("alibaba", 30, 69.3267, "C", 49.0, 84.0),
    ("alibaba", 180, 80.8102, "B", 63.5, 90.4),
]  # fmt: skip


@pytest.mark.parametrize(("name", "at", "points", "grade", "low", "high"), EXPECTED)
def test_every_view_of_the_story_scores_as_printed(
    name: str, at: float, points: float, grade: str, low: float, high: float
) -> None:
    score = view(name, at)

    assert score.points == pytest.approx(points, abs=5e-4)
    assert score.low == pytest.approx(low, abs=0.0501)
    assert score.high == pytest.approx(high, abs=0.0501)
    assert score.grade == grade


NAMES = ("exit", "exodus", "reorg", "share", "licence", "compute", "structural")
POINTS = [
    ("kernel", 0, (24.2258, 9.6131, 0, 0, 0, 0, 0)),
    ("kernel", 1, (20.7436, 8.2313, 1.1875, 2.0749, 8.6206, 9.3030, 0)),
    ("kernel", 2, (16.6751, 6.6169, 1.8297, 2.1202, 8.9460, 9.6541, 0)),
    ("kernel", 30, (15.9643, 6.6575, 1.5675, 1.4025, 9.1259, 8.6811, 0)),
    ("kernel", 180, (9.5494, 5.8954, 0.6127, 0.1550, 7.7000, 4.0956, 0)),
    ("qwen", 2, (16.4525, 6.5286, 1.8053, 2.0919, 8.8266, 9.5252, 2.2126)),
    ("alibaba", 2, (6.5299, 2.9246, 0.9172, 3.9052, 7.8921, 8.5178, 2.4694)),
]


@pytest.mark.parametrize(("name", "at", "points"), POINTS)
def test_every_event_takes_the_printed_points(name: Any, at: Any, points: Any) -> None:
    score = view(name, at)

    taken = {c.event_id: c.points for c in score.contributions} | {"structural": score.structural_points}
    assert [taken.get(n, 0.0) for n in NAMES] == pytest.approx(points, abs=5e-4)


def test_credibility_and_severity_of_every_event_are_as_printed() -> None:
    by_id = {c.event_id: c for c in view("kernel", 2).contributions}

    weights = {id_: (c.credibility, c.severity) for id_, c in by_id.items()}
    assert weights["exit"] == pytest.approx((0.995916, 0.39), abs=5e-7)
    assert weights["exodus"] == pytest.approx((0.9865, 0.27), abs=5e-7)
    assert weights["reorg"] == pytest.approx((0.7399, 0.15), abs=5e-7)
    assert weights["share"] == pytest.approx((0.955, 0.05), abs=5e-7)
    assert weights["licence"] == pytest.approx((0.267813, 0.45), abs=1e-6)
    assert weights["compute"] == pytest.approx((0.65065, 0.2), abs=5e-7)
    assert by_id["exit"].relief == pytest.approx(0.277708, abs=1e-6)


@pytest.mark.parametrize(
    ("at", "losses"),
    [
        (1, {"exit": 0.491689, "exodus": 0.309730, "reorg": 0.117641,
             "share": 0.029068, "licence": 0.128419, "compute": 0.139412}),
        (2, {"exit": 0.355143, "exodus": 0.223716, "reorg": 0.117641,
             "share": 0.028618, "licence": 0.128419, "compute": 0.139412}),
    ],
)  # fmt: skip
def test_every_log_loss_is_as_printed(at: Any, losses: Any) -> None:
    assert {c.event_id: c.loss for c in view("kernel", at).contributions} == pytest.approx(losses, abs=1e-6)


def test_factor_losses_on_day_2_are_as_printed() -> None:
    losses = {factor.factor: factor.loss for factor in view("kernel", 2).factors}

    assert losses[Factor.LEADERSHIP] == pytest.approx(0.336073, abs=1e-6)
    assert losses[Factor.LICENSING] == pytest.approx(0.119678, abs=1e-6)
    assert losses[Factor.FINANCIAL] == pytest.approx(0.028363, abs=1e-6)
    assert losses[Factor.GEOPOLITICS] == pytest.approx(0.129151, abs=1e-6)


def test_the_score_without_each_event_is_as_printed() -> None:
    score = view("kernel", 2)

    gains = {c.event_id: c.score_without - score.internal_points for c in score.contributions}
    expected = {
        "exit": 6.865,
        "exodus": 2.055,
        "reorg": 0.516,
        "share": 1.558,
        "licence": 6.885,
        "compute": 7.466,
    }
    assert gains == pytest.approx(expected, abs=5e-4)


def test_without_the_appointment_day_2_stays_low() -> None:
    vacant = tuple(replace(event, closed_at=None) for event in STORY if event.id != "appt")

    assert view("kernel", 2, vacant).points == pytest.approx(49.8611, abs=5e-4)


def test_five_articles_counted_as_five_exits_would_cost_more_than_one_exit_told_by_five() -> None:
    apart = tuple(
        replace(EXIT, id=f"exit-{n}", story_id=f"s-{n}", closed_at=None, claims=told(n, "confirmed", 0))
        for n in "ABCDE"
    )

    wrong, right = view("kernel", 0, apart), view("kernel", 0, (EXIT,))

    assert wrong.points == pytest.approx(63.7083, abs=5e-4)
    assert right.points == pytest.approx(69.2589, abs=5e-4)


def test_the_movement_of_each_day_has_the_printed_causes() -> None:
    kernel = without_baseline()
    day_0, day_1, day_2 = (some_inputs(*as_known_then(STORY, at), at=at, method=kernel) for at in (0, 1, 2))

    first, second = by_cause(day_0, day_1), by_cause(day_1, day_2)
    rest = dict.fromkeys(("corrections", "evidence", "register", "methodology"), 0.0)
    assert first == pytest.approx({"time": 0, "relief": 0, "new": -16.3221, **rest}, abs=5e-5)
    assert second == pytest.approx({"time": 0.0221, "relief": 4.2969, "new": 0, **rest}, abs=5e-5)


@pytest.mark.parametrize(("at", "points"), [(35, 57.226), (36, 51.433), (163, 64.181), (164, 68.201)])
def test_the_sequel_scores_as_printed(at: Any, points: Any) -> None:
    restriction = an_event("licence2", "licence_restriction", on=36, story_id="s2",
                           claims=(a_claim("B", "2", "reported"), a_claim("D", "3", "reported")))  # fmt: skip
    opening = an_event("open", "licence_opening", on=164, story_id="s2", claims=(a_claim("V", "primary"),))
    resized = Verdict("v", "licence2", VerdictKind.SET_MAGNITUDE, "Ann", "one model only", {"magnitude": 0.7})
    known = as_known_then((*STORY, restriction, opening), at)
    score = evaluate(some_inputs(*known, at=at, method=without_baseline(), verdicts=(resized,)))

    assert score.points == pytest.approx(points, abs=5e-4)


def test_background_advice_and_other_vendors_cost_nothing() -> None:
    retold = tuple(a_claim("A", "1", status, id_=status) for status in ("background", "hypothetical"))
    context = an_event("ctx", "export_control", on=1, claims=retold)
    others = tuple(
        an_event(f"o{n}", "leadership_exit", home=home) for n, home in enumerate(("meta", "openai/gpt"))
    )

    assert view("qwen", 2, (*STORY, context, *others)).points == view("qwen", 2).points


def test_the_whole_explanation_stays_as_it_was_reviewed() -> None:
    score = view("alibaba", 2)
    told = {
        "points": round(score.internal_points, 1),
        "structural": score.structural_printed,
        "contributions": {
            c.event_id: [c.printed_points, round(c.score_without, 1)] for c in score.contributions
        },
        "factors": {f.factor.value: round(f.points, 1) for f in score.factors},
        "not_counted": {note.event_id: note.reason for note in score.not_counted},
    }
    golden = ROOT / "tests" / "golden" / "score" / "qwen-alibaba-day-2.json"

    assert told == json.loads(golden.read_text("utf-8"))
