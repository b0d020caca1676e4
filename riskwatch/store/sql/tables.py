"""The tables, by subject; every change here needs a migration (a test compares the two).

What changes over time has two instants: recorded_at, from when we knew it, and ended_at (superseded_at), from
when we knew better. A row was known at t when recorded_at <= t and (ended_at is NULL or ended_at > t);
current rows have NULL there, and an index of their own.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, Table

from riskwatch.store.sql.columns import Instant, Number, Prose, Sketch, Words

REVISIONS = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
)  # migrations this program knows, oldest first; the last one is head

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

source_state = Table(
    "source_state",
    metadata,
    Column("source_id", Words, primary_key=True),
    Column("effective_url", Words),
    Column("validator_url", Words),
    Column("etag", Words),
    Column("last_modified", Words),
    Column("body_hash", Words),
    Column("next_due_at", Instant),
    Column("lease_token", Words),
    Column("lease_until", Instant),
    Column("consecutive_failures", Integer, nullable=False),
    Column("last_ok_at", Instant),
    Column("last_new_item_at", Instant),
    Column("last_status", Integer),
    Column("last_outcome", Words),
    Column("last_reason", Words),
    Column("gone_since", Instant),
    Column("moved_to", Words),
    Column("moved_count", Integer, nullable=False),
    Column("moved_since", Instant),
    Column("learned_gap_seconds", Float),
    Column("configured_url", Words),
)

host_state = Table(
    "host_state", metadata, Column("host", Words, primary_key=True), Column("not_before", Instant)
)

poll = Table(
    "poll",
    metadata,
    Column("id", Words, primary_key=True),
    Column("source_id", Words, ForeignKey("source_state.source_id"), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("duration_ms", Number, nullable=False),
    Column("outcome", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("status", Integer),
    Column("bytes", Number, nullable=False),
    Column("new", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("is_ok", Integer, nullable=False),
    Index("ix_poll_source", "source_id", "started_at", "id"),
    Index("ix_poll_ok", "source_id", "is_ok", "started_at"),
)

article = Table(
    "article",
    metadata,
    Column("id", Words, primary_key=True),  # a hash of (source_id, guid): a guid may be too long for an index
    Column("source_id", Words, nullable=False),
    Column("guid", Words, nullable=False),
    Column("url", Words),
    Column("url_hash", Words),
    Column("revision", Integer, nullable=False),  # the newest
    Column("fingerprint", Words, nullable=False),  # of title and text as the Source gave them last
    Column("text_key", Words, nullable=False),
    Column("family", Words, nullable=False),
    Column("tier", Words, nullable=False),
    Column("published_at", Instant),
    Column("first_seen_at", Instant, nullable=False),
    Column("told_at", Instant, nullable=False),  # published, else first seen
    Column("recorded_at", Instant, nullable=False),  # of the newest revision
    Column("detected_at", Instant),  # NULL: pending
    Column("ruleset", Words),
    Column("sketch", Sketch),
    Index("ix_article_seen", "first_seen_at", "id"),
    Index("ix_article_source_seen", "source_id", "first_seen_at", "id"),
    Index("ix_article_source_told", "source_id", "told_at"),
    Index("ix_article_source_url", "source_id", "url_hash"),
)
_waits = article.c.detected_at.is_(None)
Index(
    "ix_article_pending", article.c.first_seen_at, article.c.id, sqlite_where=_waits, postgresql_where=_waits
)

article_revision = Table(
    "article_revision",
    metadata,
    Column("seq", Number, primary_key=True, autoincrement=True),  # row of the search index
    Column("article_id", Words, ForeignKey("article.id"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("title", Prose),
    Column("text", Prose, nullable=False),
    Column("body", Words, nullable=False),  # the other fields as JSON
    Index("uq_article_revision", "article_id", "revision", unique=True),
)

page = Table(
    "page",
    metadata,
    Column("article_id", Words, ForeignKey("article.id"), primary_key=True),
    Column("host", Words, nullable=False),
    Column("due_at", Instant),  # NULL: not asked for any more
    Column("revision", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("outcome", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("asked_at", Instant),
    Column("url", Words),
)
_is_due = page.c.due_at.is_not(None)
Index("ix_page_due", page.c.due_at, page.c.article_id, sqlite_where=_is_due, postgresql_where=_is_due)

robots = Table(
    "robots",
    metadata,
    Column("origin", Words, primary_key=True),  # https://news.example
    Column("text", Words, nullable=False),
    Column("recorded_at", Instant, nullable=False),
)

mention = Table(
    "mention",
    metadata,
    Column("article_id", Words, ForeignKey("article.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("subject", Words, primary_key=True),
    Column("vendor", Words, nullable=False),
    Column("told_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("spans", Words, nullable=False),  # [[field, start, end], ...] as JSON
    Index("ix_mention_told", "told_at", "vendor", "subject", "article_id", "recorded_at", "ended_at"),
    Index("ix_mention_vendor", "vendor", "subject", "article_id"),
    Index("ix_mention_vendor_told", "vendor", "told_at", "subject", "article_id", "recorded_at", "ended_at"),
)

signal = Table(
    "signal",
    metadata,
    Column("seq", Number, primary_key=True, autoincrement=True),
    Column("id", Words, nullable=False),
    Column("article_id", Words, ForeignKey("article.id"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("vendor", Words, nullable=False),
    Column("type", Words, nullable=False),
    Column("told_at", Instant, nullable=False),
    Column("text_key", Words, nullable=False),
    Column("field", Words, nullable=False),
    Column("start", Integer, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("superseded_at", Instant),
    Column("body", Words, nullable=False),
    Index("ix_signal_id", "id", "seq"),
    Index("ix_signal_article", "article_id"),
    Index("ix_signal_vendor", "vendor", "type", "told_at"),
)
_live = signal.c.superseded_at.is_(None)
Index("uq_signal_live", signal.c.id, unique=True, sqlite_where=_live, postgresql_where=_live)

event = Table(
    "event",
    metadata,
    Column("id", Words, primary_key=True),
    Column("vendor", Words, nullable=False),
    Column("version", Integer, nullable=False),  # the newest
    Column("recorded_at", Instant, nullable=False),  # of the first version
    Index("ix_event_vendor", "vendor"),
)

event_version = Table(
    "event_version",
    metadata,
    Column("event_id", Words, ForeignKey("event.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("vendor", Words, nullable=False),
    Column("home", Words, nullable=False),
    Column("type", Words, nullable=False),
    Column("assertion", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("merged_into", Words),
    Column("recorded_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("body", Words, nullable=False),
    Index("ix_event_version_vendor", "vendor", "recorded_at", "event_id"),
)
_current = event_version.c.ended_at.is_(None)
Index(
    "ix_event_version_current_vendor",
    event_version.c.vendor,
    event_version.c.occurred_at,
    event_version.c.event_id,
    sqlite_where=_current,
    postgresql_where=_current,
)
Index(
    "ix_event_version_current",
    event_version.c.occurred_at,
    event_version.c.event_id,
    sqlite_where=_current,
    postgresql_where=_current,
)

_ended = event_version.c.ended_at.is_not(None)
Index(
    "ix_event_version_ended",
    event_version.c.vendor,
    event_version.c.ended_at,
    event_version.c.recorded_at,
    sqlite_where=_ended,
    postgresql_where=_ended,
)
_merged = event_version.c.merged_into.is_not(None)
Index(
    "ix_event_version_merged",
    event_version.c.vendor,
    event_version.c.event_id,
    sqlite_where=_merged,
    postgresql_where=_merged,
)

event_signal = Table(
    "event_signal",
    metadata,
    Column("event_id", Words, ForeignKey("event.id"), primary_key=True),
    Column("signal_id", Words, primary_key=True),
    Column("article_id", Words, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Index("ix_event_signal_article", "article_id", "event_id"),
    Index("ix_event_signal_signal", "signal_id"),
)

story = Table(
    "story",
    metadata,
    Column("id", Words, primary_key=True),
    Column("vendor", Words, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("ended_at", Instant),  # no longer a story of the vendor, still resolvable
    Index("ix_story_vendor", "vendor", "id"),
)

story_event = Table(
    "story_event",
    metadata,
    Column("story_id", Words, ForeignKey("story.id"), primary_key=True),
    Column("event_id", Words, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Index("ix_story_event_event", "event_id"),
)

verdict = Table(
    "verdict",
    metadata,
    Column("id", Words, primary_key=True),
    Column("event_id", Words, ForeignKey("event.id"), nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("body", Words, nullable=False),
    Index("ix_verdict_event", "event_id", "recorded_at"),
)

methodology = Table(
    "methodology",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("digest", Words, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("text", Words, nullable=False),
)

snapshot = Table(
    "snapshot",
    metadata,
    Column("id", Words, primary_key=True),
    Column("subject", Words, nullable=False),
    Column("as_of", Instant, nullable=False),
    Column("day", Words, nullable=False),  # UTC day of as_of
    Column("result_id", Words, nullable=False),
    Column("cause", Words, nullable=False),
    Column("points", Float),
    Column("recorded_at", Instant, nullable=False),
    Column("body", Words, nullable=False),  # the Score as JSON
    Index("uq_snapshot", "subject", "result_id", "cause", "day", unique=True),
    Index("ix_snapshot_subject", "subject", "as_of", "recorded_at", "id"),
    Index("ix_snapshot_points", "as_of", "subject", "recorded_at", "points"),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Words, primary_key=True),
    Column("name", Words, nullable=False),
    Column("secret_hash", Words, nullable=False),
    Column("scopes", Words, nullable=False),  # JSON list
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    Column("last_used_at", Instant),
)

person = Table(
    "person",
    metadata,
    Column("name", Words, primary_key=True),
    Column("scope", Words, nullable=False),
    Column("password_hash", Words, nullable=False),
    Column("is_one_time", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("last_login_at", Instant),
    Column("subject", Words),
    Index("ix_person_subject", "subject", unique=True),
)

web_session = Table(
    "session",
    metadata,
    Column("id_hash", Words, primary_key=True),
    Column("person", Words, ForeignKey("person.name"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index("ix_session_person", "person"),
    Index("ix_session_expires", "expires_at"),
)

setting = Table(
    "setting", metadata, Column("name", Words, primary_key=True), Column("value", Words, nullable=False)
)

data_version = Table(
    "data_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", Number, nullable=False),
)
