"""Whom a text credits: the outlet of a claim, and the outlet that an item is from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from riskwatch.detect.gazetteer import Outlets
from riskwatch.detect.packs import Pack
from riskwatch.detect.regex import Regex
from riskwatch.model import Publisher

CREDIT_CHARS = 40  # either side of an outlet's name
BYLINE_CHARS = 120  # at either end of a title, and at the beginning of a text


def cited(text: str, outlets: Outlets, pack: Pack, *, own: str) -> str | None:
    """Return the family of the one other outlet that a sentence credits."""
    found = _credited(text, outlets, pack.words["credit"], chars=CREDIT_CHARS)
    families = {publisher.family for publisher in found} - {own}
    return families.pop() if len(families) == 1 else None


def original(
    texts: Mapping[str, str], outlets: Outlets, packs: Mapping[str, Pack], *, own: str
) -> Publisher | None:
    """Return the outlet in the byline of an item ("(Jane Roe/Reuters)"), if it is another than its own."""
    for name, text in (
        ("title", texts["title"]),
        ("body", texts["body"][:BYLINE_CHARS].partition("\n")[0]),
    ):
        for publisher in _credited(text, outlets, packs[name].words["byline"], chars=BYLINE_CHARS):
            if publisher.family != own:
                return publisher
    return None


def _credited(text: str, outlets: Outlets, words: Regex, *, chars: int) -> Iterable[Publisher]:
    """Yield the outlets beside whose names the words stand; the name is «S» in them."""
    if outlets.pattern is None:
        return
    for match in outlets.pattern.finditer(text):
        start, end = match.span()
        if words.hits(f"{text[max(0, start - chars) : start]}«S»{text[end : end + chars]}"):
            yield outlets.publishers[match.group()]
