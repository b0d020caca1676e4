"""What one Event takes: magnitude, credibility, decay and open states."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from riskwatch.model import LIVE, Assertion, Claim, Event, Verdict
from riskwatch.score.methodology import CredibilityRule, Methodology, TypeRule

DAY_SECONDS = 86_400.0


def days(at: datetime) -> float:
    """Return an instant as days since 1970-01-01 UTC."""
    return at.timestamp() / DAY_SECONDS


def log_loss(x: float, *, relief: float) -> float:
    """Return the log-loss of a loss x (0 to below 1) of which a share is relieved."""
    return -math.log1p(-x) * (1.0 - relief)


def severity(
    event: Event, methodology: Methodology, *, verdict: Verdict | None = None
) -> tuple[float, float]:
    """Return (severity x magnitude, at most x_max; magnitude); a set_magnitude Verdict wins."""
    rule = methodology.types[event.type]
    magnitude = None if verdict is None else _set_magnitude(verdict)
    if magnitude is None:
        magnitude = methodology.magnitudes[rule.magnitude].of(event.attributes)
    return min(rule.severity * magnitude, methodology.score.x_max), magnitude


def best_live(claims: Iterable[Claim]) -> Assertion | None:
    """Return the strongest live assertion, or none."""
    best = max((_RANK.get(claim.assertion, -1) for claim in claims), default=-1)
    return LIVE[best] if best >= 0 else None


def credibility(claims: Iterable[Claim], rule: CredibilityRule) -> float:
    """Return how far an event with these claims is believed, share 0 to 1; 0 without live or denying ones."""
    claims = tuple(claims)
    best = best_live(claims)
    denial = max((_weight(c.tier, rule) for c in claims if c.assertion is Assertion.DENIED), default=0.0)
    if best is None:
        if denial == 0.0:
            return 0.0
        stand_in = rule.denied_only
        base = rule.tiers[stand_in.tier] * rule.status_weight[stand_in.status]
        return base * (1.0 - rule.denial_strength * denial)
    joint = min(_joint(claims, rule), rule.status_cap[best.value])  # type: ignore[index] # a live assertion is a key
    if best is Assertion.CONFIRMED:
        return joint
    return joint * (1.0 - rule.denial_strength * denial)


_RANK = {assertion: rank for rank, assertion in enumerate(LIVE)}


def _joint(claims: tuple[Claim, ...], rule: CredibilityRule) -> float:
    votes: dict[str, float] = {}
    trusted: set[str] = set()  # families with a claim above the lowest tier: they count outside its cap
    for claim in claims:
        if claim.assertion in _RANK:
            vote = _weight(claim.tier, rule) * rule.status_weight[claim.assertion.value]  # type: ignore[index] # live
            votes[claim.family] = max(votes.get(claim.family, 0.0), vote)
            if claim.tier in rule.tiers and claim.tier != rule.default_tier:
                trusted.add(claim.family)
    lowest = math.prod(sorted(1.0 - vote for family, vote in votes.items() if family not in trusted))
    others = math.prod(sorted(1.0 - vote for family, vote in votes.items() if family in trusted))
    return 1.0 - (1.0 - min(1.0 - lowest, rule.tier4_joint_cap)) * others


def _weight(tier: str, rule: CredibilityRule) -> float:
    return rule.tiers[tier if tier in rule.tiers else rule.default_tier]


class Span(NamedTuple):
    """How an event fades: all instants in days, floor 0 when it has no open state."""

    occurred: float
    plateau: float
    half_life: float
    floor: float
    closed: float | None = None  # None while open

    def decay(self, at: float) -> float:
        """Return the share from 1 toward 0 that still counts at an instant in days; 0 before it happened."""
        age = at - self.occurred
        if age < 0:
            return 0.0
        faded = 1.0 if age <= self.plateau else math.pow(2.0, -(age - self.plateau) / self.half_life)
        if self.floor == 0.0:
            return faded
        if self.closed is None or at <= self.closed:
            return max(faded, self.floor)
        return max(faded, self.floor * math.pow(2.0, -(at - self.closed) / self.half_life))

    def is_open(self, at: float) -> bool:
        """Return whether its state lasts at an instant in days."""
        return self.floor > 0.0 and self.occurred <= at and (self.closed is None or at < self.closed)


def has_open_state(event: Event, rule: TypeRule, methodology: Methodology) -> bool:
    """Return whether the event leaves a state that lasts until it is closed."""
    if rule.open_if == "vacancy":
        return event.attributes.get("role") in methodology.open_states.vacancy_roles
    return rule.open_if == "always"


def assumed_closed_at(event: Event, methodology: Methodology) -> float:
    """Return the day on which the state counts as closed because nobody has claimed it for so long."""
    told = [claim.told_at or claim.recorded_at for claim in event.claims if claim.assertion.is_live]
    last = max((at for at in told if at is not None), default=event.occurred_at)
    return max(days(last), days(event.occurred_at)) + methodology.open_states.assumed_closed_after_days


def closed_by_verdict(verdict: Verdict) -> datetime | None:
    """Return the instant that a close Verdict names, else that of the Verdict."""
    named = verdict.values.get("closed_at")
    if not isinstance(named, str):
        return verdict.recorded_at
    try:
        at = datetime.fromisoformat(named)
    except ValueError:
        return verdict.recorded_at
    return at if at.tzinfo is not None else verdict.recorded_at


def _set_magnitude(verdict: Verdict) -> float | None:
    values: Mapping[str, object] = verdict.values
    value = values.get("magnitude", values.get("mag"))
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return float(value)
