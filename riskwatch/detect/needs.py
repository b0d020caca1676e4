"""Words that a pattern cannot do without: most patterns are ruled out by a look at the words of a text."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from riskwatch.detect.mask import Token
from riskwatch.detect.syntax import BEGIN, EDGE, FINISH, VENDOR, Either, Exact, Joined, Node, Repeated, parse

MAX_TEXTS = 400  # that a part may match to be told one by one
BEGINNING = 5  # letters of a word that tell how it begins
MORE = "*"  # behind them
START, END = 0, -1  # of a text
EVERYWHERE = -1  # bits of all places
_LETTERS = b"0123456789_abcdefghijklmnopqrstuvwxyz"
_BLANKED = (
    bytes(ord(chr(byte).lower()) if chr(byte).lower().encode() in _LETTERS else 32 for byte in range(128))
    + b" " * 128
)
_OWN = frozenset(
    _LETTERS.decode() + EDGE + BEGIN + FINISH + "«»"
)  # all that counts in the texts of a pattern
_SPELLED = defaultdict(lambda: " ", {ord(sign): sign for sign in _OWN})
_NO_TOKENS = str.maketrans("«»", "  ")
_LETTER = frozenset(_LETTERS.decode())
TOKEN = frozenset("«" + BEGIN + FINISH)  # begins the word of a token, or stands at an end of the text
_KEPT = cache(str)  # one object for each word: they are kept for good, and the same ones over and over
Words = frozenset[str]
Needs = frozenset[Words]  # of each set one word stands in every text that is matched
_NONE: Words = frozenset()
_BLANK: Words = frozenset({""})
_UNTOLD: Needs = frozenset()


def blanked(text: str) -> str:
    """Return the text in lower case with a blank for each sign that is no part of a word for RE2."""
    if not text.isascii():  # the signs that RE2 takes for letters of other case
        text = text.replace("\u212a", "k").replace("\u017f", "s")
    return text.encode("ascii", "replace").translate(_BLANKED).decode("ascii")


def words_of(text: str, tokens: Sequence[Token] = (), *, is_spaced: bool) -> dict[str, int]:
    """Return the words of a text in lower case, as RE2 knows them: runs of ASCII letters and digits.

    Beginnings of words count too, and pairs with one sign between them. Without spaces between words, so do
    the signs of other scripts, one by one and in pairs.

    Args:
        text: Before it is masked.
        tokens: Names in it, in order; that of a vendor is taken for a word of its own.
        is_spaced: Whether words stand apart.

    Returns:
        Word -> bits of the places where it stands, counted in words; signs of other scripts stand everywhere.
    """
    parts = _parts(blanked(text), tokens)
    words: dict[str, int] = {}
    bit, before = 1, ""
    for word in parts:
        words[word] = words.get(word, 0) | bit
        if len(word) >= BEGINNING:
            beginning = word[:BEGINNING] + MORE
            words[beginning] = words.get(beginning, 0) | bit
        pair = f"{before} {word}"
        words[pair] = words.get(pair, 0) | bit >> 1
        bit, before = bit << 1, word
    for name in _of_names(tokens):
        words.setdefault(name, EVERYWHERE)
    return words if is_spaced else words | dict.fromkeys(_signs(text.lower()), EVERYWHERE)


def _of_names(tokens: Sequence[Token]) -> list[str]:
    """Return the words of the vendors' names: prefilters see the text before it is masked."""
    words = blanked(" ".join([token.text for token in tokens if token.kind == "V"])).split()
    return [*words, *[word[:BEGINNING] + MORE for word in words if len(word) >= BEGINNING]]


def _parts(blank: str, tokens: Sequence[Token]) -> list[str]:
    """Return the words in order, with an empty one wherever there are two signs between two of them."""
    parts, last = [BEGIN], 0
    for token in tokens:
        if token.kind != "V":
            continue
        parts += _beside(blank[last : token.start].split(" "), is_after=last > 0, is_before=True)
        parts.append(VENDOR)
        last = token.end
    return [*parts, *_beside(blank[last:].split(" "), is_after=last > 0, is_before=False), FINISH]


def _beside(words: list[str], *, is_after: bool, is_before: bool) -> list[str]:
    """Return the words without the sign that parts them from a token."""
    if is_after and words and not words[0]:
        del words[0]
    if is_before and words and not words[-1]:
        del words[-1]
    return words


def _signs(text: str) -> set[str]:
    pairs = {one + other for one, other in pairwise(text) if not one.isascii() and not other.isascii()}
    return pairs | {sign for sign in text if not sign.isascii()}


@dataclass(frozen=True, slots=True)
class Needed:
    """What a pattern cannot do without."""

    words: Needs = _UNTOLD
    order: tuple[Words, ...] = ()  # sets of which one word each stands in this order, none of them twice


