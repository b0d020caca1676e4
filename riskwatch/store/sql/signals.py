"""Signals: appended, superseded, never rewritten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, Select, func, select, update

from riskwatch.model import Signal
from riskwatch.store.sql.codec import decode, encode
from riskwatch.store.sql.session import Session, chunks, ended, known
from riskwatch.store.sql.tables import signal

_READ = select(signal.c.recorded_at, signal.c.body)
_LIVE = signal.c.superseded_at.is_(None)


class SqlSignals:
    """The part of the EventStore that keeps Signals."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add_signals(
        self, found: Mapping[tuple[str, int], Sequence[Signal]], *, now: datetime
    ) -> Sequence[tuple[str, str]]:
        """Store Signals by (Article id, revision); other live ones of these Articles become superseded.

        Also those of the same revision, which another ruleset found. A revision older than one with live
        Signals changes nothing. Returns the (vendor, type) pairs of all Signals that were live or are now.
        """
        touched = {(one.vendor, one.type) for signals in found.values() for one in signals}
        for part in chunks(found):
            held = self._live(article_id for article_id, _ in part)
            touched.update((row.vendor, row.type) for rows in held.values() for row in rows)
            stale, fresh = list[int](), list[dict[str, Any]]()
            for article_id, revision in part:
                rows = held.get(article_id, ())
                if all(row.revision <= revision for row in rows):
                    old, new = _compared(rows, found[article_id, revision])
                    stale += old
                    fresh += [_row(one, body, article_id=article_id, now=now) for one, body in new]
            self._replace(stale, fresh, now)
        return tuple(sorted(touched))

    def _live(self, article_ids: Iterable[str]) -> dict[str, list[Row[Any]]]:
        columns = ("seq", "id", "article_id", "revision", "vendor", "type", "body")
        query = select(*(signal.c[name] for name in columns)).where(
            signal.c.article_id.in_(list(article_ids)), _LIVE
        )
        held: dict[str, list[Row[Any]]] = {}
        for row in self._session.read(query):
            held.setdefault(row.article_id, []).append(row)
        return held

    def _replace(self, stale: Sequence[int], fresh: Sequence[dict[str, Any]], now: datetime) -> None:
        for part in chunks(stale):
            at = ended(signal.c.recorded_at, now)
            self._session.run(update(signal).where(signal.c.seq.in_(part)).values(superseded_at=at))
        self._session.add(signal, fresh)
        if stale or fresh:
            self._session.changed()

    def signals(
        self, vendor: str, *, types: Sequence[str] = (), known_at: datetime | None = None
    ) -> Sequence[Signal]:
        """Return the Signals of a vendor in force (at known_at), sorted by (told_at, text_key, start, id)."""
        query = _READ.where(
            signal.c.vendor == vendor, known(signal.c.recorded_at, signal.c.superseded_at, known_at)
        )
        if types:
            query = query.where(signal.c.type.in_(types))
        order = (signal.c.told_at, signal.c.text_key, signal.c.start, signal.c.id)
        return self._found(query.order_by(*order))

    def signals_of_article(self, article_id: str) -> Sequence[Signal]:
        """Return the Signals of an Article's newest revision, sorted by (field, start, id)."""
        query = _READ.where(signal.c.article_id == article_id, _LIVE)
        return self._found(query.order_by(signal.c.field, signal.c.start, signal.c.id))

    def signals_by_id(self, signal_ids: Sequence[str]) -> Mapping[str, Signal]:
        """Return Signals by id as last stored, superseded ones too."""
        found: dict[str, Signal] = {}
        for part in chunks(dict.fromkeys(signal_ids)):
            newest = select(func.max(signal.c.seq)).where(signal.c.id.in_(part)).group_by(signal.c.id)
            query = _READ.where(signal.c.seq.in_(newest)).order_by(signal.c.id)
            found.update({one.id: one for one in self._found(query)})
        return found

    def _found(self, query: Select[Any]) -> Sequence[Signal]:
        return tuple(map(_signal, self._session.read(query)))


def _signal(row: Row[Any]) -> Signal:
    return _read_signal(row.body, row.recorded_at)


@lru_cache(maxsize=8192)  # a partition is read again with every batch that touches it
def _read_signal(body: str, recorded_at: datetime) -> Signal:
    return decode(Signal, body, recorded_at=recorded_at)


def _compared(
    held: Sequence[Row[Any]], signals: Sequence[Signal]
) -> tuple[list[int], list[tuple[Signal, str]]]:
    """Return which stored rows are no longer found, and which Signals are not stored as they are."""
    bodies = {one.id: (one, encode(one, without=("recorded_at",))) for one in signals}
    same = {row.id for row in held if row.id in bodies and bodies[row.id][1] == row.body}
    stale = [row.seq for row in held if row.id not in same]
    return stale, [pair for id_, pair in bodies.items() if id_ not in same]


def _row(one: Signal, body: str, *, article_id: str, now: datetime) -> dict[str, Any]:
    return {
        "id": one.id,
        "article_id": article_id,
        "revision": one.revision,
        "vendor": one.vendor,
        "type": one.type,
        "told_at": one.told_at,
        "text_key": one.text_key,
        "field": one.evidence.field,
        "start": one.evidence.start,
        "recorded_at": one.recorded_at or now,
        "body": body,
    }
