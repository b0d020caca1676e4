"""Conditions that last: pending, firing, recovering and closed again, by what a Reading says."""

from __future__ import annotations

from dataclasses import replace
from math import fsum

from riskwatch.model import IncidentState, Step
from riskwatch.send.course import DIGEST_ONLY, Course, Told
from riskwatch.send.judge import Judge, Reading, State, is_worse_grade, needs_patience
from riskwatch.send.observe import Observation

_BACKFILL_SHARE = 0.8  # of a movement: so much of it rests on old Events


def follow(course: Course, reading: Reading, *, judge: Judge | None = None) -> None:
    """Move an Incident by one Reading.

    Args:
        course: The Incident.
        reading: What its condition says now.
        judge: What made the Reading; None where no Score stands behind it.
    """
    if reading.state is State.UNKNOWN:
        if course.is_open:
            course.update(is_stale=True)
        return
    course.update(is_stale=False)
    if course.is_open:
        course.end_ack()
        _open(course, reading, judge)
    elif reading.state is State.BAD:
        _bad(course, reading, judge)
    elif course.state is IncidentState.PENDING:
        course.move(IncidentState.OK, Told(cause="time", new=reading.value))
        course.update(bad_count=0)


# -------------------------------------------------------------------------------- not yet firing
def _bad(course: Course, reading: Reading, judge: Judge | None) -> None:
    if course.state is IncidentState.OK:
        if _is_cooling(course, reading):
            return
        course.begin()
    needed = course.rule.for_evaluations if needs_patience(course.rule) else 1
    is_new = course.state is IncidentState.OK
    is_later = course.incident.evaluated_at is None or course.now > course.incident.evaluated_at
    count = 1 if is_new else course.incident.bad_count + is_later
    if count >= needed:
        course.update(bad_count=count)
        _tell(course, reading, judge, _opened(reading, judge))
    elif is_new:
        course.move(IncidentState.PENDING, Told(cause=_cause(judge), new=reading.value))
        course.update(bad_count=count, last_value=reading.value, last_grade=reading.grade)
    elif is_later:
        course.update(bad_count=count, evaluated_at=course.now, last_value=reading.value)


def _is_cooling(course: Course, reading: Reading) -> bool:
    closed_at = course.incident.closed_at
    if closed_at is None or course.now >= closed_at + course.rule.cooldown:
        return False
    return not _is_worse(course, reading)


def _is_worse(course: Course, reading: Reading) -> bool:
    """Whether it got worse than what was last said, which nothing may hide."""
    last = course.incident
    if reading.value is not None and last.told_value is not None:
        fall = (last.told_value - reading.value) * reading.sign
        if fall >= course.rule.renotify_on_worsen:
            return True
    if reading.sign > 0 and is_worse_grade(reading.grade, last.told_grade):
        return True
    return bool({mark.event_id for mark in reading.continuity} - {mark.event_id for mark in last.events})


def _opened(reading: Reading, judge: Judge | None) -> Told:
    start = reading.start
    return Told(
        Step.OPENED,
        _cause(judge),
        old=None if start is None else start.points,
        new=reading.value,
        event_ids=tuple(mark.event_id for mark in reading.moved),
        since=None if start is None else start.at,
    )


# -------------------------------------------------------------------------------- firing, recovering
def _open(course: Course, reading: Reading, judge: Judge | None) -> None:
    if reading.value is not None:
        course.update(last_value=reading.value, last_grade=reading.grade)
    if reading.state is State.GOOD:
        _good(course, reading, judge)
        return
    if course.state is IncidentState.RECOVERING:
        course.move(IncidentState.FIRING, Told(cause=_cause(judge), new=reading.value))
        course.update(good_since=None)
    if reading.state is not State.BAD:
        return
    last = course.incident
    if _is_worse(course, reading):
        course.end_ack(is_worse=True)
        _tell(course, reading, judge, _update(course, reading, _cause(judge)))
    elif course.is_repeat_due:
        course.move(IncidentState.FIRING, _update(course, reading, "time"))
    elif last.told_value is None and reading.value is not None:
        course.update(told_value=reading.value, told_grade=reading.grade)


def _update(course: Course, reading: Reading, cause: str) -> Told:
    last = course.incident
    return Told(
        Step.UPDATE,
        cause,
        old=last.told_value,
        new=reading.value,
        event_ids=tuple(mark.event_id for mark in reading.moved),
        since=last.told_at or last.opened_at,
    )


def _good(course: Course, reading: Reading, judge: Judge | None) -> None:
    if course.state is IncidentState.FIRING:
        course.move(IncidentState.RECOVERING, Told(cause=_cause(judge), new=reading.value))
        course.update(good_since=course.now)
    since, opened_at = course.incident.good_since or course.now, course.incident.opened_at or course.now
    if course.now - since < course.rule.clear_for:
        return
    is_back = judge is None or judge.is_back(opened_at)
    course.move(
        IncidentState.OK,
        Told(
            Step.RESOLVED if is_back and course.rule.notify_resolved else None,
            "time",
            old=course.incident.told_value,
            new=reading.value,
            event_ids=tuple(mark.event_id for mark in course.incident.events),
            since=course.incident.told_at or opened_at,
        ),
    )


# -------------------------------------------------------------------------------- saying it
def _tell(course: Course, reading: Reading, judge: Judge | None, told: Told) -> None:
    if judge is not None and told.cause != "rescore" and _rests_on_old(judge.seen, reading):
        told = replace(told, cause="backfill")
    course.move(IncidentState.FIRING, told, suppressed_by=DIGEST_ONLY if told.cause == "backfill" else None)
    if told.step is Step.OPENED:
        course.update(events=())
    course.remember((*reading.moved, *reading.continuity))
    course.update(
        told_value=reading.value,
        told_grade=reading.grade,
        last_value=reading.value,
        last_grade=reading.grade,
    )


def _rests_on_old(seen: Observation, reading: Reading) -> bool:
    """Whether a movement comes from Events that were long past when they were read."""
    old = fsum(mark.points for mark in reading.moved if mark.event_id in seen.old)
    return old > 0 and old >= _BACKFILL_SHARE * fsum(mark.points for mark in reading.moved)


def _cause(judge: Judge | None) -> str:
    return "time" if judge is None else cause_of(judge.seen)


def cause_of(seen: Observation, otherwise: str = "change") -> str:
    """Return the cause of a Transition: that of the Snapshot where it says more than that it was made."""
    if seen.cause in ("rescore", "backfill"):
        return seen.cause
    return "evidence" if seen.cause == "verdict" else otherwise