@dataclass(frozen=True, slots=True)
class Known:
    """What was told of the groups of earlier patterns; patterns made of the same macros share them."""

    nodes: dict[str, Node] = field(default_factory=dict)
    told: dict[tuple[Node, _Place], _Told] = field(default_factory=dict)
    edges: dict[tuple[Node, int, bool], bool] = field(default_factory=dict)
    patterns: dict[str, Needed] = field(default_factory=dict)  # those asked for, by `name_of`
    before: Mapping[str, Needed] = field(default_factory=dict)  # the same, told by an earlier process

    @property
    def is_more(self) -> bool:
        """Whether something was asked of that nothing was told before."""
        return not self.patterns.keys() <= self.before.keys()


def needs(pattern: str, *, is_spaced: bool = True) -> Needs:
    """Return sets of words: of each, one word stands in every text that the pattern matches."""
    return needed_by(pattern, is_spaced=is_spaced).words


def needed_by(pattern: str, *, is_spaced: bool = True, known: Known | None = None) -> Needed:
    """Return which words every text holds that the pattern matches, and in which order.

    The words are those of a text in which only vendors are masked. Syntax that is not known here needs
    nothing: too few words cost time only. What is known of other patterns saves reading their groups again.
    """
    known = known or Known()
    name = name_of(pattern, is_spaced=is_spaced)
    found = known.patterns.get(name) or known.before.get(name)
    if found is None:
        found = _look(pattern, known, is_spaced=is_spaced)
    known.patterns[name] = found
    return found


