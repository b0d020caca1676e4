"""Receivers, their states, and Schedules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, delete, select, update

from riskwatch.errors import NotFound
from riskwatch.model import ReceiverState, Schedule, StoredReceiver
from riskwatch.store.sql.session import Part, Session, flat
from riskwatch.store.sql.tables_alerts import receiver, receiver_state, schedule


class SqlSchedules:
    """The part of the OutboxStore that says to whom, and when."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def save_receiver(self, one: StoredReceiver) -> None:
        """Insert or replace."""
        if self._session.replace_differing(receiver, [flat(one) | {"config": dict(one.config)}]):
            self._session.changed(Part.OUTBOX)

    def receivers(self) -> Sequence[StoredReceiver]:
        """Return all, by id."""
        rows = self._session.read(select(receiver).order_by(receiver.c.id))
        return tuple(StoredReceiver(**row._mapping) for row in rows)

    def delete_receiver(self, receiver_id: str) -> None:
        """Forget one and its state; raises NotFound. Its Deliveries stay."""
        if not self._session.run(delete(receiver).where(receiver.c.id == receiver_id)).rowcount:
            raise NotFound("receiver", receiver_id, "the listing of receivers has them")
        self._session.run(delete(receiver_state).where(receiver_state.c.receiver_id == receiver_id))
        self._session.changed(Part.OUTBOX)

    def receiver_states(self) -> Mapping[str, ReceiverState]:
        """Return Receiver id -> state."""
        rows = self._session.read_to_change(select(receiver_state).order_by(receiver_state.c.receiver_id))
        return {row.receiver_id: ReceiverState(**row._mapping) for row in rows}

    def save_receiver_state(self, state: ReceiverState) -> None:
        """Insert or replace."""
        if self._session.replace_differing(receiver_state, [flat(state)]):
            self._session.changed(Part.OUTBOX)

    def schedules(self) -> Sequence[Schedule]:
        """Return all, by id."""
        rows = self._session.read_to_change(select(schedule).order_by(schedule.c.id))
        return tuple(map(_schedule, rows))

    def save_schedule(self, one: Schedule) -> None:
        """Insert or replace by id."""
        row = flat(one) | {"days": list(one.days), "unsubscribed": list(one.unsubscribed)}
        if self._session.replace_differing(schedule, [row]):
            self._session.changed(Part.OUTBOX)

    def delete_schedule(self, schedule_id: str) -> None:
        """Forget one; raises NotFound."""
        if not self._session.run(delete(schedule).where(schedule.c.id == schedule_id)).rowcount:
            raise NotFound("schedule", schedule_id, "the listing of digests has them")
        self._session.changed(Part.OUTBOX)

    def advance_schedule(
        self,
        schedule_id: str,
        *,
        rev: int,
        next_due_at: datetime,
        next_period: date,
        done: date,
        now: datetime,
    ) -> bool:
        """Claim a due period: set the next one, last_period = done, window_start_at = now, rev + 1.

        False when another process was first (rev differs).
        """
        mine = update(schedule).where(schedule.c.id == schedule_id, schedule.c.rev == rev)
        claimed = self._session.run(
            mine.values(
                next_due_at=next_due_at,
                next_period=next_period,
                last_period=done,
                window_start_at=now,
                rev=rev + 1,
            )
        )
        if claimed.rowcount:
            self._session.changed(Part.OUTBOX)
        return bool(claimed.rowcount)


def _schedule(row: Row[Any]) -> Schedule:
    return Schedule(**{**row._mapping, "days": tuple(row.days), "unsubscribed": tuple(row.unsubscribed)})
