"""Articles, their revisions, mentions and the pending list."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    bindparam,
    distinct,
    exists,
    func,
    or_,
    select,
    tuple_,
    update,
)

from riskwatch.errors import NotFound
from riskwatch.model import CANARY, Article, ArticleBrief, Detection, vendor_of
from riskwatch.store import Added, ArticleFilter
from riskwatch.store.sql.codec import clean, decode, encode
from riskwatch.store.sql.search import feed_index, matches
from riskwatch.store.sql.session import chunks, ended, known
from riskwatch.store.sql.sources import SqlSources
from riskwatch.store.sql.tables import article, article_revision, mention

MAX_REVISIONS = 24
TEXT_GONE = "text gone"  # in place of a ruleset: there is nothing to read again, its Signals stay
PAGE = "page"  # text_origin of what a page said
_BESIDE = ("id", "title", "text", "revision", "first_seen_at", "recorded_at")  # columns of their own
_NEWEST = (article.c.id == article_revision.c.article_id) & (
    article.c.revision == article_revision.c.revision
)
_READ = select(
    article.c.id,
    article.c.first_seen_at,
    article_revision.c.title,
    article_revision.c.text,
    article_revision.c.revision,
    article_revision.c.recorded_at,
    article_revision.c.body,
)
_SHOWN = article.c.source_id != CANARY
_BRIEF = select(*(article.c[one.name] for one in fields(ArticleBrief) if one.name in article.c))
_SAME = update(article).where(article.c.id == bindparam("article_id"))
_REVISED = (
    "url", "url_hash", "revision", "fingerprint", "text_key", "family", "tier",
    "published_at", "told_at", "recorded_at",
)  # fmt: skip
_CHANGED = _SAME.values(detected_at=None, **{name: bindparam(f"new_{name}") for name in _REVISED})
_DETECTED = _SAME.values(
    detected_at=bindparam("now"), ruleset=bindparam("by"), sketch=bindparam("new_sketch")
)


def article_id(source_id: str, guid: str) -> str:
    """Return the id of the Article with this identity."""
    return "a" + sha256(clean(f"{source_id}\n{guid}").encode()).hexdigest()[:25]


class SqlArticles(SqlSources):
    """The ArticleStore on one transaction."""

    def add_articles(self, articles: Sequence[Article], *, now: datetime) -> Added:
        """Store new Articles and new revisions; of several with one identity in a batch the first counts."""
        batch: dict[str, Article] = {}
        for given in articles:
            batch.setdefault(article_id(given.source_id, given.guid), given)
        held = self._held_revisions(batch)
        changed, flagged = _differing(batch, held)
        told = {i: _fingerprint(batch[i]) for i in changed}
        batch |= self._keeping_pages({i: batch[i] for i in changed})
        fresh = [_row(i, batch[i], None, now=now) for i in sorted(batch.keys() - held.keys())]
        new = self._add_new(fresh)
        again = [{**_row(i, batch[i], held[i], now=now), "fingerprint": told[i]} for i in changed]
        self._add_changed(again)
        stored = [*(row for row in fresh if row["id"] in new), *again]
        self._session.add(article_revision, [revision_row(row, batch[row["id"]]) for row in stored])
        if stored:
            self._session.changed()
        return Added(
            new=tuple(i for i in batch if i in new),
            changed=tuple(changed),
            unchanged=len(articles) - len(stored) - len(flagged),
            flagged=tuple(flagged),
            by_source=_by_source(stored),
        )

    def _held_revisions(self, ids: Iterable[str]) -> dict[str, Row[Any]]:
        columns = (article.c.id, article.c.revision, article.c.fingerprint, article.c.first_seen_at)
        held: dict[str, Row[Any]] = {}
        for part in chunks(ids):
            rows = self._session.claim(select(*columns).where(article.c.id.in_(part)).order_by(article.c.id))
            held.update({row.id: row for row in rows})
        return held

    def _keeping_pages(self, changed: Mapping[str, Article]) -> dict[str, Article]:
        """Return those changed in a feed whose page was read, with the page's text where that says more."""
        kept: dict[str, Article] = {}
        for part in chunks(i for i, given in changed.items() if given.text_origin != PAGE):
            for row in self._session.read(newest_article().where(article.c.id.in_(part))):
                before, given = article_of(row), changed[row.id]
                text = before.text[before.lead_chars :]
                if before.text_origin == PAGE and len(text) > len(given.text):
                    kept[row.id] = with_page(given, text, text_key=before.text_key)
        return kept

    def _add_new(self, rows: Sequence[dict[str, Any]]) -> set[str]:
        """Insert Articles; return the ids of those that nobody else has stored meanwhile."""
        if self._session.is_sqlite:  # the only writer
            self._session.add(article, rows)
            return {row["id"] for row in rows}
        added: set[str] = set()
        statement = self._session.insert(article).on_conflict_do_nothing().returning(article.c.id)
        for part in chunks(rows):
            added.update(self._session.run(statement, part).scalars())
        return added

    def _add_changed(self, rows: Sequence[dict[str, Any]]) -> None:
        changed = [{"article_id": row["id"], **{f"new_{n}": row[n] for n in _REVISED}} for row in rows]
        self._session.run_many(_CHANGED, changed)

    def pending(self, *, limit: int) -> Sequence[Article]:
        """Return Articles whose newest revision was not yet detected, oldest (first_seen_at, id) first."""
        waits = newest_article().where(article.c.detected_at.is_(None))
        query = waits.order_by(article.c.first_seen_at, article.c.id).limit(limit)
        return tuple(map(article_of, self._session.read(query)))

    def count_pending(self) -> int:
        """Return how many Articles wait for detection."""
        query = select(func.count()).select_from(article).where(article.c.detected_at.is_(None))
        return int(self._session.read(query).scalar_one())

    def redetect(self, *, ruleset: str, limit: int) -> int:
        """Put the newest Articles detected with another ruleset back on the pending list; return how many."""
        newest = select(article.c.id).where(_outdated(ruleset)).order_by(article.c.first_seen_at.desc())
        again = update(article).where(article.c.id.in_(newest.limit(limit))).values(detected_at=None)
        return self._session.run(again).rowcount

    def count_outdated(self, *, ruleset: str) -> int:
        """Return how many Articles were detected with another ruleset and are not pending."""
        query = select(func.count()).select_from(article).where(_outdated(ruleset))
        return int(self._session.read(query).scalar_one())

    def mark_detected(
        self, results: Mapping[tuple[str, int], Detection], *, ruleset: str, now: datetime
    ) -> None:
        """Store mentions and sketches by (Article id, revision), and take the Articles off the pending list.

        An Article that has a newer revision by now is passed over: it is still to be detected.
        """
        for keys in chunks(results):
            ids = {article_id for article_id, _ in keys}
            columns = (article.c.id, article.c.revision, article.c.told_at, article.c.ruleset)
            query = select(*columns).where(article.c.id.in_(ids)).order_by(article.c.id)
            held = self._session.claim(query).all()
            missing = ids - {row.id for row in held}
            if missing:
                raise NotFound("article", min(missing))
            same = [row for row in held if (row.id, row.revision) in results]
            found = [(row, results[row.id, row.revision]) for row in same]
            if found:
                done = {"now": now, "by": ruleset}
                rows = [{"article_id": row.id, "new_sketch": result.sketch, **done} for row, result in found]
                self._session.run_many(_DETECTED, rows)
                self._save_mentions(found, now)
        if results:
            feed_index(self._session)
            self._session.changed()

    def _save_mentions(self, found: Sequence[tuple[Row[Any], Detection]], now: datetime) -> None:
        rows = [row for held, result in found for row in _mentions(held, result, now)]
        read_before = [held.id for held, _ in found if held.ruleset is not None]  # no other has mentions
        if read_before:
            self._end_mentions(read_before, rows, now)
        self._session.replace(mention, rows, only=("ended_at", "spans"))

    def _end_mentions(self, ids: Sequence[str], rows: Sequence[dict[str, Any]], now: datetime) -> None:
        """End the mentions of these Articles that are not among the rows."""
        kept = {(row["article_id"], row["revision"], row["subject"]) for row in rows}
        key = (mention.c.article_id, mention.c.revision, mention.c.subject)
        live = select(*key).where(mention.c.article_id.in_(ids), mention.c.ended_at.is_(None))
        gone = [tuple(row) for row in self._session.read(live) if tuple(row) not in kept]
        for part in chunks(gone):
            at = ended(mention.c.recorded_at, now)
            self._session.run(update(mention).where(tuple_(*key).in_(part)).values(ended_at=at))

    def article(self, article_id: str) -> Article:
        """Return the newest revision; raises NotFound."""
        row = self._session.read(newest_article().where(_SHOWN, article.c.id == article_id)).first()
        if row is None:
            raise NotFound("article", article_id)
        return article_of(row)

    def revisions(self, article_id: str) -> Sequence[Article]:
        """Return all revisions, oldest first; raises NotFound."""
        query = _READ.join(article_revision, article.c.id == article_revision.c.article_id)
        query = query.where(_SHOWN, article.c.id == article_id).order_by(article_revision.c.revision)
        found = tuple(map(article_of, self._session.read(query)))
        if not found:
            raise NotFound("article", article_id)
        return found

    def articles(self, where: ArticleFilter) -> Sequence[Article]:
        """Return one page."""
        order = (article.c.first_seen_at.desc(), article.c.id.desc())
        query = newest_article().where(*_conditions(where)).order_by(*order).limit(where.limit)
        if where.query:
            query = query.where(*matches(where.query, self._session))
        return tuple(map(article_of, self._session.read(query)))

    def known_guids(self, source_id: str, guids: Sequence[str]) -> Mapping[str, str | None]:
        """Return the stored guids among those given, with their URL."""
        wanted = {article_id(source_id, guid): guid for guid in guids}
        found: dict[str, str | None] = {}
        for part in chunks(wanted):
            rows = self._session.read(select(article.c.id, article.c.url).where(article.c.id.in_(part)))
            found.update({wanted[row.id]: row.url for row in rows})
        return found

    def known_urls(self, source_id: str, urls: Sequence[str]) -> Mapping[str, str]:
        """Return the stored URLs among those given, with their guid."""
        wanted = {_url_hash(url): url for url in urls}
        found: dict[str, str] = {}
        for part in chunks(wanted):
            rows = self._session.read(
                select(article.c.url_hash, article.c.guid)
                .where(article.c.source_id == source_id, article.c.url_hash.in_(part))
                .order_by(article.c.first_seen_at.desc(), article.c.id.desc())
            )
            found.update({wanted[row.url_hash]: row.guid for row in rows})
        return found

    def briefs(self, article_ids: Sequence[str]) -> Mapping[str, ArticleBrief]:
        """Return what merge needs of these Articles."""
        found: list[ArticleBrief] = []
        for part in chunks(dict.fromkeys(article_ids)):
            rows = self._session.read(_BRIEF.where(article.c.id.in_(part)))
            found += [ArticleBrief(**row._mapping) for row in rows]
        return {brief.id: brief for brief in found}

    def mention_counts(
        self, *, since: datetime, until: datetime, vendor: str | None = None
    ) -> Mapping[str, int]:
        """Return Subject id -> distinct Articles naming it, told in [since, until] and recorded by until."""
        told = mention.c.told_at.between(since, until) & known(
            mention.c.recorded_at, mention.c.ended_at, until
        )
        told &= mention.c.vendor != CANARY if vendor is None else mention.c.vendor == vendor
        count = func.count(distinct(mention.c.article_id))
        vendors = self._session.read(select(mention.c.vendor, count).where(told).group_by(mention.c.vendor))
        lines = self._session.read(
            select(mention.c.subject, count)
            .where(told, mention.c.subject != mention.c.vendor)
            .group_by(mention.c.subject)
        )
        return dict(sorted((str(subject), int(number)) for subject, number in [*vendors, *lines]))


