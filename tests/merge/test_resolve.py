from riskwatch.model import Assertion, EventState
from tests.merge.makers import a_signal, day, events_of


def test_the_best_live_assertion_stands_and_each_upgrade_is_a_step() -> None:
    told = [
        a_signal("a", at=1, person="Dana Ortiz", assertion="rumoured"),
        a_signal("b", at=2, person="Dana Ortiz", assertion="confirmed"),
        a_signal("c", at=3, person="Dana Ortiz", assertion="reported"),
    ]

    (event,) = events_of(told)

    assert event.assertion is Assertion.CONFIRMED
    assert [(s.at, s.note) for s in event.history] == [(day(1), "opened"), (day(2), "upgraded")]


def test_a_primary_denial_disputes_an_event_that_no_primary_confirms() -> None:
    told = [
        a_signal("a", person="Dana Ortiz", tier="1", assertion="confirmed"),
        a_signal("b", at=2, person="Dana Ortiz", tier="primary", primary=True, assertion="denied"),
    ]

    (event,) = events_of(told)

    assert event.disputed
    assert event.state is EventState.LIVE
    assert event.corroboration == 1
    assert [s.note for s in event.history] == ["opened", "denied"]


def test_a_primary_confirmation_outweighs_denials() -> None:
    told = [
        a_signal("a", person="Dana Ortiz", tier="primary", primary=True, assertion="confirmed"),
        a_signal("b", at=2, person="Dana Ortiz", tier="primary", primary=True, assertion="denied"),
    ]

    assert not events_of(told)[0].disputed


def test_a_denial_of_equal_weight_leaves_a_report_with_a_conflict() -> None:
    told = [
        a_signal("a", person="Dana Ortiz", assertion="confirmed"),
        a_signal("b", at=2, person="Dana Ortiz", assertion="denied"),
    ]

    (event,) = events_of(told)

    assert event.assertion is Assertion.REPORTED
    assert [(c.attribute, c.others) for c in event.conflicts] == [("assertion", (("denied", "b"),))]


def test_a_heavier_denial_disputes_the_event_and_a_lighter_one_does_not() -> None:
    weak = a_signal("a", person="Dana Ortiz", tier="3")
    strong = a_signal("a", person="Dana Ortiz", tier="1", assertion="confirmed")
    denial = a_signal("b", at=2, person="Dana Ortiz", assertion="denied")

    assert events_of([weak, denial])[0].disputed
    assert not events_of([strong, denial])[0].disputed


def test_a_denial_alone_is_a_denied_event_that_a_live_signal_joins() -> None:
    denial = a_signal("a", person="Dana Ortiz", assertion="denied", tier="4")
    (alone,) = events_of([denial])

    (event,) = events_of([denial, a_signal("b", at=5, person="Dana Ortiz")])

    assert (alone.state, alone.assertion, alone.corroboration) == (EventState.DENIED, Assertion.DENIED, 0)
    assert alone.last_live_at is None
    assert (event.state, event.assertion) == (EventState.LIVE, Assertion.REPORTED)
    assert len(event.claims) == 2


def test_a_count_is_the_largest_told() -> None:
    told = [
        a_signal("a", "talent_exodus", count=3, count_exact=False, tier="1"),
        a_signal("b", "talent_exodus", count=12, count_exact=True),
    ]

    (event,) = events_of(told)

    assert event.attributes == {"count": 12, "count_exact": True}
    assert event.conflicts == ()


def test_the_number_of_the_best_credited_family_stands_and_others_are_listed() -> None:
    told = [
        a_signal("a", "share_drop", percent=5.0, tier="3"),
        a_signal("b", "share_drop", percent=6.0, tier="1"),
    ]

    (event,) = events_of(told)

    assert event.attributes["percent"] == 6.0
    assert [(c.value, c.others) for c in event.conflicts] == [(6.0, ((5.0, "a"),))]


def test_the_most_confident_signal_of_a_family_gives_its_attributes() -> None:
    told = [
        a_signal("a", person="Dana Ortiz", family="one", role="cto", confidence=0.7),
        a_signal("b", at=2, person="Dana Ortiz", family="one", role="vp", confidence=0.95, forced=True),
    ]

    (event,) = events_of(told)

    assert event.attributes["role"] == "vp"
    assert event.conflicts == ()


