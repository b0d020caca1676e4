"""The latest Score of every Subject with its trend, built once per state of the data."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from riskwatch.errors import NotFound
from riskwatch.model import Score, heading, subjects_of
from riskwatch.serve import present
from riskwatch.serve.context import Now, ServeConfig
from riskwatch.store import Store, UnitOfWork

SPARK_DAYS = 90
WINDOWS_DAYS = (7, 30, 90)
LOOK_SECONDS = 1.0  # how old the knowledge of the data's state may be
Points = Sequence[tuple[datetime, float | None]]


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that listings show."""

    version: int
    scores: Mapping[str, Score]
    summaries: Mapping[str, present.Plain]
    history: Mapping[str, Points]  # 97 days, oldest first


class Boards:
    """Keeps the Board of the newest state of the data."""

    def __init__(self, store: Store, config: ServeConfig, now: Now) -> None:
        self._store, self._config, self._now = store, config, now
        self._lock = threading.Lock()
        self._board: Board | None = None
        self._looked = (-LOOK_SECONDS, 0)

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

    def _built(self, unit: UnitOfWork, version: int) -> Board:
        known = {s for vendor in self._config.vendors.values() if vendor.watched for s in subjects_of(vendor)}
        latest = unit.scores.latest_all()
        scores = {subject: row.score for subject, row in sorted(latest.items()) if subject in known}
        until = self._now()
        longest = max(WINDOWS_DAYS)
        history = unit.scores.history_points(since=until - timedelta(days=longest + 7), until=until)
        summaries = {
            subject: present.summary(
                score,
                name=present.name_of(subject, self._config.vendors),
                trend=trend_of(score, history.get(subject, ())),
                top=present.top_reason(score, self._headings(unit, score)),
            )
            for subject, score in scores.items()
        }
        return Board(version, scores, summaries, history)

    def _headings(self, unit: UnitOfWork, score: Score) -> Mapping[str, str]:
        if score.points is None or not score.contributions:
            return {}
        id_ = score.contributions[0].event_id
        try:
            event = unit.events.event(id_)
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
