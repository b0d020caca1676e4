"""The pages' words and the ledger: values only."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from riskwatch.serve.pages.chart import labels_of
from riskwatch.serve.pages.frame import moved, points, share, taken, when
from riskwatch.serve.pages.ledger import ledger, shares
from riskwatch.serve.pages.overview import full_name, titled


def test_a_score_that_is_not_rated_is_a_dash_and_never_zero() -> None:
    assert points(None) == "—"


def test_a_change_has_a_sign_and_no_change_is_plus_minus() -> None:
    assert (moved(-44.49), moved(0.04), moved(1.0)) == ("\u221244.5", "±0.0", "+1.0")


def test_points_taken_carry_the_minus_of_print_and_credibility_no_leading_zero() -> None:
    assert (taken(16.45), share(0.9959)) == ("\u221216.4", ".996")


def test_the_bars_of_the_ledger_run_from_100_to_the_score_and_its_column_adds_up() -> None:
    told = {
        "structural": {"points": 2.21, "printed_points": 2.2},
        "contributions": [{"points": 16.5, "printed_points": 16.5}, {"points": 9.5, "printed_points": 9.5}],
    }

    made = ledger(told)

    assert made["lost"] == 28.2
    assert made["rows"][0]["from"] == 100.0
    assert all(a["left"] == b["from"] for a, b in pairwise(made["rows"]))


@given(st.floats(-100, 100))
def test_no_figure_is_a_negative_zero(value: float) -> None:
    printed = (points(value), taken(value), moved(value))

    assert not {"-0.0", "\u22120.0", "+0.0"} & set(printed)


def test_points_that_come_to_nothing_have_no_sign() -> None:
    assert (taken(0.0), taken(-0.0), taken(0.04), points(-0.01)) == ("0.0", "0.0", "0.0", "0.0")


def test_a_time_is_told_only_where_it_is_known_to_the_instant() -> None:
    at = "2026-03-05T14:30:00Z"

    assert (when(at, "day"), when(at, "published")) == ("5 Mar 2026", "5 Mar 2026")
    assert when(at, "instant") == "5 Mar 2026 14:30"


def test_no_name_is_said_twice() -> None:
    assert titled("Gemini", "Gemini: outage of two hours") == "Gemini: outage of two hours"
    assert titled("Gemini", "Sued") == "Gemini: Sued"
    assert full_name("Alibaba", "Qwen") == "Alibaba\u2019s Qwen"
    assert full_name("Suno", "Suno") == "Suno, the model line"
    assert full_name("GitHub", "GitHub Copilot") == "GitHub Copilot"


def test_a_factors_bar_is_split_by_how_its_events_are_stated() -> None:
    parts = [
        {"factor": "legal", "assertion": "confirmed", "points": 6.0},
        {"factor": "legal", "assertion": "rumoured", "points": 2.0},
        {"factor": "financial", "assertion": "confirmed", "points": 9.0},
    ]

    made = shares({"factor": "legal", "score_alone": 80.0}, parts)

    assert [(s["assertion"], s["left"], s["width"]) for s in made] == [
        ("confirmed", 80.0, 15.0),
        ("rumoured", 95.0, 5.0),
    ]
    assert shares({"factor": "adoption", "score_alone": 100.0}, parts) == []


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 60)), max_size=12))
def test_no_label_of_the_history_covers_a_mark_or_another_label(places: list[tuple[float, int]]) -> None:
    marks = sorted(x for x, _ in places)
    spans = []
    for label in labels_of(places):
        width = 1.2 * len(label["text"])
        left = label["x"] + 1 if label["is_right"] else label["x"] - width - 1
        spans.append((left, left + width))
        assert not [x for x in marks if left < x < left + width and x != label["x"]]

    assert all(a[1] <= b[0] + 1e-9 for a, b in pairwise(spans))
    assert all(left >= -1e-9 for left, _ in spans)
