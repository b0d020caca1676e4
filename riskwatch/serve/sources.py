"""Every configured Source with its health: one reading for the API and the pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from riskwatch.model import SourceState
from riskwatch.serve import present
from riskwatch.serve.context import SourceCard
from riskwatch.serve.route import Desk
from riskwatch.store import UnitOfWork

DEFAULT_SLA_HOURS = 24.0


def source_rows(desk: Desk) -> list[present.Plain]:
    """Return every configured Source with its health, by id."""
    with desk.store.begin(write=False) as unit:
        return rows_of(unit, desk.config.sources, sla_hours=desk.config.sla_hours, now=desk.now())


def rows_of(
    unit: UnitOfWork, cards: Iterable[SourceCard], *, sla_hours: Mapping[str, float], now: datetime
) -> list[present.Plain]:
    """Return Sources with their health, by id.

    Args:
        unit: An open transaction.
        cards: The Sources.
        sla_hours: Source class -> hours within which it must have answered.
        now: The instant at which they stand so.
    """
    states, polls = unit.articles.source_states(), unit.articles.last_ok_polls(known_at=now)
    return [
        _source(
            card,
            states.get(card.id),
            polls.get(card.id),
            sla_hours=sla_hours.get(card.source_class, DEFAULT_SLA_HOURS),
            now=now,
        )
        for card in sorted(cards, key=lambda card: card.id)
    ]


def _source(
    card: SourceCard,
    state: SourceState | None,
    last_ok_at: datetime | None,
    *,
    sla_hours: float,
    now: datetime,
) -> present.Plain:
    return {
        "id": card.id,
        "kind": card.kind,
        "url": card.url,
        "publisher": card.publisher,
        "source_class": card.source_class,
        "tier": card.tier,
        "lang": card.lang,
        "covers": list(card.covers),
        "state": present.source_state(state, last_ok_at, sla_hours=sla_hours, now=now),
        "last_ok_at": present.instant(last_ok_at),
        "last_new_item_at": present.instant(state.last_new_item_at) if state else None,
        "next_due_at": present.instant(state.next_due_at) if state else None,
        "consecutive_failures": state.consecutive_failures if state else 0,
        "reason": (state.last_reason or None) if state else None,
    }
