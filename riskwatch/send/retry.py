"""When to try again: schedules per kind, what a peer asks for, and the breaker of a failing Receiver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from riskwatch.model import ReceiverState

_MINUTE, _HOUR = 60.0, 3600.0
# Seconds to wait before attempt 1, 2, ...; the last wait repeats until the deadline.
WAITS: Mapping[str, tuple[float, ...]] = {
    "webhook": (
        0, 5, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR,
    ),
    "slack": (0, 5, 30, 2 * _MINUTE, 10 * _MINUTE, 30 * _MINUTE, 2 * _HOUR),
    "email": (0, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR),
}  # fmt: skip
BREAKER_FAILURES = 3  # in a row; from then on one probe at a time
_PROBES = (_MINUTE, 2 * _MINUTE, 5 * _MINUTE, 10 * _MINUTE, 15 * _MINUTE)
_RARE_PROBES = (15 * _MINUTE, 30 * _MINUTE, _HOUR)  # it said no: hammering would lock an account out
_SPREAD = 0.2  # share of a wait, to both sides
_LEAST_RETRY_AFTER = 1.0
LONGEST_REST_SECONDS = 15 * _MINUTE  # whatever a peer asks for
LONGEST_WAIT_SECONDS = max(max(waits) for waits in WAITS.values()) * (1 + _SPREAD)
_MOST_DIGITS = 20


def wait_seconds(kind: str, *, tries: int, jitter: float) -> float:
    """Return the wait after `tries` attempts, spread by 20 percent to both sides.

    Args:
        kind: email, slack or webhook.
        tries: Attempts made, 0 or more.
        jitter: Where in the spread, 0 to 1.
    """
    waits = WAITS[kind]
    return waits[min(tries, len(waits) - 1)] * _spread(jitter)


def next_attempt_at(
    kind: str, *, tries: int, jitter: float, now: datetime, deadline_at: datetime
) -> datetime:
    """Return when to try again; never later than the deadline, which alone ends a Delivery."""
    return min(now + timedelta(seconds=wait_seconds(kind, tries=tries, jitter=jitter)), deadline_at)


def retry_after_seconds(text: str | None, *, now: datetime) -> float | None:
    """Return what a Retry-After header asks for, 1 s to 15 min; None where it says nothing usable."""
    text = (text or "").strip()
    if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS:
        seconds = float(text)
    else:
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
        if seconds < 0:
            return None
    return min(max(seconds, _LEAST_RETRY_AFTER), LONGEST_REST_SECONDS)


def after_success(state: ReceiverState, *, now: datetime, pace_seconds: float = 0.0) -> ReceiverState:
    """Return the state after a message was taken; the next one waits for the Receiver's pace."""
    return replace(
        state,
        not_before=now + timedelta(seconds=pace_seconds) if pace_seconds else None,
        breaker_until=None,
        consecutive_failures=0,
        failing_since=None,
        last_ok_at=now,
        last_error=None,
    )


def after_failure(
    state: ReceiverState, *, now: datetime, jitter: float, reason: str, is_refusal: bool = False
) -> ReceiverState:
    """Return the state after the Receiver failed.

    Three failures in a row open the breaker; a refusal (wrong password, no TLS, dead hook) opens it at once
    and has it probed rarely.
    """
    failures = state.consecutive_failures + 1
    failures = max(failures, BREAKER_FAILURES) if is_refusal else failures
    until = None
    if failures >= BREAKER_FAILURES:
        probes = _RARE_PROBES if is_refusal else _PROBES
        wait = probes[min(failures - BREAKER_FAILURES, len(probes) - 1)] * _spread(jitter)
        until = now + timedelta(seconds=wait)
    return replace(
        state,
        breaker_until=until,
        consecutive_failures=failures,
        failing_since=state.failing_since or now,
        last_error=reason,
    )


def switched_on(state: ReceiverState) -> ReceiverState:
    """Return the state of a Receiver that somebody has switched on again: it is asked as if never before."""
    return ReceiverState(state.receiver_id, last_ok_at=state.last_ok_at)


def _spread(jitter: float) -> float:
    return 1 - _SPREAD + 2 * _SPREAD * jitter
