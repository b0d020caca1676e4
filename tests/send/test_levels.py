"""Rules on scores, grades and ratings: when they open, hold, worsen, recover and close."""

from dataclasses import replace

import pytest

from riskwatch.model import Factor, IncidentState, Step
from riskwatch.send.decide import Point, retire
from tests.send.makers import (
    World,
    a_contribution,
    a_factor_loss,
    a_rule,
    a_score,
    an_event,
    at,
    below,
    of,
    past,
    seen,
)


def drop(**fields: object) -> World:
    rule = a_rule({"kind": "score_drop", "points": 8, "window": "7d", **fields}, for_evaluations=1)
    return World((rule,))


def grade(**fields: object) -> World:
    return World((a_rule({"kind": "grade_change", **fields}, for_evaluations=1),))


# -------------------------------------------------------------------------------- opening
def test_a_low_score_opens_at_the_second_evaluation_only() -> None:
    world = World((below(),))

    assert of(world.evaluate(0, seen(59))) == []
    assert world.only.state is IncidentState.PENDING
    assert of(world.evaluate(1, seen(59))) == [Step.OPENED]
    assert (world.only.opened_at, world.only.told_value, world.only.told_at) == (at(1), 59, at(1))
    assert of(world.evaluate(2, seen(59))) == []


def test_a_low_score_that_did_not_last_is_never_told() -> None:
    world = World((below(),))

    for hour, points in enumerate([59, 61, 59, 61, 59, 61]):
        world.evaluate(hour, seen(points))

    assert world.steps == []
    assert len(world.incidents) == 1
    assert [one.seq for one in world.transitions] == [1, 2, 3, 4, 5, 6]


def test_exactly_the_threshold_is_not_below_it() -> None:
    world = World((below(for_evaluations=1),))

    assert of(world.evaluate(0, seen(60))) == []


def test_the_same_instant_counts_once() -> None:
    world = World((below(),))

    world.evaluate(0, seen(59))

    assert world.evaluate(0, seen(59)).transitions == ()
    assert world.only.bad_count == 1


def test_three_evaluations_can_be_asked_for() -> None:
    world = World((below(for_evaluations=3),))

    assert [of(world.evaluate(hour, seen(50))) for hour in range(3)] == [[], [], [Step.OPENED]]


def test_an_opening_names_the_last_good_score_and_what_moved_it() -> None:
    world = World((below(for_evaluations=1),))
    new, known = an_event("new", first_recorded_at=at(-1)), an_event("known", first_recorded_at=at(-90))
    story = past(80, 63, 58, step_hours=24)

    decided = world.evaluate(0, seen(50, events=[(new, 9.0), (known, 20.0)], past=story))

    (opened,) = decided.transitions
    assert (opened.value_old, opened.value_new, opened.event_ids) == (63, 50, ("new",))
    assert decided.since == {opened.id: at(-48)}
    assert [(mark.event_id, mark.points) for mark in world.only.events] == [("new", 9.0)]


def test_an_event_that_was_known_but_is_better_confirmed_now_moves_the_score() -> None:
    from riskwatch.model import Assertion, HistoryStep

    step = HistoryStep(at(-1), Assertion.CONFIRMED, "wire")
    event = an_event("known", first_recorded_at=at(-900), history=(step,))
    world = World((below(for_evaluations=1),))

    (opened,) = world.evaluate(0, seen(50, events=[(event, 9.0)], past=past(63))).transitions

    assert opened.event_ids == ("known",)


def test_a_contribution_whose_event_is_not_at_hand_is_dated_by_itself() -> None:
    score = a_score(50, contributions=(a_contribution(an_event("lost", occurred_at=at(-1)), 5),))

    (opened,) = World((below(for_evaluations=1),)).evaluate(0, seen(past=past(70), score=score)).transitions

    assert opened.event_ids == ("lost",)


