"""Reads that must not grow with what they do not ask for: SQLite's own account of how it finds the rows."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from riskwatch.store import (
    ArticleFilter,
    DeliveryFilter,
    EventFilter,
    IncidentFilter,
    Settled,
    UnitOfWork,
)
from riskwatch.store.sql import SqlStore
from tests.store.builders import HOUR, NOON, a_delivery, an_attempt


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
        if statement.startswith(("SELECT", "WITH", "UPDATE", "DELETE")):
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
    "item dates": lambda unit: unit.articles.item_dates(["wire"], since=NOON),
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
    "newest incidents": lambda unit: unit.incidents.newest_incidents(["a", "b"]),
    "open incidents": lambda unit: unit.incidents.open_incidents(),
    "incident page": lambda unit: unit.incidents.incidents(IncidentFilter()),
    "incidents of a subject": lambda unit: unit.incidents.incidents(IncidentFilter(subject="alibaba")),
    "transitions of a day": lambda unit: unit.incidents.transitions_between(NOON - HOUR, NOON),
    "silences": lambda unit: unit.incidents.silences(active_at=NOON),
    "delivery page": lambda unit: unit.outbox.deliveries(DeliveryFilter()),
    "dead letters": lambda unit: unit.outbox.deliveries(DeliveryFilter(states=("dead",))),
    "deliveries of a receiver": lambda unit: unit.outbox.deliveries(DeliveryFilter(receiver_id="mail")),
    "deliveries of an incident": lambda unit: unit.outbox.deliveries(DeliveryFilter(incident_id="i1")),
    "open deliveries": lambda unit: unit.outbox.open_deliveries(),
    "open deliveries of a receiver": lambda unit: unit.outbox.open_deliveries(receiver_id="mail"),
    "attempts": lambda unit: unit.outbox.attempts("d1"),
}
SMALL = ("receiver_state",)  # a row a receiver: read whole
WRITES: dict[str, Callable[[UnitOfWork], object]] = {
    "claim": lambda unit: unit.outbox.claim(now=NOON, limit=9, token="t", lease_seconds=60),
    "settle": lambda unit: unit.outbox.settle("d1", token="t", settled=Settled(an_attempt(), "delivered")),
    "reap": lambda unit: unit.outbox.reap(now=NOON),
    "expire": lambda unit: unit.outbox.expire(now=NOON),
    "clamp": lambda unit: unit.outbox.clamp(now=NOON, longest_wait_seconds=60, lease_seconds=60),
    "add": lambda unit: unit.outbox.add_deliveries([a_delivery()]),
    "due groups": lambda unit: unit.incidents.due_groups(now=NOON, limit=9),
    "flushed": lambda unit: unit.incidents.flushed(["g"], now=NOON),
}


@pytest.mark.parametrize("name", READS)
def test_a_frequent_read_scans_no_table(sqlite_store: SqlStore, name: str) -> None:
    with sqlite_store.begin(write=False) as unit, _plans(sqlite_store) as plans:
        READS[name](unit)

    assert plans
    assert [step for step in plans if step.startswith("SCAN") and "INDEX" not in step] == []


@pytest.mark.parametrize("name", WRITES)
def test_a_turn_of_the_dispatcher_scans_no_table(sqlite_store: SqlStore, name: str) -> None:
    with sqlite_store.begin() as unit, _plans(sqlite_store) as plans:
        WRITES[name](unit)

    scans = [step for step in plans if step.startswith("SCAN") and "INDEX" not in step]
    assert [step for step in scans if not step.endswith(SMALL)] == []


def test_a_claim_reads_the_due_rows_in_their_order_and_no_others(sqlite_store: SqlStore) -> None:
    with sqlite_store.begin() as unit, _plans(sqlite_store) as plans:
        WRITES["claim"](unit)

    assert "ix_delivery_due (state=? AND next_attempt_at<?)" in plans[0]
    assert any("ix_delivery_open (ordering_key=? AND seq<?)" in step for step in plans)
    assert [step for step in plans if "TEMP B-TREE" in step] == []


def test_open_deliveries_of_a_receiver_do_not_read_its_past(sqlite_store: SqlStore) -> None:
    with sqlite_store.begin(write=False) as unit, _plans(sqlite_store) as plans:
        READS["open deliveries of a receiver"](unit)

    assert "ix_delivery_open_receiver (receiver_id=?)" in plans[0]


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


@pytest.mark.parametrize(
    "name",
    [
        "pending",
        "event page",
        "polls",
        "article page",
        "incident page",
        "incidents of a subject",
        "transitions of a day",
        "delivery page",
        "dead letters",
        "deliveries of a receiver",
        "attempts",
    ],
)
def test_a_sorted_read_needs_no_sorting(sqlite_store: SqlStore, name: str) -> None:
    with sqlite_store.begin(write=False) as unit, _plans(sqlite_store) as plans:
        READS[name](unit)

    assert [step for step in plans if "TEMP B-TREE FOR ORDER BY" in step] == []
