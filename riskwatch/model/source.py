"""State of Sources and the record of Polls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SourceState:
    """Where a Source stands; one row, written in the transaction of its poll."""

    source_id: str
    effective_url: str | None = None
    validator_url: str | None = None  # the URL that etag and last_modified belong to
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    next_due_at: datetime | None = None
    lease_token: str | None = None
    lease_until: datetime | None = None
    consecutive_failures: int = 0
    last_ok_at: datetime | None = None
    last_new_item_at: datetime | None = None
    last_status: int | None = None
    last_outcome: str | None = None
    last_reason: str | None = None
    gone_since: datetime | None = None
    moved_to: str | None = None
    moved_count: int = 0
    moved_since: datetime | None = None
    learned_gap_seconds: float | None = None
    configured_url: str | None = None  # the configuration's URL when effective_url and moves were learned


@dataclass(frozen=True, slots=True)
class HostState:
    """Politeness toward one host: nothing is asked of it before not_before."""

    host: str
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class PageState:
    """Where the page behind an Article stands: whether it is still to be asked for, and what came of it."""

    article_id: str
    host: str  # of the Article's link
    due_at: datetime | None  # None: it is not asked for any more
    revision: int  # newest of the Article when this was written: a later one is an edit
    attempts: int = 0  # in the Article's whole life
    outcome: str = "due"  # read, or why the feed's text stays
    reason: str = ""
    asked_at: datetime | None = None
    url: str | None = None  # where the text was read, after redirects

    @property
    def is_read(self) -> bool:
        """Whether the page's text is the Article's."""
        return self.outcome == "read"


@dataclass(frozen=True, slots=True)
class Poll:
    """One attempt at a Source, with outcome and reason."""

    id: str
    source_id: str
    started_at: datetime
    duration_ms: int
    outcome: str  # ok, not_modified, blocked, bad_status, too_large, unreachable, not_a_feed, dtd_refused ...
    reason: str  # readable sentence; "" when ok
    status: int | None
    bytes: int
    new: int
    changed: int

    @property
    def is_ok(self) -> bool:
        """Whether the Source answered as it should."""
        return self.outcome in ("ok", "not_modified")
