"""What is not said, and why: silences, alerts that another one covers, what nobody heard of before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import fsum

from riskwatch.model import Incident, IncidentState, Severity, Silence, Step, Transition, vendor_of
from riskwatch.send.conditions import SCORE_KINDS
from riskwatch.send.course import DIGEST_ONLY, OPEN, NewId
from riskwatch.send.decide import ALL_SOURCES
from riskwatch.send.flush import collapse, flush
from riskwatch.send.route import Known, Routing, queue

__all__ = [
    "MATCHERS", "AfterSilence", "Known", "Routing", "acknowledged", "after_silences", "collapse",
    "due_reminders", "flush", "is_silenced", "queue", "silence_problems", "suppress",
]  # fmt: skip

MATCHERS = ("rule", "subject", "vendor", "severity", "factor", "tag", "owner")
LONGEST_SILENCE = timedelta(days=90)
REMINDER = timedelta(hours=24)  # before a Silence ends
_COVERED = 0.8  # of a movement: so much of it was told as Events


def suppress(
    transitions: Sequence[Transition],
    *,
    incidents: Mapping[str, Incident],
    routing: Routing,
    silences: Sequence[Silence],
    open_incidents: Iterable[Incident],
    now: datetime,
) -> tuple[Transition, ...]:
    """Return the Transitions, those that are not told with suppressed_by; to be composed afterwards.

    The first told step of an Incident whose opening was suppressed becomes `opened`.

    Args:
        transitions: As decided.
        incidents: Id -> Incident of each Transition, as decided.
        routing: Rules and what is known of Subjects.
        silences: All; those in force at `now` count.
        open_incidents: All stored ones that are not ok.
        now: Instant.
    """
    every = {one.id: one for one in open_incidents} | dict(incidents)
    by_vendor = defaultdict[str, list[Incident]](list)
    for id_ in sorted(every):
        by_vendor[vendor_of(every[id_].subject)].append(every[id_])
    hearing = _Hearing(
        incidents,
        by_vendor,
        routing,
        tuple(one for one in silences if one.starts_at <= now < one.ends_at),
        {one.id for one in every.values() if one.told_at is not None},
    )
    judged = {one.id: hearing.judge(one) for one in sorted(transitions, key=hearing.order)}
    return tuple(judged[one.id] for one in transitions)


@dataclass(slots=True)
class _Hearing:
    incidents: Mapping[str, Incident]
    by_vendor: Mapping[str, Sequence[Incident]]  # open ones too, by id
    routing: Routing
    silences: tuple[Silence, ...]
    told: set[str]  # ids of Incidents of which somebody heard

    def order(self, one: Transition) -> tuple[int, bool, str, int]:
        """Gravest first, Events before scores: what is told first may cover what follows."""
        incident = self.incidents[one.incident_id]
        return -incident.severity.rank, self._kind(incident) != "event", incident.id, one.seq

    def judge(self, one: Transition) -> Transition:
        if one.step is None or one.suppressed_by is not None:
            return one
        incident = self.incidents[one.incident_id]
        is_new = incident.id not in self.told
        why = self._why(one, incident, is_new=is_new)
        if why is not None:
            return replace(one, suppressed_by=why)
        self.told.add(incident.id)
        return replace(one, step=Step.OPENED) if is_new else one

    def _why(self, one: Transition, incident: Incident, *, is_new: bool) -> str | None:
        if is_new and one.step in (Step.RESOLVED, Step.CORRECTION):
            return DIGEST_ONLY  # nobody heard of it
        for silence in self.silences:
            if is_silenced(incident, silence, self.routing, event_ids=one.event_ids):
                return f"silence:{silence.id}"
        if one.step not in (Step.OPENED, Step.UPDATE):
            return None
        cover = self._cover(one, incident, is_new=is_new)
        return None if cover is None else f"inhibited:{cover.id}"

    def _cover(self, one: Transition, incident: Incident, *, is_new: bool) -> Incident | None:
        """Return an open Incident, told before, that says the same."""
        kind, vendor = self._kind(incident), vendor_of(incident.subject)
        if kind == "not_rated":
            silent = self._told_of(ALL_SOURCES)
            return next((other for other in silent if self._kind(other) == "staleness"), None)
        others = [other for other in self._told_of(vendor) if other.id != incident.id]
        for other in others:
            is_graver = other.severity is Severity.CRITICAL and incident.severity is not Severity.CRITICAL
            if is_graver and one.event_ids and set(one.event_ids) <= _events(other):
                return other
        return _covering(one, incident, others) if kind in SCORE_KINDS and is_new else None

    def _told_of(self, vendor: str) -> list[Incident]:
        """Return the open Incidents of a vendor (or of all sources) that somebody heard of."""
        every = self.by_vendor.get(vendor, ())
        return [other for other in every if other.id in self.told and other.state in OPEN]

    def _kind(self, incident: Incident) -> str:
        rule = self.routing.rules.get(incident.rule_id)
        return "" if rule is None else rule.kind


def _covering(one: Transition, incident: Incident, others: Iterable[Incident]) -> Incident | None:
    """Return the Incident that told most of the Events behind a movement, if nearly all of them were told."""
    able = [other for other in others if other.severity.rank >= incident.severity.rank]
    points = {mark.event_id: mark.points for mark in incident.events if mark.event_id in one.event_ids}
    fall = (one.value_old or 0.0) - (one.value_new or 0.0) if one.value_old is not None else 0.0
    movement = max(fall, fsum(points.values()))
    heard = set[str]().union(*(_events(other) for other in able))
    if movement <= 0 or fsum(p for id_, p in points.items() if id_ in heard) < _COVERED * movement:
        return None
    return max(
        able, key=lambda other: (fsum(points.get(id_, 0.0) for id_ in sorted(_events(other))), other.id)
    )


def _events(incident: Incident) -> set[str]:
    return {mark.event_id for mark in incident.events if not mark.is_denied}


# -------------------------------------------------------------------------------- silences
def is_silenced(
    incident: Incident, silence: Silence, routing: Routing, *, event_ids: Sequence[str] | None = None
) -> bool:
    """Return whether all matchers of a Silence hold; of several Factors each must be the silenced one."""
    ids = {mark.event_id for mark in incident.events} if event_ids is None else set(event_ids)
    types = (mark.type for mark in incident.events if mark.event_id in ids)
    facts = {
        "rule": {incident.rule_id},
        "subject": {incident.subject},
        "vendor": {vendor_of(incident.subject)},
        "severity": {str(incident.severity)},
        "owner": {incident.owner},
        "factor": routing.known.factors_of(types, routing.rules.get(incident.rule_id)),
    }
    tags = routing.known.tags_of(incident.subject)
    return all(
        value in tags if name == "tag" else facts.get(name) == {value}
        for name, value in silence.matchers.items()
    ) and bool(silence.matchers)


def silence_problems(silence: Silence) -> list[tuple[str, str]]:
    """Return (sentence, field) for each reason not to accept a Silence."""
    found = []
    if not silence.matchers:
        found.append((f"name at least one of {', '.join(MATCHERS)}", "matchers"))
    unknown = sorted(set(silence.matchers) - set(MATCHERS))
    if unknown:
        found.append((f"there is no {', '.join(unknown)}; there are {', '.join(MATCHERS)}", "matchers"))
    if silence.ends_at <= silence.starts_at:
        found.append(("the end must be later than the start", "ends_at"))
    elif silence.ends_at - silence.starts_at > LONGEST_SILENCE:
        found.append(("a silence lasts 90 days at most", "ends_at"))
    if not silence.reason.strip():
        found.append(("say why, for those who wonder at the quiet", "reason"))
    return found


def due_reminders(silences: Iterable[Silence], *, now: datetime) -> tuple[Silence, ...]:
    """Return, marked as reminded, the Silences whose authors must hear that they end within a day."""
    return tuple(
        replace(one, reminded_at=now)
        for one in silences
        if one.reminded_at is None
        and one.ends_at - REMINDER <= now < one.ends_at
        and one.ends_at - one.starts_at > REMINDER
    )


@dataclass(frozen=True, slots=True)
class AfterSilence:
    """What is told because a Silence ended, and the Silences, marked."""

    silences: tuple[Silence, ...] = ()
    incidents: tuple[Incident, ...] = ()
    transitions: tuple[Transition, ...] = field(default=())


def after_silences(
    silences: Iterable[Silence],
    *,
    open_incidents: Iterable[Incident],
    routing: Routing,
    now: datetime,
    new_id: NewId,
) -> AfterSilence:
    """Return what still fires when Silences end: each Incident is told once; then suppress and queue it."""
    every = tuple(silences)
    ended = [one for one in every if one.ends_at <= now and one.flushed_at is None]
    active = [one for one in every if one.starts_at <= now < one.ends_at]
    incidents, transitions = [], []
    for incident in sorted(open_incidents, key=lambda one: one.id):
        if incident.state is not IncidentState.FIRING or any(
            is_silenced(incident, s, routing) for s in active
        ):
            continue
        if not any(_was_silenced(incident, one, routing) for one in ended):
            continue
        moved = replace(incident, seq=incident.seq + 1)
        incidents.append(moved)
        transitions.append(_once_more(moved, now, new_id()))
    marked = tuple(replace(one, flushed_at=now) for one in ended)
    return AfterSilence(marked, tuple(incidents), tuple(transitions))


def _was_silenced(incident: Incident, silence: Silence, routing: Routing) -> bool:
    opened_at = incident.opened_at
    return opened_at is not None and opened_at < silence.ends_at and is_silenced(incident, silence, routing)


def _once_more(incident: Incident, now: datetime, id_: str) -> Transition:
    return Transition(
        id=id_,
        incident_id=incident.id,
        seq=incident.seq,
        from_state=incident.state,
        to_state=incident.state,
        step=Step.UPDATE if incident.told_at else Step.OPENED,
        cause="silence_end",
        value_old=incident.told_value,
        value_new=incident.last_value,
        occurred_at=now,
        event_ids=tuple(sorted(_events(incident))),
    )


def acknowledged(
    incident: Incident, *, by: str, now: datetime, until: datetime | None = None, note: str | None = None
) -> Incident:
    """Return an Incident that somebody has taken on: repeats stop, worse news does not."""
    return replace(incident, acked_by=by, acked_at=now, acked_until=until, ack_note=note)
