"""Stories: events of one vendor with one common cause."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from riskwatch.merge.keys import words_of
from riskwatch.model import EventState, Story

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from datetime import datetime

    from riskwatch.model import Event

PERSON_WINDOW = timedelta(days=30)
STORY_CAP = timedelta(days=60)  # later events open a successor


def tell_stories(
    events: Sequence[Event], *, vendor: str, new_id: Callable[[], str]
) -> tuple[list[Event], tuple[Story, ...]]:
    """Return a vendor's events with the ids of their stories, and the stories by id.

    Two live events are linked when (a) one Article asserts both or (b) both name one person within 30 days.
    A story takes up the id that most of its events carried before (ties: the older id).
    """
    live = [e for e in events if e.state is EventState.LIVE and e.merged_into is None]
    parts = [part for group in _components(live) for part in _capped(group)]
    ids = _ids(parts, new_id)
    story_of = {event.id: id_ for id_, part in zip(ids, parts, strict=True) for event in part}
    told = [
        replace(e, story_id=story_of.get(e.id)) if e.story_id != story_of.get(e.id) else e for e in events
    ]
    stories = (
        Story(id_, vendor, tuple(sorted(e.id for e in part))) for id_, part in zip(ids, parts, strict=True)
    )
    return told, tuple(sorted(stories, key=lambda story: story.id))


class _Groups:
    """Union-find over event ids."""

    def __init__(self, ids: Sequence[str]) -> None:
        self._parent = {id_: id_ for id_ in ids}

    def root(self, id_: str) -> str:
        while self._parent[id_] != id_:
            self._parent[id_] = self._parent[self._parent[id_]]
            id_ = self._parent[id_]
        return id_

    def join(self, left: str, right: str) -> None:
        self._parent[self.root(left)] = self.root(right)


def _components(events: Sequence[Event]) -> list[list[Event]]:
    ordered = sorted(events, key=lambda e: (e.occurred_at, e.id))
    groups = _Groups([e.id for e in ordered])
    last: dict[Hashable, Event] = {}
    for event in ordered:
        for article_id in {claim.article_id for claim in event.claims if claim.assertion.is_live}:
            groups.join(event.id, last.setdefault(article_id, event).id)
        person = event.attributes.get("person")
        if isinstance(person, str) and (words := words_of(person)):
            before = last.get(words)
            if before is not None and event.occurred_at - before.occurred_at <= PERSON_WINDOW:
                groups.join(event.id, before.id)
            last[words] = event
    found: dict[str, list[Event]] = {}
    for event in ordered:
        found.setdefault(groups.root(event.id), []).append(event)
    return list(found.values())


def _capped(group: Sequence[Event]) -> list[list[Event]]:
    """Return a component in order of telling, cut where it outgrows 60 days.

    Days are those of the news, not of the happenings: one wrong date must not tear a story apart.
    """
    parts: list[list[Event]] = []
    for event in sorted(group, key=lambda e: (_told_at(e), e.id)):
        if parts and _told_at(event) - _told_at(parts[-1][0]) <= STORY_CAP:
            parts[-1].append(event)
        else:
            parts.append([event])
    return parts


def _told_at(event: Event) -> datetime:
    return event.first_told_at or event.occurred_at


def _ids(parts: Sequence[Sequence[Event]], new_id: Callable[[], str]) -> list[str]:
    shares: dict[tuple[int, str], int] = {}
    for index, part in enumerate(parts):
        for event in part:
            if event.story_id is not None:
                shares[index, event.story_id] = shares.get((index, event.story_id), 0) + 1
    given: dict[int, str] = {}
    for (index, id_), _count in sorted(shares.items(), key=lambda row: (-row[1], row[0][1], row[0][0])):
        if index not in given and id_ not in given.values():
            given[index] = id_
    return [given.get(index) or new_id() for index in range(len(parts))]
