"""Values in, values out again: what riskwatch remembers.

`Store.begin()` opens a UnitOfWork: the stores on one connection and one transaction. Leaving the block
commits, an exception rolls back. Every instant is aware UTC; sequences are sorted as the docstring says; no
method touches the network. NUL and lone surrogates in any text are stored as U+FFFD. Storing the same again
changes nothing.
`known_at` always means: only rows with recorded_at <= known_at; None means all rows.
What the canary brings is read by its vendor only (`signals`, `events_of`): no list, count or look-up has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from riskwatch.model import (
    Article,
    ArticleBrief,
    Detection,
    Event,
    HostState,
    Poll,
    Signal,
    SourceState,
    Story,
    Verdict,
)
from riskwatch.store.access import AccessStore, ApiKey
from riskwatch.store.alerts import (
    DeliveryFilter,
    DueGroup,
    IncidentFilter,
    IncidentStore,
    OutboxStore,
    Queued,
    Settled,
)
from riskwatch.store.pages import PageStore, PageText
from riskwatch.store.people import User, WebSession
from riskwatch.store.retention import Past, RetentionStore
from riskwatch.store.scores import ScoreStore

__all__ = [
    "AccessStore",
    "Added",
    "ApiKey",
    "ArticleFilter",
    "ArticleStore",
    "DeliveryFilter",
    "DueGroup",
    "EventFilter",
    "EventStore",
    "IncidentFilter",
    "IncidentStore",
    "OutboxStore",
    "PageStore",
    "PageText",
    "Past",
    "Queued",
    "RetentionStore",
    "ScoreStore",
    "Settled",
    "Store",
    "UnitOfWork",
    "User",
    "WebSession",
]


@dataclass(frozen=True, slots=True)
class Added:
    """What add_articles did; ids are of stored Articles."""

    new: tuple[str, ...]
    changed: tuple[str, ...]  # got a further revision
    unchanged: int
    flagged: tuple[str, ...] = ()  # past 24 revisions, ignored
    by_source: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # Source id -> (new, changed)


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Filters of an event listing, newest first by (occurred_at, id); empty means all."""

    vendor: str | None = None
    home: str | None = None
    types: tuple[str, ...] = ()
    assertions: tuple[str, ...] = ()
    states: tuple[str, ...] = ("live", "denied")
    occurred_from: datetime | None = None
    occurred_to: datetime | None = None
    known_at: datetime | None = None
    after: tuple[datetime, str] | None = None  # (occurred_at, id) of the last row of the page before
    limit: int = 50


@dataclass(frozen=True, slots=True)
class ArticleFilter:
    """Filters of an article listing, newest first: (first_seen_at, id) descending."""

    source_id: str | None = None
    subject: str | None = None  # by stored mention; a vendor id also finds its lines
    query: str | None = None
    seen_from: datetime | None = None
    seen_to: datetime | None = None
    after: tuple[datetime, str] | None = None
    limit: int = 50


