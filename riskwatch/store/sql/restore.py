"""A backup → the database: checked first, what it replaces kept beside, all pages in one transaction.

SQLite's own copying does the work: a file moved over a database would leave readers on the old one, and a log
of the old one (-wal) would be played into the new. Killed at any moment it leaves the old data or the new.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from riskwatch.errors import Unavailable
from riskwatch.store.sql.schema import numbered, state_of

_FIRST_TABLES = {"alembic_version", "article", "event", "setting", "snapshot"}
_BESIDE = ("-wal", "-shm", "-journal", "")  # the file itself last
_BUSY_SECONDS = 1
_LEAVING = (  # by way of PERSIST: only so does SQLite take away the journal of an exclusive connection
    "PRAGMA locking_mode = NORMAL",
    "PRAGMA journal_mode = PERSIST",
    "PRAGMA journal_mode = DELETE",
)
_IN_USE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def restore(file: Path, path: Path) -> Path | None:
    """Put a backup in place of a SQLite database; return where the replaced one is kept, if there was one.

    Raises Unavailable when the file is no sound riskwatch database or anybody has the database open,
    SchemaTooNew when a newer riskwatch wrote the file.
    """
    if path.exists() and file.exists() and file.samefile(path):
        raise Unavailable(f"{file} is the database itself: name a backup of it")
    with _reading(file) as source, _told(path):
        target, kept = _vacated(path)
        with closing(target):
            source.backup(target)
            for pragma in _LEAVING:
                target.execute(pragma)
    return kept


@contextmanager
def _reading(file: Path) -> Iterator[sqlite3.Connection]:
    """Open a backup in one state of its data, once it has proved sound; nothing is written beside it."""
    if not file.is_file():
        raise Unavailable(f"there is no file {file}")
    has_log = file.with_name(f"{file.name}-wal").exists()
    address = f"{file.resolve().as_uri()}?{'mode=ro' if has_log else 'immutable=1'}"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as source:
            source.execute("PRAGMA trusted_schema = OFF")
            source.execute("BEGIN")
            _check(file, source)
            yield source
    except sqlite3.DatabaseError as error:
        if _code(error) == sqlite3.SQLITE_NOTADB:
            raise Unavailable(
                f"{file} is no SQLite database; `riskwatch import` reads what `riskwatch export` wrote"
            ) from error
        raise Unavailable(f"{file} cannot be restored: {error}") from error


def _check(file: Path, source: sqlite3.Connection) -> None:
    verdict = source.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if verdict != "ok":
        raise Unavailable(f"{file} is damaged ({verdict}): take an earlier backup")
    tables = {row[0] for row in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    revision = None
    if tables >= _FIRST_TABLES:
        revision = source.execute("SELECT version_num FROM alembic_version").fetchone()
    if revision is None:
        raise Unavailable(f"{file} is a SQLite database, but none of riskwatch")
    state_of(revision[0])


def _vacated(path: Path) -> tuple[sqlite3.Connection, Path | None]:
    """Return a connection that is alone in a database, and where what it holds is kept."""
    try:
        return _alone(path)
    except sqlite3.DatabaseError as error:
        if _code(error) not in _DAMAGED:
            raise
    kept = numbered(path, "replaced")
    for ending in _BESIDE:
        found = path.with_name(f"{path.name}{ending}")
        if found.exists():
            found.replace(kept.with_name(f"{kept.name}{ending}"))
    return _alone(path)[0], kept


def _alone(path: Path) -> tuple[sqlite3.Connection, Path | None]:
    """Open a database that nobody else has open, keep everybody out until it is closed, and copy it.

    Leaving the write-ahead log needs the file for oneself, and every riskwatch at work holds a connection.
    """
    connection = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_SECONDS)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
        is_empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        return connection, None if is_empty else _keep(connection, path)
    except sqlite3.Error:
        connection.close()
        raise


def _keep(database: sqlite3.Connection, path: Path) -> Path:
    """Copy the pages of a database as they are, sound or not."""
    kept = numbered(path, "replaced")
    part = kept.with_name(f"{kept.name}.part")
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(part)) as copy:
        database.backup(copy)
    part.chmod(path.stat().st_mode & 0o777)
    part.replace(kept)
    return kept


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if _code(error) in _IN_USE:
            raise Unavailable(
                f"the database {path} is in use: stop `riskwatch serve`, `riskwatch worker` and whatever "
                "else has it open, then restore"
            ) from error
        raise Unavailable(f"the database {path} cannot be replaced: {error}") from error


def _code(error: sqlite3.Error) -> int:
    """Return the primary code of an error; what the driver itself complains of has none."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
