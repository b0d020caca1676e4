"""A relay with a certificate, a hook, a client that may speak to loopback, and an outbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from riskwatch.collect.http import HttpClient
from riskwatch.store.sql import SqlStore
from tests.collect.test_tls import a_certificate, an_authority
from tests.send.deliveries import a_client
from tests.send.desk import Desk
from tests.send.peers import Hook, Relay, hooking, relaying


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return an_authority(tmp_path_factory.mktemp("authority"), "relay-authority")


@pytest.fixture(scope="session")
def certificate(authority: Path) -> Path:
    return a_certificate(authority, "relay")


@pytest.fixture
def relay(certificate: Path) -> Iterator[Relay]:
    with relaying(certificate) as made:
        yield made


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hooking() as made:
        yield made


@pytest.fixture
def client() -> Iterator[HttpClient]:
    made = a_client()
    yield made
    made.close()


@pytest.fixture
def desk(store: SqlStore) -> Desk:
    return Desk(store)
