"""A PostgreSQL of our own for the session, and no way out to the network."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_connect = socket.socket.connect


def _connect_here(self: socket.socket, address: object) -> None:
    if isinstance(address, tuple) and not str(address[0]).startswith(("127.", "::1", "localhost")):
        raise PermissionError(f"tests do not speak to {address[0]}")
    _connect(self, address)  # type: ignore[arg-type] # what the caller gave


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite golden files; review the diff")


@pytest.fixture(scope="session")
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(scope="session", autouse=True)
def _closed_network() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _connect_here)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a fresh cluster on a Unix socket, with `{}` for the name of the database."""
    if not (shutil.which("initdb") and shutil.which("pg_ctl")):
        pytest.skip("initdb is not on PATH")
    folder = Path(tempfile.mkdtemp(prefix="rwpg"))
    user = "nobody" if os.getuid() == 0 else None  # PostgreSQL refuses to run as root
    shutil.chown(folder, user or os.getuid())
    settings = f"-c fsync=off -c full_page_writes=off -c listen_addresses= -c max_connections=60 -k {folder}"

    def run(*command: str) -> None:
        subprocess.run(command, user=user, cwd=folder, check=True, capture_output=True, timeout=60)

    try:
        options = ["-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
        run("initdb", "-D", f"{folder}/data", "-U", "rw", *options)
        run("pg_ctl", "-D", f"{folder}/data", "-l", f"{folder}/log", "-w", "-o", settings, "start")
        yield f"postgresql+psycopg://rw@/{{}}?host={folder}"
    finally:
        run("pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)
