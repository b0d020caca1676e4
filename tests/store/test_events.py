from collections.abc import Sequence
from dataclasses import replace

import pytest

from riskwatch.errors import Conflict, Invalid, NotFound
from riskwatch.model import Assertion, Claim, Event, EventState, Story, Verdict, VerdictKind
from riskwatch.store import EventFilter
from riskwatch.store.sql import SqlStore
from tests.store.builders import HOUR, NOON, an_event


def _ids(events: Sequence[Event]) -> list[str]:
    return [event.id for event in events]


def test_an_event_comes_back_as_given_with_the_instant_of_its_version(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.events.save_events([an_event()], now=NOON)

    with store.begin(write=False) as unit:
        assert unit.events.event("01E") == replace(an_event(), recorded_at=NOON)
        assert unit.events.events_of("alibaba") == (unit.events.event("01E"),)


def test_each_instant_knows_the_newest_version_of_its_time(store: SqlStore) -> None:
    with store.begin() as unit:
        for hours, assertion in enumerate(("rumoured", "reported", "confirmed")):
            event = an_event(assertion=Assertion(assertion))
            unit.events.save_events([event], now=NOON + hours * HOUR)

    with store.begin(write=False) as unit:
        for hours, assertion in enumerate(("rumoured", "reported", "confirmed")):
            at = NOON + hours * HOUR
            (event,) = unit.events.events_of("alibaba", known_at=at)
            assert event.assertion == assertion
            assert event.recorded_at == at
            assert unit.events.event("01E", known_at=at + HOUR / 2) == event
            assert unit.events.list_events(EventFilter(known_at=at)) == (event,)
        assert unit.events.events_of("alibaba", known_at=NOON - HOUR) == ()
        with pytest.raises(NotFound):
            unit.events.event("01E", known_at=NOON - HOUR)
        assert [e.assertion for e in unit.events.event_versions("01E")] == [
            "rumoured",
            "reported",
            "confirmed",
        ]
        assert unit.events.versions_of("alibaba") == unit.events.event_versions("01E")


def test_an_unchanged_event_gets_no_further_version(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.events.save_events([an_event()], now=NOON)
    with store.begin() as unit:
        before = unit.scores.data_version()
        stored = unit.events.event("01E")
        unit.events.save_events([stored, an_event()], now=NOON + HOUR)

    with store.begin(write=False) as unit:
        assert len(unit.events.event_versions("01E")) == 1
        assert unit.scores.data_version() == before


def test_a_clock_set_back_keeps_the_versions_in_order(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.events.save_events([an_event(assertion=Assertion.RUMOURED)], now=NOON - HOUR)
        unit.events.save_events([an_event()], now=NOON)
        unit.events.save_events([an_event(assertion=Assertion.CONFIRMED)], now=NOON - 2 * HOUR)

        for known_at in (None, NOON, NOON + HOUR):
            (event,) = unit.events.events_of("alibaba", known_at=known_at)
            assert event.assertion == Assertion.CONFIRMED


def test_a_merged_event_resolves_to_its_heir_for_ever(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.events.save_events([an_event("A"), an_event("B"), an_event("C")], now=NOON)
        unit.events.save_events([an_event("A", merged_into="B")], now=NOON + HOUR)
        unit.events.save_events([an_event("B", merged_into="C")], now=NOON + 2 * HOUR)

    with store.begin(write=False) as unit:
        assert unit.events.event("A").id == "C"
        assert unit.events.event("A", known_at=NOON + HOUR).id == "B"
        assert unit.events.event("A", known_at=NOON).id == "A"
        assert _ids(unit.events.events_of("alibaba")) == ["C"]
        assert _ids(unit.events.list_events(EventFilter())) == ["C"]


def test_events_merged_in_a_ring_are_not_found_instead_of_sought_for_ever(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.events.save_events([an_event("A", merged_into="B"), an_event("B", merged_into="A")], now=NOON)

        with pytest.raises(NotFound):
            unit.events.event("A")


def test_a_vendors_events_are_in_order_and_its_own(store: SqlStore) -> None:
    events = [
        an_event("b"),
        an_event("B"),
        an_event("a", occurred_at=NOON - 48 * HOUR),
        an_event("x", vendor="openai", home="openai"),
        an_event("w", state=EventState.WITHDRAWN),
    ]

    with store.begin() as unit:
        unit.events.save_events(events, now=NOON)

        assert _ids(unit.events.events_of("alibaba")) == ["a", "B", "b", "w"]
        assert _ids(unit.events.events_of("openai")) == ["x"]
        assert unit.events.events_of("' OR 1=1 --") == ()


def test_a_listing_shows_live_and_denied_events_unless_told_otherwise(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.events.save_events([an_event(state.value, state=state) for state in EventState], now=NOON)

        assert _ids(unit.events.list_events(EventFilter())) == ["live", "denied"]
        assert _ids(unit.events.list_events(EventFilter(states=("rejected",)))) == ["rejected"]
        assert len(unit.events.list_events(EventFilter(states=()))) == 4


@pytest.mark.parametrize(
    ("fields", "ids"),
    [
        ({"vendor": "openai"}, ["2"]),
        ({"home": "alibaba/qwen"}, ["1"]),
        ({"types": ("outage", "lawsuit")}, ["2"]),
        ({"assertions": ("denied",)}, []),
        ({"occurred_from": NOON - HOUR}, ["2"]),
        ({"occurred_to": NOON - HOUR}, ["1"]),
        ({"vendor": "'; DROP TABLE event; --"}, []),
        ({"types": ("%", "_")}, []),
        ({"limit": 1}, ["2"]),
        ({"after": (NOON, "2")}, ["1"]),
    ],
)
def test_a_listing_is_filtered(store: SqlStore, fields: dict[str, object], ids: list[str]) -> None:
    two = an_event("2", vendor="openai", home="openai", type="outage", occurred_at=NOON)

    with store.begin() as unit:
        unit.events.save_events([an_event("1"), two], now=NOON)

        assert _ids(unit.events.list_events(EventFilter(**fields))) == ids  # type: ignore[arg-type] # as given


def test_pages_of_events_stay_put_while_newer_ones_come(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.events.save_events([an_event(f"{number}") for number in range(7)], now=NOON)
    seen: list[str] = []
    where = EventFilter(limit=2)
    while True:
        with store.begin() as unit:
            page = unit.events.list_events(where)
            unit.events.save_events([an_event(f"late {len(seen)}", occurred_at=NOON)], now=NOON)
        if not page:
            break
        seen += _ids(page)
        where = replace(where, after=(page[-1].occurred_at, page[-1].id))

    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


def test_an_article_leads_to_the_events_that_rest_on_it(store: SqlStore) -> None:
    other = Claim("s2", "a2", "x", "X", "2", Assertion.REPORTED)

    with store.begin() as unit:
        unit.events.save_events([an_event("1"), an_event("2", claims=(other,))], now=NOON)

        assert _ids(unit.events.events_of_article("a2")) == ["2"]


def test_unknown_events_are_not_found(store: SqlStore) -> None:
    with store.begin(write=False) as unit:
        with pytest.raises(NotFound):
            unit.events.event("nobody")
        with pytest.raises(NotFound):
            unit.events.event_versions("nobody")
        with pytest.raises(NotFound):
            unit.events.story("nobody")


def test_text_that_no_database_takes_is_mended_in_an_event(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.events.save_events([an_event(object="\0\ud800", attributes={"person": "\0"})], now=NOON)
        event = unit.events.event("01E")

    assert (event.object, event.attributes) == ("\ufffd\ufffd", {"person": "\ufffd"})


def test_the_stories_of_a_vendor_are_replaced_and_old_ones_stay_resolvable(store: SqlStore) -> None:
    one, two = Story("S1", "alibaba", ("E2", "E1")), Story("S2", "alibaba", ("E3",))
    other = Story("S9", "openai", ("E9",))
    with store.begin() as unit:
        unit.events.save_stories("alibaba", [two, one], now=NOON)
        unit.events.save_stories("openai", [other], now=NOON)
        longer = replace(two, event_ids=("E3", "E1"))
        unit.events.save_stories("alibaba", [longer], now=NOON + HOUR)

    with store.begin(write=False) as unit:
        assert unit.events.stories("alibaba") == (longer,)
        assert unit.events.story("S1") == one
        assert unit.events.stories("openai") == (other,)


def test_the_same_stories_again_change_nothing(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.events.save_stories("alibaba", [Story("S1", "alibaba", ("E1",))], now=NOON)
    with store.begin() as unit:
        before = unit.scores.data_version()
        unit.events.save_stories("alibaba", [Story("S1", "alibaba", ("E1",))], now=NOON + HOUR)

        assert unit.scores.data_version() == before


def test_verdicts_are_kept_in_order_and_known_from_their_day(store: SqlStore) -> None:
    late = Verdict("v1", "01E", VerdictKind.REJECT, "ann", "not theirs", recorded_at=NOON + HOUR)
    early = Verdict("v2", "01E", VerdictKind.SET_MAGNITUDE, "bob", "small", {"magnitude": 0.5}, NOON)
    with store.begin() as unit:
        unit.events.save_events([an_event()], now=NOON)
        unit.events.add_verdict(late)
        unit.events.add_verdict(early)

        assert unit.events.verdicts("alibaba") == (early, late)
        assert unit.events.verdicts("alibaba", known_at=NOON) == (early,)
        assert unit.events.verdicts("openai") == ()


def test_a_verdict_on_an_event_that_was_merged_away_speaks_of_its_heir(store: SqlStore) -> None:
    rejected = Verdict("v1", "01C", VerdictKind.REJECT, "ann", "not theirs", recorded_at=NOON)
    with store.begin() as unit:
        unit.events.save_events([an_event(id_) for id_ in ("01A", "01B", "01C")], now=NOON)
        unit.events.add_verdict(rejected)
        unit.events.save_events([an_event("01C", merged_into="01B")], now=NOON + HOUR)
        unit.events.save_events([an_event("01B", merged_into="01A")], now=NOON + 2 * HOUR)

        assert [v.event_id for v in unit.events.verdicts("alibaba")] == ["01A"]
        assert unit.events.verdicts("alibaba", known_at=NOON) == (rejected,)
        assert [v.event_id for v in unit.events.verdicts("alibaba", known_at=NOON + HOUR)] == ["01B"]
        assert unit.events.event(rejected.event_id).id == "01A"


def test_a_verdict_needs_an_event_an_instant_and_an_id_of_its_own(store: SqlStore) -> None:
    verdict = Verdict("v1", "01E", VerdictKind.CONFIRM, "ann", "", recorded_at=NOON)
    with pytest.raises(NotFound), store.begin() as unit:
        unit.events.add_verdict(verdict)
    with store.begin() as unit:
        unit.events.save_events([an_event()], now=NOON)
        unit.events.add_verdict(verdict)
    with pytest.raises(Conflict), store.begin() as unit:
        unit.events.add_verdict(verdict)
    with pytest.raises(Invalid), store.begin() as unit:
        unit.events.add_verdict(replace(verdict, recorded_at=None))


def test_events_of_a_year_are_counted_as_known_at_its_end(store: SqlStore) -> None:
    with store.begin() as unit:
        line = an_event("01A", occurred_at=NOON - 48 * HOUR)
        group = an_event("01B", home="alibaba", occurred_at=NOON - 24 * HOUR)
        old = an_event("01C", occurred_at=NOON - 400 * 24 * HOUR)
        withdrawn = an_event("01D", state=EventState.WITHDRAWN, claims=())
        unit.events.save_events([line, group, old, withdrawn], now=NOON)
        unit.events.save_events([an_event("01F", vendor="openai", home="openai")], now=NOON + HOUR)

    with store.begin(write=False) as unit:
        counts = unit.events.event_counts(since=NOON - 365 * 24 * HOUR, until=NOON)

    assert counts == {"alibaba": 2, "alibaba/qwen": 1}
