"""Make the Signals of a candidate: its vendor, its attributes, how it is stated."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time

from riskwatch.detect import explain
from riskwatch.detect.assertion import Case, Found, Judged, judge
from riskwatch.detect.attributes import Claimed, claimed, read_attributes
from riskwatch.detect.compiled import LanguageRules, Ruleset
from riskwatch.detect.credit import cited, original
from riskwatch.detect.mask import Token
from riskwatch.detect.match import Candidate
from riskwatch.detect.names import Names
from riskwatch.detect.people import subjects
from riskwatch.detect.readings import Reading, Readings, Subject, clause
from riskwatch.detect.rules import Lifecycle, Route
from riskwatch.detect.sentences import Sentence
from riskwatch.detect.units import unit_line
from riskwatch.detect.updates import hours_taken
from riskwatch.detect.vendors import (
    Attribution,
    Scene,
    attribute,
)
from riskwatch.model import Article, Assertion, Blocked, Evidence, Publisher, Signal, SourceClass

TEST_WEIGHT = 0.8  # confidence of a rule on trial
PRIMARY_CLASSES = frozenset(
    {SourceClass.FILING, SourceClass.COURT, SourceClass.REGULATOR, SourceClass.STATUS_PAGE}
)
VAGUE_WEIGHT = 0.55  # of the confidence: somebody unnamed, in a post that may be any
OTHER_ROLE = "other"  # code of a post that is none of those that matter
SPEECH_CHARS = 30


Place = tuple[bool, int, str, str]  # field order, offset of the trigger, rule, frame


@dataclass(frozen=True, slots=True)
class Unread:
    """A sentence before it is masked; offsets of the entities are in characters of the sentence."""

    sentence: Sentence
    entities: Sequence[Token]
    limited: Sequence[int]  # numbers of the rules that look here but not everywhere


@dataclass(slots=True)
class Work:
    """What is gathered while one article is read."""

    article: Article
    ruleset: Ruleset
    languages: Mapping[str, LanguageRules]  # field -> in which it is read
    item: date
    names: Names
    texts: Mapping[str, str]  # field -> as it is read
    signals: dict[tuple[str, str, str, str, Place], tuple[Signal, explain.Trace]] = field(
        default_factory=dict
    )
    blocked: list[Blocked] = field(default_factory=list)
    trace: list[tuple[Place, explain.Trace]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    proven: dict[str, str] = field(
        default_factory=dict
    )  # name or family name -> full name of an unknown person
    unread: list[Unread] = field(default_factory=list)  # passed over: no frame can match in them
    is_traced: bool = False
    origins: list[Publisher | None] = field(default_factory=list)  # the one of `origin`, once it was asked

    @property
    def is_status(self) -> bool:
        """Whether the article is an entry of a vendor's own status page."""
        return self.article.source_class == SourceClass.STATUS_PAGE and self.article.speaker is not None

    def note(self, place: Place, trace: explain.Trace) -> None:
        """Keep how a candidate was judged."""
        if self.is_traced:
            self.trace.append((place, trace))

    def origin(self) -> Publisher | None:
        """Return the outlet in the item's byline."""
        if not self.origins:
            packs = {name: language.pack for name, language in self.languages.items()}
            family = self.article.family
            self.origins.append(original(self.texts, self.ruleset.outlets, packs, own=family))
        return self.origins[0]


def add_candidate(
    work: Work, candidate: Candidate, scene: Scene, modifiers: Sequence[Found], *, sentence: Sentence
) -> None:
    """Add what the candidate says to the work: a signal for each subject and vendor, or why there is none."""
    base: explain.Trace = {}
    if work.is_traced:
        base = explain.start_trace(candidate, sentence, scene.masked, ruleset=work.ruleset.digest)
    start, end = scene.masked.span(*candidate.trigger)
    place = (sentence.field != "title", sentence.start + start, candidate.rule.spec.id, candidate.frame)
    if candidate.blocked_by is not None:
        span = (sentence.start + start, sentence.start + end)
        work.blocked.append(
            Blocked(
                candidate.rule.spec.reference, candidate.frame, candidate.blocked_by, sentence.field, *span
            )
        )
        work.note(place, base)
        return
    found = [(who, attribute(candidate, scene, person=who.person)) for who in subjects(candidate, scene)]
    for subject, vendors in _shared(found):
        if not vendors and work.is_traced:
            names = [scene.masked.tokens[number].text for number in scene.roles]
            work.note(place, base | {"vendor": explain.unresolved(scene.roles, names)})
        for vendor in vendors:
            _signal(
                work, candidate, scene, _Stated(subject, vendor, modifiers, sentence), base=base, place=place
            )


