"""How much a voice weighs when outlets disagree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from riskwatch.model import Assertion

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOWEST = "4"
_TIERS = {"primary": 0.95, "1": 0.85, "2": 0.70, "3": 0.45, _LOWEST: 0.20}
_ASSERTIONS = {"confirmed": 1.0, "reported": 0.70, "rumoured": 0.25}


@dataclass(frozen=True, slots=True)
class Weights:
    """Credibility of a voice by tier and assertion, shares 0 to 1, and the families that count for nothing.

    The defaults serve tests; the pipeline hands over those of the methodology.
    """

    tiers: Mapping[str, float] = field(default_factory=lambda: dict(_TIERS))
    assertions: Mapping[str, float] = field(default_factory=lambda: dict(_ASSERTIONS))
    silent_families: frozenset[str] = (
        frozenset()
    )  # satire, outlets found wrong: they open and support nothing

    def of_tier(self, tier: str) -> float:
        """Return the weight of a tier; an unknown one weighs as the lowest."""
        weight = self.tiers.get(tier)
        return self.tiers.get(_LOWEST, 0.0) if weight is None else weight

    def of(self, tier: str, assertion: Assertion) -> float:
        """Return the weight of one claim; a denial weighs as its tier."""
        share = 1.0 if assertion is Assertion.DENIED else self.assertions.get(assertion, 0.0)
        return self.of_tier(tier) * share
