"""Which business of a vendor a text speaks of, where that is not about models."""

from __future__ import annotations

from riskwatch.detect.packs import Pack
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


def unit_line(text: str, pattern: Regex, pack: Pack) -> str | None:
    """Return the unit that a text names first, written as a line: `-xbox`; "the iPhone maker" names none."""
    for match in pattern.finditer(text):
        before, after = text[: match.start()], text[match.end() :]
        if not pack.no_unit.before.hits(before) and not pack.no_unit.after.hits(after):
            return f"{UNIT_MARK}{match.name()}"
    return None


def _word(word: str) -> str:
    return f"(?i:{bounded(word)})" if word.islower() else bounded(word)
