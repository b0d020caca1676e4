"""What a cluster of Signals says in the end: attributes, conflicts, assertion, home, history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from riskwatch.merge.keys import COMPANY_ROLES, COMPANY_TYPES, OBJECTS, WHOLE_TYPES, is_same_name, words_of
from riskwatch.merge.occurred import occurred
from riskwatch.model import LIVE, Assertion, Claim, Conflict, Event, EventState, HistoryStep, unit_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from riskwatch.merge.event import Cluster, Told
    from riskwatch.merge.weights import Weights
    from riskwatch.model import Attributes, AttrValue

_STRENGTH = {assertion: rank for rank, assertion in enumerate(LIVE)}
_NAMES = frozenset(name for names in OBJECTS.values() for name in names) | {
    "destination",
    "from",
    "replacement",
}
_DATES = frozenset({"effective_on", "until", "data_export_until"})
_WORDINGS = frozenset({"approx", "horizon", "role_text", "count_exact"})  # no two outlets word them alike


def resolve(cluster: Cluster, *, vendor: str, weights: Weights) -> Event:
    """Return the Event of a cluster, still without id, story and links."""
    speaking = cluster.live or cluster.denials
    voices = _by_credit(speaking, weights)
    date = occurred(speaking, weights)
    attributes, conflicts = _attributes(voices, rejected={conflict.article_id for conflict in date.conflicts})
    assertion, disputed, conflict = _stand(cluster, weights)
    type_ = speaking[0].signal.type
    closed_at = _resolved_at(cluster.live, date.at)
    if closed_at is not None:
        attributes = {**attributes, "resolved": True}
        conflicts = tuple(c for c in conflicts if c.attribute != "resolved")
    told = sorted((*cluster.live, *cluster.denials), key=_claim_order)
    return Event(
        id="",
        type=type_,
        vendor=vendor,
        home=_home(cluster, vendor=vendor, role=attributes.get("role"), weights=weights),
        object=_object(type_, attributes),
        assertion=assertion,
        state=EventState.LIVE if cluster.live else EventState.DENIED,
        attributes=attributes,
        occurred_at=date.at,
        date_precision=date.precision,
        claims=tuple(_claim(one) for one in told),
        date_conflicts=date.conflicts,
        conflicts=(*conflicts, *conflict),
        corroboration=len({one.family for one in cluster.live}),
        disputed=disputed,
        retrospective=date.is_retrospective,
        first_told_at=speaking[0].signal.told_at,  # Signals come in order of telling
        last_live_at=cluster.live[-1].signal.told_at if cluster.live else None,
        first_recorded_at=min(one.known_at for one in told),
        closed_at=closed_at,
        history=_history(told),
    )


def _claim_order(told: Told) -> tuple[float, str, str]:
    return (told.at, told.signal.article_id, told.signal.id)


def _claim(told: Told) -> Claim:
    signal = told.signal
    return Claim(
        signal_id=signal.id,
        article_id=signal.article_id,
        family=told.family,
        publisher=signal.publisher,
        tier=told.tier,
        assertion=signal.assertion,
        primary=signal.primary,
        claimed_at=signal.claimed_at,
        told_at=signal.told_at,
        recorded_at=signal.recorded_at,
        quote=signal.evidence.quote,
        rule=signal.rule,
    )


def _by_credit(told: Sequence[Told], weights: Weights) -> list[list[Told]]:
    """Return each family's Signals, the most confident first; families by their best credibility."""
    by_family: dict[str, list[Told]] = {}
    for one in told:
        by_family.setdefault(one.family, []).append(one)
    ranked: list[tuple[float, float, str, list[Told]]] = []
    for family, claims in by_family.items():
        claims.sort(key=lambda one: (one.is_copy, -one.signal.confidence, one.at, one.signal.id))
        weight = max(weights.of(one.tier, one.signal.assertion) for one in claims)
        ranked.append((-weight, claims[0].at, family, claims))
    return [claims for *_, claims in sorted(ranked, key=lambda row: row[:3])]


def _attributes(
    voices: Sequence[Sequence[Told]], *, rejected: AbstractSet[str]
) -> tuple[dict[str, AttrValue], tuple[Conflict, ...]]:
    """Return the attributes in force and the disagreements; `voices` stand in order of credit.

    An article whose date was rejected has no say on the event's other dates either.
    """
    values: dict[str, list[tuple[AttrValue, str]]] = {}
    for claims in voices:
        for name, value in _said(claims, rejected).items():
            values.setdefault(name, []).append((value, claims[0].family))
    chosen = {name: _chosen(name, said) for name, said in sorted(values.items())}
    if "count" in chosen and "count_exact" in chosen:
        chosen["count_exact"] = _is_exact(voices, chosen["count"])
    found = (_conflict(name, chosen[name], said) for name, said in sorted(values.items()))
    return chosen, tuple(conflict for conflict in found if conflict is not None)


def _said(claims: Sequence[Told], rejected: AbstractSet[str]) -> Attributes:
    said: dict[str, AttrValue] = {}
    for one in claims:
        for name, value in one.signal.attributes.items():
            if name in _DATES and one.signal.article_id in rejected:
                continue
            if name == "count" and _is_number(value) and _is_number(said.get(name)):
                said[name] = max(said[name], value)
            elif value != "":
                said.setdefault(name, value)
    return said


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _chosen(name: str, said: Sequence[tuple[AttrValue, str]]) -> AttrValue:
    if name == "count":
        numbers = [value for value, _ in said if isinstance(value, int | float)]
        return max(numbers) if numbers else said[0][0]
    first = said[0][0]
    if name in _NAMES and isinstance(first, str):  # "Ortiz" is told in full by another family
        same = [v for v, _ in said if isinstance(v, str) and is_same_name(words_of(first), words_of(v))]
        return max(same, key=lambda v: len(words_of(v)), default=first)
    return first


