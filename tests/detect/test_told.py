"""What was told of patterns comes back whole, and nothing else does."""

import json
import zlib

import pytest

from riskwatch.detect.needs import Known, Needed, name_of, needed_by
from riskwatch.detect.selection import Finder
from riskwatch.detect.told import MAX_KEPT, dumped, loaded

PATTERNS = [r"\b(?:shares?|stock) (?:fell|sank)\b", r"(?:«V[0-9]+») lays off", r"\d+", r"工程师离职"]


def told() -> Known:
    known = Known()
    for pattern in PATTERNS:
        needed_by(pattern, is_spaced=pattern.isascii(), known=known)
    return known


def test_what_is_dumped_is_loaded() -> None:
    known = told()
    names = [name_of(pattern, is_spaced=pattern.isascii()) for pattern in PATTERNS]

    assert loaded(dumped(known)) == known.patterns
    assert list(known.patterns) == names


def test_only_what_was_not_told_before_is_more() -> None:
    again = Known(before=loaded(dumped(told())) or {})
    needed_by(PATTERNS[0], known=again)
    assert not again.is_more

    needed_by(r"\bquits\b", known=again)
    assert again.is_more


def test_what_is_asked_no_more_goes_where_it_is_much() -> None:
    first = Known(before={str(number): Needed() for number in range(MAX_KEPT - 1)})
    needed_by(PATTERNS[0], known=first)
    assert len(loaded(dumped(first)) or {}) == MAX_KEPT

    needed_by(PATTERNS[2], known=first)
    assert len(loaded(dumped(first)) or {}) == 2


def test_a_finder_of_what_was_told_finds_the_same() -> None:
    groups = [[pattern for pattern in PATTERNS if pattern.isascii()]]
    fresh = Finder(groups, is_spaced=True)
    again = Finder(groups, is_spaced=True, known=Known(before=loaded(dumped(told())) or {}))

    for words in ({"shares": 2, "fell": 4, "shares fell": 2}, {"lays": 2, "off": 4}, {"stock": 1}, {}):
        assert fresh.possible(words) == again.possible(words)


@pytest.mark.parametrize(
    "document",
    [
        {"words": ["a"], "sets": [[0]], "patterns": {"x": [[1], []]}},  # no such set
        {"words": ["a"], "sets": [[3]], "patterns": {}},  # no such word
        {"words": ["a"], "sets": [[-1]], "patterns": {}},
        {"words": ["a"], "sets": "none", "patterns": {}},
        {"words": []},
        [],
    ],
)
def test_what_was_written_otherwise_is_nothing(document: object) -> None:
    assert loaded(zlib.compress(json.dumps(document).encode())) is None


@pytest.mark.parametrize("data", [b"", b"junk", dumped(told())[:-9], zlib.compress(b"{")])
def test_what_is_not_whole_is_nothing(data: bytes) -> None:
    assert loaded(data) is None
