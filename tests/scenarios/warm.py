"""A program that has read and compiled the shipped rules, and forks into others with any arguments.

Each is a process of its own that can be killed, as that of `python -m riskwatch` is; only the seconds of
importing and compiling are spent once.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from riskwatch import app, cli, keeping, settings  # noqa: F401 - what nearly every program imports
from riskwatch.compiling import compile_rules
from riskwatch.decode import saved  # noqa: F401 - as above

ROOT = Path(__file__).parent.parent.parent
_LOOK_SECONDS = 0.01


class Stem:
    """The process that forks, as the tests see it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.scenarios.warm"],
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.asked("compile", config_dir=str(ROOT / "config"))

    def asked(self, what: str, **values: Any) -> Any:
        """Ask something of the process; return its answer."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"what": what, **values}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def compile(self, config_dir: Path) -> None:
        """Have the rules of another configuration compiled too; two are kept."""
        self.asked("compile", config_dir=str(config_dir))

    def close(self) -> None:
        self._process.communicate()


@cache
def stem() -> Stem:
    """Return the one of this process; it holds nothing but the shipped rules."""
    return Stem()


def close() -> None:
    """End it, if it was ever begun."""
    if stem.cache_info().currsize:
        stem().close()
        stem.cache_clear()


class Branch:
    """A program under way; what it says goes to files."""

    def __init__(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        folder: Path,
        *,
        module: str = "riskwatch",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        number = time.monotonic_ns()
        self._out, self._err = folder / f"{number}.out", folder / f"{number}.err"
        self.returncode: int | None = None
        self.pid: int = stem().asked(
            "start",
            module=module,
            arguments=list(arguments),
            environ=dict(environ),
            out=str(self._out),
            err=str(self._err),
        )

    def poll(self) -> int | None:
        """Return how it ended, as subprocess tells it; none while it runs."""
        if self.returncode is None:
            self.returncode = stem().asked("ended", pid=self.pid)
        return self.returncode

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def communicate(self, timeout: float = 300) -> tuple[str, str]:
        """Wait for its end; return what it said."""
        until = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > until:
                self.kill()
                raise TimeoutError(f"the program took longer than {timeout} s")
            time.sleep(_LOOK_SECONDS)
        return self._out.read_text(encoding="utf-8"), self._err.read_text(encoding="utf-8")


def _answer(value: int | None) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _became(asked: Mapping[str, Any]) -> bool:
    """Fork; whether this is the new process, dressed as the program that was asked for."""
    pid = os.fork()
    if pid:
        _answer(pid)
        return False
    for number, path in ((0, os.devnull), (1, asked["out"]), (2, asked["err"])):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(asked["environ"])
    sys.argv = [asked["module"], *asked["arguments"]]
    return True


def _ended(pid: int) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _grow() -> str | None:
    """Answer what is asked until nobody asks any more; return the module that a new process is to run."""
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["what"] == "start":
            if _became(asked):
                return str(asked["module"])
        elif asked["what"] == "ended":
            _answer(_ended(asked["pid"]))
        else:
            compile_rules(settings.load(Path(asked["config_dir"]), environ={}))
            _answer(None)
    return None


if __name__ == "__main__":
    program = _grow()
    if program is not None:
        runpy.run_module(program, run_name="__main__")
