"""The departures at Qwen in March 2026 as five outlets told them; Signals made by hand, in our words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from riskwatch.model import Assertion, EventState, Evidence
from tests.merge.makers import a_signal, day, merged

if TYPE_CHECKING:
    from riskwatch.merge import Merged
    from riskwatch.model import Event, Signal

TOLD = {"A": 1.4, "B": 2.3, "C": 3.1, "D": 2.6, "E": 2.9}  # days after 3 March 2026
TIERS = {"A": "1", "B": "2", "C": "2", "D": "3", "E": "3"}
WRONG = datetime(2025, 6, 9, tzinfo=UTC)


def _say(article: str, type_: str, assertion: str, *, line: str | None = "qwen", **more: object) -> Signal:
    text = str(more.pop("quote", f"{article} tells of {type_}"))
    return a_signal(
        article,
        type_,
        at=TOLD[article],
        tier=TIERS[article],
        assertion=assertion,
        line=line,
        evidence=Evidence("body", len(more), len(more) + len(text), text),
        **more,
    )


def _five_articles() -> list[Signal]:
    lin = {"person": "Junyang Lin", "role": "technical_lead"}
    hui = {"person": "Binyuan Hui"}
    hao = {"person": "Hao Zhou", "from": "google"}
    return [
        _say("A", "leadership_exit", "confirmed", **lin),
        _say("B", "leadership_exit", "confirmed", claimed_at=day(0), claimed_text="on 3 March 2026", **lin),
        _say("C", "leadership_exit", "confirmed", **lin),
        _say("D", "leadership_exit", "confirmed", claimed_at=WRONG, claimed_text="on 9 June 2025", **lin),
        _say("E", "leadership_exit", "confirmed", person="Lin", role="technical_lead"),
        _say(
            "B",
            "leadership_exit",
            "reported",
            person="Yu Bowen",
            role="other",
            role_text="post-training lead",
        ),
        _say("E", "leadership_exit", "reported", person="Bowen Yu", role="other"),
        _say("B", "leadership_exit", "reported", role="technical_lead", role_text="code lead", **hui),
        _say("C", "leadership_exit", "confirmed", role="senior_researcher", **hui),
        _say("E", "leadership_exit", "reported", role="technical_lead", **hui),
        _say("A", "talent_exodus", "confirmed", count=3, count_exact=True),
        _say("B", "talent_exodus", "confirmed", unit="Qwen team"),
        _say("C", "talent_exodus", "confirmed", unit="Tongyi Lab", count=4),
        _say("E", "talent_exodus", "reported", line=None),
        _say("A", "reorganization", "reported", unit="Qwen team"),
        _say("B", "reorganization", "reported", unit="Tongyi Lab", into="horizontal units"),
        _say("C", "reorganization", "confirmed", unit="Tongyi Lab"),
        _say("E", "reorganization", "reported", line=None),
        _say("E", "share_drop", "confirmed", percent=5.0, approx="nearly"),
        _say("C", "licence_restriction", "rumoured", product="Qwen3.5-Max"),
        _say("A", "licence_restriction", "hypothetical", product="Qwen"),
        _say("B", "licence_restriction", "hypothetical", product="Qwen"),
        _say("B", "leadership_appointment", "reported", **hao),
        _say("C", "leadership_appointment", "confirmed", **hao),
        _say("E", "leadership_appointment", "reported"),
        _say("B", "product_release", "confirmed", product="Qwen3.5"),
        _say("B", "compute_shortage", "background", line=None),
        _say("C", "compute_shortage", "denied", line=None),
        _say("A", "export_control", "background", line=None, country="US"),
    ]


def _tell() -> Merged:
    return merged(_five_articles())


def _only(told: Merged, type_: str, name: str | None = None) -> Event:
    (event,) = [e for e in told.events if e.type == type_ and (name is None or e.object == name)]
    return event


def test_five_families_tell_one_departure_of_junyang_lin() -> None:
    exit_ = _only(_tell(), "leadership_exit", "Junyang Lin")

    assert exit_.corroboration == 5
    assert exit_.assertion is Assertion.CONFIRMED
    assert exit_.home == "alibaba/qwen"
    assert exit_.attributes["role"] == "technical_lead"


def test_the_wrong_date_of_one_outlet_is_shown_and_moves_nothing() -> None:
    exit_ = _only(_tell(), "leadership_exit", "Junyang Lin")

    assert exit_.occurred_at == datetime(2026, 3, 3, tzinfo=UTC)
    assert exit_.date_precision == "day"
    assert [(c.article_id, c.claimed_at, c.quote) for c in exit_.date_conflicts] == [
        ("D", WRONG, "on 9 June 2025")
    ]
    assert not exit_.retrospective


def test_with_the_two_dated_articles_alone_the_date_nearest_before_publication_wins() -> None:
    two = [
        replace(s, tier="2") for s in _five_articles() if s.article_id in "BD" and s.type == "leadership_exit"
    ]

    exit_ = _only(merged(two), "leadership_exit", "Junyang Lin")

    assert exit_.occurred_at == day(0)


def test_the_two_other_leads_are_exits_of_their_own() -> None:
    told = _tell()

    exits = [e for e in told.events if e.type == "leadership_exit"]
    hui = _only(told, "leadership_exit", "Binyuan Hui")
    yu = _only(told, "leadership_exit", "Yu Bowen")
    assert len(exits) == 3
    assert (hui.corroboration, hui.assertion) == (3, Assertion.CONFIRMED)
    assert (yu.corroboration, yu.assertion) == (2, Assertion.REPORTED)
    assert [c.attribute for c in hui.conflicts] == ["role"]


def test_the_team_events_are_one_each_and_live_on_the_line() -> None:
    told = _tell()
    exodus, reorganization = _only(told, "talent_exodus"), _only(told, "reorganization")

    assert exodus.home == reorganization.home == "alibaba/qwen"
    assert exodus.attributes["count"] == 4
    assert (exodus.corroboration, reorganization.corroboration) == (4, 4)
    assert exodus.assertion is reorganization.assertion is Assertion.CONFIRMED


def test_the_share_drop_lives_on_the_company() -> None:
    drop = _only(_tell(), "share_drop")

    assert drop.home == "alibaba"
    assert drop.attributes == {"percent": 5.0, "approx": "nearly"}


def test_the_licence_change_stays_a_rumour_of_one_article() -> None:
    licence = _only(_tell(), "licence_restriction")

    assert licence.assertion is Assertion.RUMOURED
    assert [c.article_id for c in licence.claims] == ["C"]


def test_the_successor_is_one_event_and_the_nameless_mention_joins_it() -> None:
    appointment = _only(_tell(), "leadership_appointment")

    assert appointment.object == "Hao Zhou"
    assert [c.article_id for c in appointment.claims] == ["B", "E", "C"]
    assert appointment.assertion is Assertion.CONFIRMED


def test_the_denied_shortage_is_not_live_and_the_export_controls_are_no_event() -> None:
    told = _tell()

    assert _only(told, "compute_shortage").state is EventState.DENIED
    assert not [e for e in told.events if e.type == "export_control"]


def test_all_live_events_are_one_story() -> None:
    told = _tell()

    (story,) = told.stories
    assert story.vendor == "alibaba"
    assert set(story.event_ids) == {e.id for e in told.events if e.state is EventState.LIVE}


def test_later_texts_join_or_open_as_they_should() -> None:
    later = [
        a_signal("F", line="qwen", at=16, person="Lin Junyang"),
        a_signal("G", line="qwen", at=22, person="Junyang Lin"),
        a_signal("H", at=30, person="Joe Tsai", role="board_chair"),
        a_signal("I", "share_drop", at=73, percent=6.0),
        a_signal("J", vendor="openai", at=7, person="Mira Murati"),
    ]

    told = merged([*_five_articles(), *later])

    assert _only(told, "leadership_exit", "Junyang Lin").corroboration == 7
    assert _only(told, "leadership_exit", "Joe Tsai").home == "alibaba"
    assert len([e for e in told.events if e.type == "share_drop"]) == 2
    assert all(e.vendor == "alibaba" for e in told.events)
