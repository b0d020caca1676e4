"""All tables → a file, and a file → an empty database: how data move between SQLite and PostgreSQL.

Rows stream in the order in which tables refer to each other; a file is taken in whole, by one transaction,
or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Select, Table, exc, func, select, text

from riskwatch.errors import Conflict
from riskwatch.progress import Bar
from riskwatch.store.sql.archive import Reader, Writer
from riskwatch.store.sql.rows import coded, decoded
from riskwatch.store.sql.search import MARK, feed_index
from riskwatch.store.sql.session import CHUNK, Session
from riskwatch.store.sql.tables import REVISIONS, data_version, metadata, setting, web_session
from riskwatch.store.sql.tables_alerts import audit_log

_BATCH_BYTES = 4 * 2**20  # of text, in one statement
_SEEDED = (data_version, setting)  # a migrated database has rows in them


def export_tables(connection: Connection, writer: Writer, *, program: str, bar: Bar) -> Mapping[str, int]:
    """Write every row of one state of the data; return the rows per table."""
    kept = {table: _kept(table) for table in _carried()}
    rows = {
        table.name: int(connection.execute(select(func.count()).select_from(query.subquery())).scalar_one())
        for table, query in kept.items()
    }
    writer.head(schema=REVISIONS[-1], program=program, rows=rows)
    with bar(sum(rows.values()), "exporting") as moving:
        for table, query in kept.items():
            ordered = query.order_by(*table.primary_key).execution_options(yield_per=CHUNK)
            with connection.execute(ordered) as found:
                for part in found.mappings().partitions():
                    for row in part:
                        writer.row(table.name, coded(table, row))
                    moving.update(len(part))
    writer.end()
    return rows


def _carried() -> list[Table]:
    """All tables but that of log-ins: whoever moves house logs in again."""
    return [table for table in metadata.sorted_tables if table is not web_session]


def _kept(table: Table) -> Select[Any]:
    """What is exported of a table: the mark of a search index belongs to the index of its database."""
    return select(table).where(setting.c.name != MARK) if table is setting else select(table)


def import_tables(session: Session, reader: Reader, *, bar: Bar) -> Mapping[str, int]:
    """Insert the rows of a file into an empty database; return the rows per table.

    Raises Conflict where it is not empty, Invalid with the line that is wrong.
    """
    rows = reader.head(schema=REVISIONS[-1])
    _lock_tables(session)
    _must_be_empty(session)
    done = dict.fromkeys((table.name for table in _carried()), 0)
    with bar(sum(rows.values()), "importing") as moving:
        for table, batch in _batches(reader):
            _add(session, reader, table, batch)
            done[table.name] += len(batch)
            moving.update(len(batch))
    if done != rows:
        wrong = sorted(name for name in done.keys() | rows.keys() if done.get(name) != rows.get(name))
        reader.refuse(f"the rows of {', '.join(wrong)} are not as many as are told here", line=1)
    _count_on(session)
    feed_index(session)
    return done


def _lock_tables(session: Session) -> None:
    """Let nobody else write; on SQLite a writing transaction is alone anyway."""
    names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables if table is not audit_log)
    if not session.is_sqlite:  # the audit log cannot be locked: nobody may change its rows
        session.run(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))


def _must_be_empty(session: Session) -> None:
    for table in metadata.sorted_tables:
        if table is not data_version and session.read(_kept(table).limit(1)).first() is not None:
            raise Conflict(
                f"the database holds data already (table {table.name}), and an import goes into an empty "
                "one: name a fresh one by RISKWATCH_DATABASE_URL, or RISKWATCH_DATA_DIR for SQLite, and run "
                "`riskwatch migrate` before any other command"
            )


Batch = list[tuple[int, dict[str, Any]]]  # line, row


def _batches(reader: Reader) -> Iterator[tuple[Table, Batch]]:
    """Yield rows of one table that follow each other, a statement's worth at a time."""
    tables = {table.name: table for table in _carried()}
    batch, of, size = Batch(), "", 0
    for name, values in chain(reader.rows(), [("", None)]):
        if batch and (name != of or len(batch) >= CHUNK or size > _BATCH_BYTES):
            yield tables[of], batch
            batch, size = [], 0
        if not name:
            return
        if name not in tables:
            reader.refuse(f"there is no table {name!r}")
        try:
            row = decoded(tables[name], values)
        except ValueError as error:
            reader.refuse(str(error))
        of, size = name, size + sum(len(value) for value in row.values() if isinstance(value, str))
        batch.append((reader.line, row))


def _add(session: Session, reader: Reader, table: Table, batch: Batch) -> None:
    """Insert rows; where the database refuses them, find the line that it means."""
    for line, row in batch if table is setting else ():
        if row["name"] == MARK:
            reader.refuse(f"{table.name}: {MARK} belongs to the index of another database", line=line)
    try:
        with session.connection.begin_nested():
            _insert(session, table, batch)
    except (exc.IntegrityError, exc.DataError):
        for one in batch:
            try:
                with session.connection.begin_nested():
                    _insert(session, table, [one])
            except (exc.IntegrityError, exc.DataError) as error:
                reason = str(error.orig).splitlines()[0]
                reader.refuse(f"{table.name}: the database refuses the row: {reason}", line=one[0])
        raise


def _insert(session: Session, table: Table, batch: Batch) -> None:
    rows = [row for _, row in batch]
    if table in _SEEDED:
        session.replace(table, rows)
    else:
        session.add(table, rows)


def _count_on(session: Session) -> None:
    """Let keys that PostgreSQL counts up go on behind those that were inserted; SQLite does so by itself."""
    for table in metadata.sorted_tables if not session.is_sqlite else ():
        column = table.autoincrement_column
        if column is not None:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            session.read(select(func.setval(sequence, func.max(column))))