def _shared(
    found: Sequence[tuple[Subject, tuple[Attribution, ...]]],
) -> Iterable[tuple[Subject, tuple[Attribution, ...]]]:
    """Let a person of a list share the vendor of the others, where the register once knew both there."""
    sure = [vendors[0] for _, vendors in found if vendors and vendors[0].route != Route.FOCUS]
    for subject, vendors in found:
        posts = subject.person.posts if subject.person is not None else ()
        is_weak = not vendors or vendors[0].route == Route.FOCUS
        common = [(one, known.line) for one in sure for employer, known in posts if employer == one.vendor]
        if is_weak and common:
            one, line = common[0]
            yield subject, (replace(one, line=line, number=-1),)
        else:
            yield subject, vendors


@dataclass(frozen=True, slots=True)
class _Stated:
    """One subject of a candidate and what the sentence says of it."""

    subject: Subject
    vendor: Attribution
    modifiers: Sequence[Found]
    sentence: Sentence


def _signal(
    work: Work,
    candidate: Candidate,
    scene: Scene,
    stated: _Stated,
    *,
    base: explain.Trace,
    place: Place,
) -> None:
    readings = read_attributes(candidate, scene, stated.subject, stated.vendor)
    if work.is_status and "duration" in candidate.rule.event.attributes:
        _take_hours(work, readings, scene, candidate)
    stated = replace(stated, vendor=_with_part(work, stated.vendor, scene, candidate, readings))
    speakers = _speakers(scene, stated)
    case = Case(
        trigger=scene.masked.span(*candidate.trigger),
        masked_trigger=candidate.trigger,
        is_focus=scene.focus.vendor == stated.vendor.vendor,
        captured=frozenset(readings.values),
        speakers=speakers,
    )
    judged = judge(
        case, scene.masked, stated.modifiers, pack=scene.pack, own=candidate.rule.own, item=work.item
    )
    judged = _spoken(work, judged, scene, stated, speakers)
    when = claimed(candidate, scene)
    is_minor = _is_minor(candidate, stated.subject, readings)
    if is_minor:
        readings.notes.append("the register knows the person as no leader")
    trace = base
    if work.is_traced:
        trace = base | {
            "vendor": explain.vendor_trace(stated.vendor, stated.sentence, scene.masked),
            "assertion": explain.assertion_trace(judged, stated.sentence),
            "attributes": explain.attributes_trace(readings, stated.sentence),
            "notes": list(readings.notes),
        }
    work.note(place, trace)
    if is_minor or candidate.rule.spec.lifecycle == Lifecycle.EXPERIMENTAL:
        return
    signal = _made(work, candidate, scene, stated, judged=judged, readings=readings, when=when)
    if work.is_traced:
        trace["signal"] = signal.id
    key = (signal.rule, signal.vendor, signal.type, _object(readings), place)
    work.signals.setdefault(key, (signal, trace))


def _take_hours(work: Work, readings: Readings, scene: Scene, candidate: Candidate) -> None:
    """Take the duration from the times of the updates, which say more than any words."""
    hours = hours_taken(work.texts["body"], pack=scene.pack)
    if hours is not None:
        readings.values["duration"] = Reading(round(hours, 2), scene.masked.span(*candidate.trigger))


def _leads(candidate: Candidate, readings: Readings, *, untold: tuple[int, int] | None = None) -> bool:
    """Whether the post matters, where the event is about one; a post read at `untold` is not of the text."""
    if not candidate.rule.needs_person or "role" not in candidate.rule.event.attributes:
        return True
    role = readings.values.get("role")
    return role is not None and (role.value != OTHER_ROLE or (untold is not None and role.span != untold))


def _is_minor(candidate: Candidate, subject: Subject, readings: Readings) -> bool:
    """Whether the person is known, but not as a leader, and the text states no post."""
    person = subject.person
    if person is None or not person.posts or any(known.key for _, known in person.posts):
        return False
    return not _leads(candidate, readings, untold=(person.start, person.end))


def _weight(candidate: Candidate, subject: Subject, readings: Readings) -> float:
    """Return the share of the vendor's confidence that is left to the signal."""
    weight = TEST_WEIGHT if candidate.rule.spec.lifecycle == Lifecycle.TEST else 1.0
    words = readings.values.get("role_text")
    is_bare = words is None or len(str(words.value).split()) <= 1  # "lead", beside "head of product"
    is_vague = is_bare and subject.person is None and not _leads(candidate, readings)
    return weight * VAGUE_WEIGHT if is_vague else weight


