"""What is deleted when its time is over."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Table,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    type_coerce,
    update,
)

from riskwatch.model import CANARY, DeliveryState
from riskwatch.store.retention import Past, Place
from riskwatch.store.sql.articles import TEXT_GONE
from riskwatch.store.sql.columns import Json
from riskwatch.store.sql.session import CHUNK, Part, Session, chunks
from riskwatch.store.sql.tables import (
    article,
    article_revision,
    event,
    event_signal,
    event_version,
    mention,
    page,
    poll,
    signal,
    story,
    story_event,
)
from riskwatch.store.sql.tables_alerts import delivery, delivery_attempt

_OF_ARTICLE = (event_signal, signal, mention, page, article_revision)
_OF_EVENT = (event_signal, event_version)
_DAY = 86_400_000_000  # microseconds
_EMPTY = literal({}, Json)
_TEXTS = article_revision.c.article_id == article.c.id, article_revision.c.text != ""


class SqlRetention:
    """The RetentionStore on one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def old_texts(self, *, before: datetime, after: Place | None, limit: int) -> Sequence[Place]:
        """Return a page of Articles that have a text and were recorded before an instant, oldest first."""
        order = (article.c.first_seen_at, article.c.id)
        query = select(*order).where(
            article.c.first_seen_at < before,
            article.c.recorded_at < before,
            article.c.detected_at.is_not(None),
            exists().where(*_TEXTS),
        )
        if after is not None:
            seen_at, last = after
            later = (article.c.first_seen_at == seen_at) & (article.c.id > last)
            query = query.where(or_(article.c.first_seen_at > seen_at, later))
        return [
            (row.first_seen_at, row.id) for row in self._session.read(query.order_by(*order).limit(limit))
        ]

    def evidence(self, event_ids: Collection[str]) -> frozenset[str]:
        """Return the ids of the Articles that these Events rest, or once rested, on."""
        found = set[str]()
        for part in chunks(event_ids):
            query = select(event_signal.c.article_id).where(event_signal.c.event_id.in_(part)).distinct()
            found.update(self._session.read(query).scalars())
        return frozenset(found)

    def delete_texts(self, article_ids: Collection[str]) -> int:
        """Empty the text of all revisions; return of how many Articles."""
        gone = 0
        for part in chunks(article_ids):
            kept = select(article.c.id).where(article.c.id.in_(part), article.c.detected_at.is_not(None))
            ids = self._session.claim(kept.order_by(article.c.id)).scalars().all()
            texts = update(article_revision).where(article_revision.c.article_id.in_(ids))
            self._session.run(texts.values(text=""))
            self._session.run(update(article).where(article.c.id.in_(ids)).values(ruleset=TEXT_GONE))
            gone += len(ids)
        if gone:
            self._session.changed()
        return gone

    def count_texts(self) -> int:
        """Return how many Articles have a text."""
        query = select(func.count()).select_from(article).where(exists().where(*_TEXTS))
        return int(self._session.read(query).scalar_one())

    def count_polls(self) -> int:
        """Return how many polls are stored."""
        return int(self._session.read(select(func.count()).select_from(poll)).scalar_one())

    def count_past(self, past: Past, *, before: datetime) -> int:
        """Return how many rows `delete_past` would take in all."""
        query = select(func.count()).select_from(_past(past, before).subquery())
        return int(self._session.read(query).scalar_one())

    def delete_past(self, past: Past, *, before: datetime, limit: int) -> int:
        """Delete at most so many rows; return how many went."""
        ids = self._session.read(_past(past, before).limit(limit)).scalars().all()
        gone = 0
        for part in chunks(ids):
            if past is Past.DELIVERED_PAYLOADS:
                emptied = update(delivery).where(delivery.c.id.in_(part))
                gone += self._session.run(emptied.values(payload={})).rowcount
            else:
                table = poll if past is Past.POLLS else delivery_attempt
                gone += self._delete(table, table.c.id.in_(part))
        if gone:
            self._session.changed(Part.SCORES if past is Past.POLLS else Part.OUTBOX)
        return gone

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


def _past(past: Past, before: datetime) -> Select[Any]:
    """Return the query of the ids that go."""
    if past is Past.POLLS:
        day = type_coerce(poll.c.started_at, BigInteger).op("/")(_DAY)
        newest = (poll.c.started_at.desc(), poll.c.id.desc())
        place = func.row_number().over(partition_by=(poll.c.source_id, poll.c.is_ok, day), order_by=newest)
        old = (
            select(poll.c.id, poll.c.is_ok, place.label("place")).where(poll.c.started_at < before).subquery()
        )
        return select(old.c.id).where(or_(old.c.is_ok == 0, old.c.place > 1))
    if past is Past.DELIVERY_ATTEMPTS:
        return select(delivery_attempt.c.id).where(delivery_attempt.c.started_at < before)
    return select(delivery.c.id).where(
        delivery.c.state == DeliveryState.DELIVERED.value,
        delivery.c.created_at < before,
        delivery.c.delivered_at < before,
        delivery.c.payload != _EMPTY,
    )
