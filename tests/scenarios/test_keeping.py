"""Backup, restore, export and import as an operator runs them, beside a worker that runs or does not."""

import json
import signal
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from subprocess import Popen

import pytest

from riskwatch.keeping import DATABASE
from tests.scenarios.conftest import ROOT, CommandLine

pytestmark = pytest.mark.slow
NEWS = {
    "title": "Qwen technical lead resigns",
    "text": "Junyang Lin, technical lead of Alibaba's Qwen, resigned on March 3.",
    "published": "2026-03-04",
    "url": "https://news.example/1",
    "publisher": "Reuters",
}


def overlay_without_sources(folder: Path) -> Path:
    """Return a config under which a worker has nobody to ask."""
    for file in (ROOT / "config" / "sources").glob("*.yaml"):
        empty = folder / "sources" / file.name
        empty.parent.mkdir(parents=True, exist_ok=True)
        empty.write_text("[]\n", encoding="utf-8")
    return folder


@pytest.fixture
def riskwatch(command_line: Callable[..., CommandLine], tmp_path: Path) -> CommandLine:
    made = command_line(RISKWATCH_CONFIG_DIR=str(overlay_without_sources(tmp_path / "config")))
    (tmp_path / "news.jsonl").write_text(json.dumps(NEWS) + "\n", encoding="utf-8")
    made.run("ingest", str(tmp_path / "news.jsonl"))
    made.run("backup", str(tmp_path / "x.db"))
    return made


def refused(riskwatch: CommandLine, *arguments: str) -> str:
    process = riskwatch.begin(*arguments)
    _out, err = process.communicate()
    assert process.returncode == 1
    assert "Traceback" not in err
    return err


def _wait_for(at_work: Popen[str]) -> None:
    """Wait until a worker has begun, or a service answers."""
    assert at_work.stdout is not None
    for line in at_work.stdout:
        if line.startswith("riskwatch works"):
            return
        if line.startswith("riskwatch listens on "):
            connection = HTTPConnection(line.rpartition("/")[2].strip(), timeout=120)
            connection.request("GET", "/livez")
            assert connection.getresponse().status == 200
            connection.close()
            return


@pytest.mark.parametrize("command", [("worker",), ("serve", "--port", "0")])
def test_nothing_is_restored_under_a_service_or_worker_that_runs(
    riskwatch: CommandLine, tmp_path: Path, command: tuple[str, ...]
) -> None:
    at_work = riskwatch.start(*command)
    _wait_for(at_work)
    try:
        assert "is in use: stop `riskwatch serve`, `riskwatch worker`" in refused(
            riskwatch, "restore", str(tmp_path / "x.db")
        )
    finally:
        at_work.send_signal(signal.SIGTERM)
        at_work.communicate(timeout=120)

    assert "keeps the database that was replaced" in riskwatch.run("restore", str(tmp_path / "x.db"))


def test_a_damaged_database_does_not_keep_a_backup_out(riskwatch: CommandLine, tmp_path: Path) -> None:
    events = riskwatch.json("events")
    (tmp_path / "data" / DATABASE).write_bytes(b"garbage " * 1000)
    assert "cannot be used" in refused(riskwatch, "events")

    riskwatch.run("restore", str(tmp_path / "x.db"))

    assert riskwatch.json("events") == events
    assert "whole" in riskwatch.run("audit", "verify")


def test_an_import_says_what_is_wrong_and_can_be_run_again(
    riskwatch: CommandLine, command_line: Callable[..., CommandLine], tmp_path: Path
) -> None:
    file, other = tmp_path / "all.jsonl", command_line("other")
    riskwatch.run("export", str(file))
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])

    assert "nothing was imported" in refused(other, "import", str(file))
    file.write_bytes(whole)
    other.run("import", str(file))

    assert other.json("events") == riskwatch.json("events")
    assert "holds data already" in refused(other, "import", str(file))
