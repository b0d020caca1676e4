"""What was told of patterns as data, which a later process reads instead of taking them apart again."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from riskwatch.detect.needs import Known, Needed, Words

MAX_BYTES = 64 << 20  # unpacked
MAX_KEPT = 10_000  # patterns; a ruleset has about 2,700


class _Told(BaseModel):
    """Words once, sets of numbers of words once, and for each pattern numbers of sets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: tuple[str, ...]
    sets: tuple[tuple[NonNegativeInt, ...], ...]
    patterns: dict[str, tuple[tuple[NonNegativeInt, ...], tuple[NonNegativeInt, ...]]]


def dumped(known: Known) -> bytes:
    """Return what was told of patterns, packed; where that is much, only what was asked this time."""
    words: dict[str, int] = {}
    sets: dict[Words, int] = {}
    told = {**known.before, **known.patterns}  # other configurations ask for others
    patterns = {
        name: (
            [sets.setdefault(one, len(sets)) for one in sorted(needed.words, key=sorted)],
            [sets.setdefault(one, len(sets)) for one in needed.order],
        )
        for name, needed in (told if len(told) <= MAX_KEPT else known.patterns).items()
    }
    numbered = [[words.setdefault(word, len(words)) for word in sorted(one)] for one in sets]
    document = {"words": list(words), "sets": numbered, "patterns": patterns}
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode())


def loaded(data: bytes) -> Mapping[str, Needed] | None:
    """Return what `dumped` wrote, by `name_of` the pattern; nothing where it was not written so."""
    try:
        unpacker = zlib.decompressobj()
        told = _Told.model_validate_json(unpacker.decompress(data, MAX_BYTES))
        sets = [frozenset([told.words[word] for word in one]) for one in told.sets]
        return {
            name: Needed(frozenset([sets[one] for one in needed]), tuple([sets[one] for one in order]))
            for name, (needed, order) in told.patterns.items()
        }
    except (zlib.error, ValidationError, IndexError):
        return None
