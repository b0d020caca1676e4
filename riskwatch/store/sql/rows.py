"""Row of a table ↔ plain JSON values, every column by its type; a row from a file is hostile until read."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from math import isfinite
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Boolean, Column, Date, Float, Integer, LargeBinary, Table

from riskwatch.store.sql.codec import instant, written
from riskwatch.store.sql.columns import Instant, Json, Prose, Sketch, Words

Coder = Callable[[Any], Any]
_SKETCH = Sketch()


def _coded_bytes(value: bytes) -> str:
    return b64encode(value).decode("ascii")


def _coded_sketch(value: tuple[int, ...]) -> str | None:
    packed: bytes | None = _SKETCH.process_bind_param(value, None)  # type: ignore[arg-type] # it asks no dialect
    return None if packed is None else _coded_bytes(packed)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("is no text")  # noqa: TRY004 - one error for every wrong value of a file
    return value


def _whole(value: object) -> int:
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise ValueError("is no whole number of 64 bits")
    return value


def _number(value: object) -> float:
    if type(value) not in (int, float) or not isfinite(value):  # type: ignore[arg-type] # a number by now
        raise ValueError("is no number")
    return float(value)  # type: ignore[arg-type] # see above


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is neither true nor false")  # noqa: TRY004 - one error for every wrong value
    return value


def _instant(value: object) -> datetime:
    return instant(datetime.fromisoformat(_text(value)))


def _day(value: object) -> date:
    return date.fromisoformat(_text(value))


def _plain(value: object) -> Any:  # noqa: ANN401 - any JSON
    return json.loads(_text(value))


def _bytes(value: object) -> bytes:
    return b64decode(_text(value), validate=True)


def _hashes(value: object) -> tuple[int, ...]:
    packed = _bytes(value)
    if len(packed) % 8:
        raise ValueError("is no list of 64-bit numbers")
    made: tuple[int, ...] = _SKETCH.process_result_value(packed, None)  # type: ignore[arg-type] # as above
    return made


_OUT: Mapping[type, Coder] = {
    Instant: datetime.isoformat,
    Date: date.isoformat,
    Json: written,  # the text as the table holds it: parsed and written again it might differ
    Sketch: _coded_sketch,
    LargeBinary: _coded_bytes,
}
_IN: Mapping[type, Coder] = {
    Words: _text, Prose: _text, Integer: _whole, BigInteger: _whole, Float: _number, Boolean: _flag,
    Instant: _instant, Date: _day, Json: _plain, Sketch: _hashes, LargeBinary: _bytes,
}  # fmt: skip


class _Column(NamedTuple):
    name: str
    is_needed: bool
    read: Coder


def coded(table: Table, row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the JSON values of a stored row, as a query of the whole table gives it."""
    values: dict[str, Any] = dict(row)
    for name, code in _writers(table):
        if values[name] is not None:
            values[name] = code(values[name])
    return values


def decoded(table: Table, values: object) -> dict[str, Any]:
    """Return the row that JSON values stand for; raises ValueError, naming the column that is wrong."""
    columns = _readers(table)
    if not isinstance(values, dict) or values.keys() != {column.name for column in columns}:
        raise ValueError(f"{table.name}: the columns are not those of the table")
    return {column.name: _read(table, column, values[column.name]) for column in columns}


def _read(table: Table, column: _Column, value: object) -> Any:  # noqa: ANN401 - any column
    if value is None:
        if column.is_needed:
            raise ValueError(f"{table.name}.{column.name}: is missing")
        return None
    try:
        return column.read(value)
    except (ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"{table.name}.{column.name}: {error}") from error


@cache
def _writers(table: Table) -> tuple[tuple[str, Coder], ...]:
    return tuple((c.name, _OUT[_kind(c)]) for c in table.columns if _kind(c) in _OUT)


@cache
def _readers(table: Table) -> tuple[_Column, ...]:
    return tuple(_Column(c.name, not c.nullable, _IN[_kind(c)]) for c in table.columns)


def _kind(column: Column[Any]) -> type:
    return type(column.type)