def _outdated(ruleset: str) -> ColumnElement[bool]:
    return article.c.detected_at.is_not(None) & article.c.ruleset.not_in((ruleset, TEXT_GONE))


def newest_article() -> Select[Any]:
    """Return the query of Articles with their newest revision."""
    return _READ.join(article_revision, _NEWEST)


def with_page(told: Article, text: str, *, text_key: str) -> Article:
    """Return an Article as its feed tells it, and below that the text of its page, unless that holds it."""
    lead = f"{told.text}\n" if told.text and told.text not in text else ""
    return replace(told, text=lead + text, text_key=text_key, text_origin=PAGE, lead_chars=len(lead))


def article_of(row: Row[Any]) -> Article:
    """Return the Article of a row of newest_article."""
    return decode(
        Article,
        row.body,
        id=row.id,
        title=row.title,
        text=row.text,
        revision=row.revision,
        first_seen_at=row.first_seen_at,
        recorded_at=row.recorded_at,
    )


def _fingerprint(given: Article) -> str:
    said = f"{given.title is None}\n{given.title}\n{given.text_key or given.text}"
    return sha256(clean(said).encode()).hexdigest()


def _url_hash(url: str) -> str:
    return sha256(clean(url).encode()).hexdigest()[:16]


def _differing(batch: Mapping[str, Article], held: Mapping[str, Row[Any]]) -> tuple[list[str], list[str]]:
    """Return the ids of stored Articles with another text, and of those past their last revision."""
    differ = [i for i, a in batch.items() if i in held and held[i].fingerprint != _fingerprint(a)]
    flagged = [i for i in differ if held[i].revision >= MAX_REVISIONS]
    return [i for i in differ if held[i].revision < MAX_REVISIONS], flagged


