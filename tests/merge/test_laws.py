"""The laws M1 to M16 of merging, each with its number."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from riskwatch.merge import copies
from riskwatch.model import LIVE, Assertion, Event, EventState, Evidence, Signal, Verdict, VerdictKind
from tests.merge.makers import WINDOWS, a_brief, a_signal, day, ids, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from riskwatch.merge import Merged
    from riskwatch.model import Story

LAW = settings(max_examples=200, deadline=None, derandomize=True)
PEOPLE = ("Dana Ortiz", "Ortiz", "ortiz dana", "Lin Junyang", "Junyang Lin", "Mira Weber", None)
ROLES = ("ceo", "cto", None)
PRODUCTS = ("Qwen3.5", "Qwen3.5 Max", "Qwen Coder", None)
TYPES = ("leadership_exit", "leadership_appointment", "talent_exodus", "deprecation", "share_drop", "outage")
LIVE_ONES = st.sampled_from(LIVE)
ANY = st.sampled_from(list(Assertion))


@st.composite
def signals(  # noqa: PLR0913 - what the laws vary
    draw: st.DrawFn,
    *,
    assertions: st.SearchStrategy[Assertion] = ANY,
    types: Sequence[str] = TYPES,
    days: int = 200,
    prefix: str = "a",
    confident: bool = False,
    dated: bool = True,
) -> Signal:
    """Draw one Signal of a vendor from few people, products, families and days, so that Signals meet."""
    type_ = draw(st.sampled_from(types))
    at = draw(st.integers(0, days * 4)) / 4
    more: dict[str, object] = {}
    if type_.startswith("leadership"):
        more |= {"person": draw(st.sampled_from(PEOPLE)), "role": draw(st.sampled_from(ROLES))}
    elif type_ == "share_drop":
        more["percent"] = draw(st.sampled_from((None, 3.0, 5.0, 9.0)))
    elif type_ == "talent_exodus":
        more["count"] = draw(st.sampled_from((None, 2, 5)))
    else:
        more["product"] = draw(st.sampled_from(PRODUCTS))
    back = draw(st.sampled_from((None, None, 0, 1, 2, 20, 200))) if dated else None
    return a_signal(
        prefix + draw(st.text("bcdefghijk", min_size=3, max_size=3)),
        type_,
        at=at,
        family=draw(st.sampled_from("pqrstu")),
        tier=draw(st.sampled_from(("primary", "1", "2", "3", "4"))),
        line=draw(st.sampled_from((None, "qwen"))),
        assertion=draw(assertions),
        confidence=0.95 if confident else draw(st.sampled_from((0.5, 0.7, 0.95))),
        claimed_at=None if back is None else day(at // 1 - back),
        **more,
    )


def _unique(drawn: Sequence[Signal]) -> list[Signal]:
    """Return Signals of Articles that each have one publisher, day and text."""
    first: dict[str, Signal] = {}
    made: dict[str, Signal] = {}
    for signal in drawn:
        article = first.setdefault(signal.article_id, signal)
        if article.published_at == signal.published_at:
            made.setdefault(signal.id, replace(signal, family=article.family, tier=article.tier))
    return list(made.values())


def _many(**more: object) -> st.SearchStrategy[list[Signal]]:
    return st.lists(signals(**more), max_size=14).map(_unique)  # type: ignore[arg-type] # passed on


def _standing(events: Sequence[Event]) -> list[Event]:
    return [e for e in events if e.merged_into is None and e.state is not EventState.WITHDRAWN]


Members = frozenset[str]


def _members(event: Event) -> Members:
    return frozenset(claim.signal_id for claim in event.claims)


def _plain(events: Sequence[Event]) -> dict[Members, Event]:
    """Return the standing events without ids, by their Signals."""
    name = {e.id: ",".join(sorted(_members(e))) for e in events}
    plain = {}
    for e in _standing(events):
        closes = tuple(sorted(name[id_] for id_ in e.closes))
        plain[_members(e)] = replace(e, id="", story_id=None, closes=closes, split_from=None)
    return plain


def _plain_stories(events: Sequence[Event], stories: Sequence[Story]) -> set[frozenset[Members]]:
    by_id = {e.id: _members(e) for e in events}
    return {frozenset(by_id[id_] for id_ in story.event_ids) for story in stories}


def _all_types(found: Sequence[Signal], **more: object) -> Merged:
    return merged(found, types=TYPES, **more)  # type: ignore[arg-type] # passed on


def _current(known: Sequence[Event], told: Merged) -> list[Event]:
    """Return what the store holds after a merge: new versions in place of old ones, swallowed ones out."""
    rows = {e.id: e for e in known} | {e.id: e for e in told.events}
    return [e for e in rows.values() if e.merged_into is None]


def _in_batches(batches: Sequence[Sequence[Signal]], new_id: Callable[[], str]) -> tuple[list[Event], Merged]:
    known: list[Event] = []
    held: list[Signal] = []
    told = _all_types([], new_id=new_id)
    for batch in batches:
        held += batch
        touched = sorted({s.type for s in batch})
        told = merged([s for s in held if s.type in touched], types=touched, known=known, new_id=new_id)
        known = _current(known, told)
    return known, told


@LAW
@given(_many(), st.randoms(use_true_random=False), st.integers(1, 5))
def test_m1_arrival_order_and_batching_do_not_matter(found: list[Signal], random: Random, size: int) -> None:
    once = _all_types(found)
    shuffled = list(found)
    random.shuffle(shuffled)

    known, last = _in_batches([shuffled[i : i + size] for i in range(0, len(shuffled), size)], ids())

    assert _plain(known) == _plain(once.events)
    assert _plain_stories(known, last.stories) == _plain_stories(once.events, once.stories)


@LAW
@given(_many())
def test_m2_merging_twice_is_merging_once(found: list[Signal]) -> None:
    new_id = ids()
    once = _all_types(found, new_id=new_id)

    twice = _all_types(found, known=once.events, new_id=new_id)

    assert twice == once


@LAW
@given(_many())
def test_m3_the_same_articles_polled_again_change_no_event(found: list[Signal]) -> None:
    new_id = ids()
    once = _all_types(found, new_id=new_id)
    polled = [replace(s) for s in found]

    again = _all_types([*polled, *found][: len(found)], known=once.events, new_id=new_id)

    assert [(e.id, e.last_live_at) for e in again.events] == [(e.id, e.last_live_at) for e in once.events]
    assert again.events == once.events


@LAW
@given(_many(), st.data())
def test_m4_copies_leave_the_score_inputs_unchanged(found: list[Signal], data: st.DataObject) -> None:
    sketches = {
        s.article_id: copies.sketch(None, " ".join(f"{s.article_id}{i}" for i in range(40))) for s in found
    }
    briefs = {s.article_id: a_brief(s, sketch=sketches[s.article_id]) for s in found}
    before = _plain(merged(found, briefs=briefs, types=TYPES).events)
    copied = data.draw(st.sampled_from(sorted(briefs))) if briefs else ""
    delay = data.draw(st.integers(0, 6))
    more = []
    for number, signal in enumerate(s for s in found if s.article_id == copied):
        later = day(0) + (signal.told_at - day(0)) + (day(delay) - day(0))
        copy = replace(signal, id=f"copy{number}", article_id="z", text_key="z", family="z", tier="1")
        copy = replace(copy, published_at=later, recorded_at=later)
        more.append(copy)
        briefs["z"] = a_brief(copy, sketch=sketches[copied])

    after = _plain(merged([*found, *more], briefs=briefs, types=TYPES).events)

    mine = {s.id for s in found}
    for members, event in before.items():
        same = [e for m, e in after.items() if m & mine & members and m & mine == members]
        if not same and delay:  # a copy told days later may reach across a window's end
            continue
        (other,) = same
        assert other.corroboration == event.corroboration
        assert (other.occurred_at, other.date_conflicts) == (event.occurred_at, event.date_conflicts)
        assert (other.assertion, other.disputed) == (event.assertion, event.disputed)
        assert other.attributes == event.attributes
        assert {(c.family, c.tier) for c in other.claims} == {(c.family, c.tier) for c in event.claims}


def _without_background(events: Sequence[Event]) -> dict[Members, Event]:
    return {members: replace(e, background=()) for members, e in _plain(events).items()}


@LAW
@given(_many(), _many(assertions=st.just(Assertion.BACKGROUND), prefix="z"))
def test_m5_background_changes_no_event(found: list[Signal], told_again: list[Signal]) -> None:
    before, after = _all_types(found), _all_types([*found, *told_again])

    assert _without_background(after.events) == _without_background(before.events)


@LAW
@given(_many(), _many(assertions=st.just(Assertion.HYPOTHETICAL), prefix="z"))
def test_m6_hypothetical_statements_change_nothing(found: list[Signal], supposed: list[Signal]) -> None:
    assert _plain(_all_types([*found, *supposed]).events) == _plain(_all_types(found).events)


@LAW
@given(_many(assertions=st.just(Assertion.DENIED)))
def test_m6_denials_alone_open_no_live_event(found: list[Signal]) -> None:
    told = _all_types(found)

    assert all(e.state is EventState.DENIED and e.assertion is Assertion.DENIED for e in told.events)
    assert told.stories == ()


@LAW
@given(
    st.lists(signals(types=("funding",), days=60, assertions=LIVE_ONES), min_size=1, max_size=8).map(_unique),
    st.data(),
)
def test_m7_a_live_signal_never_lowers_the_assertion(found: list[Signal], data: st.DataObject) -> None:
    more = data.draw(signals(types=("funding",), days=60, assertions=LIVE_ONES, prefix="z"))
    before = merged(found, types=["funding"]).events

    after = merged([*found, more], types=["funding"]).events

    for event in before:
        heirs = [e for e in after if _members(event) & _members(e)]
        assert max(LIVE.index(e.assertion) for e in heirs) >= LIVE.index(event.assertion)


@LAW
@given(_many(assertions=LIVE_ONES))
def test_m8_the_date_lies_among_the_claimed_ones(found: list[Signal]) -> None:
    for event in _all_types(found).events:
        claimed = [c.claimed_at for c in event.claims if c.claimed_at is not None]
        if claimed:
            assert min(claimed) <= event.occurred_at <= max(claimed)
        else:
            assert event.occurred_at == event.first_told_at


@LAW
@given(st.integers(3, 6), st.integers(-400, 0))
def test_m8_one_outlier_among_equals_moves_the_date_by_two_days_at_most(families: int, outlier: int) -> None:
    dated = [a_signal(f"a{i}", at=2, person="Dana Ortiz", claimed_at=day(0)) for i in range(families - 1)]
    wrong = a_signal("z", at=2, person="Dana Ortiz", claimed_at=day(outlier))

    (event,) = merged([*dated, wrong]).events

    assert abs((event.occurred_at - day(0)).days) <= 2


@LAW
@given(_many(), _many(prefix="z"))
def test_m9_signals_of_another_vendor_change_nothing(found: list[Signal], foreign: list[Signal]) -> None:
    others = [replace(s, vendor="openai", id="o" + s.id) for s in foreign]

    assert _plain(_all_types([*found, *others]).events) == _plain(_all_types(found).events)


@LAW
@given(_many(confident=True))
def test_m10_every_live_signal_belongs_to_exactly_one_event(found: list[Signal]) -> None:
    told = _all_types(found).events

    claimed = [c.signal_id for e in told for c in e.claims if c.assertion.is_live]
    assert sorted(claimed) == sorted(s.id for s in found if s.assertion.is_live)
    assert all(e.claims for e in told)


@LAW
@given(_many(), st.data())
def test_m10_an_event_without_signals_is_withdrawn(found: list[Signal], data: st.DataObject) -> None:
    new_id = ids()
    once = _all_types(found, new_id=new_id)
    left = data.draw(st.lists(st.sampled_from(found), unique_by=lambda s: s.id)) if found else []

    after = _all_types(left, known=once.events, new_id=new_id)

    assert {e.id for e in once.events} <= {e.id for e in after.events}
    for event in after.events:
        assert bool(event.claims) or event.state is EventState.WITHDRAWN


@LAW
@given(_many(days=400, assertions=LIVE_ONES))
def test_m11_no_event_spans_more_than_three_windows(found: list[Signal]) -> None:
    for event in _all_types(found).events:
        told = [c.told_at for c in event.claims if c.told_at is not None]
        assert (max(told) - min(told)).total_seconds() <= 3 * WINDOWS[event.type] * 86_400


@LAW
@given(st.integers(2, 4), st.integers(1, 3), st.booleans())
def test_m11_a_null_object_joins_none_of_two_open_events(objects: int, nulls: int, on_line: bool) -> None:
    line = "qwen" if on_line else None
    open_ = [
        a_signal(f"a{i}", "lawsuit", at=i, plaintiff=f"Plaintiff{i} Corp{i}", line=line)
        for i in range(objects)
    ]
    claim = Evidence("title", 0, 33, "A court in London hears the claim")  # in no word of those above
    null = [a_signal(f"z{i}", "lawsuit", at=10 + i, evidence=claim) for i in range(nulls)]

    told = merged([*open_, *null]).events

    assert len(told) == objects + 1
    assert [e.corroboration for e in told if e.object is None] == [nulls]


@LAW
@given(_many(), signals(prefix="z"))
def test_m12_ids_resolve_for_ever_and_untouched_events_keep_theirs(found: list[Signal], more: Signal) -> None:
    new_id = ids()
    once = _all_types(found, new_id=new_id)

    after = _all_types([*found, more], known=once.events, new_id=new_id)

    standing = {e.id: e for e in after.events}
    for event in once.events:
        heir = standing[event.id]
        while heir.merged_into is not None:
            heir = standing[heir.merged_into]
        assert heir.id in standing
    ids_after = {_members(e): e.id for e in after.events}
    for event in once.events:
        assert ids_after.get(_members(event), event.id) == event.id


@LAW
@given(_many(), st.integers(0, 200))
def test_m13_what_was_known_at_an_instant_can_be_told_again(found: list[Signal], number: int) -> None:
    ordered = sorted(found, key=lambda s: (s.told_at, s.id))  # recorded when told
    then = [s for s in ordered if s.recorded_at is not None and s.recorded_at <= day(number)]
    stored, told = _in_batches([[s] for s in then], ids())

    again = _all_types(then)

    assert _plain(stored) == _plain(again.events)
    assert _plain_stories(stored, told.stories) == _plain_stories(again.events, again.stories)


@LAW
@given(_many(days=20, dated=False))
def test_m14_stories_part_the_live_events(found: list[Signal]) -> None:
    told = _all_types(found)

    named = [id_ for story in told.stories for id_ in story.event_ids]
    assert sorted(named) == sorted(e.id for e in told.events if e.state is EventState.LIVE)
    assert all(e.story_id == s.id for s in told.stories for e in told.events if e.id in s.event_ids)


@LAW
@given(
    st.lists(st.sets(st.sampled_from("bcdefgh"), min_size=1, max_size=3), min_size=1, max_size=6), st.data()
)
def test_m14_removing_an_article_joins_no_two_stories(asserted: list[set[str]], data: st.DataObject) -> None:
    # Each Article asserts events of some persons; events stand within the cap of 60 days.
    found = [
        a_signal(f"a{i}", "leadership_exit", at=i, person=f"{name}{name} {name}xx")
        for i, names in enumerate(asserted)
        for name in sorted(names)
    ]
    gone = f"a{data.draw(st.integers(0, len(asserted) - 1))}"

    before, after = merged(found), merged([s for s in found if s.article_id != gone])

    story_before = {e.object: e.story_id for e in before.events}
    story_after = {e.object: e.story_id for e in after.events}
    for left, right in pairwise(sorted(story_after, key=str)):
        if story_after[left] == story_after[right]:
            assert story_before[left] == story_before[right]


@LAW
@given(_many(), st.data())
def test_m15_taking_a_correction_back_restores_the_events(found: list[Signal], data: st.DataObject) -> None:
    new_id = ids()
    once = _all_types(found, new_id=new_id)
    left = data.draw(st.lists(st.sampled_from(found), unique_by=lambda s: s.id)) if found else []
    corrected = _all_types(left, known=once.events, new_id=new_id)

    restored = _all_types(found, known=_current([], corrected), new_id=new_id)

    assert _plain(restored.events) == _plain(once.events)


EXITS = ("leadership_exit",)


@LAW
@given(_many(types=EXITS, days=40, confident=True), signals(types=EXITS, prefix="z"), st.booleans())
def test_m16_an_article_three_windows_away_from_all_changes_nothing(
    found: list[Signal], more: Signal, is_before: bool
) -> None:
    at = day(-140) if is_before else day(40 + 136)
    far = replace(more, published_at=at, first_seen_at=at, recorded_at=at, claimed_at=None, confidence=0.95)

    before = _without_background(merged(found).events)
    after = _without_background(merged([*found, far]).events)

    assert {members: event for members, event in after.items() if far.id not in members} == before


@LAW
@given(_many(), st.sampled_from([VerdictKind.REJECT, VerdictKind.CONFIRM]))
def test_a_verdict_holds_over_every_fold(found: list[Signal], kind: VerdictKind) -> None:
    new_id = ids()
    once = _all_types(found, new_id=new_id)
    decided = [Verdict(f"v{e.id}", e.id, kind, "Kim", "seen", recorded_at=day(300)) for e in once.events]

    first = _all_types(found, known=once.events, verdicts=decided, new_id=new_id)
    second = _all_types(found, known=first.events, verdicts=decided, new_id=new_id)

    assert second == first
    wanted = EventState.REJECTED if kind is VerdictKind.REJECT else EventState.LIVE
    assert all(e.state is wanted for e in first.events)
