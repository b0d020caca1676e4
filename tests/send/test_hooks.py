"""One try over HTTP against hooks that lie, hang and redirect: what is told, and what the peer got."""

from __future__ import annotations

import base64
import json
import logging
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from riskwatch.collect.guard import Guard
from riskwatch.collect.http import HttpClient, Limits
from riskwatch.errors import DeliveryError, Invalid
from riskwatch.send.receiver import Receiver, told
from riskwatch.send.receivers.slack import SlackReceiver
from tests.send.deliveries import (
    HOOK_PATH,
    NEWER_SIGNING,
    NOW,
    SIGNING,
    a_delivery,
    a_slack_receiver,
    a_webhook_receiver,
    an_id,
    blocks,
)
from tests.send.peers import Hook, a_free_port, answer


def silence(_connection: socket.socket) -> None:
    """Hang up."""


PATH = "/hooks/riskwatch-0815-secret"


def refused(receiver: Receiver) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        receiver.send(a_delivery(receiver_id=receiver.id, kind=receiver.kind))
    return caught.value


def both(hook: Hook, client: HttpClient) -> list[Receiver]:
    return [a_slack_receiver(hook.url + HOOK_PATH, client), a_webhook_receiver(hook.url + PATH, client)]


# -------------------------------------------------------------------------------- answers
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (format_datetime(NOW + timedelta(seconds=30), usegmt=True), 30.0),
        (None, None),
        ("1000000000", 900.0),
        ("-1", None),
        ("junk", None),
    ],
)
def test_12_a_429_tells_how_long_to_wait(
    hook: Hook, client: HttpClient, header: str | None, seconds: float | None
) -> None:
    reply = answer(429, Retry_After=header) if header else answer(429)
    hook.says(HOOK_PATH, reply)
    hook.says(PATH, reply)

    for receiver in both(hook, client):
        error = refused(receiver)

        assert (error.outcome, error.scope, error.code) == ("transient", "receiver", "429")
        assert error.retry_after_seconds == seconds


def test_14_no_connection_is_no_delivery(client: HttpClient) -> None:
    error = refused(a_webhook_receiver(f"http://127.0.0.1:{a_free_port()}/x", client))

    assert (error.outcome, error.scope, error.code) == ("transient", "receiver", "unreachable")


def short(**more: float) -> HttpClient:
    limits = Limits(**({"connect_seconds": 0.4, "read_seconds": 0.4, "total_seconds": 0.8} | more))  # type: ignore[arg-type] # seconds only
    return HttpClient(user_agent="x", guard=Guard(["127.0.0.0/8"]), limits=limits, host_pause_seconds=0)


def test_14_a_time_out_inside_the_body_is_no_delivery() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections, never reads
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client = short()
        receiver = a_webhook_receiver(f"http://127.0.0.1:{deaf.getsockname()[1]}/x", client)
        with pytest.raises(DeliveryError) as caught:
            receiver.send(a_delivery(kind="webhook", payload={"headline": "x" * 20_000_000}))
        client.close()

    assert (caught.value.outcome, caught.value.scope) == ("transient", "receiver")


@pytest.mark.parametrize("is_dropped", [True, False])
def test_14_a_time_out_or_loss_after_the_body_is_unclear(hook: Hook, is_dropped: bool) -> None:
    def speak(_connection: socket.socket) -> None:
        if not is_dropped:
            hook.over.wait(10)

    hook.says(PATH, speak)
    hook.says(HOOK_PATH, speak)
    client = short()

    for receiver in both(hook, client):
        error = refused(receiver)

        assert (error.outcome, error.scope) == ("ambiguous", "receiver")
        assert error.code in ("too_slow", "cut_off")
    assert len(hook.asked) == 2
    client.close()


@pytest.mark.parametrize("body", [b"ok", b"", b"<html>thanks</html>", b"invalid_payload"])
def test_16_any_2xx_is_success_and_its_text_is_kept(hook: Hook, client: HttpClient, body: bytes) -> None:
    hook.says(HOOK_PATH, answer(200, body))

    sent = a_slack_receiver(hook.url + HOOK_PATH, client).send(a_delivery(kind="slack"))

    assert (sent.code, sent.detail) == ("200", body.decode())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_17_a_redirect_is_not_followed(hook: Hook, client: HttpClient, status: int) -> None:
    hook.says("/elsewhere", answer(200, b"ok"))
    for path in (HOOK_PATH, PATH):
        hook.says(path, answer(status, Location=f"{hook.url}/elsewhere"))

    for receiver in both(hook, client):
        error = refused(receiver)

        assert (error.outcome, error.scope, error.code) == ("permanent", "receiver", str(status))
    assert hook.asked_at("/elsewhere") == []


