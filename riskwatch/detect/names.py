"""Resolved names of an article, found by their place."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from riskwatch.detect.mask import Token


class Placed(NamedTuple):
    """A resolved name in a field; offsets of the token are in characters of the field."""

    field: str
    token: Token


class Names:
    """Tokens by field, in order of place."""

    __slots__ = ("_starts", "_tokens")

    def __init__(self, placed: Iterable[Placed]) -> None:
        self._tokens: dict[str, list[Token]] = {}
        for entry in placed:
            self._tokens.setdefault(entry.field, []).append(entry.token)
        for tokens in self._tokens.values():
            tokens.sort(key=_start)
        self._starts = {field: [token.start for token in tokens] for field, tokens in self._tokens.items()}

    def within(self, field: str, low: int, high: int) -> Sequence[Token]:
        """Return the tokens that begin in a span of a field."""
        starts = self._starts.get(field)
        if not starts:
            return ()
        return self._tokens[field][bisect_left(starts, low) : bisect_left(starts, high)]

    def of(self, field: str) -> Sequence[Token]:
        """Return all tokens of a field."""
        return self._tokens.get(field, ())


def _start(token: Token) -> int:
    return token.start
