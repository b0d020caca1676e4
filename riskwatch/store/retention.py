"""Instants -> rows that are deleted: the one place where the program deletes what it once recorded."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class RetentionStore(Protocol):
    """Each call deletes one batch, safe to kill at any instant; what is left to do is told by the rows."""

    def forget_canary(self, *, before: datetime) -> int:
        """Delete what the canary brought before an instant, its newest Event never; return how many rows.

        To be called under the lock `absorb`. Articles that wait for detection are kept.
        """
        ...
