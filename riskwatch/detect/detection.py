"""The engine: one Article against one Ruleset."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from itertools import islice

from riskwatch.detect import explain
from riskwatch.detect.assertion import Case, Found, Judged, find_modifiers, judge
from riskwatch.detect.attributes import Claimed, Readings, Subject, claimed, read_attributes
from riskwatch.detect.compiled import CompiledRule, LanguageRules, Ruleset
from riskwatch.detect.gazetteer import Outlets
from riskwatch.detect.mask import Masked, mask
from riskwatch.detect.match import Candidate, candidates
from riskwatch.detect.resolve import Placed, focus_of, resolve, shifted
from riskwatch.detect.rules import Lifecycle, Route
from riskwatch.detect.segments import Segment, split_body
from riskwatch.detect.sentences import MAX_CHARS, MAX_SENTENCES, MIN_CHARS, Sentence
from riskwatch.detect.vendors import (
    MAX_RIVAL_SHARE,
    MIN_FOCUS_MENTIONS,
    SALIENT_CHARS,
    Attribution,
    Focus,
    Scene,
    attribute,
    scene_of,
)
from riskwatch.model import Article, Assertion, Blocked, Detection, Evidence, Mention, Signal, SourceClass

MAX_BYTES = 64 * 1024
MAX_SIGNALS = 50
TEST_WEIGHT = 0.8  # confidence of a rule on trial
PRIMARY_CLASSES = frozenset(
    {SourceClass.FILING, SourceClass.COURT, SourceClass.REGULATOR, SourceClass.STATUS_PAGE}
)
PRIMARY_MODIFIER = "pseudo.primary"  # "according to the company"
SPEECH_CHARS = 30
UNKNOWN_LANGUAGE = "und"


Place = tuple[bool, int, str, str]  # field order, offset of the trigger, rule, frame


@dataclass(slots=True)
class _Work:
    """What is gathered while one article is read."""

    article: Article
    ruleset: Ruleset
    language: LanguageRules
    item: date
    placed: Sequence[Placed]
    signals: dict[tuple[str, str, str, str, Place], Signal] = field(default_factory=dict)
    blocked: list[Blocked] = field(default_factory=list)
    trace: list[tuple[Place, explain.Trace]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    proven: dict[str, str] = field(
        default_factory=dict
    )  # name or family name -> full name of an unknown person


def detect(article: Article, ruleset: Ruleset, *, focus: str | None = None) -> Detection:
    """Return what the article says happened.

    Args:
        article: As decoded; without any date it gives mentions only.
        ruleset: All rules of one moment.
        focus: Vendor that the article is taken to be about; found in the text when not given.
    """
    texts, notes = _texts(article)
    hits = {name: ruleset.gazetteer.find(text.encode(), text) for name, text in texts.items()}
    if (
        not any(known.kind != "O" for found in hits.values() for hit in found for known in hit.known)
        and not article.covers
    ):
        return Detection((), (), notes=tuple(notes))
    told = article.published_at or article.first_seen_at
    language = _language(article, ruleset)
    item = told.astimezone(UTC).date() if told else date(1970, 1, 1)
    given = (*article.covers, *((focus,) if focus else ()))
    placed = resolve(texts, hits, item=item, pack=language.pack if language else None, given=given)
    mentions = _mentions(placed)
    if language is None or told is None:
        notes.append(f"unread: {article.lang}" if language is None else "undated: no signals")
        return Detection((), mentions, notes=tuple(notes))
    if not language.prefilter.Match("\n".join(texts.values())):
        return Detection((), mentions, notes=tuple(notes))
    work = _Work(article, ruleset, language, item, placed, notes=notes)
    _read(work, texts, focus=focus)
    return _finish(work, mentions)


def _texts(article: Article) -> tuple[dict[str, str], list[str]]:
    """Return the fields, the body cut to 64 kB."""
    texts: dict[str, str] = {}
    notes: list[str] = []
    for name, text in (("title", article.title or ""), ("body", article.text)):
        raw = text.encode("utf-8", "surrogatepass") if len(text) > MAX_BYTES // 4 else b""
        if len(raw) > MAX_BYTES:
            text = raw[:MAX_BYTES].decode("utf-8", "ignore")  # noqa: PLW2901 - the cut text goes on
            notes.append(f"{name} cut at {MAX_BYTES} bytes")
        texts[name] = _encodable(text)
    return texts, notes


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate; replaced one for one, so offsets hold
        return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    return text


def _language(article: Article, ruleset: Ruleset) -> LanguageRules | None:
    lang = article.lang.split("-")[0].lower()
    if lang == UNKNOWN_LANGUAGE:
        return next(iter(ruleset.languages.values()), None)
    return ruleset.languages.get(lang)


def _mentions(placed: Sequence[Placed]) -> tuple[Mention, ...]:
    return tuple(
        Mention(f"{t.vendor}/{t.line}" if t.line else t.vendor, entry.field, t.start, t.end)
        for entry in placed
        for t in (entry.token,)
        if t.kind == "V" and t.vendor is not None
    )


def _read(work: _Work, texts: Mapping[str, str], *, focus: str | None) -> None:
    body = texts["body"]
    segments = split_body(
        body, pack=work.language.pack, leads=lambda low, high: _leads(work.placed, low, high)
    )
    is_digest = any(segment.is_digest for segment in segments)
    title = Segment("title", ((0, len(texts["title"])),))
    left = MAX_SENTENCES
    # the title is read last: by then the body has proved who its persons are
    for segment in (*segments, title):
        spans = segment.spans if segment.field == "body" else () if is_digest else _all_spans(segments)
        about = _focus(work, spans, is_digest=is_digest, given=focus)
        sentences = list(islice(_sentences(work.language, texts[segment.field], segment), left))
        left -= len(sentences)
        for sentence, numbers in sentences:
            _sentence(work, sentence, numbers, focus=about)
    if left <= 0:
        work.notes.append(f"only {MAX_SENTENCES} sentences read")


def _all_spans(segments: Sequence[Segment]) -> tuple[tuple[int, int], ...]:
    return tuple(span for segment in segments for span in segment.spans)


def _leads(placed: Sequence[Placed], low: int, high: int) -> frozenset[str]:
    return frozenset(
        entry.token.vendor or entry.token.name
        for entry in placed
        if entry.field == "body" and low <= entry.token.start < high and entry.token.kind in "VO"
    )


def _focus(work: _Work, spans: Sequence[tuple[int, int]], *, is_digest: bool, given: str | None) -> Focus:
    if given is not None:
        return Focus(given, is_salient=True)
    covers = work.article.covers
    if len(covers) == 1:
        return Focus(covers[0], is_salient=True, is_own_channel=True)
    vendor, mentions = focus_of(work.placed, spans=spans, with_title=not is_digest)
    if vendor is None or is_digest:
        return Focus(vendor)
    first = any(
        entry.token.kind == "V"
        and entry.token.vendor == vendor
        and (entry.field == "title" or entry.token.start < SALIENT_CHARS)
        for entry in work.placed
    )
    rivals = max((count for name, count in mentions.items() if name != vendor), default=0)
    is_salient = (
        first and mentions[vendor] >= MIN_FOCUS_MENTIONS and rivals <= MAX_RIVAL_SHARE * mentions[vendor]
    )
    return Focus(vendor, is_salient=is_salient)


def _sentences(language: LanguageRules, text: str, segment: Segment) -> Iterable[tuple[Sentence, list[int]]]:
    """Yield the sentences in which a rule's prefilter hits, with the numbers of those rules."""
    for low, high in segment.spans:
        raw = text[low:high].encode()
        plain = len(raw) == high - low
        for first, last in language.splitter.spans(raw):
            if last - first < MIN_CHARS:
                continue
            numbers = language.prefilter.Match(raw[first:last])
            if not numbers:
                continue
            start = low + (first if plain else len(raw[:first].decode("utf-8", "ignore")))
            words = raw[first:last].decode("utf-8", "ignore")
            start += len(words) - len(words.lstrip())
            words = words.strip()[:MAX_CHARS]
            if len(words) >= MIN_CHARS:
                yield Sentence(segment.field, start, start + len(words), words), sorted(numbers)


