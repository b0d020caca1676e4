"""One small installation for all tests that only read, a fresh one for those that write."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serve.installation import Installation, Reader, installed


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Nobody writes to this one."""
    with installed(tmp_path_factory.mktemp("serve")) as made:
        yield made


@pytest.fixture
def own_installation(installation: Installation, tmp_path: Path) -> Iterator[Installation]:
    """The test may write to this one."""
    made = installation.copied(tmp_path)
    yield made
    made.app.close()


@pytest.fixture(scope="session")
def reader(installation: Installation) -> Reader:
    """Whoever has a read key."""
    return Reader(installation.flask().test_client(), installation.keys["read"])