class ArticleStore(Protocol):
    """Sources' state, polls and Articles with their revisions and mentions."""

    def add_articles(self, articles: Sequence[Article], *, now: datetime) -> Added:
        """Store new Articles and new revisions; identity is (source_id, guid), the first of a batch counts.

        Same text_key and title as its Source gave last: nothing changes. The text of a page
        stays below a changed item, unless the item's own is longer. first_seen_at and recorded_at
        become `now` where they are None. Articles new or changed are then `pending`.
        """
        ...

    def pending(self, *, limit: int) -> Sequence[Article]:
        """Return Articles whose newest revision was not yet detected, oldest (first_seen_at, id) first."""
        ...

    def count_pending(self) -> int:
        """Return how many Articles wait for detection."""
        ...

    def redetect(self, *, ruleset: str, limit: int) -> int:
        """Put the newest Articles detected with another ruleset back on the pending list; return how many."""
        ...

    def count_outdated(self, *, ruleset: str) -> int:
        """Return how many Articles were detected with another ruleset and are not pending."""
        ...

    def mark_detected(
        self, results: Mapping[tuple[str, int], Detection], *, ruleset: str, now: datetime
    ) -> None:
        """Store mentions and sketches by (Article id, revision), and take the Articles off the pending list.

        An Article that has a newer revision by now is passed over: it is still to be detected.
        """
        ...

    def article(self, article_id: str) -> Article:
        """Return the newest revision; raises NotFound."""
        ...

    def revisions(self, article_id: str) -> Sequence[Article]:
        """Return all revisions, oldest first; raises NotFound."""
        ...

    def articles(self, where: ArticleFilter) -> Sequence[Article]:
        """Return one page."""
        ...

    def known_guids(self, source_id: str, guids: Sequence[str]) -> Mapping[str, str | None]:
        """Return the stored guids among those given, with their URL."""
        ...

    def known_urls(self, source_id: str, urls: Sequence[str]) -> Mapping[str, str]:
        """Return the stored URLs among those given, with their guid."""
        ...

    def briefs(self, article_ids: Sequence[str]) -> Mapping[str, ArticleBrief]:
        """Return what merge needs of these Articles."""
        ...

    def mention_counts(
        self, *, since: datetime, until: datetime, vendor: str | None = None
    ) -> Mapping[str, int]:
        """Return Subject id -> distinct Articles naming it, told in [since, until] and recorded by until.

        A vendor's number includes Articles that name only one of its lines. With `vendor`, only that vendor
        and its lines are counted, and nothing of the others is read.
        """
        ...

    def source_states(self) -> Mapping[str, SourceState]:
        """Return the state of every Source ever seen."""
        ...

    def save_source_states(self, states: Sequence[SourceState]) -> None:
        """Insert or replace state rows."""
        ...

    def lease_sources(
        self, source_ids: Sequence[str], *, token: str, now: datetime, until: datetime
    ) -> Sequence[str]:
        """Claim Sources that nobody holds at `now`; return those claimed, which no other worker gets."""
        ...

    def host_states(self) -> Mapping[str, HostState]:
        """Return what is known of hosts."""
        ...

    def save_host_states(self, states: Sequence[HostState]) -> None:
        """Insert or replace host rows."""
        ...

    def add_polls(self, polls: Sequence[Poll]) -> None:
        """Append poll rows; one whose id is stored already is passed over."""
        ...

    def polls(self, source_id: str, *, limit: int = 50) -> Sequence[Poll]:
        """Return the newest polls of a Source, newest first."""
        ...

    def last_ok_polls(self, *, known_at: datetime) -> Mapping[str, datetime]:
        """Return Source id -> start of its last good poll by known_at."""
        ...

    def first_ok_polls(self) -> Mapping[str, datetime]:
        """Return Source id -> start of its first good poll: what that one brought was only learned."""
        ...

    def item_dates(self, source_ids: Sequence[str], *, since: datetime) -> Mapping[str, Sequence[datetime]]:
        """Return Source id -> published_at (else first_seen_at) of its Articles since then, ascending."""
        ...


