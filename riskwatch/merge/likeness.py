"""How alike a telling and an event are: by their words, each by how much it says."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import groupby
from math import exp, log2, sqrt
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from riskwatch.merge.copies import BLANKED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

FADING_SECONDS = 10 * 86_400.0  # e-folding time: what nobody told for weeks is less likely meant
MIN_CHARS = 4  # of a word; shorter ones say little, numbers always do
KEPT_QUOTES = 16_384  # some 2 kB each
MIN_SHARED = 2  # words; one alone is chance
LEAST_SHARE = 1 / 400  # of the texts; rarer words are not listed
_HAN = ("\u3400", "\u9fff")


class CommonWords(BaseModel):
    """What common words say, in bits: a word that one text in 2^n has says n; unlisted ones say most."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: dict[Annotated[int, Field(ge=0, le=20)], str] = Field(
        default_factory=dict, description="Bits -> the words that say so much, lower case, apart by blanks"
    )

    @model_validator(mode="after")
    def _once(self) -> CommonWords:
        listed = Counter(word for line in self.words.values() for word in line.split())
        twice = sorted(word for word, times in listed.items() if times > 1)
        if twice:
            raise ValueError(f"listed twice: {', '.join(twice)}")
        return self

    @cached_property
    def bits(self) -> Mapping[str, int]:
        """Word -> bits."""
        return {word: bits for bits, line in self.words.items() for word in line.split()}

    @cached_property
    def most(self) -> int:
        """Bits of a word that is not listed."""
        return max(self.words, default=0) + 1

    @cached_property
    def told(self) -> Callable[[str], Mapping[str, int]]:
        """Gives the words of a quote with their bits; kept, for every fold reads them again."""
        known, most = self.bits, self.most

        @lru_cache(maxsize=KEPT_QUOTES)
        def told(quote: str) -> Mapping[str, int]:
            return {word: known.get(word, most) for word in words_of_text(quote)}

        return told


def words_of_text(text: str) -> frozenset[str]:
    """Return what a text is compared by: longer words, numbers, pairs of Han signs; without case."""
    runs = unicodedata.normalize("NFKC", text).casefold().translate(BLANKED).split()
    found = {run for run in runs if run.isascii() and (len(run) >= MIN_CHARS or not run.isalpha())}
    for run in runs:
        if not run.isascii():
            for is_han, signs in groupby(run, _is_han):
                word = "".join(signs)
                if is_han:
                    found.update(word[i : i + 2] for i in range(len(word) - 1))
                elif len(word) >= MIN_CHARS or not word.isalpha():
                    found.add(word)
    return frozenset(found)


def _is_han(char: str) -> bool:
    return _HAN[0] <= char <= _HAN[1]


def common_words(texts: Iterable[str]) -> dict[int, str]:
    """Return the words that at least one text in 400 has, by what they say in bits; the commonest first."""
    counts, size = Counter[str](), 0
    for text in texts:
        counts.update(words_of_text(text))
        size += 1
    made: dict[int, list[str]] = {}
    for word, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        if count >= LEAST_SHARE * size:
            made.setdefault(round(log2(size / count)), []).append(word)
    return {bits: " ".join(words) for bits, words in made.items()}


@dataclass(slots=True)
class Wording:
    """The words in which an event was told so far, each with how often."""

    counts: Counter[str] = field(default_factory=Counter)
    square: int = 0  # of its length: the sum of (bits x count) squared

    def add(self, words: Mapping[str, int]) -> None:
        """Take in one telling."""
        for word, bits in words.items():
            count = self.counts[word]
            self.square += bits * bits * (2 * count + 1)
            self.counts[word] = count + 1

    def likeness(self, words: Mapping[str, int], *, seconds: float) -> float:
        """Return the cosine of a telling with all tellings so far, 0 to 1, fading with the time between.

        Cosine of vectors of words weighed by inverse document frequency: Salton and Buckley, Term-weighting
        approaches in automatic text retrieval, Information Processing & Management 24 (1988).
        """
        shared = words.keys() & self.counts.keys()
        if len(shared) < MIN_SHARED:
            return 0.0
        product = sum(words[word] ** 2 * self.counts[word] for word in shared)
        own = sum(bits * bits for bits in words.values())
        return product / sqrt(own * self.square) * exp(-abs(seconds) / FADING_SECONDS)
