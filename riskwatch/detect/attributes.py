"""Read the attributes of a candidate: groups through their tokens, and finders that look near the trigger."""
# ruff: noqa: RUF001 - the marks of many scripts are what is read here

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from riskwatch.detect.compiled import Capture
from riskwatch.detect.mask import Masked, Token, role_code
from riskwatch.detect.match import Candidate
from riskwatch.detect.quantity import DateRead, read_date, read_hours, read_money, read_number, read_percent
from riskwatch.detect.vendors import Attribution, Scene
from riskwatch.model import AttrValue

ADJOINING_CHARS = 2  # a comma and a space
NEAR_CHARS = 90  # of the masked sentence, either side of the trigger
MAX_COUNT = 10**12
MAX_TEXT_CHARS = 120


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


def read_attributes(candidate: Candidate, scene: Scene, subject: Subject, vendor: Attribution) -> Readings:
    """Return the attributes that the rule captures, and what belongs to them."""
    readings = Readings()
    for capture in candidate.rule.captures:
        _capture(capture, candidate, scene, subject, vendor, readings)
    known = candidate.rule.event.attributes
    if "count" in known and subject.people > 1:
        _raise_count(readings, subject.people, scene, candidate)
    if "percent" in readings.values:
        _percent_extras(readings, scene, known)
    return readings


def _capture(
    capture: Capture,
    candidate: Candidate,
    scene: Scene,
    subject: Subject,
    vendor: Attribution,
    readings: Readings,
) -> None:
    masked = scene.masked
    trigger = masked.span(*candidate.trigger)
    if capture.constant is not None:
        readings.put(capture.attribute, _typed(capture.constant, capture.kind), trigger)
    elif capture.table:
        low, high = clause(scene, candidate.trigger)
        for value, pattern in capture.table:
            match = pattern.search(
                masked.text[candidate.trigger[0] : candidate.trigger[1]]
            ) or pattern.search(masked.text[low:high])
            if match:
                readings.put(capture.attribute, _typed(value, capture.kind), trigger)
                return
    elif capture.source in FIND:
        FIND[capture.source](capture, candidate, scene, subject, vendor, readings)
    elif capture.source in candidate.groups:
        _group(capture, candidate.groups[capture.source], scene, subject, readings)


def _typed(text: str, kind: str) -> AttrValue:
    if kind == "bool":
        return text == "true"
    if kind in ("count", "days"):
        return int(text)
    return float(text) if kind in ("percent", "hours", "money") else text


def clause(scene: Scene, trigger: tuple[int, int]) -> tuple[int, int]:
    """Return the clause around a span of the masked sentence."""
    low, high = 0, len(scene.masked.text)
    for start, end in scene.cuts:
        if end <= trigger[0]:
            low = max(low, end)
        elif start >= trigger[1]:
            high = min(high, start)
    return low, high


KIND_TOKENS: Mapping[str, str] = {
    "person": "P",
    "role": "R",
    "vendor": "VO",
    "org": "VO",
    "product": "V",
    "count": "N",
    "percent": "Q",
    "money": "M",
    "hours": "H",
    "days": "HN",
    "date": "D",
}


def _group(
    capture: Capture, span: tuple[int, int], scene: Scene, subject: Subject, readings: Readings
) -> None:
    """Read a group by the kind of the attribute."""
    if capture.kind == "person":
        if subject.person is not None:
            readings.put(capture.attribute, subject.person.name, (subject.person.start, subject.person.end))
        return
    kinds = KIND_TOKENS.get(capture.kind)
    if kinds is not None:
        inside = scene.masked.inside(*span, kinds)
        if inside:
            put_token(capture, scene.masked.tokens[inside[0]], scene, readings)
            return
    if kinds is None or capture.kind in ("product", "org"):
        _note_owner(span, scene, readings)
        words = scene.masked.words(*span).strip(" ,;:'\"’“”")
        readings.put(capture.attribute, words[:MAX_TEXT_CHARS] or None, scene.masked.span(*span))


def _note_owner(span: tuple[int, int], scene: Scene, readings: Readings) -> None:
    """Keep the line that the thing belongs to: "split the Qwen team"."""
    masked = scene.masked
    for number in scene.vendors:
        token = masked.tokens[number]
        inside = span[0] <= masked.starts[number] < span[1]
        before = masked.ends[number] <= span[0] and not masked.text[masked.ends[number] : span[0]].strip()
        if (inside or before) and token.vendor is not None and token.line is not None:
            readings.owned[token.vendor] = token.line


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


