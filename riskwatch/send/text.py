"""Text from outside → text that is safe to print; figures and dates as every message writes them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Self
from zoneinfo import ZoneInfo

MAX_CHARS = 300
SOME = 5  # entries of a sentence before "and N more"
NOT_PRINTABLE = "(headline not printable)"
UNKNOWN = "—"
MINUS = "\u2212"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LOOK = 10  # times the length kept; what stands behind is not looked at
_LONGEST_WORD = 20  # a longer one is cut within
_DAYS_FROM_HOURS = 36
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# U+061C, U+200E, U+200F only mark a direction; the others override or isolate. U+FEFF is invisible.
_INVISIBLE = frozenset(
    "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_TAGS = range(0xE0000, 0xE0080)  # invisible copies of ASCII
# Slack has no escape for its own marks: look-alikes stand for them.
_SLACK = str.maketrans(
    {
        "&": "&amp;", "<": "&lt;", ">": "&gt;",
        "`": "\u02cb", "*": "\u2217", "_": "\u02cd", "~": "\u223c",
    }
)  # fmt: skip


class SafeText(str):
    """Text of one line without control, override or lone surrogate characters, at most 300 characters.

    An empty rest becomes "(headline not printable)": a bad headline never makes a message fail.
    """

    __slots__ = ()

    def __new__(cls, text: str, max_chars: int = MAX_CHARS) -> Self:
        """Return the text as it may be printed."""
        return super().__new__(cls, cut(_printable(text[: _LOOK * max_chars]), max_chars) or NOT_PRINTABLE)


def _printable(text: str) -> str:
    kept = [char if char.isspace() or _is_printable(char) else "" for char in text]
    return " ".join("".join(kept).split())


def _is_printable(char: str) -> bool:
    if char in _INVISIBLE or ord(char) in _TAGS:
        return False
    return unicodedata.category(char) not in ("Cc", "Cs")


def cut(text: str, max_chars: int) -> str:
    """Return the text, or as much of it as fits with an ellipsis, cut between words where one is near."""
    if len(text) <= max_chars:
        return text
    kept = text[: max_chars - 1]
    head, _, tail = kept.rpartition(" ")
    return (head if head and len(tail) <= _LONGEST_WORD else kept).rstrip(" ,;:") + "…"


def slack(text: str) -> str:
    """Return text that Slack's mrkdwn shows as it stands: no mention, link, style or code."""
    return text.translate(_SLACK)


# -------------------------------------------------------------------------------- figures
def tenths(points: float | None) -> str:
    """Return a score, or an end of an interval, with one decimal; unknown is a dash."""
    return UNKNOWN if points is None else f"{points:.1f}"


def whole(points: float | None) -> str:
    """Return a score as a whole number, for subject lines and Slack headers."""
    return "not rated" if points is None else f"{points:.0f}"


def signed(points: float | None) -> str:
    """Return points moved with their sign and one decimal; no change is ±0.0."""
    if points is None:
        return UNKNOWN
    size = f"{abs(points):.1f}"
    if size == "0.0":
        return "±0.0"
    return f"{MINUS if points < 0 else '+'}{size}"


def count(number: int, one: str, many: str | None = None) -> str:
    """Return `1 outlet`, `5 outlets`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def in_words(number: int) -> str:
    """Return `two` up to ten, then figures."""
    return _WORDS[number] if 0 <= number < len(_WORDS) else f"{number:,}"


def listed(parts: Sequence[str]) -> str:
    """Return `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def some(parts: Sequence[str]) -> str:
    """Return the first entries and how many more there are."""
    if len(parts) <= SOME:
        return listed(parts)
    return f"{', '.join(parts[:SOME])} and {len(parts) - SOME:,} more"


def capital(text: str) -> str:
    """Return the text with its first letter as a capital."""
    return text[:1].upper() + text[1:]


# -------------------------------------------------------------------------------- dates
def day(of: date) -> str:
    """Return `5 Mar 2026`."""
    return f"{of.day} {_MONTHS[of.month - 1]} {of.year}"


def instant(at: datetime, zone: str = "UTC") -> str:
    """Return `5 Mar 2026 00:00 UTC`, in another zone `5 Mar 2026 01:00 CET (00:00 UTC)`.

    Args:
        at: Aware.
        zone: IANA name.
    """
    utc = at.astimezone(UTC)
    if zone == "UTC":
        return f"{day(utc)} {utc:%H:%M} UTC"
    local = at.astimezone(ZoneInfo(zone))
    return f"{day(local)} {local:%H:%M} {_abbreviation(local, zone)} ({utc:%H:%M} UTC)"


def _abbreviation(local: datetime, zone: str) -> str:
    name = local.tzname() or ""
    return name if name.isalpha() else zone  # many zones have only an offset such as +07


def span(since: datetime, until: datetime) -> str:
    """Return the time between two instants in whole days or hours: `7 days`, `5 hours`."""
    hours = (until - since).total_seconds() / 3600
    if hours >= _DAYS_FROM_HOURS:
        return count(round(hours / 24), "day")
    return count(max(round(hours), 1), "hour")
