"""Snapshots and methodologies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import CTE, ColumnElement, Row, Select, func, select, true

from riskwatch.errors import Conflict
from riskwatch.model import Score, Snapshot
from riskwatch.store.sql.codec import decode, encode
from riskwatch.store.sql.session import Session, chunks
from riskwatch.store.sql.tables import methodology, snapshot

_S = snapshot.c
_READ = select(_S.id, _S.cause, _S.recorded_at, _S.body)
_NEWEST_FIRST = (_S.as_of.desc(), _S.recorded_at.desc(), _S.id.desc())


class SqlScores:
    """The ScoreStore on one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add_snapshots(self, snapshots: Sequence[Snapshot]) -> None:
        """Append Snapshots; one of the same (subject, result_id, cause, UTC day of as_of) is not doubled."""
        statement = self._session.insert(snapshot).on_conflict_do_nothing().returning(_S.id)
        for part in chunks(snapshots):
            if self._session.run(statement, [_row(one) for one in part]).first() is not None:
                self._session.changed()

    def latest(self, subject: str, *, known_at: datetime | None = None) -> Snapshot | None:
        """Return the newest Snapshot of a Subject by (score.as_of, recorded_at)."""
        query = _READ.where(_S.subject == subject, _known(known_at)).order_by(*_NEWEST_FIRST).limit(1)
        row = self._session.read(query).first()
        return None if row is None else _snapshot(row)

    def latest_all(self, *, known_at: datetime | None = None) -> Mapping[str, Snapshot]:
        """Return Subject id -> newest Snapshot; one index look-up per Subject."""
        subjects = _subjects()
        newest = snapshot.alias()
        id_ = (
            select(newest.c.id)
            .where(newest.c.subject == subjects.c.subject)
            .where(true() if known_at is None else newest.c.recorded_at <= known_at)
            .order_by(newest.c.as_of.desc(), newest.c.recorded_at.desc(), newest.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = _READ.add_columns(_S.subject).where(_S.id.in_(select(id_).select_from(subjects)))
        return {row.subject: _snapshot(row) for row in self._session.read(query.order_by(_S.subject))}

    def history(self, subject: str, *, since: datetime, until: datetime) -> Sequence[Snapshot]:
        """Return Snapshots with as_of in [since, until], oldest first."""
        query = _READ.where(_S.subject == subject, _S.as_of.between(since, until))
        return tuple(map(_snapshot, self._session.read(query.order_by(_S.as_of, _S.recorded_at, _S.id))))

    def history_points(
        self, *, since: datetime, until: datetime, subject: str | None = None
    ) -> Mapping[str, Sequence[tuple[datetime, float | None]]]:
        """Return Subject id -> (as_of, points) of the Snapshots in the span, oldest first; no JSON."""
        query = select(_S.subject, _S.as_of, _S.points).where(_S.as_of.between(since, until))
        if subject is not None:
            query = query.where(_S.subject == subject)
        found: dict[str, list[tuple[datetime, float | None]]] = {}
        for row in self._session.read(query.order_by(_S.subject, _S.as_of, _S.recorded_at)):
            found.setdefault(row.subject, []).append((row.as_of, row.points))
        return {subject: tuple(points) for subject, points in found.items()}

    def save_methodology(self, *, version: int, digest: str, text: str, now: datetime) -> None:
        """Remember a methodology; raises Conflict when the version is known with another digest."""
        row = {"version": version, "digest": digest, "recorded_at": now, "text": text}
        statement = (
            self._session.insert(methodology).on_conflict_do_nothing().returning(methodology.c.version)
        )
        if self._session.run(statement, row).first() is not None:
            self._session.changed()
            return
        query = select(methodology.c.digest).where(methodology.c.version == version)
        if self._session.read(query).scalar_one() != digest:
            raise Conflict(
                f"methodology {version} is stored with another digest: give the changed one a new version"
            )

    def data_version(self) -> int:
        """Return a number that grows with every write that could change an answer."""
        return self._session.version()


def _known(known_at: datetime | None) -> ColumnElement[bool]:
    return true() if known_at is None else _S.recorded_at <= known_at


def _subjects() -> CTE:
    """Every Subject by hopping along the index: reading it whole would grow with the history."""
    first: Select[Any] = select(func.min(_S.subject, type_=_S.subject.type).label("subject"))
    hops = first.cte("subjects", recursive=True)
    after = (
        select(func.min(_S.subject, type_=_S.subject.type))
        .where(_S.subject > hops.c.subject)
        .scalar_subquery()
    )
    return hops.union_all(select(after).where(hops.c.subject.is_not(None)))


def _snapshot(row: Row[Any]) -> Snapshot:
    return Snapshot(id=row.id, score=decode(Score, row.body), cause=row.cause, recorded_at=row.recorded_at)


def _row(one: Snapshot) -> dict[str, Any]:
    return {
        "id": one.id,
        "subject": one.score.subject,
        "as_of": one.score.as_of,
        "day": one.score.as_of.astimezone(UTC).date().isoformat(),
        "result_id": one.score.result_id,
        "cause": one.cause,
        "points": one.score.points,
        "recorded_at": one.recorded_at,
        "body": encode(one.score),
    }
