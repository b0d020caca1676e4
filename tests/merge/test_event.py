from dataclasses import replace

import pytest

from riskwatch.merge.keys import is_same_name, words_of
from riskwatch.model import Assertion, EventState, Evidence, Signal
from tests.merge.makers import WEIGHTS, a_signal, day, events_of


def _said(article: str, quote: str, *, type_: str = "lawsuit", at: float = 1, **more: object) -> Signal:
    return a_signal(article, type_, at=at, evidence=Evidence("title", 0, len(quote), quote), **more)


def test_two_families_on_one_departure_are_one_event() -> None:
    told = [a_signal("a", person="Junyang Lin"), a_signal("b", at=2, person="LIN JUN-YANG")]

    (event,) = events_of(told)

    assert event.corroboration == 2
    assert event.object == "Junyang Lin"
    assert event.state is EventState.LIVE
    assert event.assertion is Assertion.REPORTED
    assert (event.first_told_at, event.last_live_at) == (day(1), day(2))


def test_two_people_are_two_events() -> None:
    told = [a_signal("a", person="Junyang Lin"), a_signal("b", person="Yu Bowen")]

    assert [e.object for e in events_of(told)] == ["Junyang Lin", "Yu Bowen"]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Lin Junyang", "Junyang Lin"),
        ("Dana Ortiz", "ortiz"),
        ("Zoë Müller", "Zoe Muller"),
        ("Zhou Jing-ren", "Jingren Zhou"),
        ("Dana M. Ortiz", "Dana Ortiz"),
        ("The New York Times", "New York Times"),
    ],
)
def test_one_name_written_in_two_ways_is_one_name(left: str, right: str) -> None:
    assert is_same_name(words_of(left), words_of(right))


@pytest.mark.parametrize(
    ("left", "right"), [("Dana Ortiz", "Luis Ortiz"), ("GPT-4", "GPT-4o"), ("", "Ortiz")]
)
def test_other_names_are_other_names(left: str, right: str) -> None:
    assert not is_same_name(words_of(left), words_of(right))


def test_a_family_name_that_two_people_share_joins_neither() -> None:
    told = [
        a_signal("a", person="Dana Ortiz"),
        a_signal("b", person="Luis Ortiz"),
        a_signal("c", at=2, person="Ortiz"),
    ]

    assert sorted(str(e.object) for e in events_of(told)) == ["Dana Ortiz", "Luis Ortiz", "Ortiz"]


def test_the_window_slides_with_the_last_live_signal() -> None:
    told = [a_signal(name, at=at, person="Dana Ortiz") for name, at in (("a", 0), ("b", 40), ("c", 80))]

    assert len(events_of(told)) == 1


def test_after_three_windows_a_new_event_opens() -> None:
    told = [a_signal(f"a{at}", at=at, person="Dana Ortiz") for at in range(0, 181, 45)]

    assert [e.corroboration for e in events_of(told)] == [4, 1]


def test_past_the_window_the_same_person_leaves_again() -> None:
    told = [a_signal("a", person="Dana Ortiz"), a_signal("b", at=47, person="Dana Ortiz")]

    assert len(events_of(told)) == 2


def test_a_late_text_that_claims_the_date_finds_its_event() -> None:
    told = [
        a_signal("a", at=1, person="Dana Ortiz", claimed_at=day(0)),
        a_signal("b", at=90, person="Dana Ortiz", claimed_at=day(0)),
    ]

    assert len(events_of(told)) == 1


def test_a_null_object_joins_the_single_open_event() -> None:
    told = [a_signal("a", "lawsuit", plaintiff="Getty Images"), a_signal("b", "lawsuit", at=5)]

    (event,) = events_of(told)

    assert (event.object, event.corroboration) == ("Getty Images", 2)


def test_a_null_object_told_first_is_completed_by_the_named_one() -> None:
    told = [a_signal("a", "lawsuit"), a_signal("b", "lawsuit", at=5, plaintiff="Getty Images")]

    (event,) = events_of(told)

    assert event.object == "Getty Images"


def test_a_name_that_comes_weeks_later_is_of_another_event() -> None:
    told = [a_signal("a", "lawsuit"), a_signal("b", "lawsuit", at=30, plaintiff="Getty Images")]

    assert [e.object for e in events_of(told)] == [None, "Getty Images"]


