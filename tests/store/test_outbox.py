from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from riskwatch.errors import NotFound
from riskwatch.model import AttemptOutcome, DeliveryState, Purpose, ReceiverState
from riskwatch.store import DeliveryFilter, OutboxStore, Settled, UnitOfWork
from riskwatch.store.sql import SqlStore
from tests.store.builders import HOUR, NOON, a_delivery, an_attempt

SECOND = timedelta(seconds=1)
DELIVERED = Settled(an_attempt(), "delivered", provider_ref="ref 1")


def _claim(
    unit: UnitOfWork, *, now: Any = NOON, by: str = "mine", limit: int = 100, **more: Any
) -> list[str]:
    return [d.id for d in unit.outbox.claim(now=now, limit=limit, token=by, lease_seconds=60, **more)]


def _add(store: SqlStore, *deliveries: Any) -> None:
    with store.begin() as unit:
        unit.outbox.add_deliveries(deliveries)


def _state(unit: UnitOfWork, delivery_id: str = "d1") -> str:
    return str(unit.outbox.delivery(delivery_id).state)


# adding


def test_a_delivery_comes_back_with_the_place_that_it_got(store: SqlStore) -> None:
    held = a_delivery(
        "d2", ordering_key="order of d1", state=DeliveryState.HELD, is_plain=True, incident_ids=()
    )
    _add(store, a_delivery(), held)

    with store.begin(write=False) as unit:
        assert unit.outbox.delivery("d1") == replace(a_delivery(), seq=1, next_attempt_at=NOON)
        assert unit.outbox.delivery("d2") == replace(held, seq=2)
        with pytest.raises(NotFound):
            unit.outbox.delivery("d3")


def test_a_second_delivery_of_the_same_key_is_passed_over(store: SqlStore) -> None:
    with store.begin() as unit:
        first = unit.outbox.add_deliveries([a_delivery("d1", idempotency_key="k"), a_delivery("d2")])
        again = unit.outbox.add_deliveries(
            [
                a_delivery("d3", idempotency_key="k"),
                a_delivery("d4"),
                a_delivery("d5", idempotency_key="key of d4"),
            ]
        )

    assert (first, again) == (("d1", "d2"), ("d4",))
    with store.begin(write=False) as unit:
        assert [one.id for one in unit.outbox.open_deliveries()] == ["d1", "d2", "d4"]


def test_each_ordering_key_counts_for_itself_over_all_transactions(store: SqlStore) -> None:
    for batch in (("a1", "b1", "a2"), ("a3", "b2")):
        _add(store, *(a_delivery(id_, ordering_key=id_[0]) for id_ in batch))

    with store.begin(write=False) as unit:
        assert {d.id: d.seq for d in unit.outbox.open_deliveries()} == {
            "a1": 1,
            "a2": 2,
            "a3": 3,
            "b1": 1,
            "b2": 2,
        }


# claiming


def test_what_is_claimed_is_leased_and_gone_for_others(store: SqlStore) -> None:
    _add(store, a_delivery())

    with store.begin() as unit:
        (got,) = unit.outbox.claim(now=NOON, limit=9, token="mine", lease_seconds=60)

    assert (got.state, got.attempts, got.lease_token, got.lease_until) == (
        "sending",
        1,
        "mine",
        NOON + 60 * SECOND,
    )
    assert got.payload == a_delivery().payload
    with store.begin() as unit:
        assert unit.outbox.delivery("d1") == got
        assert _claim(unit, by="yours", now=NOON + HOUR) == []


def test_the_oldest_due_come_first_and_no_more_than_asked_for(store: SqlStore) -> None:
    due = {"a": 3, "b": 1, "d": 2, "c": 2, "later": -1}
    _add(store, *(a_delivery(id_, next_attempt_at=NOON - ago * SECOND) for id_, ago in due.items()))

    with store.begin() as unit:
        assert _claim(unit, limit=3) == ["a", "c", "d"]
        assert _claim(unit, limit=3) == ["b"]
        assert _claim(unit, limit=3, now=NOON + SECOND) == ["later"]


