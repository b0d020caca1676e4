"""Background Signals: linked to the event that they retell, for the reader only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from riskwatch.merge.keys import PERSON_TYPES, is_same_name, key_of, words_of
from riskwatch.model import Assertion, EventState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from riskwatch.model import Event, Signal


def link(events: Sequence[Event], signals: Iterable[Signal]) -> list[Event]:
    """Return events of one type with the ids of the background Signals that retell them, else unchanged."""
    linked: dict[str, list[str]] = {}
    standing = [e for e in events if e.state is not EventState.WITHDRAWN and e.merged_into is None]
    for signal in signals:
        if signal.assertion is Assertion.BACKGROUND:
            event = _retold(signal, standing)
            if event is not None:
                linked.setdefault(event.id, []).append(signal.id)
    return [replace(e, background=tuple(sorted(linked[e.id]))) if e.id in linked else e for e in events]


def _retold(signal: Signal, events: Sequence[Event]) -> Event | None:
    key = key_of(signal)
    earlier = [e for e in events if e.first_told_at is not None and e.first_told_at <= signal.told_at]
    if key.words:
        earlier = [e for e in earlier if e.object is not None and is_same_name(key.words, words_of(e.object))]
    elif signal.type in PERSON_TYPES and key.role:
        earlier = [e for e in earlier if e.attributes.get("role") == key.role]
    if not key.words and len(earlier) != 1:
        return None
    if signal.claimed_at is not None:
        at = signal.claimed_at
        return min(earlier, key=lambda e: (abs(e.occurred_at - at), e.id), default=None)
    return max(earlier, key=lambda e: (e.occurred_at, e.id), default=None)