def test_with_two_open_a_null_object_stands_alone() -> None:
    told = [
        a_signal("a", "lawsuit", plaintiff="Getty Images"),
        a_signal("b", "lawsuit", plaintiff="Authors Guild"),
        _said("c", "A court in London hears the claim", at=5),
        _said("d", "The claim is heard in a London court", at=6),
    ]

    assert sorted(str(e.object) for e in events_of(told)) == ["Authors Guild", "Getty Images", "None"]


def test_with_two_open_a_null_object_joins_the_one_told_in_its_words() -> None:
    told = [
        _said("a", "Getty Images sues over scraped photographs", plaintiff="Getty Images"),
        _said("b", "The Authors Guild goes to court over pirated novels", plaintiff="Authors Guild"),
        _said("c", "Lab sued over photographs that it scraped", at=5),
        _said("d", "Writers take the lab to court over novels", at=6),
        _said("e", "Sued again", at=6),
    ]

    found = {str(e.object): sorted(c.article_id for c in e.claims) for e in events_of(told)}

    assert found == {"Getty Images": ["a", "c"], "Authors Guild": ["b", "d"], "None": ["e"]}


def test_tellings_without_object_are_told_apart_by_their_words() -> None:
    told = [
        _said("a", "The lab kills its browser Atlas", type_="deprecation"),
        _said("b", "The lab retires its image studio", type_="deprecation", at=9),
        _said("c", "Atlas, the browser, is gone after eight months", type_="deprecation", at=10),
        _said("d", "Image studio shut down", type_="deprecation", at=10),
    ]

    assert sorted(sorted(c.article_id for c in e.claims) for e in events_of(told)) == [["a", "c"], ["b", "d"]]


def test_a_telling_in_other_words_joins_the_single_event_while_it_is_news() -> None:
    told = [
        _said("a", "The lab kills its browser Atlas", type_="deprecation"),
        _said("b", "Farewell to a window on the web", type_="deprecation", at=6),
        _said("c", "Farewell to a gadget in the ear", type_="deprecation", at=19),
    ]

    assert [len(e.claims) for e in events_of(told)] == [2, 1]


def test_the_same_number_tells_the_same_happening_in_another_language() -> None:
    told = [
        _said("b", "Two hundred go in the valley", type_="layoffs", count=200),
        _said("a", "The lab cuts 8,000 jobs, a tenth", type_="layoffs", at=9, count=8000, percent=10.0),
        _said("c", "该实验室裁员八千人,占一成", type_="layoffs", at=10, count=8000, percent=10.0),
    ]

    assert sorted(sorted(c.article_id for c in e.claims) for e in events_of(told)) == [["a", "c"], ["b"]]


def test_kinds_of_units_are_no_units_of_their_own() -> None:
    told = [a_signal("a", "layoffs", unit="jobs"), a_signal("b", "layoffs", unit="workforce", at=2)]

    (event,) = events_of(told)

    assert event.corroboration == 2


def test_a_text_told_twice_is_one_event_though_several_are_open() -> None:
    told = [
        a_signal("a", "deprecation", product="Atlas"),
        a_signal("b", "deprecation", product="Canvas"),
        _said("c", "Farewell to a gadget in the ear", type_="deprecation", at=3),
        _said("d", "Nobody wanted it, says the lab", type_="deprecation", at=3, text_key="c"),
    ]

    assert sorted(len({c.article_id for c in e.claims}) for e in events_of(told)) == [1, 1, 2]


def test_an_authority_that_acts_again_in_other_matters_is_another_event() -> None:
    told = [
        _said("a", "EU fines the lab over search rankings", type_="regulatory_action", authority="EU"),
        _said("b", "Brussels punishes it", type_="regulatory_action", authority="EU", at=2),
        _said("c", "EU opens an inquiry into smart glasses", type_="regulatory_action", authority="EU", at=8),
        _said("d", "Search rankings: the fine of the EU", type_="regulatory_action", authority="EU", at=9),
    ]

    assert sorted(sorted(c.article_id for c in e.claims) for e in events_of(told)) == [["a", "b", "d"], ["c"]]


def test_an_article_that_names_one_object_means_it_where_it_names_none() -> None:
    told = [
        a_signal("a", "lawsuit", plaintiff="Getty Images"),
        a_signal("b", "lawsuit", plaintiff="Authors Guild"),
        a_signal("c", "lawsuit", at=5, evidence=Evidence("title", 0, 5, "quote")),
        a_signal("c", "lawsuit", at=5, plaintiff="Authors Guild"),
    ]

    found = {str(e.object): e.corroboration for e in events_of(told)}

    assert found == {"Getty Images": 1, "Authors Guild": 2}


