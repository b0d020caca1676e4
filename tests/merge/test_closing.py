import pytest

from riskwatch.model import Event, Signal
from tests.merge.makers import a_signal, day, events_of, ids, merged


def _closed(events: tuple[Event, ...]) -> list[object]:
    return [e.object for e in events if e.closed_at is not None]


def _suits() -> list[Signal]:
    return [
        a_signal("a", "lawsuit", plaintiff="Getty Images"),
        a_signal("b", "lawsuit", plaintiff="Authors Guild"),
    ]


def test_a_settlement_closes_the_suit_of_that_party_only() -> None:
    told = [*_suits(), a_signal("c", "legal_resolution", at=9, counterparty="Getty")]

    events = events_of(told)

    (resolution,) = [e for e in events if e.type == "legal_resolution"]
    (suit,) = [e for e in events if e.closed_at is not None]
    assert resolution.closes == (suit.id,)
    assert (suit.object, suit.closed_at) == ("Getty Images", day(9))


def test_a_resolution_without_a_party_closes_the_single_open_suit() -> None:
    told = [a_signal("a", "lawsuit", plaintiff="Getty Images"), a_signal("c", "legal_resolution", at=9)]

    assert _closed(events_of(told)) == ["Getty Images"]


def test_a_resolution_without_a_party_closes_none_of_two() -> None:
    told = [*_suits(), a_signal("c", "legal_resolution", at=9)]

    assert _closed(events_of(told)) == []


def test_a_lifted_ban_closes_the_ban_of_that_country() -> None:
    told = [
        a_signal("a", "government_ban", country="Italy"),
        a_signal("b", "government_ban", country="Australia"),
        a_signal("c", "restriction_lifted", at=20, country="Italy"),
    ]

    assert _closed(events_of(told)) == ["Italy"]


def test_a_lifting_that_names_a_country_closes_the_only_restriction_that_names_nothing() -> None:
    told = [a_signal("a", "export_control"), a_signal("c", "restriction_lifted", at=20, country="US")]

    assert len(_closed(events_of(told))) == 1


def test_a_lifting_closes_what_was_told_without_a_name_within_days_of_the_named_restriction() -> None:
    told = [
        a_signal("a", "access_suspension", at=1, product="Fable 5"),
        a_signal("b", "access_suspension", at=1, product="Mythos 5"),
        a_signal("c", "access_suspension", at=4),
        a_signal("d", "restriction_lifted", at=20, product="Fable 5"),
    ]

    assert _closed(events_of(told)) == ["Fable 5", None]


def test_a_lifting_leaves_open_what_was_told_without_a_name_long_after() -> None:
    told = [
        a_signal("a", "access_suspension", at=1, product="Fable 5"),
        a_signal("b", "access_suspension", at=1, product="Mythos 5"),
        a_signal("c", "access_suspension", at=12),
        a_signal("d", "restriction_lifted", at=20, product="Fable 5"),
    ]

    assert _closed(events_of(told)) == ["Fable 5"]


@pytest.mark.parametrize(
    ("type_", "said"),
    [
        ("restriction_lifted", {"country": "Italy", "partial": True}),
        ("restriction_lifted", {"country": "Italy", "assertion": "rumoured"}),
        ("restriction_lifted", {"country": "Italy", "assertion": "denied"}),
        ("restriction_lifted", {"country": "Spain"}),
    ],
)
def test_what_is_partial_rumoured_or_elsewhere_closes_nothing(type_: str, said: dict[str, object]) -> None:
    told = [a_signal("a", "government_ban", country="Italy"), a_signal("c", type_, at=20, **said)]

    assert _closed(events_of(told)) == []


def test_an_appointment_to_the_vacant_post_closes_the_exit() -> None:
    told = [
        a_signal("a", person="Dana Ortiz", role="cto", line="qwen"),
        a_signal("b", person="Mira Weber", role="vp", line="qwen"),
        a_signal("c", "leadership_appointment", at=9, person="Bo Yu", role="cto"),
    ]

    assert _closed(events_of(told)) == ["Dana Ortiz"]


@pytest.mark.parametrize("said", [{"role": "cto", "interim": True}, {"role": "cto", "line": "wan"}, {}])
def test_an_interim_foreign_or_roleless_appointment_fills_no_post(said: dict[str, object]) -> None:
    told = [
        a_signal("a", person="Dana Ortiz", role="cto", line="qwen"),
        a_signal("c", "leadership_appointment", at=9, person="Bo Yu", **said),
    ]

    assert _closed(events_of(told)) == []


def test_a_stored_event_of_another_type_is_closed_and_opened_again() -> None:
    new_id = ids()
    suit = merged([a_signal("a", "lawsuit", plaintiff="Getty Images")], new_id=new_id).events
    settled = [a_signal("c", "legal_resolution", at=9, counterparty="Getty Images")]

    closed = merged(settled, known=suit, types=["legal_resolution"], new_id=new_id).events
    reopened = merged([], known=closed, types=["legal_resolution"], new_id=new_id).events

    assert [e.closed_at for e in closed if e.type == "lawsuit"] == [day(9)]
    assert [e.closed_at for e in reopened if e.type == "lawsuit"] == [None]


@pytest.mark.parametrize("role", ["vp", "other"])
def test_a_further_holder_of_a_common_role_fills_no_post(role: str) -> None:
    told = [
        a_signal("a", person="Dana Ortiz", role=role),
        a_signal("c", "leadership_appointment", at=9, person="Bo Yu", role=role),
    ]

    assert _closed(events_of(told)) == []


def _closers(events: tuple[Event, ...], of: str) -> list[Event]:
    (target,) = [e for e in events if e.object == of]
    return [e for e in events if target.id in e.closes]


def test_a_later_closing_of_a_suit_already_closed_lists_it_too() -> None:
    told = [
        *_suits(),
        a_signal("c", "legal_resolution", at=9, tier="4", counterparty="Getty Images"),
        a_signal("d", "legal_resolution", at=200, tier="1", counterparty="Getty Images"),
    ]

    events = events_of(told)

    (suit,) = [e for e in events if e.object == "Getty Images" and e.type == "lawsuit"]
    assert [e.occurred_at for e in events if suit.id in e.closes] == [day(9), day(200)]
    assert suit.closed_at == day(9)
    assert [e for e in events if e.type == "lawsuit" and e.closed_at is not None] == [suit]


def test_a_later_resolution_without_a_party_speaks_of_the_suit_that_is_still_open() -> None:
    told = [
        *_suits(),
        a_signal("c", "legal_resolution", at=9, counterparty="Getty Images"),
        a_signal("d", "legal_resolution", at=200),
    ]

    assert [e.occurred_at for e in _closers(events_of(told), "Authors Guild")] == [day(200)]


def test_a_second_appointment_to_a_post_lists_the_vacancy_that_the_first_filled() -> None:
    told = [
        a_signal("a", person="Dana Ortiz", role="cto"),
        a_signal("c", "leadership_appointment", at=9, person="Bo Yu", role="cto"),
        a_signal("d", "leadership_appointment", at=80, person="Kim Lee", role="cto"),
    ]

    events = events_of(told)

    assert [e.object for e in _closers(events, "Dana Ortiz")] == ["Bo Yu", "Kim Lee"]
    assert _closed(events) == ["Dana Ortiz"]
