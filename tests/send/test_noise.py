"""Noise is not news: the generator of fault 33, a flood, a back-fill, a change of method."""

from __future__ import annotations

import random
import statistics
from collections import Counter
from dataclasses import dataclass, field, replace

import pytest

from riskwatch.model import (
    Delivery,
    DeliveryState,
    DueGroup,
    Incident,
    NotifyGroup,
    Queued,
    Severity,
    Step,
    Transition,
)
from riskwatch.send.decide import Decided, Point
from riskwatch.send.message import Alert
from riskwatch.send.observe import Observation
from riskwatch.send.rule import AlertRule
from riskwatch.send.suppress import Routing, flush, queue, suppress
from riskwatch.settings import load
from tests.send.makers import T0, World, an_event, at, below, seen
from tests.send.test_flush import RECEIVERS

SD, THRESHOLD = 1.5, 60.0


@dataclass
class Telling(World):
    """A World that counts what each subject was told of, and suppresses as the product does."""

    told: Counter[str] = field(default_factory=Counter)
    last: tuple[Transition, ...] = ()

    def keep(self, decided: Decided) -> None:
        self.last = suppress(
            decided.transitions,
            incidents={one.id: one for one in decided.incidents},
            routing=Routing(rules={rule.id: rule for rule in self.rules}),
            silences=(),
            open_incidents=[one for one in self.incidents.values() if one.state != "ok"],
            now=T0,
        )
        super().keep(Decided(decided.incidents, self.last))
        subjects = {one.id: one.subject for one in decided.incidents}
        self.told.update(subjects[one.incident_id] for one in self.last if one.step and not one.suppressed_by)


def hover(rules: tuple[AlertRule, ...], *, vendors: int, hours: int, around: float = THRESHOLD) -> list[int]:
    """How often each of many vendors is told of whose scores hover around a threshold, judged hourly."""
    chance, world, names = random.Random(33), Telling(rules), [f"v{i:03}" for i in range(vendors)]
    history: dict[str, list[Point]] = {name: [] for name in names}
    for hour in range(hours):
        looks: list[Observation] = []
        for name in names:
            one = seen(around + chance.gauss(0, SD), subject=name, past=tuple(history[name][-168:]))
            looks.append(one)
        world.evaluate(hour, *looks, remember=False)
        if len(rules) > 1:
            for one in looks:
                assert one.score is not None
                history[one.subject].append(Point(at(hour), one.score.points, str(one.score.grade)))
    return [world.told[name] for name in names]


def p90(counts: list[int]) -> int:
    return sorted(counts)[int(len(counts) * 0.9)]


# -------------------------------------------------------------------------------- fault 33
@pytest.mark.slow
def test_sixty_hovering_vendors_are_told_of_three_times_in_ninety_days_at_most() -> None:
    counts = hover((below(),), vendors=60, hours=24 * 90)

    assert statistics.median(counts) <= 3
    assert p90(counts) <= 3


def test_without_hysteresis_the_same_noise_is_hundreds_of_messages() -> None:
    plain = below(for_evaluations=1, clear_margin=0, clear_for="0s", cooldown="0s")

    assert statistics.median(hover((plain,), vendors=5, hours=24 * 90)) > 100


@pytest.mark.slow
def test_the_shipped_rules_stay_quiet_at_the_border_of_a_grade() -> None:
    rules = tuple(
        rule for rule in load(environ={}).alerts.rules if rule.kind in ("grade_change", "score_drop")
    )

    counts = hover(rules, vendors=30, hours=24 * 30, around=55.0)

    assert statistics.median(counts) <= 3
    assert p90(counts) <= 3


def test_a_real_fall_is_told_at_most_one_evaluation_later() -> None:
    chance = random.Random(33)
    for after in range(20):
        world = Telling((below(),))
        for hour in range(after):
            world.evaluate(hour, seen(66 + chance.gauss(0, SD)))
        quiet = world.steps.count("opened")

        world.evaluate(after, seen(54))
        world.evaluate(after + 1, seen(54))

        assert (quiet, world.steps[-1]) == (0, "opened")


def test_a_real_fall_of_a_hovering_vendor_is_told_whatever_was_said_before() -> None:
    chance = random.Random(33)
    for after in range(1, 60):
        world = Telling((below(),))
        for hour in range(after):
            world.evaluate(hour, seen(THRESHOLD + chance.gauss(0, SD)))
        before = len(world.steps)

        world.evaluate(after, seen(THRESHOLD - 12))
        world.evaluate(after + 1, seen(THRESHOLD - 12))

        assert len(world.steps) == before + 1, after