def test_a_delivery_past_its_deadline_or_held_is_not_claimed(store: SqlStore) -> None:
    _add(store, a_delivery("late", deadline_at=NOON), a_delivery("held", state=DeliveryState.HELD))

    with store.begin() as unit:
        assert _claim(unit) == []


@pytest.mark.parametrize("how", ["delivered", "dead", "cancelled", "expired", "collapsed"])
def test_the_next_of_an_ordering_key_waits_until_the_one_before_is_over(store: SqlStore, how: str) -> None:
    _add(store, *(a_delivery(id_, ordering_key="k") for id_ in ("d1", "d2")))
    moves = {"cancelled": "cancel", "expired": "fold", "collapsed": "collapse"}

    with store.begin() as unit:
        if how in moves:
            unit.outbox.move(["d1"], state=moves[how], now=NOON)
        else:
            assert _claim(unit) == ["d1"]
            assert _claim(unit) == []
            unit.outbox.settle("d1", token="mine", settled=Settled(an_attempt(), how))
        assert _claim(unit) == ["d2"]


@pytest.mark.parametrize("state", [DeliveryState.PENDING, DeliveryState.HELD])
def test_nothing_overtakes_one_that_waits_for_its_next_try_or_for_a_person(
    store: SqlStore, state: DeliveryState
) -> None:
    first = a_delivery("d1", ordering_key="k", state=state, next_attempt_at=NOON + HOUR)
    _add(store, first, a_delivery("d2", ordering_key="k"), a_delivery("d3"))

    with store.begin() as unit:
        assert _claim(unit) == ["d3"]


@pytest.mark.parametrize(
    "state",
    [
        ReceiverState("mail", not_before=NOON + SECOND),
        ReceiverState("mail", breaker_until=NOON + SECOND, consecutive_failures=3),
    ],
    ids=["asked to wait", "breaker"],
)
def test_a_receiver_that_rests_gets_nothing_until_then(store: SqlStore, state: ReceiverState) -> None:
    _add(store, a_delivery("d1"), a_delivery("d2", receiver_id="hook"))

    with store.begin() as unit:
        unit.outbox.save_receiver_state(state)
        assert _claim(unit) == ["d2"]
        assert _claim(unit, now=NOON + SECOND) == ["d1"]


def test_receivers_that_the_caller_lets_rest_get_nothing(store: SqlStore) -> None:
    _add(store, a_delivery("d1"), a_delivery("d2", receiver_id="hook"))

    with store.begin() as unit:
        assert _claim(unit, resting=["mail", "other"]) == ["d2"]


@pytest.mark.parametrize(("failures", "got"), [(2, ["d1", "d3", "d4"]), (3, ["d3", "d4"])])
def test_a_failing_receiver_gets_one_probe_at_a_time(store: SqlStore, failures: int, got: list[str]) -> None:
    _add(
        store,
        a_delivery("d1", next_attempt_at=NOON - SECOND),
        a_delivery("d2", ordering_key="k", next_attempt_at=NOON + HOUR),
        a_delivery("d2b", ordering_key="k", next_attempt_at=NOON - HOUR),  # waits for the one before
        a_delivery("d3", next_attempt_at=NOON - 2 * SECOND),
        a_delivery("d4", receiver_id="hook"),
    )

    with store.begin() as unit:
        unit.outbox.save_receiver_state(ReceiverState("mail", consecutive_failures=failures))
        assert sorted(_claim(unit)) == got
        if failures == 3:
            assert _claim(unit) == []
            unit.outbox.settle("d3", token="mine", settled=Settled(an_attempt("d3"), "dead"))
            assert _claim(unit) == ["d1"]


def test_a_row_whose_probe_failed_is_followed_by_the_next_due_one(store: SqlStore) -> None:
    _add(store, a_delivery("d1"), a_delivery("d2"))
    failed = Settled(an_attempt(outcome=AttemptOutcome.TRANSIENT), "pending", next_attempt_at=NOON + HOUR)

    with store.begin() as unit:
        unit.outbox.save_receiver_state(ReceiverState("mail", consecutive_failures=9))
        assert _claim(unit) == ["d1"]
        unit.outbox.settle("d1", token="mine", settled=failed)
        assert _claim(unit) == ["d2"]


