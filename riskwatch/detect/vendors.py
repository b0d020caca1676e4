"""Find the vendor of a candidate: routes in order, roles that never carry the event, the focus fence."""
# ruff: noqa: RUF001 - the marks of many scripts are what is read here

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from riskwatch.detect.focus import Focus
from riskwatch.detect.lists import is_owning, lists_of
from riskwatch.detect.mask import Masked, Token, capitalised, is_headline, length_in_words
from riskwatch.detect.match import Candidate
from riskwatch.detect.packs import Pack
from riskwatch.detect.resolve import is_employed
from riskwatch.detect.rules import Route

CONFIDENCE: Mapping[str, float] = {
    Route.SLOT: 1.0,
    Route.FROM_PREP: 0.95,
    Route.APPOSITION: 0.95,
    Route.EMPLOYER: 0.9,
    Route.SUBJECT: 0.85,
    Route.AFTER: 0.7,
    Route.FOCUS: 0.5,
    "structured": 1.0,
}
PREP_CHARS = 60  # from the trigger to the name after from, of, at
AFTER_CHARS = 80
APPOSITION_WORDS = 4
CUE_CHARS = 90  # looked at beside a name
SHARED_ROLES = frozenset({"destination", "comparison", "former", "counterparty"})  # along a list


@dataclass(frozen=True, slots=True)
class Attribution:
    """The vendor of a candidate and how it was found; number is the winning token, -1 for none."""

    vendor: str
    line: str | None
    route: str
    number: int = -1

    @property
    def confidence(self) -> float:
        """Share from 0 to 1."""
        return CONFIDENCE[self.route]


@dataclass(frozen=True, slots=True)
class Scene:
    """A masked sentence with what vendor finding needs of it."""

    masked: Masked
    pack: Pack
    focus: Focus
    item: date
    roles: Mapping[int, frozenset[str]]  # token number -> roles
    companies: tuple[int, ...]  # numbers of V and O tokens, in order
    vendors: tuple[int, ...]  # numbers of V tokens, in order
    cuts: tuple[tuple[int, int], ...]  # spans of the masked sentence that part clauses


def scene_of(masked: Masked, *, pack: Pack, focus: Focus, item: date) -> Scene:
    """Prepare a sentence."""
    companies = tuple(number for number, token in enumerate(masked.tokens) if token.kind in "VO")
    return Scene(
        masked=masked,
        pack=pack,
        focus=focus,
        item=item,
        roles=_roles(masked, companies, pack),
        companies=companies,
        vendors=tuple(number for number in companies if masked.tokens[number].kind == "V"),
        cuts=clause_cuts(masked.text, pack),
    )


def _roles(masked: Masked, companies: Sequence[int], pack: Pack) -> dict[int, frozenset[str]]:
    roles: dict[int, frozenset[str]] = {}
    for mates in lists_of(masked, companies, pack):
        shared = frozenset[str]()  # by those that follow in the list
        for number in mates:
            start, end = masked.starts[number], masked.ends[number]
            before, after = masked.text[max(0, start - CUE_CHARS) : start], masked.text[end : end + CUE_CHARS]
            found = _cued(before, after, pack)
            if masked.tokens[number].line is not None or masked.tokens[number].is_product:
                found.add("product")
            roles[number] = frozenset(found | shared)
            shared = roles[number] & SHARED_ROLES
    return roles


def _cued(before: str, after: str, pack: Pack) -> set[str]:
    """Return the roles that the words beside a name give it."""
    is_before, is_after = pack.any_cue.before.hits(before), pack.any_cue.after.hits(after)
    if not is_before and not is_after:
        return set()
    return {
        name
        for name, cues in pack.cues.items()
        if (is_before and cues.before.hits(before) and not cues.unless.hits(before))
        or (is_after and cues.after.hits(after))
    }


