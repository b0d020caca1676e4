"""The ruleset of a configuration: its name at once, itself after compiling, once a process."""

from __future__ import annotations

import gc
import hashlib
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.resources import files
from os import getpid
from pathlib import Path
from typing import TYPE_CHECKING

from riskwatch import detect
from riskwatch.model import CANARY_VENDOR, Vendor

if TYPE_CHECKING:
    from riskwatch.detect.needs import Needed
    from riskwatch.settings import Config

_TELLERS = ("needs.py", "syntax.py", "told.py")  # the code that tells what patterns need, and how it is kept

_compiling = threading.Lock()  # threads that ask at once wait for the first one's
_made: deque[detect.Ruleset] = deque(maxlen=2)  # apps of one process mostly share a configuration


def digest_of(config: Config) -> str:
    """Return the name of the ruleset without compiling it."""
    return detect.digest_of(
        config.rules,
        _languages(config),
        vendors=_vendors(config),
        blockers=config.blockers,
        publishers=config.publishers,
    )


def compile_rules(config: Config) -> detect.Ruleset:
    """Compile the ruleset, unless it is among the last two; raises ConfigErrors with all mistakes."""
    digest = digest_of(config)
    with _compiling:
        for made in _made:
            if (made.digest, made.rules, made.taxonomy) == (digest, config.rules, config.taxonomy):
                return made
        file = _file_in(config.settings.cache)
        known = detect.Known(before=_read(file))
        with _all_kept():
            made = detect.compile_ruleset(
                config.rules,
                taxonomy=config.taxonomy,
                languages=_languages(config),
                vendors=_vendors(config),
                blockers=config.blockers,
                publishers=config.publishers,
                known=known,
            )
        if file is not None and known.is_more:
            _write(file, detect.dumped(known))
        _made.append(made)
    return made


def _vendors(config: Config) -> tuple[Vendor, ...]:
    return (*config.vendors.values(), CANARY_VENDOR)


def _languages(config: Config) -> list[detect.Language]:
    return [
        detect.Language(config.lexicons[lang], config.modifiers[lang])
        for lang in sorted(config.lexicons)
        if lang in config.modifiers
    ]


def _file_in(folder: Path | None) -> Path | None:
    """Return the file of what the code as it stands tells of patterns."""
    if folder is None:
        return None
    code = b"".join((files("riskwatch.detect") / name).read_bytes() for name in _TELLERS)
    return folder / f"patterns-{hashlib.sha256(code).hexdigest()[:16]}.json.z"


def _read(file: Path | None) -> Mapping[str, Needed]:
    """Return what an earlier process was told; nothing where no file is or it is not whole."""
    try:
        return (detect.loaded(file.read_bytes()) if file is not None else None) or {}
    except OSError:
        return {}


def _write(file: Path, data: bytes) -> None:
    """Keep it for later processes; where that cannot be, each of them takes its seconds."""
    with suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = file.with_name(f"{file.name}.{getpid()}")
        try:
            made.write_bytes(data)
            made.replace(file)
        finally:
            made.unlink(missing_ok=True)


@contextmanager
def _all_kept() -> Iterator[None]:
    """Make much that stays: looking through it for garbage would take as long again, now and ever after."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
