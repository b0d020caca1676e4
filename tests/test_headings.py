"""Headings name vendors as people know them and leave out what says nothing."""

from datetime import UTC, datetime

from riskwatch.model import Assertion, Direction, Event, EventState, EventType, Factor, heading

NOW = datetime(2026, 3, 5, tzinfo=UTC)
TEMPLATES = (
    "{person} leaves for {destination}",
    "{person} leaves",
    "A leader leaves ({role})",
    "A leader leaves",
)
EXIT = EventType(
    "leadership_exit", Factor.LEADERSHIP, Direction.ADVERSE, "", {"destination": "vendor"}, 45,
    heading=TEMPLATES, names={"spacex": "SpaceX"},
)  # fmt: skip


def told(**attributes: str) -> str:
    event = Event(
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
    return heading(event, EXIT)


def test_a_vendor_is_named_as_people_know_it() -> None:
    assert told(person="Ann Lee", destination="spacex") == "Ann Lee leaves for SpaceX"
    assert told(person="Ann Lee", destination="a-start-up") == "Ann Lee leaves for a-start-up"


def test_a_role_that_says_nothing_is_left_out() -> None:
    assert told(role="technical_lead") == "A leader leaves (technical lead)"
    assert told(role="other") == "A leader leaves"
