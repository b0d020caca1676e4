"""A PostgreSQL of our own for the session, and no way out to the network."""

import os
import socket
from collections.abc import Iterator

import pytest

from tests.clusters import cluster, is_installed
from tests.databases import (  # noqa: F401 - fixtures, registered once for all folders
    _empty_postgres,
    _empty_sqlite,
    blank_url,
    database,
    open_store,
    store,
    url,
)

_connect = socket.socket.connect


def _connect_here(self: socket.socket, address: object) -> None:
    if isinstance(address, tuple) and not str(address[0]).startswith(("127.", "::1", "localhost")):
        raise PermissionError(f"tests do not speak to {address[0]}")
    _connect(self, address)  # type: ignore[arg-type] # what the caller gave


def pytest_configure(config: pytest.Config) -> None:
    """Keep what can be made again beside the test runner's cache; commands that are started inherit it."""
    os.environ["XDG_CACHE_HOME"] = str(config.rootpath / ".pytest_cache")


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
    if not is_installed():
        pytest.skip("initdb is not on PATH")
    with cluster() as made:
        yield made
