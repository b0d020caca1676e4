"""What decide reads and what it returns."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from riskwatch.model import Event, Incident, Score, Transition


@dataclass(frozen=True, slots=True)
class Point:
    """A Score of the past, as it was given then."""

    at: datetime
    points: float | None  # None: not rated
    grade: str
    factors: Mapping[str, float] = field(default_factory=dict)  # Factor -> its score_alone


@dataclass(frozen=True, slots=True)
class Observation:
    """One Subject at one instant; give those of all Subjects of a vendor together."""

    subject: str
    vendor: str
    score: Score | None
    snapshot_id: str | None
    cause: str  # of the Snapshot: change, daily, verdict, tick; rescore and backfill are passed on
    past: tuple[Point, ...] = ()  # oldest first, 90 days back, without the present one
    events: Mapping[str, Event] = field(default_factory=dict)
    credibility: Mapping[str, float] = field(default_factory=dict)  # event id -> share 0 to 1
    old: frozenset[str] = frozenset()  # ids of Events that belong in the digest only
    tags: frozenset[str] = frozenset()
    criticality: int | None = None
    is_stale: bool = False  # no input is fresh enough to judge by

    @property
    def points(self) -> Mapping[str, float]:
        """Event id -> points that it takes now."""
        return {} if self.score is None else {c.event_id: c.points for c in self.score.contributions}


@dataclass(frozen=True, slots=True)
class Watch:
    """Something that should come in: a Source, a vendor's coverage, the scoring run."""

    subject: str
    kind: str  # source, vendor_coverage, scoring_run, canary
    last_ok_at: datetime | None  # None: never yet
    since: datetime | None = None  # when it was first asked for; counts while nothing ever came


@dataclass(frozen=True, slots=True)
class Decided:
    """Incidents that changed, and their Transitions in order of subject and rule."""

    incidents: tuple[Incident, ...] = ()
    transitions: tuple[Transition, ...] = ()
    since: Mapping[str, datetime] = field(default_factory=dict)  # transition id -> instant of value_old


def in_force(past: tuple[Point, ...], at: datetime) -> int:
    """Return the index of the Point in force at an instant; 0 where the past begins later."""
    return max(bisect_left(past, at, key=lambda point: point.at) - 1, 0)
