import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from riskwatch.errors import SchemaTooNew, Unavailable
from riskwatch.store.sql import SqlStore, backup, schema
from riskwatch.store.sql.engine import make_engine
from riskwatch.store.sql.tables import REVISIONS, metadata
from tests.store.builders import NOON, an_article

Opener = Callable[[str], SqlStore]
_MIGRATE = "import sys; from riskwatch.store.sql import SqlStore; print(SqlStore(sys.argv[1]).migrate())"


def _as_if_at(url: str, revision: str) -> None:
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    engine.dispose()


def test_an_empty_database_is_brought_to_head_once(blank_url: str, open_store: Opener) -> None:
    store = open_store(blank_url)

    assert store.check_schema() == "empty"
    assert store.migrate() is True
    assert store.check_schema() == "head"
    assert store.migrate() is False


def test_a_migration_that_fails_halfway_leaves_nothing_behind(blank_url: str, open_store: Opener) -> None:
    engine = make_engine(blank_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE verdict (in_the_way INTEGER)"))
    store = open_store(blank_url)

    with pytest.raises(Unavailable):
        store.migrate()

    assert store.check_schema() == "empty"
    assert inspect(engine).get_table_names() == ["verdict"]
    engine.dispose()


def test_the_migrations_make_what_the_tables_say(url: str) -> None:
    engine = make_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": False,
                "include_object": lambda _o, name, *_: "article_search" not in (name or ""),
            },
        )
        differences = compare_metadata(context, metadata)
    engine.dispose()

    assert differences == []


def test_the_revisions_that_the_program_knows_are_those_that_it_has() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    script = ScriptDirectory.from_config(config)

    assert [each.revision for each in script.walk_revisions()][::-1] == list(REVISIONS)


def test_a_newer_schema_is_refused_with_what_to_do(url: str, store: SqlStore) -> None:
    _as_if_at(url, "9999")

    with pytest.raises(SchemaTooNew, match="install the riskwatch that wrote it"):
        store.check_schema()
    with pytest.raises(SchemaTooNew):
        store.migrate()


def test_an_older_schema_is_behind(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "REVISIONS", (*REVISIONS, "next"))

    assert store.check_schema() == "behind"


def test_a_database_without_tables_is_unavailable_and_says_what_to_run(
    blank_url: str, open_store: Opener
) -> None:
    store = open_store(blank_url)

    with pytest.raises(Unavailable, match="run riskwatch migrate"), store.begin() as unit:
        unit.articles.count_pending()


@pytest.mark.slow
def test_of_two_processes_that_migrate_at_once_one_does_it(blank_url: str, open_store: Opener) -> None:
    command = [sys.executable, "-c", _MIGRATE, blank_url]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = sorted(process.communicate(timeout=60)[0].strip() for process in running)

    assert answers == ["False", "False", "True"]
    assert open_store(blank_url).check_schema() == "head"


@pytest.mark.parametrize("url", ["sqlite:///:memory:", "sqlite://", "mysql://x/y", "nonsense"])
def test_a_database_that_cannot_serve_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(Unavailable, match="sqlite:///path"):
        SqlStore(url)


def test_a_missing_folder_is_named(tmp_path: Path, open_store: Opener) -> None:
    store = open_store(f"sqlite:///{tmp_path}/none/x.db")

    with pytest.raises(Unavailable, match=r"folder .*/none .*does not exist"), store.begin():
        pass
    with pytest.raises(Unavailable):
        store.check_schema()
    assert not (tmp_path / "none").exists()


def test_looking_at_a_missing_sqlite_file_does_not_make_it(tmp_path: Path, open_store: Opener) -> None:
    assert open_store(f"sqlite:///{tmp_path}/x.db").check_schema() == "empty"
    assert not (tmp_path / "x.db").exists()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path, open_store: Opener) -> None:
    (tmp_path / "x.db").write_bytes(b"not a database " * 100)

    with pytest.raises(Unavailable):
        open_store(f"sqlite:///{tmp_path}/x.db").check_schema()


def test_an_unreachable_server_is_unavailable_and_its_password_unsaid(open_store: Opener) -> None:
    store = open_store("postgresql://rw:hush@127.0.0.1:1/x")

    with pytest.raises(Unavailable) as caught:
        store.check_schema()
    assert "hush" not in str(caught.value)


def test_a_backup_holds_what_was_committed_and_only_three_are_kept(
    tmp_path: Path, open_store: Opener
) -> None:
    path = tmp_path / "x.db"
    store = open_store(f"sqlite:///{path}")
    store.migrate()

    made = path
    for number in range(12):
        with store.begin() as unit:
            unit.articles.add_articles([an_article(str(number))], now=NOON)
        made = backup(path)

    assert sorted(file.name for file in tmp_path.glob("*backup*")) == [
        "x.db.backup-10",
        "x.db.backup-11",
        "x.db.backup-12",
    ]
    assert made.name == "x.db.backup-12"
    with closing(sqlite3.connect(made)) as copy:
        assert copy.execute("SELECT count(*) FROM article").fetchone() == (12,)


def test_a_backup_goes_where_it_is_told_and_replaces_none_of_ours(tmp_path: Path, open_store: Opener) -> None:
    store = open_store(f"sqlite:///{tmp_path}/x.db")
    store.migrate()

    assert backup(tmp_path / "x.db", to=tmp_path / "copy.db") == tmp_path / "copy.db"
    assert open_store(f"sqlite:///{tmp_path}/copy.db").check_schema() == "head"
    assert list(tmp_path.glob("*backup*")) == []


def test_a_backup_of_nothing_or_of_rubbish_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no database"):
        backup(tmp_path / "x.db")
    (tmp_path / "x.db").write_bytes(b"not a database " * 100)
    with pytest.raises(Unavailable, match="failed"):
        backup(tmp_path / "x.db")
    assert list(tmp_path.glob("*backup*")) == []


def test_an_existing_sqlite_file_is_backed_up_before_its_migration(
    tmp_path: Path, open_store: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(f"sqlite:///{tmp_path}/x.db")
    store.migrate()
    monkeypatch.setattr(schema, "REVISIONS", (*REVISIONS, "next"))

    store.migrate()

    assert (tmp_path / "x.db.backup-1").exists()
