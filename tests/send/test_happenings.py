"""Rules on Events: each is told once, then only what makes it worse, wrong or over."""

from dataclasses import replace
from typing import Any

import pytest

from riskwatch.model import Assertion, Event, EventState, Factor, IncidentState, Step
from tests.send.makers import World, a_contribution, a_score, an_event, at, of, on_events, past, seen

OUTAGE = an_event("e2", "outage")


def told_once(**rule: object) -> World:
    world = World((on_events(**rule),))
    world.evaluate(0, seen(events=[(an_event(), 5.0)]))
    return world


# -------------------------------------------------------------------------------- which Events
def test_a_material_event_is_told_at_the_first_evaluation() -> None:
    world = World((on_events(),))
    event = an_event()

    (opened,) = world.evaluate(0, seen(71, events=[(event, 5.0)], past=past(76))).transitions

    assert (opened.step, opened.from_state, opened.to_state) == (Step.OPENED, "ok", "firing")
    assert (opened.value_old, opened.value_new, opened.event_ids) == (76, 71, ("e1",))
    (mark,) = world.only.events
    assert (mark.event_id, mark.points, mark.assertion) == ("e1", 5.0, "reported")
    assert of(world.evaluate(1, seen(71, events=[(event, 5.0)]))) == []


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        (an_event(), {"min_points": 5.1}),
        (an_event(), {"min_credibility": 0.9}),
        (an_event(assertion=Assertion.RUMOURED), {}),
        (an_event(assertion=Assertion.DENIED, state=EventState.DENIED), {}),
        (an_event(state=EventState.REJECTED), {}),
        (an_event(merged_into="e9"), {}),
        (an_event(), {"types": ["outage"]}),
        (an_event(), {"min_sources": 2}),
        (an_event(), {"attrs": {"role": "ceo"}}),
    ],
)
def test_an_event_that_the_rule_does_not_mean_is_not_told(event: Event, rule: dict[str, object]) -> None:
    assert of(World((on_events(**rule),)).evaluate(0, seen(events=[(event, 5.0)]))) == []


def test_an_event_may_be_asked_for_by_its_attributes() -> None:
    event = an_event(attributes={"role": "ceo", "person": "X"})

    assert of(World((on_events(attrs={"role": "ceo"}),)).evaluate(0, seen(events=[(event, 5)]))) == [
        Step.OPENED
    ]


def test_any_type_means_any_harmful_type() -> None:
    good = an_event("good", "funding_round")

    assert of(World((on_events(min_points=0),)).evaluate(0, seen(events=[(good, 0)]))) == []
    assert of(
        World((on_events(types=["funding_round"], min_points=0),)).evaluate(0, seen(events=[(good, 0)]))
    )


def test_a_rumour_is_told_where_the_rule_asks_for_rumours() -> None:
    rumour = an_event(assertion=Assertion.RUMOURED)
    rule = on_events(assertions=["rumoured"], min_credibility=0)

    assert of(World((rule,)).evaluate(0, seen(events=[(rumour, 5.0)]))) == [Step.OPENED]


def test_thin_coverage_never_mutes_an_event() -> None:
    event = an_event()
    unrated = a_score(None, contributions=(a_contribution(event, 5.0),))

    assert of(World((on_events(),)).evaluate(0, seen(events=[(event, 0)], score=unrated))) == [Step.OPENED]


# -------------------------------------------------------------------------------- at which Subject
def test_an_event_is_told_at_its_home_only() -> None:
    event = an_event(home="acme/one")
    world = World((on_events(),))

    decided = world.evaluate(
        0,
        seen(events=[(event, 4.0)]),
        seen(subject="acme/one", events=[(event, 5.0)]),
        seen(subject="acme/two", events=[(event, 3.0)]),
    )

    assert [one.subject for one in decided.incidents] == ["acme/one"]


def test_an_event_is_told_where_it_hits_when_its_home_is_not_watched() -> None:
    event = an_event()
    world = World((on_events(scope={"vendors": ["acme/one"]}),))

    decided = world.evaluate(
        0,
        seen(events=[(event, 5.0)]),
        seen(subject="acme/one", events=[(event, 4.0)]),
        seen(subject="acme/two", events=[(event, 4.0)]),
    )

    assert [one.subject for one in decided.incidents] == ["acme/one"]


