"""What is owed → tries: claim with a lease, commit, send outside any transaction, settle.

One lane a Receiver: what hangs holds up nobody else. What happens between a claim and its settling is
repeatable: a lease that runs out gives the Delivery back, with the same id.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from riskwatch.errors import DeliveryError, Unavailable
from riskwatch.model import Attempt, AttemptOutcome, Delivery, DeliveryState, ReceiverState
from riskwatch.send.classify import INTERNAL, Scope, knows_repeats
from riskwatch.send.failing import LONG_OUTAGE, backlogs, catch_up, channel_for, is_to_be_told, news
from riskwatch.send.fate import Fate, fate_of
from riskwatch.send.receiver import Receiver, Sent
from riskwatch.send.retry import LONGEST_WAIT_SECONDS, after_success
from riskwatch.store import Settled, Store, UnitOfWork

LEASE_SECONDS = 180.0
_MOST_LANES = 16
_LOOK_AGAIN_SECONDS = 1.0  # for new work, while a lane still sends
_ROUND_SECONDS = 30.0  # then no more is claimed: the next tick goes on
_SETTLE_WAITS = (0.5, 2.0, 5.0)  # seconds; the peer has the message, so writing it down is worth some tries
_WITHOUT_RECEIVER = timedelta(minutes=5)
_MAX_DETAIL = 512


class Log(Protocol):
    """What is used of a structured logger."""

    def info(self, event: str, **fields: object) -> object:
        """Note what went well."""
        ...

    def warning(self, event: str, **fields: object) -> object:
        """Note what somebody should know."""
        ...


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What one call of dispatch did, in Deliveries."""

    delivered: int = 0
    pending: int = 0  # failed, to be tried again
    dead: int = 0
    given_back: int = 0  # claimed, not tried
    late: int = 0  # the lease had ended: somebody else's by now


@dataclass(frozen=True, slots=True)
class Tried:
    """One try: how it ended, and what it brought."""

    attempt: Attempt
    sent: Sent | None = None
    error: DeliveryError | None = None


def send_once(receiver: Receiver, delivery: Delivery, *, now: Callable[[], datetime]) -> Tried:
    """Try once and tell how it went; never raises."""
    started_at, started = now(), time.monotonic()
    sent, error = None, None
    try:
        sent = receiver.send(delivery)
    except DeliveryError as raised:
        error = raised
    except Exception as raised:  # noqa: BLE001 - a fault of ours in one message must not stop the others
        reason = f"{type(raised).__name__} while preparing the message"  # its text may hold a secret
        error = DeliveryError(
            receiver.id, reason, outcome=AttemptOutcome.PERMANENT, scope=Scope.MESSAGE, code=INTERNAL
        )
    ended_at, latency_ms = now(), int((time.monotonic() - started) * 1000)
    attempt = Attempt(
        delivery.id,
        delivery.series,
        delivery.attempts,
        started_at,
        ended_at,
        AttemptOutcome(error.outcome) if error else AttemptOutcome.OK,
        code=error.code if error else (sent.code if sent else ""),
        detail=(error.reason if error else (sent.detail if sent else ""))[:_MAX_DETAIL],
        latency_ms=latency_ms,
    )
    return Tried(attempt, sent, error)


def dispatch(  # noqa: PLR0913 - the wiring names each part
    store: Store,
    receivers: Mapping[str, Receiver],
    *,
    now: Callable[[], datetime],
    new_token: Callable[[], str],
    jitter: Callable[[], float],
    count: Callable[..., None],
    log: Log,
    limit: int = 16,
    lease_seconds: float = LEASE_SECONDS,
    stop: threading.Event | None = None,
) -> Dispatched:
    """Send what is due until nothing is left, or for half a minute.

    Args:
        store: Where the Deliveries stand; any number of processes may dispatch from it.
        receivers: Enabled Receivers by id.
        now: Clock, aware, UTC.
        new_token: Gives ULIDs, for leases and for messages about failing Receivers.
        jitter: Gives numbers from 0 to 1.
        count: Adds to a counter: name, amount, labels.
        log: Structured logger.
        limit: Deliveries claimed at once.
        lease_seconds: How long a claim stands; after a crash its Deliveries wait that long.
        stop: Set it to finish the sends under way and give the rest back.

    Raises:
        StoreError: The database failed while claiming; what was claimed before is settled or times out.
    """
    tools = _Tools(now, new_token, jitter, count, log, stop or threading.Event())
    return _Round(store, receivers, tools, limit=limit, lease_seconds=lease_seconds).run()


def after_jump(
    store: Store, *, jump_seconds: float, now: datetime, count: Callable[..., None], log: Log
) -> int:
    """Set right what a jump of the clock put out of reach; return how many Deliveries were moved."""
    with store.begin() as unit:
        groups = unit.incidents.clamp(now=now)
        moved = unit.outbox.clamp(
            now=now, longest_wait_seconds=LONGEST_WAIT_SECONDS, lease_seconds=LEASE_SECONDS
        )
    count("clock_jumps")
    log.warning("clock_jump", seconds=round(jump_seconds), deliveries=moved, groups=groups)
    return moved