def attribute(candidate: Candidate, scene: Scene, *, person: Token | None) -> tuple[Attribution, ...]:
    """Return the vendor by the first route that applies, every vendor of a list in a slot, or none."""
    if _is_with_itself(candidate, scene):
        return ()
    taken = _taken(candidate, scene)
    for route in candidate.rule.spec.vendor.from_:
        if route == Route.SLOT and _slot_is_closed(candidate, scene):
            return ()
        found = _ROUTES[route](candidate, scene, taken, person)
        if found is not None:
            return (found, *_others(candidate, scene, taken, found))
    return ()


def _others(
    candidate: Candidate, scene: Scene, taken: frozenset[int], found: Attribution
) -> tuple[Attribution, ...]:
    """Return the further vendors of a list ("Nvidia, Oracle and AMD shares fall")."""
    if candidate.rule.needs_person or found.number < 0:
        return ()
    numbers = _slots(candidate, scene) if found.route == Route.SLOT else []
    others = {found.vendor: found}
    listed = next(
        mates for mates in lists_of(scene.masked, scene.companies, scene.pack) if found.number in mates
    )
    for number in (*numbers, *listed):
        made = _made(scene, number, found.route) if number not in taken else None
        if made is not None:
            others.setdefault(made.vendor, made)
    return tuple(list(others.values())[1:])


def _taken(candidate: Candidate, scene: Scene) -> frozenset[int]:
    """Return the tokens whose role may not carry the event."""
    never = frozenset(candidate.rule.spec.vendor.never)
    taken = {number for number in scene.companies if scene.roles[number] & never}
    for group in never & {"taker"}:
        if group in candidate.groups:
            taken |= _same_vendor(scene.masked.inside(*candidate.groups[group], "VO"), scene)
    if "dest" in candidate.groups and "destination" in never:
        taken |= set(scene.masked.inside(*candidate.groups["dest"], "VO"))
    return frozenset(taken)


def _same_vendor(numbers: Sequence[int], scene: Scene) -> set[int]:
    """Return the tokens and all others of their vendors: who buys its own brand has not been bought."""
    tokens = scene.masked.tokens
    vendors = {tokens[number].vendor for number in numbers} - {None}
    return {*numbers, *(number for number in scene.vendors if tokens[number].vendor in vendors)}


def _slots(candidate: Candidate, scene: Scene) -> list[int]:
    return [
        number
        for group in ("v", "from")
        if group in candidate.groups
        for number in scene.masked.inside(*candidate.groups[group], "VO")
    ]


def _is_with_itself(candidate: Candidate, scene: Scene) -> bool:
    """Whether both sides of a frame name one vendor: "Google's search runs on Gemini" is no deal."""
    sides = [
        {scene.masked.tokens[number].vendor for number in scene.masked.inside(*candidate.groups[group], "VO")}
        for group in ("v", "from")
        if group in candidate.groups
    ]
    return len(sides) > 1 and bool(sides[1]) and len(sides[0] | sides[1]) == 1


def _slot_is_closed(candidate: Candidate, scene: Scene) -> bool:
    """Whether the frame names a company that cannot carry the event: no other route is tried."""
    slots = _slots(candidate, scene)
    if not slots:
        return False
    first = scene.masked.tokens[slots[0]]
    is_barred = first.kind != "V" or slots[0] in _taken(candidate, scene)
    return is_barred or _is_of_another(candidate, scene, first)


def _is_of_another(candidate: Candidate, scene: Scene, token: Token) -> bool:
    """Whether the frame wants a thing of the company's own, and it is another's: "Meta drops Claude"."""
    things = scene.masked.inside(*candidate.groups["same"], "VO") if "same" in candidate.groups else ()
    return bool(things) and all(scene.masked.tokens[number].vendor != token.vendor for number in things)


def _made(scene: Scene, number: int, route: str, person: Token | None = None) -> Attribution | None:
    token = scene.masked.tokens[number]
    if token.vendor is None:
        return None
    return Attribution(token.vendor, token.line or _line(scene, number, person), route, number)


