"""The engine: one Article against one Ruleset."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date
from itertools import islice

from riskwatch.detect.assertion import find_modifiers
from riskwatch.detect.compiled import CompiledRule, LanguageRules, Ruleset
from riskwatch.detect.explain import Trace, restate
from riskwatch.detect.focus import MAX_RIVAL_SHARE, MIN_FOCUS_MENTIONS, SALIENT_CHARS, Focus
from riskwatch.detect.mask import Masked, mask
from riskwatch.detect.match import blocked, candidates
from riskwatch.detect.names import Names, Placed
from riskwatch.detect.needs import words_of
from riskwatch.detect.packs import Pack
from riskwatch.detect.resolve import focus_of, resolve, shifted
from riskwatch.detect.segments import Segment, split_body, split_title
from riskwatch.detect.sentences import MAX_CHARS, MAX_SENTENCES, Sentence
from riskwatch.detect.settle import Words, settle
from riskwatch.detect.signals import Unread, Work, add_candidate
from riskwatch.detect.vendors import scene_of
from riskwatch.model import Article, Detection, Mention, Signal, vendor_of

MAX_BYTES = 64 * 1024
MAX_SIGNALS = 50
UNKNOWN_LANGUAGE = "und"


def detect(
    article: Article, ruleset: Ruleset, *, focus: str | None = None, is_traced: bool = False
) -> Detection:
    """Return what the article says happened.

    Args:
        article: As decoded; without any date it gives mentions only.
        ruleset: All rules of one moment.
        focus: Vendor that the article is taken to be about; found in the text when not given.
        is_traced: Whether to tell how each candidate was judged; costs as much as the rest of a signal.
    """
    texts, notes = _texts(article)
    hits = {name: ruleset.gazetteer.find(text.encode(), text) for name, text in texts.items()}
    if (
        not any(known.kind != "O" for found in hits.values() for hit in found for known in hit.known)
        and not article.covers
    ):
        return Detection((), (), notes=tuple(notes))
    told = article.published_at or article.first_seen_at
    languages = _languages(article, texts, ruleset)
    item = told.astimezone(UTC).date() if told else date(1970, 1, 1)
    given = (*article.covers, *((focus,) if focus else ()))
    packs = {name: language.pack for name, language in languages.items()}
    placed = resolve(texts, hits, item=item, packs=packs, given=given)
    mentions = _mentions(placed)
    if not languages or told is None:
        notes.append("undated: no signals" if languages else f"unread: {article.lang}")
        return Detection((), mentions, notes=tuple(notes))
    work = Work(article, ruleset, languages, item, Names(placed), texts, notes=notes, is_traced=is_traced)
    is_digest = _read(work, focus=focus)
    headline = Words(
        "" if is_digest else texts["title"],
        article.text,
        _named(mentions),
        speaker=article.speaker,
        is_mixed=languages["title"] is not languages["body"],
        is_status=work.is_status,
    )
    return _finish(work, mentions, headline)


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


def _languages(article: Article, texts: Mapping[str, str], ruleset: Ruleset) -> Mapping[str, LanguageRules]:
    """Return the language of each field; none where the article's is not read, or the ruleset reads none.

    A field chiefly in the script of one language is read in that one, such as a Chinese teaser under an
    English headline; a field without a letter of the article's language is read in the first language.
    """
    if not ruleset.languages:
        return {}
    first, lang = next(iter(ruleset.languages.values())), article.lang.split("-")[0].lower()
    own = first if lang == UNKNOWN_LANGUAGE else ruleset.languages.get(lang)
    if own is None:
        return {}
    read = ruleset.languages.values()
    return {
        name: next(
            (one for one in read if one.pack.is_chiefly_in(text)),
            own if own.pack.is_written_in(text) else first,
        )
        for name, text in texts.items()
    }


def _mentions(placed: Sequence[Placed]) -> tuple[Mention, ...]:
    return tuple(
        Mention(f"{t.vendor}/{t.line}" if t.line else t.vendor, entry.field, t.start, t.end)
        for entry in placed
        for t in (entry.token,)
        if t.kind == "V" and t.vendor is not None
    )


def _named(mentions: Sequence[Mention]) -> frozenset[str]:
    return frozenset(vendor_of(one.subject) for one in mentions if one.field == "title")


def _read(work: Work, *, focus: str | None) -> bool:
    """Collect what the article says; return whether it is a digest, whose entries stand for themselves."""
    is_named = bool(work.names.of("body"))
    # a body without names adds nothing to the focus, and unless the focus carries it, it tells of nothing
    of_title = Focus() if is_named else _focus(work, (), is_digest=False, given=focus)
    segments = _segments(work) if is_named or of_title.can_carry else ()
    is_digest = any(segment.is_digest for segment in segments)
    if is_named:
        spans = () if is_digest else _all_spans(segments)
        of_title = _focus(work, spans, is_digest=is_digest, given=focus)
    left = MAX_SENTENCES
    for segment in segments:
        about = _focus(work, segment.spans, is_digest=True, given=focus) if is_digest else of_title
        left -= _read_segment(work, segment, about, most=left)
    # the title is read last: by then the body has proved who its persons are
    left -= _read_segment(work, split_title(work.texts["title"]), of_title, most=left)
    if left <= 0:
        work.notes.append(f"only {MAX_SENTENCES} sentences read")
    return is_digest


def _segments(work: Work) -> tuple[Segment, ...]:
    return split_body(
        work.texts["body"],
        pack=work.languages["body"].pack,
        leads=lambda low, high: _leads(work.names, low, high),
    )


def _read_segment(work: Work, segment: Segment, focus: Focus, *, most: int) -> int:
    """Read at most so many sentences; return how many there were."""
    sentences = _sentences(work, segment, focus)
    return sum(1 for _ in islice(filter(lambda one: _sentence(work, one, focus=focus), sentences), most))


def _all_spans(segments: Sequence[Segment]) -> tuple[tuple[int, int], ...]:
    return tuple(span for segment in segments for span in segment.spans)


def _leads(names: Names, low: int, high: int) -> frozenset[str]:
    return frozenset(
        token.vendor or token.name for token in names.within("body", low, high) if token.kind in "VO"
    )


def _focus(work: Work, spans: Sequence[tuple[int, int]], *, is_digest: bool, given: str | None) -> Focus:
    if given is not None:
        return Focus(given, is_salient=True)
    if work.article.speaker is not None:
        return Focus(work.article.speaker, is_salient=True, is_own_channel=True)
    vendor, mentions = focus_of(work.names, spans=spans, with_title=not is_digest)
    if vendor is None or is_digest:
        return Focus(vendor)
    first = any(
        token.kind == "V" and token.vendor == vendor
        for token in (*work.names.of("title"), *work.names.within("body", 0, SALIENT_CHARS))
    )
    rivals = max((count for name, count in mentions.items() if name != vendor), default=0)
    is_salient = (
        first and mentions[vendor] >= MIN_FOCUS_MENTIONS and rivals <= MAX_RIVAL_SHARE * mentions[vendor]
    )
    return Focus(vendor, is_salient=is_salient)


def _sentences(work: Work, segment: Segment, focus: Focus) -> Iterable[Sentence]:
    """Yield the sentences that may tell of a vendor.

    Only the focus can carry an event without a name of a vendor or of its people: elsewhere sentences
    without one, most of a text, are not even looked at.
    """
    splitter, text = work.languages[segment.field].splitter, work.texts[segment.field]
    for low, high in segment.spans:
        named = [token.start for token in work.names.within(segment.field, low, high) if token.kind != "O"]
        if not named and not focus.can_carry:
            continue
        least = 1 if segment.field == "title" else splitter.min_chars  # a title may be one name
        raw = text[low:high].encode()
        plain = len(raw) == high - low
        places = [at - low if plain else len(text[low:at].encode()) for at in named]
        for first, last in splitter.spans(raw):
            is_named = bisect_left(places, first) < bisect_left(places, last)
            if last - first < least or not (is_named or focus.can_carry):
                continue
            piece = raw[first:last]
            start = low + (first if plain else len(raw[:first].decode("utf-8", "ignore")))
            words = piece.decode("utf-8", "ignore")
            start += len(words) - len(words.lstrip())
            words = words.strip()[:MAX_CHARS]
            if len(words) >= least:
                yield Sentence(segment.field, start, start + len(words), words, piece)


def _sentence(work: Work, sentence: Sentence, *, focus: Focus) -> bool:
    """Read a sentence; return whether a frame could match in it."""
    language = work.languages[sentence.field]
    pack = language.pack
    entities = [
        shifted(token, -sentence.start)
        for token in work.names.within(sentence.field, sentence.start, sentence.end)
        if token.end <= sentence.end
    ]
    if not (focus.can_carry or any(token.kind != "O" for token in entities)):
        return False
    limited = [n for n in language.limited if _in_scope(language.rules[n], sentence, work.article)]
    unread = Unread(sentence, entities, limited)
    # without spaces, words are dear to tell apart, and a prefilter says more than they do
    if not language.is_spaced and not _is_hit(work, unread):
        return False
    words = words_of(sentence.text, entities, is_spaced=language.is_spaced)
    chosen = language.frames.possible(words, left_out=language.limited.difference(limited))
    if not chosen:
        work.unread.append(unread)
        return False
    masked = _masked(work, unread)
    made = {number: candidates(language.rules[number], masked, frames=chosen[number]) for number in chosen}
    # nearly all that get so far pass the prefilter
    made = {n: found for n, found in made.items() if found and language.rules[n].hint.hits(sentence.raw)}
    if not made:
        return True
    blocking = language.filters.possible_of(made, words)
    scene = scene_of(masked, pack=pack, focus=focus, item=work.item)
    modifiers = find_modifiers(masked, pack, possible=language.modifiers.possible(words))
    for number, found in made.items():
        for candidate in found:
            judged = blocked(candidate, masked, pack=pack, filters=blocking[number])
            add_candidate(work, judged, scene, modifiers, sentence=sentence)
    return True


def _in_scope(rule: CompiledRule, sentence: Sentence, article: Article) -> bool:
    scope = rule.spec.scope
    return sentence.field in scope.fields and (not scope.sources or article.source_class in scope.sources)


def _is_hit(work: Work, unread: Unread) -> bool:
    """Whether the prefilter of a rule hits that looks here."""
    raw, language = unread.sentence.raw, work.languages[unread.sentence.field]
    return language.hint.hits(raw) or any(language.rules[n].hint.hits(raw) for n in unread.limited)


def _asks_for_people(work: Work, unread: Unread) -> bool:
    raw, language = unread.sentence.raw, work.languages[unread.sentence.field]
    rules = [language.rules[n] for n in unread.limited]
    return language.people_hint.hits(raw) or any(rule.uses_people and rule.hint.hits(raw) for rule in rules)


def _masked(work: Work, unread: Unread) -> Masked:
    """Mask a sentence; sentences before it that nobody has read may prove who its persons are."""
    with_people = _asks_for_people(work, unread)
    if with_people:
        for earlier in work.unread:
            if _is_hit(work, earlier):
                made = _mask(work, earlier, with_people=_asks_for_people(work, earlier))
                _remember(work, made, work.languages[earlier.sentence.field].pack)
        work.unread.clear()
    masked = _mask(work, unread, with_people=with_people)
    _remember(work, masked, work.languages[unread.sentence.field].pack)
    return masked


def _mask(work: Work, unread: Unread, *, with_people: bool) -> Masked:
    proven = work.proven if with_people else None
    pack = work.languages[unread.sentence.field].pack
    return mask(unread.sentence.text, unread.entities, pack=pack, proven=proven)


def _remember(work: Work, masked: Masked, pack: Pack) -> None:
    """Keep the unknown persons that the sentence proved; their family name then stands for them."""
    for token in masked.tokens:
        if token.kind == "P" and not token.posts and " " in token.name:
            words = token.name.split()
            family = words[0] if pack.grammar.family_name_first else words[-1]
            work.proven[token.name] = token.name
            if family.lower() not in pack.not_surnames and len(family) > 1:
                work.proven.setdefault(family, token.name)


def _finish(work: Work, mentions: tuple[Mention, ...], headline: Words) -> Detection:
    # stable: persons of one list keep the order of the text
    made = [work.signals[key] for key in sorted(work.signals, key=lambda key: key[-1])]
    signals = _settled(work, made, headline)
    if len(signals) > MAX_SIGNALS:
        work.notes.append(f"{len(signals) - MAX_SIGNALS} signals over {MAX_SIGNALS} left out")
    traces = sorted(work.trace, key=lambda pair: pair[0])
    return Detection(
        signals=tuple(signals[:MAX_SIGNALS]),
        mentions=mentions,
        blocked=tuple(work.blocked),
        trace=tuple(trace for _, trace in traces),
        notes=tuple(work.notes),
    )


def _settled(work: Work, made: Sequence[tuple[Signal, Trace]], headline: Words) -> list[Signal]:
    """Return the signals as the article as a whole states them; the traces tell of it."""
    signals = [signal for signal, _ in made]
    language = work.languages["title"]
    settled = settle(signals, headline, pack=language.pack, kinds=language.kinds) if signals else {}
    for number, told in settled.items():
        signals[number] = replace(signals[number], assertion=told.value)
        if work.is_traced:
            restate(made[number][1], told.value, told.reason)
    return signals