@dataclass(frozen=True, slots=True)
class _Tools:
    now: Callable[[], datetime]
    new_token: Callable[[], str]
    jitter: Callable[[], float]
    count: Callable[..., None]
    log: Log
    stop: threading.Event


class _Round:
    """One call of dispatch."""

    def __init__(
        self,
        store: Store,
        receivers: Mapping[str, Receiver],
        tools: _Tools,
        *,
        limit: int,
        lease_seconds: float,
    ) -> None:
        self._store, self._receivers, self._tools = store, receivers, tools
        self._limit, self._lease_seconds = limit, lease_seconds
        self._log = tools.log
        self._pause = 0.0  # seconds until a Receiver that keeps a pace may be asked again

    def run(self) -> Dispatched:
        """Claim and send until nothing is due."""
        tally: Counter[str] = Counter()
        ends = time.monotonic() + _ROUND_SECONDS
        busy: dict[Future[Counter[str]], str] = {}
        lanes = max(1, min(len(self._receivers), _MOST_LANES))
        with ThreadPoolExecutor(lanes, thread_name_prefix="riskwatch-lane") as pool:
            while True:
                if time.monotonic() < ends and not self._tools.stop.is_set():
                    for receiver_id, rows in self._claim(busy=tuple(busy.values())).items():
                        busy[pool.submit(self._lane, receiver_id, rows)] = receiver_id
                if not busy and self._pause:
                    self._tools.stop.wait(self._pause)
                    self._pause = 0.0
                    continue
                if not busy:
                    return Dispatched(**tally)
                done, _ = wait(busy, timeout=_LOOK_AGAIN_SECONDS, return_when=FIRST_COMPLETED)
                for lane in done:
                    receiver = self._receivers.get(busy.pop(lane))
                    tally += lane.result()
                    self._pause = max(self._pause, receiver.pace_seconds if receiver else 0.0)

    def _claim(self, *, busy: Sequence[str]) -> dict[str, list[Delivery]]:
        """Claim what is due, by Receiver.

        Of one that cannot tell a repeat a single row: after a crash all that was claimed counts as unclear,
        and an unclear message is repeated there only once.
        """
        alone = [id_ for id_, one in self._receivers.items() if not knows_repeats(one.kind)]
        with self._store.begin(write=False) as unit:
            states = unit.outbox.receiver_states()
        off = [id_ for id_, state in states.items() if state.disabled_reason is not None]
        with self._store.begin() as unit:
            rows = self._leased(unit, resting=(*busy, *off, *alone), limit=self._limit)
            for id_ in alone:
                if id_ not in busy and id_ not in off:
                    others = [other for other in (*self._receivers, *off) if other != id_]
                    rows += self._leased(unit, resting=others, limit=1)
        lanes: dict[str, list[Delivery]] = {}
        for row in rows:
            lanes.setdefault(row.receiver_id, []).append(row)
        return lanes

    def _leased(self, unit: UnitOfWork, *, resting: Sequence[str], limit: int) -> list[Delivery]:
        claimed = unit.outbox.claim(
            now=self._tools.now(),
            limit=limit,
            token=self._tools.new_token(),
            lease_seconds=self._lease_seconds,
            resting=resting,
        )
        return list(claimed)

    # ---------------------------------------------------------------------------- one Receiver
    def _lane(self, receiver_id: str, rows: Sequence[Delivery]) -> Counter[str]:
        """Send the rows of one Receiver in order; where it must be left alone, give the rest back."""
        tally: Counter[str] = Counter()
        receiver = self._receivers.get(receiver_id)
        reason = None if receiver else "no_receiver"
        for row in rows:
            if receiver is not None and reason is None:
                is_held, reason = self._gate(row, receiver)
                if not is_held:
                    tally["late"] += 1
                    continue
            if receiver is None or reason is not None:
                tally[self._give_back(row, reason or "no_receiver")] += 1
                continue
            tally[self._deliver(row, receiver)] += 1
        return tally

    def _gate(self, row: Delivery, receiver: Receiver) -> tuple[bool, str | None]:
        """Return whether the lease stands, and why the row may not be sent now (None: it may)."""
        now = self._tools.now()
        with self._store.begin(write=False) as unit:
            is_held = unit.outbox.is_held(row.id, token=row.lease_token or "", now=now)
            state = unit.outbox.receiver_states().get(receiver.id, ReceiverState(receiver.id))
        left = (row.lease_until - now).total_seconds() if row.lease_until else 0.0
        rest = (state.not_before - now).total_seconds() if state.not_before else 0.0
        reason = None
        if self._tools.stop.is_set():
            reason = "stopping"
        elif state.disabled_reason is not None:
            reason = "disabled"
        elif state.breaker_until is not None and state.breaker_until > now:
            reason = "breaker"
        elif rest > receiver.pace_seconds:
            reason = "retry_after"
        elif left < receiver.limit_seconds + rest:
            reason = "lease"
        elif rest > 0:
            self._tools.stop.wait(rest)
        return is_held, reason

    def _deliver(self, row: Delivery, receiver: Receiver) -> str:
        tried = send_once(receiver, row, now=self._tools.now)
        outcome = self._settled(row, receiver, tried)
        attempt = tried.attempt
        self._tools.count("delivery_attempts", kind=row.kind, outcome=str(attempt.outcome))
        note = self._log.info if tried.error is None else self._log.warning
        note(
            "delivery_tried",
            delivery_id=row.id,
            receiver_id=row.receiver_id,
            purpose=str(row.purpose),
            attempt=row.attempts,
            outcome=str(attempt.outcome),
            code=attempt.code,
            detail=attempt.detail,
            state=outcome,
            duration_ms=attempt.latency_ms,
        )
        return outcome

    # ---------------------------------------------------------------------------- writing it down
    def _settled(self, row: Delivery, receiver: Receiver, tried: Tried) -> str:
        for seconds in _SETTLE_WAITS:
            try:
                return self._settle(row, receiver, tried)
            except Unavailable:
                self._log.warning("settle_failed", delivery_id=row.id)
                self._tools.stop.wait(seconds)
        return self._settle(row, receiver, tried)

    def _settle(self, row: Delivery, receiver: Receiver, tried: Tried) -> str:
        with self._store.begin() as unit:
            unit.lock("receiver_states")  # two first failures at once would each wait for the other's row
            states = unit.outbox.receiver_states()
            before = states.get(receiver.id, ReceiverState(receiver.id))
            fate = self._fate(unit, row, receiver, tried, before=before)
            settled = Settled(
                tried.attempt,
                str(fate.state),
                next_attempt_at=fate.next_attempt_at,
                provider_ref=tried.sent.provider_ref if tried.sent else None,
                is_plain=fate.is_plain,
            )
            is_ours = unit.outbox.settle(row.id, token=row.lease_token or "", settled=settled)
            after = fate.receiver
            if tried.error is not None and is_to_be_told(
                row, tried.error, before=before, after=after, now=tried.attempt.ended_at
            ):
                after = replace(after, told_at=tried.attempt.ended_at)
                self._tell(unit, receiver, after, states)
            if after != before:
                unit.outbox.save_receiver_state(after)
        if tried.error is None:
            self._end_outage(before)
        return str(fate.state) if is_ours else "late"

    def _fate(
        self, unit: UnitOfWork, row: Delivery, receiver: Receiver, tried: Tried, *, before: ReceiverState
    ) -> Fate:
        ended_at = tried.attempt.ended_at
        if tried.error is None:
            after = after_success(before, now=ended_at, pace_seconds=receiver.pace_seconds)
            return Fate(DeliveryState.DELIVERED, after)
        earlier = () if knows_repeats(row.kind) else unit.outbox.attempts(row.id)
        return fate_of(
            row,
            tried.error,
            before,
            now=ended_at,
            jitter=self._tools.jitter(),
            was_unclear=any(
                one.series == row.series and one.outcome is AttemptOutcome.AMBIGUOUS for one in earlier
            ),
        )

    def _give_back(self, row: Delivery, reason: str) -> str:
        """Return a claimed row untried: it keeps its place and its tries."""
        at = self._tools.now()
        attempt = Attempt(row.id, row.series, row.attempts, at, at, AttemptOutcome.SKIPPED, code=reason)
        again_at = at + _WITHOUT_RECEIVER if reason == "no_receiver" else row.next_attempt_at
        settled = Settled(attempt, str(DeliveryState.PENDING), next_attempt_at=again_at, refund=True)
        with self._store.begin() as unit:
            is_ours = unit.outbox.settle(row.id, token=row.lease_token or "", settled=settled)
        return "given_back" if is_ours else "late"

    # ---------------------------------------------------------------------------- outages
    def _tell(
        self,
        unit: UnitOfWork,
        receiver: Receiver,
        state: ReceiverState,
        states: Mapping[str, ReceiverState],
    ) -> None:
        """Let another Receiver carry the news of this one's failure."""
        over = channel_for(receiver, self._receivers, states)
        self._log.warning("receiver_fails", receiver_id=receiver.id, told_over=over.id if over else None)
        if over is not None:
            ids = [self._tools.new_token() for _ in over.recipients]
            unit.outbox.add_deliveries(
                news(receiver, state, over=over, now=state.told_at or self._tools.now(), ids=ids)
            )

    def _end_outage(self, before: ReceiverState) -> None:
        """After a long outage make one message a recipient of what waits."""
        now = self._tools.now()
        if before.failing_since is None or now - before.failing_since < LONG_OUTAGE:
            return
        try:
            with self._store.begin() as unit:
                for rows in backlogs(unit.outbox.open_deliveries(receiver_id=before.receiver_id)):
                    moved = set(unit.outbox.move([row.id for row in rows], state="collapse", now=now))
                    mine = [row for row in rows if row.id in moved]
                    if mine:
                        unit.outbox.add_deliveries([catch_up(mine, now=now, new_id=self._tools.new_token())])
                        self._log.info(
                            "backlog_collapsed", receiver_id=before.receiver_id, deliveries=len(mine)
                        )
        except (ValueError, Unavailable) as error:  # then each is sent as it stands
            self._log.warning("backlog_stays", receiver_id=before.receiver_id, error=type(error).__name__)
