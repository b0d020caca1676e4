"""The tables of alerting: what is watched for, what happened, what is owed to whom, and who did what."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Date,
    ForeignKey,
    FromClause,
    Index,
    Integer,
    Table,
    literal_column,
)

from riskwatch.model import DeliveryState, IncidentState
from riskwatch.store.sql.columns import Instant, Json, Number, Words
from riskwatch.store.sql.tables import metadata

alert_rule = Table(
    "alert_rule",
    metadata,
    Column("id", Words, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("origin", Words, nullable=False),
    Column("body", Json, nullable=False),
    Column("condition_hash", Words, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("author", Words),
    Column("deleted", Boolean, nullable=False),
)

incident = Table(
    "incident",
    metadata,
    Column("id", Words, primary_key=True),
    Column("key", Words, nullable=False),
    Column("rule_id", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("severity", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("owner", Words),
    Column("opened_at", Instant),
    Column("listed_at", Instant, nullable=False),  # opened_at, before that evaluated_at
    Column("body", Words, nullable=False),  # the whole Incident as JSON
    Index("ix_incident_key", "key", "id"),
    Index("ix_incident_listed", "listed_at", "id"),
    Index("ix_incident_subject", "subject", "listed_at", "id"),
)


def is_open(rows: FromClause) -> ColumnElement[bool]:
    """Return the condition of the partial index on open rows; written out, or no planner would see it."""
    states = sorted(state for state in DeliveryState if state.is_open)
    return rows.c.state.in_([literal_column(f"'{state}'") for state in states])


def is_in(rows: FromClause, state: DeliveryState) -> ColumnElement[bool]:
    """Return the condition that a Delivery is in one state, written out as above."""
    condition: ColumnElement[bool] = rows.c.state == literal_column(f"'{state}'")
    return condition


IS_UNDONE = incident.c.state != literal_column(f"'{IncidentState.OK}'")
Index("uq_incident_open", incident.c.key, unique=True, sqlite_where=IS_UNDONE, postgresql_where=IS_UNDONE)

transition = Table(
    "transition",
    metadata,
    Column("id", Words, primary_key=True),
    Column("incident_id", Words, ForeignKey("incident.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("body", Words, nullable=False),  # the whole Transition as JSON
    Index("uq_transition", "incident_id", "seq", unique=True),
    Index("ix_transition_occurred", "occurred_at", "id"),
)

silence = Table(
    "silence",
    metadata,
    Column("id", Words, primary_key=True),
    Column("matchers", Json, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("reason", Words, nullable=False),
    Column("author", Words, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("reminded_at", Instant),
    Column("flushed_at", Instant),
    Index("ix_silence_ends", "ends_at", "id"),
)

notify_group = Table(
    "notify_group",
    metadata,
    Column(
        "id", Words, primary_key=True
    ),  # a hash of the three below; never deleted: generation must not repeat
    Column("route_id", Words, nullable=False),
    Column("receiver_id", Words, nullable=False),
    Column("group_key", Words, nullable=False),
    Column("flush_at", Instant),
    Column("generation", Integer, nullable=False),
    Column("last_flush_at", Instant),
    Index("uq_notify_group", "route_id", "receiver_id", "group_key", unique=True),
)
_waits = notify_group.c.flush_at.is_not(None)
Index(
    "ix_notify_group_due",
    notify_group.c.flush_at,
    notify_group.c.id,
    sqlite_where=_waits,
    postgresql_where=_waits,
)

group_member = Table(
    "group_member",
    metadata,
    Column("transition_id", Words, ForeignKey("transition.id"), primary_key=True),
    Column("route_id", Words, primary_key=True),
    Column("receiver_id", Words, primary_key=True),
    Column("group_id", Words, ForeignKey("notify_group.id"), nullable=False),
    Index("ix_group_member_group", "group_id"),
)

receiver = Table(
    "receiver",
    metadata,
    Column("id", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("origin", Words, nullable=False),
    Column("config", Json, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("author", Words),
    Column("recorded_at", Instant),
    Column("verified_at", Instant),
    Column("disabled_reason", Words),
)

receiver_state = Table(
    "receiver_state",
    metadata,
    Column("receiver_id", Words, primary_key=True),
    Column("not_before", Instant),
    Column("breaker_until", Instant),
    Column("consecutive_failures", Integer, nullable=False),
    Column("failing_since", Instant),
    Column("last_ok_at", Instant),
    Column("last_error", Words),
    Column("told_at", Instant),
    Column("disabled_reason", Words),
)

schedule = Table(
    "schedule",
    metadata,
    Column("id", Words, primary_key=True),
    Column("receiver_id", Words, nullable=False),
    Column("zone", Words, nullable=False),
    Column("local_time", Words, nullable=False),
    Column("days", Json, nullable=False),
    Column("day_of_month", Integer),
    Column("next_due_at", Instant, nullable=False),
    Column("next_period", Date, nullable=False),
    Column("last_period", Date),
    Column("window_start_at", Instant),
    Column("rev", Integer, nullable=False),
    Column("when_empty", Words, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("origin", Words, nullable=False),
    Column("author", Words),
    Column("unsubscribed", Json, nullable=False),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", Words, primary_key=True),
    Column("idempotency_key", Words, nullable=False),
    Column("receiver_id", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("recipient", Words, nullable=False),
    Column("ordering_key", Words, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("purpose", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("series", Integer, nullable=False),
    Column("next_attempt_at", Instant),
    Column("waits_since", Instant),  # when next_attempt_at was set: tells a wait from a clock that was wrong
    Column("deadline_at", Instant, nullable=False),
    Column("lease_token", Words),
    Column("leased_at", Instant),
    Column("lease_until", Instant),
    Column("created_at", Instant, nullable=False),
    Column("delivered_at", Instant),
    Column("provider_ref", Words),
    Column("last_outcome", Words),
    Column("is_plain", Boolean, nullable=False),
    Column("incident_ids", Json, nullable=False),
    Column("transition_ids", Json, nullable=False),
    Column("payload_version", Integer, nullable=False),
    Column("payload", Json, nullable=False),
    Index("uq_delivery_idempotency", "idempotency_key", unique=True),
    Index("uq_delivery_order", "ordering_key", "seq", unique=True),
    Index("ix_delivery_created", "created_at", "id"),
    Index("ix_delivery_due", "state", "next_attempt_at", "id"),
    Index("ix_delivery_receiver", "receiver_id", "created_at", "id"),
    Index("ix_delivery_state", "state", "created_at", "id", "kind"),
)
_undone = is_open(delivery)
Index(
    "ix_delivery_open",
    delivery.c.ordering_key,
    delivery.c.seq,
    sqlite_where=_undone,
    postgresql_where=_undone,
)
Index(
    "ix_delivery_open_receiver",
    delivery.c.receiver_id,
    delivery.c.next_attempt_at,
    delivery.c.id,
    sqlite_where=_undone,
    postgresql_where=_undone,
)

delivery_incident = Table(
    "delivery_incident",
    metadata,
    Column("incident_id", Words, primary_key=True),
    Column("delivery_id", Words, ForeignKey("delivery.id"), primary_key=True),
)

delivery_attempt = Table(
    "delivery_attempt",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),  # a refunded try leaves its n to the next
    Column("delivery_id", Words, ForeignKey("delivery.id"), nullable=False),
    Column("series", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("outcome", Words, nullable=False),
    Column("code", Words, nullable=False),
    Column("detail", Words, nullable=False),
    Column("latency_ms", Number, nullable=False),
    Index("ix_delivery_attempt", "delivery_id", "series", "n", "id"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("seq", Number, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", Words, nullable=False),
    Column("action", Words, nullable=False),
    Column("object", Words, nullable=False),
    Column("before", Words),  # JSON, as it was hashed
    Column("after", Words),
    Column("prev_hash", Words, nullable=False),
    Column("hash", Words, nullable=False),
)
