"""What holds for the outbox whatever dispatchers, reapers and people do to it, and in which order."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from riskwatch.model import Attempt, AttemptOutcome, Delivery, DeliveryState, ReceiverState
from riskwatch.store import Settled
from riskwatch.store.sql import SqlStore
from riskwatch.store.sql.tables_alerts import delivery, delivery_attempt, delivery_incident, receiver_state
from tests.store.builders import NOON, a_delivery

LEASE = timedelta(seconds=60)
RECEIVERS = ("mail", "hook")
OVER = {"delivered", "dead", "expired", "collapsed", "cancelled"}


class Outbox(RuleBasedStateMachine):
    """Random turns of everything that changes Deliveries, on one database."""

    store: SqlStore

    def __init__(self) -> None:
        super().__init__()
        with self.store._engine.begin() as connection:
            for table in (delivery_attempt, delivery_incident, delivery, receiver_state):
                connection.execute(table.delete())
        self.now: datetime = NOON
        self.made, self.tokens = 0, 0
        self.sent: list[Delivery] = []  # as claimed: some settled, some lost
        self.failing: set[str] = set()

    def _rows(self) -> list[Delivery]:
        with self.store.begin(write=False) as unit:
            return [unit.outbox.delivery(f"d{n:03}") for n in range(self.made)]

    @initialize()
    def begin(self) -> None:
        for number in range(8):
            self.add(RECEIVERS[number % 2], "abc"[number % 3], 5 if number == 4 else 3000)

    @rule(receiver=st.sampled_from(RECEIVERS), key=st.sampled_from("abc"), minutes=st.sampled_from((5, 3000)))
    def add(self, receiver: str, key: str, minutes: int) -> None:
        one = a_delivery(
            f"d{self.made:03}",
            receiver_id=receiver,
            kind="slack" if receiver == "hook" else "email",
            ordering_key=f"{receiver}|{key}",
            created_at=self.now,
            deadline_at=self.now + timedelta(minutes=minutes),
            state=DeliveryState.HELD if self.made % 7 == 6 else DeliveryState.PENDING,
        )
        with self.store.begin() as unit:
            assert unit.outbox.add_deliveries([one]) == (one.id,)
            assert unit.outbox.add_deliveries([one]) == ()
        self.made += 1

    @rule(limit=st.integers(1, 4), resting=st.sampled_from(((), ("mail",))))
    def claim(self, limit: int, resting: tuple[str, ...]) -> None:
        before = {one.id: one for one in self._rows()}
        self.tokens += 1
        with self.store.begin() as unit:
            got = unit.outbox.claim(
                now=self.now, limit=limit, token=f"t{self.tokens}", lease_seconds=60, resting=resting
            )
        assert len(got) <= limit
        for one in got:
            was = before[one.id]
            assert was.state == "pending"
            assert was.next_attempt_at is not None
            assert was.next_attempt_at <= self.now < was.deadline_at
            assert one.receiver_id not in resting
            assert one.attempts == was.attempts + 1
            assert not any(
                other.ordering_key == one.ordering_key and other.seq < one.seq and other.state.is_open
                for other in before.values()
            )
        for receiver in self.failing:
            asked = [one for one in before.values() if one.receiver_id == receiver and one.state == "sending"]
            probes = [one for one in got if one.receiver_id == receiver]
            assert len(probes) <= (0 if asked else 1)
        self.sent += got

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), state=st.sampled_from(("delivered", "pending", "dead")), refund=st.booleans())
    def settle(self, data: Any, state: str, refund: bool) -> None:
        one = self.sent.pop(data.draw(st.integers(0, len(self.sent) - 1)))
        is_ours = next(row for row in self._rows() if row.id == one.id).lease_token == one.lease_token
        tried = Attempt(one.id, one.series, one.attempts, self.now, self.now, AttemptOutcome.SKIPPED)
        next_at = self.now + timedelta(minutes=5) if state == "pending" else None
        with self.store.begin() as unit:
            settled = Settled(tried, state, next_attempt_at=next_at, refund=refund and state == "pending")
            held = unit.outbox.is_held(one.id, token=str(one.lease_token), now=self.now)
            assert unit.outbox.settle(one.id, token=str(one.lease_token), settled=settled) is is_ours
            assert is_ours or not held

    @rule()
    def reap(self) -> None:
        with self.store.begin() as unit:
            unit.outbox.reap(now=self.now)
        assert not [one for one in self._rows() if one.lease_until and one.lease_until <= self.now]

    @rule()
    def expire(self) -> None:
        with self.store.begin() as unit:
            unit.outbox.expire(now=self.now)
        late = [one for one in self._rows() if one.state.is_open and one.deadline_at <= self.now]
        assert all(one.state == "sending" for one in late)

    @precondition(lambda self: self.made)
    @rule(data=st.data(), verb=st.sampled_from(("redrive", "release", "cancel", "collapse", "fold")))
    def move(self, data: Any, verb: str) -> None:
        id_ = f"d{data.draw(st.integers(0, self.made - 1)):03}"
        before = next(one for one in self._rows() if one.id == id_)
        with self.store.begin() as unit:
            moved = unit.outbox.move([id_], state=verb, now=self.now, deadline_at=self.now + LEASE * 60)
            after = unit.outbox.delivery(id_)
        assert bool(moved) is (after != before)
        assert before.state != "sending" or not moved

    @rule(receiver=st.sampled_from(RECEIVERS), failures=st.sampled_from((0, 3)), rest=st.booleans())
    def judge(self, receiver: str, failures: int, rest: bool) -> None:
        until = self.now + LEASE if rest else None
        with self.store.begin() as unit:
            unit.outbox.save_receiver_state(ReceiverState(receiver, until, None, failures))
        (self.failing.add if failures else self.failing.discard)(receiver)

    @rule(minutes=st.sampled_from((0.5, 1, 5, -10)))
    def let_time_pass(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)
        if minutes < 0:
            with self.store.begin() as unit:
                unit.outbox.clamp(now=self.now, longest_wait_seconds=300, lease_seconds=60)
            for one in self._rows():
                assert (
                    one.next_attempt_at is None
                    or one.next_attempt_at <= self.now + timedelta(minutes=5)
                    or (one.state == "sending")
                )
                assert one.lease_until is None or one.lease_until <= self.now + LEASE

    @invariant()
    def one_of_a_key_is_sent_at_a_time(self) -> None:
        # one that a person had sent again has lost its place
        sending = [one.ordering_key for one in self._rows() if one.state == "sending" and one.series == 1]
        assert len(sending) == len(set(sending))

    @invariant()
    def a_lease_and_a_next_try_belong_to_a_state(self) -> None:
        for one in self._rows():
            assert (one.lease_token is not None) is (one.lease_until is not None) is (one.state == "sending")
            assert (one.next_attempt_at is not None) or one.state != "pending"
            assert one.next_attempt_at is None or one.state not in OVER

    def teardown(self) -> None:
        """Nothing is lost: left to run, every open row that is not held comes to an end."""
        with self.store.begin() as unit:
            unit.outbox.move([one.id for one in self._rows()], state="release", now=self.now)
            for receiver in RECEIVERS:
                unit.outbox.save_receiver_state(ReceiverState(receiver))
        for _ in range(self.made + 3):
            self.now += timedelta(minutes=6)
            with self.store.begin() as unit:
                unit.outbox.reap(now=self.now)
                unit.outbox.expire(now=self.now)
                got = unit.outbox.claim(now=self.now, limit=99, token="last", lease_seconds=60)
                for one in got:
                    tried = Attempt(one.id, one.series, one.attempts, self.now, self.now, AttemptOutcome.OK)
                    assert unit.outbox.settle(one.id, token="last", settled=Settled(tried, "delivered"))
        assert {str(one.state) for one in self._rows()} <= OVER


@pytest.mark.slow
def test_the_outbox_keeps_its_laws_under_any_turns(store: SqlStore, database: str) -> None:
    run_state_machine_as_test(
        type("OutboxHere", (Outbox,), {"store": store}),
        settings=settings(
            max_examples=30 if database == "sqlite" else 5,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