def test_a_full_name_is_preferred_to_a_family_name() -> None:
    told = [a_signal("a", person="Ortiz", tier="1"), a_signal("b", person="Dana Ortiz", tier="3")]

    (event,) = events_of(told)

    assert event.object == "Dana Ortiz"
    assert event.conflicts == ()


def test_texts_differ_only_beyond_case() -> None:
    told = [a_signal("a", "lawsuit", court="Delaware"), a_signal("b", "lawsuit", court="DELAWARE")]

    assert events_of(told)[0].conflicts == ()


def test_a_claim_carries_voice_quote_and_rule() -> None:
    (event,) = events_of([a_signal("a", person="Dana Ortiz", claimed_at=day(0))])

    (claim,) = event.claims
    assert (claim.family, claim.tier, claim.quote, claim.rule) == ("a", "2", "quote", "rule@1")
    assert (claim.claimed_at, claim.told_at, claim.recorded_at) == (day(0), day(1), day(1))
    assert event.first_recorded_at == day(1)


def test_background_is_linked_to_the_event_it_retells_and_nothing_else() -> None:
    told = [a_signal("a", person="Dana Ortiz"), a_signal("b", person="Mira Weber", role="cto")]
    by_name = a_signal("c", at=300, person="Ortiz", assertion="background")
    by_role = a_signal("d", at=301, role="cto", assertion="background")
    unclear = a_signal("e", at=302, assertion="background")
    early = a_signal("f", at=0, person="Dana Ortiz", assertion="background")

    linked = {e.object: e.background for e in events_of([*told, by_name, by_role, unclear, early])}

    assert linked == {"Dana Ortiz": (by_name.id,), "Mira Weber": (by_role.id,)}


def test_dated_background_is_linked_to_the_event_of_that_date() -> None:
    told = [a_signal("a", person="Dana Ortiz", at=1), a_signal("b", person="Dana Ortiz", at=200)]
    again = a_signal("c", at=300, person="Dana Ortiz", assertion="background", claimed_at=day(2))

    assert [e.background for e in events_of([*told, again])] == [(again.id,), ()]


def test_an_event_lives_in_the_unit_that_most_voices_name() -> None:
    told = [
        a_signal("a", "deprecation", family="a", line="-xbox"),
        a_signal("b", "deprecation", family="b", line="-xbox"),
        a_signal("c", "deprecation", family="c", line=None),
    ]

    assert [event.home for event in events_of(told)] == ["alibaba/-xbox"]


def test_whoever_names_no_unit_speaks_against_it_and_a_tie_goes_to_the_vendor() -> None:
    told = [
        a_signal("a", "deprecation", family="a", line="-xbox"),
        a_signal("b", "deprecation", family="b", line=None),
    ]

    assert [event.home for event in events_of(told)] == ["alibaba"]


def test_tellings_that_name_different_units_are_one_event() -> None:
    told = [
        a_signal("a", "deprecation", family="a", line="-xbox", product="Play Hub"),
        a_signal("b", "deprecation", family="b", line="-windows", product="Play Hub"),
    ]

    assert [event.home for event in events_of(told)] == ["alibaba"]


def test_a_suit_against_a_unit_lives_there_and_one_over_a_line_with_the_vendor() -> None:
    assert events_of([a_signal("a", "lawsuit", line="-xbox")])[0].home == "alibaba/-xbox"
    assert events_of([a_signal("a", "lawsuit", line="qwen")])[0].home == "alibaba"


def test_a_unit_must_weigh_more_than_all_else_and_never_takes_a_line_from_an_event() -> None:
    told = [
        a_signal("a", "deprecation", family="a", line="qwen"),
        a_signal("b", "deprecation", family="b", line=None),
        a_signal("c", "deprecation", family="c", line="-xbox"),
    ]
    louder = a_signal("d", "deprecation", family="d", line="-xbox")

    assert events_of(told[:2])[0].home == events_of(told)[0].home == "alibaba/qwen"
    assert events_of([*told, louder])[0].home == "alibaba/qwen"


def test_the_chief_leaves_the_company_whatever_business_is_named() -> None:
    told = [a_signal("a", "leadership_exit", line="-xbox", person="Dana Ortiz", role="ceo")]

    assert events_of(told)[0].home == "alibaba"


def test_shares_fall_with_the_company_whatever_business_is_named() -> None:
    assert events_of([a_signal("a", "share_drop", line="-retail")])[0].home == "alibaba"
