"""Headings name vendors as people know them and leave out what says nothing."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from riskwatch.model import Assertion, AttrValue, Direction, Event, EventState, EventType, Factor, heading

NOW = datetime(2026, 3, 5, tzinfo=UTC)
TEMPLATES = (
    "{person} leaves for {destination}",
    "{person} leaves",
    "A leader leaves ({role})",
    "A leader leaves",
)
EXIT = EventType(
    "leadership_exit", Factor.LEADERSHIP, Direction.ADVERSE, "",
    {"destination": "vendor", "role": "role"}, 45, heading=TEMPLATES, names={"spacex": "SpaceX"},
)  # fmt: skip


def an_event(**attributes: AttrValue) -> Event:
    return Event(
        "e",
        "leadership_exit",
        "acme",
        "acme",
        None,
        Assertion.CONFIRMED,
        EventState.LIVE,
        attributes,
        NOW,
        "day",
        (),
    )


def told(**attributes: AttrValue) -> str:
    return heading(an_event(**attributes), EXIT)


def test_a_vendor_is_named_as_people_know_it() -> None:
    assert told(person="Ann Lee", destination="spacex") == "Ann Lee leaves for SpaceX"
    assert told(person="Ann Lee", destination="a-start-up") == "Ann Lee leaves for a-start-up"


def test_a_role_that_says_nothing_is_left_out() -> None:
    assert told(role="technical_lead") == "A leader leaves (technical lead)"
    assert told(role="other") == "A leader leaves"


def test_a_title_of_three_letters_is_written_large() -> None:
    assert told(role="cto") == "A leader leaves (CTO)"


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (6.6e9, "USD", "$6.6 billion raised"),
        (1.43e10, "USD", "$14.3 billion raised"),
        (7.36e7, "EUR", "EUR 73.6 million raised"),
        (2_000_000, "", "2 million raised"),
        (750_000.0, "", "750,000 raised"),
    ],
)
def test_money_is_written_in_words_that_can_be_read(amount: float, currency: str, words: str) -> None:
    funding = replace(EXIT, id="funding", attributes={"amount": "money"}, heading=("{amount} raised",))

    assert heading(an_event(amount=amount, currency=currency), funding) == words


def test_a_vendor_is_named_wherever_an_organisation_may_stand_and_keeps_its_small_letter() -> None:
    deal = replace(EXIT, attributes={"buyer": "org"}, heading=("{buyer} takes over",), names={"xai": "xAI"})

    assert heading(an_event(buyer="xai"), deal) == "xAI takes over"
    assert heading(an_event(buyer="initech"), deal) == "Initech takes over"