# -------------------------------------------------------------------------------- hysteresis
def test_back_over_the_threshold_is_not_good_before_the_margin() -> None:
    world = World((below(for_evaluations=1),))
    world.evaluate(0, seen(59))

    for hour, points in enumerate([61, 62.9, 59, 61], 1):
        world.evaluate(hour, seen(points))

    assert world.steps == ["opened"]
    assert world.is_firing


def test_resolved_is_told_after_it_was_good_for_six_hours() -> None:
    world = World((below(for_evaluations=1),))
    world.evaluate(0, seen(59))
    world.evaluate(1, seen(63))

    assert world.only.state is IncidentState.RECOVERING
    world.evaluate(6, seen(64))
    assert world.only.state is IncidentState.RECOVERING
    (resolved,) = world.evaluate(7, seen(65)).transitions
    assert (resolved.step, resolved.value_old, resolved.value_new) == (Step.RESOLVED, 59, 65)
    assert (world.only.state, world.only.closed_at) == (IncidentState.OK, at(7))


def test_a_relapse_while_recovering_says_nothing_and_starts_the_clock_anew() -> None:
    world = World((below(for_evaluations=1),))
    for hour, points in [(0, 59), (1, 64), (5, 58), (6, 64), (11.5, 64)]:
        world.evaluate(hour, seen(points))

    assert world.steps == ["opened"]
    assert of(world.evaluate(12, seen(64))) == [Step.RESOLVED]


def test_resolved_is_not_told_where_nobody_wants_it() -> None:
    world = World((below(for_evaluations=1, notify_resolved=False, clear_for="0s"),))
    world.evaluate(0, seen(59))

    assert of(world.evaluate(1, seen(70))) == []
    assert world.only.state is IncidentState.OK


# -------------------------------------------------------------------------------- worse
def test_five_points_further_down_are_told_while_it_fires() -> None:
    world = World((below(for_evaluations=1),))
    world.evaluate(0, seen(59))

    assert of(world.evaluate(1, seen(55))) == []
    (update,) = world.evaluate(2, seen(54)).transitions
    assert (update.step, update.value_old, update.value_new) == (Step.UPDATE, 59, 54)
    assert of(world.evaluate(3, seen(50))) == []


def test_a_lower_grade_is_told_while_it_fires() -> None:
    world = World((below(for_evaluations=1),))
    world.evaluate(0, seen(55.5))

    assert of(world.evaluate(1, seen(54.5))) == [Step.UPDATE]
    assert of(world.evaluate(2, seen(55.5))) == []
    assert of(world.evaluate(3, seen(54.5))) == []


def test_a_new_continuity_event_is_told_while_it_fires() -> None:
    world = World((below(for_evaluations=1),))
    world.evaluate(0, seen(59))
    event = an_event("shut", "vendor_shutdown")
    score = a_score(58, contributions=(a_contribution(event, 1.0, Factor.CONTINUITY),))

    assert of(world.evaluate(1, seen(score=score))) == [Step.UPDATE]
    assert of(world.evaluate(2, seen(score=score))) == []


def test_a_worsening_ends_an_acknowledgement() -> None:
    world = World((below(for_evaluations=1),))
    world.evaluate(0, seen(59))
    world.incidents[world.only.key] = replace(world.only, acked_by="J. Doe", acked_at=at(0))

    assert of(world.evaluate(1, seen(53))) == [Step.UPDATE]
    assert world.only.acked_by is None


# -------------------------------------------------------------------------------- cooldown
def closed_at_seven() -> World:
    world = World((below(for_evaluations=1),))
    for hour, points in [(0, 59), (1, 64), (7, 64)]:
        world.evaluate(hour, seen(points))
    return world


def test_after_closing_nothing_is_told_for_a_day() -> None:
    world = closed_at_seven()

    assert of(world.evaluate(8, seen(58))) == []
    assert of(world.evaluate(30.9, seen(58))) == []
    assert of(world.evaluate(31, seen(58))) == [Step.OPENED]
    assert len({one.incident_id for one in world.transitions}) == 2


def test_a_worsening_breaks_the_cooldown() -> None:
    world = closed_at_seven()

    assert of(world.evaluate(8, seen(54))) == [Step.OPENED]


