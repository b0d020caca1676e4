"""Rows for every table, made from its columns alone: odd values of each type, and keys that fit together."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, Float, Integer, LargeBinary, Table, select

from riskwatch.store.sql.columns import Instant, Json, Prose, Sketch, Words
from riskwatch.store.sql.engine import make_engine, transaction
from riskwatch.store.sql.search import MARK
from riskwatch.store.sql.session import Session
from riskwatch.store.sql.tables import data_version, metadata, setting, web_session

ROWS = 4
ODD_TEXTS = ("", 'a "quote"\\ and\r\n\ta tab', "技术负责人 🤖 \u202e\u2028", "é " * 300)
ODD = {
    Words: ODD_TEXTS,
    Prose: ODD_TEXTS,
    Instant: (
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 3, 4, 12, 0, 0, 1, tzinfo=UTC),
        datetime(1969, 12, 31, tzinfo=UTC) - timedelta(microseconds=1),
    ),
    Json: ({"a": [1, 1.0, True, None, "é\u2028"]}, [], "text", 2**70),
    Sketch: ((0, 2**64 - 1), (), (1,), tuple(range(100))),
    Integer: (0, -(2**31), 2**31 - 1, 7),
    BigInteger: (0, -(2**63), 2**63 - 1, 7),
    Float: (0.1, -1e308, 5e-324, 3.0),
    Boolean: (True, False, True, False),
    Date: (date.min, date.max, date(2024, 2, 29), date(2026, 3, 4)),
    LargeBinary: (b"", b"\0\xff", b"x", bytes(range(256))),
}


def fill(url: str) -> None:
    """Put rows into every table of an empty database."""
    engine = make_engine(url)
    with transaction(engine, write=True) as connection:
        session = Session(connection, write=True)
        for table in metadata.sorted_tables:
            if table is data_version:
                session.replace(table, [{"id": part, "value": 2**40 + part} for part in (1, 2, 3)])
            else:
                session.add(table, [_row(table, number) for number in range(ROWS)])
    engine.dispose()


def add(url: str, table: Table, row: dict[str, Any]) -> None:
    """Insert a row; None is a key that the database counts up."""
    engine = make_engine(url)
    with transaction(engine, write=True) as connection:
        connection.execute(table.insert(), {name: value for name, value in row.items() if value is not None})
    engine.dispose()


def _row(table: Table, number: int) -> dict[str, Any]:
    keys = {
        column.name
        for index in table.indexes
        if index.unique
        for column in index.columns
        if isinstance(column.type, Words)
    }
    return {
        column.name: _value(column, number, is_key=column.primary_key or column.name in keys)
        for column in table.columns
    }


def _value(column: Column[Any], number: int, *, is_key: bool) -> Any:
    if column.foreign_keys or is_key:
        return number + 1 if isinstance(column.type, Integer) else f"key {number} é"
    if column.nullable and number == ROWS - 1:
        return None
    return ODD[type(column.type)][number]


def rows_of(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables that an export carries, but for the mark of the search index."""
    engine = make_engine(url)
    with transaction(engine, write=False) as connection:
        found = {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
            if table is not web_session
        }
    engine.dispose()
    found[setting.name] = [row for row in found[setting.name] if row[0] != MARK]
    return found
