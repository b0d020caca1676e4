"""Values read from tokens, gathered for one signal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from riskwatch.detect.compiled import Capture
from riskwatch.detect.mask import Token, role_code
from riskwatch.detect.quantity import (
    DateRead,
    read_date,
    read_hours,
    read_money,
    read_number,
    read_percent,
)
from riskwatch.detect.regex import Match
from riskwatch.detect.tense import tense
from riskwatch.detect.vendors import Scene
from riskwatch.model import AttrValue

MAX_COUNT = 10**12
APPROX_CHARS = 30  # before a number, where words that blur it stand
NEAR_CHARS = 90  # of the masked sentence, either side of the trigger


@dataclass(frozen=True, slots=True)
class Reading:
    """A value and the span of the sentence that it was read from."""

    value: AttrValue
    span: tuple[int, int]


@dataclass(slots=True)
class Readings:
    """Attributes of one signal while they are gathered."""

    values: dict[str, Reading] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)  # vendor -> line of the product that was read
    owned: dict[str, str] = field(default_factory=dict)  # vendor -> line that owns the thing spoken of
    notes: list[str] = field(default_factory=list)

    def put(self, name: str, value: AttrValue | None, span: tuple[int, int]) -> None:
        """Note a value unless there is none or one is known."""
        if value is not None and name not in self.values:
            self.values[name] = Reading(value, span)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom one signal is about: one of the coordinated persons, and their number."""

    person: Token | None
    people: int = 0


def jurisdiction_of(match: Match) -> str | None:
    """Return what a place is called, however the text writes it; None for one that only describes a name."""
    name = match.name()
    return name.replace("_", " ") if name else None


def distance(trigger: tuple[int, int], span: tuple[int, int]) -> int:
    """Return how many characters lie between a trigger and a span; 0 where they overlap."""
    return max(trigger[0] - span[1], span[0] - trigger[1], 0)


def put_token(capture: Capture, token: Token, scene: Scene, readings: Readings) -> None:
    """Read one token as the attribute's kind; out of bounds is dropped and noted."""
    pack, span = scene.pack, (token.start, token.end)
    value = _value(token, capture.kind, scene)
    if value is None:
        readings.notes.append(f"{capture.attribute}: {token.text!r} is out of bounds or cannot be read")
        return
    readings.put(capture.attribute, value, span)
    if capture.kind == "product" and token.vendor is not None and token.line is not None:
        readings.lines.setdefault(token.vendor, token.line)
    if token.kind == "M":
        money = read_money(token.text, pack=pack)
        readings.put("currency", money[1] if money else None, span)
    if capture.kind == "role":
        readings.put("role_text", token.text, span)
    if capture.attribute == "count" and token.kind == "N":
        readings.put("count_exact", _is_exact(token, scene), span)


def _value(token: Token, kind: str, scene: Scene) -> AttrValue | None:
    pack = scene.pack
    if token.kind in "VO":
        return (token.text if kind in ("product", "text") else token.vendor) or token.name
    readers: dict[str, Callable[[], AttrValue | None]] = {
        "P": lambda: token.name,
        "R": lambda: token.role_code or role_code(token.text, pack) or "other",
        "Q": lambda: read_percent(token.text, pack=pack),
        "M": lambda: (read_money(token.text, pack=pack) or (None,))[0],
        "H": lambda: _hours(token, kind, scene),
        "N": lambda: _count(token, scene),
        "D": lambda: _day(token, scene),
    }
    return readers[token.kind]()


def _hours(token: Token, kind: str, scene: Scene) -> AttrValue | None:
    hours = read_hours(token.text, pack=scene.pack)
    return hours if hours is None or kind != "days" else round(hours / 24)


def _count(token: Token, scene: Scene) -> int | None:
    read = read_number(token.text, pack=scene.pack)
    return int(read[0]) if read is not None and 0 <= read[0] <= MAX_COUNT else None


def _is_exact(token: Token, scene: Scene) -> bool:
    """Whether the number is told as such: neither "several" nor "at least three"."""
    read = read_number(token.text, pack=scene.pack)
    before = scene.masked.original[max(0, token.start - APPROX_CHARS) : token.start]
    is_floor = token.text.endswith("+")
    return read is not None and read[1] and not is_floor and not scene.pack.words["approx"].hits(before)


def _day(token: Token, scene: Scene) -> str | None:
    told = tense(scene.masked.original, (token.start, token.end), pack=scene.pack)
    read = read_date(token.text, scene.item, pack=scene.pack, told=told)
    return None if read is None else stamp(read)


def stamp(read: DateRead) -> str:
    """Return the date as far as it is known: 2026-10-01, 2026-10 or 2026."""
    if read.day_date:
        return read.day_date.isoformat()
    return str(read.year) if read.month is None else f"{read.year}-{read.month:02d}"


def clause(scene: Scene, trigger: tuple[int, int]) -> tuple[int, int]:
    """Return the clause around a span of the masked sentence."""
    low, high = 0, len(scene.masked.text)
    for start, end in scene.cuts:
        if end <= trigger[0]:
            low = max(low, end)
        elif start >= trigger[1]:
            high = min(high, start)
    return low, high