def _with_part(
    work: Work, vendor: Attribution, scene: Scene, candidate: Candidate, readings: Readings
) -> Attribution:
    """The thing spoken of or the product may belong to a line where the vendor's name does not.

    Where neither a line nor a model is named, the clause may name a business that is about something else.
    """
    line = readings.owned.get(vendor.vendor) or vendor.line or readings.lines.get(vendor.vendor)
    units = work.ruleset.gazetteer.units.get(vendor.vendor)
    if line is None and units is not None:
        span = clause(scene, candidate.trigger)
        text = scene.masked.words(*span)
        named = (scene.masked.tokens[number] for number in scene.masked.inside(*span, "V"))
        is_model = any(token.vendor == vendor.vendor and token.line for token in named)
        if not is_model and not scene.pack.words["of_models"].hits(text):
            line = unit_line(text, units, scene.pack)
    return vendor if line == vendor.line else replace(vendor, line=line)


def _speakers(scene: Scene, stated: _Stated) -> frozenset[int]:
    person = stated.subject.person
    return frozenset(
        number
        for number, token in enumerate(scene.masked.tokens)
        if (token.kind == "V" and token.vendor == stated.vendor.vendor)
        or (token.kind == "P" and person is not None and token.name == person.name)
    )


def _spoken(work: Work, judged: Judged, scene: Scene, stated: _Stated, speakers: frozenset[int]) -> Judged:
    """Mark what the company, a court, a regulator or the person says for itself."""
    article = work.article
    official = article.source_class in PRIMARY_CLASSES or stated.vendor.vendor in article.covers
    value = judged.value
    if official and value == Assertion.REPORTED:
        value = Assertion.CONFIRMED
    is_primary = (
        official
        or judged.is_primary
        or _self_spoken(scene, speakers)
        or scene.pack.assertions.primary.hits(scene.masked.light)
    )
    return Judged(value, judged.winner, judged.considered, is_primary)


def _self_spoken(scene: Scene, speakers: Iterable[int]) -> bool:
    speech = scene.pack.words["self_speech"]
    for number in speakers:
        end = scene.masked.ends[number]
        after = scene.masked.text[end : end + SPEECH_CHARS]
        match = speech.search(after)
        if match and len(after[: match.start()].split()) <= 1 and "«" not in after[: match.start()]:
            return True
    return False


def _object(readings: Readings) -> str:
    person = readings.values.get("person")
    return str(person.value) if person else ""


def _made(  # noqa: PLR0913 - the parts of one signal
    work: Work,
    candidate: Candidate,
    scene: Scene,
    stated: _Stated,
    *,
    judged: Judged,
    readings: Readings,
    when: Claimed | None,
) -> Signal:
    article, sentence, vendor = work.article, stated.sentence, stated.vendor
    start, end = scene.masked.span(*candidate.trigger)
    weight = _weight(candidate, stated.subject, readings)
    subject = f"{vendor.vendor}/{vendor.line}" if vendor.line else vendor.vendor
    outlets = work.ruleset.outlets
    origin = work.origin()
    credit = origin.family if origin else cited(sentence.text, outlets, scene.pack, own=article.family)
    return Signal(
        id=_id(
            article.id,
            article.revision,
            candidate.rule.spec.id,
            subject,
            candidate.rule.event.id,
            _object(readings),
            sentence.field,
            sentence.start + start,
            sentence.start + end,
        ),
        article_id=article.id,
        revision=article.revision,
        vendor=vendor.vendor,
        line=vendor.line,
        type=candidate.rule.event.id,
        assertion=judged.value,
        confidence=round(vendor.confidence * weight, 4),
        route=str(vendor.route),
        attributes={name: reading.value for name, reading in sorted(readings.values.items())},
        evidence=Evidence(sentence.field, sentence.start, sentence.end, sentence.text),
        rule=candidate.rule.spec.reference,
        primary=judged.is_primary,
        claimed_at=datetime.combine(when.day, time(), UTC) if when else None,
        claimed_text=when.words if when else None,
        claim_relative=when.is_relative if when else False,
        publisher=article.publisher,
        family=article.family,
        cited_family=credit,
        tier=origin.tier if origin and article.family in outlets.curated else article.tier,
        published_at=article.published_at,
        first_seen_at=article.first_seen_at,
        text_key=article.text_key,
        recorded_at=article.recorded_at,
    )


def _id(*parts: object) -> str:
    return (
        "s"
        + hashlib.sha256("\n".join(str(part) for part in parts).encode("utf-8", "replace")).hexdigest()[:25]
    )
