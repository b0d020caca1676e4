"""Polling 200 local feeds beside lemon24/reader: ratios of CPU time per phase, variants interleaved.

python tests/bench/bench_poll.py ../shared/bench [--runs 5] [--workers 1] [--adapter riskwatch riskwatch_full]

The folder holds the benchmark (server.py, bench_poll.py, adapters ...); it is copied and left as it is.
The interpreter needs riskwatch and, for the peer, `pip install reader sgmllib3k`.
"""

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
PEER = "reader"
PHASES = ("first", "same", "some")
CLASSES = {"riskwatch": "Adapter", "riskwatch_full": "FullAdapter"}
MAX_SECONDS = 1800

Run = Mapping[str, Sequence[Mapping[str, float]]]


def prepared(source: Path, folder: Path) -> Path:
    """Copy the benchmark, write its feeds and lead its adapter names to the classes beside this file."""
    bench = folder / "bench"
    shutil.copytree(source, bench)
    for path in (bench, *bench.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    for name, class_ in CLASSES.items():
        lines = f"import sys\nsys.path[:0] = {[str(HERE), str(HERE.parents[1])]!r}\n"
        lines += f"from bench_poll_adapter import {class_} as Adapter\n"
        (bench / "adapters" / f"{name}_adapter.py").write_text(lines, encoding="utf-8")
    subprocess.run([sys.executable, "make_feeds.py"], cwd=bench, check=True, capture_output=True)
    return bench


@contextmanager
def served(bench: Path) -> Iterator[int]:
    """Serve the feeds on a free port of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [sys.executable, "server.py", "--port", str(port), "--max-seconds", str(MAX_SECONDS)]
    with subprocess.Popen(command, cwd=bench, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(100):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield port
        finally:
            server.terminate()


def measured(bench: Path, port: int, wanted: argparse.Namespace) -> Mapping[str, Sequence[Run]]:
    """Run the benchmark; return its result file: adapter/workers -> runs -> phases -> measurements."""
    command = [sys.executable, "bench_poll.py", "--port", str(port), "--runs", str(wanted.runs)]
    command += ["--workers", str(wanted.workers), "--adapter", PEER, *wanted.adapter]
    subprocess.run(command, cwd=bench, check=True, timeout=MAX_SECONDS)
    (result,) = (bench / "results").glob("poll_*.json")
    found: Mapping[str, Sequence[Run]] = json.loads(result.read_text(encoding="utf-8"))
    return found


def cpu_seconds(run: Run, phase: str) -> float:
    return median(one["cpu"] for one in run[phase])


def told(results: Mapping[str, Sequence[Run]], wanted: argparse.Namespace) -> Iterator[str]:
    """Say each phase's ratio: the median over pairs of runs that stood beside each other, and their range."""
    peer = results[f"{PEER}/w{wanted.workers}"]
    for name in wanted.adapter:
        runs = results[f"{name}/w{wanted.workers}"]
        for phase in PHASES:
            ratios = sorted(
                cpu_seconds(run, phase) / cpu_seconds(beside, phase)
                for run, beside in zip(runs, peer, strict=True)
            )
            low, high = ratios[0], ratios[-1]
            yield f"{name:15} {phase:6} {median(ratios):.3f} of {PEER}'s CPU ({low:.3f}-{high:.3f})"
        every = [one for run in runs for phase in PHASES for one in run[phase]]
        peak, errors = max(one["peak_rss_mib"] for one in every), sum(one["errs"] for one in every)
        yield f"{name:15} peak   {peak:.0f} MiB; {errors:.0f} polls failed"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bench", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--adapter", nargs="+", choices=sorted(CLASSES), default=sorted(CLASSES))
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = prepared(wanted.bench.resolve(), Path(folder))
        with served(bench) as port:
            results = measured(bench, port, wanted)
    print(*told(results, wanted), sep="\n")


if __name__ == "__main__":
    main()
