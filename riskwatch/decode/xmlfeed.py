"""Well-formed RSS and Atom -> raw items, with the parser of the standard library."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from riskwatch.decode.origin import RawFeed, RawItem

if TYPE_CHECKING:
    from collections.abc import Iterator

_ATOM = "{http://www.w3.org/2005/Atom}"
_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
_DC_DATE = "{http://purl.org/dc/elements/1.1/}date"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_BLOCKS = frozenset(
    {
        "p",
        "div",
        "li",
        "br",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "tr",
        "ul",
        "ol",
        "blockquote",
        "pre",
        "section",
    }
)
_MINUTE_SECONDS = 60.0
_MAX_TTL_DIGITS = 6


def parse(document: bytes | str, *, max_items: int) -> RawFeed | None:
    """Return the items, or none where a tolerant parser must look: ill-formed, other root, no id or title."""
    try:
        root = ET.fromstring(document)  # noqa: S314  # DTDs are refused before any parser sees the text
    except (ET.ParseError, ValueError, LookupError, RecursionError):
        return None
    if root.tag == "rss":
        items, dialect = [_rss_item(item) for item in root.iter("item")], "rss"
    elif root.tag == _ATOM + "feed":
        items, dialect = [_atom_item(entry) for entry in root.iter(_ATOM + "entry")], "atom"
    else:
        return None
    for item in items:
        if not (item.guid or item.link) or not item.title:
            return None
    flags = ("too_many_items",) if len(items) > max_items else ()
    return RawFeed(tuple(items[:max_items]), dialect, "expat", ttl_seconds=_ttl(root), flags=flags)


def _rss_item(element: ET.Element) -> RawItem:
    parts = {child.tag: child for child in reversed(element)}  # of several the first
    guid, title, link = parts.get("guid"), parts.get("title"), parts.get("link")
    date = parts.get("pubDate", parts.get(_DC_DATE))
    bodies = [_markup(parts[name]) for name in (_CONTENT, "description") if name in parts]
    item = RawItem(
        guid=_stripped(guid),
        link=_stripped(link),
        title=None if title is None else _inner(title),
        body=max(bodies, key=len, default=""),
        published=None if date is None else date.text,
    )
    if not item.link and item.guid and item.guid.startswith(("http://", "https://")) and _is_permalink(guid):
        item.link = item.guid
    return item


def _is_permalink(guid: ET.Element | None) -> bool:
    return guid is not None and guid.get("isPermaLink") != "false"


def _atom_item(entry: ET.Element) -> RawItem:
    item = RawItem(lang=entry.get(_XML_LANG))
    texts: dict[str, ET.Element] = {}
    for child in entry:
        tag = str(child.tag).removeprefix(_ATOM)
        if tag == "link":
            if child.get("rel", "alternate") == "alternate":
                item.link = item.link or (child.get("href") or "").strip()
        else:
            texts.setdefault(tag, child)
    item.guid = _stripped(texts.get("id"))
    title = texts.get("title")
    if title is not None:
        item.title = _inner(title)
        item.title_is_html = title.get("type") == "html"
    date = texts.get("published", texts.get("updated"))
    item.published = None if date is None else date.text
    body = max((texts[name] for name in ("content", "summary") if name in texts), key=_size, default=None)
    if body is not None:
        item.body = _markup(body)
        item.body_is_html = body.get("type", "text") != "text" or len(body) > 0
    return item


def _size(element: ET.Element) -> int:
    return len(element.text or "") if len(element) == 0 else sum(map(len, element.itertext()))


def _stripped(element: ET.Element | None) -> str | None:
    return None if element is None else (element.text or "").strip()


def _inner(element: ET.Element) -> str:
    """Return all words inside, so that a title written as XHTML survives."""
    return (element.text or "") if len(element) == 0 else "".join(element.itertext())


def _markup(element: ET.Element) -> str:
    """Return the text of an element; child elements (XHTML) become lines."""
    return (element.text or "") if len(element) == 0 else "".join(_pieces(element))


def _pieces(element: ET.Element) -> Iterator[str]:
    """Walk without recursion: nesting comes from outside and has no limit."""
    stack: list[tuple[ET.Element, bool]] = [(element, False)]
    while stack:
        node, is_done = stack.pop()
        name = str(node.tag).rpartition("}")[2].lower()
        edge = f"<{name}>" if name in _BLOCKS else ""
        if is_done:
            yield edge
            yield _escaped(node.tail) if node is not element else ""
            continue
        yield edge
        if name not in ("script", "style"):
            yield _escaped(node.text)
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node))
        else:
            yield _escaped(node.tail)


def _escaped(text: str | None) -> str:
    return (text or "").replace("&", "&amp;").replace("<", "&lt;")


def _ttl(root: ET.Element) -> float | None:
    minutes = root.findtext("channel/ttl") or ""
    minutes = minutes.strip()
    return (
        int(minutes) * _MINUTE_SECONDS if minutes.isdecimal() and len(minutes) <= _MAX_TTL_DIGITS else None
    )  # sane number