def _day(token: Token, scene: Scene) -> str | None:
    read = read_date(token.text, scene.item, pack=scene.pack)
    if read is None:
        return None
    return (
        read.day_date.isoformat()
        if read.day_date
        else "-".join(
            str(part) if part == read.year else f"{part:02d}"
            for part in (read.year, read.month)
            if part is not None
        )
    )


def _raise_count(readings: Readings, people: int, scene: Scene, candidate: Candidate) -> None:
    """The coordinated persons also count: the greater of both is kept."""
    stated = readings.values.get("count")
    if stated is None or (isinstance(stated.value, int) and stated.value < people):
        readings.values["count"] = Reading(people, scene.masked.span(*candidate.trigger))


def _percent_extras(readings: Readings, scene: Scene, known: Mapping[str, str]) -> None:
    start, end = readings.values["percent"].span
    if "approx" in known:
        before = scene.masked.original[max(0, start - 30) : start]
        match = scene.pack.words["approx"].search(before)
        if match:
            words = match.group().strip(" ,(")
            readings.put("approx", words.lower(), (start - len(before) + match.start(), start))
    if "market_percent" in known:
        _market_percent(readings, scene, end)


def _market_percent(readings: Readings, scene: Scene, after: int) -> None:
    """A later percentage that belongs to an index is the market's."""
    for token in scene.masked.tokens:
        if token.kind == "Q" and token.start >= after:
            between = scene.masked.original[after : token.start]
            if scene.pack.words["market_index"].hits(between):
                readings.put(
                    "market_percent", read_percent(token.text, pack=scene.pack), (token.start, token.end)
                )
            return


# ---------------------------------------------------------------- finders


def _nearest(masked: Masked, trigger: tuple[int, int], kinds: str, *, limits: tuple[int, int]) -> int | None:
    """Return the token of the kinds nearest to the trigger, the one after it on a tie."""
    best: tuple[int, int, int] | None = None
    for number, token in enumerate(masked.tokens):
        low, high = masked.starts[number], masked.ends[number]
        if token.kind not in kinds or low < limits[0] or high > limits[1]:
            continue
        is_before = high <= trigger[0]
        distance = trigger[0] - high if is_before else max(0, low - trigger[1])
        if distance <= NEAR_CHARS and (best is None or (distance, is_before, number) < best):
            best = (distance, is_before, number)
    return best[2] if best else None


def _near(kinds: str, *, in_clause: bool = True) -> Callable[..., None]:
    def find(
        capture: Capture,
        candidate: Candidate,
        scene: Scene,
        subject: Subject,
        vendor: Attribution,
        readings: Readings,
    ) -> None:
        del subject, vendor
        limits = clause(scene, candidate.trigger) if in_clause else (0, len(scene.masked.text))
        number = _nearest(scene.masked, candidate.trigger, kinds, limits=limits)
        if number is not None:
            put_token(capture, scene.masked.tokens[number], scene, readings)

    return find


def _role_near(
    capture: Capture,
    candidate: Candidate,
    scene: Scene,
    subject: Subject,
    vendor: Attribution,
    readings: Readings,
) -> None:
    """Role beside the person, else beside the trigger ("resigned as CEO"), else of the register."""
    token = _role_token(candidate, scene, subject)
    if token is not None:
        put_token(capture, token, scene, readings)
        return
    for employer, known in subject.person.posts if subject.person is not None else ():
        if employer == vendor.vendor and subject.person is not None:
            span = (subject.person.start, subject.person.end)
            readings.put(capture.attribute, role_code(known.role, scene.pack) or "other", span)
            readings.put("role_text", known.role, span)
            return


def _role_token(candidate: Candidate, scene: Scene, subject: Subject) -> Token | None:
    masked = scene.masked
    anchor = candidate.groups.get("who")
    person = subject.person
    if person is not None:
        number = masked.tokens.index(person)
        low, high = masked.starts[number], masked.ends[number]
        limits = (max(0, low - 4 - 8), _before_next_person(masked, number))
        found = _nearest(masked, (low, high), "R", limits=limits)
        if found is not None and (_adjoins(masked, found, low, high) or subject.people <= 1):
            return masked.tokens[found]
    elif anchor is not None:
        inside = masked.inside(*anchor, "R")
        if inside:
            return masked.tokens[inside[0]]
    stop = min(candidate.trigger[1] + 40, clause(scene, candidate.trigger)[1])
    after = masked.inside(candidate.trigger[1], stop, "RP")
    is_own = bool(after) and masked.tokens[after[0]].kind == "R" and subject.people <= 1
    return masked.tokens[after[0]] if is_own else None