@pytest.mark.parametrize("head", [b"Content-Length: 2147483648\r\n", b""])
def test_18_of_an_endless_body_64_kib_are_read(hook: Hook, client: HttpClient, head: bytes) -> None:
    sent = [0]

    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        while True:
            sent[0] += connection.send(b"x" * 65_536)

    hook.says(PATH, endless)

    got = client.post(hook.url + PATH, body=b"{}", headers={}, receiver_id="grc")

    assert (got.status, len(got.body)) == (200, 65_536)
    assert sent[0] < 100_000_000  # the sockets' buffers at most; then the peer is hung up on


def test_18_a_body_that_drips_is_let_go_and_its_status_counts(hook: Hook) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        while not hook.over.wait(0.1):
            connection.sendall(b"x")

    hook.says(PATH, drip)
    client = short()

    assert a_webhook_receiver(hook.url + PATH, client).send(a_delivery(kind="webhook")).code == "200"
    client.close()


def test_18_a_head_that_drips_is_let_go(hook: Hook) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 ")
        while not hook.over.wait(0.1):
            connection.sendall(b"2")

    hook.says(PATH, drip)
    client = short()

    error = refused(a_webhook_receiver(hook.url + PATH, client))

    assert (error.outcome, error.code) == ("ambiguous", "too_slow")
    client.close()


def test_19_what_a_peer_says_is_kept_as_one_escaped_line(hook: Hook, client: HttpClient) -> None:
    hostile = b"no\r\nSet-Cookie: x\r\n\x1b[31mred\x1b[0m \x00\x85\xe2\x80\xa8 \xff" + "é".encode() * 600
    for path in (HOOK_PATH, PATH):
        hook.says(path, answer(400, hostile))

    for receiver in both(hook, client):
        reason = refused(receiver).reason

        assert len(reason.encode()) <= 530
        assert reason.isprintable()
        assert "no\\r\\nSet-Cookie: x\\r\\n\\x1b[31mred" in reason


def test_19_a_line_is_cut_between_characters() -> None:
    assert len(told("é" * 600).encode()) == 512
    assert told("a\ud800b") == "a\\ud800b"


# -------------------------------------------------------------------------------- requests
def test_a_slack_message_is_json_on_a_connection_of_its_own(hook: Hook, client: HttpClient) -> None:
    hook.says(HOOK_PATH, answer(200, b"ok"))
    receiver = a_slack_receiver(hook.url + HOOK_PATH, client)

    receiver.send(a_delivery(kind="slack"))
    receiver.send(a_delivery(kind="slack", is_plain=True))

    rich, plain = hook.asked
    assert rich.headers["content-type"] == "application/json; charset=utf-8"
    assert rich.headers["connection"] == "close"
    assert json.loads(rich.body) == {"text": "finding 1", "blocks": [{"type": "divider"}]}
    assert json.loads(plain.body) == {"text": "finding 1"}
    assert hook.connections == 2  # a kept one that broke would look like an unclear outcome


def test_a_lone_surrogate_in_a_text_stops_no_message(hook: Hook, client: HttpClient) -> None:
    hook.says(HOOK_PATH, answer(200, b"ok"))

    a_slack_receiver(hook.url + HOOK_PATH, client).send(
        a_delivery(kind="slack", payload={"headline": "\ud800"})
    )

    assert json.loads(hook.asked[0].body)["text"] == "?"


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com.evil.example/services/T/B/x",
        "https://evil.example/hooks.slack.com/services/T/B/x",
        "http://hooks.slack.com/services/T/B/x",
        "https://user@evil.example/services/T/B/x",
        "ftp://hooks.slack.com/services/T/B/x",
        "hooks.slack.com/services/T/B/x",
        "https://127.0.0.1/services/T/B/x",
        "",
    ],
)
def test_39_a_slack_hook_leads_to_slack(client: HttpClient, url: str) -> None:
    with pytest.raises(Invalid) as caught:
        SlackReceiver("slack", hook=url, render=blocks, post=client.post, now=lambda: NOW)

    assert "services" not in str(caught.value)


@pytest.mark.parametrize("host", ["hooks.slack.com", "hooks.slack-gov.com"])
def test_39_both_hosts_of_slack_are_known(client: HttpClient, host: str) -> None:
    SlackReceiver("s", hook=f"https://{host}/services/x", render=blocks, post=client.post, now=lambda: NOW)


INNER = [
    "127.0.0.1", "localhost", "[::1]", "2130706433", "0177.0.0.1", "0x7f000001", "127.1",
    "0.0.0.0",  # noqa: S104 - it is refused here
    "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[fec0::1]", "[::7f00:1]", "100.64.0.1", "①②⑦.0.0.1",
    "169.254.169.254", "2852039166", "0xA9FEA9FE", "0251.0376.0251.0376", "169.254.43518",
]  # fmt: skip