class EventStore(Protocol):
    """Signals, Events with all their versions, Stories, Verdicts."""

    def add_signals(
        self, found: Mapping[tuple[str, int], Sequence[Signal]], *, now: datetime
    ) -> Sequence[tuple[str, str]]:
        """Store Signals by (Article id, revision); other live ones of these Articles end at `now`.

        Returns the (vendor, type) pairs of all Signals that were live or are now, sorted: what is to be
        merged again. Storing the same Signals again changes nothing.
        """
        ...

    def signals(
        self, vendor: str, *, types: Sequence[str] = (), known_at: datetime | None = None
    ) -> Sequence[Signal]:
        """Return the Signals of a vendor in force (at known_at), sorted by (told_at, text_key, start, id)."""
        ...

    def signals_of_article(self, article_id: str) -> Sequence[Signal]:
        """Return the Signals of an Article's newest revision, sorted by (field, start, id)."""
        ...

    def signals_by_id(self, signal_ids: Sequence[str]) -> Mapping[str, Signal]:
        """Return Signals by id, superseded ones too."""
        ...

    def save_events(self, events: Sequence[Event], *, now: datetime) -> None:
        """Append a version of each Event that differs from its current one (recorded_at = now)."""
        ...

    def event(self, event_id: str, *, known_at: datetime | None = None) -> Event:
        """Return an Event; ids that were merged away resolve to their heir. Raises NotFound."""
        ...

    def event_versions(self, event_id: str) -> Sequence[Event]:
        """Return all versions, oldest first; raises NotFound."""
        ...

    def events_of(self, vendor: str, *, known_at: datetime | None = None) -> Sequence[Event]:
        """Return a vendor's Events, without merged-away ones, by (occurred_at, id); one indexed read."""
        ...

    def versions_of(self, vendor: str) -> Sequence[Event]:
        """Return every version of a vendor's Events, by (recorded_at, id): what as-known replays need."""
        ...

    def events_of_article(self, article_id: str) -> Sequence[Event]:
        """Return the current Events that rest, or once rested, on an Article, by (occurred_at, id)."""
        ...

    def last_recorded_at(self, vendor: str) -> datetime | None:
        """Return when the newest version of a vendor's Events was recorded."""
        ...

    def event_counts(self, *, since: datetime, until: datetime) -> Mapping[str, int]:
        """Return Subject id -> live Events dated in (since, until], as known at until."""
        ...

    def list_events(self, where: EventFilter) -> Sequence[Event]:
        """Return one page, newest first."""
        ...

    def save_stories(self, vendor: str, stories: Sequence[Story], *, now: datetime) -> None:
        """Replace the current stories of a vendor (older ones stay resolvable by id)."""
        ...

    def stories(self, vendor: str) -> Sequence[Story]:
        """Return the current stories of a vendor, by id."""
        ...

    def story(self, story_id: str) -> Story:
        """Return one story; raises NotFound."""
        ...

    def add_verdict(self, verdict: Verdict) -> None:
        """Append a Verdict."""
        ...

    def verdicts(self, vendor: str, *, known_at: datetime | None = None) -> Sequence[Verdict]:
        """Return the Verdicts on a vendor's Events, by (recorded_at, id).

        One given on an Event that was merged away (by known_at) names the heir: nothing is lost.
        """
        ...


class UnitOfWork(Protocol):
    """The stores on one transaction."""

    @property
    def articles(self) -> ArticleStore:
        """Sources and Articles."""
        ...

    @property
    def pages(self) -> PageStore:
        """Pages behind Articles."""
        ...

    @property
    def events(self) -> EventStore:
        """Signals and Events."""
        ...

    @property
    def scores(self) -> ScoreStore:
        """Snapshots."""
        ...

    @property
    def incidents(self) -> IncidentStore:
        """AlertRules, Incidents, Silences, groups."""
        ...

    @property
    def outbox(self) -> OutboxStore:
        """Receivers, Schedules, Deliveries."""
        ...

    @property
    def access(self) -> AccessStore:
        """Keys, the audit log and settings."""
        ...

    @property
    def retention(self) -> RetentionStore:
        """Deleting."""
        ...

    def lock(self, name: str) -> None:
        """Wait until no other transaction holds the named lock, then hold it to the end of this one.

        An advisory lock on PostgreSQL; on SQLite a write transaction is alone anyway.
        """
        ...


class Store(Protocol):
    """A database: one implementation for SQLite and PostgreSQL."""

    def begin(self, *, write: bool = True) -> AbstractContextManager[UnitOfWork]:
        """Open a transaction; SQLite write transactions start with BEGIN IMMEDIATE. Raises Unavailable."""
        ...

    def check_schema(self) -> str:
        """Return head, behind, empty; raises SchemaTooNew or Unavailable."""
        ...

    def migrate(self) -> bool:
        """Bring the schema to head under a lock; return whether anything was done. Raises SchemaTooNew."""
        ...

    def close(self) -> None:
        """Give the connections back."""
        ...
