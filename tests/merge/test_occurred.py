from riskwatch.model import Assertion
from tests.merge.makers import a_signal, day, events_of


def test_a_primary_source_wins_outright() -> None:
    told = [a_signal(name, at=5, person="Dana Ortiz", claimed_at=day(4), tier="1") for name in "abc"]
    court = a_signal("d", at=6, person="Dana Ortiz", claimed_at=day(1), primary=True, tier="primary")

    (event,) = events_of([*told, court])

    assert event.occurred_at == day(1)


def test_a_news_text_without_a_date_supports_the_days_before_it() -> None:
    (event,) = events_of(
        [
            a_signal("a", at=2, person="Dana Ortiz", tier="3", claimed_at=day(1)),
            a_signal("b", at=3, person="Dana Ortiz", tier="2", claimed_at=day(-60)),
            a_signal("c", at=3, person="Dana Ortiz", tier="2"),
        ]
    )

    assert event.occurred_at == day(1)
    assert [c.distance_days for c in event.date_conflicts] == [61]


def test_the_date_is_the_earliest_claimed_of_the_winning_group() -> None:
    (event,) = events_of(
        [a_signal(n, at=6, person="Dana Ortiz", claimed_at=day(d)) for n, d in (("a", 3), ("b", 1), ("c", 5))]
    )

    assert event.occurred_at == day(1)


def test_a_tie_of_weight_goes_to_more_families_then_to_the_date_before_publication() -> None:
    (event,) = events_of(
        [a_signal(n, at=6, person="Dana Ortiz", claimed_at=day(d)) for n, d in (("a", -90), ("b", 4))]
    )

    assert event.occurred_at == day(4)


def test_without_a_claimed_date_the_earliest_publication_stands_in() -> None:
    (event,) = events_of([a_signal(n, at=at, person="Dana Ortiz") for n, at in (("a", 2), ("b", 1))])

    assert (event.occurred_at, event.date_precision) == (day(1), "published")


def test_a_day_of_difference_is_no_conflict() -> None:
    (event,) = events_of(
        [a_signal(n, at=3, person="Dana Ortiz", claimed_at=day(d)) for n, d in (("a", 1), ("b", 2))]
    )

    assert not event.date_conflict


def test_an_announced_effect_in_the_future_is_not_when_it_happened() -> None:
    (event,) = events_of([a_signal("a", at=1, person="Dana Ortiz", claimed_at=day(60))])

    assert (event.occurred_at, event.date_precision) == (day(1), "published")


def test_an_instant_keeps_its_hour() -> None:
    (event,) = events_of([a_signal("a", "outage", at=1.5, claimed_at=day(1.25))])

    assert (event.occurred_at, event.date_precision) == (day(1.25), "instant")


def test_an_old_event_told_late_is_retrospective() -> None:
    (event,) = events_of([a_signal("a", at=100, person="Dana Ortiz", claimed_at=day(0))])

    assert event.retrospective


def test_an_old_event_first_disclosed_now_is_not() -> None:
    (event,) = events_of(
        [a_signal("a", at=100, person="Dana Ortiz", claimed_at=day(0), first_disclosed=True)]
    )

    assert not event.retrospective


def test_a_denied_event_is_dated_by_its_denials() -> None:
    (event,) = events_of([a_signal("a", at=2, person="Dana Ortiz", assertion=Assertion.DENIED)])

    assert event.occurred_at == day(2)
