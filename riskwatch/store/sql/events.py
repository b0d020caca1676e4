"""Events with all their versions, and Verdicts on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, or_, select, union_all, update

from riskwatch.errors import Invalid, NotFound
from riskwatch.model import CANARY, Event, EventState, Verdict
from riskwatch.store import EventFilter
from riskwatch.store.sql.codec import decode, encode
from riskwatch.store.sql.session import chunks, known
from riskwatch.store.sql.signals import SqlSignals
from riskwatch.store.sql.stories import SqlStories
from riskwatch.store.sql.tables import event, event_signal, event_version, verdict

_V = event_version.c
_READ = select(_V.recorded_at, _V.body)
_KEYED = select(_V.occurred_at, _V.event_id, _V.recorded_at, _V.body)
_SHOWN = _V.vendor != CANARY
_FILTERS = (("vendor", _V.vendor), ("home", _V.home))
_CHOICES = (("types", _V.type), ("assertions", _V.assertion), ("states", _V.state))
_ENDING = (
    update(event_version)
    .where(_V.event_id == bindparam("old_id"), _V.version == bindparam("old"))
    .values(ended_at=bindparam("at"))
)
_NEWEST = update(event).where(event.c.id == bindparam("old_id")).values(version=bindparam("newest"))


class SqlEvents(SqlSignals, SqlStories):
    """The EventStore on one transaction."""

    def save_events(self, events: Sequence[Event], *, now: datetime) -> None:
        """Append a version of each Event that differs from its current one.

        A version is recorded at `now`, or with its predecessor where the clock went back.
        """
        unique = {one.id: one for one in events}
        for part in chunks(unique[id_] for id_ in sorted(unique)):  # one order for all: no deadlock
            held = self._current([one.id for one in part])
            bodies = {one.id: encode(one, without=("recorded_at",)) for one in part}
            fresh = [one for one in part if one.id not in held or held[one.id].body != bodies[one.id]]
            if fresh:
                self._append([_row(one, bodies[one.id], held.get(one.id), now) for one in fresh])
                self._link(fresh, now)
                self._session.changed()

    def _current(self, ids: Sequence[str]) -> dict[str, Row[Any]]:
        query = select(_V.event_id, _V.version, _V.recorded_at, _V.body).where(
            _V.event_id.in_(ids), _V.ended_at.is_(None)
        )
        return {row.event_id: row for row in self._session.claim(query.order_by(_V.event_id))}

    def _append(self, rows: Sequence[dict[str, Any]]) -> None:
        first = [row for row in rows if row["version"] == 1]
        later = [row for row in rows if row["version"] > 1]
        self._session.add(event, [{"id": r["event_id"], **{k: r[k] for k in _IDENTITY}} for r in first])
        if later:
            ends = [{"old_id": r["event_id"], "old": r["version"] - 1, "at": r["recorded_at"]} for r in later]
            self._session.run_many(_ENDING, ends)
            self._session.run_many(
                _NEWEST, [{"old_id": r["event_id"], "newest": r["version"]} for r in later]
            )
        self._session.add(event_version, rows)

    def _link(self, events: Sequence[Event], now: datetime) -> None:
        rows = [
            {
                "event_id": one.id,
                "signal_id": claim.signal_id,
                "article_id": claim.article_id,
                "recorded_at": now,
            }
            for one in events
            for claim in one.claims
        ]
        self._session.add_missing(event_signal, rows)

    def event(self, event_id: str, *, known_at: datetime | None = None) -> Event:
        """Return an Event; ids that were merged away resolve to their heir. Raises NotFound."""
        wanted, met = event_id, set[str]()
        while wanted not in met:
            met.add(wanted)
            query = _READ.where(_SHOWN, _V.event_id == wanted, known(_V.recorded_at, _V.ended_at, known_at))
            row = self._session.read(query).first()
            if row is None:
                break
            found = _event(row)
            if found.merged_into is None:
                return found
            wanted = found.merged_into
        raise NotFound("event", event_id, "the listing of events has them")

    def event_versions(self, event_id: str) -> Sequence[Event]:
        """Return all versions, oldest first; raises NotFound."""
        found = self._events(_READ.where(_SHOWN, _V.event_id == event_id).order_by(_V.version))
        if not found:
            raise NotFound("event", event_id, "the listing of events has them")
        return found

    def events_of(self, vendor: str, *, known_at: datetime | None = None) -> Sequence[Event]:
        """Return a vendor's Events, without merged-away ones, by (occurred_at, id).

        Reads the current versions and those that ended after known_at, each by an index of its own: what
        ended before is not touched.
        """
        mine = _KEYED.where(_V.vendor == vendor, _V.merged_into.is_(None))
        current = mine.where(_V.ended_at.is_(None))
        if known_at is None:
            return self._events(current.order_by(_V.occurred_at, _V.event_id))
        rows = self._session.read(
            union_all(current, mine.where(_V.ended_at > known_at)).order_by("occurred_at", "event_id")
        )
        return tuple(_read_event(body, at) for _, _, at, body in map(tuple, rows) if at <= known_at)

    def versions_of(self, vendor: str) -> Sequence[Event]:
        """Return every version of every Event of a vendor, by (recorded_at, id)."""
        return self._events(
            _READ.where(_V.vendor == vendor).order_by(_V.recorded_at, _V.event_id, _V.version)
        )

    def events_of_article(self, article_id: str) -> Sequence[Event]:
        """Return the current Events that rest, or once rested, on an Article, by (occurred_at, id)."""
        ids = select(event_signal.c.event_id).where(event_signal.c.article_id == article_id)
        query = _READ.where(_SHOWN, _V.event_id.in_(ids), _V.ended_at.is_(None), _V.merged_into.is_(None))
        return self._events(query.order_by(_V.occurred_at, _V.event_id))

    def last_recorded_at(self, vendor: str) -> datetime | None:
        """Return when the newest version of a vendor's Events was recorded."""
        newest = func.max(_V.recorded_at, type_=_V.recorded_at.type)
        found: datetime | None = self._session.read(select(newest).where(_V.vendor == vendor)).scalar()
        return found

    def event_counts(self, *, since: datetime, until: datetime) -> Mapping[str, int]:
        """Return Subject id -> live Events dated in (since, until] as known at until."""
        query = (
            select(_V.vendor, _V.home, func.count().label("number"))
            .where(_V.occurred_at > since, _V.occurred_at <= until, known(_V.recorded_at, _V.ended_at, until))
            .where(_SHOWN, _V.merged_into.is_(None), _V.state == EventState.LIVE.value)
            .group_by(_V.vendor, _V.home)
        )
        counts: Counter[str] = Counter()
        for row in self._session.read(query):
            for subject in {str(row.vendor), str(row.home)}:
                counts[subject] += int(row.number)
        return dict(sorted(counts.items()))

    def list_events(self, where: EventFilter) -> Sequence[Event]:
        """Return one page, newest first."""
        order = (_V.occurred_at.desc(), _V.event_id.desc())
        return self._events(_READ.where(*_conditions(where)).order_by(*order).limit(where.limit))

    def add_verdict(self, verdict_: Verdict) -> None:
        """Append a Verdict; raises Conflict (taken id), NotFound (no Event), Invalid (no recorded_at)."""
        if verdict_.recorded_at is None:
            raise Invalid("recorded_at", "a verdict needs the instant at which it was given")
        row = {"id": verdict_.id, "event_id": verdict_.event_id, "recorded_at": verdict_.recorded_at}
        self._session.add(verdict, [{**row, "body": encode(verdict_)}])
        self._session.changed()

    def verdicts(self, vendor: str, *, known_at: datetime | None = None) -> Sequence[Verdict]:
        """Return the Verdicts on a vendor's Events, by (recorded_at, id); ones merged away name the heir."""
        query = (
            select(verdict.c.body)
            .join(event, event.c.id == verdict.c.event_id)
            .where(event.c.vendor == vendor)
        )
        if known_at is not None:
            query = query.where(verdict.c.recorded_at <= known_at)
        rows = self._session.read(query.order_by(verdict.c.recorded_at, verdict.c.id)).scalars()
        found = tuple(decode(Verdict, body) for body in rows)
        heirs = self._heirs(vendor, known_at) if found else {}
        return tuple(
            replace(one, event_id=_heir(one.event_id, heirs)) if one.event_id in heirs else one
            for one in found
        )

    def _heirs(self, vendor: str, known_at: datetime | None) -> dict[str, str]:
        query = select(_V.event_id, _V.merged_into).where(_V.vendor == vendor, _V.merged_into.is_not(None))
        rows = self._session.read(query.where(known(_V.recorded_at, _V.ended_at, known_at)))
        return {row.event_id: row.merged_into for row in rows}

    def _events(self, query: Select[Any]) -> Sequence[Event]:
        return tuple(map(_event, self._session.read(query)))


