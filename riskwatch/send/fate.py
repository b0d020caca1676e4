"""One failed try → what becomes of its Delivery, and what is remembered of its Receiver."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from riskwatch.errors import DeliveryError
from riskwatch.model import AttemptOutcome, Delivery, DeliveryState, Purpose, ReceiverState
from riskwatch.send.classify import (
    INTERNAL,
    Scope,
    asks_for_plain_text,
    knows_repeats,
    patience,
    tries_before_dead,
)
from riskwatch.send.retry import LONGEST_REST_SECONDS, after_failure, next_attempt_at

_RATE_LIMITED = "429"


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a Delivery: pending or dead."""

    state: DeliveryState
    receiver: ReceiverState
    next_attempt_at: datetime | None = None  # None: dead
    is_plain: bool = False


def fate_of(
    delivery: Delivery,
    error: DeliveryError,
    receiver: ReceiverState,
    *,
    now: datetime,
    jitter: float,
    was_unclear: bool,
) -> Fate:
    """Return the consequences of a failed try.

    Args:
        delivery: As it was claimed, this try counted.
        error: How the try ended.
        receiver: What was known before.
        now: End of the try.
        jitter: Where in the spread of a wait, 0 to 1.
        was_unclear: An earlier try of the series ended so that nobody knows whether it arrived.
    """
    at = next_attempt_at(
        delivery.kind, tries=delivery.attempts, jitter=jitter, now=now, deadline_at=delivery.deadline_at
    )
    after = _receiver_after(delivery, error, receiver, now=now, jitter=jitter)
    if error.code == _RATE_LIMITED or error.retry_after_seconds is not None:
        longest = now + timedelta(seconds=LONGEST_REST_SECONDS)
        asked = now + timedelta(seconds=error.retry_after_seconds or 0)
        rest = asked if error.retry_after_seconds is not None else min(at, longest)
        after = replace(after, not_before=rest)
        at = min(max(at, rest), delivery.deadline_at)
    if _is_dead(delivery, error, was_unclear=was_unclear):
        return Fate(DeliveryState.DEAD, after)
    if error.outcome == AttemptOutcome.PERMANENT and asks_for_plain_text(delivery.kind, error.code):
        return Fate(DeliveryState.PENDING, after, now, is_plain=True)
    return Fate(DeliveryState.PENDING, after, at)


def _is_dead(delivery: Delivery, error: DeliveryError, *, was_unclear: bool) -> bool:
    if delivery.purpose is Purpose.TEST:
        return True
    if error.outcome == AttemptOutcome.AMBIGUOUS:
        return was_unclear and not knows_repeats(delivery.kind)
    if error.outcome != AttemptOutcome.PERMANENT or error.scope != Scope.MESSAGE:
        return False
    if asks_for_plain_text(delivery.kind, error.code) and not delivery.is_plain:
        return False
    return delivery.attempts >= tries_before_dead(delivery.kind, error.code)


def _receiver_after(
    delivery: Delivery, error: DeliveryError, receiver: ReceiverState, *, now: datetime, jitter: float
) -> ReceiverState:
    if error.code == INTERNAL:
        return receiver
    if error.scope == Scope.MESSAGE:  # it answered: it works
        return replace(receiver, breaker_until=None, consecutive_failures=0, failing_since=None)
    is_refusal = error.outcome == AttemptOutcome.PERMANENT
    reason = f"{error.code}: {error.reason}"
    after = after_failure(receiver, now=now, jitter=jitter, reason=reason, is_refusal=is_refusal)
    is_out = now - (after.failing_since or now) >= patience(delivery.kind, error.code)
    return replace(after, disabled_reason=reason) if is_out else after
