"""When a digest is due, and what happened in its period."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONGEST_WAIT_DAYS = 70  # two months and the days that a change of zone may cost


# -------------------------------------------------------------------------------- when it is due
@dataclass(frozen=True, slots=True)
class Due:
    """The next time of a digest."""

    at: datetime  # UTC
    period: date  # local date that it stands for


def next_due(
    after: datetime,
    *,
    local_time: str,
    zone: str,
    days: Sequence[str] = (),
    day_of_month: int | None = None,
    last_period: date | None = None,
) -> Due:
    """Return the first due time later than `after`; every local date that is meant gives exactly one.

    The rule walks local dates and resolves the wall time once per date. A wall time that a clock change
    skips is due at the first instant after the gap; one that comes twice, the first time. Day 31 is the
    last day of a shorter month. A local date that does not exist is left out.

    Args:
        after: Aware.
        local_time: HH:MM on the wall.
        zone: IANA name.
        days: mon ... sun; empty for every day, or for day_of_month.
        day_of_month: 1 to 31.
        last_period: Local date of the last digest; after a change of zone none up to it is repeated.
    """
    tz, wall = ZoneInfo(zone), time.fromisoformat(local_time)
    start = after.astimezone(tz).date() - timedelta(days=1)
    if last_period is not None:
        start = max(start, last_period + timedelta(days=1))
    for ahead in range(_LONGEST_WAIT_DAYS):
        period = start + timedelta(days=ahead)
        if not _is_meant(period, days, day_of_month) or not _exists(period, tz):
            continue
        at = _resolved(period, wall, tz)
        if at > after:
            return Due(at, period)
    raise ValueError(f"nothing is due: days {tuple(days)}, day of month {day_of_month}")


def _is_meant(period: date, days: Sequence[str], day_of_month: int | None) -> bool:
    if day_of_month is not None:
        return period.day == min(day_of_month, monthrange(period.year, period.month)[1])
    return not days or DAYS[period.weekday()] in days


def _exists(period: date, tz: ZoneInfo) -> bool:
    return _resolved(period, time(), tz).astimezone(tz).date() == period


def _resolved(period: date, wall: time, tz: ZoneInfo) -> datetime:
    """Return the first instant, UTC, at which the wall clock of the date shows the time or a later one."""
    first = datetime.combine(period, wall, tzinfo=tz)  # fold 0: the first of two
    at = first.astimezone(UTC)
    if at.astimezone(tz).replace(tzinfo=None) == first.replace(tzinfo=None):
        return at
    # In a gap the two folds read the offsets before and after it; the change lies between them.
    low, high = sorted((at, first.replace(fold=1).astimezone(UTC)))
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(tz).replace(tzinfo=None) < first.replace(tzinfo=None):
            low = middle
        else:
            high = middle
    return high
