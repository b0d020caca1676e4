"""The latest Score of every Subject with its trend, built once per state of the data."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from riskwatch.errors import NotFound
from riskwatch.model import Score, heading, subjects_of
from riskwatch.serve import present
from riskwatch.serve.context import Now, ServeConfig
from riskwatch.store import Store, UnitOfWork

SPARK_DAYS = 90
WINDOWS_DAYS = (7, 30, 90)
LOOK_SECONDS = 1.0  # how old the knowledge of the data's state may be
HEALTH_SECONDS = 3.0
MOST_KEPT = 8  # Boards of past days and stories; each holds every Score
Made = TypeVar("Made")
Points = Sequence[tuple[datetime, float | None]]


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that listings show."""

    version: int
    scores: Mapping[str, Score]
    summaries: Mapping[str, present.Plain]
    history: Mapping[str, Points]  # 97 days, oldest first


class Recent(Generic[Made]):
    """Keeps one value for a few seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: tuple[float, Made] | None = None

    def get(self, make: Callable[[], Made]) -> Made:
        """Return the value, made anew where it is too old; a failure is not kept."""
        kept, instant = self._kept, time.monotonic()
        if kept is None or instant - kept[0] >= self._seconds:
            self._kept = kept = (instant, make())
        return kept[1]


class Boards:
    """Keeps the Board of the newest state of the data."""

    def __init__(self, store: Store, config: ServeConfig, now: Now) -> None:
        self._store, self._config, self._now = store, config, now
        self._lock = threading.Lock()
        self._board: Board | None = None
        self._looked = (-LOOK_SECONDS, 0)
        self.health = Recent[list[str]](HEALTH_SECONDS)  # states of the Sources
        self.alerts = Recent[tuple[int, tuple[str, ...]]](HEALTH_SECONDS)  # open Incidents; why late
        self._kept = (-1, dict[Hashable, Any]())

    def version(self) -> int:
        """Return the state of the data; the database is asked at most once a second."""
        at, version = self._looked
        instant = time.monotonic()
        if instant - at >= LOOK_SECONDS:
            with self._store.begin(write=False) as unit:
                version = unit.scores.data_version()
            self._looked = (instant, version)
        return version

    def newest(self) -> Board:
        """Return the Board, built anew where the data has changed."""
        version = self.version()
        board = self._board
        if board is not None and board.version == version:
            return board
        with self._lock:
            if self._board is None or self._board.version != version:
                with self._store.begin(write=False) as unit:
                    self._board = self._built(unit, version)
            return self._board

    def as_given(self, instant: datetime) -> Board:
        """Return the Board of the Snapshots recorded by an instant: what readers were told then."""

        def make() -> Board:
            with self._store.begin(write=False) as unit:
                return self._built(unit, self.version(), known_at=instant)

        return self.kept(("board", instant), make)

    def kept(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what was made for a key in this state of the data, making it once; a few are kept."""
        version, (known, values) = self.version(), self._kept
        if known != version or len(values) >= MOST_KEPT:
            values = {}
            self._kept = (version, values)
        if key not in values:
            values[key] = make()
        made: Made = values[key]
        return made

    def _built(self, unit: UnitOfWork, version: int, known_at: datetime | None = None) -> Board:
        known = {s for vendor in self._config.vendors.values() if vendor.watched for s in subjects_of(vendor)}
        latest = unit.scores.latest_all(known_at=known_at)
        scores = {subject: row.score for subject, row in sorted(latest.items()) if subject in known}
        until = known_at or self._now()
        longest = max(WINDOWS_DAYS)
        history = unit.scores.history_points(since=until - timedelta(days=longest + 7), until=until)
        summaries = {
            subject: present.summary(
                score,
                name=present.name_of(subject, self._config.vendors),
                trend=trend_of(score, history.get(subject, ())),
                top=present.top_reason(score, self._headings(unit, score, known_at)),
            )
            for subject, score in scores.items()
        }
        return Board(version, scores, summaries, history)

    def _headings(self, unit: UnitOfWork, score: Score, known_at: datetime | None) -> Mapping[str, str]:
        if score.points is None or not score.contributions:
            return {}
        id_ = score.contributions[0].event_id
        try:
            event = unit.events.event(id_, known_at=known_at)
        except NotFound:
            return {}
        return {id_: heading(event, self._config.taxonomy[event.type])}


def trend_of(score: Score, points: Points) -> Mapping[int, float | None]:
    """Return days -> points moved since then; None where either end is not rated or not on record."""
    return {days: moved_since(score, points, days) for days in WINDOWS_DAYS}


def moved_since(score: Score, points: Points, days: int) -> float | None:
    """Return the points moved over so many days before the score's instant."""
    then = value_at(points, score.as_of - timedelta(days=days))
    return None if then is None or score.points is None else score.points - then


def value_at(points: Points, instant: datetime) -> float | None:
    """Return the points that held at an instant: those of the newest Snapshot until then."""
    place = bisect_right([at for at, _ in points], instant)
    return points[place - 1][1] if place else None
