"""A local server and a client that may speak to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from riskwatch.collect.guard import Guard
from riskwatch.collect.http import HttpClient, Limits
from tests.collect.sites import Site, serving


@pytest.fixture
def site() -> Iterator[Site]:
    """Serve on a free port of 127.0.0.1."""
    with serving() as made:
        yield made


@pytest.fixture
def client() -> Iterator[HttpClient]:
    """A client that may speak to loopback, without pauses and with short limits."""
    limits = Limits(
        connect_seconds=2, read_seconds=2, total_seconds=1.5, wire_bytes=500_000, body_bytes=2_000_000
    )
    made = HttpClient(
        user_agent="riskwatch/test", guard=Guard(["127.0.0.0/8"]), limits=limits, host_pause_seconds=0
    )
    yield made
    made.close()
