"""*Bytes of a document → Articles*, or a DecodeError with a readable reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from riskwatch.decode.build import articles_of
from riskwatch.decode.feed import read_feed
from riskwatch.decode.origin import Origin
from riskwatch.errors import DecodeError

if TYPE_CHECKING:
    from riskwatch.model import Article

__all__ = ["Decoded", "Origin", "decode"]


@dataclass(frozen=True, slots=True)
class Decoded:
    """Articles of one document, in its order, each identity once."""

    articles: tuple[Article, ...]
    dialect: str = ""  # rss, atom, json, or feedparser's word
    parser: str = ""  # expat, feedparser, json
    ttl_seconds: float | None = None  # how often the publisher wants to be asked, at most
    flags: tuple[str, ...] = ()


def decode(body: bytes, *, content_type: str | None, origin: Origin, now: datetime) -> Decoded:
    """Return the Articles of a feed.

    Args:
        body: Bytes as received, after content decoding.
        content_type: Header of the answer, for its charset.
        origin: What is known of the Source.
        now: Aware UTC; a date more than 24 hours later is dropped and flagged.

    Raises:
        DecodeError: The bytes are no feed (not_a_feed, challenge_page) or declare a DTD (dtd_refused).
    """
    try:
        feed = read_feed(body, content_type=content_type)
        articles = [article for item in feed.items for article in articles_of(item, origin=origin, now=now)]
    except RecursionError:
        raise DecodeError("nested too deeply to be a feed") from None
    return Decoded(_each_once(articles), feed.dialect, feed.parser, feed.ttl_seconds, feed.flags)


def _each_once(articles: list[Article]) -> tuple[Article, ...]:
    """Return the Articles without copies; different ones under one guid are told apart by their date.

    The oldest keeps the bare guid, so that a newer one on top takes no identity away.
    """
    by_guid: dict[str, list[Article]] = {}
    for article in articles:
        by_guid.setdefault(article.guid, []).append(article)
    if len(by_guid) == len(articles):
        return tuple(articles)
    kept: list[Article] = []
    for guid, same in by_guid.items():
        by_date = {article.published_at: article for article in reversed(same)}  # same date: the first counts
        oldest = min(by_date, key=lambda moment: (moment is None, moment or datetime.min.replace(tzinfo=UTC)))
        texts = set()
        for moment, article in sorted(by_date.items(), key=lambda pair: pair[0] != oldest):
            if article.text_key in texts:
                continue
            texts.add(article.text_key)
            kept.append(article if moment == oldest else replace(article, guid=f"{guid}|{moment}"))
    return tuple(kept)