def test_an_article_that_names_two_objects_leaves_open_which_it_means() -> None:
    told = [
        a_signal("a", "lawsuit", plaintiff="Getty Images"),
        a_signal("a", "lawsuit", plaintiff="Authors Guild"),
        a_signal("a", "lawsuit"),
    ]

    assert sorted(str(e.object) for e in events_of(told)) == ["Authors Guild", "Getty Images", "None"]


def test_a_role_joins_the_person_who_holds_it() -> None:
    told = [
        a_signal("a", person="Dana Ortiz", role="cto"),
        a_signal("b", person="Mira Weber", role="ceo"),
        a_signal("c", at=2, role="cto"),
    ]

    assert {e.object: e.corroboration for e in events_of(told)} == {"Dana Ortiz": 2, "Mira Weber": 1}


def test_a_role_never_joins_a_person_known_to_hold_another() -> None:
    told = [a_signal("a", person="Dana Ortiz", role="cto"), a_signal("b", at=2, role="board_chair")]

    assert {e.object for e in events_of(told)} == {"Dana Ortiz", "board_chair"}


def test_a_role_joins_the_single_exit_whose_role_is_unknown() -> None:
    told = [a_signal("a", person="Dana Ortiz"), a_signal("b", at=2, role="cto")]

    (event,) = events_of(told)

    assert event.attributes == {"person": "Dana Ortiz", "role": "cto"}


def test_a_name_completes_the_exit_told_by_role() -> None:
    told = [a_signal("a", role="cto"), a_signal("b", at=2, person="Dana Ortiz", role="cto")]

    (event,) = events_of(told)

    assert event.object == "Dana Ortiz"


def test_a_name_with_another_role_does_not_complete_it() -> None:
    told = [a_signal("a", role="cto"), a_signal("b", at=2, person="Dana Ortiz", role="ceo")]

    assert len(events_of(told)) == 2


def test_two_exits_of_one_role_leave_a_mere_role_alone() -> None:
    told = [
        a_signal("a", person="Dana Ortiz", role="vp"),
        a_signal("b", person="Mira Weber", role="vp"),
        a_signal("c", at=2, role="vp"),
        a_signal("d", at=3, role="vp"),
        a_signal("e", at=4),
    ]

    found = {e.object: e.corroboration for e in events_of(told)}

    assert found == {"Dana Ortiz": 1, "Mira Weber": 1, "vp": 3}


def test_a_doubtful_signal_opens_no_event() -> None:
    assert events_of([a_signal("a", person="Dana Ortiz", confidence=0.5)]) == ()


def test_a_doubtful_signal_joins_an_open_event() -> None:
    told = [a_signal("a", person="Dana Ortiz"), a_signal("b", at=2, person="Dana Ortiz", confidence=0.5)]

    (event,) = events_of(told)

    assert event.corroboration == 2


def test_two_doubtful_families_open_an_event_together() -> None:
    told = [a_signal(name, person="Dana Ortiz", confidence=0.5) for name in "ab"]

    (event,) = events_of(told)

    assert event.corroboration == 2


def test_two_doubtful_articles_of_one_family_still_wait() -> None:
    told = [a_signal(name, person="Dana Ortiz", confidence=0.5, family="one") for name in "ab"]

    assert events_of(told) == ()


def test_a_team_leaving_and_a_person_leaving_are_two_events() -> None:
    told = [a_signal("a", person="Dana Ortiz"), a_signal("a", "talent_exodus", count=3)]

    assert {e.type for e in events_of(told)} == {"leadership_exit", "talent_exodus"}


def test_a_line_and_its_vendor_share_one_event_and_the_line_is_kept() -> None:
    told = [
        a_signal("a", "deprecation", product="Qwen3.5"),
        a_signal("b", "deprecation", product="Qwen3.5", line="qwen"),
    ]

    (event,) = events_of(told)

    assert event.home == "alibaba/qwen"


def test_two_lines_have_two_team_departures() -> None:
    told = [a_signal("a", "talent_exodus", line="qwen"), a_signal("b", "talent_exodus", line="wan")]

    assert [e.home for e in events_of(told)] == ["alibaba/qwen", "alibaba/wan"]


def test_one_person_told_for_two_lines_lives_on_the_vendor() -> None:
    told = [a_signal("a", person="Dana Ortiz", line="qwen"), a_signal("b", person="Dana Ortiz", line="wan")]

    (event,) = events_of(told)

    assert event.home == "alibaba"


