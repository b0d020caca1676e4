from riskwatch.model import Assertion, EventState
from tests.merge.makers import a_signal, day, events_of


def test_two_families_on_one_departure_are_one_event():
    told = [a_signal("a", person="Junyang Lin"), a_signal("b", at=2, person="LIN JUN-YANG")]

    (event,) = events_of(told)

    assert event.corroboration == 2
    assert event.object == "Junyang Lin"
    assert event.state is EventState.LIVE
    assert event.assertion is Assertion.REPORTED
    assert event.occurred_at == day(1)
    assert event.date_precision == "published"


def test_two_people_are_two_events():
    told = [a_signal("a", person="Junyang Lin"), a_signal("b", person="Yu Bowen")]

    assert [e.object for e in events_of(told)] == ["Junyang Lin", "Yu Bowen"]
