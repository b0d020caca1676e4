"""HTML page of an article → title, text, date; boilerplate is left out rather than let in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from riskwatch.decode import charset
from riskwatch.decode.dates import judged, parse_date
from riskwatch.decode.links import canonical
from riskwatch.decode.text import plain_title, tidy, truncated
from riskwatch.errors import DecodeError

if TYPE_CHECKING:
    from datetime import datetime

MIN_TEXT_CHARS = 200  # less is a consent page, a teaser or a wall
MAX_PAGE_BYTES = 5_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """Words of one article page."""

    title: str | None
    text: str
    published_at: datetime | None
    site: str | None  # outlet's own name where the page gives it
    url: str | None  # canonical link where the page gives it
    lang: str | None
    flags: tuple[str, ...] = ()


def page(
    body: bytes,
    *,
    content_type: str | None = None,
    url: str | None = None,
    now: datetime,
    min_chars: int = MIN_TEXT_CHARS,
    max_bytes: int = MAX_PAGE_BYTES,
) -> Page:
    """Return the article of an HTML page.

    Args:
        body: Bytes of the page.
        content_type: Header of the answer, for its charset.
        url: Where it came from.
        now: Aware UTC; later dates are dropped.
        min_chars: Fewer characters of text are no article.
        max_bytes: More are not read; a hostile page costs 4 s of processor time a megabyte.

    Raises:
        DecodeError: no_article or too_large, with the reason.
    """
    if len(body) > max_bytes:
        raise DecodeError(f"the page is larger than {max_bytes:,} bytes", outcome="too_large")
    import trafilatura  # noqa: PLC0415  # takes 1.1 s to import

    html = charset.decode_text(body, content_type=content_type).text.replace("\x00", "")
    try:
        found = trafilatura.bare_extraction(
            html,
            url=url,
            favor_precision=True,
            include_comments=False,
            with_metadata=True,
            date_extraction_params={"extensive_search": False, "original_date": True},
        )
    except Exception as error:  # noqa: BLE001  # foreign code on hostile bytes: the feed's text is the way back
        raise DecodeError(
            f"the page could not be read: {type(error).__name__}", outcome="no_article"
        ) from None
    if found is None or isinstance(found, dict):
        raise DecodeError("the page holds no article text", outcome="no_article")
    title = plain_title(found.title, is_html=True) or None if found.title else None
    text, was_cut = truncated(_without_headline(tidy(found.text or ""), title))
    if len(text) < min_chars:
        raise DecodeError(f"the page holds only {len(text)} characters of text", outcome="no_article")
    published_at, flag = judged(parse_date(found.date) if found.date else None, now=now)
    return Page(
        title=title,
        text=text,
        published_at=published_at,
        site=tidy(found.sitename) or None if found.sitename else None,
        url=canonical(found.url),
        lang=found.language,
        flags=(*(("truncated",) if was_cut else ()), *((flag,) if flag else ())),
    )


def _without_headline(text: str, title: str | None) -> str:
    """Return the text without the headline over it: a wall that shows no more is no article."""
    first, _, rest = text.partition("\n")
    return rest if title and first.casefold() == title.casefold() else text