def test_a_pending_incident_that_never_fired_does_not_forget_the_cooldown() -> None:
    world = closed_at_seven()
    world.rules = (below(for_evaluations=2),)

    for hour, points in [(8, 54), (9, 61), (10, 58), (11, 58)]:
        world.evaluate(hour, seen(points))

    assert world.steps == ["opened", "resolved"]


# -------------------------------------------------------------------------------- unknown
@pytest.mark.parametrize(
    "unknown",
    [
        seen(None),
        seen(score=None),
        seen(90, is_stale=True),
        seen(score=a_score(90, confidence=0.4)),
    ],
    ids=["not rated", "no score", "stale", "low confidence"],
)
def test_what_is_unknown_holds_the_state_and_is_never_good(unknown: object) -> None:
    world = World((below(for_evaluations=1),))
    world.evaluate(0, seen(59))

    for hour in range(1, 48):
        world.evaluate(hour, unknown)  # type: ignore[arg-type] # an Observation

    assert world.steps == ["opened"]
    assert world.only.state is IncidentState.FIRING
    assert world.only.is_stale
    world.evaluate(48, seen(59))
    assert not world.only.is_stale


def test_what_is_unknown_opens_nothing_and_leaves_pending_as_it_is() -> None:
    world = World((below(),))

    world.evaluate(0, seen(None))
    assert world.incidents == {}
    world.evaluate(1, seen(59))
    world.evaluate(2, seen(None))
    assert of(world.evaluate(3, seen(59))) == [Step.OPENED]


def test_a_rule_may_ask_to_be_told_when_it_cannot_judge() -> None:
    world = World((below(for_evaluations=1, on_stale="alert"),))

    assert of(world.evaluate(0, seen(90, is_stale=True))) == [Step.OPENED]
    world.evaluate(1, seen(59))
    assert world.only.told_value == 59
    world.evaluate(2, seen(90))
    assert of(world.evaluate(8, seen(90))) == [Step.RESOLVED]


# -------------------------------------------------------------------------------- a factor
def test_a_factor_may_be_below_where_the_score_is_not() -> None:
    world = World((a_rule({"kind": "score_below", "threshold": 60, "factor": "legal"}, for_evaluations=1),))
    score = a_score(90, factors=(a_factor_loss(Factor.LEGAL, 55.0),))

    assert of(world.evaluate(0, seen(90))) == []
    (opened,) = world.evaluate(1, seen(score=score)).transitions
    assert opened.value_new == 55


def test_a_fall_of_a_factor_is_read_from_the_past_of_that_factor() -> None:
    world = drop(factor="legal")
    event = an_event("sued", first_recorded_at=at(-1))
    score = a_score(
        90,
        factors=(a_factor_loss(Factor.LEGAL, 60.0),),
        contributions=(a_contribution(event, 9, Factor.LEGAL), a_contribution(an_event("left"), 5)),
    )
    story = (Point(at(-24), 95, "A", {"legal": 70.0}), Point(at(-12), None, "NR"))

    (opened,) = world.evaluate(0, seen(past=story, score=score)).transitions

    assert (opened.value_old, opened.value_new, opened.event_ids) == (70, 60, ("sued",))


def test_a_factor_without_a_past_has_not_fallen() -> None:
    world = drop(factor="legal")
    score = a_score(90, factors=(a_factor_loss(Factor.LEGAL, 60.0),))

    assert of(world.evaluate(0, seen(past=past(95), score=score))) == []


# -------------------------------------------------------------------------------- falls
def test_a_fall_is_reckoned_from_the_highest_score_of_the_window() -> None:
    world = drop()

    assert of(world.evaluate(0, seen(66, past=past(71, 73)))) == []
    (opened,) = world.evaluate(1, seen(65, past=past(71, 73))).transitions
    assert (opened.value_old, opened.value_new) == (73, 65)


def test_a_fall_may_be_reckoned_from_the_start_of_the_window() -> None:
    world = drop(baseline="start")

    assert of(world.evaluate(0, seen(64, past=past(71, 90)))) == []
    assert of(world.evaluate(1, seen(63, past=past(71, 90)))) == [Step.OPENED]


