"""From every earlier schema, with data, to head: nothing that was stored is lost or read otherwise."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, text

from riskwatch.errors import Unavailable
from riskwatch.model import AuditEntry
from riskwatch.store import ApiKey, ArticleFilter, UnitOfWork, User, WebSession
from riskwatch.store.sql import SqlStore, schema
from riskwatch.store.sql.engine import make_engine, transaction
from riskwatch.store.sql.tables import REVISIONS
from tests.store.builders import (
    HOUR,
    NOON,
    a_delivery,
    a_poll,
    a_signal,
    a_snapshot,
    a_transition,
    an_article,
    an_event,
    an_incident,
    queued,
)

Opener = Callable[[str], SqlStore]


def _make(url: str, revision: str) -> None:
    """Make the tables as the riskwatch of that revision did."""
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    engine = make_engine(url)
    with transaction(engine, write=True) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def _fill_first_tables(unit: UnitOfWork) -> None:
    added = unit.articles.add_articles(
        [an_article(str(n), title=f"技术负责人 {n}") for n in range(5)], now=NOON
    )
    unit.events.add_signals({(added.new[0], 1): [a_signal("s1", added.new[0])]}, now=NOON)
    unit.events.save_events([an_event("01E"), an_event("02E", vendor="openai", home="openai")], now=NOON)
    unit.events.save_events([an_event("01E", object="Junyang Lin")], now=NOON + HOUR)
    unit.scores.add_snapshots([a_snapshot()])
    unit.articles.add_polls([a_poll()])
    unit.access.add_key(ApiKey("k1", "ci", "hash", ("read",), NOON))
    unit.access.save_setting("mark", "7")


def _first_tables(unit: UnitOfWork) -> Mapping[str, Any]:
    return {
        "articles": unit.articles.articles(ArticleFilter()),
        "found": [one.id for one in unit.articles.articles(ArticleFilter(query="负责人 3"))],
        "events": [unit.events.event_versions(id_) for id_ in ("01E", "02E")],
        "signals": unit.events.signals("alibaba"),
        "scores": unit.scores.latest_all(),
        "polls": unit.articles.polls("wire"),
        "keys": unit.access.keys(),
        "setting": unit.access.setting("mark"),
        "version": unit.scores.data_version(),
    }


@pytest.fixture
def first(blank_url: str, open_store: Opener) -> SqlStore:
    """A database of schema 0001 with data in every subject."""
    _make(blank_url, "0001")
    store = open_store(blank_url)
    with store.begin() as unit:
        _fill_first_tables(unit)
    return store


def test_data_of_the_first_schema_are_read_alike_after_the_migration(first: SqlStore) -> None:
    with first.begin(write=False) as unit:
        before = _first_tables(unit)
    assert first.check_schema() == "behind"

    assert first.migrate() is True

    assert first.check_schema() == "head"
    with first.begin(write=False) as unit:
        assert _first_tables(unit) == before
        assert len(before["found"]) == 1


def test_alerting_works_on_a_migrated_database(first: SqlStore) -> None:
    first.migrate()

    with first.begin() as unit:
        unit.incidents.save_incidents([an_incident()])
        unit.incidents.add_transitions([a_transition()])
        unit.incidents.queue([queued()])
        unit.outbox.add_deliveries([a_delivery()])
        unit.access.add_audit(AuditEntry(0, NOON, "key k1", "restore", "database", None, None))
    with first.begin() as unit:
        assert [one.id for one in unit.outbox.claim(now=NOON, limit=9, token="t", lease_seconds=60)] == ["d1"]
        assert len(unit.incidents.due_groups(now=NOON + timedelta(seconds=60), limit=9)) == 1
        assert unit.access.verify_audit() is None
        assert (unit.incidents.version(), unit.outbox.version()) == (1, 2)


def test_people_log_in_on_a_migrated_database(first: SqlStore) -> None:
    first.migrate()

    with first.begin() as unit:
        assert unit.access.users() == ()
        unit.access.add_user(User("ann", "read", "hash", is_one_time=True, created_at=NOON))
        unit.access.add_session(WebSession("id", "ann", NOON, NOON + HOUR))
    with first.begin(write=False) as unit:
        assert [one.name for one in unit.access.users()] == ["ann"]
        assert unit.access.session("id") == WebSession("id", "ann", NOON, NOON + HOUR)


def test_a_second_migration_that_fails_leaves_the_first_schema_and_its_data(
    first: SqlStore, blank_url: str
) -> None:
    engine = make_engine(blank_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE transition (in_the_way INTEGER)"))
    with first.begin(write=False) as unit:
        before = _first_tables(unit)

    with pytest.raises(Unavailable):
        first.migrate()

    assert first.check_schema() == "behind"
    assert not inspect(engine).has_table("alert_rule")
    engine.dispose()
    with first.begin(write=False) as unit:
        assert _first_tables(unit) == before


def test_the_file_before_the_migration_is_kept_with_its_data(tmp_path: Path, open_store: Opener) -> None:
    _make(f"sqlite:///{tmp_path}/x.db", "0001")
    store = open_store(f"sqlite:///{tmp_path}/x.db")
    with store.begin() as unit:
        _fill_first_tables(unit)
        before = _first_tables(unit)

    store.migrate()

    kept = open_store(f"sqlite:///{tmp_path}/x.db.backup-1")
    assert kept.check_schema() == "behind"
    with kept.begin(write=False) as unit:
        assert _first_tables(unit) == before


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_every_earlier_schema_comes_to_head(blank_url: str, open_store: Opener, revision: str) -> None:
    _make(blank_url, revision)
    store = open_store(blank_url)

    assert store.migrate() is True
    assert store.check_schema() == "head"
