"""Split text into sentences; offsets point into the stored text."""
# ruff: noqa: RUF001 - the marks of many scripts are what is read here

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import re2

from riskwatch.detect.patterns import compile_pattern
from riskwatch.detect.regex import Regex

MIN_CHARS = 12
MIN_DENSE_CHARS = 6  # where a sign is a syllable or a word
MAX_CHARS = 1500
MAX_SENTENCES = 400  # of an article, in which a frame can match


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a field; offsets in characters of the field."""

    field: str
    start: int
    end: int
    text: str
    raw: bytes  # with the white space around it


@dataclass(frozen=True, slots=True)
class Splitter:
    """Finds the ends of sentences of one language, on bytes."""

    ends: Regex
    abbreviations: frozenset[bytes]
    min_chars: int = MIN_CHARS

    def spans(self, raw: bytes) -> Iterator[tuple[int, int]]:
        """Yield byte spans of sentences, in order; they do not overlap."""
        start = 0
        for found in self.ends.finditer(raw):
            low, high = found.span()
            if raw[low : low + 1] == b"." and self._is_abbreviation(raw, start, low, high):
                continue
            yield start, high
            start = high
        if start < len(raw):
            yield start, len(raw)

    def _is_abbreviation(self, raw: bytes, start: int, stop: int, end: int) -> bool:
        if raw[end : end + 1].islower():
            return True
        begin = max(raw.rfind(b" ", start, stop), raw.rfind(b"(", start, stop), start - 1) + 1
        word = raw[begin:stop].lower()
        return (len(word) == 1 and word.isalpha() and word != b"i") or word in self.abbreviations


def build_splitter(terminators: str, abbreviations: tuple[str, ...], *, is_spaced: bool = True) -> Splitter:
    """Build the splitter: an ASCII mark ends a sentence before white space only, others always do.

    Without spaces between words an ASCII mark always ends one: NFKC makes them of the wide marks.
    """
    narrow = "".join(mark for mark in terminators if mark.isascii() and is_spaced)
    wide = "".join(mark for mark in terminators if mark not in narrow)
    parts = [r"[\r\n]+"]
    if narrow:
        parts.append(f'[{re2.escape(narrow)}]+["”’)\\]]*(?:\\s+|$)')
    if wide:
        parts.append(f"[{re2.escape(wide)}]+[”’」』）)]*")
    pattern = compile_pattern("|".join(parts).encode())
    words = frozenset(word.lower().encode() for word in abbreviations)
    return Splitter(pattern, words, MIN_CHARS if is_spaced else MIN_DENSE_CHARS)
