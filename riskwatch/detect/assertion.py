"""How a text states an event: modifiers with direction and scope, weighed per candidate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

from riskwatch.detect.mask import Masked
from riskwatch.detect.packs import CompiledModifier, Pack
from riskwatch.detect.patterns import compile_pattern
from riskwatch.detect.quantity import Tense, read_date, read_month
from riskwatch.detect.regex import Regex
from riskwatch.detect.rules import When
from riskwatch.detect.tense import tense
from riskwatch.model import Assertion

OPENING_WORDS = 3  # a time that stands so early opens its sentence
_WORD = compile_pattern(r"[^\s«»]+|«[^»]*»")
_YEAR = compile_pattern(r"(?:19|20)[0-9][0-9]")


@dataclass(frozen=True, slots=True)
class Considered:
    """A modifier that was found, and why it did not act; offsets in the sentence."""

    id: str
    start: int
    end: int
    sets: str
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """The assertion of a candidate and what decided it."""

    value: Assertion
    winner: str | None
    considered: tuple[Considered, ...]
    is_primary: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A modifier match in the sentence."""

    modifier: CompiledModifier
    start: int
    end: int
    hidden_by: str | None = None


@dataclass(frozen=True, slots=True)
class OwnModifiers:
    """What a rule adds to the language's modifiers, compiled."""

    ignore_ids: tuple[str, ...] = ()
    ignore_when: str | None = None
    sets: tuple[tuple[Assertion, str, Regex], ...] = ()
    unless: Regex | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A candidate to be judged; spans in characters of the sentence."""

    trigger: tuple[int, int]
    masked_trigger: tuple[int, int]
    is_focus: bool  # the vendor is the segment's focus
    captured: frozenset[str] = frozenset()
    speakers: frozenset[int] = frozenset()  # numbers of tokens that are the vendor or the person itself


def find_modifiers(masked: Masked, pack: Pack, *, possible: Iterable[int]) -> tuple[Found, ...]:
    """Return those of the possible modifiers that are in the sentence, look-alikes marked as hidden."""
    found: list[Found] = []
    for number in possible:
        modifier = pack.assertions.modifiers[number]
        text = masked.text if modifier.on_tokens else masked.light
        for match in modifier.pattern.finditer(text):
            low, high = match.span()
            if modifier.on_tokens:
                start, end = masked.span(low, high)
            else:
                start, end = masked.sentence_at(low), masked.sentence_at(high, is_end=True)
            found.append(Found(modifier, start, end))
    return _hide(found, masked)


def _hide(found: Sequence[Found], masked: Masked) -> tuple[Found, ...]:
    pseudos = [entry for entry in found if entry.modifier.spec.direction == "pseudo"]
    dates = [token for token in masked.tokens if token.kind == "D"]
    kept: list[Found] = []
    for entry in found:
        if entry.modifier.spec.direction == "pseudo":
            continue
        hider = next(
            (p.modifier.spec.id for p in pseudos if p.start < entry.end and entry.start < p.end), None
        )
        if hider is None and any(token.start <= entry.start and entry.end <= token.end for token in dates):
            hider = "date"  # a month that is also a modal
        kept.append(Found(entry.modifier, entry.start, entry.end, hider))
    return tuple(sorted(kept, key=lambda entry: (entry.start, entry.end, entry.modifier.spec.id)))


def judge(
    case: Case, masked: Masked, found: Sequence[Found], *, pack: Pack, own: OwnModifiers, item: date
) -> Judged:
    """Decide how the candidate is stated."""
    considered: list[Considered] = []
    acting: list[tuple[Assertion, str]] = []
    is_primary = False
    for entry in found:
        spec = entry.modifier.spec
        why = _why_not(entry, case, masked, pack=pack, own=own, item=item)
        if why is None and spec.sets == Assertion.REPORTED and _speaks_for_itself(entry, case, masked, pack):
            why, is_primary = "speaks for itself", True
        considered.append(Considered(spec.id, entry.start, entry.end, str(spec.sets), why))
        if why is None and isinstance(spec.sets, Assertion):
            acting.append((spec.sets, spec.id))
    for mine in _rule_own(case, masked, own):
        considered.append(mine)
        acting.append((Assertion(mine.sets), mine.id))
    if not acting:
        return Judged(Assertion.CONFIRMED, None, tuple(considered), is_primary)
    rank = {assertion: number for number, assertion in enumerate(pack.assertions.precedence)}
    value, winner = min(acting, key=lambda pair: rank[pair[0]])
    return Judged(value, winner, tuple(considered), is_primary)


def _rule_own(case: Case, masked: Masked, own: OwnModifiers) -> list[Considered]:
    if not own.sets or (own.unless is not None and own.unless.hits(masked.text)):
        return []
    low, high = case.masked_trigger
    found: list[Considered] = []
    for assertion, name, pattern in own.sets:
        for match in pattern.finditer(masked.text):
            if match.start() <= high and low <= match.end():
                start, end = masked.span(*match.span())
                found.append(Considered(f"rule.{name}", start, end, str(assertion)))
                break
    return found


def _why_not(
    entry: Found, case: Case, masked: Masked, *, pack: Pack, own: OwnModifiers, item: date
) -> str | None:
    spec = entry.modifier.spec
    if entry.hidden_by:
        return f"hidden by {entry.hidden_by}"
    if spec.vendors == "not_focus" and case.is_focus:
        return "not for the focus"
    ignores = own.ignore_when is None or own.ignore_when in case.captured
    if ignores and any(fnmatchcase(spec.id, glob) for glob in own.ignore_ids):
        return "ignored by the rule"
    if spec.when is not None and not _is_old(entry, spec.when, case, masked, pack=pack, item=item):
        return "not that old"
    is_detached = spec.attached and _is_detached(entry, case, masked, pack=pack)
    return "belongs to another verb" if is_detached else _out_of_reach(entry, case, masked, pack=pack)


def _is_old(entry: Found, when: When, case: Case, masked: Masked, *, pack: Pack, item: date) -> bool:
    words = masked.original[entry.start : entry.end]
    if when.older_than_item_years is not None:
        return _months_back(words, item, pack=pack) > 12 * when.older_than_item_years
    if when.older_than_item_months is not None:
        told = tense(masked.original, (entry.start, entry.end), event=case.trigger, pack=pack)
        return _months_back(words, item, pack=pack, told=told) >= when.older_than_item_months
    return True


def _months_back(words: str, item: date, *, pack: Pack, told: Tense = Tense.UNTOLD) -> int:
    """Return how long ago a year or month was: of a bare year its last month counts.

    A bare month lies back only where the wording says so.
    """
    read, year = read_date(words, item, pack=pack), _YEAR.search(words)
    if year is not None and read is not None and read.month is not None:
        return (item.year - read.year) * 12 + item.month - read.month
    if year is not None:
        return max(0, item.year - int(year.group())) * 12
    bare = read_month(words, item, pack=pack, told=told) if told is Tense.PAST else None
    return 0 if bare is None or bare.month is None else (item.month - bare.month) % 12


def _out_of_reach(entry: Found, case: Case, masked: Masked, *, pack: Pack) -> str | None:
    spec = entry.modifier.spec
    start, end = case.trigger
    if entry.start < end and start < entry.end:
        # a modifier that reaches from outside into the trigger is no part of it
        within = start <= entry.start and entry.end <= end
        return None if spec.inside or not within else "inside the trigger"
    if entry.end <= start:
        if spec.direction == "backward":
            return "backward only"
        return _blocked_between(masked, entry.end, start, max_scope=spec.max_scope, pack=pack)
    if spec.direction == "forward":
        return "forward only"
    return _blocked_between(masked, end, entry.start, max_scope=spec.max_scope, pack=pack)


def _is_detached(entry: Found, case: Case, masked: Masked, *, pack: Pack) -> bool:
    """Whether a time is that of another clause; one that opens the sentence is that of its main verb."""
    start, end = case.trigger
    if entry.start >= end:
        return pack.words["detaches"].hits(masked.original[end : entry.start])
    is_opening = masked.original.count(" ", 0, entry.start) < OPENING_WORDS
    return not is_opening and "," in masked.original[entry.end : start]


def _blocked_between(masked: Masked, start: int, end: int, *, max_scope: int, pack: Pack) -> str | None:
    between = masked.light[masked.light_at(start) : masked.light_at(end)]
    if pack.assertions.terminate.hits(between):
        return "cut by a terminator"
    length = (
        len(between.strip()) if pack.grammar.unit == "characters" else sum(1 for _ in _WORD.finditer(between))
    )
    return None if length <= max_scope else "out of scope"


def _speaks_for_itself(entry: Found, case: Case, masked: Masked, pack: Pack) -> bool:
    """Whether the attribution names the vendor or the person of the event itself ("according to OpenAI")."""
    return any(
        pack.words["own_words"].hits(f"{masked.original[entry.start : masked.tokens[number].start]}«S»")
        for number in case.speakers
        if masked.tokens[number].start >= entry.end
    )


NO_OWN = OwnModifiers()
