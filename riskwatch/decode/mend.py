"""Small faults that publishers make -> XML that a strict parser takes."""

from __future__ import annotations

import html

import re2

_CDATA = re2.compile(r"(?s)<!\[CDATA\[.*?\]\]>")
_AMPERSAND = re2.compile(r"&(#[0-9]{1,7};|#[xX][0-9a-fA-F]{1,6};|[a-zA-Z][a-zA-Z0-9]{1,31};)?")
_FORBIDDEN = re2.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\ufffe\uffff]")
_XML_ENTITIES = frozenset({"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"})


def mend(text: str) -> str:
    """Return the text with bare ampersands escaped, HTML entities spelled out and forbidden characters gone.

    CDATA sections keep their ampersands.
    """
    text = _FORBIDDEN.sub("", text)
    if "&" not in text:
        return text
    parts, at = [], 0
    for match in _CDATA.finditer(text):
        parts += [_mended(text[at : match.start()]), match.group(0)]
        at = match.end()
    return "".join([*parts, _mended(text[at:])])


def _mended(text: str) -> str:
    return str(_AMPERSAND.sub(lambda match: _reference(match.group(0)), text)) if "&" in text else text


def _reference(found: str) -> str:
    if found in _XML_ENTITIES:
        return found
    char = html.unescape(found)
    if char == found:  # a bare ampersand, or a name that HTML does not know either
        return "&amp;" + found[1:]
    return str(_FORBIDDEN.sub("", html.escape(char)))