def test_an_event_of_a_whole_industry_is_told_at_each_vendor() -> None:
    ban = an_event("ban", "export_control", home="cn")

    decided = World((on_events(),)).evaluate(
        0, seen(events=[(ban, 5.0)]), seen(subject="acme/one", events=[(ban, 5.0)]), seen(subject="other")
    )

    assert [one.subject for one in decided.incidents] == ["acme"]


def test_an_event_of_a_business_that_is_not_about_models_is_told_at_the_vendor() -> None:
    fire = an_event(home="acme/-retail")

    decided = World((on_events(),)).evaluate(
        0, seen(events=[(fire, 5.0)]), seen(subject="acme/one", events=[(fire, 5.0)])
    )

    assert [one.subject for one in decided.incidents] == ["acme"]


# -------------------------------------------------------------------------------- one Event, one alert
def test_a_second_event_is_an_update_and_not_a_new_incident() -> None:
    world = told_once()

    (update,) = world.evaluate(1, seen(75, events=[(an_event(), 5.0), (OUTAGE, 4.0)])).transitions

    assert (update.step, update.event_ids, update.value_old, update.value_new) == (
        Step.UPDATE,
        ("e2",),
        80,
        75,
    )
    assert len(world.incidents) == 1


@pytest.mark.parametrize(
    ("event", "points", "steps"),
    [
        (an_event(), 7.9, []),
        (an_event(), 8.0, [Step.UPDATE]),
        (an_event(assertion=Assertion.CONFIRMED), 5.0, [Step.UPDATE]),
        (an_event(assertion=Assertion.RUMOURED), 5.0, []),
    ],
)
def test_an_event_is_told_again_when_it_costs_more_or_is_better_confirmed(
    event: Event, points: float, steps: list[Step]
) -> None:
    world = told_once()

    assert of(world.evaluate(1, seen(events=[(event, points)]))) == steps
    assert of(world.evaluate(2, seen(events=[(event, points)]))) == []


def test_a_worse_event_ends_an_acknowledgement_and_is_told() -> None:
    world = told_once()
    world.incidents[world.only.key] = replace(world.only, acked_by="J. Doe")

    assert of(world.evaluate(1, seen(events=[(an_event(), 9.0)]))) == [Step.UPDATE]
    assert world.only.acked_by is None


def test_an_event_that_faded_closes_without_a_word_and_is_not_told_again() -> None:
    world = told_once()

    world.evaluate(1, seen(events=[(an_event(), 2.9)]))
    assert (world.only.state, world.steps) == (IncidentState.OK, ["opened"])
    assert of(world.evaluate(2, seen(events=[(an_event(), 3.1)]))) == []
    (opened,) = world.evaluate(3, seen(events=[(an_event(), 3.1), (OUTAGE, 4.0)])).transitions
    assert (opened.step, opened.event_ids) == (Step.OPENED, ("e2",))


def test_an_incident_does_not_fade_while_inputs_are_stale_or_scores_missing() -> None:
    for blind in (seen(events=[(an_event(), 1.0)], is_stale=True), seen(score=None)):
        world = told_once()

        world.evaluate(1, blind)

        assert world.is_firing


def test_without_a_least_cost_an_incident_stays_open_for_the_cooldown() -> None:
    world = World((on_events(types=["vendor_shutdown"], min_points=0),))
    event = an_event(type_="vendor_shutdown")

    for hour in (0, 12, 23.9):
        world.evaluate(hour, seen(events=[(event, 0.0)]))
    assert world.is_firing
    world.evaluate(24, seen(events=[(event, 0.0)]))
    assert (world.only.state, world.steps) == (IncidentState.OK, ["opened"])


