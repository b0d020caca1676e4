"""*URL → Store*, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from riskwatch.store import (
    AccessStore,
    ArticleStore,
    EventStore,
    IncidentStore,
    OutboxStore,
    ScoreStore,
    UnitOfWork,
)
from riskwatch.store.sql import schema
from riskwatch.store.sql.access import SqlAccess
from riskwatch.store.sql.articles import SqlArticles
from riskwatch.store.sql.engine import make_engine, transaction
from riskwatch.store.sql.events import SqlEvents
from riskwatch.store.sql.incidents import SqlIncidents
from riskwatch.store.sql.outbox import SqlOutbox
from riskwatch.store.sql.schema import backup
from riskwatch.store.sql.scores import SqlScores
from riskwatch.store.sql.session import Session

__all__ = ["SqlStore", "backup"]


@dataclass(frozen=True, slots=True)
class _Unit:
    articles: ArticleStore
    events: EventStore
    scores: ScoreStore
    incidents: IncidentStore
    outbox: OutboxStore
    access: AccessStore
    session: Session

    def lock(self, name: str) -> None:
        """Wait until no other transaction holds the named lock, then hold it to the end of this one."""
        self.session.lock(name)


class SqlStore:
    """A database. Safe to share among threads; make it after a fork, one per process."""

    def __init__(self, url: str) -> None:
        self._engine = make_engine(url)

    @contextmanager
    def begin(self, *, write: bool = True) -> Iterator[UnitOfWork]:
        """Open a transaction; leaving the block commits, an exception rolls back. Raises Unavailable."""
        with transaction(self._engine, write=write) as connection:
            session = Session(connection, write=write)
            yield _Unit(
                articles=SqlArticles(session),
                events=SqlEvents(session),
                scores=SqlScores(session),
                incidents=SqlIncidents(session),
                outbox=SqlOutbox(session),
                access=SqlAccess(session),
                session=session,
            )
            session.settle()

    def check_schema(self) -> str:
        """Return head, behind, empty; raises SchemaTooNew or Unavailable."""
        return schema.check_schema(self._engine)

    def migrate(self) -> bool:
        """Bring the schema to head under a lock, a SQLite file after a backup; return whether needed."""
        return schema.migrate(self._engine)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()
