"""kill -9 and several workers, from articles to a real web hook, on both databases."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from riskwatch import pipeline
from riskwatch.model import DeliveryState
from tests.scenarios.fated import ALL, GATE, a_flow
from tests.scenarios.flow import START, Flow, bankruptcies
from tests.scenarios.warm import Branch
from tests.send.peers import Hook, answer

pytestmark = pytest.mark.slow
WORKERS = 4


@pytest.fixture
def flow(tmp_path: Path, url: str, hook: Hook) -> Iterator[Flow]:
    made = a_flow(tmp_path, url, hook.says("/x", answer(204)), START)
    yield made.start()
    made.close()


def fated(fate: str, folder: Path, url: str, hook: Hook, flow: Flow) -> Branch:
    arguments = (fate, str(folder), url, f"{hook.url}/x", str(flow.clock()))
    return Branch(arguments, os.environ, folder / "said", module="tests.scenarios.fated")


def killed(fate: str, folder: Path, url: str, hook: Hook, flow: Flow) -> None:
    process = fated(fate, folder, url, hook, flow)
    _, err = process.communicate()
    assert process.returncode == -signal.SIGKILL, err


def wait_for(flow: Flow, count: int) -> None:
    """Store articles that nobody has read yet."""
    file = flow.app.data_dir / "waiting.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        "".join(json.dumps(one) + "\n" for one in bankruptcies(count, at=START)), encoding="utf-8"
    )
    for saved in flow.app.intake.saved([file], given={}):
        pipeline.ingest(flow.app.parts, saved.articles)


def ids(hook: Hook) -> Counter[str]:
    return Counter(one.headers["webhook-id"] for one in hook.asked)


@pytest.mark.parametrize("fate", ["committed", "flushed"])
def test_21_what_was_committed_before_a_kill_is_sent_after_the_restart(
    fate: str, flow: Flow, tmp_path: Path, url: str, hook: Hook
) -> None:
    wait_for(flow, 2)

    killed(fate, tmp_path, url, hook, flow)
    assert hook.asked == []
    flow.start().told()

    assert [row.state for row in flow.deliveries()] == [DeliveryState.DELIVERED] * 2
    assert sorted(ids(hook).values()) == [1, 1]
    assert {json.loads(one.body)["data"]["subject"] for one in hook.asked} == {"mistral", "cohere"}


def test_22_a_kill_between_send_and_settling_costs_one_more_copy_of_the_same_id(
    flow: Flow, tmp_path: Path, url: str, hook: Hook
) -> None:
    wait_for(flow, 2)

    killed("sent", tmp_path, url, hook, flow)
    assert len(hook.asked) == 1
    flow.start().told()

    assert [row.state for row in flow.deliveries()] == [DeliveryState.DELIVERED] * 2
    assert sorted(ids(hook).values()) == [1, 2]
    assert set(ids(hook)) == {row.id for row in flow.deliveries()}
    assert sorted(str(one.outcome) for one in flow.attempts()) == ["ambiguous", "ambiguous", "ok", "ok"]


def test_23_a_kill_inside_the_evaluation_leaves_neither_score_nor_alert(
    flow: Flow, tmp_path: Path, url: str, hook: Hook
) -> None:
    wait_for(flow, 1)

    killed("evaluating", tmp_path, url, hook, flow)

    with flow.app.store.begin(write=False) as unit:
        assert unit.scores.latest_all() == {}
        assert list(unit.events.events_of("mistral")) == []
        assert unit.articles.count_pending() == 1
    assert (flow.incidents(), flow.deliveries()) == ([], [])
    pipeline.absorb(flow.app.parts)
    flow.told()
    assert [one.subject for one in flow.incidents()] == ["mistral"]
    assert len(hook.asked) == 1


def test_25_four_workers_at_once_tell_each_alert_and_each_digest_once(
    flow: Flow, tmp_path: Path, url: str, hook: Hook
) -> None:
    with (tmp_path / GATE).open("w", encoding="utf-8") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        workers = [fated("working", tmp_path, url, hook, flow) for _ in range(WORKERS)]
        while len(list(tmp_path.glob("*.ready"))) < WORKERS:
            assert all(one.poll() is None for one in workers), [one.communicate() for one in workers]
            time.sleep(0.01)
    for one in workers:
        _, err = one.communicate()
        assert one.returncode == 0, err

    flow.later(hours=6).tick()

    told = [json.loads(one.body) for one in hook.asked]
    assert Counter(one["type"] for one in told) == {
        "riskwatch.incident.opened": ALL,
        "riskwatch.digest": 1,
    }
    assert len({one["data"]["incident_id"] for one in told if "incident_id" in one["data"]}) == ALL
    assert set(ids(hook).values()) == {1}
    assert {row.state for row in flow.deliveries()} == {DeliveryState.DELIVERED}