def name_of(pattern: str, *, is_spaced: bool) -> str:
    """Return a short name of a pattern in such a language: 24 hex digits and a letter."""
    digest = hashlib.blake2b(pattern.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return digest + ("s" if is_spaced else "c")


def _look(pattern: str, known: Known, *, is_spaced: bool) -> Needed:
    try:
        node = parse(pattern, known.nodes)
    except (IndexError, ValueError):
        return Needed()
    place = _Place(is_spaced=is_spaced)
    told = _told(node, place, known)
    return Needed(_needed(told, place), _order(told, place) if is_spaced else ())


def single_words(needed: Needs) -> Needs:
    """Return what is needed without pairs, of which one word may be part of a name."""
    return frozenset(frozenset(max(pair.split(" "), key=len) for pair in words) for words in needed)


class _Place(NamedTuple):
    """Where a part stands: whether words end right before it and right behind it."""

    after_edge: bool = False
    before_edge: bool = False
    is_spaced: bool = True


class _Run(NamedTuple):
    """Texts that are written together, and where they stand."""

    texts: Words
    place: _Place


@dataclass(frozen=True, slots=True)
class _Told:
    """What is known of the texts that a part matches."""

    exact: frozenset[str] | None  # all of them; none where they are too many
    needs: Needs = _UNTOLD
    order: tuple[Words, ...] = ()


def _told(node: Node, place: _Place, known: Known) -> _Told:
    if isinstance(node, Exact):
        return _Told(node.texts)
    if not isinstance(node, Either):
        return _tell(node, place, known)
    told = known.told.get((node, place))
    if told is None:
        told = known.told[node, place] = _tell(node, place, known)
    return told


def _tell(node: Node, place: _Place, known: Known) -> _Told:
    match node:
        case Joined(parts):
            return _of_sequence(parts, place, known)
        case Either(branches):
            return _of_branches(branches, place, known)
        case Repeated(part, is_needed=True):
            once = place._replace(before_edge=False)
            told = _told(part, once, known)
            return _Told(None, _needed(told, once), _order(told, once))
        case _:
            return _Told(None)


def _of_branches(branches: Sequence[Node], place: _Place, known: Known) -> _Told:
    told = [_told(branch, place, known) for branch in branches]
    exact = [one.exact for one in told if one.exact is not None]
    texts = frozenset[str]().union(*exact)
    if len(exact) == len(told) and len(texts) <= MAX_TEXTS:
        return _Told(texts)
    best = [best_of(_needed(one, place)) for one in told]
    if not all(best):
        return _Told(None)
    either = frozenset[str]().union(*best)
    return _Told(None, frozenset({either}), (either,))


def _of_sequence(parts: Sequence[Node], place: _Place, known: Known) -> _Told:
    """Spell out what is written together; everything else is known by its needs only."""
    places = _places(parts, place, known)
    told = [_told(part, here, known) for part, here in zip(parts, places, strict=True)]
    if all(one.exact is not None for one in told):
        whole = _product([one.exact or _NONE for one in told])
        if whole is not None:
            return _Told(whole)
    found: set[Words] = set()
    order: list[Words] = []
    stretch: list[_Run] = []
    for one, here in [*zip(told, places, strict=True), (_Told(None), place)]:
        if one.exact is not None:
            stretch.append(_Run(one.exact, here))
            continue
        runs = list(_joined(stretch))
        needed = [_of_run(run) for run in runs]
        found.update(*needed, *_of_pairs(runs), one.needs)
        order += [best for best in map(best_of, needed) if best]
        order += one.order
        stretch.clear()
    return _Told(None, frozenset(found), tuple(order))


def _product(parts: Iterable[Words]) -> Words | None:
    """Return all texts that the parts make together, none where they are too many."""
    run = _BLANK
    for texts in parts:
        if len(run) * len(texts) > MAX_TEXTS:
            return None
        run = frozenset(head + tail for head in run for tail in texts) if texts != _BLANK else run
    return run


def _joined(stretch: Sequence[_Run]) -> Iterable[_Run]:
    """Spell out; cut where words end, and where the texts become too many."""
    before: _Run | None = None
    for run in stretch:
        is_apart = run.place.is_spaced and run.place.after_edge
        both = None if before is None or is_apart else _both(before, run)
        if before is not None and both is None:
            yield before
        before = both or run
    if before is not None:
        yield before


def _of_pairs(runs: Sequence[_Run]) -> Iterable[Needs]:
    """Yield what runs need together with the next one."""
    for run, following in pairwise(runs):
        both = _both(run, following)
        if both is not None:
            yield _of_run(both)


def _both(run: _Run, following: _Run) -> _Run | None:
    texts = _product((run.texts, following.texts))
    place = run.place._replace(before_edge=following.place.before_edge)
    return None if texts is None else _Run(texts, place)


def _of_run(run: _Run) -> Needs:
    before, after = EDGE if run.place.after_edge else "", EDGE if run.place.before_edge else ""
    return _one_of([before + text + after for text in run.texts], is_spaced=run.place.is_spaced)


def _places(parts: Sequence[Node], place: _Place, known: Known) -> list[_Place]:
    after, before = [place.after_edge], [place.before_edge]
    for part, other in zip(parts, reversed(parts), strict=True):
        after.append(_is_edge(part, END, known, is_edge=after[-1]))
        before.append(_is_edge(other, START, known, is_edge=before[-1]))
    return [
        _Place(left, right, place.is_spaced) for left, right in zip(after[:-1], before[-2::-1], strict=True)
    ]


def _is_edge(node: Node, side: int, known: Known, *, is_edge: bool) -> bool:
    """Whether a word ends at this side of the part, given whether one does at its other side."""
    if isinstance(node, Exact):
        return all(text[side] not in _LETTER if text else is_edge for text in node.texts)
    told = known.edges.get((node, side, is_edge))
    if told is None:
        told = known.edges[node, side, is_edge] = _ends_word(node, side, known, is_edge=is_edge)
    return told


def _ends_word(node: Node, side: int, known: Known, *, is_edge: bool) -> bool:
    match node:
        case Joined(parts):
            for part in parts if side == END else reversed(parts):
                is_edge = _is_edge(part, side, known, is_edge=is_edge)
            return is_edge
        case Either(branches):
            return all(_is_edge(branch, side, known, is_edge=is_edge) for branch in branches)
        case Repeated(part, is_needed):
            return (is_edge or is_needed) and _is_edge(part, side, known, is_edge=is_edge)
        case _:
            return False


def _order(told: _Told, place: _Place) -> tuple[Words, ...]:
    if told.exact is None:
        return told.order
    best = best_of(_needed(told, place))
    return (best,) if best else ()


def _needed(told: _Told, place: _Place) -> Needs:
    return told.needs if told.exact is None else _of_run(_Run(told.exact, place))


def _one_of(texts: Iterable[str], *, is_spaced: bool) -> Needs:
    """Return what is needed where one of these texts stands: the rarest word of each, and those of all."""
    words: list[Words] = []
    for text in texts:
        words.append(_words_within(text, is_spaced=is_spaced))
        if not words[-1]:
            return _UNTOLD  # no look at the others
    if not words:
        return _UNTOLD
    rarest = frozenset(min(several, key=lambda word: (_commonness(word), word)) for several in words)
    return frozenset({rarest, *(frozenset({word}) for word in frozenset.intersection(*words))})


def _words_within(text: str, *, is_spaced: bool) -> Words:
    """Return the words of a text whose ends may go on, and its pairs; of the last one, how it begins."""
    _, *words = _spelled(text).split(" ")
    pairs: list[str] = []
    if words:
        last = words.pop()
        pairs = [f"{one} {other}" for one, other in pairwise(words) if one and other]
        words += [last[:BEGINNING] + MORE] if len(last) >= BEGINNING else []
    told = frozenset(map(_KEPT, (*words, *pairs))) - {""}
    return told if is_spaced else told | _signs(text.translate(_NO_TOKENS))


def _spelled(text: str) -> str:
    """Return a text of a pattern as `blanked` would; an edge counts where it parts two words."""
    blank = text.translate(_SPELLED)
    while EDGE + EDGE in blank:
        blank = blank.replace(EDGE + EDGE, EDGE)
    blank = blank.replace(f"{EDGE} ", " ").replace(f" {EDGE}", " ").replace(EDGE, " ")
    return blank.replace(f"{BEGIN} {BEGIN} ", f"{BEGIN} ").replace(f" {FINISH} {FINISH}", f" {FINISH}")


@cache
def _commonness(word: str) -> float:
    """Return how likely a text holds the word: long ones are rarer, tokens stand nearly everywhere."""
    return 1.0 if word[0] in TOKEN and " " not in word else float(len(word) ** -3)


def best_of(needed: Needs) -> Words:
    """Return the set that says most: few words, and rare ones."""
    weights = {words: sum(map(_commonness, sorted(words))) for words in needed}
    least = min(weights.values(), default=0.0)
    return min((words for words, weight in weights.items() if weight == least), key=sorted, default=_NONE)
