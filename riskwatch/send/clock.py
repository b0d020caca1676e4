"""Whether somebody moved the wall clock between two ticks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

JUMP_SECONDS = 60.0


@dataclass(slots=True)
class ClockWatch:
    """Compares the wall clock with one that nobody can move."""

    wall: datetime | None = None
    monotonic_seconds: float = 0.0

    def jump_seconds(self, wall: datetime, monotonic_seconds: float) -> float:
        """Return how far the wall clock jumped since the last look (back: negative); 0 up to a minute."""
        before, self.wall = self.wall, wall
        passed, self.monotonic_seconds = monotonic_seconds - self.monotonic_seconds, monotonic_seconds
        if before is None:
            return 0.0
        jump = (wall - before).total_seconds() - passed
        return jump if abs(jump) > JUMP_SECONDS else 0.0
