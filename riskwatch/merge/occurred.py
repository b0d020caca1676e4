"""When it happened: the majority of independent voices, never the publication date when a date is claimed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from riskwatch.model import DateClaim

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskwatch.merge.event import Told
    from riskwatch.merge.weights import Weights

DAY_SECONDS = 86_400.0
LINK_DAYS = 2  # claimed dates so far apart still speak of one date
SUPPORT_DAYS = 10  # a text without a date tells of what happened in the days before it
CONFLICT_DAYS = 14
RETROSPECTIVE_DAYS = 30
FUTURE_DAYS = 1  # time zones; beyond that a claimed date is an announced effect, not when it happened
_DISCLOSING = (
    "revealed",
    "reveals",
    "disclosed",
    "court papers show",
    "court filings show",
    "documents show",
)


@dataclass(frozen=True, slots=True)
class Occurred:
    """The date in force, how precise it is, and the claims that differ."""

    at: datetime
    precision: str  # instant, day, published
    conflicts: tuple[DateClaim, ...] = ()
    is_retrospective: bool = False


@dataclass(frozen=True, slots=True)
class _Vote:
    """One family's date, or its day of telling where it claims none."""

    told: Told
    weight: float  # credibility, share 0 to 1
    is_primary: bool


def occurred(told: Sequence[Told], weights: Weights) -> Occurred:
    """Decide when an event happened from its live (else denying) Signals; at least one is needed."""
    own = [one for one in told if not one.is_copy] or list(told)
    first = min(one.at for one in own)
    votes = _votes(own, weights)
    dated = [vote for vote in votes if _is_dated(vote.told)]
    if not dated:
        return Occurred(_instant(first), "published")
    primary = [vote for vote in dated if vote.is_primary]
    group = _heaviest(primary or dated, () if primary else votes, first)
    low, high = group[0].told.happened, group[-1].told.happened
    at = _instant(low)
    is_retrospective = first - low > RETROSPECTIVE_DAYS * DAY_SECONDS and not _is_first_disclosed(own)
    precision = "day" if low % DAY_SECONDS == 0 else "instant"
    return Occurred(at, precision, _conflicts(own, low, high), is_retrospective)


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _is_dated(told: Told) -> bool:
    return told.signal.claimed_at is not None and told.happened <= told.at + FUTURE_DAYS * DAY_SECONDS


def _is_primary(told: Told) -> bool:
    return told.signal.primary or told.tier == "primary"


def _votes(told: Sequence[Told], weights: Weights) -> list[_Vote]:
    """Return one vote a family: its most confident dated claim, weighing its best claim."""
    by_family: dict[str, list[Told]] = {}
    for one in told:
        by_family.setdefault(one.family, []).append(one)
    votes: list[_Vote] = []
    for family in sorted(by_family):
        claims = by_family[family]
        weight = max(weights.of(one.tier, one.signal.assertion) for one in claims)
        best = min(
            claims,
            key=lambda one: (
                not _is_dated(one),
                not _is_primary(one),
                -one.signal.confidence,
                one.at,
                one.signal.id,
            ),
        )
        votes.append(_Vote(best, weight, _is_primary(best)))
    return votes


def _heaviest(dated: Sequence[_Vote], votes: Sequence[_Vote], first: float) -> list[_Vote]:
    groups = _groups(dated)
    undated = [vote for vote in votes if not _is_dated(vote.told)]

    def rank(group: list[_Vote]) -> tuple[float, int, float, float]:
        supporters = [*group, *(vote for vote in undated if _supports(vote, group))]
        latest = group[-1].told.happened
        distance = first - latest if latest <= first else DAY_SECONDS * 365_000 + latest - first
        return (
            -round(sum(v.weight for v in supporters), 9),
            -len(supporters),
            distance,
            group[0].told.happened,
        )

    return min(groups, key=rank)


def _groups(dated: Sequence[_Vote]) -> list[list[_Vote]]:
    groups: list[list[_Vote]] = []
    for vote in sorted(dated, key=lambda vote: (vote.told.happened, vote.told.signal.id)):
        if groups and vote.told.happened - groups[-1][-1].told.happened <= LINK_DAYS * DAY_SECONDS:
            groups[-1].append(vote)
        else:
            groups.append([vote])
    return groups


def _supports(vote: _Vote, group: Sequence[_Vote]) -> bool:
    # Claimed days start at midnight UTC: the day of telling itself is 0 days before.
    return any(0 <= vote.told.at - one.told.happened < (SUPPORT_DAYS + 1) * DAY_SECONDS for one in group)


def _conflicts(told: Sequence[Told], low: float, high: float) -> tuple[DateClaim, ...]:
    found: dict[tuple[str, float], DateClaim] = {}
    for one in told:
        apart = max(low - one.happened, one.happened - high, 0.0)
        claimed_at = one.signal.claimed_at
        if claimed_at is not None and _is_dated(one) and apart > CONFLICT_DAYS * DAY_SECONDS:
            quote = one.signal.claimed_text or one.signal.evidence.quote
            claim = DateClaim(one.signal.article_id, one.family, claimed_at, quote, int(apart // DAY_SECONDS))
            found.setdefault((claim.article_id, one.happened), claim)
    return tuple(found[key] for key in sorted(found))


def _is_first_disclosed(told: Sequence[Told]) -> bool:
    if any(one.signal.attributes.get("first_disclosed") is True for one in told):
        return True
    quotes = (one.signal.evidence.quote.lower() for one in told)
    return any(words in quote for quote in quotes for words in _DISCLOSING)
