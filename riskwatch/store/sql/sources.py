"""Sources' state, leases, hosts and polls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, or_, select, update

from riskwatch.model import HostState, Poll, SourceState
from riskwatch.store.sql.session import Session, chunks, flat
from riskwatch.store.sql.tables import article, host_state, poll, source_state

_BLANK = {"consecutive_failures": 0, "moved_count": 0}
_POLL = [column for column in poll.c if column.name != "is_ok"]


class SqlSources:
    """The part of the ArticleStore that collecting lives on."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def source_states(self) -> Mapping[str, SourceState]:
        """Return the state of every Source ever seen."""
        rows = self._session.read(select(source_state).order_by(source_state.c.source_id))
        return {row.source_id: SourceState(**row._mapping) for row in rows}

    def save_source_states(self, states: Sequence[SourceState]) -> None:
        """Insert or replace state rows."""
        if self._session.replace_differing(source_state, list(map(flat, states))):
            self._session.changed()

    def lease_sources(
        self, source_ids: Sequence[str], *, token: str, now: datetime, until: datetime
    ) -> Sequence[str]:
        """Claim Sources that nobody holds at `now`; return those that were claimed, sorted."""
        lease_until, claimed = source_state.c.lease_until, list[str]()
        for part in chunks(sorted(set(source_ids))):
            self._ensure(part)
            free = select(source_state.c.source_id).where(source_state.c.source_id.in_(part))
            free = free.where(or_(lease_until.is_(None), lease_until <= now)).order_by(
                source_state.c.source_id
            )
            ids = self._session.claim(free, skip_locked=True).scalars().all()
            mine = update(source_state).where(source_state.c.source_id.in_(ids))
            self._session.run(mine.values(lease_token=token, lease_until=until))
            claimed += ids
        return tuple(claimed)

    def _ensure(self, source_ids: Sequence[str]) -> None:
        self._session.add_missing(
            source_state, [{"source_id": source_id, **_BLANK} for source_id in source_ids]
        )

    def host_states(self) -> Mapping[str, HostState]:
        """Return what is known of hosts."""
        rows = self._session.read(select(host_state).order_by(host_state.c.host))
        return {row.host: HostState(**row._mapping) for row in rows}

    def save_host_states(self, states: Sequence[HostState]) -> None:
        """Insert or replace host rows."""
        self._session.replace_differing(host_state, list(map(flat, states)))

    def add_polls(self, polls: Sequence[Poll]) -> None:
        """Append poll rows; one whose id is stored is passed over. A Source polled is a Source seen."""
        for part in chunks(polls):
            self._ensure(sorted({one.source_id for one in part}))
            statement = self._session.insert(poll).on_conflict_do_nothing().returning(poll.c.id)
            rows = [{**flat(one), "is_ok": int(one.is_ok)} for one in part]
            if self._session.run(statement, rows).all():
                self._session.changed()

    def add_poll(self, one: Poll) -> None:
        """Append one poll row."""
        self.add_polls([one])

    def polls(self, source_id: str, *, limit: int = 50) -> Sequence[Poll]:
        """Return the newest polls of a Source, newest first."""
        rows = self._session.read(
            select(*_POLL)
            .where(poll.c.source_id == source_id)
            .order_by(poll.c.started_at.desc(), poll.c.id.desc())
            .limit(limit)
        )
        return tuple(Poll(**row._mapping) for row in rows)

    def last_ok_polls(self, *, known_at: datetime) -> Mapping[str, datetime]:
        """Return Source id -> start of its last good poll by known_at."""
        last = (
            select(func.max(poll.c.started_at, type_=poll.c.started_at.type))
            .where(
                poll.c.source_id == source_state.c.source_id, poll.c.is_ok == 1, poll.c.started_at <= known_at
            )
            .scalar_subquery()
        )
        rows = self._session.read(
            select(source_state.c.source_id, last.label("at")).order_by(source_state.c.source_id)
        )
        return {row.source_id: row.at for row in rows if row.at is not None}

    def first_ok_polls(self) -> Mapping[str, datetime]:
        """Return Source id -> start of its first good poll: what that one brought was only learned."""
        first = (
            select(func.min(poll.c.started_at, type_=poll.c.started_at.type))
            .where(poll.c.source_id == source_state.c.source_id, poll.c.is_ok == 1)
            .scalar_subquery()
        )
        query = select(source_state.c.source_id, first.label("at")).order_by(source_state.c.source_id)
        return {row.source_id: row.at for row in self._session.read(query) if row.at is not None}

    def item_dates(self, source_ids: Sequence[str], *, since: datetime) -> Mapping[str, Sequence[datetime]]:
        """Return Source id -> published_at (else first_seen_at) of its Articles since then, ascending."""
        found: dict[str, list[datetime]] = {}
        for part in chunks(source_ids):
            query = select(article.c.source_id, article.c.told_at).where(
                article.c.source_id.in_(part), article.c.told_at >= since
            )
            for row in self._session.read(query.order_by(article.c.source_id, article.c.told_at)):
                found.setdefault(row.source_id, []).append(row.told_at)
        return found
