"""What an AlertRule looks for: the conditions of config/alerts.yaml, and the lengths of time in them."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from riskwatch.model import Assertion, AttrValue, Factor

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_MAX_DIGITS = 6
LONGEST_WINDOW = timedelta(days=90)  # scores further back are not read


def _length(value: object) -> object:
    if not isinstance(value, str):
        return value if isinstance(value, timedelta) else _refuse(value)
    number, unit = value[:-1], value[-1:]
    if not (number.isascii() and number.isdigit() and len(number) <= _MAX_DIGITS and unit in _UNITS):
        return _refuse(value)
    return timedelta(seconds=int(number) * _UNITS[unit])


def _refuse(value: object) -> object:
    raise ValueError(f"write a whole number and a unit, such as 10s, 15m, 24h, 7d or 2w; not {value!r}")


def _written(value: timedelta) -> str:
    seconds = round(value.total_seconds())
    unit = next(u for u in ("w", "d", "h", "m", "s") if seconds % _UNITS[u] == 0)
    return f"{seconds // _UNITS[unit]}{unit}" if seconds else "0s"


Duration = Annotated[
    timedelta,
    BeforeValidator(_length),
    PlainSerializer(_written, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,6}[smhdw]$", "examples": ["10s", "24h", "7d"]}),
]


def _no_longer(most: timedelta, why: str) -> AfterValidator:
    def check(value: timedelta) -> timedelta:
        if value > most:
            raise ValueError(f"write {_written(most)} or less: {why}")
        return value

    return AfterValidator(check)


def _no_shorter(least: timedelta, why: str) -> AfterValidator:
    def check(value: timedelta) -> timedelta:
        if value < least:
            raise ValueError(f"write {_written(least)} or more: {why}")
        return value

    return AfterValidator(check)


Window = Annotated[
    Duration,
    _no_longer(LONGEST_WINDOW, "scores further back are not kept at hand"),
    _no_shorter(timedelta(hours=1), "a fall is judged over hours or days"),
]
GroupWait = Annotated[Duration, _no_longer(timedelta(hours=1), "an alert must not wait longer")]
GroupInterval = Annotated[Duration, _no_shorter(timedelta(seconds=60), "more often is noise")]
RepeatEvery = Annotated[Duration, _no_shorter(timedelta(hours=1), "more often is noise")]
Points = Annotated[float, Field(ge=0, le=100)]
Share = Annotated[float, Field(ge=0, le=1)]


class Strict(BaseModel):
    """A model of the file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Reach(StrEnum):
    """Of what a concentration is measured."""

    VENDOR = "vendor"
    COUNTRY = "country"
    CLOUD = "cloud"
    LICENCE_CLASS = "licence_class"


class ScoreBelow(Strict):
    """The Score, or one Factor's, is under a threshold."""

    kind: Literal["score_below"]
    factor: Factor | None = Field(default=None, description="none: the whole score")
    threshold: Points


class ScoreDrop(Strict):
    """The Score fell within a window of time."""

    kind: Literal["score_drop"]
    points: Annotated[float, Field(gt=0, le=100)]
    window: Window
    baseline: Literal["max", "start"] = Field(
        default="max", description="fallen from the highest score of the window, or from the one at its start"
    )
    factor: Factor | None = None


class GradeChange(Strict):
    """The Grade differs from the one it had within the last 7 days."""

    kind: Literal["grade_change"]
    direction: Literal["down", "up", "any"] = "down"
    to_at_or_below: Literal["A", "B", "C", "D", "F"] | None = None
    margin: Points = Field(default=2, description="points beyond the border before a new grade counts")


class EventCondition(Strict):
    """An Event happened; fires once for each Event, however many articles tell it."""

    kind: Literal["event"]
    types: tuple[str, ...] = Field(min_length=1, description='event types, or "*" for every harmful one')
    min_points: Points = Field(default=3, description="points that it takes from the subject's score")
    min_credibility: Share = Field(default=0.5, description="the Event's")
    assertions: tuple[Literal[Assertion.CONFIRMED, Assertion.REPORTED, Assertion.RUMOURED], ...] = Field(
        default=(Assertion.CONFIRMED, Assertion.REPORTED), min_length=1
    )
    min_sources: int = Field(default=1, ge=1, le=100, description="independent publisher families")
    attrs: dict[str, AttrValue] = Field(default_factory=dict, description="attributes that must be equal")


class NotRated(Strict):
    """A subject that had a rating is without one (NR) for some time."""

    kind: Literal["not_rated"]
    for_: Duration = Field(default=timedelta(hours=24), alias="for")


class Concentration(Strict):
    """The portfolio hangs on few: the largest share, or the sum of squared shares (HHI)."""

    kind: Literal["concentration"]
    metric: Literal["share", "hhi"]
    over: Reach
    above: Share


class Staleness(Strict):
    """Something that should come in did not."""

    kind: Literal["staleness"]
    subject: Literal["source", "vendor_coverage", "scoring_run", "canary"]
    older_than: Duration


Simple = Annotated[
    ScoreBelow | ScoreDrop | GradeChange | EventCondition | NotRated, Field(discriminator="kind")
]
Members = Annotated[tuple[Simple, ...], Field(min_length=2, max_length=5)]


class AllOf(Strict):
    """Every one of 2 to 5 conditions holds."""

    kind: Literal["all_of"]
    of: Members


class AnyOf(Strict):
    """At least one of 2 to 5 conditions holds."""

    kind: Literal["any_of"]
    of: Members


SimpleCondition = ScoreBelow | ScoreDrop | GradeChange | EventCondition | NotRated
Condition = Annotated[
    ScoreBelow
    | ScoreDrop
    | GradeChange
    | EventCondition
    | NotRated
    | Concentration
    | Staleness
    | AllOf
    | AnyOf,
    Field(discriminator="kind"),
]
SCORE_KINDS = frozenset({"score_below", "score_drop", "grade_change"})


def members(condition: Condition) -> tuple[SimpleCondition | Concentration | Staleness, ...]:
    """Return the conditions that one consists of: those of all_of and any_of, else itself."""
    return condition.of if isinstance(condition, AllOf | AnyOf) else (condition,)


def simple(condition: Condition) -> tuple[SimpleCondition, ...]:
    """Return the conditions on one subject that a condition consists of."""
    return tuple(one for one in members(condition) if not isinstance(one, Concentration | Staleness))
