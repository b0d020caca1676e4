"""Which Deliveries may be tried now: the conditions of the one query that claims them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, FromClause, Select, and_, exists, or_, select

from riskwatch.model import DeliveryState
from riskwatch.store.sql.tables_alerts import delivery, is_in, is_open, receiver_state

PROBE_FAILURES = 3  # in a row; from then on one Delivery at a time asks whether the Receiver is back
_S = receiver_state.c
_IS_FAILING = _S.consecutive_failures >= PROBE_FAILURES


def is_claimable(now: datetime, *, resting: Sequence[str] = ()) -> ColumnElement[bool]:
    """Return whether a Delivery is due, the first of its ordering_key, and its Receiver may be asked."""
    rests = select(_S.receiver_id).where(or_(_S.not_before > now, _S.breaker_until > now))
    failing = select(_S.receiver_id).where(_IS_FAILING)
    condition = and_(
        _is_first_due(delivery, now),
        delivery.c.receiver_id.not_in(rests),
        or_(delivery.c.receiver_id.not_in(failing), delivery.c.id.in_(_probes(now))),
    )
    return and_(condition, delivery.c.receiver_id.not_in(resting)) if resting else condition


def _is_first_due(rows: FromClause, now: datetime) -> ColumnElement[bool]:
    earlier = delivery.alias()
    waits = exists().where(
        earlier.c.ordering_key == rows.c.ordering_key, earlier.c.seq < rows.c.seq, is_open(earlier)
    )
    is_due = and_(rows.c.next_attempt_at <= now, rows.c.deadline_at > now)
    return and_(is_in(rows, DeliveryState.PENDING), is_due, ~waits)


def _probes(now: datetime) -> Select[tuple[str]]:
    """Return one Delivery of each failing Receiver that is not being asked already."""
    sent, first = delivery.alias(), delivery.alias()
    is_asked = exists().where(
        sent.c.receiver_id == _S.receiver_id, is_open(sent), is_in(sent, DeliveryState.SENDING)
    )
    probe = (
        select(first.c.id)
        .where(first.c.receiver_id == _S.receiver_id, is_open(first), _is_first_due(first, now))  # its index
        .order_by(first.c.next_attempt_at, first.c.id)
        .limit(1)
        .correlate(receiver_state)
        .scalar_subquery()
    )
    return select(probe).where(_IS_FAILING, ~is_asked)
