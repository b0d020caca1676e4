"""Bytes of a feed -> raw items: expat first, feedparser for what it refuses, an own reader for JSON Feed."""

from __future__ import annotations

import io
from collections.abc import Mapping

from riskwatch.decode import charset, jsonfeed, xmlfeed
from riskwatch.decode.mend import mend
from riskwatch.decode.origin import RawFeed, RawItem
from riskwatch.decode.text import plain, sound
from riskwatch.errors import DecodeError

MAX_ITEMS = 2_000
_CHALLENGES = (
    "just a moment",
    "attention required",
    "checking your browser",
    "verify you are human",
    "captcha",
    "access denied",
    "please enable cookies",
    "enable javascript and cookies",
    "ddos protection",
    "are you a robot",
    "request unsuccessful",
)
_HTML_STARTS = ("<html", "<!doctype html", "<head", "<body")


def read_feed(body: bytes, *, content_type: str | None = None, max_items: int = MAX_ITEMS) -> RawFeed:
    """Return the raw items of RSS, Atom, RDF, CDF or JSON Feed bytes.

    Raises:
        DecodeError: dtd_refused, not_a_feed or challenge_page, with a readable reason.
    """
    if not body.strip(b" \t\r\n\x00"):
        raise DecodeError("the answer is empty", outcome="not_a_feed")
    if _is_simple(body):
        feed = xmlfeed.parse(body, max_items=max_items)
        if feed is not None:
            return feed
    decoded = charset.decode_text(body, content_type=content_type)
    text = decoded.text.lstrip("\ufeff \t\r\n\x00")
    if text[:1] in ("{", "["):
        return jsonfeed.parse(text, max_items=max_items)
    _refuse_page(text)
    text = charset.refuse_dtd(text)
    if decoded.is_sure:
        text = mend(charset.without_declaration(text))
        feed = xmlfeed.parse(text, max_items=max_items)
        return feed or _tolerant(text.encode("utf-8", "replace"), "utf-8", max_items)
    # The announced charset does not fit: feedparser guesses on the bytes (all ASCII-compatible here).
    charset.refuse_dtd(body.replace(b"\x00", b"").decode("latin-1").lstrip())
    return _tolerant(charset.undeclared(body.strip()), None, max_items)


def challenge_words(text: str) -> str | None:
    """Return the words that give a page away as a bot challenge, else none."""
    lowered = text[:20_000].lower()
    return next((words for words in _CHALLENGES if words in lowered), None)


def _is_simple(body: bytes) -> bool:
    """Return whether expat may have the bytes as they are: UTF-8 by their own word, no sign of a DTD."""
    head = body[:200]
    if (
        b"<!DOCTYPE" in body
        or b"<!ENTITY" in body
        or not head.startswith((b"<?xml", b"<rss", b"<feed", b"\xef\xbb\xbf<"))
    ):
        return False
    declaration = head[: head.find(b"?>")].lower() if b"<?xml" in head else b""
    return b"utf-8" in declaration


def _refuse_page(text: str) -> None:
    head = text[:1_000].lstrip().lower()
    if not head.startswith(_HTML_STARTS):
        return
    challenge = challenge_words(text)
    if challenge:
        raise DecodeError(f"a challenge page ({challenge!r}) where a feed is due", outcome="challenge_page")
    title = _page_title(text[:20_000])
    raise DecodeError(f"an HTML page{f' ({title!r})' if title else ''} where a feed is due")


def _page_title(text: str) -> str:
    at = text.lower().find("<title")
    return "" if at < 0 else plain(text[at:].partition(">")[2].partition("<")[0])[:80]


def _tolerant(body: bytes, known_charset: str | None, max_items: int) -> RawFeed:
    import feedparser  # noqa: PLC0415  # slow to import and seldom needed

    headers = {"content-type": f"application/xml; charset={known_charset}"} if known_charset else {}
    try:
        # A BytesIO is never taken for a URL or a file name; the text is cleaned by decode.text.
        parsed = feedparser.parse(
            io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except Exception as error:  # noqa: BLE001  # it fails in many ways on hostile bytes; none may stop the others
        raise DecodeError(f"the feed parser gave up: {type(error).__name__}") from None
    entries = list(parsed.get("entries") or ())
    version = str(parsed.get("version") or "")
    if not version and not entries:
        raise DecodeError("neither RSS, Atom nor JSON Feed")
    items = tuple(_item(entry) for entry in entries[:max_items])
    return RawFeed(
        items,
        version or "unknown",
        "feedparser",
        flags=("too_many_items",) if len(entries) > max_items else (),
    )


def _item(entry: Mapping[str, object]) -> RawItem:
    title, body = _detail(entry, "title_detail"), _best_body(entry)
    published = _own(entry, "published") or _own(entry, "updated")
    parsed = _own(entry, "published_parsed") or _own(entry, "updated_parsed")
    return RawItem(
        guid=_word(entry.get("id")),
        link=_word(entry.get("link")),
        title=_word(entry.get("title")),
        body=sound(str(body.get("value") or "")),
        title_is_html=title.get("type") != "text/plain" or "&" in str(entry.get("title", "")),
        published=_word(published),
        parsed=tuple(parsed)[:6] if isinstance(parsed, tuple) else None,
        lang=_word(body.get("language")),
    )


def _own(entry: Mapping[str, object], key: str) -> object:
    """Return a value of its own: feedparser answers a missing date with another one, and a warning."""
    return dict.get(entry, key) if isinstance(entry, dict) else None


def _best_body(entry: Mapping[str, object]) -> Mapping[str, object]:
    contents = entry.get("content")
    bodies = [part for part in contents if isinstance(part, Mapping)] if isinstance(contents, list) else []
    bodies.append(_detail(entry, "summary_detail") or {"value": entry.get("summary")})
    return max(bodies, key=lambda part: len(str(part.get("value") or "")))


def _detail(entry: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = entry.get(key)
    return value if isinstance(value, Mapping) else {}


def _word(value: object) -> str | None:
    return sound(value).strip() or None if isinstance(value, str) else None
