"""The public contract of alerting: pydantic answers of /v1. Built by present_alerts, checked in tests."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from riskwatch.serve.answers import Instant, _Answer


class Firing(_Answer):
    """One instant at which a rule would have fired."""

    at: Instant
    subject: str
    value: float | None


class BacktestAnswer(_Answer):
    """What a rule would have done over the stored history."""

    days: int
    firings: list[Firing]
    sentence: str


class RuleAnswer(_Answer):
    """An alert rule in its newest version."""

    id: str
    version: int = Field(ge=1)
    origin: str = Field(description="file: read-only here; api")
    owner: str | None
    enabled: bool
    speaks_when: str = Field(description="the condition in words")
    watches: str = Field(description="the scope in words")
    rule: dict[str, Any] = Field(description="as in config/alerts.yaml; what is left out has its default")
    backtest: BacktestAnswer | None = Field(description="null where it was not asked for")


class Removed(_Answer):
    """What is gone."""

    id: str


class EventMark(_Answer):
    """An event as an incident last told it."""

    event: str
    type: str
    points: float
    assertion: str
    closed: bool
    denied: bool


class Acknowledgement(_Answer):
    """Who has seen it; worsening, correction and resolved are still told."""

    by: str
    at: Instant | None
    until: Instant | None
    reason: str | None


class IncidentAnswer(_Answer):
    """One alert rule on one subject, from opening to closing."""

    id: str
    rule: str
    rule_name: str
    subject: str
    subject_name: str
    severity: str
    state: str = Field(description="pending, firing, recovering, ok (closed)")
    opened_at: Instant | None
    closed_at: Instant | None
    evaluated_at: Instant | None
    value: float | None = Field(description="as last judged; points of a score where the rule is about one")
    grade: str | None
    told_value: float | None
    told_grade: str | None
    told_at: Instant | None
    stale: bool = Field(description="the inputs are too old to judge; the state is held")
    acknowledged: Acknowledgement | None
    owner: str | None
    events: list[EventMark]


class TransitionAnswer(_Answer):
    """One step of an incident, with what was said as it was said."""

    id: str
    seq: int
    step: str | None = Field(description="opened, update, correction, resolved; null: nothing was to be said")
    from_state: str
    to_state: str
    cause: str
    value_old: float | None
    value_new: float | None
    occurred_at: Instant
    events: list[str]
    snapshot: str | None
    suppressed_by: str | None
    alert: dict[str, Any] | None


class DeliveryAnswer(_Answer):
    """One message owed to one recipient."""

    id: str
    title: str
    receiver: str
    kind: str
    recipient: str = Field(description="an address is masked")
    purpose: str
    state: str
    tries: int = Field(description="of this series")
    series: int
    created_at: Instant
    deadline_at: Instant
    next_attempt_at: Instant | None
    delivered_at: Instant | None
    last_outcome: str | None
    incidents: list[str]


class AttemptAnswer(_Answer):
    """One try."""

    series: int
    n: int
    started_at: Instant
    ended_at: Instant
    outcome: str
    code: str
    detail: str
    latency_ms: int


class DeliveryDetail(DeliveryAnswer):
    """A delivery with its tries and the frozen facts of the message; links are made when it is sent."""

    attempts: list[AttemptAnswer]
    payload_version: int
    payload: dict[str, Any]


class IncidentDetail(IncidentAnswer):
    """An incident with its course."""

    transitions: list[TransitionAnswer]
    deliveries: list[DeliveryAnswer] = Field(description="the newest 200")


class SilenceAnswer(_Answer):
    """A mute with a reason and an end."""

    id: str
    matchers: dict[str, str]
    starts_at: Instant
    ends_at: Instant
    reason: str
    author: str
    created_at: Instant
    state: str = Field(description="planned, running, ended")


class Matched(_Answer):
    """The open incidents that a silence would mute now."""

    items: list[IncidentAnswer]


class ReceiverCondition(_Answer):
    """How a receiver has answered lately."""

    word: str = Field(description="working, untried, failing, unproved, switched_off")
    not_before: Instant | None
    breaker_until: Instant | None
    consecutive_failures: int
    failing_since: Instant | None
    last_ok_at: Instant | None
    last_error: str | None
    disabled_reason: str | None


class ReceiverAnswer(_Answer):
    """A receiver without its secret."""

    id: str
    kind: str
    origin: str
    owner: str | None
    enabled: bool
    config: dict[str, Any]
    verified_at: Instant | None = Field(description="null: only tests are sent")
    state: ReceiverCondition


class TranscriptAnswer(_Answer):
    """How a test send went."""

    outcome: str
    code: str
    detail: str = Field(description="at most 512 bytes of the answer")
    latency_ms: int


class DigestAnswer(_Answer):
    """When a digest is next due."""

    id: str
    receiver: str
    zone: str
    at: str
    days: list[str]
    day_of_month: int | None
    when_empty: str
    enabled: bool
    origin: str
    owner: str | None
    next_due_at: Instant
    next_period: str
    last_period: str | None
    unsubscribed: int = Field(description="recipients who asked for no digest")


class DigestPreview(_Answer):
    """A digest as it would be sent now."""

    subject: str
    text: str


class AlertHealthAnswer(_Answer):
    """Whether alerts are getting out."""

    well: bool
    reasons: list[str]
    dispatched_at: Instant | None
    evaluated_at: Instant | None
    oldest_due_seconds: float | None
    dead: int


class AuditRow(_Answer):
    """One line of the hash-chained audit log."""

    seq: int
    at: Instant
    actor: str
    action: str
    object: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    prev_hash: str
    hash: str
