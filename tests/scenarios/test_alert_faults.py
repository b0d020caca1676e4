"""Databases that go away, clocks that jump, rows of an older version: nothing is lost, nothing told twice."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest

from riskwatch.errors import RiskwatchError, Unavailable
from riskwatch.model import DeliveryState
from riskwatch.send import message
from riskwatch.store.sql import engine
from tests.scenarios.flow import START, Flow, Hand, bankruptcies, configured, to_hook
from tests.send.peers import Hook, answer

DAILY: Mapping[str, Any] = {"id": "daily", "receiver": "grc", "tz": "UTC", "at": "12:00"}
ONCE = [DeliveryState.DELIVERED]
Make = Callable[..., Flow]


@pytest.fixture
def make(tmp_path: Path, hook: Hook) -> Iterator[Make]:
    flows: list[Flow] = []
    hook.says("/x", answer(204))

    def made(*digests: Mapping[str, Any], url: str | None = None) -> Flow:
        environ = {"TEST_HOOK": f"{hook.url}/x"} | ({"RISKWATCH_DATABASE_URL": url} if url else {})
        flows.append(Flow(configured(tmp_path, to_hook(*digests), environ=environ), Hand(START)))
        return flows[-1]

    yield made
    for one in flows:
        one.close()


def told(hook: Hook, kind: str = "riskwatch.digest") -> list[dict[str, Any]]:
    bodies = [json.loads(one.body) for one in hook.asked]
    return [one for one in bodies if one["type"] == kind]


# -------------------------------------------------------------------------------- 26: the database
def shut(url: str, *, is_open: bool) -> None:
    """Let a PostgreSQL database refuse everybody, or open it again."""
    plain = url.replace("+psycopg", "")
    base, _, name = plain.partition("?")[0].rpartition("/")
    other = plain.replace(f"/{name}", "/postgres")
    assert base
    with psycopg.connect(other, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {str(is_open).lower()}".encode())
        if not is_open:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )


@pytest.mark.parametrize("job", ["evaluate", "flush", "dispatch", "reap"])
def test_26_a_database_that_goes_away_for_a_while_costs_nothing(
    make: Make, url: str, hook: Hook, tmp_path: Path, job: str
) -> None:
    flow = make(url=url).start()
    flow.ingest(*bankruptcies(2, at=START))
    gone = tmp_path / "gone"
    file = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite"):
        flow.app.store.close()
        file.rename(gone)
        file.mkdir()  # what is no database
    else:
        shut(url, is_open=False)

    with pytest.raises(Unavailable):
        flow.tick(job)
    assert hook.asked == []

    if url.startswith("sqlite"):
        file.rmdir()
        gone.rename(file)
    else:
        shut(url, is_open=True)
    flow.told()
    assert [row.state for row in flow.deliveries()] == ONCE * 2
    assert len(hook.asked) == 2


def test_26_a_database_that_is_locked_while_a_message_goes_out_still_learns_of_it(
    make: Make, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_PRAGMAS", ("PRAGMA busy_timeout = 50", *engine._PRAGMAS[1:]))
    flow = make().start()
    flow.ingest(*bankruptcies(1, at=START))
    released = threading.Event()

    def lock(connection: Any) -> None:
        file = flow.app.data_dir / "riskwatch.sqlite"
        held = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        held.execute("BEGIN IMMEDIATE")

        def release() -> None:
            held.close()
            released.set()

        threading.Timer(0.3, release).start()
        connection.sendall(answer(204))

    hook.says("/x", lock)
    flow.tick("flush", "dispatch")

    assert released.is_set()
    assert [row.state for row in flow.deliveries()] == ONCE
    assert len(hook.asked) == 1


def test_26_a_full_disk_loses_no_news_and_alerting_goes_on_when_there_is_room(
    make: Make, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = make().start()
    flow.close()
    with monkeypatch.context() as patch:
        patch.setattr(engine, "_PRAGMAS", (*engine._PRAGMAS, "PRAGMA max_page_count = 1"))
        full = make()
        full.clock.at = flow.clock()
        full.app.alerts.ticks()
        with pytest.raises(RiskwatchError, match="full"):
            full.ingest(*bankruptcies(8, at=START))
        full.close()
    assert flow.deliveries() == []

    flow = make()
    flow.clock.at = START + timedelta(minutes=12)
    flow.ingest(*bankruptcies(8, at=START))
    flow.told()
    assert [row.state for row in flow.deliveries()] == ONCE * 8
    assert len(hook.asked) == 8


def test_26_a_disk_that_fills_up_before_settling_costs_at_most_one_more_copy(make: Make, hook: Hook) -> None:
    flow = make().start()
    flow.ingest(*bankruptcies(1, at=START))
    flow.tick("flush")
    file = flow.app.data_dir / "riskwatch.sqlite"

    def spoil(connection: Any) -> None:
        with closing(sqlite3.connect(file)) as database:  # what the file system would refuse
            database.execute(
                "CREATE TRIGGER full BEFORE INSERT ON delivery_attempt BEGIN SELECT RAISE(FAIL, 'full'); END"
            )
            database.commit()
        connection.sendall(answer(204))

    hook.says("/x", spoil, answer(204))
    with pytest.raises(RiskwatchError, match="full"):
        flow.tick("dispatch")
    with closing(sqlite3.connect(file)) as database:
        database.execute("DROP TRIGGER full")
        database.commit()
    flow.later(minutes=5).tick().tick()

    assert [row.state for row in flow.deliveries()] == ONCE
    assert [one.headers["webhook-id"] for one in hook.asked] == [flow.deliveries()[0].id] * 2


# -------------------------------------------------------------------------------- 28: older rows
ADDED_LATER = ("mention_channel", "rescaled")
ADDED_TO_REASONS = ("other_dates", "relief", "relieved_by")


def test_28_open_rows_that_lack_what_was_added_later_are_delivered(make: Make, hook: Hook) -> None:
    flow = make().start()
    flow.ingest(*bankruptcies(2, at=START))
    flow.tick("flush")
    file = flow.app.data_dir / "riskwatch.sqlite"
    with closing(sqlite3.connect(file)) as database:
        for id_, text in database.execute("SELECT id, payload FROM delivery").fetchall():
            payload = json.loads(text)
            for alert in payload["alerts"]:
                for name in ADDED_LATER:
                    del alert[name]
                for reason in alert["reasons"]:
                    for name in ADDED_TO_REASONS:
                        del reason[name]
            database.execute("UPDATE delivery SET payload = ? WHERE id = ?", (json.dumps(payload), id_))
        database.commit()

    flow.tick("dispatch")

    assert [row.state for row in flow.deliveries()] == ONCE * 2
    assert len(told(hook, "riskwatch.incident.opened")) == 2


def test_28_the_reader_of_an_older_version_is_used_for_its_rows(
    make: Make, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = make().start()
    flow.ingest(*bankruptcies(1, at=START))
    flow.tick("flush")
    file = flow.app.data_dir / "riskwatch.sqlite"
    with closing(sqlite3.connect(file)) as database:
        text = str(database.execute("SELECT payload FROM delivery").fetchone()[0])
        older = {"was": json.loads(text)["alerts"]}  # version 0, as it were
        database.execute("UPDATE delivery SET payload_version = 0, payload = ?", (json.dumps(older),))
        database.commit()

    def of_version_0(text: str) -> message.Message:
        return message.AlertMessage.model_validate_json(json.dumps({"alerts": json.loads(text)["was"]}))

    monkeypatch.setitem(message.READERS, 0, of_version_0)
    flow.tick("dispatch")

    assert [row.state for row in flow.deliveries()] == ONCE
    assert len(told(hook, "riskwatch.incident.opened")) == 1


def test_28_rows_of_a_later_version_wait_for_it(make: Make, hook: Hook) -> None:
    flow = make().start()
    flow.ingest(*bankruptcies(1, at=START))
    flow.tick("flush")
    file = flow.app.data_dir / "riskwatch.sqlite"
    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE delivery SET payload_version = 99")
        database.commit()
    for _ in range(5):
        flow.tick("dispatch").later(hours=2)
    assert (hook.asked, [row.state for row in flow.deliveries()]) == ([], [DeliveryState.PENDING])

    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE delivery SET payload_version = 1")
        database.commit()
    flow.later(hours=20).tick("dispatch")
    assert [row.state for row in flow.deliveries()] == ONCE


# -------------------------------------------------------------------------------- 29, 31: time
def test_29_a_clock_set_forward_and_back_tells_each_digest_once(make: Make, hook: Hook) -> None:
    flow = make(DAILY).start()
    flow.clock.at = START.replace(hour=11, minute=30)
    flow.tick()
    for hour, minute in ((12, 30), (11, 31), (11, 59), (12, 1), (12, 30), (13, 30), (12, 31)):
        flow.clock.at = START.replace(hour=hour, minute=minute)
        flow.tick()

    assert len(told(hook)) == 1


def test_29_a_clock_set_back_an_hour_stalls_nothing_for_more_than_two_ticks(make: Make, hook: Hook) -> None:
    flow = make().start()
    flow.tick()
    flow.ingest(*bankruptcies(2, at=START))  # they wait in their groups
    flow.later(hours=-1)

    flow.tick().later(seconds=5).tick()
    assert len(hook.asked) == 2

    flow.ingest(*bankruptcies(4, at=START))  # two more, while the settling of the start lies ahead
    flow.later(minutes=11).tick().later(seconds=5).tick()
    assert len(hook.asked) == 4
    assert [row.state for row in flow.deliveries()] == ONCE * 4


def test_29_a_month_asleep_makes_one_digest_a_schedule(make: Make, hook: Hook) -> None:
    weekly = {**DAILY, "id": "weekly", "days": ["mon"]}
    monthly = {**DAILY, "id": "monthly", "day_of_month": 5}
    flow = make(DAILY, weekly, monthly).start()

    flow.later(days=30).tick().later(minutes=1).tick()

    assert Counter(one["data"]["schedule_id"] for one in told(hook)) == {
        "daily": 1,
        "weekly": 1,
        "monthly": 1,
    }
    flow.later(days=1).tick()
    assert Counter(one["data"]["schedule_id"] for one in told(hook))["daily"] == 2


def test_31_all_digests_together_tell_every_event_once_though_three_were_missed(
    make: Make, hook: Hook
) -> None:
    flow = make(DAILY).start()
    news = bankruptcies(8, at=START)
    for day, one in enumerate(news):
        flow.ingest({**one, "published": flow.clock().isoformat()})
        flow.later(hours=5)
        if day not in (2, 3, 4):  # the worker is down
            flow.tick()
        flow.later(hours=19)
    flow.tick().later(hours=5).tick()

    digests = told(hook)
    assert len(digests) == 6  # days 0, 1, 5 (of 2 to 5), 6, 7, 8
    listed = [line["event_id"] for one in digests for line in one["data"]["events"]]
    with flow.app.store.begin(write=False) as unit:
        every = [event for vendor in flow.config.vendors for event in unit.events.events_of(vendor)]
    assert sorted(listed) == sorted(event.id for event in every)
    windows = [(one["data"]["window_start_at"], one["data"]["window_end_at"]) for one in digests]
    assert all(before[1] == after[0] for before, after in pairwise(windows))
