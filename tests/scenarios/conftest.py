"""Where the shared real data is, and how the command line is run as a user would run it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios import warm
from tests.send.peers import Hook, hooking

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared"))
    if not (folder / "seeds" / "seeds.jsonl").is_file():
        pytest.skip("the shared real data is not here")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _stem() -> Iterator[None]:
    yield
    warm.close()


class CommandLine:
    """`riskwatch` in a process with a data folder of its own."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self._said = data_dir.parent / f"{data_dir.name}.said"
        self.environ = {
            **{k: v for k, v in os.environ.items() if not k.startswith("RISKWATCH_")},
            "RISKWATCH_DATA_DIR": str(data_dir),
            "RISKWATCH_LOG_LEVEL": "ERROR",
            **settings,
        }

    def begin(self, *arguments: str) -> warm.Branch:
        """Begin a command with the shipped rules compiled, as nearly all tests can."""
        return warm.Branch(arguments, self.environ, self._said)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin a command as a user does."""
        return subprocess.Popen(
            [sys.executable, "-m", "riskwatch", *arguments],
            env=self.environ,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str, status: int = 0) -> str:
        process = self.begin(*arguments)
        out, err = process.communicate()
        assert process.returncode == status, f"{arguments}: {process.returncode}\n{out}\n{err}"
        return out

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json"))


@pytest.fixture
def command_line(tmp_path: Path) -> Callable[..., CommandLine]:
    def make(name: str = "data", **settings: str) -> CommandLine:
        return CommandLine(tmp_path / name, **settings)

    return make


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A web hook on 127.0.0.1 that does what a test tells it to."""
    with hooking() as made:
        yield made
