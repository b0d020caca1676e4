"""The ruleset of a configuration: its name at once, itself after seconds of compiling, once a process."""

from __future__ import annotations

import gc
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from riskwatch import detect
from riskwatch.model import CANARY_VENDOR, Vendor

if TYPE_CHECKING:
    from riskwatch.settings import Config


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
        for known in _made:
            if (known.digest, known.rules, known.taxonomy) == (digest, config.rules, config.taxonomy):
                return known
        with _all_kept():
            made = detect.compile_ruleset(
                config.rules,
                taxonomy=config.taxonomy,
                languages=_languages(config),
                vendors=_vendors(config),
                blockers=config.blockers,
                publishers=config.publishers,
            )
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
