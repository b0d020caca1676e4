"""Alerting: rules, incidents, groups, receivers, schedules, deliveries; the audit log."""

import sqlalchemy as sa
from alembic import op

from riskwatch.store.sql.columns import Instant, Json, Number, Words

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert_rule",
        sa.Column("id", Words(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("origin", Words(), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.Column("condition_hash", Words(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("author", Words(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name="pk_alert_rule"),
    )

    op.create_table(
        "audit_log",
        sa.Column("seq", Number, autoincrement=False, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", Words(), nullable=False),
        sa.Column("action", Words(), nullable=False),
        sa.Column("object", Words(), nullable=False),
        sa.Column("before", Words(), nullable=True),
        sa.Column("after", Words(), nullable=True),
        sa.Column("prev_hash", Words(), nullable=False),
        sa.Column("hash", Words(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_log"),
    )

    op.create_table(
        "delivery",
        sa.Column("id", Words(), nullable=False),
        sa.Column("idempotency_key", Words(), nullable=False),
        sa.Column("receiver_id", Words(), nullable=False),
        sa.Column("kind", Words(), nullable=False),
        sa.Column("recipient", Words(), nullable=False),
        sa.Column("ordering_key", Words(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("purpose", Words(), nullable=False),
        sa.Column("state", Words(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("series", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", Instant(), nullable=True),
        sa.Column("waits_since", Instant(), nullable=True),
        sa.Column("deadline_at", Instant(), nullable=False),
        sa.Column("lease_token", Words(), nullable=True),
        sa.Column("leased_at", Instant(), nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("delivered_at", Instant(), nullable=True),
        sa.Column("provider_ref", Words(), nullable=True),
        sa.Column("last_outcome", Words(), nullable=True),
        sa.Column("is_plain", sa.Boolean(), nullable=False),
        sa.Column("incident_ids", Json(), nullable=False),
        sa.Column("transition_ids", Json(), nullable=False),
        sa.Column("payload_version", sa.Integer(), nullable=False),
        sa.Column("payload", Json(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
    )
    op.create_index("ix_delivery_created", "delivery", ["created_at", "id"], unique=False)
    op.create_index("ix_delivery_due", "delivery", ["state", "next_attempt_at", "id"], unique=False)
    op.create_index(
        "ix_delivery_open",
        "delivery",
        ["ordering_key", "seq"],
        unique=False,
        sqlite_where=sa.text("state IN ('held', 'pending', 'sending')"),
        postgresql_where=sa.text("state IN ('held', 'pending', 'sending')"),
    )
    op.create_index(
        "ix_delivery_open_receiver",
        "delivery",
        ["receiver_id", "next_attempt_at", "id"],
        unique=False,
        sqlite_where=sa.text("state IN ('held', 'pending', 'sending')"),
        postgresql_where=sa.text("state IN ('held', 'pending', 'sending')"),
    )
    op.create_index("ix_delivery_receiver", "delivery", ["receiver_id", "created_at", "id"], unique=False)
    op.create_index("ix_delivery_state", "delivery", ["state", "created_at", "id", "kind"], unique=False)
    op.create_index("uq_delivery_idempotency", "delivery", ["idempotency_key"], unique=True)
    op.create_index("uq_delivery_order", "delivery", ["ordering_key", "seq"], unique=True)

    op.create_table(
        "incident",
        sa.Column("id", Words(), nullable=False),
        sa.Column("key", Words(), nullable=False),
        sa.Column("rule_id", Words(), nullable=False),
        sa.Column("subject", Words(), nullable=False),
        sa.Column("severity", Words(), nullable=False),
        sa.Column("state", Words(), nullable=False),
        sa.Column("owner", Words(), nullable=True),
        sa.Column("opened_at", Instant(), nullable=True),
        sa.Column("listed_at", Instant(), nullable=False),
        sa.Column("body", Words(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
    )
    op.create_index("ix_incident_key", "incident", ["key", "id"], unique=False)
    op.create_index("ix_incident_listed", "incident", ["listed_at", "id"], unique=False)
    op.create_index("ix_incident_subject", "incident", ["subject", "listed_at", "id"], unique=False)
    op.create_index(
        "uq_incident_open",
        "incident",
        ["key"],
        unique=True,
        sqlite_where=sa.text("state != 'ok'"),
        postgresql_where=sa.text("state != 'ok'"),
    )

    op.create_table(
        "notify_group",
        sa.Column("id", Words(), nullable=False),
        sa.Column("route_id", Words(), nullable=False),
        sa.Column("receiver_id", Words(), nullable=False),
        sa.Column("group_key", Words(), nullable=False),
        sa.Column("flush_at", Instant(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("last_flush_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notify_group"),
    )
    op.create_index(
        "ix_notify_group_due",
        "notify_group",
        ["flush_at", "id"],
        unique=False,
        sqlite_where=sa.text("flush_at IS NOT NULL"),
        postgresql_where=sa.text("flush_at IS NOT NULL"),
    )
    op.create_index("uq_notify_group", "notify_group", ["route_id", "receiver_id", "group_key"], unique=True)

    op.create_table(
        "receiver",
        sa.Column("id", Words(), nullable=False),
        sa.Column("kind", Words(), nullable=False),
        sa.Column("origin", Words(), nullable=False),
        sa.Column("config", Json(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("author", Words(), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=True),
        sa.Column("verified_at", Instant(), nullable=True),
        sa.Column("disabled_reason", Words(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_receiver"),
    )

    op.create_table(
        "receiver_state",
        sa.Column("receiver_id", Words(), nullable=False),
        sa.Column("not_before", Instant(), nullable=True),
        sa.Column("breaker_until", Instant(), nullable=True),
        sa.Column("consecutive_failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", Instant(), nullable=True),
        sa.Column("last_ok_at", Instant(), nullable=True),
        sa.Column("last_error", Words(), nullable=True),
        sa.Column("told_at", Instant(), nullable=True),
        sa.Column("disabled_reason", Words(), nullable=True),
        sa.PrimaryKeyConstraint("receiver_id", name="pk_receiver_state"),
    )

    op.create_table(
        "schedule",
        sa.Column("id", Words(), nullable=False),
        sa.Column("receiver_id", Words(), nullable=False),
        sa.Column("zone", Words(), nullable=False),
        sa.Column("local_time", Words(), nullable=False),
        sa.Column("days", Json(), nullable=False),
        sa.Column("day_of_month", sa.Integer(), nullable=True),
        sa.Column("next_due_at", Instant(), nullable=False),
        sa.Column("next_period", sa.Date(), nullable=False),
        sa.Column("last_period", sa.Date(), nullable=True),
        sa.Column("window_start_at", Instant(), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("when_empty", Words(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("origin", Words(), nullable=False),
        sa.Column("author", Words(), nullable=True),
        sa.Column("unsubscribed", Json(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schedule"),
    )

    op.create_table(
        "silence",
        sa.Column("id", Words(), nullable=False),
        sa.Column("matchers", Json(), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("reason", Words(), nullable=False),
        sa.Column("author", Words(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("reminded_at", Instant(), nullable=True),
        sa.Column("flushed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_silence"),
    )
    op.create_index("ix_silence_ends", "silence", ["ends_at", "id"], unique=False)

    op.create_table(
        "delivery_attempt",
        sa.Column("id", Number, autoincrement=True, nullable=False),
        sa.Column("delivery_id", Words(), nullable=False),
        sa.Column("series", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=False),
        sa.Column("outcome", Words(), nullable=False),
        sa.Column("code", Words(), nullable=False),
        sa.Column("detail", Words(), nullable=False),
        sa.Column("latency_ms", Number, nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name="fk_delivery_attempt_delivery_id_delivery"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_delivery_attempt"),
    )
    op.create_index(
        "ix_delivery_attempt", "delivery_attempt", ["delivery_id", "series", "n", "id"], unique=False
    )

    op.create_table(
        "delivery_incident",
        sa.Column("incident_id", Words(), nullable=False),
        sa.Column("delivery_id", Words(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name="fk_delivery_incident_delivery_id_delivery"
        ),
        sa.PrimaryKeyConstraint("incident_id", "delivery_id", name="pk_delivery_incident"),
    )

    op.create_table(
        "transition",
        sa.Column("id", Words(), nullable=False),
        sa.Column("incident_id", Words(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("occurred_at", Instant(), nullable=False),
        sa.Column("body", Words(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_transition_incident_id_incident"),
        sa.PrimaryKeyConstraint("id", name="pk_transition"),
    )
    op.create_index("ix_transition_occurred", "transition", ["occurred_at", "id"], unique=False)
    op.create_index("uq_transition", "transition", ["incident_id", "seq"], unique=True)

    op.create_table(
        "group_member",
        sa.Column("transition_id", Words(), nullable=False),
        sa.Column("route_id", Words(), nullable=False),
        sa.Column("receiver_id", Words(), nullable=False),
        sa.Column("group_id", Words(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["notify_group.id"], name="fk_group_member_group_id_notify_group"
        ),
        sa.ForeignKeyConstraint(
            ["transition_id"], ["transition.id"], name="fk_group_member_transition_id_transition"
        ),
        sa.PrimaryKeyConstraint("transition_id", "route_id", "receiver_id", name="pk_group_member"),
    )
    op.create_index("ix_group_member_group", "group_member", ["group_id"], unique=False)
    op.execute("INSERT INTO data_version (id, value) VALUES (2, 0), (3, 0)")
    _seal_audit_log()


def _seal_audit_log() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON audit_log FROM CURRENT_USER")
        return
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_log_{change.lower()} BEFORE {change} ON audit_log "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END"
        )
