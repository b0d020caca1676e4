"""Which way a text looks at a time that names no year: back, ahead or neither."""

from __future__ import annotations

from riskwatch.detect.packs import Pack
from riskwatch.detect.quantity import Tense

AROUND_CHARS = 40  # before the words that are looked at
OPENING_CHARS = 4  # a time that stands so early is told of by the words behind it
BEHIND_CHARS = 60


def tense(text: str, time: tuple[int, int], *, pack: Pack, event: tuple[int, int] | None = None) -> Tense:
    """Return how the text speaks of a time; a word of the future outweighs those of the past.

    Args:
        text: A sentence.
        time: Where the time stands, without a year; offsets in the text.
        pack: The language.
        event: Where the event is told, if that is known.
    """
    low = min(time[0], event[0]) if event else time[0]
    is_opening = time[0] <= OPENING_CHARS
    words = text[max(0, low - AROUND_CHARS) : time[1] + BEHIND_CHARS * is_opening]
    found, turns = Tense.UNTOLD, pack.words["tense"]
    for match in turns.finditer(words):
        if match.took_part(turns.groupindex["ahead"]):
            return Tense.AHEAD
        found = Tense.PAST
    return found