def _is_exact(voices: Sequence[Sequence[Told]], count: AttrValue) -> bool:
    stated = (one.signal.attributes for claims in voices for one in claims)
    return any(said.get("count") == count and said.get("count_exact") is True for said in stated)


def _conflict(name: str, chosen: AttrValue, said: Sequence[tuple[AttrValue, str]]) -> Conflict | None:
    if name == "count" or name in _WORDINGS:
        return None
    others = tuple((value, family) for value, family in said if not _agree(name, chosen, value))
    return Conflict(name, chosen, others) if others else None


def _agree(name: str, left: AttrValue, right: AttrValue) -> bool:
    if left == right:
        return True
    if isinstance(left, str) and isinstance(right, str):
        if name in _NAMES:
            return is_same_name(words_of(left), words_of(right))
        return left.casefold() == right.casefold()
    return False


def _stand(cluster: Cluster, weights: Weights) -> tuple[Assertion, bool, tuple[Conflict, ...]]:
    """Return the assertion in force, whether it is disputed, and a contradiction of equal weight."""
    if not cluster.live:
        return Assertion.DENIED, False, ()
    best = max((one.signal.assertion for one in cluster.live), key=_STRENGTH.__getitem__)
    confirming = (one for one in cluster.live if one.signal.assertion is Assertion.CONFIRMED)
    if not cluster.denials or any(one.signal.primary for one in confirming):
        return best, False, ()
    if any(one.signal.primary for one in cluster.denials):
        return best, True, ()
    saying, denying = _weight(cluster.live, weights), _weight(cluster.denials, weights)
    if denying != saying:
        return best, denying > saying, ()
    capped = min(best, Assertion.REPORTED, key=_STRENGTH.__getitem__)
    others = tuple(("denied", family) for family in sorted({one.family for one in cluster.denials}))
    return capped, False, (Conflict("assertion", str(best), others),)


def _weight(told: Sequence[Told], weights: Weights) -> float:
    best: dict[str, float] = {}
    for one in told:
        best[one.family] = max(best.get(one.family, 0.0), weights.of(one.tier, one.signal.assertion))
    return round(sum(best.values()), 9)


def _object(type_: str, attributes: Mapping[str, AttrValue]) -> str | None:
    for name in (*OBJECTS.get(type_, ()), "role"):
        value = attributes.get(name)
        if value not in (None, "") and (name != "role" or "person" in OBJECTS.get(type_, ())):
            return str(value)
    return None


def _home(cluster: Cluster, *, vendor: str, role: AttrValue | None, weights: Weights) -> str:
    """Return the one Subject where the event lives: the line that weighs most; a tie goes to the vendor.

    A unit lessens the loss: it must weigh more than all else, or it is as if nobody had named it.
    """
    told = cluster.live or cluster.denials
    type_ = told[0].signal.type
    may_be_line = type_ not in COMPANY_TYPES and role not in COMPANY_ROLES
    best: dict[tuple[str, str], float] = {}
    for one in told:
        key = (one.signal.subject, one.family)
        best[key] = max(best.get(key, 0.0), weights.of(one.tier, one.signal.assertion))
    total: dict[str, float] = {}
    for (subject, _), weight in best.items():
        total[subject] = round(total.get(subject, 0.0) + weight, 9)
    units = {subject: total.pop(subject) for subject in list(total) if unit_of(subject)}
    if units and type_ not in WHOLE_TYPES and role not in COMPANY_ROLES:
        unit = max(sorted(units), key=lambda subject: units[subject])
        if units[unit] > round(sum(units.values()) - units[unit] + sum(total.values()), 9):
            return unit
    total.pop(vendor, None)
    top = [subject for subject, weight in total.items() if weight == max(total.values())]
    return top[0] if may_be_line and len(top) == 1 else vendor


def _resolved_at(live: Sequence[Told], occurred_at: datetime) -> datetime | None:
    """Return when the state ended, as the earliest Signal with `resolved` tells."""
    ends = [
        one.signal.claimed_at
        if one.signal.claimed_at is not None and one.signal.claimed_at > occurred_at
        else one.signal.told_at
        for one in live
        if one.signal.attributes.get("resolved") is True
    ]
    return min(ends, default=None)


@dataclass(slots=True)
class _Course:
    """Where the history stands while it is told."""

    strength: int = -1
    is_denied: bool = False


def _history(told: Sequence[Told]) -> tuple[HistoryStep, ...]:
    """Return the dated steps in the order in which we knew them."""
    steps: list[HistoryStep] = []
    course = _Course()
    for one in sorted(told, key=lambda one: (one.known_at, *_claim_order(one))):
        note = _step(course, one.signal.assertion)
        if note:
            steps.append(HistoryStep(one.known_at, one.signal.assertion, one.family, note))
    return tuple(steps)


def _step(course: _Course, assertion: Assertion) -> str:
    if assertion is Assertion.DENIED:
        note = "" if course.is_denied else "denied"
        course.is_denied = True
        return note
    strength = _STRENGTH[assertion]
    if strength <= course.strength:
        return ""
    note = "opened" if course.strength < 0 else "upgraded"
    course.strength = strength
    return note
