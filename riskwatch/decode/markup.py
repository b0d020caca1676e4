"""HTML -> its words, in one pass over what libxml2's parser tells, without building a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

if TYPE_CHECKING:
    from collections.abc import Mapping

POINT = "\ue000"  # private use: marks the start of a heading or list point while a digest is split
HEAD_END = "\ue001"

_BLOCKS = (
    "p", "div", "li", "ul", "ol", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "table", "tr",
    "td", "th", "blockquote", "pre", "section", "article", "aside", "figure", "figcaption", "header",
    "footer", "main", "nav", "hr", "form",
)  # fmt: skip
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_SILENT = frozenset(
    ("script", "style", "noscript", "template", "svg", "iframe", "head", "object", "select", "button")
)


class _Words:
    """What the parser calls: collects texts, with a line feed at either edge of a block.

    The parser closes every element that it opens, holds a lock from the first call to `close`, and calls
    `close` also where it gives up: nothing of a document is left for the next one.
    """

    def __init__(self, *, marks: bool) -> None:
        self._pieces: list[str] = []
        self._silent: list[int] = []  # where the open silent elements began
        self._before = dict.fromkeys(_BLOCKS, "\n")
        self._after = dict.fromkeys((*_BLOCKS, "br"), "\n")
        if marks:
            self._before |= dict.fromkeys(("li", *_HEADINGS), POINT + "\n")
            self._after |= dict.fromkeys(_HEADINGS, HEAD_END + "\n")
        self.data = self._pieces.append

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:  # noqa: ARG002 - the parser's call
        if tag in self._before:
            self._pieces.append(self._before[tag])
        elif tag in _SILENT:
            self._silent.append(len(self._pieces))

    def end(self, tag: str) -> None:
        if tag in self._after:
            self._pieces.append(self._after[tag])
        elif tag in _SILENT:
            del self._pieces[self._silent.pop() :]

    def close(self) -> str:
        text = "".join(self._pieces)
        self._pieces.clear()
        self._silent.clear()
        return text


def words(html: str, *, marks: bool) -> str:
    """Return the words of a fragment or page; `marks`: with POINT and HEAD_END."""
    raw = html.encode("utf-8", "replace")
    for blank in (b"\n", b"\r", b"\x00"):
        if blank in raw:
            raw = raw.replace(blank, b" ")
    return str(etree.fromstring(raw, _MARKING if marks else _PLAIN))


def _parser(*, marks: bool) -> etree.HTMLParser:
    return etree.HTMLParser(
        target=_Words(marks=marks),
        encoding="utf-8",
        recover=True,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
    )


_PLAIN, _MARKING = _parser(marks=False), _parser(marks=True)
