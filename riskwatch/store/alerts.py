"""Transitions and payloads in, what is owed out: the IncidentStore and OutboxStore Protocols.

One transaction holds what belongs together: a Score and its Transitions, a flush and its Deliveries, a claim
of a Schedule and its Digests. Sending happens between two transactions, never inside one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from riskwatch.model import (
    Attempt,
    Delivery,
    DeliveryHealth,
    DueGroup,
    Incident,
    Queued,
    ReceiverState,
    Schedule,
    Silence,
    StoredReceiver,
    StoredRule,
    Transition,
)

__all__ = [
    "DeliveryFilter",
    "DueGroup",
    "IncidentFilter",
    "IncidentStore",
    "OutboxStore",
    "Queued",
    "Settled",
]


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Filters of an incident listing, newest first by (opened_at, id); empty means all.

    A pending one stands by its evaluated_at, also in `after`.
    """

    states: tuple[str, ...] = ()
    subject: str | None = None
    severity: str | None = None
    owner: str | None = None
    rule_id: str | None = None
    after: tuple[datetime, str] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Filters of a delivery listing, newest first by (created_at, id); empty means all."""

    states: tuple[str, ...] = ()
    receiver_id: str | None = None
    purpose: str | None = None
    incident_id: str | None = None
    after: tuple[datetime, str] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Settled:
    """What one try did to a Delivery, and what is remembered of its Receiver."""

    attempt: Attempt
    state: str  # delivered, pending, dead
    next_attempt_at: datetime | None = None
    provider_ref: str | None = None
    is_plain: bool = False
    refund: bool = False  # the try does not count (a breaker let it wait)


class IncidentStore(Protocol):
    """AlertRules, Incidents with their Transitions, Silences, and the groups in which Transitions wait.

    In a writing transaction, what `incident`, `newest_incidents` and `due_groups` return is locked until its
    end: read there what you are going to change. A call that raises Conflict stores nothing.
    """

    def save_rule(self, rule: StoredRule) -> None:
        """Append a version. Raises Conflict when (id, version) is taken."""
        ...

    def rules(self) -> Sequence[StoredRule]:
        """Return the newest version of each rule, deleted ones left out, by id."""
        ...

    def rule_versions(self, rule_id: str) -> Sequence[StoredRule]:
        """Return all versions, oldest first; raises NotFound."""
        ...

    def newest_incidents(self, keys: Sequence[str]) -> Mapping[str, Incident]:
        """Return key -> newest Incident of it, open or closed."""
        ...

    def save_incidents(self, incidents: Sequence[Incident]) -> None:
        """Insert or replace by id. Raises Conflict when a key would have two that are not ok."""
        ...

    def incident(self, incident_id: str) -> Incident:
        """Return one; raises NotFound."""
        ...

    def incidents_by_id(self, ids: Sequence[str]) -> Mapping[str, Incident]:
        """Return Incidents by id, open or closed."""
        ...

    def incidents(self, where: IncidentFilter) -> Sequence[Incident]:
        """Return one page; pending ones that never fired only where `states` names pending."""
        ...

    def open_incidents(self) -> Sequence[Incident]:
        """Return all whose state is not ok, by id."""
        ...

    def add_transitions(self, transitions: Sequence[Transition]) -> None:
        """Append to stored Incidents; one whose id or (incident_id, seq) is stored raises Conflict."""
        ...

    def transitions(self, incident_id: str) -> Sequence[Transition]:
        """Return those of an Incident, by seq."""
        ...

    def transitions_by_id(self, ids: Sequence[str]) -> Mapping[str, Transition]:
        """Return Transitions by id."""
        ...

    def transitions_between(self, since: datetime, until: datetime) -> Sequence[Transition]:
        """Return those with since < occurred_at <= until, by (occurred_at, id)."""
        ...

    def add_silence(self, silence: Silence) -> None:
        """Insert or replace by id."""
        ...

    def silences(self, *, active_at: datetime | None = None) -> Sequence[Silence]:
        """Return all, or those in force at an instant, by (ends_at, id)."""
        ...

    def queue(self, queued: Sequence[Queued]) -> None:
        """Let Transitions wait, making groups as needed; the same (transition, route, receiver) is one.

        A group flushes at the earliest instant asked for, but not within interval_seconds of its last flush.
        """
        ...

    def due_groups(self, *, now: datetime, limit: int) -> Sequence[DueGroup]:
        """Return and lock groups with flush_at <= now, by (flush_at, id), less those that another holds."""
        ...

    def flushed(self, group_ids: Sequence[str], *, now: datetime) -> None:
        """Empty groups: generation + 1, last_flush_at = now, flush_at = None, members forgotten."""
        ...

    def clamp(self, *, now: datetime) -> int:
        """After the clock went back: groups that wait since an instant which now lies ahead wait from now.

        Waits of more than an hour are for a time on the wall and stay. Returns how many groups were moved.
        """
        ...

    def version(self) -> int:
        """Return a number that grows with every write of rules, Incidents, Transitions and Silences."""
        ...


class OutboxStore(Protocol):
    """Receivers, Schedules and Deliveries: what is owed, to whom, and how each try went.

    In a writing transaction, what `schedules` and `receiver_states` return is locked until its end; read them
    before a Delivery is claimed or settled there.
    """

    def save_receiver(self, receiver: StoredReceiver) -> None:
        """Insert or replace."""
        ...

    def receivers(self) -> Sequence[StoredReceiver]:
        """Return all, by id."""
        ...

    def delete_receiver(self, receiver_id: str) -> None:
        """Forget one and its state, not its Deliveries; raises NotFound."""
        ...

    def receiver_states(self) -> Mapping[str, ReceiverState]:
        """Return Receiver id -> state."""
        ...

    def save_receiver_state(self, state: ReceiverState) -> None:
        """Insert or replace."""
        ...

    def schedules(self) -> Sequence[Schedule]:
        """Return all, by id."""
        ...

    def save_schedule(self, schedule: Schedule) -> None:
        """Insert or replace by id."""
        ...

    def delete_schedule(self, schedule_id: str) -> None:
        """Forget one; raises NotFound."""
        ...

    def advance_schedule(
        self,
        schedule_id: str,
        *,
        rev: int,
        next_due_at: datetime,
        next_period: date,
        done: date,
        now: datetime,
    ) -> bool:
        """Claim a due period: set the next one, last_period = done, window_start_at = now, rev + 1.

        False when another process was first (rev differs).
        """
        ...

    def add_deliveries(self, deliveries: Sequence[Delivery]) -> Sequence[str]:
        """Insert those of a new idempotency_key, giving the next seq of its ordering_key; return ids."""
        ...

    def claim(
        self, *, now: datetime, limit: int, token: str, lease_seconds: float, resting: Sequence[str] = ()
    ) -> Sequence[Delivery]:
        """Lease due pending Deliveries, oldest (next_attempt_at, id) first, and return them as `sending`.

        Left out: those past their deadline, those of `resting` Receivers, those of a Receiver whose
        not_before or breaker_until lies ahead, and those with an earlier open seq of their ordering_key.
        A Receiver with 3 or more consecutive failures gives one row only (the probe), and none while one of
        its rows is being sent.
        attempts + 1, lease_token = token, lease_until = now + lease_seconds.
        """
        ...

    def is_held(self, delivery_id: str, *, token: str, now: datetime) -> bool:
        """Whether the lease still stands."""
        ...

    def settle(self, delivery_id: str, *, token: str, settled: Settled) -> bool:
        """Write the result and the Attempt if the lease is still ours; else change nothing, return False.

        A row that goes back to pending without next_attempt_at is due at once.
        """
        ...

    def reap(self, *, now: datetime) -> int:
        """Give rows whose lease ran out back to pending, with an `ambiguous` Attempt; return how many.

        A Slack row whose outcome was unclear once before in its series becomes dead instead, and so does a
        test, which has one try only.
        """
        ...

    def expire(self, *, now: datetime) -> Sequence[str]:
        """Set open rows past their deadline (not leased) to expired; return their ids, sorted."""
        ...

    def clamp(self, *, now: datetime, longest_wait_seconds: float, lease_seconds: float) -> int:
        """After a jump of the clock: pull next_attempt_at and lease_until back inside their limits.

        A wait that began at an instant which now lies ahead begins now; whatever a Receiver asked for is
        forgotten, its next answer says it anew. Returns how many Deliveries were moved.
        """
        ...

    def delivery(self, delivery_id: str) -> Delivery:
        """Return one; raises NotFound."""
        ...

    def deliveries(self, where: DeliveryFilter) -> Sequence[Delivery]:
        """Return one page."""
        ...

    def open_deliveries(self, *, receiver_id: str | None = None) -> Sequence[Delivery]:
        """Return pending, sending and held rows, by (created_at, id)."""
        ...

    def attempts(self, delivery_id: str) -> Sequence[Attempt]:
        """Return the tries, by (series, n)."""
        ...

    def move(
        self, delivery_ids: Sequence[str], *, state: str, now: datetime, deadline_at: datetime | None = None
    ) -> Sequence[str]:
        """Let a person or a job change states; return the ids that moved, sorted.

        redrive: dead -> pending (series + 1, attempts 0); release: held -> pending; cancel: pending, held or
        dead -> cancelled; collapse: pending -> collapsed; fold: pending -> expired. Others stay as they are.
        """
        ...

    def delivery_health(self, *, now: datetime) -> DeliveryHealth:
        """Return since when the oldest claimable row waits, and the rows by kind and state."""
        ...

    def version(self) -> int:
        """Return a number that grows with every write of receivers, Schedules and Deliveries."""
        ...
