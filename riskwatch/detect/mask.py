"""Replace names and quantities of a sentence by typed tokens; unmasking restores it exactly."""
# ruff: noqa: RUF001 - the marks of many scripts are what is read here

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from riskwatch.detect.onebyte import narrowed
from riskwatch.detect.packs import Pack
from riskwatch.detect.patterns import compile_pattern
from riskwatch.model import Person

_FORGED = str.maketrans("«»", "‹›")  # one for one: tokens cannot be forged by the text
LIGHT_KINDS = "VOP"
HEADLINE_WORD_CHARS = 4  # shorter words are small in headlines too
HEADLINE_WORDS = 4
HEADLINE_SHARE = 0.7  # of the words that begin with a capital
FULL_NAME_WORDS = 2
MAX_NAME_WORDS = 4
SIGNS_A_WORD = 3  # in scripts without spaces
NOBODY: Mapping[str, str] = MappingProxyType({})
_CASED = r"[\p{Lu}\p{Ll}\p{Lt}\p{Lm}]"  # letters of scripts with capitals: no Han sign goes on with a name
_CASED_OR_MARK = r"[\p{Lu}\p{Ll}\p{Lt}\p{Lm}’'-]"
_NAME = compile_pattern(
    r"\p{Lu}{L-}*\p{Ll}{L}*(?:-\p{Lu}{L}+)?(?: \p{Lu}\.)?"
    r"(?: (?:de|van|von|al|bin|da|du|la|le)\b ?)?"
    r"(?: \p{Lu}{L-}*\p{Ll}{L}*){0,3}".replace("{L}", _CASED).replace("{L-}", _CASED_OR_MARK),
    case_sensitive=True,
)
_WORD = compile_pattern(r"[\p{L}\p{N}][\p{L}\p{N}’'.-]*", case_sensitive=True)
_PLACED_WORD = compile_pattern(r"[^\s«»]*[\p{L}\p{N}][^\s«»]*|«[^»]*»")
_ROLE_BEFORE = compile_pattern(r"«R[0-9]+»,? ?$")
_YEAR = compile_pattern(r"^(?:19|20)[0-9][0-9]$")
_JOINED = (" and ", " & ")
_INTEGER_OR_SCALED = compile_pattern(r"^(?:[0-9]{1,3}(?:,[0-9]{3})*|[0-9]+)$|[^0-9.,]")


class Token(NamedTuple):
    """One masked span of a sentence; offsets in characters of the sentence."""

    kind: str  # V O P R Q M N D H
    start: int
    end: int
    text: str
    vendor: str | None = None
    line: str | None = None
    is_product: bool = False
    posts: tuple[tuple[str, Person], ...] = ()  # vendor and entry of a known person, one for each employer
    name: str = ""  # canonical name of a person or company
    role_code: str | None = None


@dataclass(frozen=True, slots=True)
class Light:
    """A sentence in which only vendors, companies and persons are masked."""

    text: str
    tokens: tuple[Token, ...]
    starts: tuple[int, ...]  # of each token in text
    ends: tuple[int, ...]


