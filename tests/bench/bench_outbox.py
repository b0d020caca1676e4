"""Rows a second of the outbox: Transitions stored and grouped, then Deliveries claimed and settled.

.venv/bin/python tests/bench/bench_outbox.py [--rows 10000] [--batch 100] [--payload-bytes 3000] [URL]
Without a URL: SQLite in a temporary folder. PostgreSQL: the URL of an empty database.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from riskwatch.app import new_id
from riskwatch.model import (
    Attempt,
    AttemptOutcome,
    Delivery,
    Incident,
    IncidentState,
    Purpose,
    Severity,
    Step,
    Transition,
)
from riskwatch.store import Queued, Settled
from riskwatch.store.sql import SqlStore

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


@contextmanager
def timed(what: str, rows: int) -> Iterator[None]:
    start, worked = time.perf_counter(), time.process_time()
    yield
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    rates = f"{rows / seconds:9,.0f} rows/s  {worked:6.2f} s CPU {rows / worked:9,.0f} rows/s"
    print(f"{what:<42} {seconds:6.2f} s {rates}", flush=True)


def an_incident(number: int) -> Incident:
    return Incident(
        id=new_id(), key=f"{number:064x}", rule_id="fall", subject=f"vendor{number}",
        severity=Severity.WARNING, state=IncidentState.FIRING, condition_hash="c", opened_at=NOW,
        evaluated_at=NOW, bad_count=2, last_value=58.0, last_grade="C", seq=1,
    )  # fmt: skip


def a_transition(incident: Incident, alert: dict[str, Any]) -> Transition:
    return Transition(
        id=new_id(), incident_id=incident.id, seq=1, from_state=IncidentState.PENDING,
        to_state=IncidentState.FIRING, step=Step.OPENED, cause="change", value_old=71.0, value_new=58.0,
        occurred_at=NOW, alert=alert,
    )  # fmt: skip


def a_delivery(payload: dict[str, Any], kind: str = "webhook") -> Delivery:
    id_ = new_id()
    return Delivery(
        id=id_, idempotency_key=id_, receiver_id="hook", kind=kind, recipient="hook", ordering_key=f"k{id_}",
        purpose=Purpose.ALERT, payload=payload, created_at=NOW, deadline_at=NOW + timedelta(hours=48),
        incident_ids=(id_,), transition_ids=(id_,),
    )  # fmt: skip


def flood(store: SqlStore, rows: int, alert: dict[str, Any]) -> None:
    """Store and group one Transition of each of many subjects, as one re-score would."""
    incidents = [an_incident(number) for number in range(rows)]
    transitions = [a_transition(one, alert) for one in incidents]
    waiting = [
        Queued(step.id, "all", receiver, f"vendor{number % 50}", NOW)
        for number, step in enumerate(transitions)
        for receiver in ("mail", "slack")
    ]
    with timed("evaluate and group, one transaction", rows), store.begin() as unit:
        with timed("  newest_incidents", rows):
            unit.incidents.newest_incidents([one.key for one in incidents])
        with timed("  save_incidents", rows):
            unit.incidents.save_incidents(incidents)
        with timed("  add_transitions", rows):
            unit.incidents.add_transitions(transitions)
        with timed("  queue (two receivers, 100 groups)", len(waiting)):
            unit.incidents.queue(waiting)
    with timed("save_incidents again", rows), store.begin() as unit:
        unit.incidents.save_incidents(incidents)
    with timed("newest_incidents again", rows), store.begin() as unit:
        unit.incidents.newest_incidents([one.key for one in incidents])
    with timed("due_groups and flushed", len(waiting)), store.begin() as unit:
        groups = [due.group.id for due in unit.incidents.due_groups(now=LATER, limit=1000)]
        unit.incidents.flushed(groups, now=LATER)


def send(store: SqlStore, rows: int, batch: int, *, payload: dict[str, Any]) -> None:
    """Claim and settle all rows, a batch to each of two transactions."""
    with timed("add_deliveries", rows), store.begin() as unit:
        unit.outbox.add_deliveries([a_delivery(payload) for _ in range(rows)])
    spent = {"claim": 0.0, "settle": 0.0}
    with timed(f"claim + settle, {batch} to a transaction", rows):
        done = 0
        while done < rows:
            start = time.perf_counter()
            with store.begin() as unit:
                got = unit.outbox.claim(now=LATER, limit=batch, token="t", lease_seconds=60)
            middle = time.perf_counter()
            with store.begin() as unit:
                for one in got:
                    tried = Attempt(one.id, one.series, one.attempts, LATER, LATER, AttemptOutcome.OK, "200")
                    assert unit.outbox.settle(one.id, token="t", settled=Settled(tried, "delivered"))
            spent["claim"] += middle - start
            spent["settle"] += time.perf_counter() - middle
            done += len(got)
    print(f"  claim {spent['claim']:.2f} s, settle {spent['settle']:.2f} s")


def settle_alone(store: SqlStore, rows: int, *, payload: dict[str, Any]) -> None:
    with store.begin() as unit:
        unit.outbox.add_deliveries([a_delivery(payload) for _ in range(rows)])
    with store.begin() as unit:
        got = unit.outbox.claim(now=LATER, limit=rows, token="t", lease_seconds=60)
    with timed("settle, one to a transaction", rows):
        for one in got:
            tried = Attempt(one.id, one.series, one.attempts, LATER, LATER, AttemptOutcome.OK, "200")
            with store.begin() as unit:
                unit.outbox.settle(one.id, token="t", settled=Settled(tried, "delivered"))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url", nargs="?")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--payload-bytes", type=int, default=3000)
    given = parser.parse_args()
    alert = {"headline": "x" * given.payload_bytes}
    with tempfile.TemporaryDirectory() as folder:
        store = SqlStore(given.url or f"sqlite:///{folder}/bench.db")
        store.migrate()
        flood(store, given.rows, alert)
        send(store, given.rows, given.batch, payload={"kind": "alert", "alerts": [alert]})
        settle_alone(store, 500, payload={"kind": "alert", "alerts": [alert]})
        with timed("delivery_health", 1), store.begin(write=False) as unit:
            unit.outbox.delivery_health(now=LATER)
        store.close()


if __name__ == "__main__":
    main()