# settling


def test_a_delivered_message_keeps_its_proof(store: SqlStore) -> None:
    _add(store, a_delivery())
    with store.begin() as unit:
        _claim(unit)
        assert unit.outbox.is_held("d1", token="mine", now=NOON)
        assert unit.outbox.settle("d1", token="mine", settled=DELIVERED) is True
        assert not unit.outbox.is_held("d1", token="mine", now=NOON)

    with store.begin(write=False) as unit:
        done = unit.outbox.delivery("d1")
        assert unit.outbox.attempts("d1") == (an_attempt(),)
    assert (done.state, done.delivered_at, done.provider_ref) == ("delivered", NOON + SECOND, "ref 1")
    assert (done.lease_token, done.lease_until, done.next_attempt_at, done.last_outcome) == (
        None,
        None,
        None,
        "ok",
    )


def test_a_failed_try_waits_for_its_next_one_and_remembers_to_stay_plain(store: SqlStore) -> None:
    _add(store, a_delivery())
    attempt = an_attempt(outcome=AttemptOutcome.TRANSIENT, code="421")

    with store.begin() as unit:
        _claim(unit)
        settled = Settled(attempt, "pending", next_attempt_at=NOON + HOUR, is_plain=True)
        assert unit.outbox.settle("d1", token="mine", settled=settled)
        assert _claim(unit, now=NOON + HOUR - SECOND) == []
        (again,) = unit.outbox.claim(now=NOON + HOUR, limit=1, token="other", lease_seconds=60)
        assert (again.attempts, again.is_plain, again.last_outcome) == (2, True, "transient")
        unit.outbox.settle("d1", token="other", settled=Settled(an_attempt(n=2), "pending"))
        assert unit.outbox.delivery("d1").is_plain
        assert _claim(unit, now=NOON + HOUR) == ["d1"]
        assert [(one.n, one.outcome) for one in unit.outbox.attempts("d1")] == [(1, "transient"), (2, "ok")]


def test_a_refunded_try_does_not_count_but_is_listed(store: SqlStore) -> None:
    _add(store, a_delivery())
    skipped = Settled(an_attempt(outcome=AttemptOutcome.SKIPPED), "pending", refund=True)

    with store.begin() as unit:
        for _ in range(2):
            _claim(unit, now=NOON + HOUR)
            unit.outbox.settle("d1", token="mine", settled=skipped)
        assert unit.outbox.delivery("d1").attempts == 0
        assert [one.outcome for one in unit.outbox.attempts("d1")] == ["skipped", "skipped"]


@pytest.mark.parametrize("taken_over", [False, True])
def test_a_settle_after_the_lease_was_reaped_changes_nothing(store: SqlStore, taken_over: bool) -> None:
    _add(store, a_delivery())
    later = NOON + 61 * SECOND
    with store.begin() as unit:
        _claim(unit)
    with store.begin() as unit:
        assert unit.outbox.reap(now=later) == 1
        if taken_over:
            assert _claim(unit, now=later, by="other") == ["d1"]
        before, tries = unit.outbox.delivery("d1"), unit.outbox.attempts("d1")
    with store.begin() as unit:
        assert not unit.outbox.is_held("d1", token="mine", now=later)
        version = unit.outbox.version()

        assert unit.outbox.settle("d1", token="mine", settled=DELIVERED) is False

        assert (unit.outbox.delivery("d1"), unit.outbox.attempts("d1")) == (before, tries)
        assert unit.outbox.version() == version


def test_a_lease_stands_for_its_token_until_its_end(store: SqlStore) -> None:
    _add(store, a_delivery())
    with store.begin() as unit:
        _claim(unit)
    with store.begin(write=False) as unit:
        assert unit.outbox.is_held("d1", token="mine", now=NOON + 59 * SECOND)
        assert not unit.outbox.is_held("d1", token="mine", now=NOON + 60 * SECOND)
        assert not unit.outbox.is_held("d1", token="yours", now=NOON)
        assert not unit.outbox.is_held("d2", token="mine", now=NOON)


