"""One contract, two databases: every test that asks for `store` runs on both."""

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from riskwatch.store.sql import SqlStore

_numbers = count()


@pytest.fixture(scope="session")
def _empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    store = SqlStore(f"sqlite:///{path}")
    store.migrate()
    store.close()
    return path


@pytest.fixture(scope="session")
def _empty_postgres(postgres: str) -> str:
    _run_sql(postgres, "CREATE DATABASE template_rw")
    store = SqlStore(postgres.format("template_rw"))
    store.migrate()
    store.close()
    return postgres


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> str:
    """Name of the database kind."""
    return str(request.param)


@pytest.fixture
def blank_url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database without tables."""
    if database == "sqlite":
        return f"sqlite:///{tmp_path}/blank.db"
    url: str = request.getfixturevalue("postgres")
    name = f"blank_{next(_numbers)}"
    _run_sql(url, f"CREATE DATABASE {name}")
    return url.format(name)


@pytest.fixture
def url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a migrated, empty database."""
    if database == "sqlite":
        shutil.copy(request.getfixturevalue("_empty_sqlite"), tmp_path / "store.db")
        return f"sqlite:///{tmp_path}/store.db"
    base: str = request.getfixturevalue("_empty_postgres")
    name = f"store_{next(_numbers)}"
    _run_sql(base, f"CREATE DATABASE {name} TEMPLATE template_rw")
    return base.format(name)


@pytest.fixture
def open_store() -> Iterator[Callable[[str], SqlStore]]:
    """Open stores that are closed after the test."""
    stores: list[SqlStore] = []

    def opened(url: str) -> SqlStore:
        stores.append(SqlStore(url))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def store(url: str, open_store: Callable[[str], SqlStore]) -> SqlStore:
    """A migrated, empty store."""
    return open_store(url)


def _run_sql(url: str, statement: str) -> None:
    plain = url.format("postgres").replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(statement.encode())
