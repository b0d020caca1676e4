"""*Bytes of a document → Articles*, or a DecodeError with a readable reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from riskwatch.decode.build import articles_of
from riskwatch.decode.feed import read_feed
from riskwatch.decode.origin import Origin
from riskwatch.errors import DecodeError

if TYPE_CHECKING:
    from datetime import datetime

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
    unique = {
        article.guid: article for article in reversed(articles)
    }  # a guid given twice: its first item counts
    kept = tuple(article for article in articles if unique.get(article.guid) is article)
    return Decoded(kept, feed.dialect, feed.parser, feed.ttl_seconds, feed.flags)
