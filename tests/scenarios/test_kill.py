"""kill -9 at any instant: after the restart no article, event or score is lost or doubled."""

import contextlib
import http.server
import json
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import CommandLine
from tests.scenarios.test_seeds import told
from tests.scenarios.warm import stem

pytestmark = pytest.mark.slow
Make = Callable[..., CommandLine]
VENDORS = ("OpenAI", "Anthropic", "Mistral AI", "Cohere", "DeepSeek", "Stability AI", "Alibaba", "xAI")
HAPPENINGS = (
    "{v} laid off {n} employees on Monday, the company said.",
    "{v} shares fell {p} percent in early trading.",
    "A class action was filed in California against {v}.",
    "{v} raised ${n} million in a new funding round.",
    "{v} is down for thousands of users this morning.",
    "{v} released a new model for long documents.",
)


def articles(count: int) -> list[dict[str, Any]]:
    chance = random.Random(7)
    made = []
    for i in range(count):
        text = chance.choice(HAPPENINGS).format(
            v=chance.choice(VENDORS), n=chance.randint(20, 900), p=chance.randint(2, 9)
        )
        day = f"2026-0{chance.randint(1, 8)}-{chance.randint(1, 28):02}T{chance.randint(0, 23):02}:00:00Z"
        made.append(
            {
                "id": f"k{i}",
                "title": text,
                "text": text,
                "published": day,
                "publisher": f"outlet{i % 9}.example",
                "lang": "en",
            }
        )
    return made


def seconds_of(riskwatch: CommandLine, *arguments: str) -> float:
    """Run a command; return how long it took."""
    stem()  # its own beginning is no part of it
    started = time.monotonic()
    riskwatch.run(*arguments)
    return time.monotonic() - started


def killed_until_done(
    riskwatch: CommandLine, arguments: tuple[str, ...], *, kills: int, seconds: float
) -> None:
    """Kill the command at random instants of the time that it takes undisturbed, then let it finish."""
    chance = random.Random(11)
    for _ in range(kills):
        process = riskwatch.begin(*arguments)
        time.sleep(seconds * chance.uniform(0.1, 1.0))
        process.kill()
        process.communicate()
    riskwatch.run(*arguments)


COUNTS = (
    "SELECT count(*) FROM article",
    "SELECT count(*) FROM article_revision",
    "SELECT count(*) FROM signal",
    "SELECT count(*) FROM event_version WHERE ended_at IS NULL",
    "SELECT count(*) - count(DISTINCT id) FROM snapshot",
)


def _database(riskwatch: CommandLine) -> Path:
    return Path(riskwatch.environ["RISKWATCH_DATA_DIR"]) / "riskwatch.sqlite"


def rows(riskwatch: CommandLine) -> list[int]:
    """Return how many articles, revisions, signals and current events the database holds."""
    with contextlib.closing(sqlite3.connect(_database(riskwatch))) as database:
        return [int(database.execute(query).fetchone()[0]) for query in COUNTS]


def state(riskwatch: CommandLine) -> tuple[list[str], list[tuple[str, float | None]]]:
    events = riskwatch.json("events", "--limit", "5000")["items"]
    scores = riskwatch.json("score", "--as-of", "2026-09-01")["items"]
    return told(events), [
        (row["subject"], row["internal"] if "internal" in row else row["score"]) for row in scores
    ]


def test_a_killed_ingest_loses_and_doubles_nothing(command_line: Make, tmp_path: Path) -> None:
    file = tmp_path / "news.jsonl"
    file.write_text("".join(json.dumps(a) + "\n" for a in articles(400)), encoding="utf-8")
    calm, stormy = command_line("calm"), command_line("stormy")
    seconds = seconds_of(calm, "ingest", str(file))

    killed_until_done(stormy, ("ingest", str(file)), kills=6, seconds=seconds)

    expected = state(calm)
    assert state(stormy) == expected
    assert rows(stormy) == rows(calm)
    assert len(expected[0]) > 20


def test_a_killed_second_reading_under_new_rules_loses_and_doubles_nothing(
    command_line: Make, tmp_path: Path
) -> None:
    file = tmp_path / "news.jsonl"
    file.write_text("".join(json.dumps(a) + "\n" for a in articles(400)), encoding="utf-8")
    overlay = tmp_path / "config"
    overlay.mkdir()
    (overlay / "overrides.yaml").write_text("blockers: [OpenAI laid off]\n", encoding="utf-8")
    calm, stormy = command_line("calm"), command_line("stormy")
    for riskwatch in (calm, stormy):
        riskwatch.run("ingest", str(file))
    before = state(calm)
    again = ("--config", str(overlay), "redetect")
    stem().compile(overlay)
    seconds = seconds_of(calm, *again)

    killed_until_done(stormy, again, kills=6, seconds=seconds)

    assert state(stormy) == state(calm) != before
    assert rows(stormy) == rows(calm)
    assert stormy.json(*again)["detected"] == 0


