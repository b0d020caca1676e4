"""Scores and what they are made of; points run from 0 to 100, 100 most stable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from riskwatch.model.event import Factor


class Grade(StrEnum):
    """Letter of a Score; NR is not rated, never a low score."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    F = "F"
    NR = "NR"


class Coverage(StrEnum):
    """How well a Subject is watched."""

    WATCHED_ACTIVE = "watched_active"
    WATCHED_QUIET = "watched_quiet"
    DEGRADED = "degraded"
    NOT_WATCHED = "not_watched"


@dataclass(frozen=True, slots=True)
class CoverageFact:
    """One source class for one vendor: when it last answered, as known at known_at."""

    source_class: str
    sources: int  # configured Sources of the class that cover the vendor
    last_ok_at: datetime | None  # of the freshest Source of the class; None = never


@dataclass(frozen=True, slots=True)
class Contribution:
    """Points that one Event takes from a Score, and the arithmetic behind them."""

    event_id: str
    type: str
    factor: Factor
    home: str
    story_id: str | None
    points: float  # 0 to 100
    printed_points: float  # one decimal; printed column sums to the printed loss
    score_without: float  # score had it not happened, 0 to 100; these do not add up
    severity: float
    magnitude: float
    credibility: float
    relevance: float
    attention: float
    damping: float
    decay: float
    relief: float
    loss: float  # lambda, log-loss
    is_open: bool
    assertion: str
    occurred_at: datetime
    relieved_by: tuple[str, ...] = ()  # event ids


@dataclass(frozen=True, slots=True)
class FactorLoss:
    """What one Factor takes."""

    factor: Factor
    load: float
    loss: float  # Phi
    points: float
    score_alone: float  # score if only this factor counted, without the baseline
    floor: float  # lowest score that it alone can cause


@dataclass(frozen=True, slots=True)
class NotCounted:
    """An Event that took no point, and why."""

    event_id: str
    type: str
    reason: str


@dataclass(frozen=True, slots=True)
class Score:
    """Stability of a Subject at as_of, as known at known_at."""

    subject: str
    as_of: datetime
    known_at: datetime
    points: float | None  # None when not rated
    grade: Grade
    low: float | None
    high: float | None
    internal_points: float  # for audit only: never served when not rated
    confidence: float  # share 0 to 1
    confidence_label: str  # high, medium, low, none
    coverage: Coverage
    articles: int  # naming the subject in the attention window
    reasons: tuple[str, ...]  # no_coverage, no_structural_data, size_unknown, low_confidence ...
    structural_loss: float
    structural_points: float
    structural_printed: float
    size_class: str
    contributions: tuple[Contribution, ...]  # largest first
    factors: tuple[FactorLoss, ...]  # in the order of Factor
    not_counted: tuple[NotCounted, ...]
    methodology_version: int
    methodology_digest: str
    inputs_digest: str
    result_id: str  # 32 hex digits
    ruleset_digest: str = ""
    coverage_gaps: tuple[str, ...] = ()  # source classes late, failed or without a Source
    what_if: bool = False
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A Score as it was given; never rewritten."""

    id: str
    score: Score
    cause: str  # change, corrections, verdict, daily, replay
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Delta:
    """Points moved between two instants: by event and by cause; each sums to the movement."""

    subject: str
    from_points: float
    to_points: float
    by_event: Mapping[str, float]
    by_cause: Mapping[str, float] = field(default_factory=dict)
