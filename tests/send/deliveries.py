"""Deliveries, receivers and small render functions with defaults."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from pathlib import Path
from typing import Any

from riskwatch.collect.guard import Guard
from riskwatch.collect.http import HttpClient
from riskwatch.model import Delivery, Purpose
from riskwatch.send.message import Mail
from riskwatch.send.receivers.slack import SlackReceiver
from riskwatch.send.receivers.smtp import EmailReceiver, MailServer
from riskwatch.send.receivers.webhook import WebhookReceiver

NOW = datetime(2026, 3, 3, 9, 12, tzinfo=UTC)
PASSWORD = "correct-horse-battery"
HOOK_PATH = "/services/T0000/B0000/veryS3cretPathToken"
SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEWER_SIGNING = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def an_id(number: int) -> str:
    return f"01JNDELIVERY{number:014}"


def a_delivery(number: int = 1, *, receiver_id: str = "mail", kind: str = "email", **more: Any) -> Delivery:
    usual = Delivery(
        id=an_id(number),
        idempotency_key=f"a:{number}",
        receiver_id=receiver_id,
        kind=kind,
        recipient="buyer@example.com" if kind == "email" else receiver_id,
        ordering_key=f"{receiver_id}:{number}",
        purpose=Purpose.ALERT,
        payload={"headline": f"finding {number}"},
        created_at=NOW,
        deadline_at=NOW + timedelta(hours=48),
        next_attempt_at=NOW,
    )
    return replace(usual, **more)


def a_mail(delivery: Delivery) -> Mail:
    text = str(delivery.payload.get("headline", delivery.payload.get("title", "")))
    return Mail(subject=f"[riskwatch] {text}", text=text, html=f"<p>{text}</p>", references=("01JNINCIDENT",))


def blocks(delivery: Delivery) -> dict[str, Any]:
    text = str(delivery.payload.get("headline", delivery.payload.get("title", "")))
    return {"text": text} | ({} if delivery.is_plain else {"blocks": [{"type": "divider"}]})


def a_body(delivery: Delivery) -> dict[str, Any]:
    return {"type": "riskwatch.test", "data": dict(delivery.payload)}


def a_client() -> HttpClient:
    return HttpClient(user_agent="riskwatch/test", guard=Guard(["127.0.0.0/8"]), host_pause_seconds=0)


def a_server(port: int, **more: Any) -> MailServer:
    usual = MailServer(
        host="127.0.0.1",
        port=port,
        sender=Address("Riskwatch", addr_spec="riskwatch@corp.example"),
        connect_seconds=1.0,
        read_seconds=2.0,
        total_seconds=4.0,
    )
    return replace(usual, **more)


def trusting(authority: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority))


def a_mail_receiver(
    port: int,
    authority: Path,
    *,
    name: str = "mail",
    render: Callable[[Delivery], Mail] = a_mail,
    **server: Any,
) -> EmailReceiver:
    return EmailReceiver(
        name,
        recipients=("buyer@example.com",),
        server=a_server(port, **server),
        render=render,
        context=trusting(authority),
    )


def a_slack_receiver(
    url: str, client: HttpClient, *, name: str = "slack", now: Callable[[], datetime] = lambda: NOW
) -> SlackReceiver:
    return SlackReceiver(
        name,
        hook=url,
        render=blocks,
        post=client.post,
        now=now,
        is_admitted=Guard(["127.0.0.0/8"]).is_admitted,
    )


def a_webhook_receiver(
    url: str,
    client: HttpClient,
    *,
    name: str = "grc",
    secret: str = SIGNING,
    now: Callable[[], datetime] = lambda: NOW,
) -> WebhookReceiver:
    return WebhookReceiver(name, url=url, secret=secret, render=a_body, post=client.post, now=now)