def test_worsening_while_it_fires_is_told_each_time() -> None:
    world = Telling((below(),))

    for hour, points in enumerate([58, 58, 57, 52.9, 51, 47, 38]):
        world.evaluate(hour, seen(points))

    assert world.steps == ["opened", "update", "update", "update"]


# -------------------------------------------------------------------------------- fault 35, 36, 37
def test_stale_scores_of_all_vendors_say_nothing_about_them() -> None:
    rules = tuple(load(environ={}).alerts.rules)
    world = Telling(rules)
    event = an_event()
    world.evaluate(0, seen(50, events=[(event, 9.0)]))
    said = list(world.steps)

    for hour in range(1, 20):
        world.evaluate(hour, seen(90, events=[(event, 0.1)], is_stale=True))

    assert world.steps == said
    assert "resolved" not in said


def test_a_back_fill_of_two_years_raises_no_immediate_alert() -> None:
    world = Telling(tuple(load(environ={}).alerts.rules))
    events = [
        (
            an_event(
                f"e{i:03}", "vendor_shutdown", first_recorded_at=at(i / 100), occurred_at=at(-24 * 7 * i)
            ),
            9.0,
        )
        for i in range(1, 100)
    ]
    for i in range(1, 100):
        known = events[:i]
        look = seen(95 - i / 2, events=known, old=frozenset(event.id for event, _ in known), criticality=1)
        world.evaluate(i / 100, look)

    assert len(world.transitions) > 100
    assert world.steps == []


# -------------------------------------------------------------------------------- fault 32, 36
def flood(size: int, cause: str = "change") -> tuple[list[Delivery], tuple[Queued, ...]]:
    """Decide, suppress, queue and flush one run in which that many vendors fall."""
    rules = (below(for_evaluations=1), below(30, id="deep", severity="critical", for_evaluations=1))
    world = Telling(rules)
    looks = [seen(20 if i % 10 == 0 else 50, subject=f"v{i:05}", cause=cause) for i in range(size)]
    decided = world.evaluate(0, *looks, remember=False)
    incidents: dict[str, Incident] = {one.id: one for one in decided.incidents}
    alerts = [_worded(one, incidents[one.incident_id]) for one in world.last]
    queued = queue(
        alerts,
        incidents=incidents,
        routing=Routing({rule.id: rule for rule in rules}, (), RECEIVERS),
        now=T0,
    )
    by_id = {one.id: one for one in alerts}
    groups: dict[tuple[str, str, str], list[Transition]] = {}
    for one in queued:
        groups.setdefault((one.route_id, one.receiver_id, one.group_key), []).append(by_id[one.transition_id])
    due = [
        DueGroup(NotifyGroup(f"g{i:06}", route, receiver, key, T0), tuple(told))
        for i, ((route, receiver, key), told) in enumerate(sorted(groups.items()))
    ]
    return list(flush(due, receivers=RECEIVERS, incidents=incidents, now=T0, new_id=world.new_id)), queued


def _worded(one: Transition, incident: Incident) -> Transition:
    alert = Alert(
        incident_id=incident.id,
        transition_id=one.id,
        step=one.step or Step.OPENED,
        severity=incident.severity,
        rule_id=incident.rule_id,
        rule_name="Low",
        rule_kind="score_below",
        subject=incident.subject,
        subject_name=incident.subject,
        headline="x",
        as_of=T0,
    )
    return replace(one, alert=alert.model_dump(mode="json"))


@pytest.mark.slow
def test_a_flood_is_one_message_for_each_recipient_with_the_right_counts() -> None:
    made, queued = flood(9_100)

    assert len(queued) == 3 * 10_010
    people = [one for one in made if one.kind != "webhook"]
    assert [(one.receiver_id, one.recipient) for one in people] == [
        ("mail", "a@example.com"), ("mail", "b@example.com"), ("slack", "slack"),
    ]  # fmt: skip
    for one in people:
        assert (one.payload["total"], one.payload["vendors"]) == (10_010, 9_100)
        assert one.payload["by_severity"] == {"warning": 9_100, "critical": 910}
        assert {alert["severity"] for alert in one.payload["gravest"]} == {str(Severity.CRITICAL)}
    machines = [one for one in made if one.kind == "webhook"]
    assert len(machines) == len({one.idempotency_key for one in machines}) == 10_010


def test_a_change_of_method_is_one_held_summary_for_each_recipient() -> None:
    made, _ = flood(300, cause="rescore")

    assert [(one.receiver_id, one.recipient) for one in made] == [
        ("hook", "hook"), ("mail", "a@example.com"), ("mail", "b@example.com"), ("slack", "slack"),
    ]  # fmt: skip
    assert {one.state for one in made} == {DeliveryState.HELD}
    assert {one.payload["title"] for one in made} == {"The method changed: 330 alerts over 300 vendors"}
