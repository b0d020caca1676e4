"""Which mitigations act on which harm, and how much of it they take away."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from riskwatch.model import Assertion, Event
from riskwatch.score.methodology import AttributeMitigation, Methodology, MitigationRules, Strengths

# names that are compared across types: the party of a suit is the counterparty of its settlement
_DIMENSIONS = {
    "party": ("plaintiff", "counterparty", "authority", "partner", "affected", "customer"),
    "country": ("country", "region"),
    "product": ("product",),
    "role": ("role",),
}


@dataclass(frozen=True, slots=True)
class Harm:
    """An adverse Event as a target of mitigations; instants in days."""

    event: Event
    occurred: float
    has_open_state: bool
    closed: float | None
    credibility: float
    assertion: Assertion | None  # the best live one; None = denied only
    objects: Mapping[str, frozenset[str]]
    name: str | None  # of its object, in lower case
    weight: tuple[float, float]  # severity x magnitude, at most x_max; magnitude

    @property
    def is_confirmed(self) -> bool:
        """Whether its best claim is confirmed."""
        return self.assertion is Assertion.CONFIRMED


@dataclass(frozen=True, slots=True)
class Remedy:
    """A mitigating Event with its weight; instant in days."""

    event: Event
    occurred: float
    credibility: float
    is_confirmed: bool
    objects: Mapping[str, frozenset[str]]
    name: str | None  # of its object, in lower case


@dataclass(frozen=True, slots=True)
class Link:
    """One mitigation that acts on one harm from an instant in days on."""

    event_id: str
    since: float
    strength: float  # g x C, at most single_max
    is_resolution: bool
    is_confirmed: bool


def relief(links: Iterable[Link], at: float, rule: MitigationRules, *, confirmed_only: bool = False) -> float:
    """Return the share of a harm that is taken away at an instant in days, 0 to the cap."""
    acting = [link for link in links if link.since <= at and (link.is_confirmed or not confirmed_only)]
    if not acting:
        return 0.0
    cap = rule.cap_resolution if any(link.is_resolution for link in acting) else rule.cap
    return min(1.0 - math.prod(sorted(1.0 - link.strength for link in acting)), cap)


def links(
    harms: Iterable[Harm], remedies: Iterable[Remedy], methodology: Methodology
) -> Mapping[str, tuple[Link, ...]]:
    """Return event id of the harm -> the mitigations that act on it, by their ids."""
    index = _Index(harms)
    found: dict[str, list[Link]] = {}
    for remedy in sorted(remedies, key=lambda remedy: remedy.event.id):
        for harm in _targets(remedy, index, methodology.mitigations):
            link = _link(harm, remedy, methodology.mitigations)
            if link.strength > 0:
                found.setdefault(harm.event.id, []).append(link)
    return {id_: tuple(of) for id_, of in found.items()}


OwnRules = Mapping[str, Sequence[tuple[str, AttributeMitigation]]]


def own_rules(methodology: Methodology) -> OwnRules:
    """Return event type -> the attributes that relieve a harm of it, by name."""
    rules: dict[str, list[tuple[str, AttributeMitigation]]] = {}
    for name, rule in methodology.mitigations.attributes.items():
        rules.setdefault(rule.acts_on, []).append((name, rule))
    return rules


def own_link(
    harm: Harm, rules: OwnRules, limits: MitigationRules, *, since: Callable[[Harm], float]
) -> Link | None:
    """Return the relief that an attribute of the harm itself states (service restored), or none.

    Its strength is not multiplied by a credibility: what the event loses is weighed already by how far it is
    believed, and weighing the attribute once more would let better evidence of a harm raise the score.
    """
    for name, rule in rules.get(harm.event.type, ()):
        if harm.event.attributes.get(rule.attr) is True:
            strength = min(rule.g, limits.single_max)
            is_resolution = rule.g >= limits.resolution_g
            return Link(f"{harm.event.id}#{name}", since(harm), strength, is_resolution, harm.is_confirmed)
    return None


def objects(event: Event) -> Mapping[str, frozenset[str]]:
    """Return what an event is about, by dimension (party, country, product, role), in lower case."""
    found: dict[str, frozenset[str]] = {}
    for dimension, names in _DIMENSIONS.items():
        values = (event.attributes.get(name) for name in names)
        words = frozenset(value.casefold() for value in values if isinstance(value, str) and value)
        if words:
            found[dimension] = words
    return found


class _Index:
    """Harms by what a mitigation may know of them: id, story, or home and type."""

    def __init__(self, harms: Iterable[Harm]) -> None:
        self._by_id: dict[str, Harm] = {}
        self._by_story: dict[str, list[Harm]] = {}
        self._by_home: dict[tuple[str, str], list[Harm]] = {}
        for harm in harms:
            event = harm.event
            self._by_id[event.id] = harm
            self._by_home.setdefault((event.home, event.type), []).append(harm)
            if event.story_id is not None:
                self._by_story.setdefault(event.story_id, []).append(harm)

    def named(self, remedy: Remedy, kinds: Collection[str]) -> Mapping[str, Harm]:
        """Return event id -> harm of these types that shares the story or is closed by name."""
        event = remedy.event
        told = self._by_story.get(event.story_id, ()) if event.story_id is not None else ()
        closed = (self._by_id[id_] for id_ in event.closes if id_ in self._by_id)
        return {harm.event.id: harm for harm in (*told, *closed) if harm.event.type in kinds}

    def of_home(self, remedy: Remedy, kinds: Iterable[str]) -> Iterable[Harm]:
        """Return the harms of these types that happened to the same subject."""
        return (harm for kind in kinds for harm in self._by_home.get((remedy.event.home, kind), ()))


def _targets(remedy: Remedy, index: _Index, rule: MitigationRules) -> Iterable[Harm]:
    kinds = rule.types[remedy.event.type].relieves
    named = index.named(remedy, kinds)
    yield from named.values()
    eligible = [harm for harm in index.of_home(remedy, kinds) if _is_in_reach(harm, remedy, rule)]
    unsaid: list[Harm] = []
    for harm in eligible:
        if harm.event.id not in named:
            agrees = _agree(harm, remedy)
            if agrees:
                yield harm
            elif agrees is None:
                unsaid.append(harm)
    if unsaid:
        candidates = [harm for harm in eligible if not _is_past(harm, remedy, rule)]
        yield from (harm for harm in unsaid if all(other is harm for other in candidates))


def _is_in_reach(harm: Harm, remedy: Remedy, rule: MitigationRules) -> bool:
    # A state that ended before stays in reach: else a closing could take relief away and lower the score.
    age = remedy.occurred - harm.occurred
    return age >= 0 and (harm.has_open_state or age <= rule.link_days)


def _is_past(harm: Harm, remedy: Remedy, rule: MitigationRules) -> bool:
    is_closed = harm.closed is not None and harm.closed < remedy.occurred
    return remedy.occurred - harm.occurred > rule.link_days and (is_closed or not harm.has_open_state)


def _agree(harm: Harm, remedy: Remedy) -> bool | None:
    """Tell whether the two speak of the same object; None where either does not say."""
    shared = harm.objects.keys() & remedy.objects.keys()
    if shared:
        return not any(harm.objects[name].isdisjoint(remedy.objects[name]) for name in shared)
    if harm.name is None or remedy.name is None or "person" in harm.event.attributes:
        return None  # who goes and who comes are never the same object
    return harm.name == remedy.name


def _link(harm: Harm, remedy: Remedy, rule: MitigationRules) -> Link:
    g = _strength(harm, remedy, rule)
    strength = min(g * remedy.credibility, rule.single_max)
    return Link(remedy.event.id, remedy.occurred, strength, g >= rule.resolution_g, remedy.is_confirmed)


def _strength(harm: Harm, remedy: Remedy, rule: MitigationRules) -> float:
    g: Strengths = rule.types[remedy.event.type].g
    attributes = remedy.event.attributes
    person = attributes.get("person")
    if person is not None and person == harm.event.attributes.get("person"):
        return rule.resolution_g  # the person who left is back
    if attributes.get("partial") is True and g.partial is not None:
        return g.partial
    if attributes.get("interim") is True and g.interim is not None:
        return g.interim
    is_same_day = int(remedy.occurred) == int(harm.occurred)
    if attributes.get("internal") is True and is_same_day and g.internal_same_day is not None:
        return g.internal_same_day
    return g.default
