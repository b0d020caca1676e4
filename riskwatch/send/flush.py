"""Groups that are due -> Deliveries: one message per group and recipient, one summary for a flood."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from riskwatch.model import (
    Delivery,
    DeliveryState,
    DueGroup,
    Incident,
    IncidentState,
    Purpose,
    Severity,
    Step,
    Transition,
    vendor_of,
)
from riskwatch.send.message import Alert, OverflowMessage, SystemMessage
from riskwatch.send.route import RESCORE
from riskwatch.send.rule import ReceiverConfig

MOST = 20  # alerts of one flush to one Receiver; more become one summary
GRAVEST = 10  # of them are named in it
DEADLINE_CRITICAL, DEADLINE = timedelta(hours=72), timedelta(hours=48)
DEADLINE_HELD = timedelta(days=14)  # a person must look at it first
_STEPS = (Step.OPENED, Step.CORRECTION, Step.UPDATE, Step.RESOLVED)
_PURPOSES = (
    (Step.OPENED, Purpose.ALERT),
    (Step.UPDATE, Purpose.UPDATE),
    (Step.CORRECTION, Purpose.CORRECTION),
    (Step.RESOLVED, Purpose.RESOLVED),
)


def flush(
    due: Sequence[DueGroup],
    *,
    receivers: Mapping[str, ReceiverConfig],
    incidents: Mapping[str, Incident],
    now: datetime,
    new_id: Callable[[], str],
) -> tuple[Delivery, ...]:
    """Return what is owed for groups that are due; all due groups of a Receiver must be given together.

    Args:
        due: Groups with their waiting Transitions.
        receivers: Id -> Receiver; nothing is owed to one that is gone or switched off.
        incidents: Id -> Incident of each Transition.
        now: Instant.
        new_id: Gives ids that sort by time.
    """
    by_receiver = defaultdict[str, list[_Group]](list)
    for one in due:
        group = _Group(one, tuple(_worth_telling(one.transitions)))
        if group.transitions:
            by_receiver[one.group.receiver_id].append(group)
    made: list[Delivery] = []
    for receiver_id, groups in sorted(by_receiver.items()):
        receiver = receivers.get(receiver_id)
        if receiver is not None and receiver.enabled:
            flusher = _Flusher(receiver, incidents, now, new_id)
            made += flusher.deliveries(sorted(groups, key=lambda group: group.due.group.id))
    return tuple(made)


@dataclass(frozen=True, slots=True)
class _Group:
    due: DueGroup
    transitions: tuple[Transition, ...]


def _worth_telling(transitions: Sequence[Transition]) -> Iterator[Transition]:
    """Leave out what began and ended while it waited: nobody needs to hear of it."""
    steps = defaultdict[str, list[Transition]](list)
    for one in transitions:
        steps[one.incident_id].append(one)
    over = {
        id_
        for id_, told in steps.items()
        if told[0].step is Step.OPENED
        and told[-1].step in (Step.RESOLVED, Step.CORRECTION)
        and _is_end(told[-1])
    }
    return (one for one in transitions if one.incident_id not in over and one.alert is not None)


def _is_end(one: Transition) -> bool:
    return one.to_state is IncidentState.OK


@dataclass(frozen=True, slots=True)
class _Flusher:
    """Makes the Deliveries of one Receiver."""

    receiver: ReceiverConfig
    incidents: Mapping[str, Incident]
    now: datetime
    new_id: Callable[[], str]

    def deliveries(self, groups: Sequence[_Group]) -> Iterator[Delivery]:
        rescored = [one for one in groups if one.due.group.route_id == RESCORE]
        others = [one for one in groups if one.due.group.route_id != RESCORE]
        for group in rescored:
            yield from self._to_each(
                group, group.transitions, self._rescored(group), state=DeliveryState.HELD
            )
        if self.receiver.kind == "webhook":
            for group in others:
                yield from (self._signed(one) for one in group.transitions)
        elif sum(len(group.transitions) for group in others) > MOST:
            every = tuple(one for group in others for one in group.transitions)
            yield from self._to_each(others[0], every, self._overflow(every))
        else:
            for group in others:
                yield from self._to_each(group, group.transitions, _alerts(self._gravest(group.transitions)))

    # ------------------------------------------------------------------------ what is said
    def _overflow(self, every: Sequence[Transition]) -> dict[str, Any]:
        return OverflowMessage(
            total=len(every),
            vendors=self._vendors(every),
            by_step=Counter(str(one.step) for one in every),
            by_severity=Counter(str(self._severity(one)) for one in every),
            gravest=tuple(Alert.model_validate(one.alert) for one in self._gravest(every)[:GRAVEST]),
        ).model_dump(mode="json")

    def _rescored(self, group: _Group) -> dict[str, Any]:
        every = group.transitions
        lines = [_line(one.alert or {}) for one in self._gravest(every)[:MOST]]
        if len(every) > MOST:
            lines.append(f"and {len(every) - MOST} more")
        return SystemMessage(
            title=f"The method changed: {len(every)} alerts over {self._vendors(every)} vendors",
            lines=tuple(lines),
            as_of=self.now,
        ).model_dump(mode="json")

    def _vendors(self, every: Iterable[Transition]) -> int:
        return len({vendor_of(self.incidents[one.incident_id].subject) for one in every})

    def _severity(self, one: Transition) -> Severity:
        return self.incidents[one.incident_id].severity

    def _gravest(self, every: Iterable[Transition]) -> list[Transition]:
        return sorted(
            every,
            key=lambda one: (
                -self._severity(one).rank,
                _STEPS.index(one.step or Step.RESOLVED),
                (one.value_new or 0.0) - (one.value_old or 0.0),
                one.occurred_at,
                one.id,
            ),
        )

    # ------------------------------------------------------------------------ to whom
    def _to_each(
        self,
        group: _Group,
        told: Sequence[Transition],
        payload: Mapping[str, Any],
        *,
        state: DeliveryState = DeliveryState.PENDING,
    ) -> Iterator[Delivery]:
        row = group.due.group
        for recipient in self.receiver.recipients:
            yield self._delivery(
                told,
                payload,
                key=f"a:{row.id}:{row.generation}:{recipient}",
                recipient=recipient,
                ordering_key=f"{self.receiver.id}|{recipient}|{row.id}",
                state=state,
            )

    def _signed(self, one: Transition) -> Delivery:
        return self._delivery(
            (one,),
            _alerts((one,)),
            key=f"w:{one.id}:{self.receiver.id}",
            recipient=self.receiver.id,
            ordering_key=f"{self.receiver.id}|{one.incident_id}",
        )

    def _delivery(
        self,
        told: Sequence[Transition],
        payload: Mapping[str, Any],
        *,
        key: str,
        recipient: str,
        ordering_key: str,
        state: DeliveryState = DeliveryState.PENDING,
    ) -> Delivery:
        steps = {one.step for one in told}
        is_critical = any(self._severity(one) is Severity.CRITICAL for one in told)
        wait = DEADLINE_CRITICAL if is_critical else DEADLINE
        if state is DeliveryState.HELD:
            wait = DEADLINE_HELD
        return Delivery(
            id=self.new_id(), idempotency_key=key, receiver_id=self.receiver.id, kind=self.receiver.kind,
            recipient=recipient, ordering_key=ordering_key,
            purpose=next(purpose for step, purpose in _PURPOSES if step in steps), payload=payload,
            created_at=self.now, deadline_at=self.now + wait,
            state=state, next_attempt_at=self.now,
            incident_ids=tuple(dict.fromkeys(one.incident_id for one in told)),
            transition_ids=tuple(one.id for one in told),
        )  # fmt: skip


def _alerts(told: Iterable[Transition]) -> dict[str, Any]:
    """Return an AlertMessage as JSON; each Alert was frozen when its step was made."""
    return {"kind": "alert", "alerts": [one.alert for one in told]}


def _line(alert: Mapping[str, Any]) -> str:
    def shown(value: object) -> str:
        return "—" if value is None else f"{value:.0f}" if isinstance(value, float | int) else str(value)

    points = f"{shown(alert.get('score_from'))} → {shown(alert.get('score_to'))}"
    grades = f"{shown(alert.get('grade_from'))} → {shown(alert.get('grade_to'))}"
    return f"{alert.get('subject_name')}: {points} ({grades}), {alert.get('rule_name')}, {alert.get('step')}"


# -------------------------------------------------------------------------------- not sent yet
@dataclass(frozen=True, slots=True)
class Collapsed:
    """Deliveries that are still owed, and ids of waiting ones that became pointless."""

    deliveries: tuple[Delivery, ...]
    pointless: tuple[str, ...]


def collapse(made: Sequence[Delivery], waiting: Iterable[Delivery]) -> Collapsed:
    """Take back alerts that nobody got yet and whose Incidents are resolved by now, and the news of that.

    Args:
        made: What a flush gave.
        waiting: Open Deliveries of the store; only those never tried can be taken back.
    """
    opened = defaultdict[tuple[str, str], list[Delivery]](list)
    for one in waiting:
        if one.state is DeliveryState.PENDING and not one.attempts and one.purpose is Purpose.ALERT:
            opened[one.receiver_id, one.recipient].append(one)
    kept: list[Delivery] = []
    pointless: list[str] = []
    for one in made:
        mine = [
            other
            for other in opened[one.receiver_id, one.recipient]
            if set(other.incident_ids) <= set(one.incident_ids)
        ]
        covered = {id_ for other in mine for id_ in other.incident_ids}
        if one.purpose is Purpose.RESOLVED and mine and covered == set(one.incident_ids):
            pointless += [other.id for other in mine]
        else:
            kept.append(one)
    return Collapsed(tuple(kept), tuple(pointless))


def other_receivers(failing: str, receivers: Iterable[ReceiverConfig]) -> tuple[ReceiverConfig, ...]:
    """Return who hears that a Receiver fails: never itself, nor another of its kind."""
    every = tuple(receivers)
    kind = next((one.kind for one in every if one.id == failing), None)
    return tuple(one for one in every if one.enabled and one.id != failing and one.kind != kind)
