"""Incidents, what is said about them, and what is owed to whom; every instant is aware, UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How loudly an AlertRule speaks."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info, 2 for critical."""
        return list(Severity).index(self)


class IncidentState(StrEnum):
    """Where an Incident stands: ok > pending > firing > recovering > ok (closed)."""

    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"


class Step(StrEnum):
    """What an Alert says about an Incident."""

    OPENED = "opened"
    UPDATE = "update"
    CORRECTION = "correction"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class EventMark:
    """An Event as it was last told in an Incident."""

    event_id: str
    type: str
    points: float  # points that it took, 0 to 100
    assertion: str
    is_closed: bool = False
    is_denied: bool = False  # denied, withdrawn or rejected since


@dataclass(frozen=True, slots=True)
class Incident:
    """One AlertRule on one subject (a Subject, a Source id or `scoring`), from opening to closing."""

    id: str  # ULID
    key: str  # sha256 of "rule_id|subject", hex
    rule_id: str
    subject: str
    severity: Severity
    state: IncidentState
    condition_hash: str
    opened_at: datetime | None = None  # first firing; None while pending
    closed_at: datetime | None = None  # back to ok
    evaluated_at: datetime | None = None
    bad_count: int = 0  # evaluations in a row that found the condition true
    good_since: datetime | None = None
    last_value: float | None = None
    last_grade: str | None = None
    told_value: float | None = None  # as last told to anybody
    told_grade: str | None = None
    told_at: datetime | None = None
    events: tuple[EventMark, ...] = ()  # that it rests on, as last told; sorted by event_id
    seq: int = 0  # of the last Transition
    is_stale: bool = False  # the inputs are too old to judge; the state is held
    acked_by: str | None = None
    acked_at: datetime | None = None
    acked_until: datetime | None = None
    ack_note: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """One step of an Incident; `step` is None where nothing is to be said."""

    id: str  # ULID
    incident_id: str
    seq: int  # 1, 2, 3 ... within the Incident
    from_state: IncidentState
    to_state: IncidentState
    step: Step | None
    cause: str  # change, evidence, relief, time, rescore, backfill, rule_edit, silence_end
    value_old: float | None
    value_new: float | None
    occurred_at: datetime
    event_ids: tuple[str, ...] = ()  # Events that caused the step
    snapshot_id: str | None = None
    suppressed_by: str | None = None  # silence:ID, inhibited:INCIDENT, cooldown, acked, digest_only
    alert: Mapping[str, Any] | None = None  # send.message.Alert as JSON, frozen when the step was made


@dataclass(frozen=True, slots=True)
class Silence:
    """A named person's dated mute; matchers are `name: value` pairs that must all hold.

    Names: rule, subject, vendor, severity, factor, tag, owner.
    """

    id: str
    matchers: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    reason: str
    author: str
    created_at: datetime
    reminded_at: datetime | None = None
    flushed_at: datetime | None = None  # what still fired at its end was told


@dataclass(frozen=True, slots=True)
class StoredRule:
    """One version of an AlertRule; body is the validated model as JSON."""

    id: str
    version: int
    origin: str  # file, api
    body: Mapping[str, Any]
    condition_hash: str
    is_enabled: bool
    recorded_at: datetime
    author: str | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class StoredReceiver:
    """A Receiver as configured; never a secret, only the name of the setting that holds it."""

    id: str
    kind: str  # email, slack, webhook
    origin: str  # file, api
    config: Mapping[str, Any]
    is_enabled: bool
    author: str | None = None
    recorded_at: datetime | None = None
    verified_at: datetime | None = None  # of an API-made one: ownership was proved
    disabled_reason: str | None = None


@dataclass(frozen=True, slots=True)
class ReceiverState:
    """How a Receiver has answered lately."""

    receiver_id: str
    not_before: datetime | None = None  # Retry-After: all its rows wait
    breaker_until: datetime | None = None  # no probe before; None: closed
    consecutive_failures: int = 0
    failing_since: datetime | None = None
    last_ok_at: datetime | None = None
    last_error: str | None = None
    told_at: datetime | None = None  # its failure was last told on another channel
    disabled_reason: str | None = None  # dead hook, 410, five days of failure


