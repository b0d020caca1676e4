"""An article whose date was rejected has no say on the event's other dates."""

from tests.merge.makers import a_signal, day, merged


def test_an_attribute_date_of_an_article_with_a_rejected_date_is_left_out() -> None:
    signals = [
        a_signal("a", at=1, person="Dana Ortiz", claimed_at=day(0), tier="3"),
        a_signal("b", at=1, person="Dana Ortiz", claimed_at=day(0), tier="3"),
        a_signal("c", at=1, person="Dana Ortiz", claimed_at=day(-260), effective_on="2025-06-16", tier="2"),
    ]

    (event,) = merged(signals).events

    assert event.date_conflict
    assert "effective_on" not in event.attributes


def test_an_attribute_date_of_an_accepted_article_is_kept() -> None:
    signals = [a_signal("a", at=1, person="Dana Ortiz", claimed_at=day(0), effective_on="2026-04-01")]

    (event,) = merged(signals).events

    assert event.attributes["effective_on"] == "2026-04-01"
