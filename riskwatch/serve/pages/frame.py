"""What every page has: the frame, the pickers, and words for numbers and days."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from pydantic import ValidationError

from riskwatch.errors import Invalid
from riskwatch.model import told_at
from riskwatch.serve.query import Instants, end_of
from riskwatch.serve.route import Desk
from riskwatch.serve.sources import source_rows

View = Callable[..., tuple[str, Mapping[str, Any]]]
MINUS = "\u2212"
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_DAY_CHARS = 10  # of an ISO instant
STALE_SHARE = 0.1
LATE = ("stale", "failing", "gone")
GLYPHS = {
    "fresh": "ok",
    "silent": "late",
    "stale": "late",
    "failing": "bad",
    "gone": "bad",
    "never_polled": "wait",
    "delivered": "ok",
    "pending": "wait",
    "sending": "wait",
    "held": "late",
    "dead": "bad",
    "expired": "bad",
    "working": "ok",
    "untried": "wait",
    "unproved": "wait",
    "switched_off": "bad",
}
COVERAGE = {
    "watched_active": "watched",
    "watched_quiet": "watched, quiet",
    "degraded": "watched with a gap",
    "not_watched": "not watched",
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page; view(desk, arguments, **path parameters) gives template and context."""

    path: str
    name: str
    view: View


@dataclass(frozen=True, slots=True)
class Site:
    """What the frame of every page shows."""

    version: str
    methodology: int
    demo_day: date | None
    now: datetime
    fresh: int | None  # Sources that answered in time; None where the database cannot be read
    late: int  # Sources that answered once and are late, failing or gone
    sources: int
    words: Mapping[str, Callable[..., str]]  # how templates write numbers and days
    open_incidents: int = 0
    late_alerts: tuple[str, ...] = ()  # why messages are late

    @property
    def is_stale(self) -> bool:
        """Whether so many Sources are late that "nothing new" cannot be said."""
        return self.late > STALE_SHARE * self.sources


def site_of(desk: Desk, *, is_admitted: bool = False) -> Site:
    """Return the frame; it never fails, since error pages need it too.

    Args:
        desk: What pages work with.
        is_admitted: Whether the reader may know how many Incidents are open, and whether messages are late.
    """
    fresh, late = _health(desk)
    open_incidents, late_alerts = _alerts(desk) if is_admitted else (0, ())
    return Site(
        desk.config.version,
        desk.config.methodology_version,
        desk.config.demo_day,
        desk.now(),
        fresh,
        late,
        len(desk.config.sources),
        WORDS,
        open_incidents,
        late_alerts,
    )


def _alerts(desk: Desk) -> tuple[int, tuple[str, ...]]:
    try:
        return desk.boards.alerts.get(lambda: _asked_alerts(desk))
    except Exception:  # noqa: BLE001 - the page that tells of the failure must be built
        return 0, ()


def _asked_alerts(desk: Desk) -> tuple[int, tuple[str, ...]]:
    if desk.alerts is None:
        return 0, ()
    with desk.store.begin(write=False) as unit:
        still_open = [one for one in unit.incidents.open_incidents() if one.opened_at is not None]
    return len(still_open), desk.alerts.health().reasons


def _health(desk: Desk) -> tuple[int | None, int]:
    try:
        states = desk.boards.health.get(lambda: [row["state"] for row in source_rows(desk)])
    except Exception:  # noqa: BLE001 - the page that tells of the failure must be built
        return None, 0
    return states.count("fresh"), sum(state in LATE for state in states)


@dataclass(frozen=True, slots=True)
class Asked:
    """The instants that the pickers ask for; None is the latest."""

    as_of: datetime | None
    known_at: datetime | None

    @property
    def is_latest(self) -> bool:
        """Whether neither instant was chosen."""
        return self.as_of is None and self.known_at is None

    @property
    def query(self) -> str:
        """The instants as the end of an address: links keep them."""
        pairs = {"as_of": self.as_of, "known_at": self.known_at}
        given = {name: at.strftime("%Y-%m-%dT%H:%M:%SZ") for name, at in pairs.items() if at is not None}
        return f"?{urlencode(given)}" if given else ""

    @property
    def instant(self) -> datetime | None:
        """The earlier of both instants: until then Snapshots may be read."""
        return min((at for at in (self.as_of, self.known_at) if at is not None), default=None)


def asked_of(arguments: Mapping[str, str]) -> Asked:
    """Return the instants of a query string; an empty field is none. Raises Invalid."""
    given = {name: arguments[name] for name in ("as_of", "known_at") if arguments.get(name)}
    try:
        query = Instants.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise Invalid(str(first["loc"][0]), first["msg"].removeprefix("Value error, ")) from None
    return Asked(end_of(query.as_of), end_of(query.known_at))


# -------------------------------------------------------------------------------- words
def points(value: float | None) -> str:
    """Return a score with one decimal, or a dash where there is none."""
    return "—" if value is None else f"{value + 0.0:.1f}".replace("-0.0", "0.0")


def taken(value: float) -> str:
    """Return points that are taken, with the minus sign of print; none is 0.0."""
    text = f"{abs(value):.1f}"
    return text if text == "0.0" else (MINUS if value > 0 else "+") + text


def moved(value: float | None) -> str:
    """Return a change with its sign; no change is ±0.0."""
    if value is None:
        return "—"
    text = f"{abs(value):.1f}"
    sign = "±" if text == "0.0" else "+" if value > 0 else MINUS
    return sign + text


def share(value: float) -> str:
    """Return a credibility: three decimals, no leading zero."""
    return f"{value:.3f}".removeprefix("0")


def day(value: datetime | date | str | None) -> str:
    """Return a day in words: 5 Mar 2026."""
    if value is None:
        return "—"
    at = date.fromisoformat(value[:_DAY_CHARS]) if isinstance(value, str) else value
    return f"{at.day} {at:%b %Y}"


def when(value: str | None, precision: str) -> str:
    """Return when something happened: a day; the time only where it is known to the instant."""
    return moment(value) if precision == "instant" else day(value)


def moment(value: str | None) -> str:
    """Return an instant in words: 5 Mar 2026 14:30."""
    return "—" if value is None else f"{day(value)} {value[11:16]}"


def words(value: object) -> str:
    """Return an identifier as people read it."""
    return str(value).replace("_", " ")


def number(count: int) -> str:
    """Return a count as a word up to ten, as figures above."""
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def many(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def coverage(state: str) -> str:
    """Return how well a Subject is watched, in words."""
    return COVERAGE.get(state, words(state))


def glyph(state: str) -> str:
    """Return the class of the mark before a state of a Source."""
    return GLYPHS.get(state, "na")


def page_of(subject: str) -> str:
    """Return the address of the page that tells of a Subject; a unit is told of with its vendor."""
    return f"/vendors/{told_at(subject)}"


_MADE = (points, taken, moved, share, day, when, moment, words, number, many, coverage, glyph, page_of)
WORDS: Mapping[str, Callable[..., str]] = {made.__name__: made for made in _MADE}