@dataclass(frozen=True, slots=True)
class NotifyGroup:
    """Transitions of one Route to one Receiver that are told together."""

    id: str
    route_id: str
    receiver_id: str
    group_key: str
    flush_at: datetime | None  # None: nothing waits
    generation: int = 0  # flushes done
    last_flush_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Queued:
    """A Transition that waits in the group of one Route and Receiver."""

    transition_id: str
    route_id: str
    receiver_id: str
    group_key: str
    flush_at: datetime  # taken when the group is idle; a waiting group keeps the earlier instant
    interval_seconds: float = 900.0  # least time after the last flush


@dataclass(frozen=True, slots=True)
class DueGroup:
    """A group to flush, with its waiting Transitions by (occurred_at, id)."""

    group: NotifyGroup
    transitions: tuple[Transition, ...]


class Purpose(StrEnum):
    """What a Delivery is for."""

    ALERT = "alert"
    UPDATE = "update"
    CORRECTION = "correction"
    RESOLVED = "resolved"
    DIGEST = "digest"
    TEST = "test"
    SYSTEM = "system"


class DeliveryState(StrEnum):
    """Where a Delivery stands; pending, sending and held are open."""

    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    DEAD = "dead"
    EXPIRED = "expired"
    COLLAPSED = "collapsed"
    CANCELLED = "cancelled"
    HELD = "held"

    @property
    def is_open(self) -> bool:
        """Whether it may still be sent."""
        return self in (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.HELD)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message owed to one recipient at one Receiver."""

    id: str  # ULID; Message-ID, webhook-id: constant over all tries
    idempotency_key: str
    receiver_id: str
    kind: str  # email, slack, webhook
    recipient: str  # address; for Slack and webhooks the receiver id
    ordering_key: str
    purpose: Purpose
    payload: Mapping[str, Any]  # send.message.Message as JSON, frozen
    created_at: datetime
    deadline_at: datetime
    payload_version: int = 1
    seq: int = 0  # within ordering_key; given by the store
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0  # of this series
    series: int = 1
    next_attempt_at: datetime | None = None
    lease_token: str | None = None
    lease_until: datetime | None = None
    delivered_at: datetime | None = None
    provider_ref: str | None = None
    last_outcome: str | None = None
    incident_ids: tuple[str, ...] = ()
    transition_ids: tuple[str, ...] = ()
    is_plain: bool = False  # Slack refused the blocks: plain text from now on


class AttemptOutcome(StrEnum):
    """How one try ended."""

    OK = "ok"
    TRANSIENT = "transient"
    PERMANENT = "permanent"
    AMBIGUOUS = "ambiguous"  # nobody can know whether it arrived
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a Delivery."""

    delivery_id: str
    series: int
    n: int
    started_at: datetime
    ended_at: datetime
    outcome: AttemptOutcome
    code: str = ""  # 250, 429, timeout, no_service ...
    detail: str = ""  # at most 512 bytes, escaped, secrets masked
    latency_ms: int = 0


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a Digest is next due to one Receiver."""

    id: str
    receiver_id: str
    zone: str  # IANA name
    local_time: str  # HH:MM
    days: tuple[str, ...]  # mon ... sun; empty: by day_of_month, else daily
    day_of_month: int | None
    next_due_at: datetime
    next_period: date  # local date that next_due_at stands for
    last_period: date | None = None
    window_start_at: datetime | None = None  # end of the window of the last digest
    rev: int = 0
    when_empty: str = "send"  # send, skip
    is_enabled: bool = True
    origin: str = "file"
    author: str | None = None
    unsubscribed: tuple[str, ...] = ()  # recipients who asked for no digest


@dataclass(frozen=True, slots=True)
class DeliveryHealth:
    """Figures of the outbox at one instant."""

    oldest_due_at: datetime | None
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (kind, state) -> rows


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the hash-chained audit log."""

    seq: int
    at: datetime
    actor: str
    action: str
    object: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    prev_hash: str = ""
    hash: str = ""


SCOPES = ("read", "review", "admin")  # of a key or a person; each holds those before it


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something: an API key, the holder of a signed link, the command line."""

    id: str
    may_all: bool = False  # others' objects too
