"""Words that a pattern cannot do without: most patterns are ruled out by a look at the words of a text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from riskwatch.detect.syntax import EDGE, Either, Exact, Joined, Node, Repeated, parse

MAX_TEXTS = 400  # that a part may match to be told one by one
BEGINNING = 5  # letters of a word that tell how it begins
MORE = "*"  # behind them
START, END = 0, -1  # of a text
_LETTERS = b"0123456789_abcdefghijklmnopqrstuvwxyz"
_BLANKED = bytes(byte if byte in _LETTERS else 32 for byte in range(256))
_LETTER = frozenset(_LETTERS.decode())
Words = frozenset[str]
Needs = frozenset[Words]  # of each set one word stands in every text that is matched
_NONE: Words = frozenset()
_BLANK: Words = frozenset({""})
_UNTOLD: Needs = frozenset()


def words_of(text: str, *, is_spaced: bool) -> set[str]:
    """Return the words of a text in lower case, as RE2 knows them: runs of ASCII letters and digits.

    Without spaces between words they are also the signs of other scripts, one by one and in pairs.
    """
    lowered = text.lower()
    words = set(_blanked(lowered).split())
    words |= {word[:BEGINNING] + MORE for word in words if len(word) >= BEGINNING}
    return words if is_spaced else words | _signs(lowered)


def _blanked(text: str) -> str:
    return text.encode("ascii", "replace").translate(_BLANKED).decode("ascii")


def _signs(text: str) -> set[str]:
    pairs = {one + other for one, other in pairwise(text) if not one.isascii() and not other.isascii()}
    return pairs | {sign for sign in text if not sign.isascii()}


def needs(pattern: str, *, is_spaced: bool = True) -> Needs:
    """Return sets of words: of each, one word stands in every text that the pattern matches.

    The words are those of a text before it is masked, and tokens end where words end. Syntax that is not
    known here needs nothing: too few words cost time only.
    """
    try:
        node = parse(pattern)
    except (IndexError, ValueError):
        return _UNTOLD
    return _needed(_told(node, _Place(is_spaced=is_spaced)), _Place(is_spaced=is_spaced))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a part stands: whether words end right before it and right behind it."""

    after_edge: bool = False
    before_edge: bool = False
    is_spaced: bool = True


@dataclass(frozen=True, slots=True)
class _Told:
    """What is known of the texts that a part matches."""

    exact: frozenset[str] | None  # all of them; none where they are too many
    needs: Needs = _UNTOLD


def _told(node: Node, place: _Place) -> _Told:
    match node:
        case Exact(texts):
            return _Told(texts)
        case Joined(parts):
            return _of_sequence(parts, place)
        case Either(branches):
            return _of_branches(branches, place)
        case Repeated(part, is_needed=True):
            once = replace(place, before_edge=False)
            return _Told(None, _needed(_told(part, once), once))
        case _:
            return _Told(None)


def _of_branches(branches: Sequence[Node], place: _Place) -> _Told:
    told = [_told(branch, place) for branch in branches]
    exact = [one.exact for one in told if one.exact is not None]
    texts = frozenset[str]().union(*exact)
    if len(exact) == len(told) and len(texts) <= MAX_TEXTS:
        return _Told(texts)
    best = [_best(_needed(one, place)) for one in told]
    return _Told(None, frozenset({frozenset[str]().union(*best)}) if all(best) else _UNTOLD)


def _of_sequence(parts: Sequence[Node], place: _Place) -> _Told:
    """Spell out what is written together; everything else is known by its needs only."""
    places = _places(parts, place)
    found: set[Words] = set()
    run, first, is_whole = _BLANK, 0, True
    for number, part in enumerate(parts):
        told = _told(part, places[number])
        is_apart = place.is_spaced and places[number].after_edge and run != _BLANK
        if told.exact is not None and not is_apart and len(run) * len(told.exact) <= MAX_TEXTS:
            run = frozenset(head + tail for head in run for tail in told.exact)
            continue
        found |= _of_run(run, places[first:number]) | told.needs
        run, first = (_BLANK, number + 1) if told.exact is None else (told.exact, number)
        is_whole = False
    return _Told(run) if is_whole else _Told(None, frozenset(found | _of_run(run, places[first:])))


def _of_run(run: frozenset[str], places: Sequence[_Place]) -> Needs:
    if not places:
        return _UNTOLD
    return _needed(_Told(run), replace(places[0], before_edge=places[-1].before_edge))


