"""Ids are given once: each folded event takes the id of the stored one that it mostly is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from riskwatch.merge.keys import is_same_name, words_of
from riskwatch.model import EventState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import timedelta

    from riskwatch.model import Event


def keep_ids(
    folded: Sequence[Event], stored: Sequence[Event], *, window: timedelta, new_id: Callable[[], str]
) -> list[Event]:
    """Return the folded events of one type with their ids, then stored ones that were swallowed or withdrawn.

    Args:
        folded: Events without id, in the order in which new ids are to be given.
        stored: Stored events of the same type, none of them merged away.
        window: A withdrawn event is taken up again by one of the same object at most so far in time.
        new_id: Makes the ids of new events.
    """
    ties = _ties(folded, stored)
    taken: dict[int, Event] = {}
    heirs: dict[str, int] = {}
    for index, event in _by_share(ties):
        if index not in taken and event.id not in heirs:
            taken[index], heirs[event.id] = event, index
    free = [e for e in stored if not e.claims and e.id not in heirs]  # withdrawn before
    kept = [
        _named(event, taken.get(i) or _revived(event, free, window), new_id) for i, event in enumerate(folded)
    ]
    kept = [_split(event, ties.get(i, {}), is_kept=i in taken) for i, event in enumerate(kept)]
    known = {event.id for event in kept}
    gone = [_gone(event, ties, kept) for event in stored if event.id not in known]
    return [*kept, *gone]


_Ties = dict[
    int, dict[str, tuple[int, int, "Event"]]
]  # index of folded -> stored id -> shared signals, articles


def _ties(folded: Sequence[Event], stored: Sequence[Event]) -> _Ties:
    by_signal: dict[str, list[Event]] = {}
    by_article: dict[str, list[Event]] = {}
    for event in stored:
        for claim in event.claims:
            by_signal.setdefault(claim.signal_id, []).append(event)
        for article_id in {claim.article_id for claim in event.claims}:
            by_article.setdefault(article_id, []).append(event)
    ties = {index: _ties_of(event, by_signal, by_article) for index, event in enumerate(folded)}
    return {index: mine for index, mine in ties.items() if mine}


def _ties_of(
    event: Event, by_signal: Mapping[str, list[Event]], by_article: Mapping[str, list[Event]]
) -> dict[str, tuple[int, int, Event]]:
    mine: dict[str, tuple[int, int, Event]] = {}
    for claim in event.claims:
        for other in by_signal.get(claim.signal_id, ()):
            signals, articles, _ = mine.get(other.id, (0, 0, other))
            mine[other.id] = (signals + 1, articles, other)
    for article_id in {claim.article_id for claim in event.claims}:  # a revision's Signals have new ids
        for other in by_article.get(article_id, ()):
            if other.id in mine or _is_same_object(event, other):
                signals, articles, _ = mine.get(other.id, (0, 0, other))
                mine[other.id] = (signals, articles + 1, other)
    return mine


def _by_share(ties: _Ties) -> list[tuple[int, Event]]:
    rows = [(-s, -a, id_, i, event) for i, mine in ties.items() for id_, (s, a, event) in mine.items()]
    return [(index, event) for *_, index, event in sorted(rows, key=lambda row: row[:4])]


def _is_same_object(left: Event, right: Event) -> bool:
    if left.object is None or right.object is None:
        return left.object == right.object
    return is_same_name(words_of(left.object), words_of(right.object)) or left.object == right.object


def _revived(event: Event, free: list[Event], window: timedelta) -> Event | None:
    for other in sorted(free, key=lambda e: e.id):
        if _is_same_object(event, other) and abs(event.occurred_at - other.occurred_at) <= window:
            free.remove(other)
            return other
    return None


def _named(event: Event, stored: Event | None, new_id: Callable[[], str]) -> Event:
    if stored is None:
        return replace(event, id=new_id())
    return replace(event, id=stored.id, split_from=stored.split_from, story_id=stored.story_id)


def _split(event: Event, mine: Mapping[str, tuple[int, int, Event]], *, is_kept: bool) -> Event:
    """Note where a part with a new id came from: the stored event that held most of its Signals."""
    origins = sorted((-signals, id_) for id_, (signals, _, _) in mine.items() if signals)
    if is_kept or not origins:
        return event
    return replace(event, split_from=origins[0][1])


def _gone(event: Event, ties: _Ties, kept: Sequence[Event]) -> Event:
    """Return a stored event that no fold continues: swallowed by another one, or withdrawn."""
    parts = ((kept[index].id, mine.get(event.id, (0, 0, event))[0]) for index, mine in ties.items())
    shares = sorted((-signals, id_) for id_, signals in parts if signals)
    if shares:
        return replace(event, merged_into=shares[0][1], story_id=None, closes=(), recorded_at=None)
    return replace(
        event,
        state=EventState.WITHDRAWN,
        claims=(),
        corroboration=0,
        disputed=False,
        story_id=None,
        closes=(),
        closed_at=None,
        recorded_at=None,
    )