# -------------------------------------------------------------------------------- wrong
@pytest.mark.parametrize(
    "gone",
    [
        {"state": EventState.DENIED, "assertion": Assertion.DENIED},
        {"state": EventState.WITHDRAWN},
        {"state": EventState.REJECTED},
        {"assertion": Assertion.DENIED},
    ],
)
def test_what_was_told_and_is_not_so_is_corrected(gone: dict[str, Any]) -> None:
    world = told_once()

    (correction,) = world.evaluate(1, seen(events=[(replace(an_event(), **gone), 0.0)])).transitions

    assert (correction.step, correction.event_ids) == (Step.CORRECTION, ("e1",))
    assert world.only.state is IncidentState.OK
    assert of(world.evaluate(2, seen(events=[(replace(an_event(), **gone), 0.0)]))) == []


def test_a_correction_leaves_the_incident_open_while_another_event_counts() -> None:
    world = told_once()
    world.evaluate(1, seen(events=[(an_event(), 5.0), (OUTAGE, 4.0)]))

    gone = an_event(state=EventState.WITHDRAWN)
    assert of(world.evaluate(2, seen(events=[(gone, 0.0), (OUTAGE, 4.0)]))) == [Step.CORRECTION]
    assert world.is_firing


def test_a_correction_comes_also_after_the_incident_closed() -> None:
    world = told_once()
    world.evaluate(1, seen(events=[(an_event(), 1.0)]))

    (correction,) = world.evaluate(2, seen(events=[(an_event(state=EventState.WITHDRAWN), 0.0)])).transitions

    assert (correction.from_state, correction.to_state, correction.step) == ("ok", "ok", Step.CORRECTION)


def test_what_was_denied_and_is_reported_again_is_told_again() -> None:
    world = told_once()
    world.evaluate(1, seen(events=[(an_event(state=EventState.DENIED), 0.0)]))

    assert of(world.evaluate(2, seen(events=[(an_event(), 5.0)]))) == [Step.OPENED]


# -------------------------------------------------------------------------------- over
def test_resolved_is_told_when_the_event_itself_ended() -> None:
    world = told_once()

    (resolved,) = world.evaluate(2, seen(events=[(an_event(closed_at=at(1)), 4.0)])).transitions

    assert (resolved.step, resolved.cause, resolved.to_state) == (Step.RESOLVED, "evidence", "ok")
    assert of(world.evaluate(3, seen(events=[(an_event(closed_at=at(1)), 4.0)]))) == []


def test_an_end_in_the_future_is_no_end_yet() -> None:
    assert of(told_once().evaluate(1, seen(events=[(an_event(closed_at=at(2)), 5.0)]))) == []


def test_the_end_of_one_event_of_two_is_an_update() -> None:
    world = told_once()
    world.evaluate(1, seen(events=[(an_event(), 5.0), (OUTAGE, 4.0)]))

    (update,) = world.evaluate(
        2, seen(events=[(an_event(), 5.0), (replace(OUTAGE, closed_at=at(2)), 4.0)])
    ).transitions

    assert (update.step, update.event_ids, update.to_state) == (Step.UPDATE, ("e2",), "firing")


def test_an_end_is_not_told_where_nobody_wants_it() -> None:
    world = told_once(notify_resolved=False)

    assert of(world.evaluate(2, seen(events=[(an_event(closed_at=at(1)), 4.0)]))) == []
    assert world.only.state is IncidentState.OK


def test_an_event_that_was_over_before_it_was_told_ends_without_resolved() -> None:
    world = World((on_events(),))

    world.evaluate(0, seen(events=[(an_event(closed_at=at(-1)), 4.0)]))
    world.evaluate(1, seen(events=[(an_event(closed_at=at(-1)), 1.0)]))

    assert (world.steps, world.only.state) == (["opened"], IncidentState.OK)


def test_an_event_that_opens_again_is_told_again() -> None:
    world = told_once()
    world.evaluate(2, seen(events=[(an_event(closed_at=at(1)), 4.0)]))

    assert of(world.evaluate(3, seen(events=[(an_event(), 5.0)]))) == [Step.OPENED]