@pytest.mark.parametrize("host", INNER)
def test_39_a_webhook_to_an_inner_address_opens_no_socket(host: str) -> None:
    client = HttpClient(user_agent="x", guard=Guard(ports=range(1, 65_536)), host_pause_seconds=0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        url = f"https://{host}:{listener.getsockname()[1]}/latest/meta-data"

        error = refused(a_webhook_receiver(url, client))

        assert error.outcome != "ok"
        assert (error.code, error.outcome) in {("blocked", "permanent"), ("unreachable", "transient")}
        assert "meta-data" not in error.reason
        with pytest.raises(TimeoutError):
            listener.accept()
    client.close()


def test_39_clear_http_is_refused_where_no_network_is_admitted() -> None:
    client = HttpClient(user_agent="x", host_pause_seconds=0)

    error = refused(a_webhook_receiver("http://198.51.100.1/x", client))

    assert (error.outcome, error.scope, error.code) == ("permanent", "receiver", "blocked")
    client.close()


# -------------------------------------------------------------------------------- signatures
def test_20_the_signature_is_one_that_others_verify(hook: Hook, client: HttpClient) -> None:
    hook.says(PATH, answer(204))
    now = datetime.now(UTC)

    a_webhook_receiver(hook.url + PATH, client, now=lambda: now).send(a_delivery(kind="webhook"))

    asked = hook.asked[0]
    assert asked.headers["webhook-id"] == an_id(1)
    assert Webhook(SIGNING).verify(asked.body, asked.headers) == json.loads(asked.body)


@pytest.mark.parametrize("spoil", ["body", "id", "early", "late"])
def test_20_a_changed_message_does_not_verify(hook: Hook, client: HttpClient, spoil: str) -> None:
    hook.says(PATH, answer(204))
    shift = {"early": timedelta(minutes=-6), "late": timedelta(minutes=6)}.get(spoil, timedelta(0))
    now = datetime.now(UTC) + shift
    a_webhook_receiver(hook.url + PATH, client, now=lambda: now).send(a_delivery(kind="webhook"))
    asked = hook.asked[0]
    body, headers = asked.body, dict(asked.headers)
    if spoil == "body":
        body = bytes([body[0] ^ 1]) + body[1:]
    if spoil == "id":
        headers["webhook-id"] = an_id(2)

    with pytest.raises(WebhookVerificationError):
        Webhook(SIGNING).verify(body, headers)


def test_20_the_id_stays_and_the_time_is_fresh_over_tries(hook: Hook, client: HttpClient) -> None:
    hook.says(PATH, answer(500), answer(204))
    clock = [datetime.now(UTC)]
    receiver = a_webhook_receiver(hook.url + PATH, client, now=lambda: clock[0])

    refused(receiver)
    clock[0] += timedelta(seconds=5)
    receiver.send(a_delivery(kind="webhook"))

    first, second = hook.asked
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 5
    assert first.body == second.body
    assert Webhook(SIGNING).verify(second.body, second.headers)


def test_20_both_secrets_verify_while_one_is_replaced(hook: Hook, client: HttpClient) -> None:
    hook.says(PATH, answer(204))
    now = datetime.now(UTC)
    secret = f"{NEWER_SIGNING} {SIGNING}"

    a_webhook_receiver(hook.url + PATH, client, secret=secret, now=lambda: now).send(
        a_delivery(kind="webhook")
    )

    asked = hook.asked[0]
    assert len(asked.headers["webhook-signature"].split()) == 2
    for one in (NEWER_SIGNING, SIGNING):
        assert Webhook(one).verify(asked.body, asked.headers)


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_!!!notbase64!!!", base64.b64encode(b"short").decode(), " ".join([SIGNING] * 3)],
)
def test_a_signing_secret_that_cannot_be_used_is_refused_unseen(client: HttpClient, secret: str) -> None:
    with pytest.raises(Invalid) as caught:
        a_webhook_receiver("https://grc.example.com/x", client, secret=secret)

    assert "!!!" not in str(caught.value)


# -------------------------------------------------------------------------------- secrets
def test_44_no_secret_is_told_when_the_peer_echoes_it(
    hook: Hook, client: HttpClient, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.INFO)  # as set_up_logging does
    token = HOOK_PATH.rsplit("/", 1)[1]
    hook.says(HOOK_PATH, answer(400, f"{hook.url}{HOOK_PATH} {HOOK_PATH} {token}".encode()), silence)
    hook.says(PATH, answer(400, f"{hook.url}{PATH} {SIGNING} {SIGNING[6:]}".encode()), silence)
    receivers = both(hook, client)

    errors = [refused(receiver) for receiver in receivers for _ in range(2)]
    errors.append(refused(a_slack_receiver(f"http://127.0.0.1:{a_free_port()}{HOOK_PATH}", client)))

    printed = capfd.readouterr()
    for text in (
        *map(str, errors),
        *map(repr, errors),
        caplog.text,
        printed.out,
        printed.err,
        repr(receivers),
    ):
        for secret in (token, PATH, SIGNING, SIGNING[6:]):
            assert secret not in text
    assert "<secret>" in errors[0].reason
