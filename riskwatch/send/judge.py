"""Whether a condition that lasts (a score, a grade, no rating) holds: bad, good, between or unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum

from riskwatch.model import Contribution, EventMark, Factor
from riskwatch.send.conditions import (
    SCORE_KINDS,
    AllOf,
    EventCondition,
    GradeChange,
    NotRated,
    ScoreBelow,
    ScoreDrop,
    SimpleCondition,
    members,
    simple,
)
from riskwatch.send.observe import Observation, Point, in_force
from riskwatch.send.rule import AlertRule

GRADE_WINDOW = timedelta(days=7)  # a grade is compared with those of so many days
_ROUNDING = 1e-9  # points
_ORDER = "ABCDF"
_ScoreCondition = ScoreBelow | ScoreDrop | GradeChange


class State(IntEnum):
    """What a condition says."""

    GOOD = 0
    BETWEEN = 1  # not bad, and not good by the margin
    UNKNOWN = 2
    BAD = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """A condition on an Observation."""

    state: State
    value: float | None = None  # points, or percent of a concentration
    grade: str | None = None
    start: Point | None = None  # the score from which it moved
    sign: int = 1  # 1: lower is worse; -1: higher is
    moved: tuple[EventMark, ...] = ()  # Events that make up the movement, sorted by id
    continuity: tuple[EventMark, ...] = ()  # Events of the Factor continuity that count now


@dataclass(frozen=True, slots=True)
class _Line:
    """Points beyond which a condition is bad."""

    points: float
    start: Point | None
    sign: int = 1


@dataclass(frozen=True, slots=True)
class Judge:
    """A rule on one Observation."""

    rule: AlertRule
    seen: Observation
    now: datetime
    borders: Mapping[str, float]  # Grade -> lowest points
    matches: Callable[[EventCondition], bool]  # whether an Event of the Subject does now
    is_open: bool  # its Incident is firing or recovering

    def read(self) -> Reading:
        """Return what the rule's condition says."""
        readings = [self._one(one) for one in simple(self.rule.condition)]
        reading = readings[0] if len(readings) == 1 else self._joined(readings)
        if self.seen.is_stale and self.rule.on_stale == "alert" and needs_patience(self.rule):
            reading = replace(reading, state=State.BAD)
        return self._moved(reading) if reading.state is State.BAD else reading

    def is_back(self, opened_at: datetime) -> bool:
        """Return whether a score is good again by what it was when the Incident opened.

        A fall that merely left its window of time is over, but nothing is resolved.
        """
        for one in simple(self.rule.condition):
            if isinstance(one, ScoreDrop | GradeChange):
                line, value = self._line(one, opened_at), self._value(one)
                if line is None or value is None or self._against(one, value, line) is not State.GOOD:
                    return False
        return True

    # ------------------------------------------------------------------------ one condition
    def _one(self, condition: SimpleCondition) -> Reading:
        if isinstance(condition, NotRated):
            return self._not_rated(condition)
        if isinstance(condition, EventCondition):
            return Reading(State.BAD if self.matches(condition) else State.GOOD)
        value = self._value(condition)
        if value is None:
            return Reading(State.UNKNOWN)
        line = self._line(condition, self.now)
        if line is None:
            return Reading(State.GOOD, value, self._grade())
        return Reading(self._against(condition, value, line), value, self._grade(), line.start, line.sign)

    def _against(self, condition: _ScoreCondition, value: float, line: _Line) -> State:
        margin = self.rule.clear_margin
        if isinstance(condition, ScoreDrop):
            margin = min(margin, condition.points / 2)  # else a small fall could never be good again
        beyond = (line.points - value) * line.sign
        if beyond > 0 or (beyond > -_ROUNDING and not isinstance(condition, ScoreBelow)):
            return State.BAD
        return State.GOOD if -beyond >= margin else State.BETWEEN

    def _value(self, condition: _ScoreCondition) -> float | None:
        """Return the points that the condition speaks of; None where they cannot be trusted."""
        score, factor = self.seen.score, _factor(condition)
        if score is None or score.points is None or self.seen.is_stale:
            return None
        if score.confidence < self.rule.min_confidence:
            return None
        if factor is None:
            return score.points
        return next((loss.score_alone for loss in score.factors if loss.factor == factor), 100.0)

    def _grade(self) -> str | None:
        return None if self.seen.score is None else str(self.seen.score.grade)

    def _line(self, condition: _ScoreCondition, at: datetime) -> _Line | None:
        """Return the line as of an instant; None where the past does not give one."""
        if isinstance(condition, GradeChange):
            return self._grade_line(condition, at)
        points = self._points(_factor(condition))
        if isinstance(condition, ScoreBelow):
            above = (p for p in reversed(points) if (p.points or 0.0) >= condition.threshold)
            return _Line(condition.threshold, next(above, None))
        base = _base(points, condition, at)
        return None if base is None or base.points is None else _Line(base.points - condition.points, base)

    def _points(self, factor: Factor | None) -> tuple[Point, ...]:
        if factor is None:
            return self.seen.past
        return tuple(replace(p, points=p.factors.get(factor)) for p in self.seen.past if p.points is not None)

    def _grade_line(self, condition: GradeChange, at: datetime) -> _Line | None:
        held = self._settled(condition, at)
        if not held or self.seen.score is None:
            return None
        best, worst = min(held, key=_rank_of), max(held, key=_rank_of)
        is_up = condition.direction == "any" and _rank(self.seen.score.grade) < _rank(best.grade)
        if not is_up and condition.direction != "up":
            return _Line(self._lower_border(best.grade, condition) - condition.margin, best)
        above = self._border_above(worst.grade)
        return None if above is None else _Line(above + condition.margin, worst, -1)

    def _lower_border(self, grade: str, condition: GradeChange) -> float:
        border, limit = self.borders[grade], self._border_above(condition.to_at_or_below or "A")
        return border if limit is None else min(border, limit)

    def _border_above(self, grade: str) -> float | None:
        """Return the lowest points of the next better grade; None above A."""
        return self.borders[_ORDER[_rank(grade) - 1]] if _rank(grade) else None

    def _settled(self, condition: GradeChange, at: datetime) -> list[Point]:
        """Return the Points of the window whose grades held; one just over the border does not count."""
        rated = tuple(p for p in self.seen.past if p.points is not None and p.at < at)
        kept: list[Point] = []
        for point in rated[in_force(rated, at - GRADE_WINDOW) :]:
            if not kept or point.grade == kept[-1].grade or self._is_clear(kept[-1].grade, point, condition):
                kept.append(point)
        return kept

    def _is_clear(self, grade: str, point: Point, condition: GradeChange) -> bool:
        points = point.points or 0.0
        if _rank(point.grade) > _rank(grade):
            return points <= self.borders[grade] - condition.margin
        return points >= self.borders[point.grade] + condition.margin

    def _not_rated(self, condition: NotRated) -> Reading:
        score, grade = self.seen.score, self._grade()
        if score is None:
            return Reading(State.UNKNOWN)
        if score.points is not None:
            return Reading(State.GOOD, score.points, grade)
        rated = [i for i, point in enumerate(self.seen.past) if point.points is not None]
        if not rated:
            return Reading(State.BAD if self.is_open else State.BETWEEN, grade=grade)
        after = self.seen.past[rated[-1] + 1 :]
        is_long = self.now - (after[0].at if after else self.now) >= condition.for_
        state = State.BAD if self.is_open or is_long else State.BETWEEN
        return Reading(state, grade=grade, start=self.seen.past[rated[-1]])

    # ------------------------------------------------------------------------ several
    def _joined(self, readings: Sequence[Reading]) -> Reading:
        states = [reading.state for reading in readings]
        is_all = isinstance(self.rule.condition, AllOf)
        bad, good = states.count(State.BAD), states.count(State.GOOD)
        if bad == len(states) if is_all else bad:
            state = State.BAD
        elif good if is_all else good == len(states):
            state = State.GOOD
        else:
            state = State.UNKNOWN if State.UNKNOWN in states else State.BETWEEN
        telling = [r for r in readings if r.state is State.BAD] or list(readings)
        first = next((r for r in telling if r.value is not None), telling[0])
        return replace(first, state=state, grade=self._grade())

    # ------------------------------------------------------------------------ what moved it
    def _moved(self, reading: Reading) -> Reading:
        counted = () if self.seen.score is None else self.seen.score.contributions
        since = reading.start.at if reading.start else self.now - GRADE_WINDOW
        factors = {_factor(one) for one in simple(self.rule.condition)}
        return replace(
            reading,
            moved=_marks(
                one
                for one in counted
                if (factors == {None} or one.factor in factors) and self._is_news(one, since)
            ),
            continuity=_marks(one for one in counted if one.factor is Factor.CONTINUITY),
        )

    def _is_news(self, one: Contribution, since: datetime) -> bool:
        """Whether an Event, or a change in how it is told, became known after an instant."""
        event = self.seen.events.get(one.event_id)
        if event is None:
            return one.occurred_at > since
        known = (event.first_recorded_at or event.occurred_at, *(step.at for step in event.history))
        return max(known) > since


