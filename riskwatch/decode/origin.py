"""What is known of the place that the bytes came from, and the raw item between a parser and an Article."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from riskwatch.model import SourceClass

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Origin:
    """Source facts that every Article of a document inherits."""

    source_id: str
    url: str | None = None  # final URL of the document: base of relative links
    publisher: str = ""
    family: str = ""
    tier: str = "4"
    source_class: str = SourceClass.PRESS
    lang: str = "und"
    covers: tuple[str, ...] = ()
    digest: bool = False  # one item holds many stories
    identity: str = "auto"  # guid, link, auto (auto decodes as guid; the poll may fall back to link)


@dataclass(slots=True)
class RawItem:
    """One entry as a parser saw it: nothing cleaned yet."""

    guid: str | None = None
    link: str | None = None
    title: str | None = None
    body: str = ""
    title_is_html: bool = True  # RSS leaves it open; markup is then recognised by its look
    body_is_html: bool = True
    published: str | None = None
    parsed: tuple[int, ...] | None = (
        None  # year, month, day, hour, minute, second in UTC, from a tolerant parser
    )
    published_at: datetime | None = None
    lang: str | None = None


@dataclass(frozen=True, slots=True)
class RawFeed:
    """Entries of one document."""

    items: tuple[RawItem, ...]
    dialect: str  # rss, atom, json, or feedparser's word for it
    parser: str  # expat, feedparser, json
    ttl_seconds: float | None = None  # how often the publisher wants to be asked, at most
    flags: tuple[str, ...] = ()
