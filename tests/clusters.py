"""A PostgreSQL of our own, as long as somebody needs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def is_installed() -> bool:
    """Return whether the programs of PostgreSQL are on PATH."""
    return bool(shutil.which("initdb") and shutil.which("pg_ctl"))


@contextmanager
def cluster() -> Iterator[str]:
    """Yield the URL of a fresh cluster on a Unix socket, with `{}` for the name of the database."""
    folder = Path(tempfile.mkdtemp(prefix="rwpg"))
    user = "nobody" if os.getuid() == 0 else None  # PostgreSQL refuses to run as root
    shutil.chown(folder, user or os.getuid())
    settings = f"-c fsync=off -c full_page_writes=off -c listen_addresses= -c max_connections=60 -k {folder}"

    def run(*command: str) -> None:
        subprocess.run(command, user=user, cwd=folder, check=True, capture_output=True, timeout=60)

    try:
        options = ["-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
        run("initdb", "-D", f"{folder}/data", "-U", "rw", *options)
        run("pg_ctl", "-D", f"{folder}/data", "-l", f"{folder}/log", "-w", "-o", settings, "start")
        yield f"postgresql+psycopg://rw@/{{}}?host={folder}"
    finally:
        run("pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)
