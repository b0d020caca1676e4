"""Who takes how many points: exact shares, printed figures, the score without each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from riskwatch.model import Contribution, Event, Factor, FactorLoss
from riskwatch.score.factor import factor_loss, load, points_left, power_sum
from riskwatch.score.methodology import Methodology
from riskwatch.score.plan import Loss

STRUCTURAL = "structural"  # key of the baseline beside event ids


@dataclass(frozen=True, slots=True)
class Shares:
    """A score taken apart; structural, contributions and nothing else sum to what is lost."""

    points: float  # the score, 0 to 100
    structural_points: float
    structural_printed: float
    factors: tuple[FactorLoss, ...]
    contributions: tuple[Contribution, ...]  # largest first


def take_apart(losses: Sequence[Loss], base_loss: float, methodology: Methodology) -> Shares:
    """Return the score that these losses leave, and who takes what."""
    rule = methodology.score
    groups: dict[Factor, list[Loss]] = {factor: [] for factor in Factor}
    for loss in losses:
        groups[loss.weighed.factor].append(loss)
    sums = {
        factor: power_sum((loss.loss for loss in group), rule.factor_norm_p)
        for factor, group in groups.items()
    }
    phis = {factor: _phi(sums[factor], factor, methodology) for factor in Factor}
    total = math.fsum((base_loss, *phis.values()))
    points = points_left((base_loss, *phis.values()), rule.scale)
    unit = (rule.scale - points) / total if total > 0 else 0.0
    taken = {
        loss.weighed.event.id: unit * phis[factor] * (loss.loss**rule.factor_norm_p / sums[factor])
        for factor, group in groups.items()
        if sums[factor] > 0
        for loss in group
    }
    others = {
        factor: (base_loss, *(phi for of, phi in phis.items() if of is not factor)) for factor in groups
    }
    told = {loss.weighed.event.id: _name(loss.weighed.event) for group in groups.values() for loss in group}
    printed = print_points({STRUCTURAL: unit * base_loss, **taken}, points, methodology, names=told)
    contributions = [
        _contribution(
            loss,
            taken[loss.weighed.event.id],
            printed,
            _without(loss, sums[factor], others[factor], methodology),
        )
        for factor, group in groups.items()
        for loss in group
        if loss.weighed.event.id in taken
    ]
    return Shares(
        points=points,
        structural_points=unit * base_loss,
        structural_printed=printed[STRUCTURAL],
        factors=tuple(_factor(factor, sums[factor], phis[factor], unit, methodology) for factor in Factor),
        contributions=tuple(sorted(contributions, key=lambda c: (-c.points, c.event_id))),
    )


def print_points(
    points: Mapping[str, float],
    score_points: float,
    methodology: Methodology,
    *,
    names: Mapping[str, tuple[str, ...]] | None = None,
) -> Mapping[str, float]:
    """Return rounded points whose sum is the printed loss: largest remainders are rounded up, ties by name.

    Ids are random: where two events weigh the same, what they are decides, so that a replay prints the same.
    """
    called = names or {}
    step = 10**methodology.score.round_points
    owed = round(methodology.score.scale * step) - round(score_points * step)
    floors = {key: math.floor(value * step + 1e-9) for key, value in points.items()}
    ranked = sorted(points, key=lambda key: (floors[key] - points[key] * step, called.get(key, ()), key))
    for key in ranked[: max(owed - sum(floors.values()), 0)]:
        floors[key] += 1
    return {key: units / step for key, units in floors.items()}


def _name(event: Event) -> tuple[str, ...]:
    return event.type, event.home, event.object or "", event.occurred_at.isoformat()


def _phi(total: float, factor: Factor, methodology: Methodology) -> float:
    return factor_loss(load(total, methodology.score.factor_norm_p), methodology.factors[factor].floor_k)


def _without(loss: Loss, total: float, others: tuple[float, ...], methodology: Methodology) -> float:
    # Only its own factor changes: one step for each event instead of a whole score.
    rest = max(total - loss.loss**methodology.score.factor_norm_p, 0.0)
    return points_left((*others, _phi(rest, loss.weighed.factor, methodology)), methodology.score.scale)


def _factor(factor: Factor, total: float, phi: float, unit: float, methodology: Methodology) -> FactorLoss:
    scale = methodology.score.scale
    return FactorLoss(
        factor=factor,
        load=load(total, methodology.score.factor_norm_p),
        loss=phi,
        points=unit * phi,
        score_alone=points_left((phi,), scale),
        floor=points_left((methodology.factors[factor].floor_k,), scale),
    )


def _contribution(loss: Loss, points: float, printed: Mapping[str, float], without: float) -> Contribution:
    weighed, event = loss.weighed, loss.weighed.event
    return Contribution(
        event_id=event.id, type=event.type, factor=weighed.factor, home=event.home, story_id=event.story_id,
        points=points, printed_points=printed[event.id], score_without=without,
        severity=weighed.severity, magnitude=weighed.magnitude, credibility=weighed.credibility,
        relevance=weighed.relevance, attention=weighed.attention, damping=loss.damping, decay=loss.decay,
        relief=loss.relief, loss=loss.loss, is_open=loss.is_open, assertion=weighed.assertion.value,
        occurred_at=weighed.occurred_at,
        relieved_by=tuple(sorted(link.event_id for link in weighed.links)) if loss.relief > 0 else (),
    )  # fmt: skip
