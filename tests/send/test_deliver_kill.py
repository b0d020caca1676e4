"""kill -9 around a send, and two dispatchers on one outbox."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from riskwatch.collect.http import HttpClient
from riskwatch.model import DeliveryState
from tests.send.deliveries import a_slack_receiver, a_webhook_receiver, an_id
from tests.send.desk import Desk
from tests.send.peers import Hook, answer

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(("instant", "copies"), [("before", 1), ("after", 2)])
def test_21_22_a_kill_before_or_after_the_send_costs_at_most_one_copy_of_the_same_id(
    desk: Desk, hook: Hook, client: HttpClient, url: str, instant: str, copies: int
) -> None:
    hook.says("/x", answer(204))
    receiver = a_webhook_receiver(hook.url + "/x", client, now=lambda: desk.now)
    desk.with_receivers(receiver).owes_to(receiver, 1, 2)

    died = subprocess.run(
        [sys.executable, "-m", "tests.send.dying", url, hook.url + "/x", instant],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    assert desk.dispatch().delivered == 0  # the lease still stands
    desk.later(minutes=5)
    with desk.store.begin() as unit:
        assert unit.outbox.reap(now=desk.now) == 2
    desk.dispatch()

    ids = [one.headers["webhook-id"] for one in hook.asked]
    assert (ids.count(an_id(1)), ids.count(an_id(2))) == (copies, 1)
    assert {desk.delivery(an_id(n)).state for n in (1, 2)} == {DeliveryState.DELIVERED}
    assert desk.outcomes(an_id(1)) == ["ambiguous", "ok"]


def test_25_two_dispatchers_at_once_send_everything_once(desk: Desk, hook: Hook, client: HttpClient) -> None:
    hook.says("/x", answer(204))
    receiver = a_webhook_receiver(hook.url + "/x", client, now=lambda: desk.now)
    desk.with_receivers(receiver).owes_to(receiver, *range(1, 61))

    both = [threading.Thread(target=desk.dispatch, kwargs={"limit": 4}) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(60)

    ids = [one.headers["webhook-id"] for one in hook.asked]
    assert sorted(ids) == [an_id(n) for n in range(1, 61)]
    assert {desk.delivery(an_id(n)).state for n in range(1, 61)} == {DeliveryState.DELIVERED}


def test_a_crash_leaves_one_slack_message_unclear(desk: Desk, hook: Hook, client: HttpClient) -> None:
    under_way: list[int] = []

    def look(connection: socket.socket) -> None:
        under_way.append(sum(row.state is DeliveryState.SENDING for row in desk.waiting("slack")))
        connection.sendall(answer(200, b"ok"))

    hook.says("/s", look)
    receiver = a_slack_receiver(hook.url + "/s", client, now=lambda: desk.now)
    receiver.pace_seconds = 0.0
    desk.with_receivers(receiver).owes_to(receiver, *range(1, 8))

    desk.dispatch()

    assert under_way == [1] * 7
