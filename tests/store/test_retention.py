"""Old messages: their tries go, then what they said; what is owed or given up keeps both."""

from datetime import timedelta

from riskwatch.store import Past, Settled
from riskwatch.store.sql import SqlStore
from tests.store.builders import HOUR, NOON, a_delivery, an_attempt

LATER = NOON + timedelta(days=1)


def _settled(store: SqlStore, *states: str) -> None:
    """Owe a message for each state and settle it, `pending` not at all."""
    with store.begin() as unit:
        unit.outbox.add_deliveries([a_delivery(state) for state in states])
        unit.outbox.claim(now=NOON, limit=9, token="mine", lease_seconds=60)
        for state in states:
            if state != "pending":
                unit.outbox.settle(state, token="mine", settled=Settled(an_attempt(state), state))


def test_only_what_was_delivered_loses_its_contents(store: SqlStore) -> None:
    states = ("delivered", "dead", "pending")
    _settled(store, *states)

    with store.begin() as unit:
        assert unit.retention.count_past(Past.DELIVERED_PAYLOADS, before=LATER) == 1
        assert unit.retention.delete_past(Past.DELIVERED_PAYLOADS, before=LATER, limit=10) == 1
        assert unit.retention.delete_past(Past.DELIVERED_PAYLOADS, before=LATER, limit=10) == 0

    with store.begin(write=False) as unit:
        emptied = {state: unit.outbox.delivery(state).payload == {} for state in states}
        assert len(unit.outbox.attempts("delivered")) == 1
    assert emptied == {"delivered": True, "dead": False, "pending": False}


def test_old_tries_go_and_their_message_stays(store: SqlStore) -> None:
    _settled(store, "delivered", "dead")

    with store.begin() as unit:
        assert unit.retention.count_past(Past.DELIVERY_ATTEMPTS, before=NOON) == 0
        assert unit.retention.delete_past(Past.DELIVERY_ATTEMPTS, before=NOON + HOUR, limit=1) == 1
        assert unit.retention.delete_past(Past.DELIVERY_ATTEMPTS, before=NOON + HOUR, limit=5) == 1

    with store.begin(write=False) as unit:
        assert unit.outbox.attempts("dead") == unit.outbox.attempts("delivered") == ()
        assert unit.outbox.delivery("delivered").payload


def test_what_is_not_old_enough_stays(store: SqlStore) -> None:
    _settled(store, "delivered")

    with store.begin() as unit:
        for past in Past:
            assert unit.retention.count_past(past, before=NOON) == 0
            assert unit.retention.delete_past(past, before=NOON, limit=10) == 0
