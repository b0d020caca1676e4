"""Weigh title and text together: how sure the headline is, and whether it only looks back at an event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from riskwatch.detect.mask import length_in_words
from riskwatch.detect.packs import Pack
from riskwatch.detect.regex import Regex
from riskwatch.model import LIVE, Assertion, Signal

MAX_TEASER_CHARS = 1_200  # of a text that is no whole article
LEAD_CHARS = 80  # of a text within which its first sentence begins; a byline may precede it
HEADLINE_WORDS = 8  # of a headline so long that it tells its news itself
ROOT_CHARS = 4  # of a word, which tell it from others in the same article
RESTATED_SHARE = 0.5  # of the headline's words, which a sentence that tells the same holds
MIN_RESTATED = 3  # words
COPIED_CHARS = 30  # of a headline that a text repeats: what follows in the sentence is new
LOOK_BACK_CHARS = 60  # before a word of the event, where the words stand that take it for granted

Pair = tuple[str, str]  # vendor, event type
_Sentence = tuple[str, str, int]  # vendor of whom it tells, field, where it begins
_NO_TYPES: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Settled:
    """What the article as a whole makes of one statement."""

    value: Assertion
    reason: str  # stands in the trace where a modifier's id would


@dataclass(frozen=True, slots=True)
class Words:
    """The words of an article beside its statements."""

    title: str
    text: str
    named: frozenset[str]  # vendors that the title names
    speaker: str | None = None  # vendor whose own site it is
    is_mixed: bool = False  # title and text are in two languages: the words of one tell nothing of the other
    is_status: bool = False  # it is the speaker's status page, which tells how its own services run


@dataclass(frozen=True, slots=True)
class Kinds:
    """What is known of the kinds of event."""

    hints: Mapping[str, Regex]  # reference of a rule -> the words that its event is told with
    adverse: frozenset[str]  # types of event that are bad for the vendor
    neutral: frozenset[str] = frozenset()  # types that are neither good nor bad: launches
    running: frozenset[str] = frozenset()  # types that tell how services run
    doings: frozenset[str] = frozenset()  # types that tell what a vendor itself changes for its customers
    yields_to: Mapping[str, frozenset[str]] = field(default_factory=dict)  # type -> types that say more


def settle(signals: Sequence[Signal], words: Words, *, pack: Pack, kinds: Kinds) -> dict[int, Settled]:
    """Return the statements that stand otherwise in the article than alone, by their number.

    Args:
        signals: All of one article, in any order.
        words: Title and text; a whole article says for itself what is news, a teaser leans on its headline.
        pack: The language of the title.
        kinds: The kinds of event.
    """
    told = _tell(signals, words, kinds)
    settled: dict[int, Settled] = {}
    for number, signal in enumerate(signals):
        if not signal.assertion.is_live:
            continue
        made = _of_status(signal, words, kinds, pack=pack) if words.is_status else None
        made = made or _of_another(signal, words, told, kinds)
        if made is None and not signal.primary:
            made = _of_article(signal, words, told, kinds, pack=pack)
        if made is not None:
            settled[number] = made
    return settled


@dataclass(frozen=True, slots=True)
class _Told:
    """What all statements of an article tell together."""

    heads: Mapping[Pair, Assertion]
    texts: Mapping[Pair, Assertion]
    doubted: frozenset[Pair]  # what a headline calls a rumour
    troubled: frozenset[str]  # vendors of whose harm a headline tells
    types: Mapping[_Sentence, frozenset[str]]  # of the live statements of each sentence
    own: frozenset[tuple[str, int, str]]  # place and type of what the speaker says that it does itself


def _tell(signals: Sequence[Signal], words: Words, kinds: Kinds) -> _Told:
    heads = _surest(signals, in_title=True)
    types: dict[_Sentence, frozenset[str]] = defaultdict(frozenset)
    for signal in signals:
        if signal.assertion.is_live:
            types[_sentence(signal)] |= {signal.type}
    return _Told(
        heads=heads,
        texts=_surest(signals, in_title=False),
        doubted=frozenset(
            (signal.vendor, signal.type)
            for signal in signals
            if signal.evidence.field == "title" and signal.assertion is Assertion.RUMOURED
        ),
        troubled=frozenset(
            vendor for (vendor, kind), head in heads.items() if kind in kinds.adverse and head.is_live
        ),
        types=types,
        own=frozenset(
            (signal.evidence.field, signal.evidence.start, signal.type)
            for signal in signals
            if signal.vendor == words.speaker and signal.assertion.is_live and signal.type in kinds.doings
        ),
    )


def _of_status(signal: Signal, words: Words, kinds: Kinds, *, pack: Pack) -> Settled | None:
    """A status page tells nothing of others' services, and of its own only how they run unannounced."""
    if signal.vendor != words.speaker or signal.type not in kinds.running:
        return Settled(Assertion.BACKGROUND, "article.status_page")
    is_planned = pack.words["planned"].hits(words.title)
    return Settled(Assertion.BACKGROUND, "article.planned") if is_planned else None