def test_a_killed_retention_goes_on_where_it_was_and_moves_no_score(
    command_line: Make, tmp_path: Path
) -> None:
    file = tmp_path / "news.jsonl"
    file.write_text("".join(json.dumps(a) + "\n" for a in articles(400)), encoding="utf-8")
    calm, stormy = command_line("calm"), command_line("stormy")
    for riskwatch in (calm, stormy):
        riskwatch.run("ingest", str(file))
        _made_older(riskwatch, days=800)
    before = state(stormy)
    counted = calm.json("retention", "--dry-run")
    calm.run("retention", status=1)  # more than half of all texts at once
    started = time.monotonic()
    assert {**calm.json("retention", "--force"), "dry_run": True} == counted
    seconds = time.monotonic() - started

    killed_until_done(stormy, ("retention", "--force"), kills=6, seconds=seconds)

    assert state(stormy) == before
    assert _texts(stormy) == _texts(calm) == 400 - counted["article_texts"] < 400
    assert stormy.json("retention", "--dry-run")["article_texts"] == 0


def _made_older(riskwatch: CommandLine, *, days: int) -> None:
    """Let the articles have been read long ago."""
    past = days * 86_400_000_000
    with contextlib.closing(sqlite3.connect(_database(riskwatch))) as database, database:
        database.execute(
            "UPDATE article SET first_seen_at = first_seen_at - ?, recorded_at = recorded_at - ?",
            (past, past),
        )


def _texts(riskwatch: CommandLine) -> int:
    with contextlib.closing(sqlite3.connect(_database(riskwatch))) as database:
        query = "SELECT count(*) FROM article_revision WHERE text <> ''"
        return int(database.execute(query).fetchone()[0])


class _Feeds(http.server.BaseHTTPRequestHandler):
    """Four feeds of one hundred items each, served slowly enough to be killed in the middle."""

    def do_GET(self) -> None:
        number = int(self.path.strip("/f.xml"))
        items = "".join(
            f"<item><guid>{a['id']}</guid><title>{a['title']}</title><link>http://127.0.0.1/{a['id']}</link>"
            f"<pubDate>{_rfc822(a['published'])}</pubDate></item>"
            for a in articles(400)[number * 100 : number * 100 + 100]
        )
        channel = f"<channel><title>t</title>{items}</channel>"
        body = f'<?xml version="1.0"?><rss version="2.0">{channel}</rss>'.encode()
        time.sleep(0.15)
        self.send_response(200)
        self.send_header("Content-Type", "application/rss+xml")
        self.send_header("ETag", f'"{number}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


def _rfc822(instant: str) -> str:
    from datetime import datetime
    from email.utils import format_datetime

    return format_datetime(datetime.fromisoformat(instant))


@pytest.fixture
def feeds() -> Iterator[int]:
    """Give the port on which four hosts serve: toward one host the program would pause between two feeds."""
    with contextlib.ExitStack() as stack:
        port = 0
        for number in range(1, 5):
            server = http.server.ThreadingHTTPServer((f"127.0.0.{number}", port), _Feeds)
            port = server.server_port
            serve = stack.enter_context(server).serve_forever
            threading.Thread(target=serve, args=(0.02,), daemon=True).start()
            stack.callback(server.shutdown)
        yield port


def test_a_killed_poll_and_rescore_lose_and_double_nothing(
    command_line: Make, tmp_path: Path, feeds: int
) -> None:
    overlay = tmp_path / "config" / "sources"
    overlay.mkdir(parents=True)
    entries = "".join(
        f"- {{id: local-{i}, kind: feed, url: 'http://127.0.0.{i + 1}:{feeds}/f{i}.xml',"
        f" publisher: outlet{i}, class: press, tier: '2', lang: en, covers: [all]}}\n"
        for i in range(4)
    )
    (overlay / "local.yaml").write_text(entries, encoding="utf-8")
    arguments = ("--config", str(tmp_path / "config"), "poll", "--once")
    chosen = tuple(part for i in range(4) for part in ("--source", f"local-{i}"))
    calm = command_line("calm", RISKWATCH_ALLOW_CIDRS="127.0.0.0/8")
    stormy = command_line("stormy", RISKWATCH_ALLOW_CIDRS="127.0.0.0/8")
    seconds = seconds_of(calm, *arguments, *chosen)

    killed_until_done(stormy, (*arguments, *chosen), kills=6, seconds=seconds)

    expected = state(calm)
    assert state(stormy) == expected
    assert rows(stormy) == rows(calm)
    assert len(expected[0]) > 20
