"""Ticks: UTC intervals, no overlap, nothing remembered; due work lives in the database, not here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def start_ticks(
    ticks: Mapping[str, tuple[Callable[[], object], int]], *, now: datetime
) -> Callable[[], None]:
    """Start each tick at once and then every so many seconds; return the callable that stops them all.

    Args:
        ticks: Name of the tick -> (callable, interval in seconds); one that still runs is not started again.
        now: The instant of the first run, aware, UTC.
    """
    scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(len(ticks))})
    for offset, (name, (tick, seconds)) in enumerate(ticks.items()):
        scheduler.add_job(
            tick,
            "interval",
            seconds=seconds,
            id=name,
            name=name,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
            next_run_time=now + timedelta(seconds=offset),
        )
    scheduler.start()

    def stop() -> None:
        scheduler.shutdown(wait=True)

    return stop
