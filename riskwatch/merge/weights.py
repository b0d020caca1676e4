"""How much a voice weighs when outlets disagree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from riskwatch.model import Assertion

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Weights:
    """Credibility of a voice by tier and assertion, shares 0 to 1; families that count for nothing."""

    tiers: Mapping[str, float]
    assertions: Mapping[str, float]  # of a live claim
    silent_families: frozenset[str] = frozenset()  # satire, outlets found wrong: they open nothing

    def of_tier(self, tier: str) -> float:
        """Return the weight of a tier; an unknown one weighs as the lowest."""
        weight = self.tiers.get(tier)
        return min(self.tiers.values(), default=0.0) if weight is None else weight

    def of(self, tier: str, assertion: Assertion) -> float:
        """Return the weight of one claim; a denial weighs as its tier."""
        share = 1.0 if assertion is Assertion.DENIED else self.assertions.get(assertion, 0.0)
        return self.of_tier(tier) * share
