"""Values with defaults for the tests of decide and suppress, and a small world that remembers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from riskwatch.model import (
    Assertion,
    Contribution,
    Coverage,
    Event,
    EventState,
    Factor,
    FactorLoss,
    Grade,
    Incident,
    IncidentState,
    Score,
    Step,
    Transition,
    vendor_of,
)
from riskwatch.send.decide import Decided, Observation, Point, decide, told
from riskwatch.send.rule import AlertRule

T0 = datetime(2026, 3, 2, 8, tzinfo=UTC)
BORDERS = {"A": 85.0, "B": 70.0, "C": 55.0, "D": 40.0, "F": 0.0}


def at(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def grade_of(points: float) -> Grade:
    return next(Grade(letter) for letter, lower in BORDERS.items() if points >= lower)


def a_rule(condition: Mapping[str, object], **fields: object) -> AlertRule:
    return AlertRule.model_validate(
        {"id": "r", "severity": "warning", "scope": {"all": True}, "condition": condition, **fields}
    )


def below(threshold: float = 60, **fields: object) -> AlertRule:
    return a_rule({"kind": "score_below", "threshold": threshold}, **fields)


def on_events(**fields: object) -> AlertRule:
    inside = {"types", "min_points", "min_credibility", "assertions", "min_sources", "attrs"}
    condition = {"types": ["*"]} | {name: value for name, value in fields.items() if name in inside}
    rest = {name: value for name, value in fields.items() if name not in inside}
    return a_rule({"kind": "event", **condition}, **rest)


def an_event(id_: str = "e1", type_: str = "leadership_exit", **fields: object) -> Event:
    home = str(fields.pop("home", "acme"))
    event = Event(
        id=id_, type=type_, vendor=vendor_of(home), home=home, object=None, assertion=Assertion.REPORTED,
        state=EventState.LIVE, attributes={}, occurred_at=T0, date_precision="day", claims=(),
        corroboration=1, first_recorded_at=T0, recorded_at=T0,
    )  # fmt: skip
    return replace(event, **fields)  # type: ignore[arg-type] # fields of Event by name


def a_contribution(event: Event, points: float, factor: Factor = Factor.LEADERSHIP) -> Contribution:
    return Contribution(
        event_id=event.id, type=event.type, factor=factor, home=event.home, story_id=None, points=points,
        printed_points=round(points, 1), score_without=100.0, severity=0.1, magnitude=1.0, credibility=0.8,
        relevance=1.0, attention=1.0, damping=1.0, decay=1.0, relief=0.0, loss=0.1, is_open=False,
        assertion=str(event.assertion), occurred_at=event.occurred_at,
    )  # fmt: skip


def a_score(points: float | None = 80.0, **fields: object) -> Score:
    score = Score(
        subject="acme", as_of=T0, known_at=T0, points=points,
        grade=Grade.NR if points is None else grade_of(points), low=None, high=None,
        internal_points=points or 50.0, confidence=0.2 if points is None else 0.8, confidence_label="high",
        coverage=Coverage.WATCHED_ACTIVE, articles=10, reasons=(), structural_loss=0.0, structural_points=0.0,
        structural_printed=0.0, size_class="mid", contributions=(), factors=(), not_counted=(),
        methodology_version=1, methodology_digest="", inputs_digest="", result_id="",
    )  # fmt: skip
    return replace(score, **fields)  # type: ignore[arg-type] # fields of Score by name


def a_factor_loss(factor: Factor, score_alone: float) -> FactorLoss:
    return FactorLoss(factor, 0.0, 0.0, 0.0, score_alone, 0.0)


def seen(
    points: float | None = 80.0,
    *,
    subject: str = "acme",
    events: Mapping[Event, float] | Sequence[tuple[Event, float]] = (),
    **fields: object,
) -> Observation:
    """An Observation; events are given with the points that each takes."""
    pairs = list(events.items()) if isinstance(events, Mapping) else list(events)
    score = a_score(points, contributions=tuple(a_contribution(e, p) for e, p in pairs if p))
    made = Observation(
        subject=subject, vendor=vendor_of(subject), score=score, snapshot_id="s", cause="change",
        events={event.id: event for event, _ in pairs}, credibility={event.id: 0.8 for event, _ in pairs},
    )  # fmt: skip
    return replace(made, **fields)  # type: ignore[arg-type] # fields of Observation by name


def past(*points: float | None, until: datetime = T0, step_hours: float = 24) -> tuple[Point, ...]:
    """Points of the past, the last one `step_hours` before `until`."""
    first = until - timedelta(hours=step_hours * len(points))
    return tuple(
        Point(first + timedelta(hours=step_hours * i), p, "NR" if p is None else str(grade_of(p)))
        for i, p in enumerate(points)
    )


@dataclass
class World:
    """What a store would remember between evaluations, without one."""

    rules: tuple[AlertRule, ...]
    incidents: dict[str, Incident] = field(default_factory=dict)
    transitions: list[Transition] = field(default_factory=list)
    history: dict[str, tuple[Point, ...]] = field(default_factory=dict)
    ids: count[int] = field(default_factory=count)

    def new_id(self) -> str:
        return f"{next(self.ids):06}"

    def evaluate(self, hours: float, *observations: Observation, remember: bool = True) -> Decided:
        given = [
            one if one.past else replace(one, past=self.history.get(one.subject, ())) for one in observations
        ]
        decided = decide(
            self.rules, given, incidents=self.incidents, now=at(hours), new_id=self.new_id, borders=BORDERS
        )
        self.keep(decided)
        for one in observations:
            if remember and one.score is not None:
                point = Point(at(hours), one.score.points, str(one.score.grade))
                self.history[one.subject] = (*self.history.get(one.subject, ()), point)
        return decided

    def keep(self, decided: Decided) -> None:
        for incident in told(decided.incidents, decided.transitions):
            self.incidents[incident.key] = incident
        self.transitions += decided.transitions

    @property
    def steps(self) -> list[str]:
        """What was said, in order."""
        return [str(one.step) for one in self.transitions if one.step and one.suppressed_by is None]

    @property
    def only(self) -> Incident:
        (incident,) = self.incidents.values()
        return incident

    @property
    def is_firing(self) -> bool:
        return any(one.state is IncidentState.FIRING for one in self.incidents.values())


def of(decided: Decided) -> list[Step]:
    """What an evaluation says."""
    return [one.step for one in decided.transitions if one.step]
