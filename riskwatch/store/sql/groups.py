"""The groups in which Transitions wait for their Receivers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import bindparam, delete, select, update

from riskwatch.model import NotifyGroup, Transition
from riskwatch.store import DueGroup, Queued
from riskwatch.store.sql.codec import clean, decode
from riskwatch.store.sql.session import Session, chunks
from riskwatch.store.sql.tables_alerts import group_member, notify_group, transition

_MEMBER = ("transition_id", "route_id", "receiver_id")
_LONGEST_WAIT = timedelta(hours=1)  # more is a wait for active hours
_Member = tuple[str, str, str]
_G, _M, _T = notify_group.c, group_member.c, transition.c


def group_id(route_id: str, receiver_id: str, group_key: str) -> str:
    """Return the id of the group with this identity."""
    return "g" + sha256(clean(f"{route_id}\n{receiver_id}\n{group_key}").encode()).hexdigest()[:25]


class SqlGroups:
    """The part of the IncidentStore that lets Transitions wait."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def queue(self, queued: Sequence[Queued]) -> None:
        """Let Transitions wait, making groups as needed; the same (transition, route, receiver) is one.

        A group flushes at the earliest instant asked for, but not within interval_seconds of its last flush.
        """
        held = self._held({one.transition_id for one in queued})
        new = {key: one for one in reversed(queued) if (key := _member(one)) not in held}
        waiting: dict[str, dict[_Member, Queued]] = {}
        for key, one in new.items():
            id_ = group_id(one.route_id, one.receiver_id, one.group_key)
            waiting.setdefault(id_, {})[key] = one
        for part in chunks(sorted(waiting)):
            self._wake({id_: list(waiting[id_].values()) for id_ in part})
        rows = [
            {"group_id": id_, **dict(zip(_MEMBER, key, strict=True))}
            for id_, members in sorted(waiting.items())
            for key in members
        ]
        self._session.add(group_member, rows)

    def _held(self, transition_ids: Iterable[str]) -> set[_Member]:
        held: set[_Member] = set()
        for part in chunks(sorted(transition_ids)):
            query = select(_M.transition_id, _M.route_id, _M.receiver_id).where(_M.transition_id.in_(part))
            held.update(
                (row.transition_id, row.route_id, row.receiver_id) for row in self._session.read(query)
            )
        return held

    def _wake(self, waiting: Mapping[str, Sequence[Queued]]) -> None:
        """Make or find some groups, lock them, and set when they flush."""
        self._session.run(
            self._session.insert(notify_group).on_conflict_do_nothing(),
            [_blank(id_, of_group[0]) for id_, of_group in waiting.items()],
        )
        held = self._session.claim(select(notify_group).where(_G.id.in_(list(waiting))).order_by(_G.id))
        moved = [
            {"group": row.id, "at": at}
            for row in held
            if (at := min(_instants(row.flush_at, row.last_flush_at, waiting[row.id]))) != row.flush_at
        ]
        if moved:
            self._session.run(
                update(notify_group).where(_G.id == bindparam("group")).values(flush_at=bindparam("at")),
                moved,
            )

    def due_groups(self, *, now: datetime, limit: int) -> Sequence[DueGroup]:
        """Return and lock groups with flush_at <= now, by (flush_at, id), less those that another holds."""
        query = select(notify_group).where(_G.flush_at <= now).order_by(_G.flush_at, _G.id).limit(limit)
        groups = [NotifyGroup(**row._mapping) for row in self._session.claim(query, skip_locked=True)]
        members = self._members([group.id for group in groups])
        return tuple(DueGroup(group, tuple(members.get(group.id, ()))) for group in groups)

    def _members(self, group_ids: Sequence[str]) -> Mapping[str, Sequence[Transition]]:
        found: dict[str, list[Transition]] = {}
        for part in chunks(group_ids):
            query = select(_M.group_id, _T.body).join(transition, _T.id == _M.transition_id)
            rows = self._session.read(query.where(_M.group_id.in_(part)).order_by(_T.occurred_at, _T.id))
            for row in rows:
                found.setdefault(row.group_id, []).append(decode(Transition, row.body))
        return found

    def clamp(self, *, now: datetime) -> int:
        """After the clock went back: groups that wait since an instant which now lies ahead wait from now."""
        late = self._session.claim(select(_G.id, _G.flush_at).where(_G.flush_at > now).order_by(_G.id)).all()
        members = self._members([row.id for row in late])
        moved = []
        for row in late:
            since = min((one.occurred_at for one in members.get(row.id, ())), default=now)
            at = _clamped(row.flush_at, since, now) if since > now else row.flush_at
            if at != row.flush_at:
                moved.append({"group": row.id, "at": at})
        if moved:
            self._session.run(
                update(notify_group).where(_G.id == bindparam("group")).values(flush_at=bindparam("at")),
                moved,
            )
        return len(moved)

    def flushed(self, group_ids: Sequence[str], *, now: datetime) -> None:
        """Empty groups: generation + 1, last_flush_at = now, flush_at = None, members forgotten."""
        for part in chunks(sorted(set(group_ids))):
            done = update(notify_group).where(_G.id.in_(part))
            self._session.run(done.values(generation=_G.generation + 1, last_flush_at=now, flush_at=None))
            self._session.run(delete(group_member).where(_M.group_id.in_(part)))


def _clamped(flush_at: datetime, since: datetime, now: datetime) -> datetime:
    """Return when a group flushes that began to wait at an instant which now lies ahead."""
    wait = flush_at - since
    return now + wait if timedelta(0) <= wait <= _LONGEST_WAIT else flush_at  # less than 0: moved before


def _member(one: Queued) -> _Member:
    return one.transition_id, one.route_id, one.receiver_id


def _blank(id_: str, one: Queued) -> dict[str, object]:
    return {
        "id": id_,
        "route_id": one.route_id,
        "receiver_id": one.receiver_id,
        "group_key": one.group_key,
        "generation": 0,
    }


def _instants(
    waiting_for: datetime | None, last: datetime | None, queued: Iterable[Queued]
) -> Iterable[datetime]:
    if waiting_for is not None:
        yield waiting_for
    for one in queued:
        interval = timedelta(seconds=one.interval_seconds)
        # a last flush that lies ahead was made by a clock since set back: one interval is the most to wait
        yield (
            one.flush_at if last is None else min(max(one.flush_at, last + interval), one.flush_at + interval)
        )
