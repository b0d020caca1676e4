"""Words that a pattern cannot do without: most patterns are ruled out by a look at the words of a text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

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
_NO_TOKENS = str.maketrans("«»", "  ")
_LETTER = frozenset(_LETTERS.decode())
TOKEN = frozenset("«" + BEGIN + FINISH)  # begins the word of a token, or stands at an end of the text
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


def needs(pattern: str, *, is_spaced: bool = True) -> Needs:
    """Return sets of words: of each, one word stands in every text that the pattern matches."""
    return needed_by(pattern, is_spaced=is_spaced).words


def needed_by(pattern: str, *, is_spaced: bool = True) -> Needed:
    """Return which words every text holds that the pattern matches, and in which order.

    The words are those of a text in which only vendors are masked. Syntax that is not known here needs
    nothing: too few words cost time only.
    """
    try:
        node = parse(pattern)
    except (IndexError, ValueError):
        return Needed()
    place = _Place(is_spaced=is_spaced)
    told = _told(node, place)
    return Needed(_needed(told, place), _order(told, place) if is_spaced else ())


def single_words(needed: Needs) -> Needs:
    """Return what is needed without pairs, of which one word may be part of a name."""
    return frozenset(frozenset(max(pair.split(" "), key=len) for pair in words) for words in needed)


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
    order: tuple[Words, ...] = ()


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
            told = _told(part, once)
            return _Told(None, _needed(told, once), _order(told, once))
        case _:
            return _Told(None)


def _of_branches(branches: Sequence[Node], place: _Place) -> _Told:
    told = [_told(branch, place) for branch in branches]
    exact = [one.exact for one in told if one.exact is not None]
    texts = frozenset[str]().union(*exact)
    if len(exact) == len(told) and len(texts) <= MAX_TEXTS:
        return _Told(texts)
    best = [best_of(_needed(one, place)) for one in told]
    if not all(best):
        return _Told(None)
    either = frozenset[str]().union(*best)
    return _Told(None, frozenset({either}), (either,))


def _of_sequence(parts: Sequence[Node], place: _Place) -> _Told:
    """Spell out what is written together; everything else is known by its needs only."""
    places = _places(parts, place)
    told = [_told(part, here) for part, here in zip(parts, places, strict=True)]
    if all(one.exact is not None for one in told):
        whole = _product([one.exact or _NONE for one in told])
        if whole is not None:
            return _Told(whole)
    found: set[Words] = set()
    order: list[Words] = []
    stretch: list[tuple[Words, _Place]] = []
    for one, here in [*zip(told, places, strict=True), (_Told(None), place)]:
        if one.exact is not None:
            stretch.append((one.exact, here))
            continue
        pieces = list(_pieces(stretch))
        found |= _of_pieces(pieces) | one.needs
        order += [best for piece in pieces if (best := best_of(_of_run(piece)))]
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


def _of_pieces(pieces: Sequence[Sequence[tuple[Words, _Place]]]) -> set[Words]:
    """Return what parts need that follow one another: the words of each, and together with the next one."""
    found = {words for piece in pieces for words in _of_run(piece)}
    for piece, following in pairwise(pieces):
        both = [*piece, *following]
        if _product(texts for texts, _ in both) is not None:
            found |= _of_run(both)
    return found


def _pieces(stretch: Sequence[tuple[Words, _Place]]) -> Iterable[list[tuple[Words, _Place]]]:
    """Cut where words end, and where the texts become too many."""
    piece: list[tuple[Words, _Place]] = []
    for texts, place in stretch:
        is_apart = place.is_spaced and place.after_edge
        if piece and (is_apart or _product([*(one for one, _ in piece), texts]) is None):
            yield piece
            piece = []
        piece.append((texts, place))
    if piece:
        yield piece


def _of_run(parts: Sequence[tuple[Words, _Place]]) -> Needs:
    texts = _product(one for one, _ in parts)
    if texts is None:  # a single part, spelled out elsewhere
        texts = parts[0][0]
    return _needed(_Told(texts), replace(parts[0][1], before_edge=parts[-1][1].before_edge))


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


def _order(told: _Told, place: _Place) -> tuple[Words, ...]:
    if told.exact is None:
        return told.order
    best = best_of(_needed(told, place))
    return (best,) if best else ()


def _needed(told: _Told, place: _Place) -> Needs:
    if told.exact is None:
        return told.needs
    before, after = EDGE if place.after_edge else "", EDGE if place.before_edge else ""
    return _one_of({before + text + after for text in told.exact}, is_spaced=place.is_spaced)


def _one_of(texts: Iterable[str], *, is_spaced: bool) -> Needs:
    """Return what is needed where one of these texts stands: the rarest word of each, and those of all."""
    words = [_words_within(text, is_spaced=is_spaced) for text in texts]
    if not words or not all(words):
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
    told = frozenset((*words, *pairs)) - {""}
    return told if is_spaced else told | _signs(text.translate(_NO_TOKENS))


def _spelled(text: str) -> str:
    """Return a text of a pattern as `blanked` would; an edge counts where it parts two words."""
    blank = "".join(sign if sign in _OWN else " " for sign in text)
    while EDGE + EDGE in blank:
        blank = blank.replace(EDGE + EDGE, EDGE)
    blank = blank.replace(f"{EDGE} ", " ").replace(f" {EDGE}", " ").replace(EDGE, " ")
    return blank.replace(f"{BEGIN} {BEGIN} ", f"{BEGIN} ").replace(f" {FINISH} {FINISH}", f" {FINISH}")


def _commonness(word: str) -> float:
    """Return how likely a text holds the word: long ones are rarer, tokens stand nearly everywhere."""
    return 1.0 if word[0] in TOKEN and " " not in word else float(len(word) ** -3)


def best_of(needed: Needs) -> Words:
    """Return the set that says most: few words, and rare ones."""
    return min(
        needed, key=lambda words: (sum(_commonness(word) for word in words), sorted(words)), default=_NONE
    )
