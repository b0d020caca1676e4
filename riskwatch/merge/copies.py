"""Which Articles are copies of one text, and whose voice each of them is."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from riskwatch.model import ArticleBrief, Signal

SKETCH_SIZE = 128
GRAM = 4  # words, or characters where a text has no spaces
COPY_CONTAINMENT = 0.50  # share of the smaller text found in the other
COPY_WINDOW_SECONDS = 7 * 86_400.0
MIN_SHARED = 3  # fewer common hashes are chance or a shared footer
_SPACELESS_SHARE = 0.30  # of letters written without spaces between words

# Thai, Lao, Burmese, Khmer; kana and Han with their extensions. Korean is written with spaces.
_SPACELESS = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x9FFF), (0x20000, 0x3FFFF))


def sketch(title: str | None, text: str) -> tuple[int, ...]:
    """Return the 128 smallest 64-bit hashes of a text's 4-grams, ascending; of the title if text is empty."""
    grams = _grams(unicodedata.normalize("NFKC", text or title or "").lower())
    return tuple(map(int.from_bytes, sorted(map(_hashed, grams))[:SKETCH_SIZE]))


_FRESH = blake2b(digest_size=8)  # copied: setting one up costs more than hashing a gram


def _hashed(raw: bytes) -> bytes:
    hasher = _FRESH.copy()
    hasher.update(raw)
    return hasher.digest()


class _Blanked(dict[int, str]):
    """Code point -> itself in letters and digits, a blank otherwise; for str.translate."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        self[code] = kept = char if char.isalnum() else " "
        return kept


BLANKED = _Blanked()


def _grams(text: str) -> set[bytes]:
    blanked = text.translate(BLANKED)
    if not blanked.isascii():
        letters = blanked.replace(" ", "")
        if sum(map(_is_spaceless, letters)) > _SPACELESS_SHARE * len(letters):
            return {letters[i : i + GRAM].encode() for i in range(len(letters) - GRAM + 1)}
    words = blanked.encode().split()  # once for all: each word is in four grams
    return set(map(b" ".join, zip(*(words[i:] for i in range(GRAM)), strict=False)))


def _is_spaceless(letter: str) -> bool:
    return any(low <= ord(letter) <= high for low, high in _SPACELESS)


def containment(left: Sequence[int], right: Sequence[int]) -> float:
    """Return the estimated share, 0 to 1, of the smaller text's grams that the other one holds.

    A full sketch knows nothing above its largest hash: only hashes up to the smaller such bound are compared.
    """
    if not left or not right:
        return 0.0
    bound = min((side[-1] for side in (left, right) if len(side) >= SKETCH_SIZE), default=None)
    a = {h for h in left if bound is None or h <= bound}
    b = {h for h in right if bound is None or h <= bound}
    shared = len(a & b)
    smaller = min(len(a), len(b))
    return shared / smaller if shared >= MIN_SHARED else 0.0


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks in an Article: family and tier of the text's original."""

    family: str
    tier: str
    original_id: str  # Article that told the text first; its own id when it is no copy


@dataclass(slots=True)
class _Text:
    """One text: its first teller, and when a copy was last seen."""

    article_id: str
    family: str
    tier: str
    sketch: tuple[int, ...]
    last_seconds: float


def voices(signals: Iterable[Signal], briefs: Mapping[str, ArticleBrief]) -> dict[str, Voice]:
    """Return Article id -> whose voice it is, for the Articles of these Signals of one vendor."""
    firsts: dict[str, Signal] = {}
    for signal in signals:
        firsts.setdefault(signal.article_id, signal)
    told = sorted(_place(signal, briefs.get(signal.article_id)) for signal in firsts.values())
    texts = _Texts()
    found: dict[str, Voice] = {}
    for at, text_key, article_id in told:
        signal, brief = firsts[article_id], briefs.get(article_id)
        text = texts.find(signal, brief, text_key, at.timestamp())
        credited = brief.credited_family if brief else None
        found[article_id] = Voice(credited or text.family, text.tier, text.article_id)
    return found


def _place(signal: Signal, brief: ArticleBrief | None) -> tuple[datetime, str, str]:
    """Return when an Article told its text, the text's key and the Article's id."""
    if brief is None:
        return signal.told_at, signal.text_key, signal.article_id
    told_at = brief.published_at or brief.first_seen_at or signal.told_at
    return told_at, signal.text_key or brief.text_key, signal.article_id


class _Texts:
    """Texts seen so far, found by key or by common hashes; each Article is compared with originals only."""

    def __init__(self) -> None:
        self._by_key: dict[str, _Text] = {}
        self._by_hash: dict[int, _Text] = {}

    def find(self, signal: Signal, brief: ArticleBrief | None, text_key: str, seconds: float) -> _Text:
        """Return the text that an Article tells: a known one of the last 7 days, or a new one."""
        sketch_ = brief.sketch if brief else ()
        text = self._by_key.get(text_key) if text_key else None
        if text is None:
            text = self._similar(sketch_, seconds)
        if text is None:
            family = (brief.credited_family or brief.family) if brief else signal.family
            tier = brief.tier if brief else signal.tier
            text = _Text(signal.article_id, family or signal.family, tier, sketch_, seconds)
            self._by_hash.update(dict.fromkeys(sketch_, text))
        text.last_seconds = max(text.last_seconds, seconds)
        if text_key:
            self._by_key.setdefault(text_key, text)
        return text

    def _similar(self, sketch_: tuple[int, ...], seconds: float) -> _Text | None:
        if self._by_hash.keys().isdisjoint(sketch_):  # the common case, without building a set
            return None
        shared = self._by_hash.keys() & sketch_
        if len(shared) < MIN_SHARED:
            return None
        near = Counter(self._by_hash[h].article_id for h in shared)
        texts = {self._by_hash[h].article_id: self._by_hash[h] for h in shared}
        for article_id, _count in sorted(near.items(), key=lambda pair: (-pair[1], pair[0])):
            text = texts[article_id]
            is_recent = seconds - text.last_seconds <= COPY_WINDOW_SECONDS
            if is_recent and containment(sketch_, text.sketch) >= COPY_CONTAINMENT:
                return text
        return None
