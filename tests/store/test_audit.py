from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import text

from riskwatch.model import AuditEntry
from riskwatch.store.sql import SqlStore
from riskwatch.store.sql.engine import make_engine
from tests.store.builders import NOON


def an_entry(number: int = 0, **fields: Any) -> AuditEntry:
    given = {
        "seq": 0,
        "at": NOON,
        "actor": "key abc",
        "action": "receiver.save",
        "object": f"receiver {number}",
        "before": None,
        "after": {"to": ["Käufer@example.com"], "broken": "a\0b\ud800"},
    }
    return AuditEntry(**{**given, **fields})


def _fill(store: SqlStore, lines: int) -> None:
    with store.begin() as unit:
        for number in range(lines):
            unit.access.add_audit(an_entry(number))


def _verdict(store: SqlStore) -> int | None:
    with store.begin(write=False) as unit:
        return unit.access.verify_audit()


def _tamper(url: str, *statements: str) -> None:
    """Change the table as somebody with the file or the superuser's password could."""
    engine = make_engine(url)
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            for name in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS audit_log_{name}"))
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_each_line_is_chained_to_the_one_before(store: SqlStore) -> None:
    _fill(store, 3)

    with store.begin(write=False) as unit:
        lines = unit.access.audit()

    assert [one.seq for one in lines] == [1, 2, 3]
    assert [one.prev_hash for one in lines] == ["", lines[0].hash, lines[1].hash]
    content = (
        '["","1","2026-03-04T12:00:00+00:00","key abc","receiver.save","receiver 0",null,'
        '"{\\"to\\":[\\"Käufer@example.com\\"],\\"broken\\":\\"a\ufffdb\ufffd\\"}"]'
    )
    assert lines[0].hash == sha256(content.replace('"1"', "1").encode()).hexdigest()
    kept = {"to": ["Käufer@example.com"], "broken": "a\ufffdb\ufffd"}
    assert replace(lines[0], seq=0, prev_hash="", hash="") == an_entry(after=kept)
    assert _verdict(store) is None


def test_an_empty_log_holds(store: SqlStore) -> None:
    assert _verdict(store) is None


def test_the_log_is_read_by_page(store: SqlStore) -> None:
    _fill(store, 5)

    with store.begin(write=False) as unit:
        assert [one.seq for one in unit.access.audit(after=1, limit=2)] == [2, 3]
        assert unit.access.audit(after=5) == ()


def test_a_long_log_is_verified_to_its_end(store: SqlStore, url: str) -> None:
    _fill(store, 850)
    assert _verdict(store) is None

    _tamper(url, "UPDATE audit_log SET action = 'nothing' WHERE seq = 849")
    assert _verdict(store) == 849


@pytest.mark.parametrize(
    ("statements", "first_wrong"),
    [
        (["UPDATE audit_log SET actor = 'somebody else' WHERE seq = 3"], 3),
        (["UPDATE audit_log SET after = '{}' WHERE seq = 1"], 1),
        (["UPDATE audit_log SET at = at + 1 WHERE seq = 2"], 2),
        (["UPDATE audit_log SET hash = 'new' WHERE seq = 4"], 4),
        (["UPDATE audit_log SET prev_hash = '' WHERE seq = 4"], 4),
        (["DELETE FROM audit_log WHERE seq = 2"], 2),
        (["DELETE FROM audit_log WHERE seq = 2", "UPDATE audit_log SET seq = seq - 1 WHERE seq > 2"], 2),
        (["DELETE FROM audit_log WHERE seq = 1"], 1),
        (["DELETE FROM audit_log WHERE seq >= 4"], 4),
        (["DELETE FROM audit_log"], 1),
    ],
    ids=[
        "actor",
        "after",
        "at",
        "hash",
        "chain",
        "middle gone",
        "closed up",
        "first gone",
        "end gone",
        "all gone",
    ],
)
def test_what_was_tampered_with_is_found(
    store: SqlStore, url: str, statements: list[str], first_wrong: int
) -> None:
    _fill(store, 5)

    _tamper(url, *statements)

    assert _verdict(store) == first_wrong


def test_two_lines_that_changed_places_are_found(store: SqlStore, url: str) -> None:
    _fill(store, 4)

    _tamper(
        url,
        "UPDATE audit_log SET seq = 99 WHERE seq = 2",
        "UPDATE audit_log SET seq = 2 WHERE seq = 3",
        "UPDATE audit_log SET seq = 3 WHERE seq = 99",
    )

    assert _verdict(store) == 2


def test_many_writers_at_once_make_one_chain(store: SqlStore) -> None:
    def write(number: int) -> None:
        with store.begin() as unit:
            unit.access.add_audit(an_entry(number))

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(write, range(30)))

    assert _verdict(store) is None
    with store.begin(write=False) as unit:
        lines = unit.access.audit()
    assert [one.seq for one in lines] == list(range(1, 31))
    assert {one.object for one in lines} == {f"receiver {number}" for number in range(30)}


def test_a_line_that_is_rolled_back_leaves_no_gap(store: SqlStore) -> None:
    def fail() -> None:
        with store.begin() as unit:
            unit.access.add_audit(an_entry())
            raise ZeroDivisionError

    _fill(store, 1)
    with pytest.raises(ZeroDivisionError):
        fail()
    _fill(store, 1)

    assert _verdict(store) is None


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log"])
def test_sqlite_lets_nobody_change_the_log(
    tmp_path: Any, open_store: Callable[[str], SqlStore], statement: str
) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    store = open_store(url)
    store.migrate()
    _fill(store, 2)
    engine = make_engine(url)

    with pytest.raises(Exception, match="only added to"), engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()

    assert _verdict(store) is None