def _heir(event_id: str, heirs: Mapping[str, str]) -> str:
    met = set[str]()
    while event_id in heirs and event_id not in met:
        met.add(event_id)
        event_id = heirs[event_id]
    return event_id


_IDENTITY = ("vendor", "version", "recorded_at")


def _event(row: Row[Any]) -> Event:
    return _read_event(row.body, row.recorded_at)


@lru_cache(maxsize=8192)  # a vendor's events are read again with every poll and page; they never change
def _read_event(body: str, recorded_at: datetime) -> Event:
    return decode(Event, body, recorded_at=recorded_at)


def _row(one: Event, body: str, held: Row[Any] | None, now: datetime) -> dict[str, Any]:
    return {
        "event_id": one.id,
        "version": 1 if held is None else held.version + 1,
        "vendor": one.vendor,
        "home": one.home,
        "type": one.type,
        "assertion": str(one.assertion),
        "state": str(one.state),
        "occurred_at": one.occurred_at,
        "merged_into": one.merged_into,
        "recorded_at": now if held is None else max(now, held.recorded_at),
        "body": body,
    }


def _conditions(where: EventFilter) -> Iterable[ColumnElement[bool]]:
    yield known(_V.recorded_at, _V.ended_at, where.known_at)
    yield _V.merged_into.is_(None)
    yield _SHOWN
    for name, column in _FILTERS:
        wanted = getattr(where, name)
        if wanted is not None:
            yield column == wanted
    for name, column in _CHOICES:
        choice = getattr(where, name)
        if choice:
            yield column.in_([str(each) for each in choice])
    if where.occurred_from is not None:
        yield _V.occurred_at >= where.occurred_from
    if where.occurred_to is not None:
        yield _V.occurred_at <= where.occurred_to
    if where.after is not None:
        occurred_at, last = where.after
        yield or_(_V.occurred_at < occurred_at, (_V.occurred_at == occurred_at) & (_V.event_id < last))
