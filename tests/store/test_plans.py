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
    "verdicts": lambda unit: unit.events.verdicts("alibaba"),
}


@pytest.mark.parametrize("name", READS)
def test_a_frequent_read_scans_no_table(sqlite_store: SqlStore, name: str) -> None:
    with sqlite_store.begin(write=False) as unit, _plans(sqlite_store) as plans:
        READS[name](unit)

    assert plans
    assert [step for step in plans if step.startswith("SCAN") and "INDEX" not in step] == []


@pytest.mark.parametrize("name", ["events of a vendor", "pending", "event page", "polls", "article page"])
def test_a_sorted_read_needs_no_sorting(sqlite_store: SqlStore, name: str) -> None:
    with sqlite_store.begin(write=False) as unit, _plans(sqlite_store) as plans:
        READS[name](unit)

    assert [step for step in plans if "TEMP B-TREE FOR ORDER BY" in step] == []
