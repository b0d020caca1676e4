"""Database URL → engine whose transactions behave alike on SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL, make_url

from riskwatch.errors import Conflict, NotFound, Unavailable

BUSY_SECONDS = 15
_WRITES = "riskwatch_writes"
_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}",  # first: the next one may have to wait
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)


def make_engine(url: str) -> Engine:
    """Return an engine, not yet connected; make it after a fork. Raises Unavailable on an unusable URL."""
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    try:
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"), pool_size=10, max_overflow=20, pool_pre_ping=True
        )
    except ModuleNotFoundError as error:
        raise Unavailable("PostgreSQL needs the extra: pip install 'riskwatch[postgres]'") from error


def sqlite_file(url: str | URL) -> Path | None:
    """Return the file of a SQLite database, or None on PostgreSQL. Raises Unavailable on an unusable URL."""
    parsed = _parsed(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def _parsed(url: str | URL) -> URL:
    usable = "use sqlite:///path or postgresql+psycopg://..."
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except exc.ArgumentError as error:
        raise Unavailable(f"the database URL is no URL: {usable}") from error
    if backend not in ("sqlite", "postgresql"):
        raise Unavailable(f"the database {backend} is not supported: {usable}")
    return parsed


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise Unavailable("a SQLite database in memory is not supported: name a file, sqlite:///path")
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, pool_size=10, max_overflow=20)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves: the driver's own loses concurrent updates
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()
        connection.create_function("folded", 1, _folded, deterministic=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _folded(text: str | None) -> str | None:
    return None if text is None else text.casefold()


@contextmanager
def transaction(engine: Engine, *, write: bool) -> Iterator[Connection]:
    """Open one transaction; a reading one sees one state of the data from its first read to its end.

    Raises Unavailable when the database cannot be reached or stays locked, Conflict or NotFound when it
    refuses a row.
    """
    with _told(engine), _connected(engine, write=write) as connection, connection.begin():
        yield connection


@contextmanager
def _connected(engine: Engine, *, write: bool) -> Iterator[Connection]:
    path = sqlite_file(engine.url)
    if path is not None and not path.parent.is_dir():
        raise Unavailable(
            f"the folder {path.parent} of the database does not exist: create it or change the database URL"
        )
    options: dict[str, Any] = {_WRITES: write}
    if path is None and not write:
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect() as connection:
        yield connection.execution_options(**options)


@contextmanager
def _told(engine: Engine) -> Iterator[None]:
    try:
        yield
    except exc.IntegrityError as error:
        if "foreign key" in str(error.orig).lower():
            raise NotFound("row that this one refers to", _table(error)) from error
        raise Conflict(f"the database refused the row: {error.orig}") from error
    except exc.DataError as error:
        raise Conflict(f"the database refused a value: {error.orig}") from error
    except exc.DBAPIError as error:
        raise Unavailable(_sentence(engine, error)) from error
    except exc.TimeoutError as error:
        raise Unavailable("all connections to the database are in use") from error


def _table(error: exc.IntegrityError) -> str:
    words = (error.statement or "").split()
    return words[2] if len(words) > 2 else ""  # noqa: PLR2004 - INSERT INTO table


def _sentence(engine: Engine, error: exc.DBAPIError) -> str:
    reason = str(error.orig).splitlines()[0] if str(error.orig) else type(error.orig).__name__
    where = engine.url.render_as_string(hide_password=True)
    if "no such table" in reason or ("relation" in reason and "does not exist" in reason):
        return f"the database {where} has no riskwatch tables: run riskwatch migrate"
    if "locked" in reason:
        return f"the database {where} was locked by another process for {BUSY_SECONDS} seconds"
    return f"the database {where} cannot be used: {reason}"
