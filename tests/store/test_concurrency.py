import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from riskwatch.store import UnitOfWork
from riskwatch.store.sql import SqlStore
from tests.store.builders import HOUR, NOON, a_snapshot, an_article, an_event

ROOT = Path(__file__).parents[2]
_DIE = """
import os, signal, sys
from riskwatch.store.sql import SqlStore
from tests.store.builders import NOON, an_article, an_event
with SqlStore(sys.argv[1]).begin() as unit:
    unit.articles.add_articles([an_article(str(n)) for n in range(500)], now=NOON)
    unit.events.save_events([an_event("new")], now=NOON)
    print("written", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_no_increment_is_lost_among_threads(store: SqlStore) -> None:
    def increment(_: int) -> None:
        with store.begin() as unit:
            unit.lock("count")
            number = int(unit.access.setting("count") or 0)
            unit.access.save_setting("count", str(number + 1))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(increment, range(80)))

    with store.begin(write=False) as unit:
        assert unit.access.setting("count") == "80"
        assert unit.scores.data_version() == 80


def test_two_workers_never_get_the_same_source(store: SqlStore) -> None:
    sources = [f"source {number}" for number in range(60)]

    def lease(number: int) -> list[str]:
        got: list[str] = []
        for start in range(0, 60, 7):
            with store.begin() as unit:
                some = sources[(start + number * 13) % 60 :][:10]
                got += unit.articles.lease_sources(some, token=f"t{number}", now=NOON, until=NOON + HOUR)
        return got

    with ThreadPoolExecutor(6) as threads:
        got = [source for sources_ in threads.map(lease, range(6)) for source in sources_]

    assert len(got) == len(set(got))
    assert len(got) > 0


def test_the_same_articles_stored_by_many_threads_are_stored_once(store: SqlStore) -> None:
    articles = [an_article(str(number)) for number in range(40)]

    def store_all(_: int) -> int:
        with store.begin() as unit:
            return len(unit.articles.add_articles(articles, now=NOON).new)

    with ThreadPoolExecutor(6) as threads:
        new = list(threads.map(store_all, range(6)))

    assert sum(new) == 40
    with store.begin(write=False) as unit:
        assert unit.articles.count_pending() == 40


def test_a_reader_sees_one_state_while_others_write(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.events.save_events([an_event("1")], now=NOON)
    with store.begin(write=False) as reader:
        before = reader.scores.data_version()
        with store.begin() as writer:
            writer.events.save_events([an_event("2")], now=NOON)

        assert [event.id for event in reader.events.events_of("alibaba")] == ["1"]
        assert reader.scores.data_version() == before


@pytest.mark.parametrize(
    "write",
    [
        lambda unit: unit.events.save_events([an_event()], now=NOON),
        lambda unit: unit.scores.add_snapshots([a_snapshot()]),
        lambda unit: unit.access.save_setting("a", "b"),
        lambda unit: unit.lock("a"),
    ],
)
def test_a_transaction_for_reading_refuses_to_write(
    store: SqlStore, write: Callable[[UnitOfWork], None]
) -> None:
    with store.begin(write=False) as unit, pytest.raises(RuntimeError):
        write(unit)


@pytest.mark.slow
def test_a_process_killed_in_mid_transaction_leaves_the_old_state(store: SqlStore, url: str) -> None:
    with store.begin() as unit:
        unit.events.save_events([an_event("old")], now=NOON)
        before = unit.scores.data_version()

    died = subprocess.run(
        [sys.executable, "-c", _DIE, url],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (died.returncode, died.stdout) == (-signal.SIGKILL, "written\n")
    with store.begin() as unit:
        assert [event.id for event in unit.events.events_of("alibaba")] == ["old"]
        assert unit.articles.count_pending() == 0
        assert unit.scores.data_version() == before
        unit.articles.add_articles([an_article()], now=NOON)
