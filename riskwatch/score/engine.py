"""From inputs to a Score at one instant, or to its course over many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from riskwatch.model import Factor, Grade, NotCounted, Score, SizeClass
from riskwatch.score.confidence import Watch, confidence, label_of, watch
from riskwatch.score.contribution import Shares, take_apart
from riskwatch.score.factor import factor_loss, load, points_left, power_sum
from riskwatch.score.grade import grade_of
from riskwatch.score.inputs import Inputs, digest, result_id
from riskwatch.score.loss import days
from riskwatch.score.methodology import Methodology
from riskwatch.score.plan import Loss, Plan, Weighed, loss_if_true, loss_of, plan
from riskwatch.score.structural import Structure


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """A score without its reasons, for charts; points from 0 to 100."""

    as_of: datetime
    points: float
    low: float
    high: float


def evaluate(inputs: Inputs) -> Score:
    """Return the Score of a Subject with everything that explains it."""
    planned = plan(inputs)
    inputs, at = planned.inputs, days(planned.inputs.as_of)
    size = planned.structure(inputs.as_of)
    losses = [loss_of(weighed, at, size, inputs.methodology) for weighed in planned.weighed]
    shares = take_apart(_effective(losses, at), size.base_loss, inputs.methodology)
    low, high = _interval(planned, losses, at, size)
    watched = watch(inputs, inputs.as_of)
    share = confidence(
        watched,
        articles=inputs.articles,
        disputed_share=_disputed_share(shares, planned.weighed, inputs.methodology),
        rule=inputs.methodology.confidence,
    )
    return _score(_Parts(inputs, shares, low, high, watched, share, size, _not_counted(planned, losses, at)))


def internal_points(inputs: Inputs) -> float:
    """Return the points of a Subject, 0 to 100, without reasons and whether rated or not."""
    return course(inputs, (inputs.as_of,))[0].points


def course(inputs: Inputs, instants: Iterable[datetime]) -> tuple[SeriesPoint, ...]:
    """Return the scores at many instants with the same knowledge, whether rated or not."""
    planned = plan(inputs)
    points: list[SeriesPoint] = []
    for as_of in instants:
        at, size = days(as_of), planned.structure(as_of)
        losses = [loss_of(weighed, at, size, inputs.methodology) for weighed in planned.weighed]
        score = _points(((loss.weighed.factor, loss.loss) for loss in losses), size, inputs.methodology)
        low, high = _interval(planned, losses, at, size)
        points.append(SeriesPoint(as_of, score, low, high))
    return tuple(points)


@dataclass(frozen=True, slots=True)
class _Parts:
    inputs: Inputs
    shares: Shares
    low: float
    high: float
    watched: Watch
    confidence: float
    size: Structure
    not_counted: tuple[NotCounted, ...]


def _score(parts: _Parts) -> Score:
    inputs, shares, methodology = parts.inputs, parts.shares, parts.inputs.methodology
    is_rated, reasons = _rating(parts)
    inputs_digest = digest(inputs)
    label = label_of(parts.confidence, methodology.confidence)
    if is_rated and label == "none":
        label = methodology.confidence.labels[-1].label
    is_unknown = "no_structural_data" in reasons and not is_rated
    return Score(
        subject=inputs.subject, as_of=inputs.as_of, known_at=inputs.known_at,
        points=shares.points if is_rated else None,
        grade=grade_of(shares.points, methodology) if is_rated else Grade.NR,
        low=parts.low if is_rated else None, high=parts.high if is_rated else None,
        internal_points=shares.points,
        confidence=0.0 if is_unknown else parts.confidence, confidence_label=label,
        coverage=parts.watched.coverage, coverage_gaps=parts.watched.gaps,
        articles=inputs.articles, reasons=reasons,
        structural_loss=parts.size.base_loss, structural_points=shares.structural_points,
        structural_printed=shares.structural_printed, size_class=parts.size.size.value,
        contributions=shares.contributions, factors=shares.factors, not_counted=parts.not_counted,
        methodology_version=methodology.version, methodology_digest=methodology.digest,
        inputs_digest=inputs_digest, result_id=result_id(inputs, inputs_digest),
        ruleset_digest=inputs.ruleset_digest,
    )  # fmt: skip


def _rating(parts: _Parts) -> tuple[bool, tuple[str, ...]]:
    rule = parts.inputs.methodology.not_rated
    reasons: list[str] = []
    is_watched = parts.watched.kappa > 0
    is_sized = parts.size.size is not SizeClass.UNKNOWN
    is_confident = parts.confidence >= rule.confidence_below
    if not is_watched:
        reasons.append("no_coverage")
    if not is_sized:
        reasons.append("size_unknown" if is_watched else "no_structural_data")
    if parts.size.is_stale:
        reasons.append("structural_stale")
    if is_watched and not is_confident:
        reasons.append("low_confidence")
    is_harmed = parts.high < rule.overridden_by_upper_bound_below
    if is_harmed and not is_confident:
        reasons.append("confirmed_harm")
    return is_confident or is_harmed, tuple(reasons)


def _effective(losses: Iterable[Loss], at: float) -> list[Loss]:
    return [loss for loss in losses if loss.loss > 0 and loss.weighed.span.occurred <= at]


def _interval(planned: Plan, losses: Sequence[Loss], at: float, size: Structure) -> tuple[float, float]:
    methodology = planned.inputs.methodology
    worst = ((loss.weighed.factor, loss_if_true(loss, at, methodology)) for loss in losses)
    sure = ((loss.weighed.factor, loss.loss) for loss in losses if loss.weighed.is_confirmed)
    return _points(worst, size, methodology), _points(sure, size, methodology)


def _points(losses: Iterable[tuple[Factor, float]], size: Structure, methodology: Methodology) -> float:
    groups: dict[Factor, list[float]] = {}
    for factor, loss in losses:
        groups.setdefault(factor, []).append(loss)
    p = methodology.score.factor_norm_p
    phis = (
        factor_loss(load(power_sum(group, p), p), methodology.factors[factor].floor_k)
        for factor, group in groups.items()
    )
    return points_left((size.base_loss, *phis), methodology.score.scale)


def _disputed_share(shares: Shares, weighed: Iterable[Weighed], methodology: Methodology) -> float:
    disputed = {one.event.id for one in weighed if one.event.date_conflict}
    lost = methodology.score.scale - shares.points
    if not disputed or lost <= 0:
        return 0.0
    return min(sum(c.points for c in shares.contributions if c.event_id in disputed) / lost, 1.0)


def _not_counted(planned: Plan, losses: Iterable[Loss], at: float) -> tuple[NotCounted, ...]:
    found = list(planned.left_out)
    for loss in losses:
        if loss.loss > 0 or loss.weighed.span.occurred > at:
            if loss.weighed.span.occurred > at:
                found.append(_note(loss, "It is dated after the instant judged."))
            continue
        found.append(_note(loss, _why_nothing(loss)))
    return tuple(sorted(found, key=lambda note: note.event_id))


def _why_nothing(loss: Loss) -> str:
    if loss.weighed.magnitude == 0:
        return "Its magnitude is 0."
    if loss.weighed.lens == 0:
        return "It does not touch this kind of use."
    return "It happened so long ago that nothing of it is left."


def _note(loss: Loss, reason: str) -> NotCounted:
    return NotCounted(loss.weighed.event.id, loss.weighed.event.type, reason)
