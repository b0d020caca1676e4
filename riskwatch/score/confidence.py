"""Is the Subject watched well enough to say this: coverage, confidence, labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from riskwatch.model import Coverage, CoverageFact, Factor, SourceClass, Vendor
from riskwatch.score.inputs import Inputs
from riskwatch.score.methodology import ConfidenceRule, Methodology

_FEWEST_FAMILIES = 2  # one voice alone is no coverage: collecting, coverage state per vendor


@dataclass(frozen=True, slots=True)
class Watch:
    """How a Subject is watched at an instant."""

    kappa: float  # share of the needed source classes that answered in time, weighted by factor
    freshness: float  # share, halves every freshness_half_life_hours
    coverage: Coverage
    gaps: tuple[str, ...]  # needed source classes that are late, failed or without a Source


def watch(inputs: Inputs, as_of: datetime) -> Watch:
    """Return coverage at an instant from when each source class last answered."""
    methodology = inputs.methodology
    facts = {fact.source_class: fact for fact in inputs.coverage}
    needed = sorted(
        {
            name
            for names in methodology.confidence.required_classes.values()
            for name in names
            if _applies(name, inputs.vendor)
        }
    )
    ages = {name: _age_hours(facts.get(name), as_of) for name in needed}
    timely = {name for name, age in ages.items() if age <= methodology.confidence.sla_hours[name]}
    gaps = tuple(name for name in needed if name not in timely)
    watched = [ages[name] for name in needed if name in facts and facts[name].sources > 0]
    kappa = _kappa(timely, set(needed), methodology)
    state = _state(inputs, has_timely=bool(timely), has_gaps=bool(gaps))
    return Watch(kappa, _freshness(watched, methodology.confidence), state, gaps)


def confidence(watch: Watch, *, articles: int, disputed_share: float, rule: ConfidenceRule) -> float:
    """Return the confidence, share 0 to 1.

    Args:
        watch: How the subject is watched.
        articles: Distinct articles naming the subject in the attention window.
        disputed_share: Share of the lost points that rests on events with a date conflict, 0 to 1.
        rule: Constants.
    """
    attention = (articles + 1) / (articles + rule.attention_half + 1)
    certain = 1.0 - rule.date_conflict_penalty * disputed_share
    power = rule.exponents
    return math.prod(
        (
            math.pow(watch.kappa, power.coverage),
            math.pow(attention, power.attention),
            math.pow(watch.freshness, power.freshness),
            certain,
        )
    )


def label_of(share: float, rule: ConfidenceRule) -> str:
    """Return the word for a confidence; none below the lowest."""
    return next((label.label for label in rule.labels if share >= label.from_), "none")


def _applies(source_class: str, vendor: Vendor) -> bool:
    if source_class in (SourceClass.FILING, SourceClass.MARKET_DATA):
        return bool(vendor.tickers)
    if source_class == SourceClass.MODEL_HUB:
        return any(line.open_weights for line in vendor.lines.values())
    return True


def _age_hours(fact: CoverageFact | None, as_of: datetime) -> float:
    if fact is None or fact.sources == 0 or fact.last_ok_at is None:
        return math.inf
    return max((as_of - fact.last_ok_at).total_seconds() / 3600.0, 0.0)


def _kappa(timely: Iterable[str], needed: set[str], methodology: Methodology) -> float:
    timely = set(timely)
    classes: Mapping[Factor, tuple[str, ...]] = methodology.confidence.required_classes
    parts, weights = [], []
    for factor, rule in methodology.factors.items():
        applicable = [name for name in classes[factor] if name in needed]
        if applicable:
            weights.append(rule.coverage_weight)
            parts.append(rule.coverage_weight * sum(name in timely for name in applicable) / len(applicable))
    total = math.fsum(weights)
    return min(math.fsum(parts) / total, 1.0) if total > 0 else 0.0


def _freshness(ages_hours: list[float], rule: ConfidenceRule) -> float:
    if not ages_hours:
        return 0.0
    return math.pow(2.0, -median(ages_hours) / rule.freshness_half_life_hours)


def _state(inputs: Inputs, *, has_timely: bool, has_gaps: bool) -> Coverage:
    if not has_timely:
        return Coverage.NOT_WATCHED
    if has_gaps or (inputs.families is not None and inputs.families < _FEWEST_FAMILIES):
        return Coverage.DEGRADED
    recent = inputs.articles if inputs.recent_articles is None else inputs.recent_articles
    return Coverage.WATCHED_ACTIVE if recent > 0 else Coverage.WATCHED_QUIET
