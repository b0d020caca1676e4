"""Instants -> rows that are deleted: the one place where the program deletes what it once recorded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

Place = tuple[datetime, str]  # first_seen_at and id of an Article


class Past(StrEnum):
    """What goes by its age alone."""

    POLLS = "polls"  # older days keep the last good one of each Source and UTC day
    DELIVERY_ATTEMPTS = "delivery_attempts"
    DELIVERED_PAYLOADS = "delivered_payloads"  # emptied; the Delivery stays


class RetentionStore(Protocol):
    """Each call deletes one batch, safe to kill at any instant; what is left to do is told by the rows."""

    def old_texts(self, *, before: datetime, after: Place | None, limit: int) -> Sequence[Place]:
        """Return a page of Articles that have a text and were recorded before an instant, oldest first.

        Those that wait for detection are none of them.
        """
        ...

    def evidence(self, event_ids: Collection[str]) -> frozenset[str]:
        """Return the ids of the Articles that these Events rest, or once rested, on."""
        ...

    def delete_texts(self, article_ids: Collection[str]) -> int:
        """Empty the text of all revisions; return of how many Articles. Under the lock `absorb`.

        Such an Article is not read again by another ruleset: its Signals stay as they are.
        """
        ...

    def count_texts(self) -> int:
        """Return how many Articles have a text."""
        ...

    def count_polls(self) -> int:
        """Return how many polls are stored."""
        ...

    def count_past(self, past: Past, *, before: datetime) -> int:
        """Return how many rows `delete_past` would take in all."""
        ...

    def delete_past(self, past: Past, *, before: datetime, limit: int) -> int:
        """Delete at most so many rows; return how many went."""
        ...

    def forget_canary(self, *, before: datetime) -> int:
        """Delete what the canary brought before an instant, its newest Event never; return how many rows.

        Under the lock `absorb`. Articles that wait for detection are kept.
        """
        ...