@pytest.mark.parametrize("type_", ["share_drop", "lawsuit", "funding", "acquisition"])
def test_company_matters_live_on_the_vendor(type_: str) -> None:
    (event,) = events_of([a_signal("a", type_, line="qwen")])

    assert event.home == "alibaba"


def test_the_chairman_lives_on_the_vendor() -> None:
    (event,) = events_of([a_signal("a", person="Joe Tsai", role="board_chair", line="qwen")])

    assert event.home == "alibaba"


def test_a_share_move_of_another_trading_day_with_its_own_number_is_new() -> None:
    told = [
        a_signal("a", "share_drop", percent=5.0, claimed_at=day(0)),
        a_signal("b", "share_drop", at=2, percent=5.5, claimed_at=day(1)),
    ]

    assert len(events_of(told)) == 2


def test_a_share_move_without_a_number_joins() -> None:
    told = [
        a_signal("a", "share_drop", percent=5.0, claimed_at=day(0)),
        a_signal("b", "share_drop", at=2, claimed_at=day(1)),
    ]

    assert len(events_of(told)) == 1


def test_a_share_move_off_by_more_than_two_points_is_new() -> None:
    told = [a_signal("a", "share_drop", percent=5.0), a_signal("b", "share_drop", percent=7.5)]

    assert len(events_of(told)) == 2


def test_the_papers_of_the_next_day_retell_the_same_share_move() -> None:
    told = [a_signal("a", "share_drop", percent=5.0), a_signal("b", "share_drop", at=2, percent=5.2)]

    (event,) = events_of(told)

    assert event.attributes["percent"] == 5.0


def test_the_next_day_s_other_number_is_a_new_share_move() -> None:
    told = [a_signal("a", "share_drop", percent=5.0), a_signal("b", "share_drop", at=2, percent=6.5)]

    assert len(events_of(told)) == 2


def test_an_outage_after_a_gap_of_six_hours_is_new() -> None:
    told = [a_signal(f"a{at}", "outage", at=at, product="Qwen Chat") for at in (1, 1.2, 1.4, 1.7)]

    assert [e.corroboration for e in events_of(told)] == [3, 1]


def test_a_late_report_of_the_hour_of_an_outage_finds_it() -> None:
    told = [
        a_signal("a", "outage", at=1.3, product="Qwen Chat", claimed_at=day(1.25)),
        a_signal("b", "outage", at=1.8, product="Qwen Chat", claimed_at=day(1.2)),
        a_signal("c", "outage", at=2.5, product="Qwen Chat", claimed_at=day(1)),
    ]

    assert [{c.article_id for c in e.claims} for e in events_of(told)] == [{"c"}, {"a", "b"}]


def test_a_resolved_outage_is_closed() -> None:
    told = [
        a_signal("a", "outage", at=1, product="Qwen Chat"),
        a_signal("b", "outage", at=1.1, product="Qwen Chat", resolved=True),
    ]

    (event,) = events_of(told)

    assert event.closed_at == day(1.1)
    assert event.attributes["resolved"] is True


def test_a_silent_family_opens_nothing() -> None:
    from riskwatch.merge import CommonWords, merge
    from tests.merge.makers import TAXONOMY, ids

    told = merge(
        [a_signal("a", person="Dana Ortiz", family="satire")],
        vendor="alibaba",
        types=["leadership_exit"],
        known=[],
        briefs={},
        taxonomy=TAXONOMY,
        new_id=ids(),
        weights=replace(WEIGHTS, silent_families=frozenset({"satire"})),
        words=CommonWords(),
    )

    assert told.events == ()


def test_a_type_that_the_taxonomy_does_not_know_still_merges() -> None:
    assert len(events_of([a_signal("a", "mystery"), a_signal("b", "mystery", at=20)])) == 1


def test_a_role_outside_the_list_is_no_role_in_common() -> None:
    told = [
        a_signal("a", person="Dana Ortiz", role="cto"),
        a_signal("b", at=2, role="other"),
        a_signal("c", at=3, person="Mira Weber", role="other"),
        a_signal("d", at=4, role="other"),
    ]

    assert {e.object: e.corroboration for e in events_of(told)} == {
        "Dana Ortiz": 2,
        "Mira Weber": 1,
        "other": 1,
    }


def test_an_authority_named_later_completes_the_act() -> None:
    told = [
        _said("a", "The watchdog has opened an investigation over hallucinations", type_="regulatory_action"),
        _said("b", "Rome looks into false answers", type_="regulatory_action", authority="Italy"),
    ]

    (event,) = events_of(told)

    assert (event.object, event.corroboration) == ("Italy", 2)