@dataclass(slots=True)
class Masked:
    """A masked sentence and the way back."""

    original: str
    text: str
    tokens: tuple[Token, ...]
    starts: tuple[int, ...] = field(repr=False)  # of each token in text
    ends: tuple[int, ...] = field(repr=False)
    raw: bytes = field(repr=False)  # text as frames and filters read it: narrowed, or UTF-8
    _lighter: Light | None = field(default=None, repr=False, compare=False)

    @property
    def lighter(self) -> Light:
        """The light form, made when it is first asked for."""
        if self._lighter is None:
            few = [(number, token) for number, token in enumerate(self.tokens) if token.kind in LIGHT_KINDS]
            text, starts, ends = _fill(self.original, few)
            self._lighter = Light(text, tuple(token for _, token in few), starts, ends)
        return self._lighter

    def in_chars(self, span: tuple[int, int]) -> tuple[int, int]:
        """Return a span of `raw` in characters of the text."""
        if len(self.raw) == len(self.text):
            return span
        start = len(self.raw[: span[0]].decode("utf-8", "ignore"))
        return start, start + len(self.raw[span[0] : span[1]].decode("utf-8", "ignore"))

    @property
    def light(self) -> str:
        """The text of the light form."""
        return self.lighter.text

    def unmask(self) -> str:
        """Return the sentence as it was."""
        pieces: list[str] = []
        last = 0
        for token in self.tokens:
            pieces += [self.original[last : token.start], token.text]
            last = token.end
        return "".join([*pieces, self.original[last:]])

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the sentence behind a span of the masked text; tokens are taken whole."""
        return self._back(start, is_end=False), self._back(end, is_end=True)

    def words(self, start: int, end: int) -> str:
        """Return the words of the sentence behind a span of the masked text."""
        low, high = self.span(start, end)
        return self.original[low:high]

    def _back(self, at: int, *, is_end: bool) -> int:
        number = bisect_right(self.starts, at) - 1
        if number < 0:
            return at
        token = self.tokens[number]
        if at >= self.ends[number]:
            return token.end + at - self.ends[number]
        return token.end if is_end and at > self.starts[number] else token.start

    def light_at(self, at: int) -> int:
        """Return the place in the light text of a place in the sentence."""
        light, shift = self.lighter, 0
        for token, start, end in zip(light.tokens, light.starts, light.ends, strict=True):
            if at <= token.start:
                break
            if at < token.end:
                return start
            shift = end - token.end
        return at + shift

    def sentence_at(self, light_at: int, *, is_end: bool = False) -> int:
        """Return the place in the sentence of a place in the light text."""
        light, shift = self.lighter, 0
        for token, start, end in zip(light.tokens, light.starts, light.ends, strict=True):
            if light_at <= start:
                break
            if light_at < end:
                return token.end if is_end else token.start
            shift = token.end - end
        return light_at + shift

    def inside(self, start: int, end: int, kinds: str) -> tuple[int, ...]:
        """Return the numbers of the tokens of the kinds inside a span of the masked text."""
        return tuple(
            number
            for number, (low, high) in enumerate(zip(self.starts, self.ends, strict=True))
            if start <= low and high <= end and self.tokens[number].kind in kinds
        )


def assemble(sentence: str, tokens: Iterable[Token], *, is_narrow: bool) -> Masked:
    """Mask the sentence with the tokens, which must not overlap."""
    ordered = tuple(sorted(tokens, key=_place))
    text, starts, ends = _fill(sentence, list(enumerate(ordered)))
    raw = narrowed(text) if is_narrow else text.encode("utf-8", "replace")
    return Masked(sentence, text, ordered, starts, ends, raw)


def _place(token: Token) -> int:
    return token.start


def _fill(sentence: str, tokens: Sequence[tuple[int, Token]]) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
    if "«" in sentence or "»" in sentence:
        sentence = sentence.translate(_FORGED)
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    last = length = 0
    for number, token in tokens:
        start = token.start
        name = f"«{token.kind}{number}»"
        length += start - last
        starts.append(length)
        length += len(name)
        ends.append(length)
        pieces += (sentence[last:start], name)
        last = token.end
    pieces.append(sentence[last:])
    return "".join(pieces), tuple(starts), tuple(ends)


def mask(
    sentence: str, entities: Sequence[Token], *, pack: Pack, proven: Mapping[str, str] | None = NOBODY
) -> Masked:
    """Mask a sentence.

    Args:
        sentence: As it stands in the field.
        entities: Tokens of known vendors, companies and persons; they do not overlap.
        pack: The language.
        proven: Names and family names of persons whom earlier sentences proved, with their full names;
            none when no rule asks for persons.
    """
    masked = assemble(sentence, [*entities, *_quantities(sentence, entities, pack)], is_narrow=pack.is_narrow)
    if pack.roles.hits(sentence):
        masked = _with(masked, _roles(masked, pack), pack)
    if proven is not None or pack.org_suffix_word.hits(sentence):
        masked = _with(masked, unknown_names(masked, pack, proven=proven or NOBODY), pack)
    return masked


def _with(masked: Masked, tokens: Sequence[Token], pack: Pack) -> Masked:
    if not tokens:
        return masked
    return assemble(masked.original, [*masked.tokens, *tokens], is_narrow=pack.is_narrow)


def _quantities(sentence: str, taken: Sequence[Token], pack: Pack) -> list[Token]:
    found: list[Token] = []
    for match in pack.quantities.finditer(sentence):
        kind = match.name() or ""
        start, end = match.span()
        free = not any(token.start < end and start < token.end for token in taken)
        if free and (kind != "N" or _is_count(sentence, start, end, pack)):
            found.append(Token(kind, start, end, sentence[start:end]))
    return found


def _is_count(sentence: str, start: int, end: int, pack: Pack) -> bool:
    words = sentence[start:end].removesuffix("+")
    if words[0] in pack.grammar.numerals:
        return True
    if _YEAR.hits(words) or not _INTEGER_OR_SCALED.hits(words):
        return False
    before, after = sentence[start - 1 : start], sentence[end : end + 1]
    if pack.grammar.unit == "characters":  # signs of other scripts stand beside digits without a space
        before, after = before if before.isascii() else "", after if after.isascii() else ""
    return not (before.isalnum() or before in tuple("-.$#€£/")) and not (
        after == "-" or (after.isalnum() and words[-1].isdigit())
    )


def _roles(masked: Masked, pack: Pack) -> list[Token]:
    found: list[Token] = []
    for match in pack.roles.finditer(masked.text):
        start, end = masked.span(*match.span())
        if end > start and not any(token.start < end and start < token.end for token in masked.tokens):
            words = masked.original[start:end]
            found.append(Token("R", start, end, words, role_code=role_code(words, pack)))
    return found


def role_code(words: str, pack: Pack) -> str | None:
    """Return the code of the post that covers most of the words; the first on a tie."""
    best: tuple[int, str] | None = None
    for code, pattern in pack.role_codes:
        match = pattern.search(words)
        length = match.end() - match.start() if match else 0
        if length and (best is None or length > best[0]):
            best = (length, code)
    return best[1] if best else None


def length_in_words(between: str, pack: Pack) -> float:
    """Return how many words a stretch has; without spaces a word is taken as three signs."""
    if pack.grammar.unit == "characters":
        return len(between.strip()) / SIGNS_A_WORD
    return sum(1 for _ in _PLACED_WORD.finditer(between))


def is_headline(masked: str) -> bool:
    """Whether nearly every word beside the tokens is capitalised: then capitals say nothing of names."""
    words = [word for word in masked.split() if len(word) >= HEADLINE_WORD_CHARS and word[0].isalpha()]
    capitals = sum(word[0].isupper() for word in words)
    return len(words) >= HEADLINE_WORDS and capitals >= HEADLINE_SHARE * len(words)


def unknown_names(masked: Masked, pack: Pack, *, proven: Mapping[str, str]) -> list[Token]:
    """Return persons and companies that no register holds but that the sentence proves to be such."""
    found: list[Token] = []
    headline = is_headline(masked.text)
    for low, high, words in capitalised(masked.text, pack):
        start, end = masked.span(low, high)
        if pack.org_suffix.hits(words) and not pack.org_suffix_only.hits(words):
            found.append(Token("O", start, end, words, name=words))
        elif words in proven:
            found.append(Token("P", start, end, words, name=proven[words]))
        elif _is_person(masked.text, (low, high), pack=pack, headline=headline) or _goes_on(
            masked, (low, high), found
        ):
            found.append(Token("P", start, end, words, name=words))
        elif headline:
            found += _headline_person(masked, (low, high), pack)
    return [*found, *_patterned(masked, found, pack)]


def _goes_on(masked: Masked, span: tuple[int, int], found: Sequence[Token]) -> bool:
    """Whether a full name is joined to a person before it ("co-founder Mei Tan and Ada Quill")."""
    before = masked.text[: span[0]]
    if len(masked.text[span[0] : span[1]].split()) != FULL_NAME_WORDS or not before.endswith(_JOINED):
        return False
    joined = masked.span(0, len(before.rstrip(" &").removesuffix(" and")))[1]
    return any(token.kind == "P" and token.end == joined for token in (*masked.tokens, *found))


def _patterned(masked: Masked, taken: Sequence[Token], pack: Pack) -> list[Token]:
    """Return persons that stand where the language's own patterns put one ("«V0»«R1»王小明离职")."""
    found: list[Token] = []
    for pattern in pack.people:
        group = pattern.groupindex["name"]
        for match in pattern.finditer(masked.text):
            start, end = masked.span(*match.span(group))
            words = masked.original[start:end]
            if not any(token.start < end and start < token.end for token in (*taken, *found)):
                found.append(Token("P", start, end, words, name=words))
    return found