def _sentence(work: _Work, sentence: Sentence, numbers: Sequence[int], *, focus: Focus) -> None:
    rules = [work.language.rules[number] for number in numbers]
    rules = [rule for rule in rules if _in_scope(rule, sentence, work.article)]
    entities = [
        shifted(entry.token, -sentence.start)
        for entry in work.placed
        if entry.field == sentence.field
        and sentence.start <= entry.token.start
        and entry.token.end <= sentence.end
    ]
    pack = work.language.pack
    # without a name of a vendor or of its people only the focus could carry the event
    if not rules or not (focus.is_own_channel or focus.is_salient or any(t.kind != "O" for t in entities)):
        return
    with_people = any(rule.uses_people for rule in rules)
    masked = mask(sentence.text, entities, pack=pack, proven=work.proven if with_people else None)
    _remember(work, masked)
    possible = frozenset(work.language.atoms.Match(masked.raw.lower(), potential=True) or ())
    found = [made for rule in rules for made in candidates(rule, masked, pack=pack, possible=possible)]
    if not found:
        return
    scene = scene_of(masked, pack=pack, focus=focus, item=work.item)
    modifiers = find_modifiers(masked, pack)
    for candidate in found:
        _candidate(work, candidate, scene, modifiers, sentence=sentence)


def _in_scope(rule: CompiledRule, sentence: Sentence, article: Article) -> bool:
    scope = rule.spec.scope
    return sentence.field in scope.fields and (not scope.sources or article.source_class in scope.sources)


