"""GET /v1/vendors?limit=200 beside a hello-world Flask route on the same server settings: the ratio of rates.

.venv/bin/python tests/bench/bench_vendors.py [rounds]

Each side is a gunicorn of its own; rounds alternate, keep-alive clients speak HTTP over raw sockets.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection
from statistics import median

from flask import Flask, Response

from riskwatch import pipeline, web
from riskwatch.app import App, utc_now
from riskwatch.model import Poll
from riskwatch.serve import create_app
from riskwatch.serve.server import listen, run
from riskwatch.settings import load

SECONDS, CONNECTIONS = 2.0, 4
PATH = "/v1/vendors?limit=200"


def hello() -> Flask:
    app = Flask("hello")
    app.add_url_rule("/v1/vendors", view_func=lambda: Response("hello, world\n", mimetype="text/plain"))
    return app


def installed(folder: Path) -> App:
    return App(load(environ={"RISKWATCH_DATA_DIR": str(folder)}))


def riskwatch(folder: Path) -> Flask:
    app = installed(folder)
    config = web.serve_config(
        app.config, app.sources, ruleset_digest="sha256:bench", pepper=app.keeping.pepper, per_minute=10**9
    )
    actions = web.WebActions(app.parts, app.counters.text)
    return create_app(store=app.store, actions=actions, config=config, now=app.now)


def serve(kind: str, folder: Path) -> None:
    listening = listen("127.0.0.1", 0)
    print(listening.getsockname()[1], flush=True)
    run(listening, hello if kind == "hello" else lambda: riskwatch(folder))


def fill(folder: Path) -> str:
    """Score every subject as watched and return a key."""
    app = installed(folder)
    now = utc_now()
    with app.store.begin() as unit:
        unit.articles.add_polls([Poll(s.id, s.id, now, 1, "ok", "", 200, 1, 0, 0) for s in app.sources])
        subjects = pipeline.affected(app.parts, app.config.vendors)
        pipeline.rescore(app.parts, unit, subjects, as_of=now, cause="daily")
    key = app.add_key("bench", scopes=("read",))
    app.close()
    return key


@contextmanager
def served(kind: str, folder: Path) -> Iterator[tuple[int, int]]:
    command = [sys.executable, __file__, "--serve", kind, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline()), process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def ask(port: int, request: bytes, until: float, counts: list[int]) -> None:
    with create_connection(("127.0.0.1", port)) as connection:
        buffer = bytearray(1 << 20)
        while time.perf_counter() < until:
            connection.sendall(request)
            count = connection.recv_into(buffer)
            end = buffer.find(b"\r\n\r\n", 0, count) + 4
            assert buffer.startswith(b"HTTP/1.1 200"), bytes(buffer[:80])
            head = bytes(buffer[:end]).lower()
            left = end + int(head.split(b"content-length: ")[1].split(b"\r\n")[0]) - count
            while left > 0:
                left -= connection.recv_into(buffer)
            counts.append(1)


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and its children."""
    total = 0.0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if pid in (int(path.parent.name), int(fields[1])):
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def rate(port: int, pid: int, request: bytes) -> tuple[float, float]:
    """Return answers a second, and microseconds of the server's processor time for each."""
    counts: list[int] = []
    before = cpu_seconds(pid)
    start = time.perf_counter()
    threads = [
        threading.Thread(target=ask, args=(port, request, start + SECONDS, counts))
        for _ in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - start
    return len(counts) / elapsed, (cpu_seconds(pid) - before) / len(counts) * 1e6


def bench(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        key = fill(folder)
        head = f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n"
        plain, zipped = f"{head}\r\n".encode(), f"{head}Accept-Encoding: gzip\r\n\r\n".encode()
        with served("hello", folder) as first, served("riskwatch", folder) as second:
            sides = {
                "hello": (*first, plain),
                "vendors": (*second, plain),
                "vendors, gzip": (*second, zipped),
            }
            rates: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
            for name, side in sides.items():
                rate(*side)  # warm
                print(f"warmed {name}", file=sys.stderr)
            for _ in range(rounds):
                for name, side in sides.items():
                    rates[name].append(rate(*side))
    for name, found in rates.items():
        pairs = list(zip(found, rates["hello"], strict=True))
        by_rate, by_cpu = median(a[0] / b[0] for a, b in pairs), median(b[1] / a[1] for a, b in pairs)
        speed, cost = (median(column) for column in zip(*found, strict=True))
        print(f"{name:>14}: {speed:5.0f}/s, ratio {by_rate:.2f}; CPU {cost:4.0f} us each, ratio {by_cpu:.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2], Path(sys.argv[3]))
    else:
        bench(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
