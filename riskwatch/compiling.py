"""The ruleset of a configuration: its name at once, itself after seconds of compiling."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from riskwatch import detect

if TYPE_CHECKING:
    from riskwatch.settings import Config


def digest_of(config: Config) -> str:
    """Return the name of the ruleset without compiling it."""
    return detect.digest_of(
        config.rules,
        _languages(config),
        vendors=tuple(config.vendors.values()),
        blockers=config.blockers,
        publishers=config.publishers,
    )


def compile_rules(config: Config) -> detect.Ruleset:
    """Compile the ruleset; raises ConfigErrors with all mistakes."""
    with _all_kept():
        return detect.compile_ruleset(
            config.rules,
            taxonomy=config.taxonomy,
            languages=_languages(config),
            vendors=tuple(config.vendors.values()),
            blockers=config.blockers,
            publishers=config.publishers,
        )


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
