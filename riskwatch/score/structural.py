"""Size of a vendor: baseline loss, damping and attention; and what counts for whom."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median

from riskwatch.model import Factor, RegisterEntry, SizeClass, Vendor, line_of, unit_of, vendor_of
from riskwatch.score.methodology import Methodology


@dataclass(frozen=True, slots=True)
class Structure:
    """What the size of a subject does to its score."""

    size: SizeClass
    base_loss: float  # log-loss without any event
    damping: float  # multiplier of size-damped events
    is_stale: bool = False


def structure(
    subject: str, vendor: Vendor, methodology: Methodology, *, as_of: datetime, known_at: datetime
) -> Structure:
    """Return the size of a subject as known; a line inherits the baseline of its vendor."""
    rule = methodology.structural
    entry = _entry(vendor, as_of=as_of.date(), known_at=known_at.date())
    size = _size(vendor, entry, methodology)
    damping = rule.damping[size] if line_of(subject) is None else rule.line_damping_default
    age = 0 if entry is None else (as_of.date() - date.fromisoformat(entry.valid_from)).days
    return Structure(size, rule.base_loss[size], damping, is_stale=age > rule.stale_after_days)


def damping_of(factor: Factor, severity: float, structure: Structure, methodology: Methodology) -> float:
    """Return the multiplier of an event by the vendor's size."""
    damped = methodology.factors[factor].size_damped
    if damped == "all":
        return structure.damping
    if damped == "minor" and severity < methodology.attention.minor.severity_below:
        return min(structure.damping, 1.0)  # above 1 a worse event could cost less
    return 1.0


def relevance(home: str, subject: str, *, factor: Factor, vendor: Vendor, sets: Mapping[str, Collection[str]],
              methodology: Methodology) -> float | None:  # fmt: skip
    """Return how much an event of a home counts for a subject, share 0 to 1; None = not counted."""
    rule = methodology.relevance
    if home == subject:
        return rule.same
    if home != vendor.id and vendor.id in sets.get(home, ()):
        return rule.industry
    if vendor_of(home) != vendor.id:
        return None
    if line_of(subject) is None:
        return rule.unit_to_vendor if unit_of(home) else _line_to_vendor(line_of(home), vendor, methodology)
    return _on_line(line_of(home), factor, methodology)


def attention_of(subject: str, attention: Mapping[str, float], *, panel_median: float | None,
                 methodology: Methodology) -> float:  # fmt: skip
    """Return the multiplier of a subject's minor events; 1 without a row."""
    rule = methodology.attention
    own = attention.get(subject, 0.0)
    counts = [count for count in attention.values() if count > 0]
    if own <= 0 or not counts:
        return 1.0
    middle = median(counts) if panel_median is None else panel_median
    return min(max(math.pow(middle / own, rule.exponent), rule.min), rule.max, 1.0)


def _on_line(home_line: str | None, factor: Factor, methodology: Methodology) -> float:
    rule = methodology.relevance
    if home_line is not None:
        return rule.sister_to_line
    return rule.vendor_to_line_continuity if factor is Factor.CONTINUITY else rule.vendor_to_line


def _line_to_vendor(line: str | None, vendor: Vendor, methodology: Methodology) -> float:
    shares = methodology.relevance.line_to_vendor
    own = None if line is None else vendor.lines.get(line)
    if own is not None and own.line_class is not None:
        return shares[own.line_class]
    return shares["only" if own is not None and len(vendor.lines) == 1 else "default"]  # type: ignore[index] # a LineClass


def _entry(vendor: Vendor, *, as_of: date, known_at: date) -> RegisterEntry | None:
    valid = [
        entry
        for entry in vendor.register_
        if entry.valid_from <= as_of.isoformat() and entry.recorded_at <= known_at.isoformat()
    ]
    return max(valid, key=lambda entry: (entry.valid_from, entry.recorded_at), default=None)


def _size(vendor: Vendor, entry: RegisterEntry | None, methodology: Methodology) -> SizeClass:
    if entry is None:
        return vendor.size_class
    rule = methodology.structural
    value, revenue = entry.valuation_usd, entry.revenue_usd
    size = vendor.size_class
    if value is not None or revenue is not None:
        size = next(
            name
            for name, start in rule.classes.items()
            if (value is not None and value >= start.value_from)
            or (revenue is not None and revenue >= start.revenue_from)
        )
    if entry.runway_months is not None and entry.runway_months < rule.short_runway_months:
        order = list(rule.classes)
        if size in order:
            size = order[min(order.index(size) + 1, len(order) - 1)]
    return size
