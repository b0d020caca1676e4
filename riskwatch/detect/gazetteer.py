"""Names of vendors, lines, people and other companies: one RE2 alternation over bytes, longest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import re2

from riskwatch.detect.patterns import MAX_SET_MEMORY_BYTES, bounded, compile_pattern, words_pattern
from riskwatch.detect.rules import Blockers
from riskwatch.model import Alias, Person, Publisher, Vendor

# "Qwen3.5", "Qwen 3.5", "Qwen3.5-Max": a model name goes on with its version and its variant
_VERSION = r"(?:-?[vV]?[0-9]+(?:\.[0-9]+)*[A-Za-z]?| [0-9]{1,2}\.[0-9]{1,2}| [0-9])?(?:-[A-Z0-9][A-Za-z0-9]*(?:\.[0-9]+)*)*"
_QUOTES = str.maketrans({"“": '"', "”": '"', "’": "'", "‘": "'"})
_NICKNAME = re2.compile(r' "[^"]{1,20}"')


@dataclass(frozen=True, slots=True)
class Known:
    """What a name stands for."""

    kind: str  # V, O or P
    text: str  # the alias as configured
    vendor: str | None = None
    line: str | None = None
    alias: Alias | None = None  # of V, with its conditions
    person: Person | None = None
    needs: re2._Regexp | None = None  # must match right after the name
    not_before: re2._Regexp | None = None
    context: re2._Regexp | None = None
    is_product: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A name found in a field; offsets in characters of the field."""

    start: int
    end: int
    text: str
    known: tuple[Known, ...]


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """All names, and the pattern that finds them."""

    pattern: re2._Regexp | None
    names: Mapping[str, tuple[Known, ...]]
    vendors: Mapping[str, Vendor]

    def find(self, raw: bytes, text: str) -> tuple[Hit, ...]:
        """Return the hits in one field, given as bytes and as text, in order."""
        if self.pattern is None:
            return ()
        hits: list[Hit] = []
        last_byte = last_char = 0
        plain = len(raw) == len(text)
        for found in self.pattern.finditer(raw):
            low, high = found.span()
            start = low if plain else last_char + len(raw[last_byte:low].decode("utf-8", "ignore"))
            words = raw[low:high].decode("utf-8", "ignore")
            last_byte, last_char = high, start + len(words)
            known = self._look_up(words)
            if known:
                hits.append(Hit(start, last_char, words, known))
        return tuple(hits)

    def _look_up(self, words: str) -> tuple[Known, ...]:
        plain = words.translate(_QUOTES)
        found = self.names.get(plain)
        if found is None and '"' in plain:
            found = self.names.get(_NICKNAME.sub("", plain))
        while found is None and plain:
            plain = plain[:-1]
            found = self.names.get(plain)
        return found or ()


def build(vendors: Sequence[Vendor], blockers: Blockers) -> Gazetteer:
    """Build the gazetteer; watched vendors win over a blocker of the same name."""
    names: dict[str, list[Known]] = {}
    versioned: set[str] = set()
    for vendor in vendors:
        for known in _known_of(vendor):
            names.setdefault(known.text.translate(_QUOTES), []).append(known)
            if known.line is not None or known.is_product:
                versioned.add(known.text)
    for blocker in blockers.blockers:
        for text in (blocker.name, *blocker.aliases):
            names.setdefault(text.translate(_QUOTES), [Known("O", text)])
    alternatives = [
        _alternative(text, has_version=text in versioned, known=known)
        for text, known in _longest_first(names)
    ]
    pattern = None
    if alternatives:
        pattern = compile_pattern(
            "|".join(alternatives).encode(), case_sensitive=True, memory_bytes=MAX_SET_MEMORY_BYTES
        )
    return Gazetteer(
        pattern, {text: tuple(known) for text, known in names.items()}, {v.id: v for v in vendors}
    )


def _longest_first(names: Mapping[str, list[Known]]) -> list[tuple[str, list[Known]]]:
    return sorted(names.items(), key=lambda entry: (-len(entry[0]), entry[0]))


def _alternative(text: str, *, has_version: bool, known: Sequence[Known]) -> str:
    pattern = bounded(text)
    if any(entry.kind == "P" for entry in known) and text.count(" ") == 1 and '"' not in text:
        given, family = text.split(" ")
        pattern = rf'{bounded(given)}(?: ["“][^"“”]{{1,20}}["”])? {bounded(family)}'
    pattern = pattern.replace('\\"', '["“”]').replace("\\'", "['’‘]")
    if has_version:
        stem = pattern.removesuffix(r"\b")
        pattern = rf"{stem}{_VERSION}" + (r"\b" if stem != pattern else "")
    return f"(?:{pattern})"


def _known_of(vendor: Vendor) -> Iterable[Known]:
    for entry in (*vendor.names, *vendor.brands):
        yield _named(entry, vendor=vendor.id, line=None)
    for line_id, line in vendor.lines.items():
        for entry in line.names:
            yield _named(entry, vendor=vendor.id, line=line_id)
        for entry in line.products:
            yield _named(entry, vendor=vendor.id, line=line_id, is_product=True)
    for person in vendor.people:
        for text in dict.fromkeys((person.name, *person.aliases)):
            yield Known("P", text, vendor=vendor.id, line=person.line, person=person)


def _named(entry: str | Alias, *, vendor: str, line: str | None, is_product: bool = False) -> Known:
    alias = entry if isinstance(entry, Alias) else Alias(text=entry)
    return Known(
        "V",
        alias.text,
        vendor=vendor,
        line=line,
        alias=alias,
        needs=_after(alias.requires),
        not_before=_after(words_pattern(alias.not_before)) if alias.not_before else None,
        context=_context(alias.context),
        is_product=is_product,
    )


def _after(pattern: str | None) -> re2._Regexp | None:
    # what follows may be joined to the name: "Claude Monet", "Command R", "Yi-34B"
    return compile_pattern(rf"^(?:[\s-]*)(?:{pattern})", case_sensitive=True) if pattern else None


def _context(words: Sequence[str]) -> re2._Regexp | None:
    return compile_pattern("|".join(bounded(word) for word in words)) if words else None


@dataclass(frozen=True, slots=True)
class Outlets:
    """Names of publishers, for credits such as "first reported by"."""

    pattern: re2._Regexp | None
    families: Mapping[str, str]


def build_outlets(publishers: Sequence[Publisher]) -> Outlets:
    """Build the finder of outlets; a name is looked up as written."""
    families = {publisher.name: publisher.family for publisher in publishers}
    names = sorted(families, key=lambda name: (-len(name), name))
    pattern = None
    if names:
        joined = "|".join(bounded(name) for name in names)
        pattern = compile_pattern(joined, case_sensitive=True, memory_bytes=MAX_SET_MEMORY_BYTES)
    return Outlets(pattern, families)
