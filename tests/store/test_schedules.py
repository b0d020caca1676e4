from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from riskwatch.errors import NotFound
from riskwatch.model import ReceiverState, StoredReceiver
from riskwatch.store import UnitOfWork
from riskwatch.store.sql import SqlStore
from tests.store.builders import HOUR, NOON, a_delivery, a_schedule

MONDAY, NEXT_MONDAY = date(2026, 3, 2), date(2026, 3, 9)
WEEK = timedelta(days=7)


def a_receiver(id_: str = "mail", **fields: Any) -> StoredReceiver:
    given = {"kind": "email", "origin": "api", "config": {"to": ["Käufer@example.com"]}, "is_enabled": True}
    return StoredReceiver(id=id_, **{**given, **fields})


def _advance(unit: UnitOfWork, *, rev: int = 0) -> bool:
    return unit.outbox.advance_schedule(
        "weekly", rev=rev, next_due_at=NOON + WEEK, next_period=NEXT_MONDAY, done=MONDAY, now=NOON + HOUR
    )


def test_receivers_come_back_by_id_as_they_were_saved_last(store: SqlStore) -> None:
    off = a_receiver(
        is_enabled=False, disabled_reason="410", verified_at=NOON, recorded_at=NOON, author="key 1"
    )
    with store.begin() as unit:
        for one in (a_receiver("b"), a_receiver(), off, a_receiver("a")):
            unit.outbox.save_receiver(one)

    with store.begin(write=False) as unit:
        assert unit.outbox.receivers() == (a_receiver("a"), a_receiver("b"), off)


def test_a_receiver_is_forgotten_with_its_state_but_not_what_it_was_sent(store: SqlStore) -> None:
    with store.begin() as unit:
        for id_ in ("mail", "hook"):
            unit.outbox.save_receiver(a_receiver(id_))
            unit.outbox.save_receiver_state(ReceiverState(id_, consecutive_failures=5))
        unit.outbox.add_deliveries([a_delivery()])

        unit.outbox.delete_receiver("mail")

        assert [one.id for one in unit.outbox.receivers()] == ["hook"]
        assert list(unit.outbox.receiver_states()) == ["hook"]
        assert unit.outbox.delivery("d1").receiver_id == "mail"
        with pytest.raises(NotFound):
            unit.outbox.delete_receiver("mail")


def test_the_state_of_a_receiver_is_replaced(store: SqlStore) -> None:
    state = ReceiverState(
        "mail", not_before=NOON, breaker_until=NOON, consecutive_failures=3, failing_since=NOON,
        last_ok_at=NOON, last_error="421", told_at=NOON, disabled_reason="five days of failure",
    )  # fmt: skip
    with store.begin() as unit:
        unit.outbox.save_receiver_state(state)
        unit.outbox.save_receiver_state(ReceiverState("hook"))
        assert unit.outbox.receiver_states() == {"mail": state, "hook": ReceiverState("hook")}

        unit.outbox.save_receiver_state(ReceiverState("mail", last_ok_at=NOON))
        assert unit.outbox.receiver_states()["mail"] == ReceiverState("mail", last_ok_at=NOON)


def test_no_failure_is_forgotten_where_many_count_them_at_once(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.outbox.save_receiver_state(ReceiverState("mail"))

    def fail(_: int) -> None:
        with store.begin() as unit:
            state = unit.outbox.receiver_states()["mail"]
            unit.outbox.save_receiver_state(
                replace(state, consecutive_failures=state.consecutive_failures + 1)
            )

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(fail, range(30)))

    with store.begin(write=False) as unit:
        assert unit.outbox.receiver_states()["mail"].consecutive_failures == 30


def test_schedules_come_back_by_id_as_they_were_saved_last(store: SqlStore) -> None:
    monthly = a_schedule(
        "monthly", days=(), day_of_month=31, last_period=MONDAY, window_start_at=NOON, rev=7,
        when_empty="skip", is_enabled=False, origin="api", author="key 1",
        unsubscribed=("a@example.com", "b@example.com"),
    )  # fmt: skip
    with store.begin() as unit:
        for one in (a_schedule(), monthly, a_schedule(zone="Asia/Tokyo")):
            unit.outbox.save_schedule(one)

    with store.begin(write=False) as unit:
        assert unit.outbox.schedules() == (monthly, a_schedule(zone="Asia/Tokyo"))


def test_a_schedule_is_forgotten_once(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.outbox.save_schedule(a_schedule())
        unit.outbox.delete_schedule("weekly")
        assert unit.outbox.schedules() == ()
        with pytest.raises(NotFound):
            unit.outbox.delete_schedule("weekly")


def test_a_claimed_period_moves_the_schedule_on(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.outbox.save_schedule(a_schedule())

        assert _advance(unit) is True

        assert unit.outbox.schedules() == (
            a_schedule(
                next_due_at=NOON + WEEK,
                next_period=NEXT_MONDAY,
                last_period=MONDAY,
                window_start_at=NOON + HOUR,
                rev=1,
            ),
        )


def test_a_period_claimed_by_another_is_left_alone(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.outbox.save_schedule(a_schedule(rev=1))
        before = unit.outbox.version()

        assert _advance(unit, rev=0) is False
        assert _advance(unit, rev=2) is False

        assert unit.outbox.schedules() == (a_schedule(rev=1),)
        assert unit.outbox.version() == before


def test_of_many_that_claim_a_period_at_once_one_makes_its_digest(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.outbox.save_schedule(a_schedule())

    def claim(number: int) -> bool:
        with store.begin(write=False) as unit:
            (due,) = unit.outbox.schedules()
        with store.begin() as unit:
            if due.rev == 0 and _advance(unit):
                digest = a_delivery(f"d{number}", idempotency_key=f"d:weekly:{due.next_period}:a")
                unit.outbox.add_deliveries([digest])
                return True
        return False

    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(claim, range(8)))

    assert won.count(True) == 1
    with store.begin(write=False) as unit:
        assert [one.id for one in unit.outbox.open_deliveries()] == [f"d{won.index(True)}"]


def test_a_claim_that_is_rolled_back_leaves_the_period_to_others(store: SqlStore) -> None:
    def fail() -> None:
        with store.begin() as unit:
            _advance(unit)
            unit.outbox.add_deliveries([a_delivery()])
            raise ZeroDivisionError

    with store.begin() as unit:
        unit.outbox.save_schedule(a_schedule())
    with pytest.raises(ZeroDivisionError):
        fail()

    with store.begin() as unit:
        assert unit.outbox.open_deliveries() == ()
        assert _advance(unit) is True
