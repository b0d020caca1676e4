"""The laws of collecting.md 2: when a Source is due, and that it never dies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskwatch.collect import Source
from riskwatch.collect.due import (
    LONGEST_WAIT,
    Reached,
    due,
    failure_wait,
    host_of,
    interval_of,
    is_own_line_down,
    is_silent,
    learned_gap_seconds,
    may_be_silent,
    next_due,
    retry_after_wait,
    silence_limit,
)
from riskwatch.model import HostState, SourceState

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
NOW_NAIVE = NOW.replace(tzinfo=None)  # Hypothesis adds the zone itself
HOUR = timedelta(hours=1)
instants = st.datetimes(NOW_NAIVE, NOW_NAIVE + timedelta(days=150), timezones=st.just(UTC))
intervals = st.timedeltas(timedelta(minutes=1), timedelta(days=2))


def a_source(**values: object) -> Source:
    id_ = values.get("id", "s")
    return Source.model_validate({"id": id_, "url": f"https://{id_}.example/f", "publisher": "p", **values})


@given(next_due_at=instants, now=instants, not_before=instants)
def test_nothing_is_due_before_its_time_nor_its_host(
    next_due_at: datetime, now: datetime, not_before: datetime
) -> None:
    states = {"s": SourceState("s", next_due_at=next_due_at)}
    hosts = {"s.example": HostState("s.example", not_before)}

    found = due([a_source()], states=states, hosts=hosts, now=now)

    if now < next_due_at <= now + LONGEST_WAIT or now < not_before <= now + timedelta(days=1):
        assert found == []
    else:
        assert found == ["s"]


@given(failures=st.integers(1, 10_000), interval=intervals, jitter=st.floats(0, 1))
def test_a_wait_grows_to_two_days_and_never_further(
    failures: int, interval: timedelta, jitter: float
) -> None:
    wait = failure_wait(failures, interval=interval, jitter=jitter)

    assert timedelta(0) < wait <= LONGEST_WAIT
    assert wait <= failure_wait(failures + 1, interval=interval, jitter=jitter)


def test_the_first_failure_waits_an_interval_or_a_quarter_of_an_hour() -> None:
    assert failure_wait(1, interval=timedelta(minutes=1), jitter=0.5) == timedelta(minutes=15)
    assert failure_wait(3, interval=HOUR, jitter=0.5) == 4 * HOUR
    assert failure_wait(1, interval=HOUR, jitter=0) == 0.8 * HOUR
    assert failure_wait(1_000, interval=HOUR, jitter=1) == timedelta(hours=57.6)


@given(id_=st.text(max_size=20), interval=intervals, now=instants)
def test_the_next_poll_lies_on_the_sources_own_grid(id_: str, interval: timedelta, now: datetime) -> None:
    when = next_due(id_, interval=interval, now=now)

    assert interval * 0.49 <= when - now <= interval * 1.51
    assert abs(next_due(id_, interval=interval, now=now + interval) - when - interval) < timedelta(
        milliseconds=1
    )


@given(
    states=st.lists(st.sampled_from(["fail", "ok", "jump back", "jump ahead"]), max_size=30), start=instants
)
def test_a_source_is_due_again_after_any_course_of_events(states: list[str], start: datetime) -> None:
    source, now, state = a_source(), start, SourceState("s")
    failures = 0
    for step in states:
        if step == "jump back":
            now -= timedelta(days=30)
        elif step == "jump ahead":
            now += timedelta(days=30)
        failures = 0 if step == "ok" else failures + 1
        wait = failure_wait(max(failures, 1), interval=source.interval.default, jitter=1)
        state = SourceState("s", next_due_at=now + wait)

    assert due([source], states={"s": state}, hosts={}, now=now + LONGEST_WAIT) == ["s"]


def test_a_clock_that_was_a_month_ahead_does_not_silence_a_source() -> None:
    state = SourceState("s", next_due_at=NOW + timedelta(days=30))

    assert due([a_source()], states={"s": state}, hosts={}, now=NOW) == ["s"]


def test_a_source_that_another_worker_holds_is_left_to_it() -> None:
    held = SourceState("s", next_due_at=NOW - HOUR, lease_token="t", lease_until=NOW + HOUR)
    lapsed = SourceState("s", next_due_at=NOW - HOUR, lease_token="t", lease_until=NOW)

    assert due([a_source()], states={"s": held}, hosts={}, now=NOW) == []
    assert due([a_source()], states={"s": lapsed}, hosts={}, now=NOW) == ["s"]


def test_the_longest_overdue_comes_first_and_a_new_one_before_all() -> None:
    sources = [a_source(id="a"), a_source(id="b"), a_source(id="c")]
    states = {
        "a": SourceState("a", next_due_at=NOW - HOUR),
        "b": SourceState("b", next_due_at=NOW - 2 * HOUR),
    }

    assert due(sources, states=states, hosts={}, now=NOW) == ["c", "b", "a"]


def test_the_interval_follows_how_often_something_new_comes() -> None:
    source = a_source(interval={"default": "30m", "min": "10m", "max": "24h"})

    def interval(**state: object) -> timedelta:
        return interval_of(source, SourceState("s", **state), now=NOW)  # type: ignore[arg-type] # fields of the state

    assert interval_of(source, None, now=NOW) == timedelta(minutes=30)
    assert interval(learned_gap_seconds=4 * 3_600.0) == HOUR
    assert interval(learned_gap_seconds=60.0) == timedelta(minutes=10)
    assert interval(learned_gap_seconds=604_800.0) == timedelta(hours=24)
    assert interval(learned_gap_seconds=4 * 3_600.0, last_new_item_at=NOW - timedelta(hours=16)) == 4 * HOUR


def test_what_the_publisher_asks_raises_the_interval_up_to_the_maximum() -> None:
    source = a_source(interval={"default": "30m", "min": "10m", "max": "2h"})

    assert interval_of(source, None, now=NOW, asked_seconds=3_600) == HOUR
    assert interval_of(source, None, now=NOW, asked_seconds=10) == timedelta(minutes=30)
    assert interval_of(source, None, now=NOW, asked_seconds=1e12) == 2 * HOUR


def test_the_gap_is_learned_from_the_last_week() -> None:
    dates = [NOW - timedelta(days=n) for n in range(1, 5)] + [None, NOW - timedelta(days=30), NOW + HOUR]

    assert learned_gap_seconds(dates, now=NOW) == 604_800 / 4
    assert learned_gap_seconds([None], now=NOW) is None


@pytest.mark.parametrize(
    ("seconds", "wait"),
    [(120, 120), (1, 60), (0, 60), (10**9, 86_400), (-1, None), (None, None), (float("nan"), None)],
)
def test_a_retry_after_is_a_minute_to_a_day(seconds: float | None, wait: timedelta | None) -> None:
    found = retry_after_wait(seconds)

    assert (found.total_seconds() if found else None) == wait


def test_our_own_line_is_down_when_nearly_all_hosts_fail_alike() -> None:
    def tick(faults: int, polls: int) -> list[Reached]:
        return [Reached(f"h{n}", is_line_fault=n < faults) for n in range(polls)]

    assert is_own_line_down(tick(8, 10))
    assert not is_own_line_down(tick(7, 10))
    assert not is_own_line_down(tick(4, 4))
    assert not is_own_line_down([Reached("one", is_line_fault=True)] * 40)
    assert not is_own_line_down([])


def test_silence_is_measured_by_a_sources_own_habit() -> None:
    weekly = [NOW - timedelta(days=6 + 7 * n) for n in range(8)]
    hourly = [NOW - timedelta(hours=73 + n) for n in range(200)]

    assert not is_silent(a_source(), weekly, now=NOW)
    assert is_silent(a_source(), hourly, now=NOW)
    assert is_silent(a_source(expected_silence="36h"), [NOW - 37 * HOUR], now=NOW)
    assert not is_silent(a_source(), [], now=NOW)
    assert silence_limit(a_source(), [NOW - HOUR], now=NOW) == timedelta(days=7)


def test_dates_are_looked_at_only_where_nothing_new_has_come_for_long() -> None:
    quiet, busy = (SourceState("s", last_new_item_at=NOW - hours * HOUR) for hours in (25, 23))
    never = SourceState("s")
    file = {"kind": "file", "url": "folder"}

    assert may_be_silent(a_source(), quiet, now=NOW)
    assert not may_be_silent(a_source(), busy, now=NOW)
    assert not may_be_silent(a_source(), never, now=NOW)
    assert may_be_silent(a_source(expected_silence="12h"), busy, now=NOW)
    assert not may_be_silent(a_source(**file), quiet, now=NOW), "a file may stay as it is"
    assert may_be_silent(a_source(**file, expected_silence="12h"), quiet, now=NOW)


def test_hosts_are_told_by_the_url() -> None:
    assert host_of("https://News.Example:8443/f") == "news.example"
    assert host_of("demo/feed.xml") == ""
    assert host_of("http://[") == ""


@pytest.mark.parametrize(
    "fault",
    [
        {"interval": {"default": "5m"}},
        {"interval": {"default": "30 minutes"}},
        {"url": "ftp://x.example/"},
        {"url": "http://x.example/", "kind": "prices"},
        {"tier": 5},
        {"digest": True, "tier": 2},
        {"id": "Has Spaces"},
        {"surprise": 1},
    ],
)
def test_a_mistake_in_a_source_is_refused(fault: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        a_source(**fault)


def test_durations_and_bare_tiers_are_read() -> None:
    source = a_source(
        interval={"default": "90m", "min": "1h", "max": "2d"},
        tier=2,
        expected_silence="36h",
        **{"class": "wire"},
    )

    assert source.interval.default == timedelta(minutes=90)
    assert (source.tier, source.source_class) == ("2", "wire")
    assert source.vendors == ()
    assert a_source(covers=["openai"], **{"class": "vendor_channel"}).vendors == ("openai",)