def test_the_score_in_force_when_the_window_begins_counts() -> None:
    story = (Point(at(-24 * 30), 80, "B"), Point(at(-1), 75, "B"))

    assert of(drop().evaluate(0, seen(71, past=story))) == [Step.OPENED]


def test_an_older_score_does_not_count() -> None:
    story = (Point(at(-24 * 30), 95, "A"), Point(at(-24 * 8), 75, "B"))

    assert of(drop().evaluate(0, seen(71, past=story))) == []


def test_without_a_past_nothing_has_fallen() -> None:
    assert of(drop().evaluate(0, seen(10))) == []
    assert of(drop().evaluate(0, seen(10, past=past(None)))) == []


def test_a_fall_that_left_its_window_closes_without_a_word() -> None:
    world = drop()
    world.history["acme"] = past(71)
    world.evaluate(0, seen(58))
    for hour in range(12, 24 * 9, 12):
        world.evaluate(hour, seen(58))

    assert world.steps == ["opened"]
    assert world.only.state is IncidentState.OK


def test_a_fall_that_was_made_good_is_resolved() -> None:
    world = drop()
    world.history["acme"] = past(71)
    world.evaluate(0, seen(58))
    world.evaluate(12, seen(69))
    world.evaluate(24, seen(69))

    assert world.steps == ["opened", "resolved"]


def test_a_small_fall_can_be_good_again() -> None:
    world = drop(points=2)
    world.history["acme"] = past(71)
    for hour, points in [(0, 69), (12, 70), (24, 70)]:
        world.evaluate(hour, seen(points))

    assert world.steps == ["opened", "resolved"]


# -------------------------------------------------------------------------------- grades
def test_a_grade_counts_as_fallen_beyond_the_margin_only() -> None:
    world = grade()
    world.history["acme"] = past(72)

    assert of(world.evaluate(0, seen(69))) == []
    (opened,) = world.evaluate(1, seen(68)).transitions
    assert (opened.value_old, opened.value_new) == (72, 68)
    assert of(world.evaluate(2, seen(67))) == []


def test_a_grade_over_the_border_by_a_hair_stays_the_old_one() -> None:
    world = grade()
    world.history["acme"] = past(72, 69, 71, 69)

    assert of(world.evaluate(0, seen(67))) == [Step.OPENED]


def test_a_grade_that_recovered_well_starts_a_new_count() -> None:
    world = grade(direction="up")
    world.history["acme"] = past(60)

    assert of(world.evaluate(0, seen(71))) == []
    assert of(world.evaluate(1, seen(72))) == [Step.OPENED]


def test_a_better_grade_in_the_past_that_held_is_the_one_to_fall_from() -> None:
    world = grade()
    world.history["acme"] = past(60, 73)

    (opened,) = world.evaluate(0, seen(66)).transitions

    assert opened.value_old == 73


def test_from_the_best_grade_there_is_no_way_up() -> None:
    world = grade(direction="up")
    world.history["acme"] = past(90)

    assert of(world.evaluate(0, seen(99))) == []


def test_any_change_of_grade_is_told_in_both_directions() -> None:
    for points in (66, 89):
        world = grade(direction="any")
        world.history["acme"] = past(75)

        assert of(world.evaluate(0, seen(points))) == [Step.OPENED]
        assert of(world.evaluate(1, seen(points))) == []


def test_only_grades_at_or_below_a_letter_may_be_asked_for() -> None:
    world = grade(to_at_or_below="D")
    world.history["acme"] = past(75)

    assert of(world.evaluate(0, seen(60))) == []
    assert of(world.evaluate(1, seen(53))) == [Step.OPENED]


def test_a_grade_without_a_past_has_not_changed() -> None:
    assert of(grade().evaluate(0, seen(30))) == []


