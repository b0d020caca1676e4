"""Schema revisions: which one a database has, bringing it to head, and the backup before."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from riskwatch.errors import SchemaTooNew, Unavailable
from riskwatch.store.sql.engine import sqlite_file, transaction
from riskwatch.store.sql.tables import REVISIONS

KEPT_BACKUPS = 3
_LOCK = 7_267_771  # any number, the same in every riskwatch


def check_schema(engine: Engine) -> str:
    """Return head, behind or empty; raises SchemaTooNew or Unavailable."""
    path = sqlite_file(engine.url)
    if path is not None and path.parent.is_dir() and not path.exists():
        return "empty"  # connecting would make the file
    with transaction(engine, write=False) as connection:
        return _state(connection)


def migrate(engine: Engine, *, is_kept: bool = False) -> bool:
    """Bring the schema to head under a lock; return whether anything was done. Raises SchemaTooNew.

    A SQLite file is backed up before, unless it `is_kept` elsewhere already.
    """
    if check_schema(engine) == "head":
        return False
    with transaction(engine, write=True) as connection:  # SQLite: the write lock is ours from here
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        state = _state(connection)
        if state == "head":
            return False
        path = sqlite_file(engine.url)
        if state == "behind" and path is not None and not is_kept:
            backup(path)
        _upgrade(connection)
    return True


def backup(path: Path, *, to: Path | None = None, keep: int = KEPT_BACKUPS) -> Path:
    """Copy a SQLite database, also while it is written, and check the copy; return the file made.

    Without `to` the copy is `<name>.backup-<n>` beside it, n counting up; only the newest `keep` stay.
    Raises Unavailable when there is no such database or the copy is damaged.
    """
    if not path.is_file():
        raise Unavailable(f"there is no database {path} to back up")
    older = _copies(path, "backup")
    target = to or numbered(path, "backup")
    part = target.with_name(f"{target.name}.part")
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
            verdict = copy.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.Error as error:
        part.unlink(missing_ok=True)
        raise Unavailable(f"the backup of {path} failed: {error}") from error
    if verdict != "ok":
        part.unlink()
        raise Unavailable(f"the backup of {path} is damaged: {verdict}")
    part.replace(target)
    if to is None:
        for file in older[: max(0, len(older) + 1 - keep)]:
            file.unlink()
    return target


def numbered(path: Path, kind: str) -> Path:
    """Return the name of the next copy of a database beside it."""
    older = _copies(path, kind)
    return path.with_name(f"{path.name}.{kind}-{_number(older[-1]) + 1 if older else 1}")


def _copies(path: Path, kind: str) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.{kind}-*"), key=_number)


def _number(path: Path) -> int:
    tail = path.name.rpartition("-")[2]
    return int(tail) if tail.isdecimal() else 0


def _state(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version"):
        return "empty"
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return "empty" if revision is None else state_of(revision)


def state_of(revision: str) -> str:
    """Return head or behind for a revision; raises SchemaTooNew for one that this program does not know."""
    if revision not in REVISIONS:
        raise SchemaTooNew(
            f"the database has schema {revision}, newer than this riskwatch knows ({REVISIONS[-1]}): "
            "install the riskwatch that wrote it, or restore the backup made before its migration"
        )
    return "head" if revision == REVISIONS[-1] else "behind"


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - a third of a second that only a migration should cost
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
