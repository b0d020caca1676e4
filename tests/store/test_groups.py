from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from riskwatch.errors import NotFound
from riskwatch.store import Queued, UnitOfWork
from riskwatch.store.sql import SqlStore
from tests.store.builders import HOUR, NOON, a_transition, an_incident, queued

SECOND = timedelta(seconds=1)


def _add(store: SqlStore, *ids: str) -> None:
    with store.begin() as unit:
        unit.incidents.save_incidents([an_incident()])
        unit.incidents.add_transitions([a_transition(id_, seq=n) for n, id_ in enumerate(ids, start=1)])


def _due(unit: UnitOfWork, now: datetime, limit: int = 100) -> list[tuple[str, list[str]]]:
    due = unit.incidents.due_groups(now=now, limit=limit)
    return [(each.group.group_key, [one.id for one in each.transitions]) for each in due]


def _flush(unit: UnitOfWork, now: datetime) -> None:
    unit.incidents.flushed([due.group.id for due in unit.incidents.due_groups(now=now, limit=100)], now=now)


def test_a_group_waits_until_its_instant_and_is_then_due_with_all_that_wait(store: SqlStore) -> None:
    _add(store, "t2", "t1")
    with store.begin() as unit:
        unit.incidents.queue([queued("t2"), queued("t1")])

        assert _due(unit, NOON + 59 * SECOND) == []
        (due,) = unit.incidents.due_groups(now=NOON + 60 * SECOND, limit=9)

    assert due.transitions == (a_transition("t1", seq=2), a_transition("t2", seq=1))
    assert (due.group.route_id, due.group.receiver_id, due.group.group_key) == ("all", "mail", "alibaba")
    assert (due.group.flush_at, due.group.generation, due.group.last_flush_at) == (
        NOON + 60 * SECOND,
        0,
        None,
    )


def test_groups_are_due_by_their_instant(store: SqlStore) -> None:
    _add(store, "t1")
    waits = {"a": 3, "b": 1, "c": 2}
    with store.begin() as unit:
        unit.incidents.queue(
            [queued(receiver_id=key, group_key=key, flush_at=NOON + n * SECOND) for key, n in waits.items()]
        )

        assert _due(unit, NOON + HOUR) == [("b", ["t1"]), ("c", ["t1"]), ("a", ["t1"])]
        assert _due(unit, NOON + HOUR, limit=1) == [("b", ["t1"])]
        assert _due(unit, NOON + 2 * SECOND) == [("b", ["t1"]), ("c", ["t1"])]


def test_a_waiting_group_keeps_the_earlier_instant(store: SqlStore) -> None:
    _add(store, "t1", "t2", "t3")
    with store.begin() as unit:
        unit.incidents.queue([queued("t1", flush_at=NOON + 60 * SECOND)])
        unit.incidents.queue([queued("t2", flush_at=NOON + 90 * SECOND)])
        assert _due(unit, NOON + 60 * SECOND) == [("alibaba", ["t1", "t2"])]

        unit.incidents.queue([queued("t3", flush_at=NOON + 10 * SECOND)])
        assert _due(unit, NOON + 10 * SECOND) == [("alibaba", ["t1", "t2", "t3"])]


def test_a_flushed_group_is_empty_counts_its_flush_and_rests_for_its_interval(store: SqlStore) -> None:
    _add(store, "t1", "t2")
    with store.begin() as unit:
        unit.incidents.queue([queued("t1")])
        _flush(unit, NOON + 60 * SECOND)
        assert _due(unit, NOON + 9 * HOUR) == []

        unit.incidents.queue([queued("t2", flush_at=NOON + 70 * SECOND, interval_seconds=900)])
        assert _due(unit, NOON + 959 * SECOND) == []
        (due,) = unit.incidents.due_groups(now=NOON + 960 * SECOND, limit=9)

    assert [one.id for one in due.transitions] == ["t2"]
    assert (due.group.generation, due.group.last_flush_at) == (1, NOON + 60 * SECOND)


