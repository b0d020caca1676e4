"""RE2 without the cost of its Python layer; offsets in characters are made only where they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import re2

_ANYWHERE = re2._re2.RE2.Anchor.UNANCHORED
_BOUND = re2.compile(r"\{0,[0-9]{2,}\}\??")
_Spans = list[tuple[int, int]]
_Matching = Callable[[object, bytes, int, int], _Spans]


class Match:
    """One match; offsets in characters of a text, or in bytes where bytes were searched."""

    __slots__ = ("_is_plain", "_raw", "_spans", "_text", "groupindex")

    def __init__(self, text: str | bytes, raw: bytes, spans: _Spans, groupindex: Mapping[str, int]) -> None:
        self._text, self._raw, self._spans = text, raw, spans
        self._is_plain = len(raw) == len(text)  # one byte a character: offsets are the same
        self.groupindex = groupindex

    def span(self, number: int = 0) -> tuple[int, int]:
        """Return the span of a group; (-1, -1) where it took no part."""
        start, end = self._spans[number]
        if self._is_plain or start < 0:
            return start, end
        low = len(self._raw[:start].decode("utf-8", "ignore"))
        return low, low + len(self._raw[start:end].decode("utf-8", "ignore"))

    def start(self, number: int = 0) -> int:
        """Return where a group begins."""
        return self.span(number)[0]

    def end(self, number: int = 0) -> int:
        """Return where a group ends."""
        return self.span(number)[1]

    def group(self, number: int = 0) -> str:
        """Return the text of a group, empty where it took no part."""
        start, end = self._spans[number]
        return self._raw[start:end].decode("utf-8", "ignore") if start >= 0 else ""

    def took_part(self, number: int) -> bool:
        """Whether a group took part."""
        return self._spans[number][0] >= 0


class Regex:
    """A pattern that compiles; what it compiles to is made when it is first used, for most never are.

    Where it counts signs ("{0,40}"), a looser form that counts nothing is asked first: RE2 makes a state for
    every number of every gap, and most texts fail already on the order of the words.
    """

    __slots__ = ("_chosen", "_loose", "_match", "groupindex", "pattern")

    def __init__(self, pattern: str | bytes, chosen: re2.Options) -> None:
        """Check the pattern; raises re2.error."""
        self.pattern, self._chosen = pattern, chosen
        self.groupindex: Mapping[str, int] = re2._Regexp(pattern, chosen).groupindex
        self._loose: _Matching | None = None
        self._match: _Matching | None = None

    def _ready(self) -> _Matching:
        """Compile; two threads may both do so, and either result serves."""
        self._loose = _loose(self.pattern, self._chosen)
        self._match = re2._Regexp(self.pattern, self._chosen)._regexp.Match
        return self._match

    def _fails(self, raw: bytes, at: int, end: int) -> bool:
        """Whether not even the looser form matches."""
        return self._loose is not None and self._loose(_ANYWHERE, raw, at, end)[0][0] < 0

    def hits(self, text: str | bytes) -> bool:
        """Whether the pattern matches anywhere."""
        raw = text.encode() if isinstance(text, str) else text
        match = self._match or self._ready()
        if self._fails(raw, 0, len(raw)):
            return False
        return bool(match(_ANYWHERE, raw, 0, len(raw))[0][0] >= 0)

    def search(self, text: str | bytes, at: int = 0, *, stop: int | None = None) -> Match | None:
        """Return the first match between two places, which are in bytes."""
        raw = text.encode() if isinstance(text, str) else text
        end = len(raw) if stop is None else min(stop, len(raw))
        match = self._match or self._ready()
        if at > end or self._fails(raw, at, end):
            return None
        spans = match(_ANYWHERE, raw, at, end)
        return Match(text, raw, spans, self.groupindex) if spans[0][0] >= 0 else None

    def finditer(self, text: str | bytes) -> Iterator[Match]:
        """Yield the matches in order; they do not overlap."""
        raw = text.encode() if isinstance(text, str) else text
        at, size, match = 0, len(raw), self._match or self._ready()
        if self._fails(raw, at, size):
            return
        while True:
            spans = match(_ANYWHERE, raw, at, size)
            if spans[0][0] < 0:
                return
            yield Match(text, raw, spans, self.groupindex)
            if at == size:
                return
            end = spans[0][1]
            at = end if end != at else _next_char(raw, at) if isinstance(text, str) else at + 1


def _loose(pattern: str | bytes, chosen: re2.Options) -> _Matching | None:
    """Return the pattern without bounds on its gaps: it matches wherever the pattern does."""
    loose = str(_BOUND.sub("*", pattern)) if isinstance(pattern, str) else pattern
    return re2._Regexp(loose, chosen)._regexp.Match if loose != pattern else None


def _next_char(raw: bytes, at: int) -> int:
    """Return where the next character begins, behind an empty match."""
    at += 1
    while at < len(raw) and raw[at] & 0xC0 == 0x80:  # noqa: PLR2004 - a continuation byte of UTF-8
        at += 1
    return at
