"""Conditions on Events: each Event is told once, then only what makes it worse, wrong or over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from riskwatch.model import Assertion, Event, EventMark, EventState, IncidentState, Step, told_at, vendor_of
from riskwatch.send.conditions import EventCondition
from riskwatch.send.course import DIGEST_ONLY, Course, Told
from riskwatch.send.levels import cause_of
from riskwatch.send.observe import Observation

GAIN = 3.0  # points that make a told Event worth telling again
_GONE = (EventState.DENIED, EventState.WITHDRAWN, EventState.REJECTED)
_ASSERTIONS = [str(one) for one in (Assertion.RUMOURED, Assertion.REPORTED, Assertion.CONFIRMED)]
IsWatched = Callable[[str], bool]


def matching(condition: EventCondition, seen: Observation, is_watched: IsWatched) -> tuple[Event, ...]:
    """Return the Events of a Subject that the condition means, by id.

    Args:
        condition: Of the rule.
        seen: The Subject.
        is_watched: Whether the rule watches a Subject of the same vendor: an Event is told at its home.
    """
    points = seen.points
    return tuple(
        event
        for id_, event in sorted(seen.events.items())
        if _is_meant(event, condition, seen, points) and _is_here(event, seen, points, is_watched)
    )


def _is_here(event: Event, seen: Observation, points: Mapping[str, float], is_watched: IsWatched) -> bool:
    """Whether an Event is told at this Subject: at its home, or where the rule does not watch that."""
    home = told_at(event.home) if vendor_of(event.home) == seen.vendor else seen.vendor
    return home == seen.subject or (not is_watched(home) and event.id in points)


def _is_meant(
    event: Event, condition: EventCondition, seen: Observation, counted: Mapping[str, float]
) -> bool:
    points = counted.get(event.id)
    is_live = event.merged_into is None and event.state is EventState.LIVE
    # only harmful Events cost points: "*" asks for one that does
    is_type = points is not None if "*" in condition.types else event.type in condition.types
    return (
        is_live
        and is_type
        and event.assertion in condition.assertions
        and event.corroboration >= condition.min_sources
        and (points or 0.0) >= condition.min_points
        and seen.credibility.get(event.id, 0.0) >= condition.min_credibility
        and all(event.attributes.get(name) == value for name, value in condition.attrs.items())
    )


@dataclass(slots=True)
class _Happenings:
    """What an Observation says about the Events of one Incident."""

    course: Course
    condition: EventCondition
    seen: Observation
    points: Mapping[str, float]

    # ------------------------------------------------------------------------ told before
    def follow_merges(self) -> None:
        """Let a mark follow its Event into the one that swallowed it."""
        by_id: dict[str, EventMark] = {}
        for mark in self.course.incident.events:
            id_ = self._living(mark.event_id)
            if id_ == mark.event_id or id_ not in by_id:
                by_id[id_] = replace(mark, event_id=id_)
        self.course.update(events=tuple(by_id[id_] for id_ in sorted(by_id)))

    def _living(self, id_: str) -> str:
        passed = {id_}
        while (event := self.seen.events.get(id_)) is not None and event.merged_into not in (None, *passed):
            id_ = str(event.merged_into)
            passed.add(id_)
        return id_

    def _told(self) -> Iterable[tuple[EventMark, Event]]:
        for mark in self.course.incident.events:
            event = self.seen.events.get(mark.event_id)
            if event is not None and not mark.is_denied:
                yield mark, event

    def denied(self) -> tuple[EventMark, ...]:
        """Return what was told and turned out not to be so."""
        return tuple(
            replace(mark, is_denied=True)
            for mark, event in self._told()
            if event.state in _GONE or event.assertion is Assertion.DENIED
        )

    def closed(self) -> tuple[EventMark, ...]:
        """Return what was told and is over since: restored, lifted, settled."""
        return tuple(
            replace(mark, is_closed=True)
            for mark, event in self._told()
            if event.closed_at is not None and event.closed_at <= self.course.now and not mark.is_closed
        )

    def worse(self) -> tuple[EventMark, ...]:
        """Return what costs more, or is better confirmed, than when it was told."""
        relief = self._relief()
        return tuple(
            replace(
                mark, points=max(self.points.get(event.id, 0.0), mark.points), assertion=str(event.assertion)
            )
            for mark, event in self._told()
            if not mark.is_closed
            and event.id not in relief
            and (
                self.points.get(event.id, 0.0) >= mark.points + GAIN
                or _strength(event.assertion) > _strength(mark.assertion)
            )
        )

    def as_of_now(self) -> tuple[EventMark, ...]:
        """Return what earlier Incidents told as it stands now: only what comes next can be worse."""
        return tuple(_as_now(mark, event, self.points) for mark, event in self._told())

    def is_costly(self) -> bool:
        """Whether an Event of the Incident still counts enough to keep it open."""
        least, incident = self.condition.min_points, self.course.incident
        if least > 0:
            return any(self.points.get(mark.event_id, 0.0) >= least for mark, _ in self._told())
        last = max(filter(None, (incident.opened_at, incident.told_at)), default=self.course.now)
        return self.course.now - last < self.course.rule.cooldown

    def is_pending(self) -> bool:
        """Whether an Event of the Incident is neither closed nor denied, and still counts."""
        return any(
            not mark.is_closed
            and self.points.get(mark.event_id, 0.0) >= max(self.condition.min_points, _SOME)
            for mark, _ in self._told()
        )

    # ------------------------------------------------------------------------ new
    def fresh(self, events: Iterable[Event]) -> tuple[EventMark, ...]:
        """Return marks of what was never told, or was over or denied and is so again."""
        marks = {mark.event_id: mark for mark in self.course.incident.events}
        found = []
        for event in events:
            mark = marks.get(event.id)
            is_closed = event.closed_at is not None
            if mark is None or mark.is_denied or (mark.is_closed and not is_closed):
                points = self.points.get(event.id, 0.0)
                found.append(
                    EventMark(event.id, event.type, points, str(event.assertion), is_closed=is_closed)
                )
        return tuple(found)

    def eased(self) -> tuple[EventMark, ...]:
        """Return what newly, or more surely, eases a told Event: a replacement is named, a ban lifted."""
        told = {mark.event_id: mark.assertion for mark in self.course.incident.events}
        return tuple(
            EventMark(event.id, event.type, 0.0, str(event.assertion))
            for event in (self.seen.events.get(id_) for id_ in sorted(self._relief()))
            if event is not None
            and event.assertion in self.condition.assertions
            and _strength(event.assertion) > _strength(told.get(event.id, ""))
        )

    def is_told_closed(self, id_: str) -> bool:
        """Whether what closes an Event was told: the closing itself is no news then."""
        told = {mark.event_id for mark in self.course.incident.events}
        return any(id_ in event.closes for event in self.seen.events.values() if event.id in told)

    def was_known(self, mark: EventMark) -> bool:
        """Whether an Event was recorded when the Incident was last told."""
        first, told_at = self.seen.events[mark.event_id].first_recorded_at, self.course.incident.told_at
        return first is not None and told_at is not None and first <= told_at

    def _relief(self) -> set[str]:
        """Return ids of what eases the Events of the Incident."""
        score, told = self.seen.score, {mark.event_id for mark in self.course.incident.events}
        shares = () if score is None else score.contributions
        return {id_ for share in shares if share.event_id in told for id_ in share.relieved_by}


_SOME = 0.05  # points: less is shown as nothing


def follow_events(
    course: Course, condition: EventCondition, seen: Observation, *, is_watched: IsWatched
) -> None:
    """Move an Incident by the Events of a Subject."""
    here = _Happenings(course, condition, seen, seen.points)
    here.follow_merges()
    course.end_ack()
    worse = here.worse() if course.is_open else ()
    _say_new(here, worse, cause_of(seen, "evidence"))
    fresh = here.fresh(matching(condition, seen, is_watched))
    if course.is_open and all(map(here.was_known, fresh)):
        _say_eased(here, fresh)
    _say_new(here, here.fresh(matching(condition, seen, is_watched)), cause_of(seen))
    if course.is_open:
        _say_eased(here)
    if course.incident.opened_at is not None:
        _say_over(here)
    if course.is_repeat_due:
        ids = tuple(mark.event_id for mark in course.incident.events if not mark.is_denied)
        course.move(IncidentState.FIRING, Told(Step.UPDATE, "time", event_ids=ids))


def _say_new(here: _Happenings, marks: tuple[EventMark, ...], cause: str) -> None:
    """Tell Events; those long past are told in the digest only."""
    for is_old in (False, True):
        some = tuple(mark for mark in marks if (mark.event_id in here.seen.old) is is_old)
        if some:
            _say(here, some, "backfill" if is_old and cause != "rescore" else cause)


def _say_eased(here: _Happenings, along: tuple[EventMark, ...] = ()) -> None:
    """Tell relief that came later; what was there with the harm stands in its message.

    Args:
        here: The Incident.
        along: Known Events that count enough now only because others were eased.
    """
    eased = here.eased()
    if here.course.transitions:
        here.course.remember(eased)
    elif eased:
        _say_new(here, eased, cause_of(here.seen, "relief"))
        here.course.remember(along)


def _say(here: _Happenings, marks: tuple[EventMark, ...], cause: str) -> None:
    course, score, past = here.course, here.seen.score, here.seen.past
    if course.is_open:
        course.end_ack(is_worse=True)
    else:
        course.begin()
        course.remember(here.as_of_now())
    last = course.incident
    is_update = course.is_open and last.told_value is not None
    points = None if score is None else score.points
    course.move(
        IncidentState.FIRING,
        Told(
            Step.UPDATE if course.is_open else Step.OPENED,
            cause,
            old=last.told_value if is_update else (past[-1].points if past else None),
            new=points,
            event_ids=_ids(marks),
            since=(last.told_at or last.opened_at) if is_update else (past[-1].at if past else None),
        ),
        suppressed_by=DIGEST_ONLY if cause == "backfill" else None,
    )
    grade = None if score is None else str(score.grade)
    course.remember(marks)
    course.update(told_value=points, told_grade=grade, last_value=points, last_grade=grade)


def _say_over(here: _Happenings) -> None:
    """Tell what was denied or has ended, also after the Incident closed; close it when nothing is left."""
    course, denied = here.course, here.denied()
    if denied:
        course.remember(denied)
        to = course.state if here.is_pending() else IncidentState.OK
        course.move(to, Told(Step.CORRECTION, "evidence", event_ids=_ids(denied)))
    closed = here.closed()
    if closed:
        course.remember(closed)
        _say_closed(here, closed)
    if course.is_open and not here.seen.is_stale and here.seen.score is not None and not here.is_costly():
        course.move(IncidentState.OK, Told(cause="time"))


def _say_closed(here: _Happenings, closed: tuple[EventMark, ...]) -> None:
    course = here.course
    if here.is_pending() and course.is_open:
        is_said = course.transitions or all(here.is_told_closed(mark.event_id) for mark in closed)
        if not is_said:
            course.move(course.state, Told(Step.UPDATE, "relief", event_ids=_ids(closed)))
        return
    step = Step.RESOLVED if course.rule.notify_resolved else None
    course.move(IncidentState.OK, Told(step, "evidence", event_ids=_ids(closed)))


def _as_now(mark: EventMark, event: Event, points: Mapping[str, float]) -> EventMark:
    cost = max(points.get(event.id, 0.0), mark.points)
    return replace(mark, points=cost, assertion=str(event.assertion))


def _ids(marks: Iterable[EventMark]) -> tuple[str, ...]:
    return tuple(mark.event_id for mark in marks)


def _strength(assertion: str) -> int:
    return _ASSERTIONS.index(str(assertion)) if str(assertion) in _ASSERTIONS else -1
