"""First tables."""

import sqlalchemy as sa
from alembic import op

from riskwatch.store.sql.columns import Instant, Prose, Sketch, Words

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915 - one statement a table and index
    op.create_table(
        "api_key",
        sa.Column("id", Words(), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("secret_hash", Words(), nullable=False),
        sa.Column("scopes", Words(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("last_used_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
    )
    op.create_table(
        "article",
        sa.Column("id", Words(), nullable=False),
        sa.Column("source_id", Words(), nullable=False),
        sa.Column("guid", Words(), nullable=False),
        sa.Column("url", Words(), nullable=True),
        sa.Column("url_hash", Words(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("fingerprint", Words(), nullable=False),
        sa.Column("text_key", Words(), nullable=False),
        sa.Column("family", Words(), nullable=False),
        sa.Column("tier", Words(), nullable=False),
        sa.Column("published_at", Instant(), nullable=True),
        sa.Column("first_seen_at", Instant(), nullable=False),
        sa.Column("told_at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("detected_at", Instant(), nullable=True),
        sa.Column("ruleset", Words(), nullable=True),
        sa.Column("sketch", Sketch(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_article"),
    )
    op.create_index(
        "ix_article_pending",
        "article",
        ["first_seen_at", "id"],
        unique=False,
        sqlite_where=sa.text("detected_at IS NULL"),
        postgresql_where=sa.text("detected_at IS NULL"),
    )
    op.create_index("ix_article_seen", "article", ["first_seen_at", "id"], unique=False)
    op.create_index("ix_article_source_seen", "article", ["source_id", "first_seen_at", "id"], unique=False)
    op.create_index("ix_article_source_told", "article", ["source_id", "told_at"], unique=False)
    op.create_index("ix_article_source_url", "article", ["source_id", "url_hash"], unique=False)

    op.create_table(
        "data_version",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_data_version"),
    )
    op.create_table(
        "event",
        sa.Column("id", Words(), nullable=False),
        sa.Column("vendor", Words(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
    )
    op.create_index("ix_event_vendor", "event", ["vendor"], unique=False)

    op.create_table(
        "host_state",
        sa.Column("host", Words(), nullable=False),
        sa.Column("not_before", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("host", name="pk_host_state"),
    )
    op.create_table(
        "methodology",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", Words(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("text", Words(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_methodology"),
    )
    op.create_table(
        "setting",
        sa.Column("name", Words(), nullable=False),
        sa.Column("value", Words(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_setting"),
    )
    op.create_table(
        "snapshot",
        sa.Column("id", Words(), nullable=False),
        sa.Column("subject", Words(), nullable=False),
        sa.Column("as_of", Instant(), nullable=False),
        sa.Column("day", Words(), nullable=False),
        sa.Column("result_id", Words(), nullable=False),
        sa.Column("cause", Words(), nullable=False),
        sa.Column("points", sa.Float(), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("body", Words(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_snapshot"),
    )
    op.create_index(
        "ix_snapshot_points", "snapshot", ["as_of", "subject", "recorded_at", "points"], unique=False
    )
    op.create_index(
        "ix_snapshot_subject", "snapshot", ["subject", "as_of", "recorded_at", "id"], unique=False
    )
    op.create_index("uq_snapshot", "snapshot", ["subject", "result_id", "cause", "day"], unique=True)

    op.create_table(
        "source_state",
        sa.Column("source_id", Words(), nullable=False),
        sa.Column("effective_url", Words(), nullable=True),
        sa.Column("validator_url", Words(), nullable=True),
        sa.Column("etag", Words(), nullable=True),
        sa.Column("last_modified", Words(), nullable=True),
        sa.Column("body_hash", Words(), nullable=True),
        sa.Column("next_due_at", Instant(), nullable=True),
        sa.Column("lease_token", Words(), nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("consecutive_failures", sa.Integer(), nullable=False),
        sa.Column("last_ok_at", Instant(), nullable=True),
        sa.Column("last_new_item_at", Instant(), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_outcome", Words(), nullable=True),
        sa.Column("last_reason", Words(), nullable=True),
        sa.Column("gone_since", Instant(), nullable=True),
        sa.Column("moved_to", Words(), nullable=True),
        sa.Column("moved_count", sa.Integer(), nullable=False),
        sa.Column("moved_since", Instant(), nullable=True),
        sa.Column("learned_gap_seconds", sa.Float(), nullable=True),
        sa.Column("configured_url", Words(), nullable=True),
        sa.PrimaryKeyConstraint("source_id", name="pk_source_state"),
    )
    op.create_table(
        "story",
        sa.Column("id", Words(), nullable=False),
        sa.Column("vendor", Words(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_story"),
    )
    op.create_index("ix_story_vendor", "story", ["vendor", "id"], unique=False)

    op.create_table(
        "article_revision",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("article_id", Words(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("title", Prose(), nullable=True),
        sa.Column("text", Prose(), nullable=False),
        sa.Column("body", Words(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name="fk_article_revision_article_id_article"
        ),
        sa.PrimaryKeyConstraint("seq", name="pk_article_revision"),
    )
    op.create_index("uq_article_revision", "article_revision", ["article_id", "revision"], unique=True)

    op.create_table(
        "event_signal",
        sa.Column("event_id", Words(), nullable=False),
        sa.Column("signal_id", Words(), nullable=False),
        sa.Column("article_id", Words(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name="fk_event_signal_event_id_event"),
        sa.PrimaryKeyConstraint("event_id", "signal_id", name="pk_event_signal"),
    )
    op.create_index("ix_event_signal_article", "event_signal", ["article_id", "event_id"], unique=False)
    op.create_index("ix_event_signal_signal", "event_signal", ["signal_id"], unique=False)

    op.create_table(
        "event_version",
        sa.Column("event_id", Words(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("vendor", Words(), nullable=False),
        sa.Column("home", Words(), nullable=False),
        sa.Column("type", Words(), nullable=False),
        sa.Column("assertion", Words(), nullable=False),
        sa.Column("state", Words(), nullable=False),
        sa.Column("occurred_at", Instant(), nullable=False),
        sa.Column("merged_into", Words(), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("body", Words(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name="fk_event_version_event_id_event"),
        sa.PrimaryKeyConstraint("event_id", "version", name="pk_event_version"),
    )
    op.create_index(
        "ix_event_version_current",
        "event_version",
        ["occurred_at", "event_id"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_event_version_current_vendor",
        "event_version",
        ["vendor", "occurred_at", "event_id"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_event_version_ended",
        "event_version",
        ["vendor", "ended_at", "recorded_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NOT NULL"),
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    op.create_index(
        "ix_event_version_merged",
        "event_version",
        ["vendor", "event_id"],
        unique=False,
        sqlite_where=sa.text("merged_into IS NOT NULL"),
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    op.create_index(
        "ix_event_version_vendor", "event_version", ["vendor", "recorded_at", "event_id"], unique=False
    )

    op.create_table(
        "mention",
        sa.Column("article_id", Words(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("subject", Words(), nullable=False),
        sa.Column("vendor", Words(), nullable=False),
        sa.Column("told_at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("spans", Words(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name="fk_mention_article_id_article"),
        sa.PrimaryKeyConstraint("article_id", "revision", "subject", name="pk_mention"),
    )
    op.create_index(
        "ix_mention_told",
        "mention",
        ["told_at", "vendor", "subject", "article_id", "recorded_at", "ended_at"],
        unique=False,
    )
    op.create_index("ix_mention_vendor", "mention", ["vendor", "subject", "article_id"], unique=False)
    op.create_index(
        "ix_mention_vendor_told",
        "mention",
        ["vendor", "told_at", "subject", "article_id", "recorded_at", "ended_at"],
        unique=False,
    )

    op.create_table(
        "poll",
        sa.Column("id", Words(), nullable=False),
        sa.Column("source_id", Words(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("duration_ms", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("outcome", Words(), nullable=False),
        sa.Column("reason", Words(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("bytes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("is_ok", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source_state.source_id"], name="fk_poll_source_id_source_state"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_poll"),
    )
    op.create_index("ix_poll_ok", "poll", ["source_id", "is_ok", "started_at"], unique=False)
    op.create_index("ix_poll_source", "poll", ["source_id", "started_at", "id"], unique=False)

    op.create_table(
        "signal",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("id", Words(), nullable=False),
        sa.Column("article_id", Words(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("vendor", Words(), nullable=False),
        sa.Column("type", Words(), nullable=False),
        sa.Column("told_at", Instant(), nullable=False),
        sa.Column("text_key", Words(), nullable=False),
        sa.Column("field", Words(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("superseded_at", Instant(), nullable=True),
        sa.Column("body", Words(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name="fk_signal_article_id_article"),
        sa.PrimaryKeyConstraint("seq", name="pk_signal"),
    )
    op.create_index("ix_signal_article", "signal", ["article_id"], unique=False)
    op.create_index("ix_signal_id", "signal", ["id", "seq"], unique=False)
    op.create_index("ix_signal_vendor", "signal", ["vendor", "type", "told_at"], unique=False)
    op.create_index(
        "uq_signal_live",
        "signal",
        ["id"],
        unique=True,
        sqlite_where=sa.text("superseded_at IS NULL"),
        postgresql_where=sa.text("superseded_at IS NULL"),
    )

    op.create_table(
        "story_event",
        sa.Column("story_id", Words(), nullable=False),
        sa.Column("event_id", Words(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name="fk_story_event_story_id_story"),
        sa.PrimaryKeyConstraint("story_id", "event_id", name="pk_story_event"),
    )
    op.create_index("ix_story_event_event", "story_event", ["event_id"], unique=False)

    op.create_table(
        "verdict",
        sa.Column("id", Words(), nullable=False),
        sa.Column("event_id", Words(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("body", Words(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name="fk_verdict_event_id_event"),
        sa.PrimaryKeyConstraint("id", name="pk_verdict"),
    )
    op.create_index("ix_verdict_event", "verdict", ["event_id", "recorded_at"], unique=False)
    op.execute("INSERT INTO data_version (id, value) VALUES (1, 0)")
    _add_search()


def _add_search() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        _add_fts(connection)
        return
    try:
        with connection.begin_nested():
            connection.execute(sa.text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
    except sa.exc.DBAPIError:
        return  # not installed or not ours to install: ILIKE works without, only slower
    for column in ("title", "text"):
        op.execute(
            f"CREATE INDEX ix_article_search_{column} ON article_revision USING gin ({column} gin_trgm_ops)"
        )


def _add_fts(connection: sa.Connection) -> None:
    try:
        connection.exec_driver_sql(_FTS)
    except sa.exc.OperationalError:
        return  # a SQLite without FTS5 or its trigrams: texts are scanned
    op.execute("INSERT INTO setting (name, value) VALUES ('search_mark', '0')")
    op.execute(f"CREATE TRIGGER article_search_drop AFTER DELETE {_FTS_WHEN} BEGIN {_FTS_DROP} END")
    op.execute(
        f"CREATE TRIGGER article_search_change AFTER UPDATE OF title, text {_FTS_WHEN} "
        f"BEGIN {_FTS_DROP} {_FTS_ADD} END"
    )


_FTS_WHEN = (
    "ON article_revision "
    "WHEN old.seq <= (SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'search_mark')"
)
_FTS = (
    "CREATE VIRTUAL TABLE article_search USING fts5("
    "title, text, content='article_revision', content_rowid='seq', tokenize='trigram', detail=none)"
)
_FTS_ADD = "INSERT INTO article_search (rowid, title, text) VALUES (new.seq, new.title, new.text);"
_FTS_DROP = (
    "INSERT INTO article_search (article_search, rowid, title, text) "
    "VALUES ('delete', old.seq, old.title, old.text);"
)
