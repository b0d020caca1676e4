"""When it is tried again, and how long a failing Receiver is left alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from riskwatch.model import ReceiverState
from riskwatch.send.retry import (
    BREAKER_FAILURES,
    WAITS,
    after_failure,
    after_success,
    next_attempt_at,
    retry_after_seconds,
    switched_on,
    wait_seconds,
)

NOW = datetime(2026, 3, 3, 9, 12, tzinfo=UTC)
KINDS = some.sampled_from(sorted(WAITS))


def test_the_schedules_are_those_of_the_design() -> None:
    minute, hour = 60, 3_600

    assert [wait_seconds("webhook", tries=n, jitter=0.5) for n in range(11)] == pytest.approx(
        [0, 5, 5 * minute, 30 * minute, *(h * hour for h in (2, 5, 10, 14, 20, 24, 24))]
    )
    assert [wait_seconds("slack", tries=n, jitter=0.5) for n in range(9)] == pytest.approx(
        [0, 5, 30, 2 * minute, 10 * minute, 30 * minute, 2 * hour, 2 * hour, 2 * hour]
    )
    assert [wait_seconds("email", tries=n, jitter=0.5) for n in range(8)] == pytest.approx(
        [0, minute, 5 * minute, 15 * minute, 30 * minute, hour, hour, hour]
    )


@given(KINDS, some.integers(0, 500), some.floats(0, 1))
def test_a_wait_is_spread_by_a_fifth_to_both_sides(kind: str, tries: int, jitter: float) -> None:
    middle = wait_seconds(kind, tries=tries, jitter=0.5)

    assert 0.8 * middle - 1e-6 <= wait_seconds(kind, tries=tries, jitter=jitter) <= 1.2 * middle + 1e-6


@given(KINDS, some.integers(0, 500), some.floats(0, 1), some.integers(0, 200_000))
def test_no_attempt_is_planned_past_the_deadline(kind: str, tries: int, jitter: float, left: int) -> None:
    deadline_at = NOW + timedelta(seconds=left)

    at = next_attempt_at(kind, tries=tries, jitter=jitter, now=NOW, deadline_at=deadline_at)

    assert NOW <= at <= deadline_at


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("0", 1),
        ("1000000000", 900),
        ("9" * 20, 900),
        (format_datetime(NOW + timedelta(seconds=42), usegmt=True), 42),
        (format_datetime(NOW + timedelta(days=9), usegmt=True), 900),
        (format_datetime(NOW, usegmt=True), 1),
    ],
)
def test_12_what_retry_after_asks_for_is_kept_between_1_s_and_15_min(text: str, seconds: float) -> None:
    assert retry_after_seconds(text, now=NOW) == seconds


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "-1",
        "soon",
        "7.5",
        "1e3",
        "\u0667",
        "9" * 5_000,
        "\x00",
        "Tue, 99 Foo 2026 99:99:99 GMT",
        format_datetime(NOW - timedelta(seconds=5), usegmt=True),
    ],
)
def test_12_a_retry_after_that_says_nothing_leaves_the_schedule(text: str | None) -> None:
    assert retry_after_seconds(text, now=NOW) is None


@given(some.text(max_size=40))
def test_12_no_retry_after_breaks_the_parser(text: str) -> None:
    seconds = retry_after_seconds(text, now=NOW)

    assert seconds is None or 1 <= seconds <= 900


def test_the_breaker_opens_at_the_third_failure_in_a_row() -> None:
    state, seen = ReceiverState("r"), []
    for _ in range(4):
        state = after_failure(state, now=NOW, jitter=0.5, reason="x")
        seen.append(None if state.breaker_until is None else (state.breaker_until - NOW).total_seconds())

    assert seen == [None, None, 60, 120]
    assert state.consecutive_failures == BREAKER_FAILURES + 1
    assert (state.failing_since, state.last_error) == (NOW, "x")


def test_11_a_refusal_opens_the_breaker_at_once_and_for_longer() -> None:
    state = after_failure(ReceiverState("r"), now=NOW, jitter=0.5, reason="535", is_refusal=True)

    assert state.consecutive_failures == BREAKER_FAILURES
    assert state.breaker_until == NOW + timedelta(minutes=15)


def test_success_closes_the_breaker_and_forgets_the_failure() -> None:
    failed = after_failure(ReceiverState("r"), now=NOW, jitter=0.5, reason="x", is_refusal=True)
    later = NOW + timedelta(hours=1)

    state = after_success(failed, now=later, pace_seconds=1)

    assert state == ReceiverState("r", not_before=later + timedelta(seconds=1), last_ok_at=later)


def test_a_receiver_that_is_switched_on_again_starts_anew() -> None:
    off = after_failure(ReceiverState("r", last_ok_at=NOW), now=NOW, jitter=0.5, reason="x", is_refusal=True)

    on = switched_on(replace(off, disabled_reason="410", not_before=NOW, told_at=NOW))

    assert on == ReceiverState("r", last_ok_at=NOW)
