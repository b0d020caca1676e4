"""Stories: the current ones of a vendor, and older ones by id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update

from riskwatch.errors import NotFound
from riskwatch.model import CANARY, Story
from riskwatch.store.sql.session import Session, chunks
from riskwatch.store.sql.tables import story, story_event


class SqlStories:
    """The part of the EventStore that keeps Stories."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def save_stories(self, vendor: str, stories: Sequence[Story], *, now: datetime) -> None:
        """Replace the current stories of a vendor (older ones stay resolvable by id)."""
        held = {one.id: one for one in self.stories(vendor)}
        given = {one.id: one for one in stories}
        ended = [story_id for story_id in held if story_id not in given]
        fresh = [one for one in given.values() if held.get(one.id) != one]
        for part in chunks(ended):
            self._session.run(update(story).where(story.c.id.in_(part)).values(ended_at=now))
        for some in chunks(fresh):
            self._save(some, now)
        if ended or fresh:
            self._session.changed()

    def _save(self, stories: Sequence[Story], now: datetime) -> None:
        insert = self._session.insert(story)
        again = {"vendor": insert.excluded.vendor, "ended_at": None}
        self._session.run(
            insert.on_conflict_do_update(index_elements=["id"], set_=again),
            [{"id": one.id, "vendor": one.vendor, "recorded_at": now, "ended_at": None} for one in stories],
        )
        self._session.run(delete(story_event).where(story_event.c.story_id.in_([one.id for one in stories])))
        rows = [
            {"story_id": one.id, "event_id": event_id, "position": position, "recorded_at": now}
            for one in stories
            for position, event_id in enumerate(dict.fromkeys(one.event_ids))
        ]
        self._session.add(story_event, rows)

    def stories(self, vendor: str) -> Sequence[Story]:
        """Return the current stories of a vendor, by id."""
        return self._stories((story.c.vendor == vendor) & story.c.ended_at.is_(None))

    def story(self, story_id: str) -> Story:
        """Return one story; raises NotFound."""
        found = self._stories((story.c.id == story_id) & (story.c.vendor != CANARY))
        if not found:
            raise NotFound("story", story_id)
        return found[0]

    def _stories(self, where: ColumnElement[bool]) -> Sequence[Story]:
        query = (
            select(story.c.id, story.c.vendor, story_event.c.event_id)
            .outerjoin(story_event, story_event.c.story_id == story.c.id)
            .where(where)
            .order_by(story.c.id, story_event.c.position)
        )
        parts: dict[tuple[str, str], list[str]] = {}
        for story_id, vendor, event_id in map(tuple, self._session.read(query)):
            members = parts.setdefault((story_id, vendor), [])
            if event_id is not None:
                members.append(event_id)
        return tuple(Story(id_, vendor, tuple(members)) for (id_, vendor), members in parts.items())
