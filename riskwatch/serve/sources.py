"""Every configured Source with its health: one reading for the API and the pages."""

from __future__ import annotations

from datetime import datetime

from riskwatch.model import SourceState
from riskwatch.serve import present
from riskwatch.serve.context import SourceCard
from riskwatch.serve.route import Desk

DEFAULT_SLA_HOURS = 24.0


def source_rows(desk: Desk) -> list[present.Plain]:
    """Return every configured Source with its health, by id."""
    now = desk.now()
    with desk.store.begin(write=False) as unit:
        states, polls = unit.articles.source_states(), unit.articles.last_ok_polls(known_at=now)
    cards = sorted(desk.config.sources, key=lambda card: card.id)
    return [_source(desk, card, states.get(card.id), polls.get(card.id), now=now) for card in cards]


def _source(
    desk: Desk, card: SourceCard, state: SourceState | None, last_ok_at: datetime | None, *, now: datetime
) -> present.Plain:
    sla = desk.config.sla_hours.get(card.source_class, DEFAULT_SLA_HOURS)
    return {
        "id": card.id,
        "kind": card.kind,
        "url": card.url,
        "publisher": card.publisher,
        "source_class": card.source_class,
        "tier": card.tier,
        "lang": card.lang,
        "covers": list(card.covers),
        "state": present.source_state(state, last_ok_at, sla_hours=sla, now=now),
        "last_ok_at": present.instant(last_ok_at),
        "last_new_item_at": present.instant(state.last_new_item_at) if state else None,
        "next_due_at": present.instant(state.next_due_at) if state else None,
        "consecutive_failures": state.consecutive_failures if state else 0,
        "reason": (state.last_reason or None) if state else None,
    }
