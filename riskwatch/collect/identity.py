"""Articles of one poll, and what the store knows → the same Articles under the identity they have; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from riskwatch.model import Article

MIN_ITEMS = 2


def settle(
    articles: Sequence[Article], *, known_guids: Mapping[str, str | None], known_urls: Mapping[str, str]
) -> tuple[Article, ...]:
    """Return the Articles; where most guids are new though their links are known, the links decide.

    Some feeds mint new guids at every poll or after a move: more than half of a poll's guids are then new
    while the links stand in the store. Such Articles take the guid of their link, so none is doubled.

    Args:
        articles: Of one poll of one Source.
        known_guids: Stored guids among those of the articles.
        known_urls: Stored URL -> guid, among the URLs of the articles.
    """
    links = [article.url for article in articles if article.url]
    if len(articles) < MIN_ITEMS or len(set(links)) < len(links):
        return tuple(articles)  # one link for many items tells nothing
    renamed = {
        article.guid: known_urls[article.url]
        for article in articles
        if article.url and article.guid not in known_guids and article.url in known_urls
    }
    if len(renamed) * 2 <= len(articles):
        return tuple(articles)
    taken = {article.guid for article in articles} - set(renamed)
    settled = [_as(article, renamed.get(article.guid), taken) for article in articles]
    return tuple(settled)


def _as(article: Article, guid: str | None, taken: set[str]) -> Article:
    return article if guid is None or guid in taken else replace(article, guid=guid)
