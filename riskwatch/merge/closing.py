"""Events that end an open one: they link to it and never merge with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from riskwatch.merge.keys import is_same_name, words_of
from riskwatch.model import Assertion, EventState, line_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskwatch.model import Event

# closing type -> types that it ends
CLOSES: dict[str, tuple[str, ...]] = {
    "legal_resolution": ("lawsuit", "regulatory_action"),
    "restriction_lifted": ("export_control", "government_ban", "access_suspension", "access_revocation"),
    "leadership_appointment": ("leadership_exit",),
}
_PARTIES = ("plaintiff", "counterparty", "authority")
_PLACES = ("country", "region", "product", "affected", "authority")
# Posts that one person holds at a time; a further vice president fills no vacancy.
_POSTS = frozenset({"founder_ceo", "ceo", "technical_lead", "chief_scientist", "cto", "cro", "board_chair"})
_LOOSE_WITHIN = timedelta(days=7)
_CLOSING = (Assertion.REPORTED, Assertion.CONFIRMED)


def link(events: Sequence[Event]) -> list[Event]:
    """Return a vendor's events with `closes` and `closed_at` as they follow from one another.

    Every closing event lists what it ends, also what an earlier one ended before it: how far each is believed
    is for the score to say. `closed_at` is the earliest of them.
    """
    targets = {e.id: _unlinked(e) for e in events}
    for closer in sorted((e for e in events if _can_close(e)), key=lambda e: (e.occurred_at, e.id)):
        ended = _ended(closer, [targets[e.id] for e in events if e.type in CLOSES[closer.type]])
        for target in ended:
            if target.closed_at is None:
                targets[target.id] = replace(target, closed_at=max(closer.occurred_at, target.occurred_at))
        if ended:
            closed = tuple(sorted(target.id for target in ended))
            targets[closer.id] = replace(targets[closer.id], closes=closed)
    return [targets[e.id] for e in events]


def _unlinked(event: Event) -> Event:
    closed_at = event.closed_at if _is_self_closed(event) else None
    if not event.closes and event.closed_at == closed_at:
        return event
    return replace(event, closes=(), closed_at=closed_at)


def _is_self_closed(event: Event) -> bool:
    return event.attributes.get("resolved") is True and event.state is EventState.LIVE


def _can_close(event: Event) -> bool:
    said = event.attributes
    is_whole = (
        said.get("partial") is not True and said.get("interim") is not True and said.get("final") is not False
    )
    is_told = event.state is EventState.LIVE and event.assertion in _CLOSING and event.merged_into is None
    return event.type in CLOSES and is_told and is_whole


def _ended(closer: Event, events: Sequence[Event]) -> list[Event]:
    reach = [e for e in events if _is_in_reach(closer, e)]
    if closer.type == "leadership_appointment":
        return _vacancies(closer, reach)
    names = _PARTIES if closer.type == "legal_resolution" else _PLACES
    said = _names(closer, names)
    named = [e for e in reach if any(is_same_name(a, b) for a in said for b in _names(e, names))]
    if named:
        return [*named, *_loose(named, reach)] if names is _PLACES else named
    open_ = [e for e in reach if e.closed_at is None] or reach
    if len(open_) != 1:
        return []
    return [] if said and _names(open_[0], names) else open_


def _is_in_reach(closer: Event, target: Event) -> bool:
    return (
        target.state is EventState.LIVE
        and target.merged_into is None
        and target.occurred_at <= closer.occurred_at
        and not _is_self_closed(target)
        and _is_same_line(closer, target)
    )


def _vacancies(closer: Event, reach: Sequence[Event]) -> list[Event]:
    """Return the latest open vacancy of the post, and those that an earlier appointment filled."""
    role = closer.attributes.get("role")
    same = [e for e in reach if role in _POSTS and e.attributes.get("role") == role]
    open_ = [e for e in same if e.closed_at is None]
    latest = max(open_, key=lambda e: (e.occurred_at, e.id), default=None)
    return [e for e in same if e is latest or e.closed_at is not None]


def _loose(named: Sequence[Event], reach: Sequence[Event]) -> list[Event]:
    """Return the restrictions without a name that came within days of a named one: the same, told loosely."""
    return [
        e
        for e in reach
        if not _names(e, _PLACES)
        and any(e.type == n.type and abs(e.occurred_at - n.occurred_at) <= _LOOSE_WITHIN for n in named)
    ]


def _is_same_line(closer: Event, target: Event) -> bool:
    lines = {line_of(closer.home), line_of(target.home)} - {None}
    return len(lines) <= 1


def _names(event: Event, names: Sequence[str]) -> list[frozenset[str]]:
    values = (event.attributes.get(name) for name in names)
    return [words_of(value) for value in values if isinstance(value, str) and value]
