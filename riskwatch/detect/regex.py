"""RE2 without the cost of its Python layer; offsets in characters are made only where they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import re2

from riskwatch.detect.onebyte import narrowed

WORKING_BYTES = 4 << 20  # at most, of states kept between texts; long lists of words thrash in less
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

    def name(self) -> str | None:
        """Return the first named group that took part."""
        return next((name for name, number in self.groupindex.items() if self.took_part(number)), None)

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
        """Check the pattern; raises re2.error.

        Args:
            pattern: RE2; where Latin-1 is chosen, it matches texts of one byte a character, given as bytes.
            chosen: How it is read.
        """
        self.pattern, self._chosen = pattern, chosen
        groups = _compiled(pattern, chosen).groupindex
        self.groupindex: Mapping[str, int] = {
            name.decode() if isinstance(name, bytes) else name: number for name, number in groups.items()
        }
        self._loose: _Matching | None = None
        self._match: _Matching | None = None

    def _first(self) -> _Matching:
        """Compile what is asked first; two threads may both do so, and either result serves."""
        loose = _unbound(self.pattern)
        if loose == self.pattern:
            first = self._exact()
        else:
            first = _compiled(loose, _working(self._chosen, is_asked_only=True))._regexp.Match
        self._loose = first
        return first

    def _exact(self) -> _Matching:
        """Compile the pattern itself, which most texts never ask for."""
        match: _Matching = _compiled(self.pattern, _working(self._chosen))._regexp.Match
        self._match = match
        return match

    def _matching(self, raw: bytes, at: int, end: int) -> _Spans | None:
        """Return the spans of the first match between two places; None where there is none."""
        loose = self._loose or self._first()
        if at > end or (spans := loose(_ANYWHERE, raw, at, end))[0][0] < 0:
            return None
        match = self._match or self._exact()
        if match is not loose and (spans := match(_ANYWHERE, raw, at, end))[0][0] < 0:
            return None
        return spans

    def hits(self, text: str | bytes) -> bool:
        """Whether the pattern matches anywhere."""
        raw = text.encode() if isinstance(text, str) else text
        return self._matching(raw, 0, len(raw)) is not None

    def search(self, text: str | bytes, at: int = 0, *, stop: int | None = None) -> Match | None:
        """Return the first match between two places, which are in bytes."""
        raw = text.encode() if isinstance(text, str) else text
        spans = self._matching(raw, at, len(raw) if stop is None else min(stop, len(raw)))
        return None if spans is None else Match(text, raw, spans, self.groupindex)

    def finditer(self, text: str | bytes) -> Iterator[Match]:
        """Yield the matches in order; they do not overlap."""
        raw = text.encode() if isinstance(text, str) else text
        at, size = 0, len(raw)
        while (spans := self._matching(raw, at, size)) is not None:
            yield Match(text, raw, spans, self.groupindex)
            if at == size:
                return
            end = spans[0][1]
            at = end if end != at else _next_char(raw, at) if isinstance(text, str) else at + 1


def _unbound(pattern: str | bytes) -> str | bytes:
    """Return the pattern without bounds on its gaps: it matches wherever the pattern does."""
    return str(_BOUND.sub("*", pattern)) if isinstance(pattern, str) else pattern


def _working(chosen: re2.Options, *, is_asked_only: bool = False) -> re2.Options:
    """Return the options of a pattern at work, without groups where it is only asked whether it matches."""
    made = re2.Options()
    for name in re2.Options.NAMES:
        setattr(made, name, getattr(chosen, name))
    made.never_capture = is_asked_only or chosen.never_capture
    made.max_mem = max(chosen.max_mem, WORKING_BYTES)
    return made


def _compiled(pattern: str | bytes, chosen: re2.Options) -> re2._Regexp:
    is_narrow = chosen.encoding == re2.Options.Encoding.LATIN1
    return re2._Regexp(narrowed(pattern) if is_narrow and isinstance(pattern, str) else pattern, chosen)


def _next_char(raw: bytes, at: int) -> int:
    """Return where the next character begins, behind an empty match."""
    at += 1
    while at < len(raw) and raw[at] & 0xC0 == 0x80:  # noqa: PLR2004 - a continuation byte of UTF-8
        at += 1
    return at
