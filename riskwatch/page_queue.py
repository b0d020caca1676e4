"""Articles just detected → the pages that are due: those of which the feed tells too little."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from riskwatch.collect import Source
from riskwatch.collect.wanted import is_wanted, queued
from riskwatch.model import Article
from riskwatch.store import UnitOfWork


def queue_pages(
    unit: UnitOfWork, read: Iterable[tuple[Article, bool]], sources: Sequence[Source], *, now: datetime
) -> None:
    """Let the pages be due that are wanted.

    Args:
        unit: A writing transaction.
        read: Articles, each with whether it names a watched vendor.
        sources: Those that say whether pages are wanted; an Article of no Source has none.
        now: Aware UTC.
    """
    by_id = {source.id: source for source in sources}
    wanted = {
        article.id: article
        for article, is_named in read
        if article.source_id in by_id
        and is_wanted(by_id[article.source_id], article, is_named=is_named, now=now)
    }
    held = unit.pages.pages(list(wanted))
    for article in wanted.values():
        before = held.get(article.id)
        after = queued(article, before, now=now)
        if after is not None and before is not None:
            unit.pages.replace_page(before, after)
        elif after is not None:
            unit.pages.add_pages([after])