# reaping, expiring, clamping


def test_a_lease_that_ran_out_goes_back_with_an_unclear_try(store: SqlStore) -> None:
    _add(store, a_delivery("d1"), a_delivery("d2"))
    with store.begin() as unit:
        _claim(unit, limit=1)
        _claim(unit, now=NOON + SECOND)
        assert unit.outbox.reap(now=NOON + 59 * SECOND) == 0
        assert unit.outbox.reap(now=NOON + 60 * SECOND) == 1
        (attempt,) = unit.outbox.attempts("d1")
        row = unit.outbox.delivery("d1")

    assert (attempt.outcome, attempt.code, attempt.n) == ("ambiguous", "lease_expired", 1)
    assert (attempt.started_at, attempt.ended_at, attempt.latency_ms) == (NOON, NOON + 60 * SECOND, 60_000)
    assert (row.state, row.attempts, row.next_attempt_at) == ("pending", 1, NOON + 60 * SECOND)
    assert (row.lease_token, row.lease_until, row.last_outcome) == (None, None, "ambiguous")


@pytest.mark.parametrize(("kind", "end"), [("slack", "dead"), ("email", "pending"), ("webhook", "pending")])
def test_a_slack_message_whose_outcome_was_unclear_twice_is_dead(
    store: SqlStore, kind: str, end: str
) -> None:
    _add(store, a_delivery(kind=kind))
    with store.begin() as unit:
        for turn in range(2):
            assert _state(unit) == "pending"
            at = NOON + turn * HOUR
            _claim(unit, now=at)
            unit.outbox.reap(now=at + 60 * SECOND)
        assert _state(unit) == end
        assert len(unit.outbox.attempts("d1")) == 2


def test_a_redriven_slack_message_may_be_unclear_once_again(store: SqlStore) -> None:
    _add(store, a_delivery(kind="slack"))
    with store.begin() as unit:
        for hour in range(3):
            at = NOON + hour * HOUR
            unit.outbox.move(["d1"], state="redrive", now=at)
            assert _claim(unit, now=at) == ["d1"]
            unit.outbox.reap(now=at + 60 * SECOND)
        assert _state(unit) == "pending"
        assert [(one.series, one.n) for one in unit.outbox.attempts("d1")] == [(1, 1), (1, 2), (2, 1)]


def test_a_test_message_is_tried_once_only(store: SqlStore) -> None:
    _add(store, a_delivery(purpose=Purpose.TEST))
    with store.begin() as unit:
        _claim(unit)
        unit.outbox.reap(now=NOON + HOUR)
        assert _state(unit) == "dead"


def test_what_is_open_past_its_deadline_expires_but_not_what_is_being_sent(store: SqlStore) -> None:
    rows = [a_delivery(id_, deadline_at=NOON + SECOND) for id_ in ("sending", "b", "a")]
    held = a_delivery("held", state=DeliveryState.HELD, deadline_at=NOON + SECOND)
    _add(store, *rows, held, a_delivery("later"))
    with store.begin() as unit:
        assert _claim(unit, resting=[]) == ["a", "b", "later", "sending"]
        for id_ in ("a", "b", "later"):
            unit.outbox.settle(id_, token="mine", settled=Settled(an_attempt(id_), "pending"))
        assert unit.outbox.expire(now=NOON) == ()
        assert unit.outbox.expire(now=NOON + SECOND) == ("a", "b", "held")
        assert unit.outbox.expire(now=NOON + SECOND) == ()
        assert [_state(unit, id_) for id_ in ("a", "sending", "later")] == ["expired", "sending", "pending"]


