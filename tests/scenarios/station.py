"""One installation with a clock that a test moves, real feeds on loopback, a real relay and a real hook."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from riskwatch import pipeline
from riskwatch.app import App
from riskwatch.collect.source import Source
from riskwatch.replay import Clock
from tests.collect.sites import Site
from tests.scenarios.flow import configured
from tests.send.deliveries import a_client
from tests.send.peers import Hook, Relay, answer

TICK = timedelta(minutes=5)


@dataclass
class Outlet:
    """A feed on loopback; the newest item stands last."""

    id: str
    tier: str
    items: list[Mapping[str, str]] = field(default_factory=list)


class Station:
    """riskwatch as its worker runs it, tick by tick."""

    def __init__(
        self,
        folder: Path,
        start: datetime,
        *,
        site: Site,
        relay: Relay,
        hook: Hook,
        alerts: Mapping[str, Any],
    ) -> None:
        self.clock, self.site, self.relay, self.hook = Clock(start), site, relay, hook
        self.outlets: dict[str, Outlet] = {}
        self.config = configured(
            folder,
            alerts,
            environ={
                "RISKWATCH_SMTP_HOST": "127.0.0.1",
                "RISKWATCH_SMTP_PORT": str(relay.port),
                "RISKWATCH_SMTP_FROM": "riskwatch@example.com",
                "RISKWATCH_RECEIVER_SECRET_SLACK_PROCUREMENT": f"{hook.url}/services/T0/B0/secretPath",
            },
        )

    def open(self, *outlets: Outlet) -> Station:
        """Build the application over these feeds and start alerting."""
        self.outlets = {outlet.id: outlet for outlet in outlets}
        sources = tuple(
            Source.model_validate(
                {
                    "id": outlet.id, "kind": "feed", "url": f"{self.site.url}/{outlet.id}.xml",
                    "publisher": outlet.id, "class": "press", "tier": outlet.tier, "lang": "en",
                    "covers": ("all",), "interval": {"default": "10m", "min": "5m", "max": "10m"},
                }
            )
            for outlet in outlets
        )  # fmt: skip
        self.app = App(self.config, now=self.clock, sources=sources)
        self.app.__dict__["client"] = a_client()  # as the application's own, without its pauses
        self.hook.says("/services/T0/B0/secretPath", answer(200, b"ok"))
        self.app.alerts.start()
        return self

    def tick(self) -> None:
        """Do once what the worker does."""
        for outlet in self.outlets.values():
            self.site.says(f"/{outlet.id}.xml", body=_feed(outlet), Content_Type="application/rss+xml")
        self.app.poll_due()
        pipeline.absorb(self.app.parts)
        self.app.daily()
        for job in self.app.alerts.ticks().values():
            job()

    def run(self, until: datetime, *, step: timedelta = TICK) -> None:
        """Move the clock on, tick by tick."""
        while self.clock.at < until:
            self.clock.move(min(self.clock.at + step, until))
            self.tick()

    def mails(self) -> list[EmailMessage]:
        """Return what the relay took."""
        return [message_from_bytes(content, policy=default) for _, content in self.relay.mails]


def _feed(outlet: Outlet) -> bytes:
    items = "".join(
        f"<item><title>{html.escape(one['title'])}</title><guid isPermaLink='false'>{one['id']}</guid>"
        f"<pubDate>{one['published']}</pubDate><description>{html.escape(one['text'])}</description></item>"
        for one in outlet.items
    )
    return f"<rss version='2.0'><channel><title>{outlet.id}</title>{items}</channel></rss>".encode()
