"""The pages' words and the ledger: values only."""

from riskwatch.serve.pages.frame import moved, points, share, taken
from riskwatch.serve.pages.ledger import ledger


def test_a_score_that_is_not_rated_is_a_dash_and_never_zero():
    assert points(None) == "—"


def test_a_change_has_a_sign_and_no_change_is_plus_minus():
    assert (moved(-44.49), moved(0.04), moved(1.0)) == ("\u221244.5", "±0.0", "+1.0")


def test_points_taken_carry_the_minus_of_print_and_credibility_no_leading_zero():
    assert (taken(16.45), share(0.9959)) == ("\u221216.4", ".996")


def test_the_bars_of_the_ledger_run_from_100_to_the_score_and_its_column_adds_up():
    told = {
        "structural": {"points": 2.21, "printed_points": 2.2},
        "contributions": [{"points": 16.5, "printed_points": 16.5}, {"points": 9.5, "printed_points": 9.5}],
    }

    made = ledger(told)

    assert made["lost"] == 28.2
    assert made["rows"][0]["from"] == 100.0
    assert all(a["left"] == b["from"] for a, b in zip(made["rows"], made["rows"][1:], strict=False))