def _places(parts: Sequence[Node], place: _Place) -> list[_Place]:
    after, before = [place.after_edge], [place.before_edge]
    for part, other in zip(parts, reversed(parts), strict=True):
        after.append(_is_edge(part, END, is_edge=after[-1]))
        before.append(_is_edge(other, START, is_edge=before[-1]))
    return [
        replace(place, after_edge=left, before_edge=right)
        for left, right in zip(after[:-1], before[-2::-1], strict=True)
    ]


def _is_edge(node: Node, side: int, *, is_edge: bool) -> bool:
    """Whether a word ends at this side of the part, given whether one does at its other side."""
    match node:
        case Exact(texts):
            return all(text[side] not in _LETTER if text else is_edge for text in texts)
        case Joined(parts):
            for part in parts if side == END else reversed(parts):
                is_edge = _is_edge(part, side, is_edge=is_edge)
            return is_edge
        case Either(branches):
            return all(_is_edge(branch, side, is_edge=is_edge) for branch in branches)
        case Repeated(part, is_needed):
            return (is_edge or is_needed) and _is_edge(part, side, is_edge=is_edge)
        case _:
            return False


def _needed(told: _Told, place: _Place) -> Needs:
    if told.exact is None:
        return told.needs
    before, after = EDGE if place.after_edge else "", EDGE if place.before_edge else ""
    return _one_of({before + text + after for text in told.exact}, is_spaced=place.is_spaced)


def _one_of(texts: Iterable[str], *, is_spaced: bool) -> Needs:
    """Return what is needed where one of these texts stands: the longest word of each, and those of all."""
    words = [_words_within(text, is_spaced=is_spaced) for text in texts]
    if not words or not all(words):
        return _UNTOLD
    longest = frozenset(max(several, key=lambda word: (len(word), word)) for several in words)
    return frozenset({longest, *(frozenset({word}) for word in frozenset.intersection(*words))})


def _words_within(text: str, *, is_spaced: bool) -> Words:
    """Return the words of a text whose ends may go on; of the last one, how it begins."""
    _, *words = _blanked(text).split(" ")
    if words:
        last = words.pop()
        words += [last[:BEGINNING] + MORE] if len(last) >= BEGINNING else []
    told = frozenset(words) - {""}
    return told if is_spaced else told | _signs(text)


def _best(needed: Needs) -> Words:
    """Return the set that says most: few words, and long ones, which are rarer."""
    return min(
        needed, key=lambda words: (sum(len(word) ** -3 for word in words), sorted(words)), default=_NONE
    )


class Finder:
    """Tells from the words of a text which patterns can match in it at all."""

    __slots__ = ("_fulfilled", "_groups")

    def __init__(self, groups: Sequence[Sequence[str]], *, is_spaced: bool) -> None:
        """Read groups of patterns; a pattern is known by the number of its group and its own in there."""
        self._fulfilled: dict[str, int] = {}  # word -> bits of the needs that it fulfils
        self._groups: list[
            tuple[int, int, list[int]]
        ] = []  # first bit, its mask, bits of each pattern's needs
        first = 0
        for group in groups:
            every = [needs(pattern, is_spaced=is_spaced) for pattern in group]
            sets = sorted({words for needed in every for words in needed}, key=sorted)
            bits = {words: 1 << number for number, words in enumerate(sets)}
            for words, bit in bits.items():
                for word in words:
                    self._fulfilled[word] = self._fulfilled.get(word, 0) | bit << first
            wanted = [sum(bits[words] for words in needed) for needed in every]
            self._groups.append((first, (1 << len(sets)) - 1, wanted))
            first += len(sets)

    def possible(self, words: Iterable[str], numbers: Iterable[int]) -> dict[int, list[int]]:
        """Return which patterns of these groups can match where the words stand.

        Args:
            words: Of the text, as words_of returns them.
            numbers: Of the groups asked for.

        Returns:
            Number of a group -> numbers of its patterns, in order; groups with at least one.
        """
        fulfilled, found = self._fulfilled, 0
        for word in words:
            if word in fulfilled:
                found |= fulfilled[word]
        made: dict[int, list[int]] = {}
        for number in numbers:
            first, mask, wanted = self._groups[number]
            here = found >> first & mask
            places = [place for place, bits in enumerate(wanted) if bits & here == bits]
            if places:
                made[number] = places
        return made
