"""A small installation on a real SQLite file: articles through the pipeline, events, polls, scores, keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from riskwatch import pipeline, web
from riskwatch.app import App
from riskwatch.keeping import DATABASE
from riskwatch.model import Assertion, Poll
from riskwatch.replay import Clock
from riskwatch.serve import ServeConfig, create_app
from riskwatch.settings import Config, load
from tests.serve import alerting
from tests.store.builders import an_article, an_event

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PEPPER = "pepper-of-the-tests-0123456789abcdef"
HOSTILE = "<script>alert('x')</script> Qwen \u202e\"--> {{7*7}}\r\nSet-Cookie: a=b"
LOUD = (
    ("Qwen technical lead resigns", "Junyang Lin, technical lead of Alibaba's Qwen, resigned on March 3."),
    ("Qwen ships", "Alibaba released Qwen3.5, a new open-weight model, on March 5, 2026."),
    (HOSTILE, "Alibaba's Qwen team speaks of nothing new, says a page that means harm."),
)
QUIET = (
    ("Alibaba and the cloud", "Alibaba said that its Qwen models run in a further region of its cloud."),
    ("A quiet week at Alibaba", "Analysts visited Alibaba and saw the Qwen models at work."),
)  # fmt: skip


@cache
def _shipped() -> Config:
    return load(environ={"RISKWATCH_SECRET_KEY": PEPPER})


def config_of(data_dir: Path) -> Config:
    """Return the shipped configuration for a data folder."""
    shipped = _shipped()
    return replace(shipped, settings=shipped.settings.model_copy(update={"data_dir": data_dir}))


@dataclass
class Installation:
    """One App on its own folder, with a clock moved by hand, and web apps on it."""

    folder: Path
    app: App
    clock: Clock
    keys: Mapping[str, str]  # scope -> text of a key

    def flask(self, **values: Any) -> Flask:
        """Return a web app; values replace fields of ServeConfig."""
        config = self.config(**values)
        actions = web.WebActions(self.app.parts, self.app.counters.text)
        return create_app(
            store=self.app.store, actions=actions, config=config, now=self.clock, alerts=self.app.desk
        )

    def copied(self, folder: Path) -> Installation:
        """Return a twin on a copy of the database."""
        self.app.keeping.backup(folder / DATABASE)
        clock = Clock(self.clock())
        app = App(config_of(folder), now=clock)
        return Installation(folder, app, clock, self.keys)

    def config(self, **values: Any) -> ServeConfig:
        """Return what the web app is given."""
        given = {
            "ruleset_digest": self.app.ruleset_digest,
            "pepper": PEPPER.encode(),
            "per_minute": 1_000_000,
        }
        return web.serve_config(self.app.config, self.app.sources, **{**given, **values})


def build(folder: Path) -> Installation:
    """Make an installation in an empty folder."""
    clock = Clock(NOW - 30 * DAY)
    app = App(config_of(folder), now=clock)
    for days in (30, 20, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0):
        clock.move(NOW - days * DAY)
        _poll_all(app, clock())
        if days == 30:
            _tell(app, QUIET, clock())
        if days == 5:
            _tell(app, LOUD, clock())
            _sue(app, clock())
        with app.store.begin() as unit:
            pipeline.rescore(
                app.parts,
                unit,
                pipeline.affected(app.parts, app.config.vendors),
                as_of=clock(),
                cause="daily",
            )
    alerting.fill(app)
    keys = {scope: app.add_key(scope, scopes=(scope,)) for scope in ("read", "review", "admin")}
    return Installation(folder, app, clock, keys)


def _tell(app: App, told: Sequence[tuple[str, str]], now: datetime) -> None:
    articles = [
        an_article(
            f"{now:%d}-{number}",
            title=title,
            text=text,
            published_at=now - timedelta(hours=number),
            text_key=text,
        )
        for number, (title, text) in enumerate(told)
    ]
    pipeline.ingest(app.parts, articles)
    pipeline.absorb(app.parts)


def _sue(app: App, now: datetime) -> None:
    events = [
        an_event(
            f"01EVENT{number:02}", type="lawsuit", vendor="mistral",
            home="mistral", object=f"case {number}", occurred_at=now - timedelta(days=number // 3),
            assertion=Assertion.REPORTED,
        )
        for number in range(12)
    ]  # fmt: skip
    with app.store.begin() as unit:
        unit.events.save_events(events, now=now)


def _poll_all(app: App, at: datetime) -> None:
    rows = [
        Poll(f"{source.id}-{at:%Y%m%d}", source.id, at, 120, "ok", "", 200, 2_000, 1, 0)
        for source in app.sources
    ]
    with app.store.begin() as unit:
        unit.articles.add_polls(rows)


class Reader:
    """Asks the API with a key."""

    def __init__(self, client: FlaskClient, key: str | None) -> None:
        self.client, self.key = client, key

    def get(self, path: str, **given: Any) -> TestResponse:
        return self.ask("GET", path, **given)

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **given: Any
    ) -> TestResponse:
        mine = {} if self.key is None else {"X-API-Key": self.key}
        return self.client.open(path, method=method, headers={**mine, **(headers or {})}, **given)

    def json(self, path: str) -> Any:
        answer = self.get(path)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return json.loads(answer.get_data())

    def pages(self, path: str, limit: int) -> Iterator[list[Any]]:
        """Walk a listing to its end."""
        cursor, sign = "", "&" if "?" in path else "?"
        while True:
            page = self.json(f"{path}{sign}limit={limit}{cursor}")
            yield page["items"]
            if page["next_cursor"] is None:
                return
            cursor = f"&cursor={page['next_cursor']}"


@contextmanager
def installed(folder: Path) -> Iterator[Installation]:
    """Make an installation and give its connections back."""
    made = build(folder)
    try:
        yield made
    finally:
        made.app.close()


def shifted(key: str) -> str:
    """Return a key of the right shape and the wrong secret."""
    return key[:-1] + ("A" if key[-1] != "A" else "B")


__all__ = ["DAY", "HOSTILE", "NOW", "PEPPER", "Installation", "Reader", "installed", "shifted"]
