"""Pages behind Articles: the queue, the texts that came of it, the robots.txt of hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select, update

from riskwatch.errors import NotFound
from riskwatch.model import PageState
from riskwatch.store import PageText
from riskwatch.store.sql.articles import (
    MAX_REVISIONS,
    PAGE,
    article_of,
    newest_article,
    revision_row,
    with_page,
)
from riskwatch.store.sql.session import Session, chunks, flat
from riskwatch.store.sql.tables import article, article_revision, page, robots


class SqlPages:
    """The PageStore on one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def pages(self, article_ids: Sequence[str]) -> Mapping[str, PageState]:
        """Return how the pages of these Articles stand."""
        found: dict[str, PageState] = {}
        for part in chunks(dict.fromkeys(article_ids)):
            rows = self._session.read(select(page).where(page.c.article_id.in_(part)))
            found.update({row.article_id: PageState(**row._mapping) for row in rows})
        return found

    def due_pages(self, *, now: datetime) -> Sequence[PageState]:
        """Return the pages to be asked for now, by (due_at, article_id)."""
        query = select(page).where(page.c.due_at <= now).order_by(page.c.due_at, page.c.article_id)
        return tuple(PageState(**row._mapping) for row in self._session.read(query))

    def add_pages(self, states: Sequence[PageState]) -> None:
        """Store those whose Article has none yet."""
        self._session.add_missing(page, list(map(flat, states)))

    def replace_page(self, before: PageState, after: PageState) -> bool:
        """Replace a state that still stands as it was read; return whether it did."""
        same = update(page).where(
            page.c.article_id == before.article_id,
            page.c.attempts == before.attempts,
            page.c.due_at.is_not_distinct_from(before.due_at),
        )
        self._session.changed()
        return bool(self._session.run(same.values(flat(after))).rowcount)

    def delay_pages(self, host: str, *, until: datetime) -> None:
        """Let no page of a host be due before an instant."""
        early = update(page).where(page.c.host == host, page.c.due_at < until)
        self._session.run(early.values(due_at=until))

    def is_shared(self, article_id: str) -> bool:
        """Return whether another Article of the same Source has the same link."""
        own = select(article.c.source_id, article.c.url_hash).where(article.c.id == article_id).subquery()
        same = (
            select(func.count())
            .select_from(article)
            .join(own, (article.c.source_id == own.c.source_id) & (article.c.url_hash == own.c.url_hash))
        )
        return int(self._session.read(same).scalar_one()) > 1

    def add_text(self, article_id: str, text: PageText, *, now: datetime) -> int:
        """Store the page's text as a further revision, which is pending; return the newest revision."""
        self._session.claim(select(article.c.id).where(article.c.id == article_id))
        row = self._session.read(newest_article().where(article.c.id == article_id)).first()
        if row is None:
            raise NotFound("article", article_id)
        before = article_of(row)
        is_read = before.text_origin == PAGE
        if (is_read and before.text_key == text.text_key) or before.revision >= MAX_REVISIONS:
            return before.revision
        fed = replace(before, text=before.text[: before.lead_chars].strip()) if is_read else before
        after = with_page(fed, text.text, text_key=text.text_key)
        told = {"revision": before.revision + 1, "text_key": text.text_key, "recorded_at": now}
        # The fingerprint stays: it tells what the Source said last, and a page does not change that.
        self._session.run(update(article).where(article.c.id == article_id).values(**told, detected_at=None))
        self._session.add(article_revision, [revision_row({"id": article_id, **told}, after)])
        self._session.changed()
        return before.revision + 1

    def robots(self, origin: str, *, since: datetime) -> str | None:
        """Return the robots.txt of an origin, unless it was not asked for since then."""
        query = select(robots.c.text).where(robots.c.origin == origin, robots.c.recorded_at > since)
        return self._session.read(query).scalar()

    def save_robots(self, origin: str, text: str, *, now: datetime) -> None:
        """Remember the robots.txt of an origin."""
        self._session.replace(robots, [{"origin": origin, "text": text, "recorded_at": now}])
