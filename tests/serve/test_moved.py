"""An installation that was restored, or moved to the other database, answers as before."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from riskwatch.app import App
from riskwatch.keeping import DATABASE
from riskwatch.replay import Clock
from riskwatch.settings import load
from riskwatch.store.sql import SqlStore
from tests.serve.installation import DAY, PEPPER, QUIET, Installation, Reader, _tell
from tests.store.every_table import rows_of
from tests.store.test_migrations import _make as make

SUBJECTS = ("alibaba", "alibaba/qwen", "mistral", "openai")


class _Still:
    def update(self, steps: int) -> None:
        """Show nothing."""


@contextmanager
def no_bar(_length: int, _label: str) -> Iterator[_Still]:
    yield _Still()


def twin(installation: Installation, folder: Path, url: str) -> Installation:
    """Return an installation of the same rules and clock on another database."""
    environ = {
        "RISKWATCH_DATA_DIR": str(folder),
        "RISKWATCH_SECRET_KEY": PEPPER,
        "RISKWATCH_DATABASE_URL": url,
    }
    clock = Clock(installation.clock())
    app = App(load(environ=environ), now=clock)
    return Installation(folder, app, clock, installation.keys)


def told(app: App, at: datetime) -> list[dict[str, Any]]:
    """Return every score as known at an instant, with all that explains it."""
    return [app.questions.explain(subject, as_of=at, known_at=at) for subject in SUBJECTS]


def test_an_export_gives_the_same_answers_on_the_other_database(
    installation: Installation, tmp_path: Path, url: str
) -> None:
    file, now = tmp_path / "all.jsonl.gz", installation.clock()
    installation.app.keeping.export(file, bar=no_bar)
    moved = twin(installation, tmp_path / "moved", url)

    lines = moved.app.keeping.import_(file, bar=no_bar)

    assert lines[0].startswith("imported ")
    assert told(moved.app, now) == told(installation.app, now)
    assert moved.app.questions.scores(None, as_of=None, known_at=None) == installation.app.questions.scores(
        None, as_of=None, known_at=None
    )
    reader = Reader(moved.flask().test_client(), installation.keys["read"])
    assert reader.json("/v1/vendors/alibaba/score")["subject"] == "alibaba"
    assert moved.app.verify_audit() is None
    entry = moved.app.audit(after=0, limit=1000)[-1]
    assert (entry.action, entry.after) == ("import", {"file": str(file), "rows": int(lines[0].split()[1])})
    moved.app.close()


def test_a_moved_installation_goes_on_taking_in_and_scoring(
    installation: Installation, tmp_path: Path, url: str
) -> None:
    file = tmp_path / "all.jsonl"
    installation.app.keeping.export(file, bar=no_bar)
    moved = twin(installation, tmp_path / "moved", url)
    moved.app.keeping.import_(file, bar=no_bar)
    later = installation.clock() + DAY
    moved.clock.move(later)

    _tell(moved.app, (("Alibaba cuts prices", "Alibaba cut the prices of its Qwen models by half."),), later)

    assert moved.app.daily() > 0
    assert moved.app.questions.history("alibaba", days=1)
    moved.app.close()


def test_there_and_back_every_row_is_the_same(
    installation: Installation, tmp_path: Path, url: str, open_store: Callable[[str], SqlStore]
) -> None:
    first, back = f"sqlite:///{installation.folder / DATABASE}", f"sqlite:///{tmp_path}/back.db"
    installation.app.keeping.export(tmp_path / "0", bar=no_bar)
    for number, address in enumerate((url, back)):
        store = open_store(address)
        store.migrate()
        store.import_rows(tmp_path / str(number), bar=no_bar)
        store.export_rows(tmp_path / str(number + 1), program="test", bar=no_bar)

    assert rows_of(url) == rows_of(first)
    assert rows_of(back) == rows_of(first)


def test_a_backup_taken_under_load_restores_the_same_scores(own_installation: Installation) -> None:
    own, before = own_installation, own_installation.clock()
    own.clock.move(before + timedelta(hours=1))
    scores, done = told(own.app, before), threading.Event()
    own.app.parts  # noqa: B018 - built before the threads need it

    def load() -> None:
        while not done.is_set():
            own.clock.move(own.clock() + timedelta(seconds=1))
            _tell(own.app, QUIET, own.clock())

    writer = threading.Thread(target=load)
    writer.start()
    own.app.keeping.backup(own.folder / "busy.db")
    done.set()
    writer.join()

    lines = own.app.restore(own.folder / "busy.db")

    assert told(own.app, before) == scores
    assert lines[0].startswith(f"{(own.folder / DATABASE).resolve()} holds what ")
    assert lines[1].startswith(f"{(own.folder / DATABASE).resolve()}.replaced-1 keeps ")
    assert "RISKWATCH_SECRET_KEY" in lines[2]
    assert own.app.verify_audit() is None
    assert own.app.audit(after=0, limit=1000)[-1].action == "restore"


def test_an_older_backup_is_brought_to_this_version_and_stays_where_it_is(
    installation: Installation, tmp_path: Path
) -> None:
    make(f"sqlite:///{tmp_path}/older.db", "0001")
    before = (tmp_path / "older.db").read_bytes()
    moved = twin(installation, tmp_path / "data", f"sqlite:///{tmp_path}/data/{DATABASE}")

    lines = moved.app.restore(tmp_path / "older.db")

    assert "brought to this version's schema" in lines[0]
    assert lines[1] == "there was no database before"
    assert moved.app.store.check_schema() == "head"
    assert (tmp_path / "older.db").read_bytes() == before
    moved.app.close()


def test_on_postgresql_the_line_to_run_is_printed(tmp_path: Path) -> None:
    environ = {
        "RISKWATCH_DATA_DIR": str(tmp_path),
        "RISKWATCH_SECRET_KEY": PEPPER,
        "RISKWATCH_DATABASE_URL": "postgresql+psycopg://rw@127.0.0.1:1/x",
    }
    app = App(load(environ=environ))

    assert app.restore(tmp_path / "x")[1].startswith("pg_restore ")
    assert "pg_dump" in app.keeping.backup(tmp_path / "x")


def test_a_secret_key_that_is_missing_is_asked_for(installation: Installation, tmp_path: Path) -> None:
    installation.app.keeping.backup(tmp_path / "x.db")
    app = App(load(environ={"RISKWATCH_DATA_DIR": str(tmp_path / "data")}))

    without = app.restore(tmp_path / "x.db")
    (tmp_path / "data" / "secret_key").write_text("kept with the data, 32 characters")
    with_it = app.restore(tmp_path / "x.db")

    assert f"do not work until {tmp_path / 'data' / 'secret_key'} is the file kept" in without[2]
    assert "go on working if" in with_it[2]
