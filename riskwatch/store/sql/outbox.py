"""Deliveries: adding, claiming, settling, and what becomes of those that nobody settles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from riskwatch.errors import NotFound
from riskwatch.model import Attempt, AttemptOutcome, Delivery, DeliveryHealth, DeliveryState, Purpose
from riskwatch.store import DeliveryFilter, Settled
from riskwatch.store.sql.due import is_claimable
from riskwatch.store.sql.schedules import SqlSchedules
from riskwatch.store.sql.session import Part, chunks, flat
from riskwatch.store.sql.tables_alerts import (
    delivery,
    delivery_attempt,
    delivery_incident,
    is_in,
    is_open,
    receiver_state,
)

_D, _A, _S = delivery.c, delivery_attempt.c, receiver_state.c
_READ = [delivery.c[field.name] for field in fields(Delivery)]
_ATTEMPT = [delivery_attempt.c[field.name] for field in fields(Attempt)]
_TRY = insert(delivery_attempt)
_FREE = {"lease_token": None, "leased_at": None, "lease_until": None}
_MOVES: Mapping[str, tuple[tuple[DeliveryState, ...], DeliveryState]] = {
    "redrive": ((DeliveryState.DEAD,), DeliveryState.PENDING),
    "release": ((DeliveryState.HELD,), DeliveryState.PENDING),
    "cancel": ((DeliveryState.PENDING, DeliveryState.HELD, DeliveryState.DEAD), DeliveryState.CANCELLED),
    "collapse": ((DeliveryState.PENDING,), DeliveryState.COLLAPSED),
    "fold": ((DeliveryState.PENDING,), DeliveryState.EXPIRED),
}
_SETTLE = (  # built once: building it takes longer than running it
    update(delivery)
    .where(
        _D.id == bindparam("of"), is_in(delivery, DeliveryState.SENDING), _D.lease_token == bindparam("token")
    )
    .values(
        _FREE
        | {name: bindparam(name) for name in ("state", "next_attempt_at", "waits_since", "last_outcome")}
        | {
            name: func.coalesce(bindparam(name, type_=_D[name].type), _D[name])
            for name in ("delivered_at", "provider_ref")
        }
        | {"is_plain": or_(_D.is_plain, bindparam("is_plain", type_=_D.is_plain.type))}
        | {"attempts": _D.attempts - bindparam("refund")}
    )
)


class SqlOutbox(SqlSchedules):
    """The OutboxStore on one transaction."""

    def add_deliveries(self, deliveries: Sequence[Delivery]) -> Sequence[str]:
        """Insert those of a new idempotency_key, giving the next seq of its ordering_key; return ids."""
        self._session.lock("deliveries")  # two that add to one ordering_key at once must not take one seq
        batch: dict[str, Delivery] = {}
        for one in deliveries:
            batch.setdefault(one.idempotency_key, one)
        held = self._column(_D.idempotency_key, batch)
        new = [one for key, one in batch.items() if key not in held]
        last = self._last_seqs({one.ordering_key for one in new})
        rows = []
        for one in new:
            last[one.ordering_key] = last.get(one.ordering_key, 0) + 1
            rows.append(_row(one, seq=last[one.ordering_key]))
        with self._session.refusing("a delivery of that id is stored already"):
            self._session.add(delivery, rows)
        links = {(incident_id, one.id) for one in new for incident_id in one.incident_ids}
        self._session.add(delivery_incident, [{"incident_id": i, "delivery_id": d} for i, d in sorted(links)])
        if new:
            self._session.changed(Part.OUTBOX)
        return tuple(one.id for one in new)

    def _column(self, column: ColumnElement[Any], values: Iterable[str]) -> set[str]:
        found: set[str] = set()
        for part in chunks(sorted(values)):
            found.update(self._session.read(select(column).where(column.in_(part))).scalars())
        return found

    def _last_seqs(self, ordering_keys: Iterable[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for part in chunks(sorted(ordering_keys)):
            query = select(_D.ordering_key, func.max(_D.seq).label("seq")).where(_D.ordering_key.in_(part))
            found.update({r.ordering_key: r.seq for r in self._session.read(query.group_by(_D.ordering_key))})
        return found

    def claim(
        self, *, now: datetime, limit: int, token: str, lease_seconds: float, resting: Sequence[str] = ()
    ) -> Sequence[Delivery]:
        """Lease due pending Deliveries, oldest (next_attempt_at, id) first, and return them as `sending`.

        Left out: those past their deadline, those of `resting` Receivers, those of a Receiver whose
        not_before or breaker_until lies ahead, and those with an earlier open seq of their ordering_key.
        A Receiver with 3 or more consecutive failures gives one row only (the probe), and none while one of
        its rows is being sent.
        """
        query = select(_D.id).where(is_claimable(now, resting=resting))
        query = query.order_by(_D.next_attempt_at, _D.id).limit(limit)
        ids = self._session.claim(query, skip_locked=True).scalars().all()
        lease = update(delivery).values(
            state=str(DeliveryState.SENDING),
            attempts=_D.attempts + 1,
            lease_token=token,
            leased_at=now,
            lease_until=now + timedelta(seconds=lease_seconds),
        )
        rows: list[Row[Any]] = []
        for part in chunks(ids):
            rows += self._session.run(lease.where(_D.id.in_(part)).returning(*_READ))
        if ids:
            self._session.changed(Part.OUTBOX)
        return tuple(sorted(map(_delivery, rows), key=lambda one: (one.next_attempt_at or now, one.id)))

    def is_held(self, delivery_id: str, *, token: str, now: datetime) -> bool:
        """Whether the lease still stands."""
        held = and_(is_in(delivery, DeliveryState.SENDING), _D.lease_token == token, _D.lease_until > now)
        query = select(_D.id).where(_D.id == delivery_id, held)
        return self._session.read(query).first() is not None

    def settle(self, delivery_id: str, *, token: str, settled: Settled) -> bool:
        """Write the result and the Attempt if the lease is still ours; else change nothing, return False.

        A row that goes back to pending without next_attempt_at is due at once.
        """
        tried = settled.attempt
        is_pending = settled.state == DeliveryState.PENDING
        values = {
            "of": delivery_id,
            "token": token,
            "state": str(settled.state),
            "next_attempt_at": (settled.next_attempt_at or tried.ended_at) if is_pending else None,
            "waits_since": tried.ended_at if is_pending else None,
            "last_outcome": str(tried.outcome),
            "delivered_at": tried.ended_at if settled.state == DeliveryState.DELIVERED else None,
            "provider_ref": settled.provider_ref,
            "is_plain": settled.is_plain,
            "refund": int(settled.refund),
        }
        if not self._session.run(_SETTLE, values).rowcount:
            return False
        self._session.run(_TRY, _tried(tried))
        self._session.changed(Part.OUTBOX)
        return True

    def reap(self, *, now: datetime) -> int:
        """Give rows whose lease ran out back to pending, with an `ambiguous` Attempt; return how many.

        A Slack row whose outcome was unclear once before in its series becomes dead instead, and so does a
        test, which has one try only.
        """
        before = exists().where(
            _A.delivery_id == _D.id, _A.series == _D.series, _A.outcome == str(AttemptOutcome.AMBIGUOUS)
        )
        is_last = or_(_D.purpose == str(Purpose.TEST), and_(_D.kind == "slack", before))
        query = select(_D.id, _D.series, _D.attempts, _D.leased_at, is_last.label("is_last"))
        late = query.where(is_in(delivery, DeliveryState.SENDING), _D.lease_until <= now).order_by(_D.id)
        rows = self._session.claim(late, skip_locked=True).all()
        self._session.add(delivery_attempt, [_tried(_lost(row, now)) for row in rows])
        for is_dead in (False, True):
            self._set(
                [row.id for row in rows if bool(row.is_last) is is_dead],
                _FREE
                | {"last_outcome": str(AttemptOutcome.AMBIGUOUS)}
                | (_ended(DeliveryState.DEAD) if is_dead else _waiting(now)),
            )
        return len(rows)

    def expire(self, *, now: datetime) -> Sequence[str]:
        """Set open rows past their deadline (not leased) to expired; return their ids, sorted."""
        states = (DeliveryState.PENDING, DeliveryState.HELD)
        late = or_(*(is_in(delivery, state) for state in states))
        query = select(_D.id).where(late, _D.deadline_at <= now).order_by(_D.id)
        ids = self._session.claim(query, skip_locked=True).scalars().all()
        self._set(ids, _ended(DeliveryState.EXPIRED))
        return tuple(ids)

    def clamp(self, *, now: datetime, longest_wait_seconds: float, lease_seconds: float) -> int:
        """After a jump of the clock: pull next_attempt_at and lease_until back inside their limits.

        A wait that began at an instant which now lies ahead begins now; whatever a Receiver asked for is
        forgotten, its next answer says it anew. Returns how many Deliveries were moved.
        """
        longest, lease = timedelta(seconds=longest_wait_seconds), timedelta(seconds=lease_seconds)
        self.receiver_states()  # locked before any Delivery, as by one who settles: nobody waits in a ring
        for column in (_S.not_before, _S.breaker_until):
            self._session.run(update(receiver_state).where(column > now).values({column.name: now}))
        query = select(_D.id, _D.next_attempt_at, _D.waits_since).where(
            is_in(delivery, DeliveryState.PENDING)
        )
        wrong = query.where(or_(_D.next_attempt_at > now + longest, _D.waits_since > now)).order_by(_D.id)
        rows = self._session.claim(wrong).all()
        for row in rows:
            wait = row.next_attempt_at - (row.waits_since or now)
            at = now + min(max(wait, timedelta(0)), longest)
            self._set([row.id], {"next_attempt_at": at, "waits_since": now})
        far = select(_D.id).where(is_in(delivery, DeliveryState.SENDING), _D.lease_until > now + lease)
        leased = self._session.claim(far.order_by(_D.id)).scalars().all()
        self._set(leased, {"lease_until": now + lease})
        return len(rows) + len(leased)

    def delivery(self, delivery_id: str) -> Delivery:
        """Return one; raises NotFound."""
        row = self._session.read(select(*_READ).where(_D.id == delivery_id)).first()
        if row is None:
            raise NotFound("delivery", delivery_id, "the listing of deliveries has them")
        return _delivery(row)

    def deliveries(self, where: DeliveryFilter) -> Sequence[Delivery]:
        """Return one page, newest first."""
        query = select(*_READ).where(*_conditions(where)).order_by(_D.created_at.desc(), _D.id.desc())
        return tuple(map(_delivery, self._session.read(query.limit(where.limit))))

    def open_deliveries(self, *, receiver_id: str | None = None) -> Sequence[Delivery]:
        """Return pending, sending and held rows, by (created_at, id)."""
        query = select(*_READ).where(is_open(delivery))
        if receiver_id is not None:
            query = query.where(_D.receiver_id == receiver_id)
        # sorted here: for an ORDER BY, SQLite would walk an index over all that was ever sent
        return tuple(sorted(map(_delivery, self._session.read(query)), key=lambda d: (d.created_at, d.id)))

    def attempts(self, delivery_id: str) -> Sequence[Attempt]:
        """Return the tries, by (series, n)."""
        query = select(*_ATTEMPT).where(_A.delivery_id == delivery_id).order_by(_A.series, _A.n, _A.id)
        return tuple(
            Attempt(**{**row._mapping, "outcome": AttemptOutcome(row.outcome)})
            for row in self._session.read(query)
        )

    def move(
        self, delivery_ids: Sequence[str], *, state: str, now: datetime, deadline_at: datetime | None = None
    ) -> Sequence[str]:
        """Let a person or a job change states; return the ids that moved, sorted.

        redrive: dead -> pending (series + 1, attempts 0); release: held -> pending; cancel: pending, held or
        dead -> cancelled; collapse: pending -> collapsed; fold: pending -> expired. Others stay as they are.
        """
        origins, target = _MOVES[state]
        values = _waiting(now) if target == DeliveryState.PENDING else _ended(target)
        if state == "redrive":
            values |= {"series": _D.series + 1, "attempts": 0}
        if deadline_at is not None:
            values["deadline_at"] = deadline_at
        return self._set(delivery_ids, values, among=origins)

    def _set(
        self, ids: Iterable[str], values: Mapping[str, Any], *, among: Sequence[DeliveryState] = ()
    ) -> Sequence[str]:
        moved: list[str] = []
        allowed = _D.state.in_([str(state) for state in among]) if among else true()
        for part in chunks(sorted(set(ids))):
            changed = update(delivery).where(_D.id.in_(part), allowed).values(values)
            moved += self._session.run(changed.returning(_D.id)).scalars()
        if moved:
            self._session.changed(Part.OUTBOX)
        return tuple(sorted(moved))

    def delivery_health(self, *, now: datetime) -> DeliveryHealth:
        """Return since when the oldest claimable row waits, and the rows by kind and state."""
        due = select(func.min(_D.next_attempt_at, type_=_D.next_attempt_at.type))
        oldest = self._session.read(due.where(is_claimable(now))).scalar()
        counted = select(_D.kind, _D.state, func.count().label("rows")).group_by(_D.kind, _D.state)
        rows = self._session.read(counted.order_by(_D.kind, _D.state))
        return DeliveryHealth(oldest, {(row.kind, row.state): row.rows for row in rows})

    def version(self) -> int:
        """Return a number that grows with every write of receivers, Schedules and Deliveries."""
        return self._session.version(Part.OUTBOX)


def _waiting(now: datetime) -> dict[str, Any]:
    return {"state": str(DeliveryState.PENDING), "next_attempt_at": now, "waits_since": now}


def _ended(state: DeliveryState) -> dict[str, Any]:
    return {"state": str(state), "next_attempt_at": None, "waits_since": None}


def _tried(one: Attempt) -> dict[str, Any]:
    return flat(one) | {"outcome": str(one.outcome)}


def _lost(row: Row[Any], now: datetime) -> Attempt:
    """Return the Attempt of a worker that did not report back."""
    started_at = min(row.leased_at, now)
    return Attempt(
        delivery_id=row.id,
        series=row.series,
        n=row.attempts,
        started_at=started_at,
        ended_at=now,
        outcome=AttemptOutcome.AMBIGUOUS,
        code="lease_expired",
        detail="the worker did not report back before its lease ended",
        latency_ms=int((now - started_at) / timedelta(milliseconds=1)),
    )


def _row(one: Delivery, *, seq: int) -> dict[str, Any]:
    is_pending = one.state == DeliveryState.PENDING
    return {
        **flat(one),
        "seq": seq,
        "purpose": str(one.purpose),
        "state": str(one.state),
        "next_attempt_at": (one.next_attempt_at or one.created_at) if is_pending else None,
        "waits_since": one.created_at if is_pending else None,
        "leased_at": None,
        "payload": dict(one.payload),
    }


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        **{
            **row._mapping,
            "purpose": Purpose(row.purpose),
            "state": DeliveryState(row.state),
            "incident_ids": tuple(row.incident_ids),
            "transition_ids": tuple(row.transition_ids),
        }
    )


def _conditions(where: DeliveryFilter) -> Iterable[ColumnElement[bool]]:
    if where.states:
        yield _D.state.in_([str(state) for state in where.states])
    if where.receiver_id is not None:
        yield _D.receiver_id == where.receiver_id
    if where.purpose is not None:
        yield _D.purpose == str(where.purpose)
    if where.incident_id is not None:
        told = select(delivery_incident.c.delivery_id).where(
            delivery_incident.c.incident_id == where.incident_id
        )
        yield _D.id.in_(told)
    if where.after is not None:
        created_at, last = where.after
        yield or_(_D.created_at < created_at, and_(_D.created_at == created_at, _D.id < last))