def test_a_grade_that_was_regained_is_resolved() -> None:
    world = grade()
    world.history["acme"] = past(75)
    for hour, points in [(0, 60), (1, 74), (7, 74)]:
        world.evaluate(hour, seen(points))

    assert world.steps == ["opened", "resolved"]


# -------------------------------------------------------------------------------- no rating
def lost() -> World:
    world = World((a_rule({"kind": "not_rated", "for": "24h"}),))
    world.history["acme"] = past(70)
    return world


def test_a_rating_that_is_lost_for_a_day_is_told_at_once() -> None:
    world = lost()

    assert of(world.evaluate(0, seen(None))) == []
    assert of(world.evaluate(23.9, seen(None))) == []
    assert of(world.evaluate(24, seen(None))) == [Step.OPENED]


def test_a_subject_that_never_had_a_rating_has_lost_none() -> None:
    world = lost()
    world.history["acme"] = past(None, None, None)

    assert of(world.evaluate(100, seen(None))) == []


def test_a_lost_rating_stays_lost_until_there_is_one() -> None:
    world = lost()
    world.evaluate(0, seen(None))
    world.evaluate(24, seen(None))
    world.history["acme"] = past(None, until=at(3000))

    world.evaluate(3000, seen(None))
    world.evaluate(3001, seen(score=None))
    assert world.is_firing
    world.evaluate(3002, seen(70))
    assert of(world.evaluate(3008, seen(70))) == [Step.RESOLVED]


# -------------------------------------------------------------------------------- several
BOTH = [{"kind": "score_below", "threshold": 60}, {"kind": "event", "types": ["*"]}]


def test_all_of_needs_every_one() -> None:
    world = World((a_rule({"kind": "all_of", "of": BOTH}, for_evaluations=1, clear_for="0s"),))
    event = an_event()

    assert of(world.evaluate(0, seen(59))) == []
    assert of(world.evaluate(1, seen(70, events=[(event, 5.0)]))) == []
    (opened,) = world.evaluate(2, seen(59, events=[(event, 5.0)])).transitions
    assert (opened.step, opened.value_new) == (Step.OPENED, 59)
    assert of(world.evaluate(3, seen(59))) == [Step.RESOLVED]


def test_any_of_needs_one_and_is_good_when_all_are() -> None:
    world = World((a_rule({"kind": "any_of", "of": BOTH}, for_evaluations=1, clear_for="0s"),))
    event = an_event()

    assert of(world.evaluate(0, seen(70, events=[(event, 5.0)]))) == [Step.OPENED]
    assert of(world.evaluate(1, seen(61))) == []
    assert of(world.evaluate(2, seen(70))) == [Step.RESOLVED]


def test_a_part_that_is_unknown_makes_the_whole_unknown() -> None:
    world = World((a_rule({"kind": "all_of", "of": BOTH}, for_evaluations=1),))
    world.evaluate(0, seen(59, events=[(an_event(), 5.0)]))

    world.evaluate(1, seen(None, events=[(an_event(), 5.0)]))

    assert world.only.is_stale


def test_a_joined_fall_is_resolved_only_when_it_was_made_good() -> None:
    parts = [{"kind": "score_drop", "points": 8, "window": "7d"}, {"kind": "score_below", "threshold": 60}]
    for points, steps in ((58, ["opened"]), (70, ["opened", "resolved"])):
        world = World((a_rule({"kind": "all_of", "of": parts}, for_evaluations=1),))
        world.history["acme"] = past(71)
        world.evaluate(0, seen(55))
        for hour in range(12, 24 * 9, 12):
            world.evaluate(hour, seen(points))

        assert world.steps == steps


# -------------------------------------------------------------------------------- cause, scope, edits
def test_a_change_of_method_is_the_cause_that_is_told() -> None:
    world = World((below(for_evaluations=1),))

    (opened,) = world.evaluate(0, seen(50, cause="rescore")).transitions

    assert (opened.cause, opened.suppressed_by) == ("rescore", None)


def test_a_verdict_is_evidence() -> None:
    (opened,) = World((below(for_evaluations=1),)).evaluate(0, seen(50, cause="verdict")).transitions

    assert opened.cause == "evidence"