def _remember(work: _Work, masked: Masked) -> None:
    """Keep the unknown persons that the sentence proved; their family name then stands for them."""
    for token in masked.tokens:
        if token.kind == "P" and not token.posts and " " in token.name:
            words = token.name.split()
            family = words[0] if work.language.pack.grammar.family_name_first else words[-1]
            work.proven[token.name] = token.name
            if family.lower() not in work.language.pack.not_surnames and len(family) > 1:
                work.proven.setdefault(family, token.name)


def _candidate(
    work: _Work, candidate: Candidate, scene: Scene, modifiers: Sequence[Found], *, sentence: Sentence
) -> None:
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
        work.trace.append((place, base))
        return
    found = [(who, attribute(candidate, scene, person=who.person)) for who in _subjects(candidate, scene)]
    for subject, vendors in _shared(found):
        if not vendors:
            names = [scene.masked.tokens[number].text for number in scene.roles]
            work.trace.append((place, base | {"vendor": explain.unresolved(scene.roles, names)}))
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


def _subjects(candidate: Candidate, scene: Scene) -> tuple[Subject, ...]:
    """Return one subject a coordinated person where the event is about persons, else one in all."""
    who = candidate.groups.get("who")
    people = [scene.masked.tokens[number] for number in scene.masked.inside(*who, "P")] if who else []
    if not candidate.rule.needs_person:
        return (Subject(None, len(people)),)
    distinct = {token.name: token for token in reversed(people)}
    if not distinct:
        return (Subject(None, 0),)
    return tuple(
        Subject(token, len(distinct)) for token in sorted(distinct.values(), key=lambda token: token.start)
    )


@dataclass(frozen=True, slots=True)
class _Stated:
    """One subject of a candidate and what the sentence says of it."""

    subject: Subject
    vendor: Attribution
    modifiers: Sequence[Found]
    sentence: Sentence


