"""Laws of the evaluation (alerting 3), for any history of scores, events and blind spots."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from riskwatch.model import Assertion, Event, EventState, IncidentState, Step, Transition
from riskwatch.send.decide import Observation, decide
from tests.send.makers import BORDERS, World, a_rule, an_event, at, below, on_events, seen

OK, PENDING, FIRING, RECOVERING = IncidentState
DIAGRAM = {
    (OK, PENDING), (PENDING, OK), (PENDING, FIRING),
    (FIRING, RECOVERING), (RECOVERING, FIRING), (RECOVERING, OK),
    (OK, FIRING),  # pending for no time, where one evaluation is enough
    (FIRING, OK),  # an event that faded, ended or was withdrawn needs no time to recover
}  # fmt: skip
RULES = (
    below(id="low"),
    below(id="patient", for_evaluations=3, clear_for="0s", cooldown="0s", repeat_every="12h"),
    a_rule({"kind": "score_drop", "points": 8, "window": "7d"}, id="drop"),
    a_rule({"kind": "grade_change", "direction": "any"}, id="grade"),
    a_rule({"kind": "not_rated", "for": "24h"}, id="rating"),
    on_events(id="events"),
    on_events(id="any", min_points=0, min_credibility=0, on_stale="alert"),
    a_rule(
        {
            "kind": "all_of",
            "of": [{"kind": "score_below", "threshold": 60}, {"kind": "event", "types": ["*"]}],
        },
        id="both",
    ),
)


@dataclass(frozen=True)
class Moment:
    """One evaluation: hours since the last one, and what is seen of each vendor."""

    hours: float
    observations: tuple[Observation, ...]


def _event(number: int, kind: str) -> Event:
    event = an_event(f"e{number}")
    return {
        "live": event,
        "rumour": replace(event, assertion=Assertion.RUMOURED),
        "sure": replace(event, assertion=Assertion.CONFIRMED),
        "gone": replace(event, state=EventState.WITHDRAWN),
        "over": replace(event, closed_at=at(0)),
        "joined": replace(event, merged_into="e0" if number else None),
    }[kind]


def _pool(subject: str) -> list[Observation]:
    """A few hundred different looks at a vendor: cheap to draw from."""
    chance = random.Random(subject)
    kinds, costs = ("live", "rumour", "sure", "gone", "over", "joined"), (0.0, 2.0, 4.0, 8.0)
    pool = []
    for _ in range(400):
        numbers = chance.sample(range(3), chance.choice((0, 1, 1, 2, 3)))
        events = [(_event(number, chance.choice(kinds)), chance.choice(costs)) for number in numbers]
        pool.append(
            seen(
                chance.choice((None, 45.0, 53.0, 58.0, 61.0, 64.0, 72.0, 88.0)),
                subject=subject,
                events=events,
                is_stale=chance.random() < 0.1,
                old=frozenset(chance.choice(((), (), ("e0",), ("e1",)))),
                cause=chance.choice(("change", "change", "daily", "rescore", "backfill")),
            )
        )
    return pool


POOLS = {name: _pool(name) for name in ("acme", "acme/one", "bravo", "coral")}


def _moments(*subjects: str) -> st.SearchStrategy[list[Moment]]:
    drawn = st.tuples(*(st.sampled_from(POOLS[name]) for name in subjects))
    return st.lists(st.builds(Moment, st.sampled_from((0.1, 1.0, 7.0, 30.0)), drawn), min_size=1, max_size=12)


def run(world: World, moments: Sequence[Moment]) -> None:
    hours = 0.0
    for moment in moments:
        hours += moment.hours
        world.evaluate(hours, *moment.observations)


def by_incident(world: World) -> list[list[Transition]]:
    found = defaultdict[str, list[Transition]](list)
    for one in world.transitions:
        found[one.incident_id].append(one)
    return list(found.values())


@settings(max_examples=200, deadline=None)
@given(_moments("acme", "acme/one"))
def test_an_evaluation_made_twice_changes_nothing(moments: list[Moment]) -> None:
    world, hours = World(RULES), 0.0
    for moment in moments:
        hours += moment.hours
        history = dict(world.history)
        world.evaluate(hours, *moment.observations)
        again = [replace(one, past=history.get(one.subject, ())) for one in moment.observations]

        decided = decide(
            RULES, again, incidents=world.incidents, now=at(hours), new_id=world.new_id, borders=BORDERS
        )

        assert decided.transitions == ()
        assert decided.incidents == ()


@settings(max_examples=200, deadline=None)
@given(_moments("acme"))
def test_transitions_are_a_path_of_the_diagram(moments: list[Moment]) -> None:
    world = World(RULES)

    run(world, moments)

    for path in by_incident(world):
        assert [one.seq for one in path] == list(range(1, len(path) + 1))
        assert path[0].from_state is OK
        for before, after in pairwise(path):
            assert before.to_state is after.from_state
        for one in path:
            stays = one.from_state is one.to_state and one.step in (
                Step.UPDATE,
                Step.CORRECTION,
                Step.RESOLVED,
            )
            assert stays or (one.from_state, one.to_state) in DIAGRAM


@settings(max_examples=200, deadline=None)
@given(_moments("acme"))
def test_nothing_is_resolved_updated_or_corrected_that_was_not_opened(moments: list[Moment]) -> None:
    world = World(RULES)

    run(world, moments)

    for path in by_incident(world):
        steps = [one.step for one in path if one.step]
        assert steps.count(Step.OPENED) <= 1
        assert not steps or steps[0] is Step.OPENED


@settings(max_examples=100, deadline=None)
@given(_moments("acme", "bravo", "coral"))
def test_the_order_of_vendors_changes_nothing(moments: list[Moment]) -> None:
    straight, shuffled = World(RULES), World(RULES)
    mixed = [replace(one, observations=tuple(reversed(one.observations))) for one in moments]

    run(straight, moments)
    run(shuffled, mixed)

    assert straight.transitions == shuffled.transitions
    assert straight.incidents == shuffled.incidents


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(55.1, 62.9), min_size=1, max_size=200))
def test_noise_inside_the_margin_adds_nothing_after_the_first_word(noise: list[float]) -> None:
    world = World((below(),))
    world.evaluate(-2, seen(59))
    world.evaluate(-1, seen(59))

    for hour, points in enumerate(noise):
        world.evaluate(hour, seen(points))

    assert world.steps == ["opened"]


@settings(max_examples=100, deadline=None)
@given(_moments("acme"))
def test_every_open_incident_is_found_under_its_key_once(moments: list[Moment]) -> None:
    world, hours, seen_open = World(RULES), 0.0, dict[str, str]()
    for moment in moments:
        hours += moment.hours
        for incident in world.evaluate(hours, *moment.observations).incidents:
            if incident.state is not OK:
                assert seen_open.get(incident.key, incident.id) == incident.id
                seen_open[incident.key] = incident.id
            elif seen_open.get(incident.key) == incident.id:
                del seen_open[incident.key]


def test_a_year_of_quiet_leaves_no_rows() -> None:
    world = World(RULES)

    for day in range(365):
        world.evaluate(day * 24, seen(80))

    assert (world.incidents, world.transitions) == ({}, [])
