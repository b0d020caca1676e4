"""What the stores of one transaction share: the connection, and whether an answer may have changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from enum import IntEnum
from functools import cache
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Select,
    Table,
    and_,
    bindparam,
    case,
    exc,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.sql.dml import UpdateBase

from riskwatch.errors import Conflict
from riskwatch.store.sql.columns import Instant
from riskwatch.store.sql.many import run_many
from riskwatch.store.sql.tables import data_version

CHUNK = 500  # values of one IN list or rows of one statement
Item = TypeVar("Item")


class Part(IntEnum):
    """What an answer may rest on; each part has a row in data_version, which grows with its writes."""

    SCORES = 1  # Articles, Events, Scores, keys
    INCIDENTS = 2  # rules, Incidents, Transitions, Silences
    OUTBOX = 3  # receivers, schedules, Deliveries


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """Yield the items in lists of at most `size`."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part


def flat(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any dataclass without values inside values
    """Return the fields of a record by name."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


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


# Statements that are run over many rows are made once: `many` keeps their compiled text by identity.
@cache
def _insert(table: Table, *, is_sqlite: bool) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


@cache
def _insert_missing(table: Table, *, is_sqlite: bool) -> UpdateBase:
    return _insert(table, is_sqlite=is_sqlite).on_conflict_do_nothing()


@cache
def _replace(table: Table, names: tuple[str, ...], *, is_sqlite: bool) -> UpdateBase:
    statement, keys = _insert(table, is_sqlite=is_sqlite), [key.name for key in table.primary_key]
    rest = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=rest)


class Session:
    """One transaction's connection; `changed` notes that the version of a part must grow."""

    def __init__(self, connection: Connection, *, write: bool) -> None:
        self.connection, self.write, self._changed = connection, write, set[Part]()

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

    def read_to_change(self, query: Select[Any]) -> CursorResult[Any]:
        """Run a query; in a writing transaction nobody else may change its rows until the end."""
        return self.claim(query) if self.write else self.read(query)

    def run(
        self, statement: Executable, rows: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Run a writing statement; refused in a transaction opened for reading."""
        self._must_write()
        result: CursorResult[Any] = self.connection.execute(statement, rows)
        return result

    @contextmanager
    def refusing(self, reason: str) -> Iterator[None]:
        """Raise Conflict with this reason where a row breaks a unique index, and undo the block."""
        try:
            with self.connection.begin_nested():
                yield
        except exc.IntegrityError as error:
            if "foreign key" in str(error.orig).lower():
                raise
            raise Conflict(reason) from error

    def run_many(self, statement: UpdateBase, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a writing statement without a result once for each row; it is compiled once and kept."""
        self._must_write()
        if rows:
            run_many(self.connection, statement, rows)

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """Return the INSERT of this database, for what the four below do not say: results, own conflicts."""
        return _insert(table, is_sqlite=self.is_sqlite)

    def add(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows, all of them new."""
        self.run_many(self.insert(table), rows)

    def add_missing(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert those rows whose key is not there yet."""
        self.run_many(_insert_missing(table, is_sqlite=self.is_sqlite), rows)

    def replace(self, table: Table, rows: Sequence[Mapping[str, Any]], *, only: tuple[str, ...] = ()) -> None:
        """Insert rows; where one of the same primary key is there, write over its columns, or `only` some."""
        if rows:
            self.run_many(_replace(table, only or tuple(rows[0]), is_sqlite=self.is_sqlite), rows)

    def replace_differing(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> bool:
        """Replace rows by a key of one column where they differ from those held; return whether any did."""
        (key,) = table.primary_key
        held: dict[Any, Mapping[Any, Any]] = {}
        for part in chunks(row[key.name] for row in rows):
            found = self.read(select(table).where(key.in_(part))).mappings()
            held.update({one[key.name]: one for one in found})
        fresh = [row for row in rows if not row.items() <= dict(held.get(row[key.name], {})).items()]
        self.replace(table, fresh)
        return bool(fresh)

    def changed(self, part: Part = Part.SCORES) -> None:
        """Note that an answer may have changed."""
        self._changed.add(part)

    def version(self, part: Part = Part.SCORES) -> int:
        """Return the number of a part's state, what this transaction wrote included."""
        query = select(data_version.c.value).where(data_version.c.id == part.value)
        return int(self.read(query).scalar_one()) + int(part in self._changed)

    def lock(self, name: str) -> None:
        """Hold a named lock to the end of the transaction; on SQLite a write transaction is alone anyway."""
        self._must_write()
        if not self.is_sqlite:
            self.read(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))

    def settle(self) -> None:
        """Let the versions grow, as the last statement so that their rows are locked only briefly."""
        grown = update(data_version).where(data_version.c.id == bindparam("part"))
        parts = [
            {"part": part.value} for part in sorted(self._changed)
        ]  # in one order: nobody waits in a ring
        if parts:
            self.run(grown.values(value=data_version.c.value + 1), parts)

    def _must_write(self) -> None:
        if not self.write:
            raise RuntimeError("this transaction was opened with write=False")
