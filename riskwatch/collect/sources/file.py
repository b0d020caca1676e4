"""Kind `file`: a local feed file, or a folder of them (the demo and tests)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = (".xml", ".rss", ".atom", ".json")
MAX_FILE_BYTES = 20_000_000
MAX_FILES = 2_000


def documents(path: Path) -> tuple[bytes, ...]:
    """Return the bytes of a file, or of the feed files of a folder by name.

    Raises:
        OSError: It is not there or cannot be read.
    """
    if path.is_dir():
        files = sorted(entry for entry in path.iterdir() if entry.suffix in SUFFIXES and entry.is_file())
        return tuple(_read(entry) for entry in files[:MAX_FILES])
    return (_read(path),)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        body = file.read(MAX_FILE_BYTES + 1)
    if len(body) > MAX_FILE_BYTES:
        raise OSError(f"larger than {MAX_FILE_BYTES:,} bytes")
    return body
