"""What is deleted when its time is over."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Table, delete, func, select

from riskwatch.model import CANARY
from riskwatch.store.sql.session import CHUNK, Session
from riskwatch.store.sql.tables import (
    article,
    article_revision,
    event,
    event_signal,
    event_version,
    mention,
    poll,
    signal,
    story,
    story_event,
)

_OF_ARTICLE = (event_signal, signal, mention, article_revision)
_OF_EVENT = (event_signal, event_version)


class SqlRetention:
    """The RetentionStore on one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def forget_canary(self, *, before: datetime) -> int:
        """Delete what the canary brought before an instant, its newest Event never; return how many rows."""
        return (
            self._forget_canary_articles(before)
            + self._forget_canary_events(before)
            + self._delete(poll, poll.c.source_id == CANARY, poll.c.started_at < before)
        )

    def _forget_canary_articles(self, before: datetime) -> int:
        old = select(article.c.id).where(
            article.c.source_id == CANARY,
            article.c.first_seen_at < before,
            article.c.detected_at.is_not(None),
        )
        ids = self._session.read(old.limit(CHUNK)).scalars().all()
        gone = sum(self._delete(table, table.c.article_id.in_(ids)) for table in _OF_ARTICLE)
        return gone + self._delete(article, article.c.id.in_(ids))

    def _forget_canary_events(self, before: datetime) -> int:
        mine, ended = event_version.c.vendor == CANARY, event_version.c.ended_at
        gone = self._delete(event_version, mine, ended < before)
        newest = select(func.max(event_version.c.recorded_at)).where(mine).scalar_subquery()
        recorded = event_version.c.recorded_at
        old = select(event_version.c.event_id).where(
            mine, ended.is_(None), recorded < before, recorded < newest
        )
        ids = self._session.read(old.limit(CHUNK)).scalars().all()
        gone += sum(self._delete(table, table.c.event_id.in_(ids)) for table in _OF_EVENT)
        gone += self._delete(event, event.c.id.in_(ids))
        told = select(story.c.id).where(story.c.vendor == CANARY, story.c.ended_at < before)
        stories = self._session.read(told.limit(CHUNK)).scalars().all()
        gone += self._delete(story_event, story_event.c.story_id.in_(stories))
        return gone + self._delete(story, story.c.id.in_(stories))

    def _delete(self, table: Table, *where: ColumnElement[bool]) -> int:
        return self._session.run(delete(table).where(*where)).rowcount
