"""Find what a masked sentence says: frames, named filters, built-in filters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from riskwatch.detect.compiled import CompiledRule, Frame
from riskwatch.detect.mask import Masked, capitalised, is_headline
from riskwatch.detect.packs import Pack
from riskwatch.detect.patterns import compile_pattern
from riskwatch.detect.regex import Match

SLACK = 2  # characters between a filter's match and the trigger
MAX_MATCHES = 20  # of one frame in one sentence
_PERSON_OR_ROLE = compile_pattern(r"«[PR][0-9]+»", case_sensitive=True)
_NUMBER = compile_pattern(r"\p{N}")
_COMPANY_BEFORE = compile_pattern(r"«O[0-9]+»[^\s«»]{0,2} ?$", case_sensitive=True)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A frame's match; spans in the masked sentence."""

    rule: CompiledRule
    frame: str
    trigger: tuple[int, int]
    groups: Mapping[str, tuple[int, int]]  # without t; only those that took part
    blocked_by: str | None = None


@dataclass(frozen=True, slots=True)
class _Match:
    """Spans of one match, in characters of the masked sentence."""

    trigger: tuple[int, int]
    groups: Mapping[str, tuple[int, int]]


def candidates(rule: CompiledRule, masked: Masked, *, frames: Iterable[int]) -> tuple[Candidate, ...]:
    """Return what these frames of the rule find, by place; the first one that matches a trigger wins it."""
    found: list[Candidate] = []
    for frame in (rule.frames[number] for number in frames):
        for match in _matches(frame, masked):
            is_free = not any(_overlap(match.trigger, other.trigger) for other in found)
            if is_free and _means_it(masked, match.groups):
                found.append(Candidate(rule, frame.name, match.trigger, match.groups))
    return tuple(sorted(found, key=lambda candidate: candidate.trigger))


def blocked(candidate: Candidate, masked: Masked, *, pack: Pack, filters: Iterable[int]) -> Candidate:
    """Return the candidate with the filter that cancels it, if one of these or of the built-in ones does."""
    blocker = _blocker(candidate, masked, pack=pack, filters=filters)
    return candidate if blocker is None else replace(candidate, blocked_by=blocker)


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _matches(frame: Frame, masked: Masked) -> Iterable[_Match]:
    """Yield the frame's matches; frames run on bytes, which RE2 takes as they are."""
    at, raw, in_chars = 0, masked.raw, masked.in_chars
    for _ in range(MAX_MATCHES):
        match = frame.pattern.search(raw, at)
        if match is None:
            return
        match = _nearest(frame, raw, match)
        trigger = match.span(frame.groups["t"])
        yield _Match(
            in_chars(trigger),
            {
                name: in_chars(match.span(number))
                for name, number in frame.groups.items()
                if name != "t" and match.took_part(number)
            },
        )
        at = trigger[1] if trigger[1] > at else at + 1


def _nearest(frame: Frame, raw: bytes, match: Match) -> Match:
    """Prefer the person nearest to the trigger: the leftmost match may begin with somebody else."""
    who = frame.groups.get("who")
    if who is None:
        return match
    trigger = match.span(frame.groups["t"])
    for _ in range(MAX_MATCHES):
        end = match.span(who)[1]
        if end > trigger[0]:
            return match
        nearer = frame.pattern.search(raw, end)
        if nearer is None or nearer.span(frame.groups["t"]) != trigger or nearer.span(who)[0] >= trigger[1]:
            return match
        match = nearer
    return match


def _blocker(candidate: Candidate, masked: Masked, *, pack: Pack, filters: Iterable[int]) -> str | None:
    rule, trigger, groups = candidate.rule, candidate.trigger, candidate.groups
    for name, pattern in (rule.filters[number] for number in filters):
        for match in pattern.finditer(masked.raw):
            span = masked.in_chars(match.span())
            if span[0] - SLACK < trigger[1] and trigger[0] < span[1] + SLACK:
                return name
            if "n" in groups and _overlap(span, groups["n"]):
                return name  # the owned noun is no such noun: "shares insights"
    if "n" in groups and _has_unwatched_owner(masked, groups["n"][0], pack):
        return "unwatched_owner"
    if rule.needs_person and "who" in groups:
        low, high = groups["who"]
        if not _PERSON_OR_ROLE.hits(masked.text[low:high]):
            return "not_a_person"
    return None


def _means_it(masked: Masked, groups: Mapping[str, tuple[int, int]]) -> bool:
    """Whether names are what the frame asks for: of a product or line, with a number, kin of the vendor."""
    if "product" in groups:
        names = [masked.tokens[number] for number in masked.inside(*groups["product"], "V")]
        if not any(name.is_product or name.line is not None for name in names):
            return False
    if "v" in groups:
        owners = _owners(masked, groups["v"])
        if "kin" in groups and not owners & _owners(masked, groups["kin"]):
            return False
        if "party" in groups and owners == _owners(masked, groups["party"]):
            return False  # nobody parts from a product of its own
    return "edition" not in groups or _NUMBER.hits(masked.words(*groups["edition"]))


def _owners(masked: Masked, span: tuple[int, int]) -> set[str | None]:
    return {masked.tokens[number].vendor for number in masked.inside(*span, "V")}


def _has_unwatched_owner(masked: Masked, at: int, pack: Pack) -> bool:
    """Whether a company that is not watched, or an unknown name, stands right before the owned noun."""
    before = masked.text[:at]
    if _COMPANY_BEFORE.hits(before):
        return True
    if is_headline(masked.text):
        return False
    plain = before.rstrip()
    owner = pack.words["possessive_end"].search(plain)
    if owner:
        plain = plain[: owner.start()]
    window = plain[-60:]
    offset = len(plain) - len(window)
    return any(offset + high == len(plain) and offset + low > 0 for low, high, _ in capitalised(window, pack))