def _headline_person(masked: Masked, span: tuple[int, int], pack: Pack) -> list[Token]:
    """Read "First Last" before a verb that is capitalised too ("First Last Joins")."""
    low, high = span
    words = masked.text[low:high].split(" ")
    name = " ".join(words[:2])
    rest = masked.text[low + len(name) :]
    if len(words) <= FULL_NAME_WORDS or not pack.words["person_after"].hits(rest):
        return []
    start, end = masked.span(low, low + len(name))
    return [Token("P", start, end, name, name=name)]


def capitalised(text: str, pack: Pack) -> Iterable[tuple[int, int, str]]:
    """Yield runs of capitalised words, without words at either end that are never names."""
    for match in _NAME.finditer(text):
        words = [found.span() for found in _WORD.finditer(match.group())]
        offset = match.start()
        while words and _never(match.group(), words[0], pack):
            words.pop(0)
        while words and _never(match.group(), words[-1], pack):
            words.pop()
        if words:
            low, high = offset + words[0][0], offset + words[-1][1]
            name = text[low:high]
            owner = pack.words["possessive_end"].search(name)
            if owner:
                high = low + owner.start()
            yield low, high, text[low:high]


def _never(text: str, span: tuple[int, int], pack: Pack) -> bool:
    return text[span[0] : span[1]].lower().rstrip(".") in pack.not_names


def _is_person(text: str, span: tuple[int, int], *, pack: Pack, headline: bool) -> bool:
    low, high = span
    before, after = text[max(0, low - 40) : low], text[high : high + 80]
    if pack.words["honorifics"].hits(before):
        return True
    most = FULL_NAME_WORDS if headline else MAX_NAME_WORDS
    if not FULL_NAME_WORDS <= len(text[low:high].split()) <= most:
        return False
    if _ROLE_BEFORE.hits(before) or pack.words["role_after"].hits(after):
        return True
    if pack.words["person_before"].hits(before) or pack.words["person_after"].hits(after):
        return True
    return not headline and (
        pack.words["owner_before"].hits(before) or pack.words["person_verbs"].hits(after)
    )
