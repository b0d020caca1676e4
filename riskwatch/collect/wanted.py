"""Articles → the pages to be asked for, and when again; pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from riskwatch.collect.due import host_of
from riskwatch.collect.source import SourceKind
from riskwatch.model import PageState, SourceClass

if TYPE_CHECKING:
    from riskwatch.collect.source import Source
    from riskwatch.model import Article

SHORT_CHARS = 400  # a feed's text of this length tells the news by itself
FRESH = timedelta(days=30)  # older news is read as its feed told it
RETRY_WAITS = (timedelta(hours=1), timedelta(hours=6))
MOST_ATTEMPTS = len(RETRY_WAITS) + 1  # in an Article's whole life: failures and edits together


def is_wanted(source: Source, article: Article, *, is_named: bool, now: datetime) -> bool:
    """Return whether the page behind an Article is to be read.

    Args:
        source: Its `full_text`; files, digests and status pages have no page of an article's own.
        article: As stored.
        is_named: Whether title or text names a watched vendor.
        now: Aware UTC.
    """
    if source.full_text == "never" or source.kind is not SourceKind.FEED:
        return False
    if source.digest or source.source_class is SourceClass.STATUS_PAGE or not _is_article(article.url):
        return False
    told_at = article.published_at or article.first_seen_at
    if told_at is None or now - told_at > FRESH:
        return False
    if source.full_text == "always":
        return True
    return is_named and (article.text_origin == "page" or len(article.text) < SHORT_CHARS)


def _is_article(url: str | None) -> bool:
    """Return whether an address can be that of one article; a host's front page never is."""
    parts = urlsplit(url or "")
    return parts.scheme in ("http", "https") and bool(parts.path.strip("/") or parts.query)


def queued(article: Article, before: PageState | None, *, now: datetime) -> PageState | None:
    """Return the state by which a page is due, or none where it is so already, or will not be asked again.

    A page that was asked for is asked again only where the Article has changed since, and not for ever.
    """
    if before is None:
        return PageState(article.id, host_of(article.url or ""), due_at=now, revision=article.revision)
    if before.due_at is not None or before.attempts >= MOST_ATTEMPTS or article.revision <= before.revision:
        return None
    return replace(before, due_at=now, revision=article.revision)


def taken(state: PageState, *, now: datetime, lease: timedelta) -> PageState:
    """Return the state of a page that somebody asks for now: should he die, it is due after the lease."""
    attempts = state.attempts + 1
    return replace(
        state,
        due_at=now + lease if attempts < MOST_ATTEMPTS else None,
        attempts=attempts,
        asked_at=now,
        outcome="interrupted",
        reason="the program ended while it asked for the page",
    )


def retry_at(state: PageState, *, wait: timedelta | None, now: datetime) -> datetime | None:
    """Return when a page that failed in passing is asked for again: after `wait`, else ours; none at last."""
    if state.attempts >= MOST_ATTEMPTS:
        return None
    return now + (wait or RETRY_WAITS[state.attempts - 1])
