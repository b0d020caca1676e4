"""OPML bytes -> the feeds that it lists, each with its line; and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from riskwatch.decode import charset
from riskwatch.decode.text import sound
from riskwatch.errors import DecodeError

MAX_FEEDS = 5_000


@dataclass(frozen=True, slots=True)
class Outline:
    """One feed of an OPML file."""

    title: str
    url: str
    site: str = ""  # htmlUrl
    lang: str = ""
    line: int = 0


def read_opml(body: bytes) -> tuple[Outline, ...]:
    """Return the feeds in the order of the file; outlines without xmlUrl are folders.

    Raises:
        DecodeError: dtd_refused, or not_opml with the line.
    """
    decoded = charset.decode_text(body)
    text = charset.refuse_dtd(decoded.text.lstrip("\ufeff"))
    found, roots = list[Outline](), list[str]()
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        if not roots:
            roots.append(name)
        given = {key.lower(): _words(value) for key, value in attributes.items()}
        url = given.get("xmlurl", "")
        if name == "outline" and url:
            title = given.get("title") or given.get("text") or ""
            site, lang = given.get("htmlurl", ""), given.get("language", "")
            found.append(Outline(title, url, site, lang, parser.CurrentLineNumber))

    parser.StartElementHandler = start
    try:
        parser.Parse(charset.without_declaration(text).encode("utf-8", "replace"), True)  # noqa: FBT003 - expat's own
    except expat.ExpatError as error:
        raise _wrong(f"line {error.lineno}: {expat.ErrorString(error.code)}") from None
    if roots != ["opml"]:
        raise _wrong(f"line 1: the root is <{roots[0][:40]}> where <opml> is due")
    if not found:
        raise _wrong("no outline has an xmlUrl: it lists no feed")
    if len(found) > MAX_FEEDS:
        raise _wrong(f"line {found[MAX_FEEDS].line}: more than {MAX_FEEDS} feeds; split the file")
    return tuple(found)


def write_opml(outlines: Iterable[Outline]) -> bytes:
    """Return an OPML 2.0 document."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<opml version="2.0">',
        "  <head><title>riskwatch sources</title></head>",
        "  <body>",
        *(
            f'    <outline type="rss" text={quoteattr(one.title)} title={quoteattr(one.title)} '
            f"xmlUrl={quoteattr(one.url)} language={quoteattr(one.lang)}/>"
            for one in outlines
        ),
        "  </body>",
        "</opml>",
    ]
    return "\n".join([*lines, ""]).encode()


def _words(text: str) -> str:
    """Return an attribute on one line, without what no file of settings takes."""
    return "".join(char for char in " ".join(sound(text).split()) if char.isprintable())


def _wrong(reason: str) -> DecodeError:
    return DecodeError(reason, outcome="not_opml")
