"""What the scores rest on: articles, sources, coverage, event types, methodology."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskwatch.errors import NotFound
from riskwatch.model import vendor_of
from riskwatch.serve import answers, present
from riskwatch.serve.api.vendors import subject_known
from riskwatch.serve.query import (
    ArticleQuery,
    Nothing,
    PollQuery,
    SourceQuery,
    end_of,
    moment_cursor,
    moment_place,
    start_of,
)
from riskwatch.serve.route import Desk, Route
from riskwatch.serve.sources import source_rows
from riskwatch.store import ArticleFilter


def list_articles(desk: Desk, query: ArticleQuery) -> Mapping[str, Any]:
    """List articles, newest first."""
    if query.subject is not None:
        vendor, _, line = query.subject.partition("/")
        subject_known(desk, vendor, line or None)
    where = ArticleFilter(
        source_id=query.source,
        subject=query.subject,
        query=query.q,
        seen_from=start_of(query.from_),
        seen_to=end_of(query.to),
        after=moment_place("articles", query.cursor),
        limit=query.limit + 1,
    )
    with desk.store.begin(write=False) as unit:
        found = unit.articles.articles(where)
    page = found[: query.limit]
    last = page[-1] if len(found) > query.limit else None
    return {
        "items": [present.article(a) for a in page],
        "next_cursor": moment_cursor("articles", last.first_seen_at or desk.now(), last.id) if last else None,
    }


def get_article(desk: Desk, _query: Nothing, article: str) -> Mapping[str, Any]:
    """Return one article with its signals and revisions."""
    with desk.store.begin(write=False) as unit:
        found = unit.articles.article(article)
        revisions = unit.articles.revisions(article)
        signals = unit.events.signals_of_article(article)
        page = unit.pages.pages([article]).get(article)
    return {
        **present.article(found),
        "page": present.page(page) if page else None,
        "signals": [present.signal(s) for s in signals],
        "revisions": [
            {
                "revision": r.revision,
                "title": r.title,
                "text_origin": r.text_origin,
                "recorded_at": present.instant(r.recorded_at),
            }
            for r in revisions
        ],
    }


def list_sources(desk: Desk, query: SourceQuery) -> Mapping[str, Any]:
    """List the sources with their health."""
    vendor = vendor_of(query.subject) if query.subject else None
    rows = [
        row
        for row in source_rows(desk)
        if (query.state is None or row["state"] == query.state)
        and (vendor is None or "all" in row["covers"] or vendor in row["covers"])
    ]
    return {"items": rows, "next_cursor": None}


def get_source(desk: Desk, _query: Nothing, source: str) -> Mapping[str, Any]:
    """Return one source."""
    for row in source_rows(desk):
        if row["id"] == source:
            return row
    raise NotFound("source", source, "GET /v1/sources lists them")


def list_polls(desk: Desk, query: PollQuery, source: str) -> Mapping[str, Any]:
    """List the newest polls of a source."""
    get_source(desk, Nothing(), source)
    with desk.store.begin(write=False) as unit:
        rows = unit.articles.polls(source, limit=query.limit)
    return {"items": [present.poll(row) for row in rows], "next_cursor": None}


def list_coverage(desk: Desk, _query: Nothing) -> Mapping[str, Any]:
    """List how well each subject is watched."""
    rows = [
        {
            "subject": subject,
            "coverage": row["coverage"],
            "gaps": row["coverage_gaps"],
            "confidence": row["confidence"],
        }
        for subject, row in desk.boards.newest().summaries.items()
    ]
    return {"items": rows, "next_cursor": None}


def list_event_types(desk: Desk, _query: Nothing) -> Mapping[str, Any]:
    """List the event types with their numbers in the methodology."""
    weights = {**desk.config.methodology["types"], **desk.config.methodology["mitigations"]["types"]}
    rows = [
        {
            "id": t.id,
            "factor": str(t.factor),
            "direction": str(t.direction),
            "definition": t.definition,
            "attributes": dict(t.attributes),
            "merge_window_days": t.merge_window_days,
            "weights": weights.get(t.id, {}),
        }
        for t in desk.config.taxonomy.values()
    ]
    return {"items": rows, "next_cursor": None}


def get_methodology(desk: Desk, _query: Nothing) -> Mapping[str, Any]:
    """Return every constant of the score."""
    document = dict(desk.config.methodology)
    return {
        "version": desk.config.methodology_version,
        "title": document.get("title", ""),
        "digest": desk.config.methodology_digest,
        "effective_from": str(document.get("effective_from", "")),
        "document": document,
    }


_ARTICLES, _POLLS = answers.Page[answers.ArticleRow], answers.Page[answers.PollRow]
_SOURCES, _TYPES = answers.Page[answers.SourceRow], answers.Page[answers.EventTypeRow]
_COVERAGE = answers.Page[answers.CoverageRow]
ROUTES = (
    Route("/v1/articles", list_articles, _ARTICLES, "Articles, newest first", query=ArticleQuery),
    Route("/v1/articles/<article>", get_article, answers.ArticleDetail, "One article with its signals"),
    Route("/v1/sources", list_sources, _SOURCES, "Sources with their health", query=SourceQuery),
    Route("/v1/sources/<source>", get_source, answers.SourceRow, "One source"),
    Route("/v1/sources/<source>/polls", list_polls, _POLLS, "Newest polls of a source", query=PollQuery),
    Route("/v1/coverage", list_coverage, _COVERAGE, "How well each subject is watched", is_listing=True),
    Route("/v1/event-types", list_event_types, _TYPES, "Event types with their numbers"),
    Route("/v1/methodology", get_methodology, answers.Methodology, "Every constant of the score"),
)
