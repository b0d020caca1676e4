"""What the stores of one transaction share: the connection, and whether an answer may have changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Select,
    Table,
    and_,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult

from riskwatch.store.sql.columns import Instant
from riskwatch.store.sql.tables import data_version

CHUNK = 400  # values of one IN list or rows of one statement
Item = TypeVar("Item")


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """Yield the items in lists of at most `size`."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part


def known(
    recorded: ColumnElement[Any], ended: ColumnElement[Any], at: datetime | None
) -> ColumnElement[bool]:
    """Return the condition that a row was in force at an instant; None means now."""
    if at is None:
        return ended.is_(None)
    return and_(recorded <= at, or_(ended.is_(None), ended > at))


def ended(recorded: ColumnElement[Any], now: datetime) -> ColumnElement[Any]:
    """Return the end of a row at `now`, or its beginning where the clock was set back."""
    return case((recorded > now, recorded), else_=literal(now, Instant))


class Session:
    """One transaction's connection; `changed` notes that the data version must grow."""

    def __init__(self, connection: Connection, *, write: bool) -> None:
        self.connection, self.write, self.is_changed = connection, write, False

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite."""
        return self.connection.dialect.name == "sqlite"

    def read(self, statement: Executable, values: Mapping[str, Any] | None = None) -> CursorResult[Any]:
        """Run a query."""
        result: CursorResult[Any] = self.connection.execute(statement, values)
        return result

    def claim(self, query: Select[Any], *, skip_locked: bool = False) -> CursorResult[Any]:
        """Run a query whose rows nobody else may write until the end; SQLite has locked them all already."""
        self._must_write()
        return self.read(query.with_for_update(skip_locked=skip_locked))

    def run(
        self, statement: Executable, rows: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Run a writing statement; refused in a transaction opened for reading."""
        self._must_write()
        result: CursorResult[Any] = self.connection.execute(statement, rows)
        return result

    def add(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert many rows in few statements."""
        if rows:
            self.run(insert(table), list(rows))

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """Return the INSERT of this database, with its ON CONFLICT clauses."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def upsert(self, table: Table, row: Mapping[str, Any]) -> bool:
        """Insert or replace one row by its primary key; return whether anything changed."""
        keys = [column.name for column in table.primary_key]
        held = self.read(select(table).where(*(table.c[key] == row[key] for key in keys))).mappings().first()
        if held is not None and dict(held) == {**held, **row}:
            return False
        statement = self.insert(table).values(**row)
        rest = {name: statement.excluded[name] for name in row if name not in keys}
        self.run(statement.on_conflict_do_update(index_elements=keys, set_=rest))
        return True

    def changed(self) -> None:
        """Note that an answer may have changed."""
        self.is_changed = True

    def lock(self, name: str) -> None:
        """Hold a named lock to the end of the transaction; on SQLite a write transaction is alone anyway."""
        self._must_write()
        if not self.is_sqlite:
            self.read(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))

    def settle(self) -> None:
        """Let the data version grow, as the last statement so that its row is locked only briefly."""
        if self.is_changed:
            self.run(update(data_version).values(value=data_version.c.value + 1))

    def _must_write(self) -> None:
        if not self.write:
            raise RuntimeError("this transaction was opened with write=False")
