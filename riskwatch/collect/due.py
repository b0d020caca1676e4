"""(Source states, hosts, now) → which Sources are due, and when each is due again; pure."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from riskwatch.collect.source import SourceKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from riskwatch.collect.source import Source
    from riskwatch.model import HostState, SourceState

WEEK = timedelta(days=7)
MAX_WAIT = timedelta(hours=48)
MIN_FAILURE_WAIT = timedelta(minutes=15)
JITTER_SHARE = 0.2
_MAX_DOUBLINGS = 12  # 15 minutes have become 42 days by then
LONGEST_WAIT = MAX_WAIT * (1 + JITTER_SHARE)
POLLS_PER_GAP = 4
OFFLINE_WAIT = timedelta(minutes=5)
OFFLINE_SHARE = 0.8
OFFLINE_HOSTS = 5
MIN_RETRY_AFTER_SECONDS, MAX_RETRY_AFTER_SECONDS = 60.0, 86_400.0
SILENCE_FLOOR = timedelta(hours=24)
SILENCE_WINDOW = timedelta(days=60)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def due(
    sources: Iterable[Source],
    *,
    states: Mapping[str, SourceState],
    hosts: Mapping[str, HostState],
    now: datetime,
) -> list[str]:
    """Return the ids of the Sources to be polled now, longest overdue first.

    A Source never polled, or not since it got another URL, is due. A due time further ahead than any wait can
    be came from a wrong clock: it is due as well.
    """
    found = []
    for source in sources:
        state = states.get(source.id)
        when = state.next_due_at if state and not is_reconfigured(source, state) else None
        if when is not None and now < when <= now + LONGEST_WAIT:
            continue
        if state is not None and is_leased(state, now=now):
            continue
        host = hosts.get(host_of(url_of(source, state)))
        if host is not None and is_resting(host, now=now):
            continue
        found.append((when or _EPOCH, source.id))
    return [source_id for _, source_id in sorted(found)]


def is_leased(state: SourceState, *, now: datetime) -> bool:
    """Return whether another worker holds the Source."""
    return state.lease_until is not None and now < state.lease_until <= now + LONGEST_WAIT


def is_resting(host: HostState, *, now: datetime) -> bool:
    """Return whether a host asked to be left alone (a Retry-After never lasts longer than a day)."""
    longest = timedelta(seconds=MAX_RETRY_AFTER_SECONDS)
    return host.not_before is not None and now < host.not_before <= now + longest


def url_of(source: Source, state: SourceState | None) -> str:
    """Return the address to ask: where the Source moved to for good, else the configured one."""
    if state is None or state.effective_url is None or is_reconfigured(source, state):
        return source.url
    return state.effective_url


def is_reconfigured(source: Source, state: SourceState) -> bool:
    """Return whether the operator has given the Source another URL since its last poll."""
    return state.configured_url is not None and state.configured_url != source.url


def host_of(url: str) -> str:
    """Return the host that politeness counts by; empty for a file."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def interval_of(
    source: Source, state: SourceState | None, *, now: datetime, asked_seconds: float | None = None
) -> timedelta:
    """Return the wait after a good poll: a quarter of the gap between new items, within the Source's bounds.

    Args:
        source: Its interval bounds.
        state: What was learned of its gaps.
        now: Aware UTC.
        asked_seconds: Longest of ttl, max-age and Expires; may raise the interval up to its maximum.
    """
    bounds = source.interval
    wanted = bounds.default
    if state is not None and state.learned_gap_seconds:
        gap = timedelta(seconds=state.learned_gap_seconds)
        if state.last_new_item_at is not None:
            gap = max(gap, now - state.last_new_item_at)
        wanted = gap / POLLS_PER_GAP
    if asked_seconds is not None and math.isfinite(asked_seconds):
        wanted = max(wanted, timedelta(seconds=min(asked_seconds, bounds.max.total_seconds())))
    return min(max(wanted, bounds.min), bounds.max)


