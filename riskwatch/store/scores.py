"""Snapshots of Scores, and the methodologies that made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from riskwatch.model import Snapshot


class ScoreStore(Protocol):
    """Snapshots, never rewritten."""

    def add_snapshots(self, snapshots: Sequence[Snapshot]) -> None:
        """Append Snapshots; one of the same (subject, result_id, cause, UTC day of as_of) is not doubled."""
        ...

    def latest(self, subject: str, *, known_at: datetime | None = None) -> Snapshot | None:
        """Return the newest Snapshot of a Subject by (score.as_of, recorded_at)."""
        ...

    def latest_all(self, *, known_at: datetime | None = None) -> Mapping[str, Snapshot]:
        """Return Subject id -> newest Snapshot."""
        ...

    def history(self, subject: str, *, since: datetime, until: datetime) -> Sequence[Snapshot]:
        """Return Snapshots with as_of in [since, until], oldest first."""
        ...

    def history_points(
        self, *, since: datetime, until: datetime, subject: str | None = None
    ) -> Mapping[str, Sequence[tuple[datetime, float | None]]]:
        """Return Subject id -> (as_of, points) of the Snapshots in the span, oldest first; no JSON."""
        ...

    def save_methodology(self, *, version: int, digest: str, text: str, now: datetime) -> None:
        """Remember a methodology; raises Conflict when the version is known with another digest."""
        ...

    def data_version(self) -> int:
        """Return a number that grows with every write that could change an answer."""
        ...
