"""Rules and Observations -> Incidents and their Transitions; pure, and the same whatever the order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from riskwatch.model import Dependency, Incident, IncidentState, Transition, Vendor
from riskwatch.send.concentration import concentration
from riskwatch.send.conditions import Concentration, EventCondition, Staleness
from riskwatch.send.course import Course, NewId, Told, incident_key
from riskwatch.send.happenings import follow_events, matching
from riskwatch.send.judge import Judge, Reading, State
from riskwatch.send.levels import follow
from riskwatch.send.observe import Decided, Observation, Point, Watch
from riskwatch.send.rule import AlertRule

__all__ = [
    "ALL_SOURCES",
    "PORTFOLIO",
    "Decided",
    "Observation",
    "Point",
    "Watch",
    "decide",
    "decide_portfolio",
    "decide_watches",
    "incident_key",
    "retire",
    "told",
]
ALL_SOURCES = "all"  # subject of the one Incident when nothing comes in any more
PORTFOLIO = "portfolio"


def decide(
    rules: Sequence[AlertRule],
    observations: Sequence[Observation],
    *,
    incidents: Mapping[str, Incident],
    now: datetime,
    new_id: NewId,
    borders: Mapping[str, float],
) -> Decided:
    """Return what changes when rules on scores and Events look at Subjects once.

    Args:
        rules: All that are in force; those on feeds and the portfolio are passed over.
        observations: Of all Subjects of each vendor concerned.
        incidents: Key -> newest Incident, open or closed.
        now: Instant of the evaluation; the same one twice changes nothing.
        new_id: Gives ids that sort by time.
        borders: Grade -> lowest points, from the methodology.
    """
    ordered = sorted(observations, key=lambda seen: seen.subject)
    courses = []
    for rule in sorted(rules, key=lambda rule: rule.id):
        if isinstance(rule.condition, Concentration | Staleness) or not rule.enabled:
            continue
        watched = {seen.subject for seen in ordered if _covers(rule, seen)}
        evaluation = _Evaluation(rule, rule.condition_hash, incidents, now, new_id)
        courses += [evaluation.one(seen, watched, borders) for seen in ordered]
    return _gathered(courses)


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """One rule at one instant."""

    rule: AlertRule
    condition_hash: str
    incidents: Mapping[str, Incident]
    now: datetime
    new_id: NewId

    def course(self, subject: str, snapshot_id: str | None = None) -> Course:
        before = self.incidents.get(incident_key(self.rule.id, subject))
        return Course(self.rule, self.condition_hash, subject, before, self.now, self.new_id, snapshot_id)

    def one(self, seen: Observation, watched: set[str], borders: Mapping[str, float]) -> Course:
        course = self.course(seen.subject, seen.snapshot_id)
        if seen.subject not in watched:
            if course.state is not IncidentState.OK:
                course.move(IncidentState.OK, Told(cause="rule_edit"))
        elif isinstance(self.rule.condition, EventCondition):
            follow_events(course, self.rule.condition, seen, is_watched=watched.__contains__)
        else:
            judge = Judge(
                self.rule, seen, self.now, borders,
                matches=lambda condition: bool(matching(condition, seen, watched.__contains__)),
                is_open=course.is_open,
            )  # fmt: skip
            follow(course, judge.read(), judge=judge)
        return course


def _covers(rule: AlertRule, seen: Observation) -> bool:
    return rule.scope.covers(seen.subject, tags=seen.tags, criticality=seen.criticality)


# -------------------------------------------------------------------------------- feeds
def decide_watches(
    rules: Sequence[AlertRule],
    watches: Sequence[Watch],
    *,
    incidents: Mapping[str, Incident],
    now: datetime,
    new_id: NewId,
) -> Decided:
    """Return what changes when rules on staleness look at what should come in.

    When nothing of a kind comes in any more, that is one Incident, not one for each.
    """
    courses = []
    for rule in sorted(rules, key=lambda rule: rule.id):
        if isinstance(rule.condition, Staleness) and rule.enabled:
            mine = sorted(
                (watch for watch in watches if watch.kind == rule.condition.subject),
                key=lambda watch: watch.subject,
            )
            evaluation = _Evaluation(rule, rule.condition_hash, incidents, now, new_id)
            courses += _watched(evaluation, rule.condition, mine)
    return _gathered(courses)


def _watched(evaluation: _Evaluation, condition: Staleness, watches: Sequence[Watch]) -> list[Course]:
    courses = []
    if len(watches) > 1:
        whole = evaluation.course(ALL_SOURCES)
        follow(whole, _is_silent(watches, condition, evaluation.now))
        courses.append(whole)
        if whole.is_open:
            return courses  # the single ones wait until it is clear which of them stay silent
    for watch in watches:
        one = evaluation.course(watch.subject)
        follow(one, _reading(_silence(watch, evaluation.now) > condition.older_than.total_seconds()))
        courses.append(one)
    return courses


def _is_silent(watches: Sequence[Watch], condition: Staleness, now: datetime) -> Reading:
    """Whether one is stale and nothing at all came in for half of that time."""
    ages = [_silence(watch, now) for watch in watches]
    limit = condition.older_than.total_seconds()
    return _reading(max(ages) > limit and min(ages) > limit / 2)


def _silence(watch: Watch, now: datetime) -> float:
    """Return for how many seconds nothing came in; 0 where it was only just asked for."""
    last = watch.last_ok_at or watch.since
    return 0.0 if last is None else (now - last).total_seconds()


def _reading(is_bad: bool) -> Reading:  # noqa: FBT001 - a reading is one bit
    return Reading(State.BAD if is_bad else State.GOOD)


# -------------------------------------------------------------------------------- portfolio
def decide_portfolio(
    rules: Sequence[AlertRule],
    dependencies: Sequence[Dependency],
    vendors: Mapping[str, Vendor],
    *,
    incidents: Mapping[str, Incident],
    now: datetime,
    new_id: NewId,
) -> Decided:
    """Return what changes when rules on concentration look at the portfolio; values are percent."""
    courses = []
    for rule in sorted(rules, key=lambda rule: rule.id):
        if not isinstance(rule.condition, Concentration) or not rule.enabled:
            continue
        course = _Evaluation(rule, rule.condition_hash, incidents, now, new_id).course(PORTFOLIO)
        value = concentration(dependencies, vendors, metric=rule.condition.metric, over=rule.condition.over)
        follow(course, _share(value, 100 * rule.condition.above, rule.clear_margin))
        courses.append(course)
    return _gathered(courses)


def _share(share: float | None, limit: float, margin: float) -> Reading:
    if share is None:
        return Reading(State.GOOD, sign=-1)
    value = 100 * share
    if value > limit:
        return Reading(State.BAD, value, sign=-1)
    return Reading(State.GOOD if value <= max(limit - margin, 0.0) else State.BETWEEN, value, sign=-1)


# -------------------------------------------------------------------------------- what remains
def retire(
    open_incidents: Iterable[Incident], rules: Sequence[AlertRule], *, now: datetime, new_id: NewId
) -> Decided:
    """Close the Incidents of rules that are gone or switched off, without a word."""
    kept = {rule.id for rule in rules if rule.enabled}
    made, transitions = [], []
    for incident in sorted(open_incidents, key=lambda one: one.id):
        if incident.rule_id in kept or incident.state is IncidentState.OK:
            continue
        seq = incident.seq + 1
        transitions.append(
            Transition(
                new_id(),
                incident.id,
                seq,
                incident.state,
                IncidentState.OK,
                None,
                "rule_edit",
                None,
                None,
                now,
            )
        )
        made.append(replace(incident, state=IncidentState.OK, seq=seq, closed_at=now, evaluated_at=now))
    return Decided(tuple(made), tuple(transitions))


def told(incidents: Iterable[Incident], transitions: Iterable[Transition]) -> tuple[Incident, ...]:
    """Return Incidents with told_at: when something that nobody suppressed was last said of them.

    To be called with what `suppress` returned; an Incident whose told_at is None was never told.
    """
    said = {
        one.incident_id: one.occurred_at
        for one in sorted(transitions, key=lambda one: (one.incident_id, one.seq))
        if one.step is not None and one.suppressed_by is None
    }
    return tuple(replace(one, told_at=said[one.id]) if one.id in said else one for one in incidents)


def _gathered(courses: Iterable[Course]) -> Decided:
    incidents: list[Incident] = []
    transitions: list[Transition] = []
    since: dict[str, datetime] = {}
    for course in sorted(courses, key=lambda one: (one.subject, one.rule.id)):
        incidents += course.changed
        transitions += course.transitions
        since.update(course.since)
    return Decided(tuple(incidents), tuple(transitions), since)