def needs_patience(rule: AlertRule) -> bool:
    """Return whether for_evaluations binds: where a score is asked for."""
    return any(one.kind in SCORE_KINDS for one in members(rule.condition))


def is_worse_grade(grade: str | None, than: str | None) -> bool:
    """Return whether a letter is further down; not rated is no letter."""
    return _rank(than) < _rank(grade) < len(_ORDER)


def _marks(counted: Iterable[Contribution]) -> tuple[EventMark, ...]:
    marks = (EventMark(one.event_id, one.type, one.points, one.assertion) for one in counted)
    return tuple(sorted(marks, key=lambda mark: mark.event_id))


def _base(past: tuple[Point, ...], condition: ScoreDrop, at: datetime) -> Point | None:
    within = [p for p in past[in_force(past, at - condition.window) :] if p.points is not None and p.at < at]
    if not within or condition.baseline == "start":
        return within[0] if within else None
    return max(within, key=lambda point: (point.points or 0.0, point.at))


def _factor(condition: SimpleCondition) -> Factor | None:
    return condition.factor if isinstance(condition, ScoreBelow | ScoreDrop) else None


def _rank(grade: str | None) -> int:
    """0 for A; not rated comes after F."""
    return _ORDER.index(grade) if grade and grade in _ORDER else len(_ORDER)


def _rank_of(point: Point) -> int:
    return _rank(point.grade)
