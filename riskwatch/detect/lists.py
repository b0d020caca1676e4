"""Lists of companies in a sentence: "Nvidia, Oracle and AMD"."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from riskwatch.detect.mask import Masked
from riskwatch.detect.packs import Pack

COMMAS = " ,、"
LONG = 3  # names that need no word to be a list


def lists_of(masked: Masked, companies: Sequence[int], pack: Pack) -> list[tuple[int, ...]]:
    """Return all companies in order, those of one list together.

    A word ends a list: "A and B, C" are two. Two names joined by a comma are a list where a headline begins
    with them ("A, B sued"), elsewhere they may be anything; three are one.
    """
    runs: list[list[int]] = []
    for number in companies:
        last = runs[-1] if runs else []
        is_next = bool(last) and is_joined(masked, last[-1], number, pack)
        if is_next and not _is_closed(masked, last, pack):
            last.append(number)
        else:
            runs.append([number])
    lists: list[tuple[int, ...]] = []
    for run in runs:
        is_list = len(run) >= LONG or masked.starts[run[0]] == 0 or _is_closed(masked, run, pack)
        lists += [tuple(run)] if is_list else _parted(masked, run, pack)
    return lists


def _parted(masked: Masked, run: Sequence[int], pack: Pack) -> list[tuple[int, ...]]:
    """Part what is no list; an owner and its line stay together."""
    parts: list[tuple[int, ...]] = [(run[0],)]
    for one, other in pairwise(run):
        is_own = is_owning(masked.text[masked.ends[one] : masked.starts[other]], pack)
        parts[-1:] = [(*parts[-1], other)] if is_own else [parts[-1], (other,)]
    return parts


def _is_closed(masked: Masked, numbers: Sequence[int], pack: Pack) -> bool:
    """Whether a word joins the last one to the one before."""
    if len(numbers) == 1:
        return False
    between = masked.text[masked.ends[numbers[-2]] : masked.starts[numbers[-1]]]
    return bool(between.strip(COMMAS)) and not is_owning(between, pack)


def is_joined(masked: Masked, one: int, other: int, pack: Pack) -> bool:
    """Whether two names stand in one list, or one is the other's line ("Meta's Llama")."""
    between = masked.text[masked.ends[one] : masked.starts[other]]
    if pack.words["list_join"].hits(between):
        return True
    return masked.tokens[one].vendor == masked.tokens[other].vendor and is_owning(between, pack)


def is_owning(between: str, pack: Pack) -> bool:
    """Whether the words between two names make the second a thing of the first."""
    owner = pack.words["possessive"].search(between)
    return not (between[owner.end() :] if owner else between).strip()
