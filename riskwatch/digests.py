"""Schedules → digests: each period once for each recipient, claimed and written in one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from riskwatch.alert_scene import Scene
from riskwatch.model import Delivery, DeliveryState, Purpose, told_at
from riskwatch.pipeline import Reader
from riskwatch.send import compose, digest
from riskwatch.store import DeliveryFilter

if TYPE_CHECKING:
    from riskwatch.alerting import Alerting
    from riskwatch.model import Schedule
    from riskwatch.send.message import DigestMessage
    from riskwatch.store import UnitOfWork

LEAST_DEADLINE = timedelta(hours=1)
_MOST_EXPIRED = 200


class Digests:
    """The job that makes what is due."""

    def __init__(self, alerting: Alerting) -> None:
        self._alerting, self._parts, self._setup = alerting, alerting.parts, alerting.setup

    def make(self) -> int:
        """Make the digests that are due; return how many Deliveries were written."""
        now, made = self._parts.now(), 0
        with self._parts.store.begin(write=False) as unit:
            due = [one.id for one in unit.outbox.schedules() if digest.due_period(one, now)]
        for id_ in due:
            with self._parts.store.begin() as unit:
                unit.lock("absorb")  # what is recorded before the end of the period is there by now
                schedule = next((one for one in unit.outbox.schedules() if one.id == id_), None)
                period = digest.due_period(schedule, now) if schedule else None
                if schedule is not None and period is not None:
                    made += self._made(unit, schedule, period, now)
        return made

    def _made(self, unit: UnitOfWork, schedule: Schedule, period: digest.Period, now: datetime) -> int:
        is_ours = unit.outbox.advance_schedule(
            schedule.id,
            rev=schedule.rev,
            next_due_at=period.next.at,
            next_period=period.next.period,
            done=period.date,
            now=period.end_at,
        )
        receiver = self._alerting.receivers(unit).get(schedule.receiver_id)
        if not is_ours or receiver is None or not receiver.enabled:
            return 0
        message = self.contents(unit, schedule, period)
        if schedule.when_empty == "skip" and not digest.is_worth_sending(message):
            return 0
        payload = message.model_dump(mode="json")
        deliveries = [
            Delivery(
                id=self._parts.new_id(),
                idempotency_key=f"d:{schedule.id}:{period.date.isoformat()}:{recipient}",
                receiver_id=receiver.id,
                kind=receiver.kind,
                recipient=recipient,
                ordering_key=f"{receiver.id}|{recipient}|digest|{schedule.id}",
                purpose=Purpose.DIGEST,
                payload=payload,
                created_at=now,
                deadline_at=max(period.next.at, now + LEAST_DEADLINE),
                next_attempt_at=now,
                state=DeliveryState.PENDING,
            )
            for recipient in receiver.recipients
            if recipient not in schedule.unsubscribed
        ]
        return len(unit.outbox.add_deliveries(deliveries))

    def contents(self, unit: UnitOfWork, schedule: Schedule, period: digest.Period) -> DigestMessage:
        """Return what a digest of a period says, from what is stored."""
        parts = self._parts
        before, after = unit.scores.latest_all(known_at=period.start_at), unit.scores.latest_all()
        scene = Scene(parts, self._setup, unit, Reader(parts, unit), parts.now())
        stale = tuple(s.id for s in parts.sources if not scene.is_fresh(s.id, str(s.source_class)))
        points = {
            share.event_id: share.points
            for subject, one in after.items()
            for share in one.score.contributions
            if told_at(share.home) == subject
        }
        vendors = [id_ for id_ in parts.vendors if id_ in after]
        events = [event for id_ in sorted(parts.vendors) for event in unit.events.events_of(id_)]
        named = {*after, *(event.home for event in events)}
        expired = unit.outbox.deliveries(DeliveryFilter(states=("expired",), limit=_MOST_EXPIRED))
        return digest.contents(
            schedule,
            period=period,
            happened=digest.Happened(
                parts.taxonomy,
                names={id_: compose.subject_name(id_, parts.vendors) for id_ in named},
                incidents=unit.incidents.open_incidents(),
                rules={rule.id: rule.title for rule in self._alerting.rules(unit)},
                moved=[(before[id_].score if id_ in before else None, after[id_].score) for id_ in after],
                events=events,
                points=points,
                expired=[one for one in expired if period.start_at <= one.deadline_at < period.end_at],
            ),
            watched=digest.Watched(
                vendors_scored=sum(after[id_].score.points is not None for id_ in vendors),
                vendors_total=len(parts.vendors),
                sources_fresh=scene.fresh,
                sources_total=len(parts.sources),
                stale_sources=stale,
            ),
        )
