"""Events, claims and stories made up by Hypothesis; every event keeps its own id."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from hypothesis import strategies as st

from riskwatch.model import Claim, Event
from tests.score.builders import a_claim, an_event, day, methodology

ADVERSE = tuple(sorted(methodology().types))
GOOD = tuple(sorted(methodology().mitigations.types))
HOMES = ("alibaba", "alibaba/qwen", "alibaba/wan", "alibaba/-retail", "cn")
FAMILIES = ("A", "B", "C", "D", "E", "F")
TIERS = ("primary", "1", "2", "3", "4")
LIVE_STATUS = ("confirmed", "reported", "rumoured")
NOW = 400.0  # day on which laws judge; events lie before it

_claim_parts = st.sampled_from(tuple(product(FAMILIES, TIERS, (*LIVE_STATUS, "denied"))))


def claims(on: float = 0.0, *, least: int = 1) -> st.SearchStrategy[tuple[Claim, ...]]:
    def build(parts: list[tuple[str, str, str]]) -> tuple[Claim, ...]:
        return tuple(a_claim(*part, at=day(on), id_=f"s{number}") for number, part in enumerate(parts))

    return st.lists(_claim_parts, min_size=least, max_size=4).map(build)


_ATTRIBUTES = {
    "role": ("ceo", "technical_lead", "vp", "other"),
    "count": (0, 3, 40),
    "percent": (-50.0, -5.0, 0.5, 12.5, 80.0),
    "kind": ("insolvency", "fine", "theft", "alleged", "odd"),
    "duration": (0.1, 3, 100.0),
    "country": ("IT", "US"),
    "product": ("Qwen", "Wan"),
    "plaintiff": ("X", "Y"),
    "counterparty": ("X", "Y"),
    "resolved": (True, False),
    "partial": (True,),
    "interim": (True,),
}
_PAIRS = tuple((name, value) for name, values in _ATTRIBUTES.items() for value in values)
attributes = st.lists(st.sampled_from(_PAIRS), max_size=4).map(dict)


@st.composite
def events(
    draw: st.DrawFn, id_: str = "x", types: tuple[str, ...] = ADVERSE, homes: tuple[str, ...] = HOMES
) -> Event:
    on = draw(st.integers(0, int(NOW)))
    return an_event(
        id_,
        draw(st.sampled_from(types)),
        on=on,
        home=draw(st.sampled_from(homes)),
        claims=draw(claims(on)),
        attributes=draw(attributes),
        story_id=draw(st.sampled_from((None, "s1", "s2"))),
        date_conflicts=(),
    )


@st.composite
def histories(draw: st.DrawFn, *, most: int = 5) -> tuple[Event, ...]:
    """Harm and good news of one vendor, some of it closing some of the harm."""
    harm = [draw(events(f"h{number}")) for number in range(draw(st.integers(0, most)))]
    good = [draw(events(f"m{number}", GOOD)) for number in range(draw(st.integers(0, 2)))]
    ids = [event.id for event in harm]
    closing = [
        replace(event, closes=tuple(draw(st.lists(st.sampled_from(ids), max_size=2, unique=True))))
        if ids
        else event
        for event in good
    ]
    return (*harm, *closing)
