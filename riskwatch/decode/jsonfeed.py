"""JSON Feed 1.0 and 1.1 -> raw items (feedparser finds none in them)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from riskwatch.decode.origin import RawFeed, RawItem
from riskwatch.decode.text import sound
from riskwatch.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Mapping


def parse(text: str, *, max_items: int) -> RawFeed:
    """Return the items of a JSON Feed.

    Raises:
        DecodeError: Not JSON, or JSON of another kind.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise DecodeError("JSON that cannot be read") from None
    if not isinstance(document, dict) or not str(document.get("version", "")).startswith(
        "https://jsonfeed.org/version/"
    ):
        raise DecodeError("JSON where a feed is due; it is no JSON Feed")
    entries = document.get("items")
    if not isinstance(entries, list):
        raise DecodeError("a JSON Feed without a list of items")
    items = [
        _item(entry, _word(document, "language")) for entry in entries[:max_items] if isinstance(entry, dict)
    ]
    flags = ["too_many_items"] if len(entries) > max_items else []
    if len(items) < min(len(entries), max_items):
        flags.append("bad_items_left_out")
    return RawFeed(tuple(items), "json", "json", flags=tuple(flags))


def _item(entry: Mapping[str, object], lang: str | None) -> RawItem:
    html, text = _word(entry, "content_html"), _word(entry, "content_text")
    return RawItem(
        guid=_word(entry, "id"),
        link=_word(entry, "url") or _word(entry, "external_url"),
        title=_word(entry, "title"),
        body=html or text or _word(entry, "summary") or "",
        title_is_html=False,
        body_is_html=bool(html),
        published=_word(entry, "date_published") or _word(entry, "date_modified"),
        lang=_word(entry, "language") or lang,
    )


def _word(entry: Mapping[str, object], key: str) -> str | None:
    value = entry.get(key)
    if isinstance(value, str):
        return sound(value).strip() or None
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
