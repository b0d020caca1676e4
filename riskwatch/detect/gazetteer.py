"""Names of vendors, lines, people and other companies: one RE2 alternation over bytes, longest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from riskwatch.detect.patterns import MAX_SET_MEMORY_BYTES, bounded, compile_pattern
from riskwatch.detect.regex import Regex
from riskwatch.detect.rules import Blockers
from riskwatch.detect.units import units_pattern
from riskwatch.model import Alias, Person, Publisher, Vendor

# "Qwen3.5", "Qwen 3.5", "Qwen3.5-Max": a model name goes on with its version and its variant.
# Kept out of the alternation: an open end in every name costs sixty times its speed.
_VERSION = compile_pattern(
    r"^(?:-?[vV]?[0-9]+(?:\.[0-9]+)*[A-Za-z]?| [0-9]{1,2}\.[0-9]{1,2}| [0-9])?"
    r"(?:-[A-Z0-9][A-Za-z0-9]*(?:\.[0-9]+)*)*\b",
    case_sensitive=True,
)
_QUOTES = str.maketrans({"\u201c": '"', "\u201d": '"', "\u2019": "'", "\u2018": "'"})
_NICKNAME = compile_pattern(r'^[^"]{1,20}" (\p{Lu}[\p{L}-]+)', case_sensitive=True)  # Junyang "Justin" Lin
_WINDOW = 60  # characters after a name that may belong to it


@dataclass(frozen=True, slots=True)
class Known:
    """What a name stands for."""

    kind: str  # V, O or P
    text: str  # the alias as configured
    vendor: str | None = None
    line: str | None = None
    alias: Alias | None = None  # of V, with its conditions
    person: Person | None = None
    needs: Regex | None = None  # must match right after the name
    not_before: Regex | None = None
    context: Regex | None = None
    is_product: bool = False


class Hit(NamedTuple):
    """A name found in a field; offsets in characters of the field."""

    start: int
    end: int
    text: str
    known: tuple[Known, ...]


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """All names, and the pattern that finds them."""

    pattern: Regex | None
    names: Mapping[str, tuple[Known, ...]]
    vendors: Mapping[str, Vendor]
    units: Mapping[str, Regex]  # by vendor: words of its businesses that are not about models

    def find(self, raw: bytes, text: str) -> tuple[Hit, ...]:
        """Return the hits in one field, given as bytes and as text, in order."""
        if self.pattern is None:
            return ()
        hits: list[Hit] = []
        last_byte = last_char = done = 0
        plain = len(raw) == len(text)
        for found in self.pattern.finditer(raw):
            low = found.start()
            start = low if plain else last_char + len(raw[last_byte:low].decode("utf-8", "ignore"))
            last_byte, last_char = low, start
            hit = self._hit(text, start, found.group()) if start >= done else None
            if hit is not None:
                hits.append(hit)
                done = hit.end
        return tuple(hits)

    def _hit(self, text: str, start: int, words: str) -> Hit | None:
        plain = words.translate(_QUOTES)
        end = start + len(words)
        if plain.endswith(' "') and plain not in self.names:
            nickname = _NICKNAME.search(text[end : end + _WINDOW].translate(_QUOTES))
            known = self.names.get(f"{plain[:-2]} {nickname.group(1)}", ()) if nickname else ()
            if nickname is None or not known:
                return None
            stop = end + nickname.end()
            return Hit(start, stop, text[start:stop], known)
        if plain not in self.names:  # the first digit of a version was needed to end the name
            plain, end = plain[:-1], end - 1
        known = self.names.get(plain, ())
        if known and known[0].kind == "V" and (known[0].line is not None or known[0].is_product):
            version = _VERSION.search(text[end : end + _WINDOW])
            end += version.end() if version else 0
        return Hit(start, end, text[start:end], known) if known else None


def build(vendors: Sequence[Vendor], blockers: Blockers) -> Gazetteer:
    """Build the gazetteer; watched vendors win over a blocker of the same name."""
    names: dict[str, list[Known]] = {}
    for vendor in vendors:
        for known in _known_of(vendor):
            names.setdefault(known.text.translate(_QUOTES), []).append(known)
    for blocker in blockers.blockers:
        for text in (blocker.name, *blocker.aliases):
            names.setdefault(text.translate(_QUOTES), [Known("O", text)])
    ordered = sorted(names.items(), key=lambda entry: (-len(entry[0]), entry[0]))
    alternatives = [_alternative(text, known) for text, known in ordered]
    alternatives += [f'{bounded(given)} ["\u201c]' for given in _given_names(names)]
    pattern = None
    if alternatives:
        joined = "|".join(alternatives).encode()
        pattern = compile_pattern(joined, case_sensitive=True, memory_bytes=MAX_SET_MEMORY_BYTES)
    units = {vendor.id: found for vendor in vendors if (found := units_pattern(vendor)) is not None}
    known_by_name = {text: tuple(known) for text, known in names.items()}
    return Gazetteer(pattern, known_by_name, {vendor.id: vendor for vendor in vendors}, units)


def _given_names(names: Mapping[str, Sequence[Known]]) -> list[str]:
    return sorted(
        {text.split(" ")[0] for text, known in names.items() if known[0].kind == "P" and text.count(" ") == 1}
    )


def _alternative(text: str, known: Sequence[Known]) -> str:
    pattern = bounded(text).replace('\\"', '["\u201c\u201d]').replace("\\'", "['\u2019\u2018]")
    if pattern.endswith(r"\b") and any(
        entry.kind == "V" and (entry.line or entry.is_product) for entry in known
    ):
        return rf"{pattern}|{pattern.removesuffix(chr(92) + 'b')}[0-9]"
    return pattern


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
        not_before=_after("|".join(map(bounded, alias.not_before))) if alias.not_before else None,
        context=_context(alias.context),
        is_product=is_product,
    )


def _after(pattern: str | None) -> Regex | None:
    # what follows may be joined to the name: "Claude Monet", "Command R", "Yi-34B"
    return compile_pattern(rf"^(?:[\s-]*)(?:{pattern})", case_sensitive=True) if pattern else None


def _context(words: Sequence[str]) -> Regex | None:
    return compile_pattern("|".join(bounded(word) for word in words)) if words else None


@dataclass(frozen=True, slots=True)
class Outlets:
    """Names of publishers, for credits such as "first reported by"."""

    pattern: Regex | None
    publishers: Mapping[str, Publisher]  # by name
    curated: frozenset[str]  # families of aggregators whose editors name each item's outlet


def build_outlets(publishers: Sequence[Publisher]) -> Outlets:
    """Build the finder of outlets; a name is looked up as written."""
    by_name = {publisher.name: publisher for publisher in publishers}
    names = sorted(by_name, key=lambda name: (-len(name), name))
    pattern = None
    if names:
        joined = "|".join(bounded(name) for name in names)
        pattern = compile_pattern(joined, case_sensitive=True, memory_bytes=MAX_SET_MEMORY_BYTES)
    return Outlets(pattern, by_name, frozenset(entry.family for entry in publishers if entry.curated))