def test_after_the_clock_was_set_back_waits_keep_their_length(store: SqlStore) -> None:
    ahead = NOON + 24 * HOUR
    _add(
        store,
        a_delivery("fresh", created_at=ahead),
        a_delivery("tried", created_at=ahead),
        a_delivery("right"),
    )
    with store.begin() as unit:
        unit.outbox.settle("none", token="mine", settled=DELIVERED)
        _claim(unit, now=ahead, resting=[])
        for id_ in ("tried", "right"):
            attempt = an_attempt(id_, ended_at=ahead if id_ == "tried" else NOON)
            settled = Settled(attempt, "pending", next_attempt_at=attempt.ended_at + HOUR)
            unit.outbox.settle(id_, token="mine", settled=settled)

        moved = unit.outbox.clamp(now=NOON, longest_wait_seconds=7200, lease_seconds=300)

        assert moved == 2
        assert unit.outbox.delivery("tried").next_attempt_at == NOON + HOUR
        assert unit.outbox.delivery("right").next_attempt_at == NOON + HOUR
        assert unit.outbox.delivery("fresh").lease_until == NOON + 300 * SECOND
        assert unit.outbox.clamp(now=NOON, longest_wait_seconds=7200, lease_seconds=300) == 0


def test_no_wait_is_longer_than_the_longest(store: SqlStore) -> None:
    _add(store, a_delivery("d1", next_attempt_at=NOON + 100 * HOUR), a_delivery("d2", created_at=NOON + HOUR))
    with store.begin() as unit:
        assert unit.outbox.clamp(now=NOON, longest_wait_seconds=60, lease_seconds=60) == 2
        assert unit.outbox.delivery("d1").next_attempt_at == NOON + 60 * SECOND
        assert _claim(unit) == ["d2"]


def test_after_a_jump_of_the_clock_receivers_are_asked_again_at_once(store: SqlStore) -> None:
    _add(store, a_delivery())
    with store.begin() as unit:
        state = ReceiverState("mail", not_before=NOON + 9 * HOUR, breaker_until=NOON + HOUR, last_error="x")
        unit.outbox.save_receiver_state(state)
        unit.outbox.clamp(now=NOON, longest_wait_seconds=60, lease_seconds=60)

        assert unit.outbox.receiver_states()["mail"] == replace(state, not_before=NOON, breaker_until=NOON)
        assert _claim(unit) == ["d1"]


# what people do


MOVES = {
    "redrive": ({"dead"}, "pending"),
    "release": ({"held"}, "pending"),
    "cancel": ({"pending", "held", "dead"}, "cancelled"),
    "collapse": ({"pending"}, "collapsed"),
    "fold": ({"pending"}, "expired"),
}


@pytest.mark.parametrize("verb", MOVES)
def test_a_move_takes_only_what_it_may(store: SqlStore, verb: str) -> None:
    states = [state for state in DeliveryState if state != "sending"]
    _add(store, *(a_delivery(str(state), state=state) for state in states), a_delivery("sending"))
    with store.begin() as unit:
        _claim(unit, resting=[])
        unit.outbox.settle("pending", token="mine", settled=Settled(an_attempt("pending"), "pending"))
        origins, target = MOVES[verb]

        moved = unit.outbox.move([*states, "sending", "none"], state=verb, now=NOON)

        assert moved == tuple(sorted(origins))
        for state in [*states, "sending"]:
            assert _state(unit, str(state)) == (target if state in origins else state)


def test_a_redriven_delivery_starts_a_new_series_with_a_new_deadline(store: SqlStore) -> None:
    _add(store, a_delivery())
    with store.begin() as unit:
        _claim(unit)
        unit.outbox.settle("d1", token="mine", settled=Settled(an_attempt(), "dead"))
        unit.outbox.move(["d1"], state="redrive", now=NOON + 90 * HOUR, deadline_at=NOON + 99 * HOUR)
        row = unit.outbox.delivery("d1")

        assert (row.series, row.attempts, row.deadline_at) == (2, 0, NOON + 99 * HOUR)
        assert _claim(unit, now=NOON + 90 * HOUR) == ["d1"]


def test_a_released_summary_is_due_at_once(store: SqlStore) -> None:
    _add(store, a_delivery(state=DeliveryState.HELD))
    with store.begin() as unit:
        unit.outbox.move(["d1"], state="release", now=NOON + HOUR)
        assert _claim(unit, now=NOON + HOUR) == ["d1"]


# looking


