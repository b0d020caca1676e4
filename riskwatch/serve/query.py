"""What /v1 takes: strict dates, cursors and limits as pydantic types; an unknown parameter is an error."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Annotated, Literal

import re2
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from riskwatch.errors import Invalid

_DAY = r"(19[0-9]{2}|20[0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])"
_DATE = f"^{_DAY}(T{_TIME})?$"
_CURSOR = r"^[A-Za-z0-9_-]{8,400}$"
_SUBJECT = r"^[a-z0-9_][a-z0-9-]{0,62}(/[a-z0-9][a-z0-9.-]{0,62})?$"
_TEXT = r"^[^\x00-\x1f\x7f]*$"
FIRST_YEAR, LAST_YEAR = 1990, 2099
_FOREIGN = "is none of this listing; take next_cursor of the page before, or leave it out"


def _moment(text: str) -> str:
    if not re2.fullmatch(_DATE, text):
        raise ValueError("write 2026-03-05 or 2026-03-05T12:00:00Z")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("there is no such day") from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"use a year from {FIRST_YEAR} to {LAST_YEAR}")
    return text


Moment = Annotated[
    str,
    AfterValidator(_moment),
    Field(
        json_schema_extra={"pattern": _DATE, "examples": ["2026-03-05", "2026-03-05T12:00:00Z"]},
        description="a day (its last second, as `from` its first; UTC) or an RFC 3339 instant with a zone",
    ),
]
Cursor = Annotated[str, Field(pattern=_CURSOR, description="next_cursor of the page before")]
Limit = Annotated[int, Field(ge=1, le=200, description="rows of a page")]
SubjectId = Annotated[str, Field(pattern=_SUBJECT, max_length=127, description="alibaba or alibaba/qwen")]
Words = Annotated[str, Field(min_length=1, max_length=200, pattern=_TEXT)]


def start_of(text: str | None) -> datetime | None:
    """Return a validated Moment as an instant; a day means its 00:00 UTC."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def end_of(text: str | None) -> datetime | None:
    """Return a validated Moment as an instant; a day means its last second."""
    moment = start_of(text)
    if moment is not None and text is not None and "T" not in text:
        return moment.replace(hour=23, minute=59, second=59)
    return moment


Place = tuple[str, str]  # what a listing is ordered by, and the id that settles ties


def cursor_of(listing: str, place: Place) -> str:
    """Return the opaque text of a place in a listing."""
    raw = json.dumps([listing, *place], ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def place_of(listing: str, cursor: str | None) -> Place | None:
    """Return the place that a cursor of this listing names. Raises Invalid for any other."""
    if cursor is None:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):  # binascii.Error and UnicodeDecodeError are ValueErrors
        raise Invalid("cursor", _FOREIGN) from None
    match found:
        case [str(named), str(key), str(id_)] if named == listing and re2.fullmatch(_TEXT, key + id_):
            return key, id_
    raise Invalid("cursor", _FOREIGN)


def moment_cursor(listing: str, at: datetime, id_: str) -> str:
    """Return the opaque text of a place in a listing that is ordered by an instant."""
    return cursor_of(listing, (at.isoformat(), id_))


def moment_place(listing: str, cursor: str | None) -> tuple[datetime, str] | None:
    """Return the place that a cursor of such a listing names. Raises Invalid for any other."""
    place = place_of(listing, cursor)
    if place is None:
        return None
    try:
        return datetime.fromisoformat(place[0]).astimezone(UTC), place[1]
    except (ValueError, OverflowError):
        raise Invalid("cursor", _FOREIGN) from None


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Nothing(_Query):
    """No parameter."""


class Instants(_Query):
    """Which instant is judged, with which knowledge."""

    as_of: Moment | None = None
    known_at: Moment | None = None


class Paged(_Query):
    """One page of a listing."""

    limit: Limit = 50
    cursor: Cursor | None = None


class VendorQuery(Paged):
    """Which vendors."""

    tag: Words | None = None
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    grade: Literal["A", "B", "C", "D", "F", "NR"] | None = None
    q: Words | None = None


class ScoreQuery(Paged):
    """Which Subjects."""

    subject: list[SubjectId] = Field(default_factory=list, max_length=50)
    grade: list[Literal["A", "B", "C", "D", "F", "NR"]] = Field(default_factory=list, max_length=6)
    below: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None


class HistoryQuery(_Query):
    """Which span, in which steps."""

    from_: Moment | None = Field(default=None, alias="from")
    to: Moment | None = None
    step: Literal["change", "day", "week"] = "day"


class CompareQuery(_Query):
    """Which two instants."""

    from_: Moment = Field(alias="from")
    to: Moment | None = None


class EventQuery(Paged):
    """Which events."""

    type: list[Annotated[str, Field(pattern="^[a-z_]{1,40}$")]] = Field(default_factory=list, max_length=40)
    assertion: list[Literal["confirmed", "reported", "rumoured", "denied"]] = Field(
        default_factory=list, max_length=4
    )
    from_: Moment | None = Field(default=None, alias="from")
    to: Moment | None = None
    known_at: Moment | None = None


class SubjectEvents(EventQuery):
    """Which events, of which Subject."""

    subject: SubjectId | None = None


class ArticleQuery(Paged):
    """Which articles."""

    source: Annotated[str, Field(pattern="^[a-z0-9_][a-z0-9_-]{0,62}$")] | None = None
    subject: SubjectId | None = None
    q: Words | None = None
    from_: Moment | None = Field(default=None, alias="from")
    to: Moment | None = None


class KnownAt(_Query):
    """With which knowledge."""

    known_at: Moment | None = None


class SourceQuery(_Query):
    """Which sources."""

    state: Literal["fresh", "silent", "stale", "failing", "gone", "never_polled"] | None = None
    subject: SubjectId | None = None


class PollQuery(_Query):
    """How many polls."""

    limit: Limit = 50


Number = Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]


class AddedEvent(_Query):
    """An event that did not happen, for a what-if."""

    type: Annotated[str, Field(pattern="^[a-z_]{1,40}$")]
    assertion: Literal["confirmed", "reported", "rumoured"] = "confirmed"
    tier: Literal["primary", "1", "2", "3", "4"] = "1"
    attributes: dict[Annotated[str, Field(pattern="^[a-z_]{1,40}$")], Words | Number | bool] = Field(
        default_factory=dict, max_length=20
    )


class WhatIfBody(_Query):
    """Changed facts for one Subject."""

    subject: SubjectId
    as_of: Moment | None = None
    drop_events: list[Annotated[str, Field(pattern="^[0-9A-Za-z]{1,40}$")]] = Field(
        default_factory=list, max_length=100
    )
    add_events: list[AddedEvent] = Field(default_factory=list, max_length=20)
