"""From articles to peers: one installation whose clock a test sets, also back, and its jobs one by one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from riskwatch import settings
from riskwatch.app import App
from riskwatch.collect.source import Source
from riskwatch.model import Attempt, Delivery, Incident, Poll, Transition
from riskwatch.send.rule import AlertsFile
from riskwatch.settings import Config
from riskwatch.store import DeliveryFilter
from tests.send.deliveries import SIGNING

START = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)  # a Tuesday
KEY = "key-of-the-tests-0123456789abcdef-0123456789"
HOOK: Mapping[str, Any] = {
    "id": "grc", "kind": "webhook", "secret": "grc_signing", "url": "https://grc.example.com/x",
}  # fmt: skip
MAIL: Mapping[str, Any] = {"id": "mail", "kind": "email", "to": ["buyer@example.com"]}
SLACK: Mapping[str, Any] = {"id": "slack", "kind": "slack", "secret": "slack_path"}
MATERIAL: Mapping[str, Any] = {
    "id": "event-material", "name": "Material event", "severity": "warning", "scope": {"all": True},
    "condition": {"kind": "event", "types": ["*"], "min_points": 3, "min_credibility": 0.5},
}  # fmt: skip
_polls = count(1)


class Hand:
    """A clock set by hand; unlike the wall's it may go back."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


class Bar:
    """A progress bar that shows nothing."""

    def update(self, _done: int) -> None:
        pass


@contextmanager
def no_bar(_total: int, _what: str) -> Iterator[Bar]:
    yield Bar()


def configured(
    folder: Path,
    alerts: Mapping[str, Any],
    *,
    environ: Mapping[str, str],
    overlay: Mapping[str, str] | None = None,
) -> Config:
    """Write an overlay and read it; `environ` comes on top of what tests share."""
    place = folder / "overlay"
    place.mkdir(parents=True, exist_ok=True)
    (place / "alerts.yaml").write_text(yaml.safe_dump(dict(alerts), sort_keys=False), encoding="utf-8")
    for name, text in (overlay or {}).items():
        (place / name).write_text(text, encoding="utf-8")
    config = settings.load(place, {**surroundings(folder), **environ})
    return replace(config, alerts=_unsealed(config.alerts, environ.get("TEST_HOOK", "")))


def _unsealed(alerts: AlertsFile, hook: str) -> AlertsFile:
    """The web hook of these tests speaks no TLS, which a configuration file would be refused."""
    changed = [
        one.model_copy(update={"url": hook}) if one.kind == "webhook" else one for one in alerts.receivers
    ]
    return alerts.model_copy(update={"receivers": tuple(changed)})


def surroundings(folder: Path) -> dict[str, str]:
    """Settings that every installation of these tests has."""
    return {
        "RISKWATCH_DATA_DIR": str(folder / "data"),
        "RISKWATCH_SECRET_KEY": KEY,
        "RISKWATCH_ALLOW_CIDRS": "127.0.0.0/8",
        "RISKWATCH_BASE_URL": "https://riskwatch.example.com",
        "RISKWATCH_RECEIVER_SECRET_GRC_SIGNING": SIGNING,
    }


def to_hook(*digests: Mapping[str, Any], rules: Sequence[Mapping[str, Any]] = (MATERIAL,)) -> dict[str, Any]:
    """Alerting over one webhook, flushed at once."""
    made: dict[str, Any] = {
        "rules": [dict(one) for one in rules],
        "receivers": [dict(HOOK)],
        "routes": [{"match": {}, "receivers": ["grc"], "group_wait": "0s", "group_interval": "60s"}],
    }
    return made | ({"digests": [dict(one) for one in digests]} if digests else {})


class Flow:
    """An App without its scheduler: a test runs the jobs."""

    def __init__(self, config: Config, clock: Hand, *, sources: tuple[Source, ...] = ()) -> None:
        self.clock, self.config = clock, config
        self.app = App(config, now=clock, sources=sources)
        self._files = count(1)

    def start(self) -> Flow:
        """As a worker starts; then wait until it may speak."""
        self.app.alerts.start()
        return self.later(minutes=11)

    def close(self) -> None:
        client = self.app.__dict__.get("client")
        if client is not None:
            client.close()
        self.app.close()

    def later(self, **span: float) -> Flow:
        self.clock.at += timedelta(**span)
        return self

    def ingest(self, *articles: Mapping[str, Any]) -> None:
        folder = self.app.data_dir / "in"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{os.getpid()}-{next(self._files)}.jsonl"
        file.write_text("".join(json.dumps(one) + "\n" for one in articles), encoding="utf-8")
        report = self.app.ingest([file], given={}, bar=no_bar)
        assert not report.errors

    def tick(self, *names: str) -> Flow:
        """Run each job of alerting once, or those named."""
        for name, job in self.app.alerts.ticks().items():
            if not names or name in names:
                job()
        return self

    def told(self) -> Flow:
        """Let what waits be flushed and sent."""
        return self.tick().later(minutes=2).tick()

    def polled(self) -> None:
        """All Sources answered just now."""
        rows = [
            Poll(f"poll-{next(_polls)}", one.id, self.clock(), 10, "ok", "", 200, 100, 1, 0)
            for one in self.app.sources
        ]
        with self.app.store.begin() as unit:
            unit.articles.add_polls(rows)

    # ---------------------------------------------------------------------------- what came of it
    def deliveries(self, *states: str, **where: Any) -> list[Delivery]:
        """Oldest first."""
        with self.app.store.begin(write=False) as unit:
            rows = unit.outbox.deliveries(DeliveryFilter(states=states, limit=10_000, **where))
        return list(reversed(rows))

    def attempts(self) -> list[Attempt]:
        with self.app.store.begin(write=False) as unit:
            rows = unit.outbox.deliveries(DeliveryFilter(limit=10_000))
            return [one for row in rows for one in unit.outbox.attempts(row.id)]

    def incidents(self, rule_id: str | None = None) -> list[Incident]:
        rows = self.app.alerts.incidents(everything=True, limit=10_000)
        return [one for one in rows if rule_id in (None, one.rule_id)]

    def transitions(self) -> list[Transition]:
        with self.app.store.begin(write=False) as unit:
            return [step for one in self.incidents() for step in unit.incidents.transitions(one.id)]


def an_article(
    number: int, title: str, text: str = "", *, at: datetime, outlet: str = "Reuters"
) -> dict[str, str]:
    """One line of JSON Lines as a person would save it."""
    return {
        "id": f"a{number}", "title": title, "text": text or title, "published": at.isoformat(),
        "publisher": outlet, "lang": "en",
    }  # fmt: skip


BANKRUPT = (
    "Mistral AI", "Cohere", "Stability AI", "DeepSeek", "Anthropic", "Perplexity", "Hugging Face",
    "AI21 Labs",
)  # fmt: skip


def bankruptcies(count_: int, *, at: datetime) -> list[dict[str, str]]:
    """Happenings that each raise one alert, of as many vendors."""
    return [
        an_article(
            n, f"{name} files for bankruptcy", f"{name} filed for bankruptcy, the company confirmed.", at=at
        )
        for n, name in enumerate(BANKRUPT[:count_], 1)
    ]