# -------------------------------------------------------------------------------- merged, old, rescored
def test_an_event_that_was_swallowed_by_another_is_not_told_again() -> None:
    world = told_once()
    whole, part = an_event("e0"), an_event(merged_into="e0")

    assert of(world.evaluate(1, seen(events=[(whole, 5.0), (part, 0.0)]))) == []
    assert [mark.event_id for mark in world.only.events] == ["e0"]


def test_marks_of_both_sides_of_a_merge_become_one() -> None:
    world = told_once()
    world.evaluate(1, seen(events=[(an_event(), 5.0), (OUTAGE, 4.0)]))

    world.evaluate(2, seen(events=[(an_event(), 5.0), (replace(OUTAGE, merged_into="e1"), 0.0)]))

    assert [mark.event_id for mark in world.only.events] == ["e1"]


def test_a_merge_in_a_circle_does_no_harm() -> None:
    world = told_once()

    ring = [(an_event(merged_into="e2"), 5.0), (replace(OUTAGE, merged_into="e1"), 4.0)]

    assert of(world.evaluate(1, seen(events=ring))) == []


def test_an_event_that_is_not_at_hand_is_held() -> None:
    world = told_once()

    world.evaluate(1, seen(score=a_score(contributions=(a_contribution(an_event(), 5.0),))))

    assert [mark.event_id for mark in world.only.events] == ["e1"]


def test_an_old_event_is_for_the_digest_also_when_a_new_one_comes_with_it() -> None:
    world = World((on_events(),))

    decided = world.evaluate(0, seen(events=[(an_event(), 5.0), (OUTAGE, 4.0)], old=frozenset({"e1"})))

    assert [(one.step, one.event_ids, one.cause, one.suppressed_by) for one in decided.transitions] == [
        (Step.OPENED, ("e2",), "change", None),
        (Step.UPDATE, ("e1",), "backfill", "digest_only"),
    ]


def test_an_old_event_that_gets_worse_is_still_for_the_digest() -> None:
    world = World((on_events(),))
    for hour, points in enumerate([5.0, 9.0]):
        world.evaluate(hour, seen(events=[(an_event(), points)], old=frozenset({"e1"})))

    assert [one.suppressed_by for one in world.transitions] == ["digest_only", "digest_only"]
    assert world.only.told_at is None


def test_all_that_a_back_fill_brings_is_for_the_digest() -> None:
    world = World((on_events(),))

    (opened,) = world.evaluate(0, seen(events=[(an_event(), 5.0)], cause="backfill")).transitions

    assert (opened.cause, opened.suppressed_by) == ("backfill", "digest_only")


def test_a_change_of_method_is_the_cause_also_for_old_events() -> None:
    world = World((on_events(),))

    decided = world.evaluate(
        0, seen(events=[(an_event(), 5.0), (OUTAGE, 4.0)], cause="rescore", old=frozenset({"e1"}))
    )

    assert {(one.cause, one.suppressed_by) for one in decided.transitions} == {("rescore", None)}


def test_it_is_said_again_as_often_as_the_rule_asks() -> None:
    world = told_once(repeat_every="12h")

    said = [hour for hour in range(1, 30) if of(world.evaluate(hour, seen(events=[(an_event(), 5.0)])))]

    assert said == [12, 24]


def test_it_is_not_said_again_in_the_breath_in_which_something_else_was_said() -> None:
    world = told_once(repeat_every="12h")
    worse = seen(events=[(an_event(), 9.0)], cause="backfill")

    assert len(world.evaluate(24, worse).transitions) == 1
    assert world.evaluate(24, worse).transitions == ()


def test_a_factor_of_continuity_has_a_rule_of_its_own() -> None:
    shut = an_event("shut", "vendor_shutdown")
    score = a_score(contributions=(a_contribution(shut, 0.5, Factor.CONTINUITY),))
    rule = on_events(types=["vendor_shutdown", "access_suspension"], min_points=0, severity="critical")

    assert of(World((rule,)).evaluate(0, seen(events=[(shut, 0)], score=score))) == [Step.OPENED]


