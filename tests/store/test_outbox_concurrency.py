"""Many dispatchers on one outbox: what they may never do together."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from riskwatch.model import AttemptOutcome, ReceiverState
from riskwatch.store import Settled
from riskwatch.store.sql import SqlStore
from tests.store.builders import HOUR, NOON, a_delivery, an_attempt

ROOT = Path(__file__).parents[2]
_CLAIM_ALL = """
import sys
from riskwatch.store.sql import SqlStore
from tests.store.builders import NOON
store, token = SqlStore(sys.argv[1]), sys.argv[2]
while True:
    with store.begin() as unit:
        got = unit.outbox.claim(now=NOON, limit=5, token=token, lease_seconds=60)
    if not got:
        break
    print(*(one.id for one in got), flush=True)
"""
_two_writers = pytest.mark.parametrize(  # on SQLite the second transaction begins when the first has ended
    "database", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


def _claim_all(store: SqlStore, token: str, *, limit: int = 3) -> list[str]:
    """Claim, and deliver, until a turn finds nothing."""
    done = list[str]()
    while True:
        with store.begin() as unit:
            got = unit.outbox.claim(now=NOON, limit=limit, token=token, lease_seconds=60)
        for one in got:
            with store.begin() as unit:
                assert unit.outbox.settle(
                    one.id, token=token, settled=Settled(an_attempt(one.id), "delivered")
                )
        done += [one.id for one in got]
        if not got:
            return done


def test_dispatchers_at_once_never_get_the_same_row(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.outbox.add_deliveries([a_delivery(f"d{n:03}") for n in range(120)])

    with ThreadPoolExecutor(6) as threads:
        got = [id_ for ids in threads.map(lambda n: _claim_all(store, f"t{n}"), range(6)) for id_ in ids]

    assert len(got) == len(set(got))
    rest = _claim_all(store, "last")  # rows that were locked when a thread looked for its last time
    assert sorted(got + rest) == [f"d{n:03}" for n in range(120)]


@pytest.mark.slow
def test_processes_at_once_never_get_the_same_row(store: SqlStore, url: str) -> None:
    with store.begin() as unit:
        unit.outbox.add_deliveries([a_delivery(f"d{n:03}") for n in range(150)])

    running = [
        subprocess.Popen(
            [sys.executable, "-c", _CLAIM_ALL, url, f"p{number}"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    got = [id_ for process in running for id_ in process.communicate(timeout=60)[0].split()]

    assert [process.returncode for process in running] == [0, 0, 0, 0]
    assert len(got) == len(set(got))
    with store.begin() as unit:
        rest = unit.outbox.claim(now=NOON, limit=200, token="t", lease_seconds=60)
    assert sorted(got + [one.id for one in rest]) == [f"d{n:03}" for n in range(150)]


@_two_writers
def test_what_one_dispatcher_is_about_to_claim_is_passed_over_by_another(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.outbox.add_deliveries([a_delivery(f"d{n}") for n in range(4)])

    with store.begin() as one, store.begin() as other:
        first = one.outbox.claim(now=NOON, limit=2, token="a", lease_seconds=60)
        second = other.outbox.claim(now=NOON, limit=9, token="b", lease_seconds=60)

    assert [[each.id for each in got] for got in (first, second)] == [["d0", "d1"], ["d2", "d3"]]


@_two_writers
def test_a_failing_receiver_gets_one_probe_even_from_two_at_once(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.outbox.add_deliveries([a_delivery(f"d{n}") for n in range(4)])
        unit.outbox.save_receiver_state(ReceiverState("mail", consecutive_failures=3))

    with store.begin() as one, store.begin() as other:
        first = one.outbox.claim(now=NOON, limit=9, token="a", lease_seconds=60)
        second = other.outbox.claim(now=NOON, limit=9, token="b", lease_seconds=60)

    assert ([each.id for each in first], list(second)) == (["d0"], [])


def test_the_rows_of_one_ordering_key_are_delivered_in_their_order_by_many(store: SqlStore) -> None:
    keys = [f"k{n}" for n in range(8)]
    with store.begin() as unit:
        unit.outbox.add_deliveries(
            [
                a_delivery(f"{key}-{n}", ordering_key=key, next_attempt_at=NOON)
                for n in range(6)
                for key in keys
            ]
        )

    def deliver(number: int) -> None:
        for turn in range(40):
            token = f"t{number}.{turn}"
            with store.begin() as unit:
                got = unit.outbox.claim(now=NOON, limit=4, token=token, lease_seconds=60)
            for one in got:
                order.append(one.id)
                with store.begin() as unit:
                    assert unit.outbox.settle(
                        one.id, token=token, settled=Settled(an_attempt(one.id), "delivered")
                    )

    order = list[str]()
    with ThreadPoolExecutor(5) as threads:
        list(threads.map(deliver, range(5)))
    deliver(9)

    assert {key: [id_ for id_ in order if id_.startswith(key)] for key in keys} == {
        key: [f"{key}-{n}" for n in range(6)] for key in keys
    }


def test_deliveries_added_by_many_at_once_take_each_place_once(store: SqlStore) -> None:
    def add(number: int) -> None:
        for n in range(5):
            with store.begin() as unit:
                unit.outbox.add_deliveries(
                    [
                        a_delivery(f"own {number}.{n}", ordering_key="k"),
                        a_delivery(f"same {n} by {number}", idempotency_key=f"a:{n}", ordering_key="k"),
                    ]
                )

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(add, range(6)))

    with store.begin(write=False) as unit:
        rows = unit.outbox.open_deliveries()
    assert sorted(one.seq for one in rows) == list(range(1, 36))
    assert len([one for one in rows if one.idempotency_key.startswith("a:")]) == 5


def test_a_row_that_is_reaped_and_settled_at_once_has_one_outcome(store: SqlStore) -> None:
    """Fault 27: whoever comes second changes nothing."""
    ids = [f"d{n:02}" for n in range(30)]
    with store.begin() as unit:
        unit.outbox.add_deliveries([a_delivery(id_) for id_ in ids])
        unit.outbox.claim(now=NOON, limit=99, token="slow", lease_seconds=60)

    def settle(id_: str) -> bool:
        with store.begin() as unit:
            return unit.outbox.settle(id_, token="slow", settled=Settled(an_attempt(id_), "delivered"))

    def reap(_: int) -> int:
        with store.begin() as unit:
            return unit.outbox.reap(now=NOON + HOUR)

    with ThreadPoolExecutor(6) as threads:
        reaping = [threads.submit(reap, n) for n in range(3)]
        settled = dict(zip(ids, threads.map(settle, ids), strict=True))
        reaped = sum(each.result() for each in reaping)

    reaped += reap(0)
    assert reaped + sum(settled.values()) == len(ids)
    with store.begin(write=False) as unit:
        for id_ in ids:
            assert unit.outbox.delivery(id_).state == ("delivered" if settled[id_] else "pending")
            outcome = AttemptOutcome.OK if settled[id_] else AttemptOutcome.AMBIGUOUS
            assert [one.outcome for one in unit.outbox.attempts(id_)] == [outcome]


def test_a_cancelled_row_is_not_also_claimed(store: SqlStore) -> None:
    ids = [f"d{n:02}" for n in range(40)]
    with store.begin() as unit:
        unit.outbox.add_deliveries([a_delivery(id_) for id_ in ids])

    def cancel(number: int) -> list[str]:
        with store.begin() as unit:
            return list(unit.outbox.move(ids[number::4], state="cancel", now=NOON))

    def claim(number: int) -> list[str]:
        with store.begin() as unit:
            got = unit.outbox.claim(now=NOON, limit=10, token=f"t{number}", lease_seconds=60)
        return [one.id for one in got]

    with ThreadPoolExecutor(6) as threads:
        work = [threads.submit(each, n) for n in range(4) for each in (claim, cancel)]
        taken = [id_ for each in work for id_ in each.result()]

    assert len(taken) == len(set(taken))


def test_a_dispatcher_that_was_killed_leaves_its_rows_to_the_reaper(store: SqlStore, url: str) -> None:
    with store.begin() as unit:
        unit.outbox.add_deliveries([a_delivery()])
    died = subprocess.run(
        [sys.executable, "-c", _CLAIM_ALL, url, "gone"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert died.stdout == "d1\n"
    later = NOON + timedelta(seconds=60)
    with store.begin() as unit:
        assert unit.outbox.reap(now=later) == 1
        (again,) = unit.outbox.claim(now=later, limit=1, token="next", lease_seconds=60)
    assert (again.id, again.attempts) == ("d1", 2)
