"""Confidence, coverage and when a subject is not rated."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from riskwatch.model import Coverage, CoverageFact, DateClaim, Grade, Line, SizeClass, Vendor
from riskwatch.score import evaluate
from tests.score.builders import a_claim, alibaba, an_event, day, some_inputs

NEEDED = ("wire", "press", "vendor_channel", "docs_changelog", "court", "regulator", "status_page")
UNKNOWN = alibaba().model_copy(update={"size_class": SizeClass.UNKNOWN})


def test_full_coverage_and_many_articles_give_high_confidence() -> None:
    score = evaluate(some_inputs(articles=989))

    assert score.confidence == pytest.approx(0.99**0.3)
    assert (score.confidence_label, score.coverage) == ("high", Coverage.WATCHED_ACTIVE)


def test_a_quiet_vendor_keeps_its_score() -> None:
    score = evaluate(some_inputs(articles=0))

    assert score.coverage is Coverage.WATCHED_QUIET
    assert score.confidence == pytest.approx((1 / 11) ** 0.3)
    assert score.points is not None


def test_no_article_in_30_days_is_quiet_whatever_the_half_year_held() -> None:
    assert evaluate(some_inputs(recent_articles=0)).coverage is Coverage.WATCHED_QUIET


def test_classes_that_cannot_apply_are_not_missed() -> None:
    score = evaluate(some_inputs(coverage=tuple(CoverageFact(name, 1, day(0)) for name in NEEDED)))

    assert score.coverage_gaps == ()


def test_a_listed_vendor_with_open_weights_needs_filings_prices_and_the_hub() -> None:
    vendor = Vendor(
        id="alibaba", name="Alibaba", tickers=("BABA",), names=("Alibaba",), size_class=SizeClass.MEGA,
        lines={"qwen": Line(name="Qwen", open_weights=True)},
    )  # fmt: skip
    facts = tuple(CoverageFact(name, 1, day(0)) for name in NEEDED)
    score = evaluate(some_inputs(vendor=vendor, coverage=facts))

    assert score.coverage is Coverage.DEGRADED
    assert score.coverage_gaps == ("filing", "market_data", "model_hub")


@pytest.mark.parametrize(("families", "state"), [(1, Coverage.DEGRADED), (2, Coverage.WATCHED_ACTIVE)])
def test_one_voice_alone_is_degraded_coverage(families: Any, state: Any) -> None:
    assert evaluate(some_inputs(families=families)).coverage is state


def test_freshness_halves_every_48_hours_by_the_median_class() -> None:
    facts = tuple(CoverageFact(name, 1, day(0) - timedelta(hours=48)) for name in NEEDED)
    score = evaluate(some_inputs(coverage=facts, articles=9))

    # docs_changelog, court and regulator are still inside their SLA: 0.2 / 2 + 0.1 x 2 / 3 + 0.1 / 2
    kappa = 0.20 / 2 + 0.10 * 2 / 3 + 0.10 / 2
    assert score.confidence == pytest.approx(kappa**0.4 * 0.5**0.3 * 0.5**0.3)


def test_a_class_without_a_source_costs_coverage_and_not_freshness() -> None:
    feeds = tuple(CoverageFact(n, 1 if n in ("wire", "press") else 0, day(0)) for n in NEEDED)
    score = evaluate(some_inputs(coverage=feeds))

    assert score.coverage is Coverage.DEGRADED
    assert 0 < score.confidence < evaluate(some_inputs()).confidence


def test_points_on_disputed_dates_lower_confidence_and_never_the_score() -> None:
    clear = an_event("e", "security_breach")
    disputed = an_event(
        "e", "security_breach", date_conflicts=(DateClaim("a", "D", day(-300), "in June", 300),)
    )
    sure, doubtful = evaluate(some_inputs(clear)), evaluate(some_inputs(disputed))

    share = sure.contributions[0].points / (100 - sure.internal_points)
    assert doubtful.points == sure.points
    assert doubtful.confidence == pytest.approx(sure.confidence * (1 - 0.1 * share))


def test_a_vendor_without_data_and_coverage_is_not_rated_and_never_100() -> None:
    score = evaluate(some_inputs(vendor=UNKNOWN, coverage=(), articles=0))

    assert (score.points, score.low, score.high, score.grade) == (None, None, None, Grade.NR)
    assert score.confidence == 0
    assert score.confidence_label == "none"
    assert score.reasons == ("no_coverage", "no_structural_data")
    assert score.coverage is Coverage.NOT_WATCHED
    assert score.internal_points == pytest.approx(100 * math.exp(-0.30))


def test_an_unsized_vendor_with_good_coverage_is_rated_b_at_best() -> None:
    score = evaluate(some_inputs(vendor=UNKNOWN))

    assert (score.grade, score.reasons) == (Grade.B, ("size_unknown",))


def test_confirmed_harm_is_shown_although_nobody_watches() -> None:
    shut = an_event("e", "vendor_shutdown", home="alibaba", claims=(a_claim(tier="primary"),))
    score = evaluate(some_inputs(shut, subject="alibaba", coverage=()))

    assert score.grade is Grade.F
    assert score.confidence_label == "low"
    assert score.reasons == ("no_coverage", "confirmed_harm")


def test_rumours_alone_never_rate_an_unwatched_vendor() -> None:
    rumour = an_event("e", "vendor_shutdown", home="alibaba", claims=(a_claim(status="rumoured"),))

    assert evaluate(some_inputs(rumour, subject="alibaba", coverage=())).points is None


def test_thin_coverage_is_named() -> None:
    court = (CoverageFact("court", 1, day(0)),)
    score = evaluate(some_inputs(coverage=court, articles=0))

    assert (score.grade, score.reasons) == (Grade.NR, ("low_confidence",))
