"""Real and hostile feed files through the whole poller, served from loopback."""

import gzip
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from riskwatch import polling, settings
from riskwatch.app import App, new_id, utc_now
from riskwatch.collect import Source, Tools
from riskwatch.collect.guard import Guard
from riskwatch.collect.http import HttpClient
from riskwatch.intake import decoded
from riskwatch.model import Poll

pytestmark = pytest.mark.slow
SUFFIXES = (".xml", ".rss", ".atom", ".json", ".rdf", ".opml", ".html", ".gz")

Serve = Callable[[list[Path]], str]


class _Files(http.server.BaseHTTPRequestHandler):
    """Serves the files of a folder under their numbers, as feeds."""

    protocol_version = "HTTP/1.1"
    files: tuple[Path, ...] = ()

    def do_GET(self) -> None:
        path = self.files[int(self.path.strip("/"))]
        body = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers = []

    def start(files: list[Path]) -> str:
        handler = type("Files", (_Files,), {"files": tuple(files)})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def an_app(tmp_path: Path, base: str, files: list[Path]) -> tuple[App, Tools]:
    config = settings.load(environ={})
    sources = tuple(
        Source.model_validate(
            {
                "id": f"f{i}",
                "url": f"{base}/{i}",
                "publisher": f"p{i}",
                "class": "press",
                "tier": "4",
                "covers": ["all"],
            }
        )
        for i in range(len(files))
    )
    chosen = config.settings.model_copy(update={"data_dir": tmp_path})
    app = App(replace(config, settings=chosen), sources=sources)
    client = HttpClient(
        user_agent="riskwatch-test", guard=Guard(["127.0.0.0/8"], ports=range(1, 65536)), host_pause_seconds=0
    )
    tools = Tools(fetch=client.fetch, decode=decoded, now=utc_now, new_id=new_id, jitter=lambda: 0.5)
    return app, tools


def polled(app: App, tools: Tools) -> list[Poll]:
    return polling.poll_sources(app.parts, tools, polling.Choice(everything=True, workers=8))


def feed_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix in SUFFIXES and p.stat().st_size)


def test_every_real_feed_gives_its_items_and_a_second_poll_adds_none(
    shared: Path, tmp_path: Path, serve: Serve
) -> None:
    root = shared / "data" / "feeds"
    known = [json.loads(line) for line in (root / "FEEDCHECK.jsonl").read_text(encoding="utf-8").splitlines()]
    entries = {row["path"]: row["entries"] for row in known if row["entries"] and not row["bozo"]}
    files = [root / path for path in entries if path.startswith("heads/") and (root / path).is_file()]
    assert len(files) > 60
    app, tools = an_app(tmp_path, serve(files), files)

    first = {row.source_id: row for row in polled(app, tools)}
    second = polled(app, tools)

    short = [
        (str(path), first[f"f{i}"].new, first[f"f{i}"].outcome)
        for i, path in enumerate(files)
        if not first[f"f{i}"].is_ok or first[f"f{i}"].new == 0
    ]
    assert short == []
    assert sum(row.new for row in first.values()) >= 0.95 * sum(
        entries[p.relative_to(root).as_posix()] for p in files
    )
    assert [(row.source_id, row.new, row.changed) for row in second if row.new or row.changed] == []
    assert {row.outcome for row in second} == {"not_modified"}
    app.close()


def test_no_nasty_file_stops_the_poller_and_each_failure_says_why(
    shared: Path, tmp_path: Path, serve: Serve
) -> None:
    files = feed_files(shared / "data" / "nasty")
    assert len(files) > 1000
    app, tools = an_app(tmp_path, serve(files), files)

    rows = polled(app, tools)

    assert len(rows) == len(files)
    assert [row for row in rows if not row.is_ok and not row.reason.strip()] == []
    assert sum(row.new for row in rows) > 1000
    with app.store.begin(write=False) as unit:
        states = unit.articles.source_states()
    assert all(states[row.source_id].last_outcome == row.outcome for row in rows)
    app.close()
