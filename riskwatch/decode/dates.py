"""Date texts of feeds -> aware UTC instants; what cannot be read is none, never now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz

MAX_AHEAD = timedelta(hours=24)
FIRST_YEAR = 1990  # older dates are unset clocks (1970-01-01), not news
_MAX_DATE_CHARS = 100
_RFC822_WORDS = 5  # day, month, year, time, zone
DATE_IN_FUTURE = "date_in_future"
DATE_UNREADABLE = "date_unreadable"
DATE_IMPLAUSIBLE = "date_implausible"

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_UTC_NAMES = frozenset({"GMT", "UT", "UTC", "Z", "+0000", "-0000"})


def parse_date(text: str) -> datetime | None:
    """Return the instant of an RFC 822 or ISO 8601 text, aware UTC; a missing zone counts as UTC."""
    text = text.strip()
    if not text or len(text) > _MAX_DATE_CHARS:  # no date is that long
        return None
    return _rfc822(text) or _iso(text) or _mail_date(text)


def from_parts(parts: tuple[int, ...]) -> datetime | None:
    """Return the instant of (year, month, day, hour, minute, second), UTC; none: no such day."""
    try:
        return datetime(*parts[:5], min(parts[5], 59), tzinfo=UTC)  # type: ignore[arg-type,misc]  # six integers
    except (ValueError, IndexError, TypeError, OverflowError):
        return None


def judged(published_at: datetime | None, *, now: datetime) -> tuple[datetime | None, str | None]:
    """Return a believable publication date or none, and the flag that says why it was dropped."""
    if published_at is None:
        return None, None
    if published_at > now + MAX_AHEAD:
        return None, DATE_IN_FUTURE
    if published_at.year < FIRST_YEAR:
        return None, DATE_IMPLAUSIBLE
    return published_at, None


def _rfc822(text: str) -> datetime | None:
    """Read the form that nearly every feed uses: `Tue, 03 Mar 2026 10:00:00 GMT`."""
    words = text.split(" ")
    if words[0].endswith(","):
        del words[0]
    if len(words) != _RFC822_WORDS or words[1] not in _MONTHS or words[4] not in _UTC_NAMES:
        return None
    day, month, year, clock, _ = words
    try:
        return from_parts((int(year), _MONTHS[month], int(day), *map(int, clock.split(":"))))
    except ValueError:
        return None


def _iso(text: str) -> datetime | None:
    if not text[:4].isdigit():
        return None
    try:
        return _utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def _mail_date(text: str) -> datetime | None:
    try:
        parts = parsedate_tz(text)
    except (ValueError, IndexError, TypeError):
        return None
    if parts is None:
        return None
    try:
        zone = timezone(timedelta(seconds=parts[9] or 0))
        return _utc(datetime(*parts[:5], min(parts[5], 59), tzinfo=zone))
    except (ValueError, OverflowError):
        return None


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
