"""How far the portfolio hangs on few vendors, countries, clouds or licences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import fsum

from riskwatch.model import Dependency, Vendor, line_of, vendor_of
from riskwatch.send.conditions import Reach

_IMPORTANT = 2  # criticality up to which a use case weighs threefold
_WEIGHT = 3.0


def concentration(
    dependencies: Sequence[Dependency], vendors: Mapping[str, Vendor], *, metric: str, over: Reach
) -> float | None:
    """Return the largest share, or the sum of squared shares (hhi), 0 to 1; None for an empty portfolio.

    Shares are of spend x criticality weight (3 for criticality 1 and 2, else 1); where a use case does not
    state its spend, shares are of the weight alone. What is not known counts as a group of its own.
    """
    with_spend = all(one.spend is not None and one.spend.amount > 0 for one in dependencies)
    groups = defaultdict[str, list[float]](list)
    for number, one in enumerate(dependencies):
        weight = _WEIGHT if one.criticality <= _IMPORTANT else 1.0
        amount = one.spend.amount if with_spend and one.spend is not None else 1.0
        groups[_group(one, vendors, over) or f"unknown {number}"].append(weight * amount)
    total = fsum(fsum(parts) for parts in groups.values())
    if not total:
        return None
    shares = sorted(fsum(parts) / total for parts in groups.values())
    return shares[-1] if metric == "share" else fsum(share * share for share in shares)


def _group(one: Dependency, vendors: Mapping[str, Vendor], over: Reach) -> str | None:
    vendor = vendors.get(vendor_of(one.subject))
    if over is Reach.CLOUD:
        return one.cloud
    if vendor is None or over is Reach.VENDOR:
        return vendor_of(one.subject)
    if over is Reach.COUNTRY:
        return vendor.country
    line = vendor.lines.get(line_of(one.subject) or "")
    is_open = None if line is None else line.open_weights
    return None if is_open is None else ("open weights" if is_open else "closed")