def _line(scene: Scene, number: int, person: Token | None) -> str | None:
    """Return the line that goes with a winning vendor name: "Alibaba's Qwen", or the person's own."""
    vendor = scene.masked.tokens[number].vendor
    position = scene.companies.index(number)
    following = scene.companies[position + 1 : position + 2]
    for other in following:
        token = scene.masked.tokens[other]
        between = scene.masked.text[scene.masked.ends[number] : scene.masked.starts[other]]
        if token.vendor == vendor and token.line and is_owning(between, scene.pack):
            return token.line
    posts = person.posts if person is not None else ()
    return next((known.line for employer, known in posts if employer == vendor and known.line), None)


def _slot(
    candidate: Candidate, scene: Scene, taken: frozenset[int], person: Token | None
) -> Attribution | None:
    for number in _slots(candidate, scene):
        if number not in taken:
            return _made(scene, number, Route.SLOT, person)
    return None


def clause_cuts(text: str, pack: Pack) -> tuple[tuple[int, int], ...]:
    """Return the spans that part clauses; a group marks the conjunction where a pattern looks further."""
    pattern = pack.words["clause_cut"]
    groups = tuple(pattern.groupindex.values())
    found: list[tuple[int, int]] = []
    for match in pattern.finditer(text):
        marked = [match.span(group) for group in groups if match.took_part(group)]
        found.append(marked[0] if marked else match.span())
    return tuple(found)


def _cut(scene: Scene, start: int, end: int) -> bool:
    return any(start <= low and high <= end for low, high in scene.cuts)


def _from_prep(
    candidate: Candidate, scene: Scene, taken: frozenset[int], person: Token | None
) -> Attribution | None:
    masked, stop = scene.masked, candidate.trigger[1]
    for number in scene.companies:
        start = masked.starts[number]
        if start < stop:
            continue
        between = masked.text[stop:start]
        if start - stop > PREP_CHARS or _cut(scene, stop, start):
            return None
        fits = scene.pack.words["from_prep"].hits(between) or scene.pack.words["direct"].hits(between)
        if fits and number not in taken:
            return _made(scene, number, Route.FROM_PREP, person)
        if masked.tokens[number].kind == "O":
            return None
    return None


def _apposition(
    candidate: Candidate, scene: Scene, taken: frozenset[int], person: Token | None
) -> Attribution | None:
    anchor = candidate.groups.get("who") or candidate.groups.get("n") or candidate.groups.get("owned")
    if anchor is None:
        return None
    number = _noted(scene, anchor, candidate.trigger)
    if number is None:
        number = _owner(scene, anchor[0])
    if number is None or number in taken or scene.masked.tokens[number].kind != "V":
        return None
    return _made(scene, number, Route.APPOSITION, person)


def _owner(scene: Scene, at: int) -> int | None:
    """Return the company right before the place, at most four words off and in the same clause."""
    masked = scene.masked
    before = [number for number in scene.companies if masked.ends[number] <= at]
    if not before:
        return None
    number = before[-1]
    between = masked.text[masked.ends[number] : at]
    near = length_in_words(between, scene.pack) <= APPOSITION_WORDS and "," not in between
    return number if near and not _cut(scene, masked.ends[number], at) else None


def _noted(scene: Scene, anchor: tuple[int, int], trigger: tuple[int, int]) -> int | None:
    """Return the company inside the person's apposition or right after the post: "CEO of OpenAI"."""
    masked = scene.masked
    inside = [number for number in scene.companies if anchor[0] <= masked.starts[number] < anchor[1]]
    if inside:
        return inside[0]
    for number in scene.companies:
        start = masked.starts[number]
        if start < anchor[1]:
            continue
        between = masked.text[anchor[1] : start]
        is_before_trigger = start < trigger[0] or trigger[1] <= anchor[0]
        words = scene.pack.words
        fits = words["post_prep"].hits(between) or words["from_prep"].hits(between)
        if is_before_trigger and len(between) <= PREP_CHARS and fits:
            return number if not _cut(scene, anchor[1], start) else None
        return None
    return None


