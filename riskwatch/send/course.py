"""One Incident while it is being evaluated: its next state and the Transitions that lead there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from riskwatch.model import EventMark, Incident, IncidentState, Step, Transition
from riskwatch.send.rule import AlertRule

DIGEST_ONLY = "digest_only"
OPEN = (IncidentState.FIRING, IncidentState.RECOVERING)
NewId = Callable[[], str]


def incident_key(rule_id: str, subject: str) -> str:
    """Return what all Incidents of one rule on one subject share."""
    return hashlib.sha256(f"{rule_id}|{subject}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Told:
    """What a Transition says."""

    step: Step | None = None  # None: nothing is to be said
    cause: str = "change"
    old: float | None = None
    new: float | None = None
    event_ids: tuple[str, ...] = ()
    since: datetime | None = None  # instant of the old value


@dataclass(slots=True)
class Course:
    """The way of one Incident through one evaluation; `before` is its newest one of the past."""

    rule: AlertRule
    condition_hash: str  # of the rule; reckoned once for all its subjects
    subject: str
    before: Incident | None
    now: datetime
    new_id: NewId
    snapshot_id: str | None = None
    incident: Incident = field(init=False)
    transitions: list[Transition] = field(default_factory=list)
    since: dict[str, datetime] = field(default_factory=dict)
    ended: list[Incident] = field(default_factory=list)  # closed because their rule was edited

    def __post_init__(self) -> None:
        self.incident = self.before or self._made(None)
        if self.is_edited:
            self._reset()
        elif self.state is not IncidentState.OK:
            self.update(severity=self.rule.severity, owner=self.rule.owner)

    @property
    def state(self) -> IncidentState:
        """Where the Incident stands by now."""
        return self.incident.state

    @property
    def is_open(self) -> bool:
        """Whether it is firing or recovering."""
        return self.state in OPEN

    @property
    def is_edited(self) -> bool:
        """Whether another condition made it."""
        return self.before is not None and self.before.condition_hash != self.condition_hash

    @property
    def changed(self) -> tuple[Incident, ...]:
        """The Incidents to store: those that differ from what was stored."""
        is_kept = bool(self.incident.id) and self.incident != self.before
        return (*self.ended, self.incident) if is_kept else tuple(self.ended)

    def update(self, **fields: object) -> None:
        """Set fields of the Incident."""
        self.incident = replace(self.incident, **fields)  # type: ignore[arg-type]  # fields of Incident by name

    def move(self, to: IncidentState, told: Told, *, suppressed_by: str | None = None) -> None:
        """Append a Transition; opening sets opened_at, closing closed_at."""
        if not self.incident.id:
            self.update(id=self.new_id())
        transition = Transition(
            id=self.new_id(), incident_id=self.incident.id, seq=self.incident.seq + 1, from_state=self.state,
            to_state=to, step=told.step, cause=told.cause, value_old=told.old, value_new=told.new,
            occurred_at=self.now, event_ids=tuple(sorted(told.event_ids)), snapshot_id=self.snapshot_id,
            suppressed_by=suppressed_by if told.step else None,
        )  # fmt: skip
        self.transitions.append(transition)
        if told.since is not None:
            self.since[transition.id] = told.since
        self.update(seq=transition.seq, state=to, evaluated_at=self.now)
        if to is IncidentState.OK and transition.from_state in OPEN:
            self.update(closed_at=self.now, bad_count=0, good_since=None, is_stale=False, **_UNACKED)
        if to is IncidentState.FIRING and not self.incident.opened_at:
            self.update(opened_at=self.now, closed_at=None, good_since=None)

    def end_ack(self, *, is_worse: bool = False) -> None:
        """Forget an acknowledgement that is over, or that a worsening breaks."""
        until = self.incident.acked_until
        if is_worse or (until is not None and self.now >= until):
            self.update(**_UNACKED)

    @property
    def is_repeat_due(self) -> bool:
        """Whether the rule wants it said again, and nobody has acknowledged it."""
        every, told_at = self.rule.repeat_every, self.incident.told_at
        if every is None or told_at is None or self.incident.acked_by is not None:
            return False
        is_moved = self.incident.evaluated_at == self.now  # something was said or changed just now
        return self.state is IncidentState.FIRING and not is_moved and self.now - told_at >= every

    def begin(self) -> None:
        """Take a new Incident where the one before fired and closed; what it told is remembered."""
        if self.incident.opened_at is not None:
            self.incident = self._made(self.incident)

    def remember(self, marks: Iterable[EventMark]) -> None:
        """Set Events as told; others are kept."""
        by_id = {mark.event_id: mark for mark in self.incident.events} | {m.event_id: m for m in marks}
        self.update(events=tuple(by_id[id_] for id_ in sorted(by_id)))

    def _made(self, last: Incident | None) -> Incident:
        fresh = Incident(
            id="", key=incident_key(self.rule.id, self.subject), rule_id=self.rule.id, subject=self.subject,
            severity=self.rule.severity, state=IncidentState.OK, condition_hash=self.condition_hash,
            owner=self.rule.owner,
        )  # fmt: skip
        if last is None:
            return fresh
        return replace(
            fresh,
            closed_at=last.closed_at,
            told_value=last.told_value,
            told_grade=last.told_grade,
            events=last.events,
        )

    def _reset(self) -> None:
        """The condition was edited: begin anew and say nothing."""
        if self.state is not IncidentState.OK:
            self.move(IncidentState.OK, Told(cause="rule_edit"))
            self.ended.append(self.incident)
        self.incident = self._made(None)


_UNACKED = {"acked_by": None, "acked_at": None, "acked_until": None, "ack_note": None}
