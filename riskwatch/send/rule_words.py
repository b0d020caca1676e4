"""An AlertRule in words: when it speaks, and of whom."""

from __future__ import annotations

from datetime import timedelta

from riskwatch.send.conditions import (
    Concentration,
    EventCondition,
    GradeChange,
    NotRated,
    ScoreBelow,
    ScoreDrop,
    SimpleCondition,
    Staleness,
    members,
)
from riskwatch.send.rule import AlertRule, Scope

_SILENT = {
    "source": "a source has not answered",
    "vendor_coverage": "no source of a vendor has answered",
    "scoring_run": "no score was computed",
    "canary": "the canary was not found",
}
_TURNS = {"down": "falls", "up": "rises", "any": "changes"}
_MOST_NAMED = 4
_HOURS_UNTIL = timedelta(days=3)  # longer spans are written in days


def speaks_when(rule: AlertRule) -> str:
    """Return the condition as the end of a sentence that begins with `speaks when`."""
    word = " or " if rule.kind == "any_of" else " and "
    return word.join(_said(one) for one in members(rule.condition))


def watches(rule: AlertRule) -> str:
    """Return which subjects a rule is about."""
    scope: Scope = rule.scope
    if scope.criticality is not None:
        return f"tier {scope.criticality}" if scope.criticality == 1 else f"tier 1 to {scope.criticality}"
    return _listed(scope.vendors or scope.tags or ("all",))


def _said(one: SimpleCondition | Concentration | Staleness) -> str:  # noqa: PLR0911 - one for each kind
    match one:
        case ScoreBelow():
            return f"{_whose(one.factor)} is below {one.threshold:g}"
        case ScoreDrop():
            since = "its best of" if one.baseline == "max" else "where it stood before"
            return f"{_whose(one.factor)} is {one.points:g} below {since} {_span(one.window)}"
        case GradeChange():
            least = f" to {one.to_at_or_below} or below" if one.to_at_or_below else ""
            return f"the grade {_TURNS[one.direction]}{least}, {one.margin:g} points past the border"
        case EventCondition():
            least = f" takes {one.min_points:g} points or more" if one.min_points else " is told"
            return f"{_event(one)}{least}"
        case NotRated():
            return f"there is no rating for {_span(one.for_)}"
        case Concentration():
            return f"the {one.metric} by {str(one.over).replace('_', ' ')} is above {one.above:g}"
        case Staleness():
            return f"{_SILENT[one.subject]} for {_span(one.older_than)}"


def _whose(factor: str | None) -> str:
    return "the score" if factor is None else f"the score for {factor} alone"


def _event(one: EventCondition) -> str:
    said = " or ".join(one.assertions)
    if "*" in one.types:
        return f"an event that is {said}"
    return f"{_listed(one.types)} ({said})"


def _listed(names: tuple[str, ...]) -> str:
    shown = [name.replace("_", " ") for name in names[:_MOST_NAMED]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _span(length: timedelta) -> str:
    unit, name = (timedelta(hours=1), "hour") if length < _HOURS_UNTIL else (timedelta(days=1), "day")
    count = length / unit
    return f"{count:g} {name}" if count == 1 else f"{count:g} {name}s"