def _adjoins(masked: Masked, number: int, low: int, high: int) -> bool:
    start, end = masked.starts[number], masked.ends[number]
    return 0 <= low - end <= ADJOINING_CHARS or 0 <= start - high <= NEAR_CHARS


def _before_next_person(masked: Masked, number: int) -> int:
    following = [
        start for n, start in enumerate(masked.starts) if n > number and masked.tokens[n].kind == "P"
    ]
    return min([*following, masked.ends[number] + 60])


def _product_near(
    capture: Capture,
    candidate: Candidate,
    scene: Scene,
    subject: Subject,
    vendor: Attribution,
    readings: Readings,
) -> None:
    """Nearest name of the vendor that belongs to a line."""
    del subject
    masked, best = scene.masked, None
    for number in scene.vendors:
        token = masked.tokens[number]
        if token.vendor == vendor.vendor and token.line is not None:
            distance = max(
                candidate.trigger[0] - masked.ends[number], masked.starts[number] - candidate.trigger[1], 0
            )
            if best is None or (distance, number) < best:
                best = (distance, number)
    if best is not None:
        put_token(capture, masked.tokens[best[1]], scene, readings)


def _horizon_near(
    capture: Capture,
    candidate: Candidate,
    scene: Scene,
    subject: Subject,
    vendor: Attribution,
    readings: Readings,
) -> None:
    del subject, vendor
    start, _ = scene.masked.span(*candidate.trigger)
    text = scene.masked.original
    low, high = (len(text[:at].encode()) for at in (max(0, start - NEAR_CHARS), start + 2 * NEAR_CHARS))
    match = scene.pack.words["horizon"].search(text, low, stop=high)
    if match:
        readings.put(capture.attribute, match.group().lower(), match.span())


def _dest(
    capture: Capture,
    candidate: Candidate,
    scene: Scene,
    subject: Subject,
    vendor: Attribution,
    readings: Readings,
) -> None:
    del subject
    masked = scene.masked
    numbers = list(masked.inside(*candidate.groups["taker"], "VO")) if "taker" in candidate.groups else []
    numbers += [number for number in scene.companies if "destination" in scene.roles[number]]
    for number in numbers:
        if masked.tokens[number].vendor != vendor.vendor:
            put_token(capture, masked.tokens[number], scene, readings)
            return


def _plaintiff(
    capture: Capture,
    candidate: Candidate,
    scene: Scene,
    subject: Subject,
    vendor: Attribution,
    readings: Readings,
) -> None:
    del subject, candidate
    for number in scene.companies:
        token = scene.masked.tokens[number]
        if "plaintiff" in scene.roles[number] and token.vendor != vendor.vendor:
            put_token(capture, token, scene, readings)
            return


def _org_near(
    capture: Capture,
    candidate: Candidate,
    scene: Scene,
    subject: Subject,
    vendor: Attribution,
    readings: Readings,
) -> None:
    """Nearest company of the clause that is not the vendor itself."""
    del subject
    masked, limits = scene.masked, clause(scene, candidate.trigger)
    others = [
        (max(candidate.trigger[0] - masked.ends[n], masked.starts[n] - candidate.trigger[1], 0), n)
        for n in scene.companies
        if masked.tokens[n].vendor != vendor.vendor and limits[0] <= masked.starts[n] < limits[1]
    ]
    if others:
        put_token(capture, masked.tokens[min(others)[1]], scene, readings)


FIND: Mapping[str, Callable[..., None]] = {
    "role_near": _role_near,
    "product_near": _product_near,
    "money_near": _near("M"),
    "date_near": _near("D"),
    "duration_near": _near("H"),
    "percent_near": _near("Q"),
    "count_near": _near("N"),
    "person_near": _near("P"),
    "horizon_near": _horizon_near,
    "org_near": _org_near,
    "dest": _dest,
    "plaintiff": _plaintiff,
}


# ---------------------------------------------------------------- when it happened


@dataclass(frozen=True, slots=True)
class Claimed:
    """When the text says that it happened."""

    day: date
    words: str
    is_relative: bool
    span: tuple[int, int]


def claimed(candidate: Candidate, scene: Scene) -> Claimed | None:
    """Return the day named nearest to the trigger in its clause; a day after the item's is no claim."""
    limits = clause(scene, candidate.trigger)
    number = _nearest(scene.masked, candidate.trigger, "D", limits=limits)
    if number is None:
        return None
    token = scene.masked.tokens[number]
    read: DateRead | None = read_date(token.text, scene.item, pack=scene.pack)
    if read is None or read.day_date is None or read.day_date > scene.item:
        return None
    return Claimed(read.day_date, token.text, read.is_relative, (token.start, token.end))
