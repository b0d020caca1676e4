"""A pure function's answers about immutable values, kept while the same objects come back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

First = TypeVar("First")
Second = TypeVar("Second")
Answer = TypeVar("Answer")
LIMIT = 8192  # values; some vendors' events, which many instants and several subjects read


def remembered(work: Callable[[First, Second], Answer]) -> Callable[[First, Second], Answer]:
    """Return the function with its answers kept by the identity of both arguments.

    An answer holds its arguments, so an identity is never taken by another object; beyond LIMIT the oldest
    answers are forgotten. What is remembered is what would be worked out again: results never depend on it.
    """
    kept: dict[tuple[int, int], tuple[First, Second, Answer]] = {}

    def ask(first: First, second: Second) -> Answer:
        key = (id(first), id(second))
        found = kept.get(key)
        if found is not None:
            return found[2]
        answer = work(first, second)
        if len(kept) >= LIMIT:
            for old in list(kept)[: LIMIT // 4]:
                kept.pop(old, None)
        kept[key] = (first, second, answer)
        return answer

    return ask
