"""Compile RE2 patterns and expand lexicon macros, slots and gaps in them."""
# ruff: noqa: RUF001 - the marks of many scripts are what is read here

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import re2

from riskwatch.detect.regex import Regex

MAX_PATTERN_BYTES = 8192  # of an expanded pattern
MAX_PATTERN_MEMORY_BYTES = 1 << 19
MAX_SET_MEMORY_BYTES = 32 << 20
MAX_GAP = 120  # characters
MAX_NESTING = 3
SLOT_KINDS = {
    "VENDOR": "V",
    "ORG": "VO",
    "ROLE": "R",
    "PCT": "Q",
    "MONEY": "M",
    "COUNT": "N",
    "DATE": "D",
    "DURATION": "H",
}
QUANTITY_SLOTS = ("PCT", "MONEY", "COUNT", "DATE", "DURATION", "ROLE")
# one to four capitalised words that are no token
_NAME = r"(?-i:\p{Lu}(?:[\p{L}\p{N}’'-]|\.\p{N})*(?: \p{Lu}(?:[\p{L}\p{N}’'-]|\.\p{N})*){0,3})"
_PLACE = re2.compile(r"\\[pP]\{[A-Za-z]+\}|\{([A-Za-z_][A-Za-z0-9_]*)(?::([0-9]+))?\}")


class PatternError(ValueError):
    """A pattern that cannot be used; the message says why."""


def token_class(kinds: str) -> str:
    """Return the RE2 of one token of any of the kinds."""
    return f"«[{kinds}][0-9]+»" if len(kinds) > 1 else f"«{kinds}[0-9]+»"


def options(*, case_sensitive: bool = False, memory_bytes: int = MAX_PATTERN_MEMORY_BYTES) -> re2.Options:
    """Return options that are quiet, bounded and case-insensitive unless asked."""
    chosen = re2.Options()
    chosen.case_sensitive = case_sensitive
    chosen.log_errors = False
    chosen.max_mem = memory_bytes
    return chosen


def compile_pattern(
    pattern: str | bytes,
    *,
    case_sensitive: bool = False,
    memory_bytes: int = 0,
    is_longest: bool = False,
    is_narrow: bool = False,
) -> Regex:
    """Compile one pattern or raise PatternError."""
    chosen = options(case_sensitive=case_sensitive, memory_bytes=memory_bytes or MAX_PATTERN_MEMORY_BYTES)
    chosen.longest_match = is_longest
    if is_narrow:
        chosen.encoding = re2.Options.Encoding.LATIN1
    try:
        return Regex(pattern, chosen)
    except re2.error as error:
        message = error.args[0] if error.args else "does not compile"
        raise PatternError(message.decode() if isinstance(message, bytes) else str(message)) from error


def bounded(text: str) -> str:
    """Return the text as a literal pattern, with word boundaries where its ends are ASCII word characters.

    RE2 knows ASCII boundaries only: beside any other letter they would never match.
    """
    literal = re2.escape(text)
    first, last = text[0], text[-1]
    head = r"\b" if first.isascii() and (first.isalnum() or first == "_") else ""
    tail = r"\b" if last.isascii() and (last.isalnum() or last == "_") else ""
    return f"{head}{literal}{tail}"


def words_pattern(words: Iterable[str]) -> str:
    """Return an alternation of literal words, longest first."""
    return "|".join(re2.escape(word) for word in sorted(set(words), key=lambda word: (-len(word), word)))


@dataclass(frozen=True, slots=True)
class Expander:
    """Replaces {macro}, {SLOT} and {GAP:n} in the patterns of one language."""

    macros: Mapping[str, str]
    slots: Mapping[str, str]

    def expand(self, pattern: str, *, depth: int = 0) -> str:
        """Return the pattern without braces of ours, or raise PatternError."""
        if depth > MAX_NESTING:
            raise PatternError(f"macros nest deeper than {MAX_NESTING}")
        pieces: list[str] = []
        last = 0
        for found in _PLACE.finditer(pattern):
            if found.group(1) is None:  # a Unicode class such as \\p{Lu}
                continue
            pieces.append(pattern[last : found.start()])
            pieces.append(self._place(found.group(1), found.group(2), depth=depth))
            last = found.end()
        expanded = "".join([*pieces, pattern[last:]])
        if len(expanded.encode()) > MAX_PATTERN_BYTES:
            raise PatternError(f"expands to more than {MAX_PATTERN_BYTES} bytes")
        return expanded

    def _place(self, name: str, number: str | None, *, depth: int) -> str:
        if name == "GAP":
            return gap(number)
        if number is not None:
            raise PatternError(f"{{{name}:{number}}}: only GAP takes a number")
        if name in self.slots:
            return f"(?:{self.slots[name]})"
        if name in self.macros:
            return f"(?:{self.expand(self.macros[name], depth=depth + 1)})"
        raise PatternError(f"{{{name}}} is neither a macro of the lexicon nor a slot")

    def compile(self, pattern: str, *, is_narrow: bool = False) -> Regex:
        """Expand and compile."""
        return compile_pattern(self.expand(pattern), is_narrow=is_narrow)


def gap(number: str | None) -> str:
    """Return the RE2 of a lazy gap inside one clause."""
    if number is None or not 1 <= int(number) <= MAX_GAP:
        raise PatternError(f"GAP needs a number of characters from 1 to {MAX_GAP}")
    return f"[^.;?!。；？！\\n]{{0,{number}}}?"


def slots_of(person_join: str | None, person_note: str | None) -> dict[str, str]:
    """Return the RE2 of every slot; lists of persons are joined and noted in the language's way."""
    person = f"(?:{token_class('R')}[, ]{{1,2}})?{token_class('P')}"
    note = f"(?:{person_note})?" if person_note else ""
    persons = f"{person}{note}(?:(?:{person_join}){person}{note})*" if person_join else f"{person}{note}"
    slots = {name: token_class(kinds) for name, kinds in SLOT_KINDS.items()}
    return slots | {"PERSON": f"{person}{note}", "PERSONS": persons, "NAME": _NAME}


def collect_places(pattern: str) -> tuple[str, ...]:
    """Return the names in braces that the pattern uses."""
    return tuple(found.group(1) for found in _PLACE.finditer(pattern) if found.group(1))