def test_a_fall_that_rests_on_old_events_is_for_the_digest() -> None:
    world = World((below(for_evaluations=1),))
    event = an_event("old", first_recorded_at=at(-1))

    (opened,) = world.evaluate(0, seen(50, events=[(event, 9.0)], old=frozenset({"old"}))).transitions

    assert (opened.step, opened.cause, opened.suppressed_by) == (Step.OPENED, "backfill", "digest_only")
    assert world.only.told_at is None


def test_an_edited_condition_resets_without_a_word() -> None:
    world = World((below(for_evaluations=1),))
    world.evaluate(0, seen(50))
    world.rules = (below(55, for_evaluations=1),)

    decided = world.evaluate(1, seen(56))

    assert of(decided) == []
    assert [one.cause for one in decided.transitions] == ["rule_edit"]
    assert world.only.state is IncidentState.OK


def test_an_edited_condition_may_open_at_once_with_a_new_incident() -> None:
    world = World((below(for_evaluations=1),))
    world.evaluate(0, seen(50))
    world.rules = (below(55, for_evaluations=1),)

    decided = world.evaluate(1, seen(50))

    assert [one.state for one in decided.incidents] == [IncidentState.OK, IncidentState.FIRING]
    assert of(decided) == [Step.OPENED]


def test_an_edit_of_a_closed_rule_forgets_its_cooldown() -> None:
    world = closed_at_seven()
    world.rules = (below(61, for_evaluations=1),)

    assert of(world.evaluate(8, seen(58))) == [Step.OPENED]


def test_a_louder_rule_makes_a_louder_incident() -> None:
    world = World((below(for_evaluations=1),))
    world.evaluate(0, seen(50))
    world.rules = (below(for_evaluations=1, severity="critical", owner="J. Doe"),)

    world.evaluate(1, seen(50))

    assert (str(world.only.severity), world.only.owner) == ("critical", "J. Doe")
    assert world.only.told_at == at(0)


def test_a_subject_that_left_the_scope_is_closed_without_a_word() -> None:
    world = World((below(for_evaluations=1, scope={"tags": ["eu"]}),))
    world.evaluate(0, seen(50, tags=frozenset({"eu"})), seen(50, subject="other"))

    decided = world.evaluate(1, seen(50), seen(50, subject="other"))

    assert of(decided) == []
    assert world.only.state is IncidentState.OK


def test_a_disabled_rule_sees_nothing_and_its_incidents_are_retired() -> None:
    world = World((below(for_evaluations=1),))
    world.evaluate(0, seen(50))
    off = below(enabled=False)

    assert World((off,)).evaluate(0, seen(50)).incidents == ()
    kept = retire(world.incidents.values(), world.rules, now=at(1), new_id=world.new_id)
    gone = retire(world.incidents.values(), (off,), now=at(1), new_id=world.new_id)

    assert kept.incidents == ()
    assert [(one.state, one.closed_at) for one in gone.incidents] == [(IncidentState.OK, at(1))]
    assert [(one.cause, one.step, one.seq) for one in gone.transitions] == [("rule_edit", None, 2)]
    assert retire(gone.incidents, (off,), now=at(2), new_id=world.new_id).transitions == ()


# -------------------------------------------------------------------------------- repeats
def test_it_is_said_again_as_often_as_the_rule_asks() -> None:
    world = World((below(for_evaluations=1, repeat_every="12h"),))

    said = [hour for hour in range(30) if of(world.evaluate(hour, seen(50)))]

    assert said == [0, 12, 24]


def test_an_acknowledgement_stops_repeats_until_it_ends() -> None:
    world = World((below(for_evaluations=1, repeat_every="12h"),))
    world.evaluate(0, seen(50))
    world.incidents[world.only.key] = replace(world.only, acked_by="J. Doe", acked_until=at(20))

    said = [hour for hour in range(1, 30) if of(world.evaluate(hour, seen(50)))]

    assert said == [20]
    assert world.only.acked_by is None