def _by_source(stored: Sequence[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    every = Counter(row["source_id"] for row in stored)
    new = Counter(row["source_id"] for row in stored if row["revision"] == 1)
    return {source_id: (new[source_id], count - new[source_id]) for source_id, count in every.items()}


def _row(id_: str, a: Article, held: Row[Any] | None, *, now: datetime) -> dict[str, Any]:
    first_seen_at = (a.first_seen_at or now) if held is None else held.first_seen_at
    return {
        "id": id_,
        "source_id": a.source_id,
        "guid": a.guid,
        "url": a.url,
        "url_hash": None if a.url is None else _url_hash(a.url),
        "revision": 1 if held is None else held.revision + 1,
        "fingerprint": _fingerprint(a),
        "text_key": a.text_key,
        "family": a.family,
        "tier": a.tier,
        "published_at": a.published_at,
        "first_seen_at": first_seen_at,
        "told_at": a.published_at or first_seen_at,
        "recorded_at": a.recorded_at or now,
    }


def revision_row(row: Mapping[str, Any], a: Article) -> dict[str, Any]:
    """Return the row of a revision: of `row` its number and time, of `a` what it says."""
    return {
        "article_id": row["id"],
        "revision": row["revision"],
        "recorded_at": row["recorded_at"],
        "title": a.title,
        "text": a.text,
        "body": encode(a, without=_BESIDE),
    }


def _mentions(held: Row[Any], detection: Detection, now: datetime) -> Iterable[dict[str, Any]]:
    spans: dict[str, list[tuple[str, int, int]]] = {}
    for found in detection.mentions:
        spans.setdefault(found.subject, []).append((found.field, found.start, found.end))
    for subject, places in sorted(spans.items()):
        yield {
            "article_id": held.id,
            "revision": held.revision,
            "subject": subject,
            "vendor": vendor_of(subject),
            "told_at": held.told_at,
            "recorded_at": now,
            "ended_at": None,
            "spans": json.dumps(places),
        }


def _conditions(where: ArticleFilter) -> Iterable[ColumnElement[bool]]:
    yield _SHOWN
    if where.source_id is not None:
        yield article.c.source_id == where.source_id
    if where.subject is not None:
        named = or_(mention.c.subject == where.subject, mention.c.vendor == where.subject)
        yield exists().where(mention.c.article_id == article.c.id, mention.c.ended_at.is_(None), named)
    if where.seen_from is not None:
        yield article.c.first_seen_at >= where.seen_from
    if where.seen_to is not None:
        yield article.c.first_seen_at <= where.seen_to
    if where.after is not None:
        seen_at, last = where.after
        yield or_(
            article.c.first_seen_at < seen_at, (article.c.first_seen_at == seen_at) & (article.c.id < last)
        )