def test_a_group_long_at_rest_flushes_when_it_is_asked_to(store: SqlStore) -> None:
    _add(store, "t1", "t2")
    with store.begin() as unit:
        unit.incidents.queue([queued("t1")])
        _flush(unit, NOON + 60 * SECOND)
        unit.incidents.queue([queued("t2", flush_at=NOON + HOUR)])

        assert _due(unit, NOON + HOUR) == [("alibaba", ["t2"])]


def test_a_last_flush_that_lies_ahead_delays_by_one_interval_at_most(store: SqlStore) -> None:
    _add(store, "t1", "t2")
    with store.begin() as unit:
        unit.incidents.queue([queued("t1")])
        _flush(unit, NOON + 24 * HOUR)
        unit.incidents.queue([queued("t2", flush_at=NOON, interval_seconds=900)])

        assert _due(unit, NOON + 900 * SECOND) == [("alibaba", ["t2"])]


@pytest.mark.parametrize(
    "other", [queued(), queued(group_key="elsewhere")], ids=["same group", "another group"]
)
def test_a_transition_waits_once_for_each_route_and_receiver(store: SqlStore, other: Queued) -> None:
    _add(store, "t1")
    with store.begin() as unit:
        unit.incidents.queue([queued()])
        unit.incidents.queue([other, queued(receiver_id="slack"), queued(route_id="critical")])

        assert _due(unit, NOON + HOUR) == [("alibaba", ["t1"])] * 3


def test_a_group_of_another_receiver_is_not_emptied_with_it(store: SqlStore) -> None:
    _add(store, "t1")
    with store.begin() as unit:
        unit.incidents.queue([queued(), queued(receiver_id="slack", flush_at=NOON + HOUR)])
        _flush(unit, NOON + 60 * SECOND)
        unit.incidents.flushed([], now=NOON)

        assert _due(unit, NOON + HOUR) == [("alibaba", ["t1"])]


def test_only_a_stored_transition_may_wait(store: SqlStore) -> None:
    with pytest.raises(NotFound), store.begin() as unit:
        unit.incidents.queue([queued()])


def test_groups_flushed_by_many_at_once_are_told_once(store: SqlStore) -> None:
    ids = [f"t{n}" for n in range(40)]
    _add(store, *ids)
    with store.begin() as unit:
        unit.incidents.queue([queued(id_, group_key=f"vendor {n % 20}") for n, id_ in enumerate(ids)])

    def flush(_: int) -> Sequence[str]:
        told = list[str]()
        for _turn in range(6):
            with store.begin() as unit:
                due = unit.incidents.due_groups(now=NOON + HOUR, limit=3)
                told += [one.id for each in due for one in each.transitions]
                unit.incidents.flushed([each.group.id for each in due], now=NOON + HOUR)
        return told

    with ThreadPoolExecutor(6) as threads:
        told = [id_ for each in threads.map(flush, range(6)) for id_ in each]

    assert len(told) == len(set(told))
    with store.begin() as unit:
        rest = [id_ for _, ids_ in _due(unit, NOON + HOUR) for id_ in ids_]
    assert sorted(told + rest) == sorted(ids)


def test_none_is_lost_while_groups_are_filled_and_flushed_at_once(store: SqlStore) -> None:
    ids = [f"t{n}" for n in range(60)]
    _add(store, *ids)

    def fill(number: int) -> list[str]:
        for id_ in ids[number::4]:
            with store.begin() as unit:
                unit.incidents.queue([queued(id_, flush_at=NOON, interval_seconds=0)])
        return []

    def flush(_: int) -> list[str]:
        told = list[str]()
        for _turn in range(25):
            with store.begin() as unit:
                due = unit.incidents.due_groups(now=NOON, limit=9)
                told += [one.id for each in due for one in each.transitions]
                unit.incidents.flushed([each.group.id for each in due], now=NOON)
        return told

    with ThreadPoolExecutor(6) as threads:
        work = [threads.submit(fill, n) for n in range(4)] + [threads.submit(flush, n) for n in range(2)]
        told = [id_ for each in work for id_ in each.result()]
    told += flush(0)

    assert sorted(told) == sorted(ids)
