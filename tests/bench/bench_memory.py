"""Resident memory of riskwatch beside an idle hello-world gunicorn, all processes of each, in MB.

.venv/bin/python tests/bench/bench_memory.py

Three services: hello-world, `riskwatch serve --no-worker` on an empty folder, and `riskwatch demo`; each is
measured at rest after it has answered a few times. PSS counts shared pages once, RSS in each process.
"""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from socket import socket

SETTLE_SECONDS = 3.0
KB = 1024


def tree(pid: int) -> list[int]:
    """Return a process and all below it."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for one in found:
        found.extend(child for child, parent in parents.items() if parent == one)
    return found


def resident_mb(pid: int, kind: str) -> float:
    total = 0
    for one in tree(pid):
        name = "smaps_rollup" if kind == "Pss" else "status"
        with suppress(OSError):
            lines = Path(f"/proc/{one}/{name}").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:"))
    return total / KB


def ask(port: int, path: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def wait_for(port: int, process: "subprocess.Popen[str]", path: str) -> None:
    for _ in range(3000):
        with suppress(OSError):
            if ask(port, path) == 200:
                return
        assert process.poll() is None, "the service has ended"
        time.sleep(0.1)
    raise TimeoutError(path)


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measure(name: str, command: list[str], port: int, path: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "RISKWATCH_DATA_DIR": folder, "RISKWATCH_ANONYMOUS_READ": "true"}
        process = subprocess.Popen(
            command, env=environ, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
        )
        try:
            wait_for(port, process, path)
            for _ in range(10):
                ask(port, path)
            time.sleep(SETTLE_SECONDS)
            rss, pss = resident_mb(process.pid, "VmRSS"), resident_mb(process.pid, "Pss")
            print(
                f"{name:>12}: {rss:6.1f} MB RSS, {pss:6.1f} MB PSS, {len(tree(process.pid))} processes",
                flush=True,
            )
        finally:
            process.terminate()
            process.wait(timeout=60)


HELLO = [
    "-m", "gunicorn", "--workers", "1", "--threads", "8",
    "--pythonpath", str(Path(__file__).parent), "hello_world:app",
]  # fmt: skip


if __name__ == "__main__":
    port = free_port()
    measure("hello-world", [sys.executable, *HELLO, "--bind", f"127.0.0.1:{port}"], port, "/v1/vendors")
    for words in (["serve", "--no-worker"], ["demo", "--no-browser"]):
        port = free_port()
        command = [sys.executable, "-m", "riskwatch", *words, "--port", str(port)]
        measure(words[0], command, port, "/v1/vendors?limit=200")