def _employer(
    candidate: Candidate, scene: Scene, taken: frozenset[int], person: Token | None
) -> Attribution | None:
    if person is None or not person.posts:
        return None
    refused = {scene.masked.tokens[number].vendor for number in taken}
    anchor = candidate.groups.get("who")
    if anchor is not None:
        owner = _owner(scene, anchor[0])
        if owner is not None and scene.masked.tokens[owner].kind == "O":
            return None  # "Tesla CEO ...": the person acts for another company
    for vendor, known in person.posts:
        if vendor not in refused and is_employed(known, scene.item):
            return Attribution(vendor, known.line, Route.EMPLOYER)
    return None


def _subject(
    candidate: Candidate, scene: Scene, taken: frozenset[int], person: Token | None
) -> Attribution | None:
    masked, at = scene.masked, candidate.trigger[0]
    first = max((high for _, high in scene.cuts if high <= at), default=0)
    if "who" in candidate.groups:
        first = max(first, _own_clause(masked.text, candidate.groups["who"][0]))
    for number in reversed(scene.companies):
        if masked.ends[number] > at or masked.starts[number] < first or number in taken:
            continue
        if masked.tokens[number].kind == "O":
            if "," not in masked.text[masked.ends[number] : at]:
                return None  # the nearer company is the subject
            continue
        return _made(scene, number, Route.SUBJECT, person)
    return None


def _own_clause(text: str, at: int) -> int:
    """Return where the clause of a noun begins when the noun itself opens it after a comma."""
    comma = text.rfind(", ", 0, at)
    return comma + 2 if comma >= 0 and len(text[comma + 2 : at].split()) <= 1 else 0


def _after(
    candidate: Candidate, scene: Scene, taken: frozenset[int], person: Token | None
) -> Attribution | None:
    masked, stop = scene.masked, candidate.trigger[1]
    for number in scene.companies:
        start = masked.starts[number]
        if start < stop:
            continue
        if start - stop > AFTER_CHARS or _cut(scene, stop, start) or masked.tokens[number].kind == "O":
            return None
        if number not in taken:
            return _made(scene, number, Route.AFTER, person)
    return None


def _focus(
    candidate: Candidate, scene: Scene, taken: frozenset[int], person: Token | None
) -> Attribution | None:
    del person
    focus, masked = scene.focus, scene.masked
    is_first_person = focus.is_own_channel and "we" in candidate.groups
    others = taken or any(masked.tokens[n].vendor != focus.vendor for n in scene.companies)
    if focus.vendor is None or (others and not is_first_person):
        return None
    if focus.is_own_channel:
        return Attribution(focus.vendor, None, "structured")
    if not focus.is_salient or not _points_back(candidate, scene) or _has_unknown_name(scene):
        return None
    return Attribution(focus.vendor, None, Route.FOCUS)


def _points_back(candidate: Candidate, scene: Scene) -> bool:
    if scene.pack.words["anaphor"].hits(scene.masked.light):
        return True
    noun = candidate.groups.get("n")
    return noun is not None and not scene.masked.text[: noun[0]].strip()


def _has_unknown_name(scene: Scene) -> bool:
    if is_headline(scene.masked.text):
        return True
    text = scene.masked.text
    return any(low > 0 and text[:low].strip(" \"'“‘(") for low, _, _ in capitalised(text, scene.pack))


_ROUTES = {
    Route.SLOT: _slot,
    Route.FROM_PREP: _from_prep,
    Route.APPOSITION: _apposition,
    Route.EMPLOYER: _employer,
    Route.SUBJECT: _subject,
    Route.AFTER: _after,
    Route.FOCUS: _focus,
}
