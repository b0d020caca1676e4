"""Which business of a vendor a text speaks of, where that is not about models."""

from __future__ import annotations

from riskwatch.detect.patterns import bounded, compile_pattern
from riskwatch.detect.regex import Regex
from riskwatch.model import UNIT_MARK, Vendor


def units_pattern(vendor: Vendor) -> Regex | None:
    """Return what finds the words of the vendor's units, a group each; none where it has none."""
    groups = [
        f"(?P<{id_}>{'|'.join(_word(word) for word in sorted(unit.words, key=len, reverse=True))})"
        for id_, unit in vendor.units.items()
    ]
    return compile_pattern("|".join(groups), case_sensitive=True) if groups else None


def unit_line(text: str, pattern: Regex, *, epithet: Regex) -> str | None:
    """Return the unit that a text names first, written as a line: `-xbox`; an epithet names the vendor."""
    named = (match for match in pattern.finditer(text) if not epithet.hits(text[match.end() :]))
    return next((f"{UNIT_MARK}{match.name()}" for match in named), None)


def _word(word: str) -> str:
    return f"(?i:{bounded(word)})" if word.islower() else bounded(word)
