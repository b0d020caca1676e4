"""Pages behind Articles, still to be read or read, and what hosts allow: the PageStore Protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from riskwatch.model import PageState


@dataclass(frozen=True, slots=True)
class PageText:
    """Text of an Article as its page has it."""

    text: str
    text_key: str  # of this text alone: copies under another teaser are copies


class PageStore(Protocol):
    """The queue of pages, their texts, and the robots.txt of hosts."""

    def pages(self, article_ids: Sequence[str]) -> Mapping[str, PageState]:
        """Return how the pages of these Articles stand; an Article whose page nobody wants is left out."""
        ...

    def due_pages(self, *, now: datetime) -> Sequence[PageState]:
        """Return the pages to be asked for now, by (due_at, article_id)."""
        ...

    def add_pages(self, states: Sequence[PageState]) -> None:
        """Store those whose Article has none yet."""
        ...

    def replace_page(self, before: PageState, after: PageState) -> bool:
        """Replace a state that still stands as it was read; return whether it did.

        Attempts and due time tell a state from the one before: of two workers one gets it.
        """
        ...

    def delay_pages(self, host: str, *, until: datetime) -> None:
        """Let no page of a host be due before an instant."""
        ...

    def is_shared(self, article_id: str) -> bool:
        """Return whether another Article of the same Source has the same link."""
        ...

    def add_text(self, article_id: str, text: PageText, *, now: datetime) -> int:
        """Store the page's text as a further revision, which is pending; return the newest revision.

        What the feed says stays: its title, and its text above the page's, unless that holds it. Nothing is
        stored for a text that was read before, or past 24 revisions.
        Raises NotFound.
        """
        ...

    def robots(self, origin: str, *, since: datetime) -> str | None:
        """Return the robots.txt of an origin, unless it was not asked for since then."""
        ...

    def save_robots(self, origin: str, text: str, *, now: datetime) -> None:
        """Remember the robots.txt of an origin."""
        ...
