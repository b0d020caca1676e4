"""Read the attributes of a candidate: groups through their tokens, the rest by finders."""
# ruff: noqa: RUF001 - the marks of many scripts are what is read here

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from riskwatch.detect.compiled import Capture
from riskwatch.detect.finders import FIND, nearest
from riskwatch.detect.mask import capitalised, is_headline
from riskwatch.detect.match import Candidate
from riskwatch.detect.quantity import DateRead, read_date, read_percent
from riskwatch.detect.readings import (
    APPROX_CHARS,
    Reading,
    Readings,
    Subject,
    clause,
    jurisdiction_of,
    put_token,
)
from riskwatch.detect.tense import tense
from riskwatch.detect.vendors import Attribution, Scene
from riskwatch.model import AttrValue

MAX_TEXT_CHARS = 120
WHO = "who"  # the group of whom it is about: a person, a list of them or a post
TAKER = "taker"  # the group of the company that acts: only a name can stand for it


def read_attributes(candidate: Candidate, scene: Scene, subject: Subject, vendor: Attribution) -> Readings:
    """Return the attributes that the rule captures, and what belongs to them."""
    readings = Readings()
    for capture in candidate.rule.captures:
        _capture(capture, candidate, scene, subject, vendor, readings)
    known = candidate.rule.event.attributes
    if "count" in known and subject.people > 1:
        _raise_count(readings, subject.people, scene, candidate)
    if "count_exact" not in known:
        readings.values.pop("count_exact", None)
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
        value = _of_table(capture, candidate, scene)
        if value is not None:
            readings.put(capture.attribute, _typed(value, capture.kind), trigger)
    elif capture.source in FIND:
        FIND[capture.source](capture, candidate, scene, subject, vendor, readings)
    elif capture.kind == "person" and capture.source == WHO:
        if subject.person is not None:
            readings.put(capture.attribute, subject.person.name, (subject.person.start, subject.person.end))
    elif capture.source in candidate.groups:
        _group(capture, candidate.groups[capture.source], scene, readings)


def _of_table(capture: Capture, candidate: Candidate, scene: Scene) -> str | None:
    """Return the first value of the table whose words stand in the trigger or its clause."""
    text = scene.masked.text
    stretches = [text[slice(*candidate.trigger)], text[slice(*clause(scene, candidate.trigger))]]
    return next(
        (value for value, words in capture.table if any(words.hits(stretch) for stretch in stretches)), None
    )


def _typed(text: str, kind: str) -> AttrValue:
    if kind == "bool":
        return text == "true"
    if kind in ("count", "days"):
        return int(text)
    return float(text) if kind in ("percent", "hours", "money") else text


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


def _group(capture: Capture, span: tuple[int, int], scene: Scene, readings: Readings) -> None:
    """Read a group by the kind of the attribute."""
    kinds = KIND_TOKENS.get(capture.kind)
    if kinds is not None:
        inside = scene.masked.inside(*span, kinds)
        if inside:
            put_token(capture, scene.masked.tokens[inside[0]], scene, readings)
            return
    if capture.source == TAKER:
        name = _name_in(span, scene)
        if name is not None:
            readings.put(capture.attribute, scene.masked.words(*name), scene.masked.span(*name))
    elif kinds is None or capture.kind in ("product", "org"):
        _note_owner(span, scene, readings)
        words = scene.masked.words(*span).strip(" ,;:'\"’“”")
        place = scene.pack.words["jurisdiction"].search(words) if capture.kind == "country" else None
        words = (jurisdiction_of(place) if place else None) or words
        readings.put(capture.attribute, words[:MAX_TEXT_CHARS] or None, scene.masked.span(*span))


def _name_in(span: tuple[int, int], scene: Scene) -> tuple[int, int] | None:
    """Return the last unknown name of a span; none in a headline, whose capitals say nothing of names."""
    if is_headline(scene.masked.text):
        return None
    low, high = span
    names = [
        (low + start, low + end) for start, end, _ in capitalised(scene.masked.text[low:high], scene.pack)
    ]
    return names[-1] if names else None


def _note_owner(span: tuple[int, int], scene: Scene, readings: Readings) -> None:
    """Keep the line that the thing belongs to: "split the Qwen team"."""
    masked = scene.masked
    for number in scene.vendors:
        token = masked.tokens[number]
        inside = span[0] <= masked.starts[number] < span[1]
        before = masked.ends[number] <= span[0] and not masked.text[masked.ends[number] : span[0]].strip()
        if (inside or before) and token.vendor is not None and token.line is not None:
            readings.owned[token.vendor] = token.line


def _raise_count(readings: Readings, people: int, scene: Scene, candidate: Candidate) -> None:
    """The coordinated persons also count: the greater of both is kept."""
    stated = readings.values.get("count")
    if stated is None or (isinstance(stated.value, int) and stated.value < people):
        span = scene.masked.span(*candidate.trigger)
        readings.values["count"] = Reading(people, span)
        if "count_exact" in readings.values:
            readings.values["count_exact"] = Reading(value=False, span=span)


def _percent_extras(readings: Readings, scene: Scene, known: Mapping[str, str]) -> None:
    start, end = readings.values["percent"].span
    if "approx" in known:
        before = scene.masked.original[max(0, start - APPROX_CHARS) : start]
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
    number = nearest(scene.masked, candidate.trigger, "D", limits=limits)
    if number is None:
        return None
    token, event = scene.masked.tokens[number], scene.masked.span(*candidate.trigger)
    told = tense(scene.masked.original, (token.start, token.end), pack=scene.pack, event=event)
    read: DateRead | None = read_date(token.text, scene.item, pack=scene.pack, told=told)
    if read is None or read.day_date is None or read.day_date > scene.item:
        return None
    return Claimed(read.day_date, token.text, read.is_relative, (token.start, token.end))
