"""What every page has: the frame, the pickers, and words for numbers and days."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import ValidationError

from riskwatch.errors import Invalid
from riskwatch.serve import present
from riskwatch.serve.query import Instants, end_of
from riskwatch.serve.route import Desk

View = Callable[..., tuple[str, Mapping[str, Any]]]
MINUS = "\u2212"
_DAY_CHARS = 10  # of an ISO instant
GLYPHS = {"fresh": "ok", "stale": "late", "failing": "bad", "gone": "bad", "never_polled": "wait"}
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
    sources: int
    words: Mapping[str, Callable[..., str]]  # how templates write numbers and days


def site_of(desk: Desk) -> Site:
    """Return the frame; it never fails, since error pages need it too."""
    return Site(
        desk.config.version,
        desk.config.methodology_version,
        desk.config.demo_day,
        desk.now(),
        _fresh(desk),
        len(desk.config.sources),
        WORDS,
    )


def _fresh(desk: Desk) -> int | None:
    try:
        return len([row for row in source_rows(desk) if row["state"] == "fresh"])
    except Exception:  # noqa: BLE001 - the page that tells of the failure must be built
        return None


def source_rows(desk: Desk) -> list[present.Plain]:
    """Return every Source with its health, by id."""
    now = desk.now()
    with desk.store.begin(write=False) as unit:
        states, polls = unit.articles.source_states(), unit.articles.last_ok_polls(known_at=now)
    rows = []
    for card in sorted(desk.config.sources, key=lambda c: c.id):
        state = states.get(card.id)
        sla = desk.config.sla_hours.get(card.source_class, 24.0)
        rows.append(
            {
                "id": card.id,
                "publisher": card.publisher,
                "source_class": card.source_class,
                "tier": card.tier,
                "covers": list(card.covers),
                "state": present.source_state(state, polls.get(card.id), sla_hours=sla, now=now),
                "last_ok_at": present.instant(polls.get(card.id)),
                "reason": (state.last_reason or None) if state else None,
            }
        )
    return rows


@dataclass(frozen=True, slots=True)
class Asked:
    """The instants that the pickers ask for; None is the latest."""

    as_of: datetime | None
    known_at: datetime | None

    @property
    def is_latest(self) -> bool:
        """Whether neither instant was chosen."""
        return self.as_of is None and self.known_at is None


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
    return "—" if value is None else f"{value:.1f}"


def taken(value: float) -> str:
    """Return points that are taken, with the minus sign of print."""
    return f"{MINUS}{value:.1f}"


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


def moment(value: str | None) -> str:
    """Return an instant in words: 5 Mar 2026 14:30."""
    return "—" if value is None else f"{day(value)} {value[11:16]}"


def words(value: object) -> str:
    """Return an identifier as people read it."""
    return str(value).replace("_", " ")


def many(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def coverage(state: str) -> str:
    """Return how well a Subject is watched, in words."""
    return COVERAGE.get(state, words(state))


def glyph(state: str) -> str:
    """Return the class of the mark before a state of a Source."""
    return GLYPHS.get(state, "na")


WORDS: Mapping[str, Callable[..., str]] = {
    made.__name__: made for made in (points, taken, moved, share, day, moment, words, many, coverage, glyph)
}
