"""Raw items -> Articles: text, date, link, language, identity, flags."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from riskwatch.decode import digest
from riskwatch.decode.dates import from_parts, judged, parse_date
from riskwatch.decode.links import canonical
from riskwatch.decode.text import (
    is_garbled,
    plain,
    plain_title,
    script_lang,
    tidy,
    tidy_text_key,
    truncated,
    without_bold,
)
from riskwatch.model import Article

if TYPE_CHECKING:
    from datetime import datetime

    from riskwatch.decode.origin import Origin, RawItem

_MAX_GUID_CHARS = 1_000


def articles_of(item: RawItem, *, origin: Origin, now: datetime) -> tuple[Article, ...]:
    """Return the Article of an item, or one for each point of a digest; none for an item without words."""
    whole = article_of(item, origin=origin, now=now)
    if whole is None:
        return ()
    return digest.split(whole, item.body) if origin.digest else (whole,)


def guid_of(item: RawItem, *, link: str | None, identity: str, title: str | None) -> str:
    """Return the identity of an item inside its Source: guid, link or a hash of title and date."""
    guid = (item.guid or "").strip()
    chosen = (link or guid) if identity == "link" else (guid or link)
    if not chosen:
        stamp = item.published or (item.published_at.isoformat() if item.published_at else "")
        return "sha256:" + hashlib.sha256(f"{title}\n{stamp}".encode("utf-8", "replace")).hexdigest()
    if len(chosen) > _MAX_GUID_CHARS:
        return "sha256:" + hashlib.sha256(chosen.encode("utf-8", "replace")).hexdigest()
    return chosen if chosen.isascii() else chosen.encode("utf-8", "replace").decode("utf-8")


def article_of(item: RawItem, *, origin: Origin, now: datetime) -> Article | None:
    """Return the Article of an item, or none where it has no words."""
    title = plain_title(item.title, is_html=item.title_is_html) if item.title else None
    title = title or None
    body = item.body
    words = without_bold(plain(body) if item.body_is_html else tidy(body)) if body else ""
    text, was_cut = truncated(words)
    if not title and not text:
        return None
    link = canonical(item.link, base=origin.url) if item.link else None
    published_at, date_flag = _date(item, now=now)
    flags = (*(("truncated",) if was_cut else ()), *((date_flag,) if date_flag else ()))
    lang = _lang(item.lang) or origin.lang
    sample = f"{title or ''} {text[:300]}"
    return Article(
        source_id=origin.source_id,
        guid=guid_of(item, link=link, identity=origin.identity, title=title),
        title=title,
        text=text,
        url=link,
        published_at=published_at,
        lang=script_lang(sample, default=lang),
        publisher=origin.publisher,
        family=origin.family,
        tier=origin.tier,
        source_class=origin.source_class,
        covers=origin.covers,
        text_key=tidy_text_key(title, text),
        text_origin="feed" if text else "title",
        garbled=is_garbled(title),
        flags=flags,
    )


def _date(item: RawItem, *, now: datetime) -> tuple[datetime | None, str | None]:
    when = item.published_at
    if when is None and item.published:
        when = parse_date(item.published)
    if when is None and item.parsed:
        when = from_parts(item.parsed)
    return judged(when, now=now)


def _lang(tag: str | None) -> str | None:
    """Return the primary subtag of a language tag (`en-US` gives `en`)."""
    if not tag:
        return None
    primary = tag.replace("_", "-").split("-")[0].strip().lower()
    return primary if primary.isascii() and primary.isalpha() and len(primary) in (2, 3) else None
