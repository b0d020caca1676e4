"""How long an incident of a status page took: from its first update to its last."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from riskwatch.detect.packs import Pack

LEAP_YEAR = 2024  # stands in for a year that no update names: it has every day
HALF_DAY = 12
MAX_DAYS = 30  # an entry that was updated longer is a note added late
ABOUT_A_YEAR = timedelta(days=300)


def hours_taken(text: str, *, pack: Pack) -> float | None:
    """Return the hours between the first and the last time that the updates of an entry name.

    The times of one entry are of one zone, which need not be known; none is returned for fewer than two
    updates, and where they lie more than 30 days apart.
    """
    times = sorted(_times(text, pack))
    if not times:
        return None
    took = times[-1] - times[0]
    if took > ABOUT_A_YEAR:  # without years December comes after January
        first = min(time for time in times if times[-1] - time < ABOUT_A_YEAR)
        last = max(time for time in times if time < first)
        took = last.replace(year=last.year + 1) - first
    return took.total_seconds() / 3600 if timedelta() < took <= timedelta(days=MAX_DAYS) else None


def _times(text: str, pack: Pack) -> Iterator[datetime]:
    stamp = pack.update_stamp
    for match in stamp.finditer(text):
        groups = {name: match.group(number) for name, number in match.groupindex.items()}
        month = pack.grammar.months.get((groups["month"] or "").lower())
        hour = int(groups["hour"] or 0)
        if groups.get("half"):
            hour = hour % HALF_DAY + HALF_DAY * ((groups["half"] or "").lower() == "pm")
        try:
            yield datetime(  # noqa: DTZ001 - one zone, not named here
                int(groups.get("year") or LEAP_YEAR),
                month or 0,
                int(groups["day"] or 0),
                hour,
                int(groups["minute"] or 0),
            )
        except ValueError:  # no such time
            continue
