"""Rows of all tables ↔ a file of JSON lines: a head, a line a row, an end with a checksum.

The head tells format, schema, program and rows per table; the end tells the checksum of all lines before it:
a file that was cut or damaged is known by it. A name that ends in .gz is compressed.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, NoReturn

from riskwatch.errors import Invalid, Unavailable

FORMAT, VERSION = "riskwatch-export", 1
MAX_LINE_BYTES = 256 * 2**20
MAX_REASON_CHARS = 400
Body = IO[bytes] | gzip.GzipFile
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class Writer:
    """The lines of one file, in order."""

    def __init__(self, body: Body) -> None:
        self._body, self._hash = body, sha256()

    def head(self, *, schema: str, program: str, rows: Mapping[str, int]) -> None:
        """Write the first line."""
        self._line(
            {"format": FORMAT, "version": VERSION, "schema": schema, "program": program, "rows": dict(rows)}
        )

    def row(self, table: str, values: Mapping[str, Any]) -> None:
        """Write a row; raises Unavailable on one that could not be read again."""
        self._line([table, values])

    def end(self) -> None:
        """Write the last line."""
        self._line({"end": self._hash.hexdigest()})

    def _line(self, content: object) -> None:
        try:
            line = _dumps(content).encode() + b"\n"
        except ValueError as error:
            raise Unavailable(f"a row cannot be exported: {error}") from error
        if len(line) > MAX_LINE_BYTES:
            raise Unavailable(f"a row of more than {MAX_LINE_BYTES} bytes cannot be exported")
        self._hash.update(line)
        self._body.write(line)


@contextmanager
def writing(file: Path) -> Iterator[Writer]:
    """Write a file, readable by its owner only; it takes its name when it is whole. Raises Unavailable."""
    part = file.with_name(f"{file.name}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as raw:
            if file.suffix == ".gz":
                with gzip.GzipFile("", "wb", 6, raw, mtime=0) as body:
                    yield Writer(body)
            else:
                yield Writer(raw)
            raw.flush()
            os.fsync(raw.fileno())
        part.replace(file)
    except OSError as error:
        raise Unavailable(f"{file} cannot be written: {error.strerror or type(error).__name__}") from error
    finally:
        part.unlink(missing_ok=True)


class Reader:
    """The lines of a file that anybody may have written; every complaint names its line."""

    def __init__(self, file: Path, body: Body) -> None:
        self._file, self._body, self._hash = file, body, sha256()
        self.line = 0  # number of the line read last

    def head(self, *, schema: str) -> Mapping[str, int]:
        """Return the rows per table; raises Invalid where this is no export of the same schema."""
        told = self._next()
        if not isinstance(told, dict) or told.get("format") != FORMAT:
            self.refuse("this is no file of `riskwatch export`")
        if told.get("version") != VERSION:
            self.refuse(f"format {told.get('version')!r} is not known here: use the riskwatch that wrote it")
        if told.get("schema") != schema:
            self.refuse(
                f"the file has schema {told.get('schema')!r}, this riskwatch {schema}: export it again with "
                f"a riskwatch of schema {schema} (the file was written by riskwatch {told.get('program')!r})"
            )
        rows = told.get("rows")
        if not isinstance(rows, dict) or not all(type(n) is int and n >= 0 for n in rows.values()):
            self.refuse("the rows per table are not told")
        return rows

    def rows(self) -> Iterator[tuple[str, object]]:
        """Yield table and values of each row; at the end the checksum must be right. Raises Invalid."""
        while True:
            seen = self._hash.hexdigest()
            told = self._next()
            if isinstance(told, dict):
                self._finish(told, seen)
                return
            if not isinstance(told, list) or len(told) != 2 or not isinstance(told[0], str):  # noqa: PLR2004 - a pair
                self.refuse("this is no row")
            yield told[0], told[1]

    def refuse(self, reason: str, *, line: int | None = None) -> NoReturn:
        """Raise Invalid, naming a line: by default the one read last."""
        shown = "".join(char if char.isprintable() else "\ufffd" for char in reason[:MAX_REASON_CHARS])
        raise Invalid(f"{self._file}:{line or self.line}", f"{shown}; nothing was imported")

    def _finish(self, told: Mapping[str, Any], seen: str) -> None:
        if told != {"end": seen}:
            self.refuse("the checksum is wrong: the file was changed or damaged")
        if self._read():
            self.refuse("the file goes on behind its end")

    def _next(self) -> Any:  # noqa: ANN401 - any JSON
        line = self._read()
        if not line.endswith(b"\n"):
            self.refuse("the line is too long" if len(line) > MAX_LINE_BYTES else "the file was cut here")
        self._hash.update(line)
        try:
            return json.loads(line)
        except (ValueError, RecursionError):
            self.refuse("the line is no JSON")

    def _read(self) -> bytes:
        self.line += 1
        try:
            return self._body.readline(MAX_LINE_BYTES + 1)
        except EOFError:
            self.refuse("the file was cut here")
        except (OSError, zlib.error) as error:
            self.refuse(f"the file is damaged here: {error}")


@contextmanager
def reading(file: Path) -> Iterator[Reader]:
    """Open a file of `writing`. Raises Unavailable where it cannot be opened."""
    try:
        body: Body = gzip.open(file) if file.suffix == ".gz" else file.open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise Unavailable(f"{file} cannot be read: {error.strerror or type(error).__name__}") from error
    with body:
        yield Reader(file, body)
