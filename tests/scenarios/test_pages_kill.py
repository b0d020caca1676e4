"""kill -9 while pages are read: after the restart every page is read, no event lost or doubled."""

from __future__ import annotations

import contextlib
import http.server
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import CommandLine
from tests.scenarios.test_kill import VENDORS, articles, killed_until_done, rows, seconds_of, state

pytestmark = pytest.mark.slow
HOSTS, PER_HOST = 6, 2


class _Press(http.server.ThreadingHTTPServer):
    """A feed of teasers on the first host, their pages on all of them."""

    news = articles(HOSTS * PER_HOST)
    told = format_datetime(datetime.now(UTC) - timedelta(days=1))
    asked: Counter[str]
    port: int

    def feed(self) -> str:
        return "<?xml version='1.0'?><rss version='2.0'><channel>" + "".join(
            f"<item><guid>{number}</guid><title>The AI company {_vendor(one)} today: {number}</title>"
            f"<link>http://127.0.0.{number % HOSTS + 1}:{self.port}/news/{number}</link>"
            f"<pubDate>{self.told}</pubDate></item>"
            for number, one in enumerate(self.news)
        ) + "</channel></rss>"  # fmt: skip


def _vendor(one: dict[str, str]) -> str:
    return next(name for name in VENDORS if name in one["title"])


def _page(one: dict[str, str]) -> str:
    vendor = _vendor(one)
    return (
        f"<html><body><article><p>{one['title']} People there were told by a letter, on a quiet day.</p>"
        f"<p>{vendor} gave no further reason, and nobody whom we asked in the town knew of one.</p>"
        f"<p>Others of the trade were surprised, since {vendor} had said nothing at its meeting.</p>"
        "</article></body></html>"
    )


class _Pages(http.server.BaseHTTPRequestHandler):
    server: _Press

    def do_GET(self) -> None:
        self.server.asked[self.path] += 1
        status, kind, text = 404, "text/plain", ""
        if self.path == "/feed":
            status, kind, text = 200, "application/rss+xml", self.server.feed()
        elif self.path.startswith("/news/"):
            time.sleep(0.2)
            status, kind, text = 200, "text/html", _page(self.server.news[int(self.path.rpartition("/")[2])])
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def press() -> Iterator[_Press]:
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(_Press(("127.0.0.1", 0), _Pages))
        others = [
            stack.enter_context(_Press((f"127.0.0.{number + 1}", first.server_port), _Pages))
            for number in range(1, HOSTS)
        ]
        asked = Counter[str]()
        for server in (first, *others):
            server.port, server.asked = first.server_port, asked
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            stack.callback(server.shutdown)
        yield first


def _let_leases_pass(riskwatch: CommandLine) -> None:
    """As if the minutes of a dead program's claims were over."""
    path = Path(riskwatch.environ["RISKWATCH_DATA_DIR"]) / "riskwatch.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE page SET due_at = 1 WHERE due_at IS NOT NULL")


def test_a_killed_reading_of_pages_loses_and_doubles_nothing(
    command_line: Callable[..., CommandLine], tmp_path: Path, press: Any
) -> None:
    overlay = tmp_path / "config" / "sources"
    overlay.mkdir(parents=True)
    entry = f"- {{id: local, url: 'http://127.0.0.1:{press.port}/feed', publisher: outlet, tier: '2'}}\n"
    (overlay / "local.yaml").write_text(entry, encoding="utf-8")
    arguments = ("--config", str(tmp_path / "config"), "poll", "--once", "--source", "local")
    calm = command_line("calm", RISKWATCH_ALLOW_CIDRS="127.0.0.0/8")
    stormy = command_line("stormy", RISKWATCH_ALLOW_CIDRS="127.0.0.0/8")
    seconds = seconds_of(calm, *arguments)
    press.asked.clear()

    killed_until_done(stormy, arguments, kills=4, seconds=seconds)
    _let_leases_pass(stormy)
    stormy.run(*arguments)
    quiet = dict(press.asked)
    stormy.run(*arguments)

    expected = state(calm)
    assert state(stormy) == expected
    assert rows(stormy) == rows(calm)
    assert rows(stormy)[:2] == [HOSTS * PER_HOST, 2 * HOSTS * PER_HOST]
    assert len(expected[0]) >= HOSTS
    pages = [path for path in quiet if path.startswith("/news/")]
    assert max(quiet[path] for path in pages) <= 3
    assert [press.asked[path] for path in pages] == [quiet[path] for path in pages]