# -------------------------------------------------------------------------------- fault 34
def test_five_articles_on_one_resignation_are_one_alert_at_the_first_credible_one() -> None:
    world = World((on_events(),))
    story = [
        (0, an_event(assertion=Assertion.RUMOURED), 1.0, 0.2),  # a blog
        (1, an_event(corroboration=2), 5.0, 0.6),  # a paper: credible from here on
        (2, an_event(corroboration=3), 5.6, 0.8),
        (3, an_event(corroboration=4), 5.9, 0.9),
        (4, an_event(corroboration=5, occurred_at=at(-24 * 200), date_conflicts=()), 5.9, 0.9),  # wrong date
    ]

    said = [
        (hour, of(world.evaluate(hour, seen(events=[(event, points)], credibility={"e1": credibility}))))
        for hour, event, points, credibility in story
    ]

    assert said == [(0, []), (1, [Step.OPENED]), (2, []), (3, []), (4, [])]
    assert len(world.incidents) == 1


def test_a_late_article_with_wrong_dates_does_not_reopen_what_faded() -> None:
    world = told_once()
    world.evaluate(24 * 60, seen(events=[(an_event(), 1.0)]))

    moved = an_event(occurred_at=at(24 * 59), corroboration=6)

    assert of(world.evaluate(24 * 60 + 1, seen(events=[(moved, 6.0)]))) == []


# -------------------------------------------------------------------------------- relief
def with_relief(assertion: Assertion, *more: tuple[Event, float]) -> Any:
    """An Observation in which a named successor eases the exit."""
    successor = an_event("r1", "leadership_appointment", assertion=assertion)
    made = seen(events=[(an_event(), 4.0), *more])
    assert made.score is not None
    eased = tuple(replace(one, relieved_by=("r1",)) for one in made.score.contributions)
    return replace(
        made, events={**made.events, "r1": successor}, score=replace(made.score, contributions=eased)
    )


def test_a_replacement_is_told_when_it_is_named_and_again_when_it_is_confirmed() -> None:
    world = told_once()

    (named,) = world.evaluate(1, with_relief(Assertion.REPORTED)).transitions
    (confirmed,) = world.evaluate(2, with_relief(Assertion.CONFIRMED)).transitions

    assert (named.step, named.cause, named.event_ids) == (Step.UPDATE, "relief", ("r1",))
    assert (confirmed.step, confirmed.cause, confirmed.event_ids) == (Step.UPDATE, "relief", ("r1",))
    assert of(world.evaluate(3, with_relief(Assertion.CONFIRMED))) == []


def test_a_rumoured_replacement_is_not_told() -> None:
    assert of(told_once().evaluate(1, with_relief(Assertion.RUMOURED))) == []


def test_relief_that_comes_with_a_new_harm_stands_in_its_message() -> None:
    world = told_once()
    new = an_event("e2", first_recorded_at=at(1))

    (told,) = world.evaluate(1, with_relief(Assertion.REPORTED, (new, 6.0))).transitions

    assert told.event_ids == ("e2",)
    assert of(world.evaluate(2, with_relief(Assertion.REPORTED, (new, 6.0)))) == []


def test_a_known_event_that_counts_more_through_relief_of_another_is_told_with_it() -> None:
    known = an_event("e2")
    world = World((on_events(),))
    world.evaluate(0, seen(events=[(an_event(), 5.0), (known, 1.0)]))

    (told,) = world.evaluate(1, with_relief(Assertion.REPORTED, (known, 3.5))).transitions

    assert told.event_ids == ("r1",)
    assert of(world.evaluate(2, with_relief(Assertion.REPORTED, (known, 3.5)))) == []


def test_an_event_that_a_told_replacement_closes_is_not_told_once_more() -> None:
    world, other = World((on_events(),)), an_event("e2", "outage")
    world.evaluate(0, seen(events=[(an_event(), 5.0), (other, 5.0)]))
    world.evaluate(1, with_relief(Assertion.REPORTED, (other, 5.0)))
    made = with_relief(Assertion.REPORTED, (other, 5.0))
    closing = replace(made.events["r1"], closes=("e1",))
    closed = replace(made.events["e1"], closed_at=at(2))

    later = replace(made, events={**made.events, "r1": closing, "e1": closed})

    assert of(world.evaluate(2, later)) == []
