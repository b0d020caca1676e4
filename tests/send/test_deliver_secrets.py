"""No secret in what is logged or stored, whatever fails (fault 44)."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import structlog

from riskwatch import telemetry
from riskwatch.model import DeliveryState
from riskwatch.send.receiver import Receiver
from riskwatch.store import DeliveryFilter
from tests.send.deliveries import (
    HOOK_PATH,
    PASSWORD,
    SIGNING,
    a_client,
    a_mail_receiver,
    a_slack_receiver,
    a_webhook_receiver,
)
from tests.send.desk import Desk
from tests.send.peers import Hook, Relay, Talk, answer

PATH = "/hooks/grc-0815-token"
TOKEN = HOOK_PATH.rsplit("/", 1)[1]


def test_44_no_secret_is_logged_or_stored_when_everything_fails_at_debug(
    desk: Desk, hook: Hook, relay: Relay, authority: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    client = a_client()

    def echo(talk: Talk) -> bytes:
        return f"535 {PASSWORD} {talk.relay.heard[-1]}\r\n".encode()

    relay.says("AUTH", *[echo] * 9)
    told = f"{hook.url}{HOOK_PATH} {HOOK_PATH} {TOKEN}".encode()
    hook.says(HOOK_PATH, answer(500, told), answer(301, told, Location=hook.url + HOOK_PATH), lambda _: None)
    signed = f"{hook.url}{PATH} {PATH} {SIGNING}".encode()
    hook.says(PATH, answer(503, signed), lambda _: None, answer(403, signed))
    root, before = logging.getLogger(), logging.getLogger().level
    root.setLevel(logging.DEBUG)
    handler = logging.StreamHandler()
    root.addHandler(handler)
    secrets = (PASSWORD, SIGNING, hook.url + HOOK_PATH, HOOK_PATH, HOOK_PATH.lstrip("/"))
    telemetry.set_up_logging(form="json", level="DEBUG", secrets=secrets)
    receivers: tuple[Receiver, ...] = (
        a_mail_receiver(relay.port, authority, user="u", password=PASSWORD),
        a_slack_receiver(hook.url + HOOK_PATH, client, now=lambda: desk.now),
        a_webhook_receiver(hook.url + PATH, client, now=lambda: desk.now),
    )
    desk.with_receivers(*receivers)
    desk.log = structlog.get_logger("riskwatch")
    try:
        for number, receiver in enumerate(receivers):
            desk.owes_to(receiver, *range(10 * number + 1, 10 * number + 4))
        for _ in range(6):
            desk.dispatch()
            desk.later(hours=1)
    finally:
        client.close()
        root.removeHandler(handler)
        root.setLevel(before)
        structlog.reset_defaults()

    printed = "".join(capfd.readouterr())
    assert "delivery_tried" in printed
    with desk.store.begin(write=False) as unit:
        rows = unit.outbox.deliveries(DeliveryFilter(limit=200))
        tried = [attempt for row in rows for attempt in unit.outbox.attempts(row.id)]
        states = unit.outbox.receiver_states()
    assert {row.state for row in rows} <= {DeliveryState.PENDING, DeliveryState.DEAD, DeliveryState.DELIVERED}
    assert len(tried) > 6
    for text in (printed, repr(tried), repr(states), repr([row.payload for row in rows])):
        for secret in (TOKEN, PATH, SIGNING, PASSWORD, "AHUAY29ycmVjdC1ob3JzZS1iYXR0ZXJ5"):
            assert secret not in text
