"""One statement run over many rows: compiled once, its values bound a column at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.dml import UpdateBase


class _Bind(NamedTuple):
    """One parameter of a compiled statement."""

    name: str
    process: Callable[[Any], Any] | None
    is_given: bool  # by the rows; else `fixed` goes into each
    fixed: Any

    def of(self, rows: Sequence[Mapping[str, Any]]) -> Iterable[Any]:
        """Return its value for each row, as the driver takes it."""
        given = map(itemgetter(self.name), rows) if self.is_given else repeat(self.fixed, len(rows))
        return given if self.process is None else map(self.process, given)


class _Compiled(NamedTuple):
    text: str
    binds: tuple[_Bind, ...]  # in the order of the text where that is positional
    is_positional: bool


def run_many(connection: Connection, statement: UpdateBase, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run a statement without a result once for each row; there is one, and all have its keys.

    The compiled text of the last 256 statements is kept: give one that was made once.
    """
    compiled = _compiled(statement, tuple(rows[0]), connection.dialect)
    values = list(zip(*(bind.of(rows) for bind in compiled.binds), strict=True))
    if compiled.is_positional:
        connection.exec_driver_sql(compiled.text, values)
        return
    names = [bind.name for bind in compiled.binds]
    connection.exec_driver_sql(compiled.text, [dict(zip(names, row, strict=True)) for row in values])


@lru_cache(maxsize=256)
def _compiled(statement: UpdateBase, names: tuple[str, ...], dialect: Dialect) -> _Compiled:
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(names))
    binds = {name: bind for bind, name in compiled.bind_names.items()}
    return _Compiled(
        compiled.string,
        tuple(_bound(name, binds[name], names, dialect) for name in compiled.positiontup or binds),
        bool(compiled.positional),
    )


def _bound(name: str, bind: BindParameter[Any], names: tuple[str, ...], dialect: Dialect) -> _Bind:
    process = bind.type.dialect_impl(dialect).bind_processor(dialect)
    is_given = bind.required or name in names
    return _Bind(name, process, is_given, None if is_given else bind.effective_value)
