"""Where the data of an installation lives: opened, backed up, restored, exported, imported."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from riskwatch import __version__
from riskwatch.environment import Settings
from riskwatch.errors import ConfigError, ConfigErrors, Unavailable
from riskwatch.model import AuditEntry
from riskwatch.progress import Bar
from riskwatch.store import UnitOfWork
from riskwatch.store.sql import SqlStore, sqlite_file
from riskwatch.store.sql import backup as backup_database
from riskwatch.store.sql import restore as restore_database

DATABASE = "riskwatch.sqlite"


class Keeping:
    """The database and the data folder of one installation."""

    def __init__(
        self, folder: Path, settings: Settings, *, now: Callable[[], datetime], is_local: bool = False
    ) -> None:
        """Note the place; nothing is made or opened yet.

        Args:
            folder: Holds the SQLite file and the generated secret.
            settings: Name another database, and the secret where it is given.
            now: The clock.
            is_local: Live in SQLite, whatever database the settings name.
        """
        self.folder, self._settings, self._now, self._is_local = folder, settings, now, is_local

    @cached_property
    def url(self) -> str:
        """Where rows live: the setting, else a SQLite file in the data folder."""
        if self._settings.database_url is not None and not self._is_local:
            return self._settings.database_url.get_secret_value()
        return f"sqlite:///{(self.folder / DATABASE).resolve()}"

    @cached_property
    def store(self) -> SqlStore:
        """The database at the newest schema: SQLite is migrated at once, PostgreSQL only by `migrate`."""
        is_sqlite = self.url.startswith("sqlite")
        if is_sqlite:
            self._make_folder()
        store = SqlStore(self.url)
        if store.check_schema() != "head":
            if not is_sqlite:
                raise ConfigErrors(
                    (
                        ConfigError(
                            "the database is not at this version's schema; run `riskwatch migrate`",
                            path="database",
                        ),
                    )
                )
            store.migrate()
        return store

    def close(self) -> None:
        """Give the database connections back."""
        if "store" in self.__dict__:
            self.store.close()
            del self.__dict__["store"]

    def _make_folder(self) -> None:
        """Make the data folder where it is missing. Raises Unavailable where it cannot be."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            told = error.strerror or type(error).__name__
            raise Unavailable(
                f"the data folder {self.folder} cannot be used ({told}); set RISKWATCH_DATA_DIR"
            ) from error

    @cached_property
    def pepper(self) -> bytes:
        """Key of the API keys' hashes: the setting, else made once beside the SQLite file, mode 0600."""
        given = self._settings.secret_key
        if given is not None:
            return given.get_secret_value().encode()
        if not self.url.startswith("sqlite"):
            raise ConfigErrors(
                (
                    ConfigError(
                        "is needed with PostgreSQL, since each host would make its own; "
                        "set it or RISKWATCH_SECRET_KEY_FILE to at least 32 random characters",
                        path="environment",
                        key="RISKWATCH_SECRET_KEY",
                    ),
                )
            )
        path = self.folder / "secret_key"
        self._make_folder()
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_bytes()
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        return path.read_bytes()

    def migrate(self) -> bool:
        """Bring the schema to this version; return whether anything was done."""
        store = SqlStore(self.url)
        done = store.migrate()
        store.close()
        return done

    def backup(self, file: Path) -> str:
        """Copy the SQLite database while it is in use; return what to tell."""
        path = sqlite_file(self.url)
        if path is None:
            return "on PostgreSQL use: pg_dump --format=custom --file=riskwatch.dump DATABASE"
        backup_database(path, to=file)
        return f"{file} holds the database; keep {self.folder / 'secret_key'} too, for the API keys"

    def restore(self, file: Path) -> list[str]:
        """Put a backup in place of the SQLite database, which nobody may have open; return what to tell."""
        path = sqlite_file(self.url)
        if path is None:
            return [
                "on PostgreSQL stop every `riskwatch serve` and `riskwatch worker`, then use:",
                "pg_restore --clean --if-exists --single-transaction --dbname=DATABASE riskwatch.dump",
            ]
        self._make_folder()
        kept = restore_database(file, path)
        store = SqlStore(self.url)
        migrated = store.migrate(is_kept=True)
        with store.begin() as unit:
            unit.access.end_sessions()  # one that was ended since the backup must not live again
            unit.access.add_audit(self._noted("restore", {"file": str(file), "replaced": kept and str(kept)}))
        store.close()
        return [
            f"{path} holds what {file} held" + (", brought to this version's schema" if migrated else ""),
            "there was no database before"
            if kept is None
            else f"{kept} keeps the database that was replaced",
            self._about_the_secret_key(),
        ]

    def export(self, file: Path, *, bar: Bar) -> str:
        """Write all rows to a file of JSON lines; return what to tell."""
        rows = self.store.export_rows(file, program=__version__, bar=bar)
        return (
            f"{file} holds {sum(rows.values())} rows of {len(rows)} tables; keep it as safe as the database, "
            "and the secret key with it, for the API keys"
        )

    def import_(self, file: Path, *, bar: Bar) -> list[str]:
        """Take the rows of an export into this database, which must be empty; return what to tell."""

        def noted(unit: UnitOfWork, rows: int) -> None:
            unit.access.add_audit(self._noted("import", {"file": str(file), "rows": rows}))

        rows = self.store.import_rows(file, bar=bar, then=noted)
        return [f"imported {sum(rows.values())} rows of {len(rows)} tables", self._about_the_secret_key()]

    def _noted(self, action: str, after: Mapping[str, Any]) -> AuditEntry:
        return AuditEntry(0, self._now(), "command line", action, "database", None, after)

    def _about_the_secret_key(self) -> str:
        if self._settings.secret_key is not None:
            return "API keys go on working if RISKWATCH_SECRET_KEY is what it was there"
        path = self.folder / "secret_key"
        verb = "go on working if" if path.exists() else "do not work until"
        return f"API keys {verb} {path} is the file kept with those data, or RISKWATCH_SECRET_KEY its content"
