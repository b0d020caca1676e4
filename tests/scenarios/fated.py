"""An installation that dies at a chosen instant, or works beside others: run as a program.

python -m tests.scenarios.fated FATE FOLDER DATABASE_URL HOOK_URL INSTANT
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from riskwatch import pipeline
from riskwatch.model import Snapshot
from riskwatch.outbox import Outbox
from riskwatch.pipeline import Alerts, Reader
from riskwatch.send.receiver import Receiver
from riskwatch.send.rule import ReceiverConfig
from riskwatch.store import UnitOfWork
from tests.scenarios.flow import START, Flow, Hand, bankruptcies, configured, no_bar, to_hook
from tests.send.dying import Dying

DAILY: Mapping[str, Any] = {"id": "daily", "receiver": "grc", "tz": "UTC", "at": "12:00"}
GATE = "gate"  # locked until all workers are ready
ALL = 8  # vendors that go bankrupt


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DyingJudge:
    """Judges, and dies before the transaction commits."""

    def __init__(self, inner: Alerts) -> None:
        self._inner = inner

    def evaluate(self, unit: UnitOfWork, snapshots: Sequence[Snapshot], reader: Reader) -> int:
        if not self._inner.evaluate(unit, snapshots, reader):
            raise AssertionError("there was nothing to tell")
        die()
        return 0


def evaluating(flow: Flow) -> None:
    parts = flow.app.parts
    assert parts.alerts is not None
    pipeline.absorb(replace(parts, alerts=DyingJudge(parts.alerts)))


def committed(flow: Flow) -> None:
    flow.app.absorb(no_bar)
    die()


def flushed(flow: Flow) -> None:
    flow.app.absorb(no_bar)
    flow.tick("flush")
    die()


def sent(flow: Flow) -> None:
    """Die between the first send and its settling."""
    alerts = flow.app.alerts

    def make(configs: Mapping[str, ReceiverConfig]) -> Mapping[str, Receiver]:
        return {id_: Dying(one, "after") for id_, one in alerts.receivers(configs).items()}

    flow.app.absorb(no_bar)
    flow.tick("flush")
    Outbox(alerts.alerting, alerts.words, make, log=flow.app.log).dispatch()


def working(flow: Flow) -> None:
    """Take in the same news as the others do, then run all jobs until nothing is owed, over a due time."""
    assert flow.app.parts.alerts
    folder = flow.app.data_dir.parent
    (folder / f"{os.getpid()}.ready").touch()
    with (folder / GATE).open(encoding="utf-8") as gate:
        fcntl.flock(gate, fcntl.LOCK_SH)  # whoever began this one lets all go at once
    begin, started = flow.clock.at, time.monotonic()
    flow.ingest(*bankruptcies(ALL, at=START))
    for hours in (0, 0, 5, 5, 5):  # 08:11, then 13:11
        if hours:
            _until_all_is_sent(flow)  # else the others' leases would look old to a clock that has moved on
        flow.clock.at = begin + timedelta(hours=hours, seconds=time.monotonic() - started)
        flow.tick()


def _until_all_is_sent(flow: Flow) -> None:
    for _ in range(200):
        states = {row.state for row in flow.deliveries()}
        if states and not any(state.is_open for state in states):
            return
        flow.clock.at += timedelta(seconds=1)
        flow.tick()
        time.sleep(0.05)


FATES = {one.__name__: one for one in (evaluating, committed, flushed, sent, working)}


def a_flow(folder: Path, url: str, hook: str, at: datetime) -> Flow:
    config = configured(folder, to_hook(DAILY), environ={"RISKWATCH_DATABASE_URL": url, "TEST_HOOK": hook})
    return Flow(config, Hand(at))


if __name__ == "__main__":
    fate, folder_, url_, hook_, at_ = sys.argv[1:]
    FATES[fate](a_flow(Path(folder_), url_, hook_, datetime.fromisoformat(at_).astimezone(UTC)))
