"""*URL → Store*, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from riskwatch.progress import Bar
from riskwatch.store import (
    AccessStore,
    ArticleStore,
    EventStore,
    IncidentStore,
    OutboxStore,
    PageStore,
    RetentionStore,
    ScoreStore,
    UnitOfWork,
)
from riskwatch.store.sql import archive, schema
from riskwatch.store.sql.access import SqlAccess
from riskwatch.store.sql.articles import SqlArticles
from riskwatch.store.sql.engine import make_engine, sqlite_file, transaction
from riskwatch.store.sql.events import SqlEvents
from riskwatch.store.sql.incidents import SqlIncidents
from riskwatch.store.sql.outbox import SqlOutbox
from riskwatch.store.sql.pages import SqlPages
from riskwatch.store.sql.restore import restore
from riskwatch.store.sql.retention import SqlRetention
from riskwatch.store.sql.schema import backup
from riskwatch.store.sql.scores import SqlScores
from riskwatch.store.sql.session import Session
from riskwatch.store.sql.transfer import export_tables, import_tables

__all__ = ["SqlStore", "backup", "restore", "sqlite_file"]


@dataclass(frozen=True, slots=True)
class _Unit:
    articles: ArticleStore
    pages: PageStore
    events: EventStore
    scores: ScoreStore
    incidents: IncidentStore
    outbox: OutboxStore
    access: AccessStore
    retention: RetentionStore
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
            yield _unit(session)
            session.settle()

    def check_schema(self) -> str:
        """Return head, behind, empty; raises SchemaTooNew or Unavailable."""
        return schema.check_schema(self._engine)

    def migrate(self, *, is_kept: bool = False) -> bool:
        """Bring the schema to head under a lock; return whether needed.

        A SQLite file is backed up before, unless its contents are kept elsewhere.
        """
        return schema.migrate(self._engine, is_kept=is_kept)

    def export_rows(self, file: Path, *, program: str, bar: Bar) -> Mapping[str, int]:
        """Write all rows, in one state of the data, to a file; return the rows per table."""
        with archive.writing(file) as writer, transaction(self._engine, write=False) as connection:
            return export_tables(connection, writer, program=program, bar=bar)

    def import_rows(
        self, file: Path, *, bar: Bar, then: Callable[[UnitOfWork, int], None] | None = None
    ) -> Mapping[str, int]:
        """Take the rows of a file into this empty database at head; return the rows per table.

        One transaction does it all, with what `then` does at its end, given the number of rows.
        Raises Conflict where the database is not empty, Invalid with the line of the file that is wrong.
        """
        with archive.reading(file) as reader, transaction(self._engine, write=True) as connection:
            session = Session(connection, write=True)
            rows = import_tables(session, reader, bar=bar)
            if then is not None:
                then(_unit(session), sum(rows.values()))
            session.settle()
        return rows

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()


def _unit(session: Session) -> _Unit:
    return _Unit(
        articles=SqlArticles(session),
        pages=SqlPages(session),
        events=SqlEvents(session),
        scores=SqlScores(session),
        incidents=SqlIncidents(session),
        outbox=SqlOutbox(session),
        access=SqlAccess(session),
        retention=SqlRetention(session),
        session=session,
    )
