"""HTML and odd Unicode -> plain text that detection can point into."""

from __future__ import annotations

import hashlib
import html as entities
import unicodedata

import re2

from riskwatch.decode.markup import HEAD_END, POINT, words

MAX_TEXT_BYTES = 64 * 1024
SHORT_TEXT_CHARS = 200  # a shorter body alone does not name a text: the title counts with it
_SCRIPTS = (
    ("\u4e00", "\u9fff"),
    ("\u3040", "\u30ff"),
    ("\uac00", "\ud7a3"),
    ("\u0400", "\u04ff"),
)  # Han, Kana, Hangul, Cyrillic
_BOLD = re2.compile(r"\*\*([^\s*](?:[^*\n]{0,200}[^\s*])?)\*\*")  # Markdown leaves it
MIN_LETTERS = 4  # fewer tell no language
_LOOKS_HTML = re2.compile(
    r"</?[a-zA-Z][a-zA-Z0-9]*(\s[^<>]*)?/?>|&(#[0-9]+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);"
)
_CONTROL = re2.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x84\\x86-\\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\ufeff\ue000-\ue001]"
)
_PLAIN_BYTES = b"\n" + bytes(range(0x20, 0x7F))
_ASCII = bytes(range(0x80))
# Tokens of detection are written «V3»: no text from outside may hold one. NFKC makes QwenTM of a trade mark.
_FORGED = (("«", "“"), ("»", "”"), ("™", " "), ("℠", " "), ("®", " "))


def sound(text: str) -> str:
    """Return the text without lone surrogates, which JSON and odd character references can smuggle in."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def tidy(text: str) -> str:
    """Return the text in NFKC, without control characters, white space folded, one line a paragraph."""
    if not text.isascii():
        text = _composed(text)
    raw = text.encode("utf-8", "surrogatepass")  # looking into bytes is faster than into wide characters
    is_plain = _is_printable(raw.translate(None, _PLAIN_BYTES))
    if is_plain and b"  " not in raw:  # white space is single blanks and line feeds
        return "\n".join([kept for line in text.split("\n") if (kept := line.strip())])
    if not is_plain:
        text = unicodedata.normalize("NFKC", _CONTROL.sub("", sound(text)))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return "\n".join([line for line in lines if line])


def _is_printable(raw: bytes) -> bool:
    return not raw or raw.decode("utf-8", "surrogatepass").isprintable()


def _composed(text: str) -> str:
    for char, safe in _FORGED:
        if char in text:
            text = text.replace(char, safe)
    return unicodedata.normalize("NFKC", text)


def plain(html: str, *, marks: bool = False) -> str:
    """Return the words of an HTML fragment, one line a block.

    Args:
        html: Fragment or whole page; text without markup comes back tidied only.
        marks: Whether headings and list points begin with POINT (a heading ends with HEAD_END).
    """
    if "<" not in html:
        return tidy(entities.unescape(html) if "&" in html else html)
    if marks:
        html = html.replace(POINT, "").replace(HEAD_END, "")
    text = words(html, marks=marks)
    return tidy(text) if not marks else _tidy_marked(text)


def without_bold(text: str) -> str:
    """Return the text without Markdown's marks of bold words; lone and spaced asterisks stay."""
    return _BOLD.sub(r"\1", text) if "**" in text else text


def looks_html(text: str) -> bool:
    """Return whether a text holds a tag or a character reference."""
    return ("<" in text or "&" in text) and _LOOKS_HTML.search(text) is not None


def plain_title(title: str, *, is_html: bool) -> str:
    """Return a title as one line of text; markup is read as such only where it looks like it."""
    text = plain(title) if is_html and looks_html(title) else tidy(title)
    return text.replace("\n", " ")


def truncated(text: str, *, max_bytes: int = MAX_TEXT_BYTES) -> tuple[str, bool]:
    """Return the text cut at a number of UTF-8 bytes, and whether it was cut."""
    if len(text) * 4 <= max_bytes:
        return text, False
    raw = text.encode("utf-8", "replace")
    if len(raw) <= max_bytes:
        return text, False
    return raw[:max_bytes].decode("utf-8", "ignore").rstrip(), True


def is_garbled(title: str | None) -> bool:
    """Return whether more than 1 % of a title's characters were lost in decoding."""
    return (
        bool(title) and "\ufffd" in (title or "") and (title or "").count("\ufffd") * 100 > len(title or "")
    )


def text_key(title: str | None, text: str) -> str:
    """Return the SHA-256 of the normalised text, in hex; the title takes part where the body is short."""
    return _key(" ".join((title or "").split()), " ".join(unicodedata.normalize("NFKC", text).split()))


def tidy_text_key(title: str | None, text: str) -> str:
    """Return text_key of a title and a text that `tidy` made, which need no normalising any more."""
    return _key(title or "", text.replace("\n", " "))


def _key(title: str, text: str) -> str:
    raw = text.encode("utf-8", "replace")
    foreign = raw.translate(None, _ASCII).decode()
    if len(text) >= SHORT_TEXT_CHARS and foreign == foreign.lower():  # only ASCII letters have a case
        return hashlib.sha256(raw.lower()).hexdigest()
    body = text.lower()
    if len(body) < SHORT_TEXT_CHARS:
        body = title.lower() + "\n" + body
    return hashlib.sha256(body.encode("utf-8", "replace")).hexdigest()


def script_lang(text: str, *, default: str) -> str:
    """Return the language that the script of a text tells; only the defaults `en` and `und` are overruled."""
    if default not in ("en", "und") or text.isascii():
        return default
    sample = text[:400]
    if len(sample) - len(sample.encode("ascii", "ignore")) < len(sample) // 8:
        return default  # a few quotation marks or accents
    han, kana, hangul, cyrillic = (_count(sample, script) for script in _SCRIPTS)
    letters = sum(map(str.isalpha, sample))
    if letters < MIN_LETTERS:
        return default
    shares = {"ja": kana * 5 if han or kana else 0, "ko": hangul * 2, "zh": han * 3, "ru": cyrillic * 2}
    best = max(shares, key=lambda lang: shares[lang])
    return best if shares[best] > letters else default


def _count(text: str, script: tuple[str, str]) -> int:
    return sum(1 for char in text if script[0] <= char <= script[1])


def _tidy_marked(text: str) -> str:
    points = text.split(POINT)
    tidied = [HEAD_END.join(tidy(part) for part in point.split(HEAD_END, 1)) for point in points]
    return POINT.join(tidied)
