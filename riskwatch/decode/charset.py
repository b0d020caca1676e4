"""Bytes of a document -> text in the right charset, and the refusal of DTDs on that text."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

import re2

from riskwatch.errors import DecodeError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: it begins with that one's mark
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BARE = (
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
    (b"\x4c\x6f\xa7\x94", "cp037"),
)
_DECLARED = re2.compile(rb"^\s*<\?xml[^>]*?\sencoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")
_HTTP_CHARSET = re2.compile(r"(?i);\s*charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})")
_XML_DECLARATION = re2.compile(r"^\s*<\?xml[^>]*\?>")
_XML_DECLARATION_BYTES = re2.compile(rb"^\s*<\?xml[^>]*\?>")
_SIBLINGS = {  # what is announced -> the wider charset that browsers read it as
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
}
# Codecs that Python knows but no feed is written in; some hide mark-up, some take quadratic time.
_NOT_CHARSETS = frozenset(
    ("utf-7", "idna", "punycode", "unicode-escape", "raw-unicode-escape", "unicode_escape")
)
_HIDDEN = re2.compile(r"(?s)<!\[CDATA\[.*?\]\]>|<!--.*?-->")
_ENTITY = re2.compile(r"(?i)<!ENTITY")
_PROLOG_SKIP = re2.compile(r"(?s)^(\s+|<\?.*?\?>|<!--.*?-->)")
_DOCTYPE = re2.compile(r"(?i)^<!DOCTYPE")
_DOCTYPE_WHOLE = re2.compile(r"(?i)^<!DOCTYPE\s+([^\s>\[]*)[^>\[]*>")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text of a document."""

    text: str
    charset: str
    is_sure: bool  # False: the charset that was announced does not fit, text holds replacement characters


def http_charset(content_type: str | None) -> str | None:
    """Return the charset of a Content-Type header."""
    match = _HTTP_CHARSET.search(content_type or "")
    return match.group(1).lower() if match else None


def decode_text(body: bytes, *, content_type: str | None = None) -> Decoded:
    """Return the text: byte order mark first, then the XML declaration, then the HTTP charset, then UTF-8."""
    for mark, charset in _BOMS:
        if body.startswith(mark):
            return _decoded(body[len(mark) :], charset)
    for start, charset in _BARE:
        if body.startswith(start):
            return _decoded(body, charset)
    match = _DECLARED.search(body[:400])
    declared = match.group(1).decode("ascii").lower() if match else None
    if declared and declared.startswith(("utf-16", "utf16", "utf-32", "utf32", "ucs-", "iso-10646")):
        declared = None  # the declaration was readable as ASCII: it is not UTF-16
    return _decoded(body, declared or http_charset(content_type) or "utf-8")


def refuse_dtd(text: str) -> str:
    """Return the text without a bare external DOCTYPE.

    Raises:
        DecodeError: An internal subset or an ENTITY declaration (dtd_refused); an HTML doctype (not_a_feed).
    """
    if "<!" not in text:
        return text
    if _ENTITY.search(text) and _ENTITY.search(_HIDDEN.sub("", text)):
        raise DecodeError("the document declares entities (DTD); it was not parsed", outcome="dtd_refused")
    at = _end_of_prolog(text)
    if not _DOCTYPE.search(text[at : at + 12]):
        return text
    match = _DOCTYPE_WHOLE.search(text[at : at + 2_000])
    if match is None:
        raise DecodeError(
            "the document has a DOCTYPE with an internal subset; it was not parsed", outcome="dtd_refused"
        )
    if match.group(1).lower() == "html":
        raise DecodeError("an HTML page where a feed is due")
    return text[:at] + text[at + len(match.group(0)) :]


def without_declaration(text: str) -> str:
    """Return the text without its XML declaration, whose charset no longer holds once it is text."""
    return str(_XML_DECLARATION.sub("", text[:400], count=1)) + text[400:]


def undeclared(body: bytes) -> bytes:
    """Return the bytes without an XML declaration that turned out not to fit."""
    return bytes(_XML_DECLARATION_BYTES.sub(b"", body[:400], count=1)) + body[400:]


def _is_mostly_sound(text: str) -> bool:
    """Return whether bytes are damaged rather than the charset wrong: 9 in 10 foreign letters are there."""
    foreign = len(text) - len(text.encode("ascii", "ignore"))
    return text.count("\ufffd") * 10 <= foreign


def _end_of_prolog(text: str) -> int:
    at = 0
    while True:
        match = _PROLOG_SKIP.search(text[at : at + 10_000])
        if match is None:
            return at
        at += len(match.group(0))


def _decoded(body: bytes, charset: str) -> Decoded:
    charset = _SIBLINGS.get(charset, charset)
    try:
        if codecs.lookup(charset).name in _NOT_CHARSETS:
            charset = "utf-8"
        # bytes.decode takes character sets only; codecs.decode would also unzip.
        return Decoded(body.decode(charset), charset, is_sure=True)
    except UnicodeError:
        text = body.decode(charset, "replace")
        return Decoded(text, charset, is_sure=_is_mostly_sound(text))
    except (LookupError, ValueError):
        return Decoded(body.decode("utf-8", "replace"), "utf-8", is_sure=False)