def _of_another(signal: Signal, words: Words, told: _Told, kinds: Kinds) -> Settled | None:
    """What a site says of others' products, and what a sentence tells under a closer type."""
    is_other_site = words.speaker not in (None, signal.vendor)
    place = (signal.evidence.field, signal.evidence.start, signal.type)
    if is_other_site and (signal.type in kinds.neutral or place in told.own):
        return Settled(Assertion.BACKGROUND, "article.other_site")  # it sells and drops what others made
    closer = kinds.yields_to.get(signal.type, _NO_TYPES) & told.types[_sentence(signal)]
    return Settled(Assertion.BACKGROUND, f"sentence.{min(closer)}") if closer else None


def _of_article(signal: Signal, words: Words, told: _Told, kinds: Kinds, *, pack: Pack) -> Settled | None:
    pair = (signal.vendor, signal.type)
    if signal.evidence.field == "title":
        return _of_title(signal, told.texts.get(pair), is_doubted=pair in told.doubted)
    if pair in told.heads:
        return _of_text(signal, told.heads[pair])
    may_be_beside = signal.type in kinds.adverse and signal.vendor not in told.troubled
    return _of_text_alone(signal, words, kinds.hints.get(signal.rule), may_be_beside=may_be_beside, pack=pack)


def _sentence(signal: Signal) -> _Sentence:
    return signal.vendor, signal.evidence.field, signal.evidence.start


def _surest(signals: Iterable[Signal], *, in_title: bool) -> dict[Pair, Assertion]:
    """Return the surest statement of each event in one field; those that are not live count least."""
    surest: dict[Pair, Assertion] = {}
    for signal in signals:
        pair = (signal.vendor, signal.type)
        if (signal.evidence.field == "title") == in_title and (
            pair not in surest or _sureness(surest[pair]) < _sureness(signal.assertion)
        ):
            surest[pair] = signal.assertion
    return surest


def _sureness(assertion: Assertion) -> int:
    return LIVE.index(assertion) if assertion.is_live else -1


def _of_title(signal: Signal, text: Assertion | None, *, is_doubted: bool) -> Settled | None:
    """A headline leaves out who says so; the text tells. What it doubts once it says nowhere surer."""
    if is_doubted and signal.assertion is not Assertion.RUMOURED:
        return Settled(Assertion.RUMOURED, "article.title")
    if text is None or not text.is_live or _sureness(text) >= _sureness(signal.assertion):
        return None
    return Settled(text, "article.text")


def _of_text(signal: Signal, head: Assertion) -> Settled | None:
    """A text is no surer of its news than its headline."""
    if not head.is_live or _sureness(head) >= _sureness(signal.assertion):
        return None
    return Settled(head, "article.title")


def _of_text_alone(
    signal: Signal, words: Words, hint: Regex | None, *, may_be_beside: bool, pack: Pack
) -> Settled | None:
    """What no headline says may be told in passing, or be known; a teaser leans on its headline."""
    is_teaser = len(words.text) <= MAX_TEASER_CHARS
    is_other = is_teaser and not _restates(signal, words.title)
    if is_other and _is_aside(signal, words):
        return Settled(Assertion.BACKGROUND, "article.aside")
    if words.is_mixed or pack.words["fresh"].hits(signal.evidence.quote):
        return None
    if is_other and may_be_beside and _is_beside(words.title, hint, pack):
        return Settled(Assertion.BACKGROUND, "article.beside")
    is_known = (is_teaser and pack.words["retelling"].hits(words.title)) or _looks_back(
        words.title, hint, pack
    )
    return Settled(Assertion.BACKGROUND, "article.looks_back") if is_known else None


def _restates(signal: Signal, title: str) -> bool:
    """Whether the sentence tells what the headline tells, in words of its own."""
    quote, told = signal.evidence.quote, _roots(title)
    if signal.evidence.start > LEAD_CHARS or title[:COPIED_CHARS] in quote:
        return False
    return len(told & _roots(quote)) >= max(MIN_RESTATED, RESTATED_SHARE * len(told))


def _roots(text: str) -> frozenset[str]:
    words = ("".join(filter(str.isalnum, word)).lower() for word in text.split())
    return frozenset(word[:ROOT_CHARS] for word in words if len(word) >= ROOT_CHARS)


def _is_aside(signal: Signal, words: Words) -> bool:
    """Whether a teaser says it in passing: not of the headline's vendor, or late where it names none."""
    if not words.title or signal.vendor in words.named:
        return False
    return bool(words.named) or signal.evidence.start > LEAD_CHARS


def _is_beside(title: str, hint: Regex | None, pack: Pack) -> bool:
    """Whether the headline is long enough to tell its news and has no word of such an event."""
    return length_in_words(title, pack) >= HEADLINE_WORDS and (hint is None or not hint.hits(title))


def _looks_back(title: str, hint: Regex | None, pack: Pack) -> bool:
    """Whether the title names such an event, but each time as something known ("after the lawsuit")."""
    if hint is None:
        return False
    before = [
        title[max(0, found.start() - LOOK_BACK_CHARS) : found.start()] for found in hint.finditer(title)
    ]
    return bool(before) and all(pack.words["presupposes"].hits(words) for words in before)
