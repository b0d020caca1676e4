"""Which patterns can match in a text at all: told from its words, without a look at all patterns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from riskwatch.detect.needs import EVERYWHERE, Known, Needed, Words, best_of, needed_by, single_words

Groups = Sequence[Sequence[str]]  # of patterns; one is known by the number of its group and its own in there
Chosen = Mapping[int, Sequence[int]]  # number of a group -> numbers of its patterns, in order


class Finder:
    """Tells from the words of a text which patterns can match in it at all.

    Every pattern waits at the words of its rarest need, so that most patterns are never looked at.
    """

    __slots__ = (
        "_always",
        "_fulfilled",
        "_ordered",
        "_orders",
        "_patterns",
        "_places",
        "_waiting",
        "_wanted",
    )

    def __init__(
        self, groups: Groups, *, is_spaced: bool, hints: Sequence[str] = (), known: Known | None = None
    ) -> None:
        """Read the patterns; where there are hints, one a group, theirs must match too."""
        self._places = [(number, place) for number, group in enumerate(groups) for place in range(len(group))]
        look = partial(needed_by, is_spaced=is_spaced, known=known or Known())
        needed = [look(pattern) for group in groups for pattern in group]
        if hints:
            told = [single_words(look(hint).words) for hint in hints]
            needed = [
                replace(one, words=one.words | told[number])
                for one, (number, _) in zip(needed, self._places, strict=True)
            ]
        sets = dict.fromkeys(words for one in needed for words in one.words)
        bits = {words: 1 << number for number, words in enumerate(sets)}
        self._wanted = [sum(bits[words] for words in one.words) for one in needed]
        self._fulfilled = _by_word(bits)  # word -> bits of the needs that it fulfils
        orders = [one.order if len(one.order) > 1 else () for one in needed]
        self._ordered = list(dict.fromkeys(words for order in orders for words in order))
        numbers = {words: number for number, words in enumerate(self._ordered)}
        self._orders = [tuple(numbers[words] for words in order) for order in orders]
        self._waiting = _waiting(needed)
        self._patterns: list[list[int]] = [[] for _ in groups]
        for pattern, (number, _) in enumerate(self._places):
            self._patterns[number].append(pattern)
        self._always = [number for number, one in enumerate(needed) if not one.words]

    def possible(self, words: Mapping[str, int], *, left_out: Container[int] = ()) -> dict[int, list[int]]:
        """Return which patterns can match where these words stand; groups with at least one."""
        known, waiting = words.keys() & self._fulfilled.keys(), self._waiting
        asked = set(self._always)
        for word in known & waiting.keys():
            asked.update(waiting[word])
        made: dict[int, list[int]] = {}
        for pattern in sorted(self._chosen(asked, words, known)):
            number, place = self._places[pattern]
            if number not in left_out:
                made.setdefault(number, []).append(place)
        return made

    def possible_of(self, groups: Iterable[int], words: Mapping[str, int]) -> dict[int, list[int]]:
        """Return the same of some groups alone; all of these are there."""
        known = words.keys() & self._fulfilled.keys()
        return {
            number: [
                self._places[pattern][1] for pattern in self._chosen(self._patterns[number], words, known)
            ]
            for number in groups
        }

    def _chosen(self, asked: Iterable[int], words: Mapping[str, int], known: set[str]) -> list[int]:
        """Return those of the patterns whose needs are all fulfilled, each behind the one before."""
        fulfilled, wanted, orders = self._fulfilled, self._wanted, self._orders
        found = 0
        for word in known:
            found |= fulfilled[word]
        missing = ~found
        placed: dict[int, int] = {}  # patterns share most sets
        chosen: list[int] = []
        for pattern in asked:
            if wanted[pattern] & missing:
                continue
            left = EVERYWHERE
            for number in orders[pattern]:
                places = placed.get(number)
                if places is None:
                    places = placed[number] = _places_of(self._ordered[number], words, known)
                places &= left
                if not places:
                    break
                left = -((places & -places) << 1)  # all places behind the first one
            else:
                chosen.append(pattern)
        return chosen


def _by_word(bits: Mapping[Words, int]) -> dict[str, int]:
    fulfilled: dict[str, int] = defaultdict(int)
    for words, bit in bits.items():
        for word in words:
            fulfilled[word] |= bit
    same: dict[int, int] = {}  # thousands of words fulfil the same needs
    return {word: same.setdefault(found, found) for word, found in fulfilled.items()}


def _waiting(needed: Iterable[Needed]) -> dict[str, list[int]]:
    waiting: dict[str, list[int]] = defaultdict(list)
    for number, one in enumerate(needed):
        for word in best_of(one.words):
            waiting[word].append(number)
    return dict(waiting)


def _places_of(wanted: Words, words: Mapping[str, int], known: set[str]) -> int:
    """Return bits of the places where one of the wanted words stands."""
    places = 0
    for word in wanted & known:
        places |= words[word]
    return places
