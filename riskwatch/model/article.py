"""Articles and what is read from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from riskwatch.model.event import Signal


class SourceClass(StrEnum):
    """What a Source counts as for coverage."""

    WIRE = "wire"
    PRESS = "press"
    VENDOR_CHANNEL = "vendor_channel"
    DOCS_CHANGELOG = "docs_changelog"
    MODEL_HUB = "model_hub"
    FILING = "filing"
    MARKET_DATA = "market_data"
    COURT = "court"
    REGULATOR = "regulator"
    STATUS_PAGE = "status_page"


@dataclass(frozen=True, slots=True)
class Article:
    """One decoded text item; id and revision are given when it is stored."""

    source_id: str  # Source id, or "ingest"
    guid: str  # identity inside the source; see collecting.md 7
    title: str | None
    text: str  # body or summary, plain text, NFC as decoded; "" where there is none
    url: str | None  # canonical
    published_at: datetime | None  # aware UTC; None where unknown
    lang: str  # en, zh, ...; "und" where unknown
    publisher: str  # outlet's name or domain
    family: str  # publisher family: one voice
    tier: str  # primary, 1, 2, 3, 4
    source_class: str = SourceClass.PRESS
    covers: tuple[str, ...] = ()  # vendors that the source speaks for (a vendor's own channel)
    text_key: str = ""  # SHA-256 of the normalised text
    text_origin: str = "feed"  # page, feed, title
    lead_chars: int = 0  # of a page's text: what the feed says stands before it
    garbled: bool = False
    flags: tuple[str, ...] = ()  # date_in_future, truncated ...
    id: str = ""
    revision: int = 1
    first_seen_at: datetime | None = None
    recorded_at: datetime | None = None

    @property
    def speaker(self) -> str | None:
        """The vendor whose own channel it comes from."""
        return self.covers[0] if len(self.covers) == 1 else None


@dataclass(frozen=True, slots=True)
class Mention:
    """Span of an Article that names a Subject."""

    subject: str
    field: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Blocked:
    """A candidate that a named filter or a fence cancelled."""

    rule: str
    frame: str
    by: str
    field: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Detection:
    """What detect found in one Article."""

    signals: tuple[Signal, ...]
    mentions: tuple[Mention, ...]
    blocked: tuple[Blocked, ...] = ()
    trace: tuple[Mapping[str, object], ...] = ()  # one JSON-ready object a candidate, see detection.md 8
    notes: tuple[str, ...] = ()
    sketch: tuple[int, ...] = field(default=())  # merge.copies.sketch(article), filled by the pipeline


@dataclass(frozen=True, slots=True)
class ArticleBrief:
    """What merge must know of an Article beside its Signals."""

    id: str
    text_key: str
    family: str
    tier: str
    published_at: datetime | None
    first_seen_at: datetime | None
    sketch: tuple[int, ...] = ()  # up to 128 smallest 64-bit hashes of word 4-grams, ascending
    source_id: str = ""
    credited_family: str | None = None  # explicit syndication credit ("first appeared on ...")