def test_deliveries_are_listed_by_page_and_by_what_they_are_about(store: SqlStore) -> None:
    rows = [
        a_delivery(
            f"d{n}",
            created_at=NOON + timedelta(hours=n // 2),
            receiver_id="hook" if n == 3 else "mail",
            purpose=Purpose.DIGEST if n == 4 else Purpose.ALERT,
            incident_ids=("i5", "i6") if n == 5 else ("i1",),
            state=DeliveryState.DEAD if n == 2 else DeliveryState.PENDING,
        )
        for n in range(7)
    ]
    _add(store, *rows)

    with store.begin(write=False) as unit:
        pages, after = list[str](), None
        while page := unit.outbox.deliveries(DeliveryFilter(after=after, limit=2)):
            pages += [one.id for one in page]
            after = (page[-1].created_at, page[-1].id)

        assert pages == [f"d{n}" for n in reversed(range(7))]
        assert _listed(unit, receiver_id="hook") == ["d3"]
        assert _listed(unit, purpose="digest") == ["d4"]
        assert _listed(unit, incident_id="i6") == ["d5"]
        assert _listed(unit, states=("dead", "delivered")) == ["d2"]
        assert [one.id for one in unit.outbox.open_deliveries(receiver_id="mail")] == [
            "d0",
            "d1",
            "d4",
            "d5",
            "d6",
        ]


def _listed(unit: UnitOfWork, **fields: Any) -> Sequence[str]:
    return [one.id for one in unit.outbox.deliveries(DeliveryFilter(**fields))]


def test_the_health_of_the_outbox_tells_what_a_running_dispatcher_would_have_taken(store: SqlStore) -> None:
    _add(
        store,
        a_delivery("waits", next_attempt_at=NOON + HOUR, ordering_key="k"),
        a_delivery("behind", next_attempt_at=NOON - 9 * HOUR, ordering_key="k"),
        a_delivery("resting", receiver_id="hook", kind="webhook", next_attempt_at=NOON - 8 * HOUR),
        a_delivery("dead", kind="webhook", state=DeliveryState.DEAD),
    )
    with store.begin() as unit:
        unit.outbox.save_receiver_state(ReceiverState("hook", not_before=NOON + HOUR))
        quiet = unit.outbox.delivery_health(now=NOON)
        unit.outbox.add_deliveries([a_delivery("due", next_attempt_at=NOON - HOUR)])

        assert quiet.oldest_due_at is None
        assert quiet.counts == {("email", "pending"): 2, ("webhook", "pending"): 1, ("webhook", "dead"): 1}
        assert unit.outbox.delivery_health(now=NOON).oldest_due_at == NOON - HOUR


@pytest.mark.parametrize(
    "write",
    [
        lambda outbox: outbox.add_deliveries([a_delivery("new")]),
        lambda outbox: outbox.claim(now=NOON, limit=1, token="t", lease_seconds=60),
        lambda outbox: outbox.move(["d1"], state="cancel", now=NOON),
        lambda outbox: outbox.save_receiver_state(ReceiverState("mail", consecutive_failures=1)),
    ],
    ids=["delivery", "claim", "move", "receiver state"],
)
def test_what_the_dispatcher_writes_leaves_the_pages_of_scores_alone(
    store: SqlStore, write: Callable[[OutboxStore], object]
) -> None:
    _add(store, a_delivery())
    with store.begin() as unit:
        before = (unit.outbox.version(), unit.incidents.version(), unit.scores.data_version())
        write(unit.outbox)

    with store.begin(write=False) as unit:
        now = (unit.outbox.version(), unit.incidents.version(), unit.scores.data_version())
        assert now == (before[0] + 1, *before[1:])


def test_a_turn_that_finds_nothing_to_do_changes_no_version(store: SqlStore) -> None:
    with store.begin() as unit:
        before = unit.outbox.version()
        unit.outbox.claim(now=NOON, limit=9, token="t", lease_seconds=60)
        unit.outbox.reap(now=NOON)
        unit.outbox.expire(now=NOON)
        unit.outbox.clamp(now=NOON, longest_wait_seconds=60, lease_seconds=60)
        unit.outbox.add_deliveries([])

        assert unit.outbox.version() == before
