"""A backup comes back whole or not at all, and what it replaces is kept."""

import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from riskwatch.errors import SchemaTooNew, Unavailable
from riskwatch.model import Delivery
from riskwatch.store import ArticleFilter
from riskwatch.store.sql import SqlStore, backup, restore
from tests.store.builders import NOON, a_delivery, an_article

Opener = Callable[[str], SqlStore]
_RESTORE = """
import sys
from pathlib import Path
from riskwatch.store.sql import restore
restore(*map(Path, sys.argv[1:]))
"""
_HOLD = """
import sys, sqlite3
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM article").fetchone()
print("open", flush=True)
sys.stdin.read()
"""


def _add(store: SqlStore, *guids: str) -> None:
    with store.begin() as unit:
        unit.articles.add_articles([an_article(guid) for guid in guids], now=NOON)


def _guids(path: Path) -> set[str]:
    store = SqlStore(f"sqlite:///{path}")
    with store.begin(write=False) as unit:
        found = {article.guid for article in unit.articles.articles(ArticleFilter())}
    store.close()
    return found


def _made(path: Path, *guids: str) -> SqlStore:
    store = SqlStore(f"sqlite:///{path}")
    store.migrate()
    _add(store, *guids)
    return store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with a newer article, and `x.copy` beside it without that article."""
    store = _made(tmp_path / "x.db", "old")
    backup(tmp_path / "x.db", to=tmp_path / "x.copy")
    _add(store, "new")
    store.close()
    return tmp_path / "x.db"


@pytest.fixture
def copy(path: Path) -> Path:
    return path.with_name("x.copy")


def test_a_backup_comes_back_and_what_it_replaced_is_kept(path: Path, copy: Path) -> None:
    kept = restore(copy, path)

    assert kept == path.with_name("x.db.replaced-1")
    assert _guids(path) == {"old"}
    assert _guids(kept) == {"old", "new"}
    assert sorted(file.name for file in path.parent.iterdir()) == ["x.copy", "x.db", "x.db.replaced-1"]


def test_each_replaced_database_is_kept_under_its_own_name(path: Path, copy: Path) -> None:
    names = [restore(copy, path) for _ in range(11)]

    assert len(set(names)) == 11
    assert names[-1] == path.with_name("x.db.replaced-11")


def test_rows_still_in_the_log_of_the_replaced_database_are_kept_and_not_played_into_the_new(
    path: Path, copy: Path, tmp_path: Path
) -> None:
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    store = SqlStore(f"sqlite:///{path}")
    _add(store, "logged")
    for ending in ("", "-wal"):  # as a killed process leaves it
        shutil.copy(f"{path}{ending}", crashed / f"x.db{ending}")
    store.close()
    shutil.copy(crashed / "x.db", crashed / "without.db")

    kept = restore(copy, crashed / "x.db")

    assert kept is not None
    assert _guids(crashed / "without.db") == {"old", "new"}
    assert _guids(kept) == {"old", "new", "logged"}
    assert _guids(crashed / "x.db") == {"old"}


def test_a_backup_that_still_has_a_log_comes_back_with_it(path: Path, tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{path}")
    _add(store, "logged")
    restore(path, tmp_path / "other.db")
    store.close()

    assert _guids(tmp_path / "other.db") == {"old", "new", "logged"}


def test_where_there_was_no_database_nothing_is_kept(copy: Path, tmp_path: Path) -> None:
    assert restore(copy, tmp_path / "fresh.db") is None
    assert _guids(tmp_path / "fresh.db") == {"old"}


@pytest.mark.parametrize("garbage", [b"garbage " * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_database_that_cannot_be_read_is_set_aside(path: Path, copy: Path, garbage: bytes) -> None:
    path.write_bytes(garbage)

    kept = restore(copy, path)

    assert kept is not None
    assert kept.read_bytes() == garbage
    assert _guids(path) == {"old"}


def test_a_database_that_another_process_has_open_is_not_replaced(path: Path, copy: Path) -> None:
    before = path.read_bytes()
    command = [sys.executable, "-c", _HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"

        with pytest.raises(Unavailable, match="is in use: stop `riskwatch serve`"):
            restore(copy, path)

        assert path.read_bytes() == before
        holder.communicate()
    assert restore(copy, path) is not None


def test_an_idle_store_counts_as_use(path: Path, copy: Path, open_store: Opener) -> None:
    store = open_store(f"sqlite:///{path}")
    with store.begin(write=False) as unit:
        unit.articles.count_pending()

    with pytest.raises(Unavailable, match="in use"):
        restore(copy, path)

    store.close()
    assert restore(copy, path) is not None


def test_a_damaged_backup_is_refused(path: Path, copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as connection:
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'article'").fetchone()[0]
    with copy.open("r+b") as body:
        body.seek((page - 1) * size)
        body.write(b"\xff" * 200)
    before = path.read_bytes()

    with pytest.raises(Unavailable, match=r"x\.copy (is damaged|cannot be restored)"):
        restore(copy, path)
    assert path.read_bytes() == before


def test_what_is_no_backup_is_refused_with_what_to_do(path: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database\n" * 100)
    with closing(sqlite3.connect(tmp_path / "other")) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('abc')")
        connection.commit()
    (tmp_path / "empty").touch()

    for name, told in (
        ("none", "there is no file"),
        ("text", "`riskwatch import` reads what"),
        ("other", "none of riskwatch"),
        ("empty", "none of riskwatch"),
        ("x.db", "the database itself"),
    ):
        with pytest.raises(Unavailable, match=told):
            restore(tmp_path / name, path)
    assert _guids(path) == {"old", "new"}


def test_a_backup_of_a_newer_riskwatch_is_refused(path: Path, copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()

    with pytest.raises(SchemaTooNew, match="install the riskwatch that wrote it"):
        restore(copy, path)
    assert _guids(path) == {"old", "new"}


def test_a_message_that_went_out_after_the_backup_is_owed_once_more_only(path: Path, tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{path}")
    with store.begin() as unit:
        unit.outbox.add_deliveries([a_delivery()])
    backup(path, to=tmp_path / "owing")
    with store.begin() as unit:
        unit.outbox.claim(now=NOON, limit=9, token="t", lease_seconds=60)
    store.close()

    restore(tmp_path / "owing", path)

    store = SqlStore(f"sqlite:///{path}")
    claimed = list[Delivery]()
    for minutes in range(2):
        with store.begin() as unit:
            now = NOON + timedelta(seconds=minutes)
            claimed += unit.outbox.claim(now=now, limit=9, token=f"u{minutes}", lease_seconds=60)
    store.close()
    assert [one.idempotency_key for one in claimed] == ["key of d1"]


def test_a_backup_taken_while_rows_are_written_holds_whole_transactions(tmp_path: Path) -> None:
    store = _made(tmp_path / "x.db")
    done = threading.Event()

    def write() -> None:
        for number in range(200):
            _add(store, f"{number}a", f"{number}b")
            if done.is_set():
                return

    writer = threading.Thread(target=write)
    writer.start()
    backup(tmp_path / "x.db", to=tmp_path / "x.copy")
    done.set()
    writer.join()
    store.close()

    restore(tmp_path / "x.copy", tmp_path / "x.db")

    found = _guids(tmp_path / "x.db")
    assert {guid[:-1] for guid in found if guid.endswith("a")} == {
        guid[:-1] for guid in found if guid.endswith("b")
    }


@pytest.mark.slow
def test_a_restore_that_is_killed_leaves_the_old_data_or_the_new(tmp_path: Path) -> None:
    for name, guids in (("x.db", ("old", "new")), ("y.db", ("old",))):
        store = _made(tmp_path / name, *guids)
        store.close()
        with closing(sqlite3.connect(tmp_path / name)) as connection:  # so much that it takes a while
            connection.execute("CREATE TABLE ballast (body BLOB)")
            connection.executemany("INSERT INTO ballast VALUES (randomblob(1000000))", [()] * 60)
            connection.commit()
    seen = set()

    for moment in ("", ".replaced-1.part", "-journal", "-journal", "never"):  # the last one is not killed
        process = subprocess.Popen(
            [sys.executable, "-c", _RESTORE, str(tmp_path / "y.db"), str(tmp_path / "x.db")]
        )
        while not Path(f"{tmp_path}/x.db{moment}").exists() and process.poll() is None:
            time.sleep(0.001)
        process.kill()
        process.wait()
        found = _guids(tmp_path / "x.db")
        with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        seen.add(frozenset(found))

    assert seen <= {frozenset({"old", "new"}), frozenset({"old"})}
    assert _guids(tmp_path / "x.db") == {"old"}
