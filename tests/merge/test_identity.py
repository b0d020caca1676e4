from dataclasses import replace

from riskwatch.model import EventState
from tests.merge.makers import a_signal, ids, merged


def test_an_event_keeps_its_id_when_further_signals_come() -> None:
    new_id = ids()
    first = merged([a_signal("a", person="Dana Ortiz")], new_id=new_id)

    more = [a_signal("a", person="Dana Ortiz"), a_signal("b", at=0, person="Dana Ortiz")]
    (event,) = merged(more, known=first.events, new_id=new_id).events

    assert event.id == first.events[0].id
    assert event.story_id == first.stories[0].id


def test_a_revised_article_keeps_the_id_of_its_event() -> None:
    new_id = ids()
    first = merged([a_signal("a", person="Dana Ortiz")], new_id=new_id)

    (event,) = merged(
        [a_signal("a", person="Dana Ortiz", revision=2)], known=first.events, new_id=new_id
    ).events

    assert event.id == first.events[0].id


def test_a_swallowed_id_points_to_its_heir() -> None:
    new_id = ids()
    apart = [a_signal("a", at=1, person="Dana Ortiz"), a_signal("b", at=60, person="Dana Ortiz")]
    old, young = merged(apart, new_id=new_id).events

    events = merged(
        [*apart, a_signal("c", at=30, person="Dana Ortiz")], known=[old, young], new_id=new_id
    ).events

    (heir,) = [e for e in events if e.merged_into is None]
    (gone,) = [e for e in events if e.merged_into is not None]
    assert heir.id == old.id
    assert (gone.id, gone.merged_into, gone.story_id) == (young.id, old.id, None)


def test_the_smaller_part_of_a_split_gets_a_new_id_and_says_whence() -> None:
    new_id = ids()
    bridge = a_signal("c", at=30, person="Dana Ortiz")
    apart = [a_signal(name, at=at, person="Dana Ortiz") for name, at in (("a", 1), ("b", 60), ("d", 61))]
    (whole,) = merged([*apart, bridge], new_id=new_id).events

    small, large = merged(apart, known=[whole], new_id=new_id).events

    assert large.id == whole.id
    assert small.id != whole.id
    assert small.split_from == whole.id
    again = merged(apart, known=[small, large], new_id=new_id).events
    assert [e.split_from for e in again] == [whole.id, None]


def test_an_event_without_signals_is_withdrawn_and_comes_back_under_its_id() -> None:
    new_id = ids()
    told = [a_signal("a", person="Dana Ortiz")]
    first = merged(told, new_id=new_id)

    withdrawn = merged([], known=first.events, types=["leadership_exit"], new_id=new_id)
    (again,) = merged(
        [replace(told[0], id="other", revision=3)],
        known=withdrawn.events,
        types=["leadership_exit"],
        new_id=new_id,
    ).events

    (event,) = withdrawn.events
    assert (event.state, event.claims, event.corroboration) == (EventState.WITHDRAWN, (), 0)
    assert withdrawn.stories == ()
    assert (again.id, again.state) == (first.events[0].id, EventState.LIVE)


def test_only_the_named_types_are_folded() -> None:
    new_id = ids()
    told = [a_signal("a", person="Dana Ortiz"), a_signal("b", "funding")]
    first = merged(told, new_id=new_id)

    after = merged([told[1]], known=first.events, types=["funding"], new_id=new_id)

    assert [e.type for e in after.events] == ["funding"]
    assert after.stories == first.stories


def test_an_event_of_another_type_is_returned_when_its_story_changes() -> None:
    new_id = ids()
    exit_ = a_signal("a", person="Dana Ortiz")
    stored = [*merged([exit_, a_signal("b", "funding")], new_id=new_id).events]

    after = merged(
        [a_signal("b", "funding"), a_signal("a", "funding")], known=stored, types=["funding"], new_id=new_id
    )

    (story,) = after.stories
    assert {e.type for e in after.events} <= {"funding", "leadership_exit"}
    assert len({e.story_id for e in after.events}) == 1
    assert set(story.event_ids) == {e.id for e in stored}
