"""Reads that must not grow with what they do not ask for: SQLite's own account of how it finds the rows."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from riskwatch.store import ArticleFilter, EventFilter, UnitOfWork
from riskwatch.store.sql import SqlStore
from tests.store.builders import NOON


@pytest.fixture
def sqlite_store(tmp_path: Path, open_store: Callable[[str], SqlStore]) -> SqlStore:
    store = open_store(f"sqlite:///{tmp_path}/x.db")
    store.migrate()
    return store


@contextmanager
def _plans(store: SqlStore) -> Iterator[list[str]]:
    plans: list[str] = []

    def explain(
        connection: Connection, _cursor: object, statement: str, parameters: Sequence[Any], *_: object
    ) -> None:
        if statement.startswith(("SELECT", "WITH")):
            rows = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(str(row[3]) for row in rows)

    engine = store._engine
    event.listen(engine, "before_cursor_execute", explain)
    yield plans
    event.remove(engine, "before_cursor_execute", explain)


READS: dict[str, Callable[[UnitOfWork], object]] = {
    "events of a vendor": lambda unit: unit.events.events_of("alibaba"),
    "events as known": lambda unit: unit.events.events_of("alibaba", known_at=NOON),
    "event page": lambda unit: unit.events.list_events(EventFilter()),
    "signals": lambda unit: unit.events.signals("alibaba", types=["outage"]),
    "latest": lambda unit: unit.scores.latest("alibaba"),
    "pending": lambda unit: unit.articles.pending(limit=10),
    "polls": lambda unit: unit.articles.polls("wire"),
    "article page": lambda unit: unit.articles.articles(ArticleFilter()),
    "source page": lambda unit: unit.articles.articles(ArticleFilter(source_id="wire")),
    "subject page": lambda unit: unit.articles.articles(ArticleFilter(subject="alibaba")),
    "mention counts": lambda unit: unit.articles.mention_counts(since=NOON, until=NOON),
    "mention counts of a vendor": lambda unit: unit.articles.mention_counts(
        since=NOON, until=NOON, vendor="alibaba"
    ),
    "stories": lambda unit: unit.events.stories("alibaba"),
    "verdicts": lambda unit: unit.events.verdicts("alibaba"),
}


@pytest.mark.parametrize("name", READS)
def test_a_frequent_read_scans_no_table(sqlite_store: SqlStore, name: str) -> None:
    with sqlite_store.begin(write=False) as unit, _plans(sqlite_store) as plans:
        READS[name](unit)

    assert plans
    assert [step for step in plans if step.startswith("SCAN") and "INDEX" not in step] == []


def test_events_as_known_come_from_the_current_versions_and_those_ended_since(sqlite_store: SqlStore) -> None:
    with sqlite_store.begin(write=False) as unit, _plans(sqlite_store) as plans:
        unit.events.events_of("alibaba", known_at=NOON)

    searches = [step for step in plans if step.startswith("SEARCH")]
    assert "ix_event_version_current_vendor (vendor=?)" in searches[0]
    assert "ix_event_version_ended (vendor=? AND ended_at>?)" in searches[1]


def test_the_mentions_of_one_vendor_are_counted_without_reading_those_of_others(
    sqlite_store: SqlStore,
) -> None:
    with sqlite_store.begin(write=False) as unit, _plans(sqlite_store) as plans:
        unit.articles.mention_counts(since=NOON, until=NOON, vendor="alibaba")

    searches = [step for step in plans if step.startswith("SEARCH")]
    assert len(searches) == 2
    assert all("ix_mention_vendor_told (vendor=? AND told_at>? AND told_at<?)" in step for step in searches)


@pytest.mark.parametrize("name", ["pending", "event page", "polls", "article page"])
def test_a_sorted_read_needs_no_sorting(sqlite_store: SqlStore, name: str) -> None:
    with sqlite_store.begin(write=False) as unit, _plans(sqlite_store) as plans:
        READS[name](unit)

    assert [step for step in plans if "TEMP B-TREE FOR ORDER BY" in step] == []
