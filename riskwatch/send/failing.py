"""What is said about a failing Receiver over another one, and the one message that ends its backlog."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from riskwatch.errors import DeliveryError
from riskwatch.model import AttemptOutcome, Delivery, DeliveryState, Purpose, ReceiverState
from riskwatch.send.classify import Scope
from riskwatch.send.message import (
    PAYLOAD_VERSION,
    Alert,
    AlertMessage,
    Message,
    OverflowMessage,
    SystemMessage,
    read,
)
from riskwatch.send.receiver import Receiver
from riskwatch.send.retry import BREAKER_FAILURES
from riskwatch.send.system import FIRST_CHOICES, deliveries

LONG_OUTAGE = timedelta(minutes=30)
_TOLD_AGAIN = timedelta(hours=6)
_MOST_ALERTS, _GRAVEST = 20, 10  # as in a flush: more of them become a summary
_ABOUT_INCIDENTS = (Purpose.ALERT, Purpose.UPDATE, Purpose.CORRECTION, Purpose.RESOLVED)


# -------------------------------------------------------------------------------- a failing Receiver
def is_to_be_told(
    delivery: Delivery, error: DeliveryError, *, before: ReceiverState, after: ReceiverState, now: datetime
) -> bool:
    """Return whether people must hear of the failure: at most once in 6 h, never about a system message."""
    if delivery.purpose in (Purpose.SYSTEM, Purpose.TEST):
        return False
    if after.told_at is not None and now - after.told_at < _TOLD_AGAIN:
        return False
    is_switched_off = after.disabled_reason is not None and before.disabled_reason is None
    is_refusal = error.scope == Scope.RECEIVER and error.outcome == AttemptOutcome.PERMANENT
    is_long = after.failing_since is not None and now - after.failing_since >= LONG_OUTAGE
    return is_switched_off or is_refusal or is_long


def channel_for(
    failing: Receiver, receivers: Mapping[str, Receiver], states: Mapping[str, ReceiverState]
) -> Receiver | None:
    """Return a working Receiver of another kind, or None: what fails cannot carry the news of it."""
    for kind in FIRST_CHOICES:
        for id_ in sorted(receivers):
            state = states.get(id_, ReceiverState(id_))
            works = state.disabled_reason is None and state.consecutive_failures < BREAKER_FAILURES
            if kind != failing.kind and receivers[id_].kind == kind and works:
                return receivers[id_]
    return None


def news(
    failing: Receiver, state: ReceiverState, *, over: Receiver, now: datetime, ids: Iterable[str]
) -> tuple[Delivery, ...]:
    """Return the messages that tell of a failing Receiver, one a recipient of another one."""
    is_off = state.disabled_reason is not None
    since = state.failing_since or now
    message = SystemMessage(
        title=f"Receiver {failing.id} {'was switched off' if is_off else 'is failing'}",
        lines=(
            f"Kind: {failing.kind}. Failing since {since:%Y-%m-%d %H:%M} UTC.",
            f"Failures in a row: {state.consecutive_failures}",
            f"Last answer: {state.last_error or 'none'}",
            "Nothing is sent to it until it is switched on again; its messages wait until their deadline."
            if is_off
            else "It is asked again at growing intervals; its messages wait until their deadline.",
        ),
        as_of=now,
    )
    period = int(now.timestamp() // _TOLD_AGAIN.total_seconds())  # two processes at once tell one thing
    return deliveries(message, over=over, key=f"{failing.id}:{period}", now=now, ids=ids)


# -------------------------------------------------------------------------------- its backlog
def backlogs(rows: Iterable[Delivery]) -> list[list[Delivery]]:
    """Return what waits, by recipient, where it is more than one message about incidents.

    Webhooks keep theirs: a machine wants every step. A row that may have arrived is repeated as it was.
    """
    found: dict[str, list[Delivery]] = {}
    for row in rows:
        is_ours = row.kind != "webhook" and row.purpose in _ABOUT_INCIDENTS
        if is_ours and row.state is DeliveryState.PENDING and row.last_outcome != AttemptOutcome.AMBIGUOUS:
            found.setdefault(row.recipient, []).append(row)
    return [rows_ for rows_ in found.values() if len(rows_) > 1]


def catch_up(rows: Sequence[Delivery], *, now: datetime, new_id: str) -> Delivery:
    """Return the one message that stands for a recipient's backlog; it goes out before what came later."""
    first = rows[0]
    return replace(
        first,
        id=new_id,
        idempotency_key=f"c:{new_id}",
        ordering_key=f"catch-up:{first.receiver_id}:{first.recipient}",
        purpose=rows[0].purpose if len({row.purpose for row in rows}) == 1 else Purpose.ALERT,
        payload=_together([read(row.payload, row.payload_version) for row in rows]),
        payload_version=PAYLOAD_VERSION,
        created_at=now,
        deadline_at=max(row.deadline_at for row in rows),
        next_attempt_at=min(row.created_at for row in rows),
        state=DeliveryState.PENDING,
        attempts=0,
        series=1,
        last_outcome=None,
        is_plain=False,
        incident_ids=tuple(sorted({id_ for row in rows for id_ in row.incident_ids})),
        transition_ids=tuple(sorted({id_ for row in rows for id_ in row.transition_ids})),
    )


def _together(messages: Sequence[Message]) -> dict[str, object]:
    alerts: list[Alert] = []
    for message in messages:
        if isinstance(message, AlertMessage):
            alerts += message.alerts
        elif isinstance(message, OverflowMessage):
            alerts += message.gravest
    alerts.sort(key=lambda alert: (-alert.severity.rank, alert.as_of, alert.transition_id))
    summaries = [message for message in messages if isinstance(message, OverflowMessage)]
    if not summaries and len(alerts) <= _MOST_ALERTS:
        return AlertMessage(alerts=tuple(alerts)).model_dump(mode="json")
    known = [a for message in messages if isinstance(message, AlertMessage) for a in message.alerts]
    steps, severities = Counter(str(a.step) for a in known), Counter(str(a.severity) for a in known)
    for summary in summaries:
        steps.update(summary.by_step)
        severities.update(summary.by_severity)
    vendors = {alert.subject.partition("/")[0] for alert in alerts}
    return OverflowMessage(
        total=len(known) + sum(summary.total for summary in summaries),
        vendors=max(len(vendors), *(summary.vendors for summary in summaries), 0),
        by_step=dict(steps),
        by_severity=dict(severities),
        gravest=tuple(alerts[:_GRAVEST]),
    ).model_dump(mode="json")
