"""Python values → column values that sort and compare alike on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from sys import byteorder
from typing import Any

from sqlalchemy import BigInteger, Integer, LargeBinary, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from riskwatch.store.sql.codec import clean, instant, written

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up an INTEGER key only


class Instant(TypeDecorator[datetime]):
    """An aware instant as whole microseconds since 1970, the same number on both databases."""

    impl = BigInteger
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], int | None]:  # noqa: ARG002 - SQLAlchemy's call
        """Return what gives the microseconds; it raises ValueError on a naive instant."""
        return _microseconds

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's call
        """Return the instant in UTC."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


class Words(TypeDecorator[str]):
    """Text from anywhere: NUL and lone surrogates become U+FFFD; sorted by code point."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return text in the C collation on PostgreSQL: SQLite sorts so by nature."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(String(collation="C"))
        return dialect.type_descriptor(Text())

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str | None]:  # noqa: ARG002 - SQLAlchemy's call
        """Return what makes text that both databases take: no wrapper, it is called for every value."""
        return _words


class Prose(Words):
    """Words that are read and searched, not sorted, in the collation of the database."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return text."""
        return dialect.type_descriptor(Text())


class Json(TypeDecorator[Any]):
    """Plain values as JSON text; tuples come back as lists."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ANN401, ARG002 - SQLAlchemy's call
        """Return the text; None is no value, not `null`."""
        return None if value is None else written(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ANN401, ARG002 - SQLAlchemy's call
        """Return the plain values."""
        return None if value is None else json.loads(value)


class Sketch(TypeDecorator[tuple[int, ...]]):
    """Unsigned 64-bit hashes, 8 bytes each, little end first."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: tuple[int, ...] | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002 - SQLAlchemy's call
        """Return the packed hashes; raises OverflowError on a number outside 64 bits."""
        return _swapped(array("Q", value)).tobytes() if value else None

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> tuple[int, ...]:  # noqa: ARG002 - SQLAlchemy's call
        """Return the hashes, () where there are none."""
        return tuple(_swapped(array("Q", bytes(value)))) if value else ()


def _microseconds(value: datetime | None) -> int | None:
    return None if value is None else (instant(value) - EPOCH) // _TICK


def _words(value: str | None) -> str | None:
    if value is None or (value.isascii() and "\0" not in value):  # nearly all: said without another call
        return value
    return clean(value)


def _swapped(hashes: array[int]) -> array[int]:
    if byteorder == "big":
        hashes.byteswap()
    return hashes
