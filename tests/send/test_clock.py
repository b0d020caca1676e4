"""A wall clock that somebody moved."""

from __future__ import annotations

from datetime import timedelta

import pytest

from riskwatch.collect.http import HttpClient
from riskwatch.model import DeliveryState
from riskwatch.send.clock import ClockWatch
from riskwatch.send.deliver import after_jump
from tests.send.deliveries import NOW, a_webhook_receiver, an_id
from tests.send.desk import Desk
from tests.send.peers import Hook, answer


@pytest.mark.parametrize(
    ("wall", "passed", "jump"),
    [(5, 5, 0), (65, 5, 0), (66, 5, 61), (3_605, 5, 3_600), (-3_595, 5, -3_600), (600, 600, 0)],
)
def test_a_jump_is_what_the_wall_clock_gains_or_loses_beyond_a_minute(
    wall: float, passed: float, jump: float
) -> None:
    watch = ClockWatch()

    assert watch.jump_seconds(NOW, 1_000.0) == 0
    assert watch.jump_seconds(NOW + timedelta(seconds=wall), 1_000.0 + passed) == jump


def test_29_after_a_clock_went_back_nothing_stalls(desk: Desk, hook: Hook, client: HttpClient) -> None:
    hook.says("/x", answer(429, Retry_After="600"), answer(204))
    receiver = a_webhook_receiver(hook.url + "/x", client, now=lambda: desk.now)
    desk.with_receivers(receiver).owes_to(receiver, 1, 2)
    desk.dispatch()

    desk.later(hours=-1)
    moved = after_jump(desk.store, jump_seconds=-3_600, now=desk.now, count=desk._count, log=desk.log)

    assert moved > 0
    assert (desk.counted["clock_jumps"], len(desk.log.of("clock_jump"))) == (1, 1)
    desk.later(minutes=11).dispatch()
    assert {desk.delivery(an_id(n)).state for n in (1, 2)} == {DeliveryState.DELIVERED}