def _signal(
    work: _Work,
    candidate: Candidate,
    scene: Scene,
    stated: _Stated,
    *,
    base: explain.Trace,
    place: Place,
) -> None:
    readings = read_attributes(candidate, scene, stated.subject, stated.vendor)
    stated = replace(stated, vendor=_with_line(stated.vendor, readings))
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
    trace = dict(base) | {
        "vendor": explain.vendor_trace(stated.vendor, stated.sentence, scene.masked),
        "assertion": explain.assertion_trace(judged, stated.sentence),
        "attributes": explain.attributes_trace(readings, stated.sentence),
        "notes": list(readings.notes),
    }
    work.trace.append((place, trace))
    if candidate.rule.spec.lifecycle == Lifecycle.EXPERIMENTAL:
        return
    signal = _made(work, candidate, scene, stated, judged=judged, readings=readings, when=when)
    key = (signal.rule, signal.vendor, signal.type, _object(readings), place)
    work.signals.setdefault(key, signal)


def _with_line(vendor: Attribution, readings: Readings) -> Attribution:
    """The thing spoken of or the product may belong to a line where the vendor's name does not."""
    line = readings.owned.get(vendor.vendor) or vendor.line or readings.lines.get(vendor.vendor)
    return vendor if line == vendor.line else replace(vendor, line=line)


def _speakers(scene: Scene, stated: _Stated) -> frozenset[int]:
    person = stated.subject.person
    return frozenset(
        number
        for number, token in enumerate(scene.masked.tokens)
        if (token.kind == "V" and token.vendor == stated.vendor.vendor)
        or (token.kind == "P" and person is not None and token.name == person.name)
    )


def _spoken(work: _Work, judged: Judged, scene: Scene, stated: _Stated, speakers: frozenset[int]) -> Judged:
    """Mark what the company, a court, a regulator or the person says for itself."""
    article = work.article
    official = article.source_class in PRIMARY_CLASSES or stated.vendor.vendor in article.covers
    value = judged.value
    if official and value == Assertion.REPORTED:
        value = Assertion.CONFIRMED
    is_primary = official or judged.is_primary or _self_spoken(scene, speakers) or _named_primary(scene)
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


def _named_primary(scene: Scene) -> bool:
    modifiers = scene.pack.assertions.modifiers
    return any(
        entry.spec.id == PRIMARY_MODIFIER and entry.pattern.search(scene.masked.light) is not None
        for entry in modifiers
    )


def _object(readings: Readings) -> str:
    person = readings.values.get("person")
    return str(person.value) if person else ""


def _made(  # noqa: PLR0913 - the parts of one signal
    work: _Work,
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
    weight = TEST_WEIGHT if candidate.rule.spec.lifecycle == Lifecycle.TEST else 1.0
    subject = f"{vendor.vendor}/{vendor.line}" if vendor.line else vendor.vendor
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
        cited_family=_cited(sentence.text, work.ruleset.outlets, scene, own=article.family),
        tier=article.tier,
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


def _cited(text: str, outlets: Outlets, scene: Scene, *, own: str) -> str | None:
    """Return the family of the one outlet that the sentence credits."""
    if outlets.pattern is None:
        return None
    families: set[str] = set()
    for match in outlets.pattern.finditer(text):
        start, end = match.span()
        window = f"{text[max(0, start - 40) : start]}«S»{text[end : end + 40]}"
        if scene.pack.words["credit"].hits(window):
            families.add(outlets.families[match.group()])
    families.discard(own)
    return families.pop() if len(families) == 1 else None


def _finish(work: _Work, mentions: tuple[Mention, ...]) -> Detection:
    # stable: persons of one list keep the order of the text
    signals = sorted(work.signals.items(), key=lambda pair: pair[0][-1])
    if len(signals) > MAX_SIGNALS:
        work.notes.append(f"{len(signals) - MAX_SIGNALS} signals over {MAX_SIGNALS} left out")
    traces = sorted(work.trace, key=lambda pair: pair[0])
    return Detection(
        signals=tuple(signal for _, signal in signals[:MAX_SIGNALS]),
        mentions=mentions,
        blocked=tuple(work.blocked),
        trace=tuple(trace for _, trace in traces),
        notes=tuple(work.notes),
    )