def learned_gap_seconds(published: Iterable[datetime | None], *, now: datetime) -> float | None:
    """Return the mean gap between the items of the last 7 days, or none without any."""
    recent = sum(1 for moment in published if moment is not None and now - WEEK <= moment <= now)
    return WEEK.total_seconds() / recent if recent else None


def next_due(source_id: str, *, interval: timedelta, now: datetime) -> datetime:
    """Return the next point of the Source's own grid, between half and one and a half intervals away."""
    seconds = interval.total_seconds()
    phase = int.from_bytes(hashlib.sha256(source_id.encode()).digest()[:6], "big") % seconds
    earliest = (now - _EPOCH).total_seconds() + seconds / 2
    steps = math.ceil((earliest - phase) / seconds)
    return _EPOCH + timedelta(seconds=steps * seconds + phase)


def failure_wait(failures: int, *, interval: timedelta, jitter: float) -> timedelta:
    """Return the wait after a failure; it grows to 48 hours and stays there, for ever.

    Args:
        failures: Failures in a row with this one, 1 or more.
        interval: Of the Source when all is well.
        jitter: Number from 0 to 1 that spreads the wait by 20 % either way.
    """
    base = max(interval, MIN_FAILURE_WAIT)
    doublings = min(failures - 1, _MAX_DOUBLINGS)
    wait = min(MAX_WAIT, base * (1 << doublings))
    return wait * (1 - JITTER_SHARE + 2 * JITTER_SHARE * jitter)


def retry_after_wait(seconds: float | None) -> timedelta | None:
    """Return how long a host is left alone: a minute to a day; none where nothing sensible was asked."""
    if seconds is None or not seconds >= 0:
        return None
    return timedelta(seconds=min(max(seconds, MIN_RETRY_AFTER_SECONDS), MAX_RETRY_AFTER_SECONDS))


@dataclass(frozen=True, slots=True)
class Reached:
    """Whether one poll of a tick got through to its host."""

    host: str
    is_line_fault: bool  # DNS, connect or TLS failed


def is_own_line_down(tick: Sequence[Reached]) -> bool:
    """Return whether a tick's failures are ours: 80 % of its polls, over at least 5 hosts, got no line."""
    asked = [reached for reached in tick if reached.host]  # what is read here needs no line
    if len({reached.host for reached in asked}) < OFFLINE_HOSTS:
        return False
    return sum(reached.is_line_fault for reached in asked) >= OFFLINE_SHARE * len(asked)


def silence_limit(source: Source, item_dates: Sequence[datetime], *, now: datetime) -> timedelta:
    """Return how long a Source may bring nothing new: as configured, or 3 times the 95th percentile of gaps.

    Args:
        source: Its expected_silence.
        item_dates: When its items were published, any order.
        now: Aware UTC; the last 60 days count.
    """
    if source.expected_silence != "auto":
        return source.expected_silence
    dates = sorted(moment for moment in item_dates if now - SILENCE_WINDOW <= moment <= now)
    gaps = sorted(later - earlier for earlier, later in pairwise(dates))
    if not gaps:
        return max(SILENCE_FLOOR, WEEK)
    return max(SILENCE_FLOOR, 3 * gaps[math.ceil(0.95 * len(gaps)) - 1])


def may_be_silent(source: Source, state: SourceState, *, now: datetime) -> bool:
    """Return whether nothing new has come for so long that the dates of its items are worth a look.

    A file is no stream of news: it is expected to stay as it is, unless the Source says otherwise.
    """
    least = source.expected_silence
    if least == "auto":
        if source.kind is SourceKind.FILE:
            return False
        least = SILENCE_FLOOR
    return state.last_new_item_at is not None and now - state.last_new_item_at > least


def is_silent(source: Source, item_dates: Sequence[datetime], *, now: datetime) -> bool:
    """Return whether a Source has been quiet beyond expectation, however well it answers."""
    newest = max((moment for moment in item_dates if moment <= now), default=None)
    return newest is not None and now - newest > silence_limit(source, item_dates, now=now)
