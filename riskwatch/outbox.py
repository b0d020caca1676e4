"""Incidents → messages on their way: flush groups, dispatch what is owed, reap."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from riskwatch import signing
from riskwatch.errors import DeliveryError
from riskwatch.model import AttemptOutcome
from riskwatch.send import deliver, message, render_mail, render_slack, render_webhook, suppress
from riskwatch.send.classify import INTERNAL, Scope
from riskwatch.send.clock import ClockWatch
from riskwatch.send.message import Links, Mail, Message

if TYPE_CHECKING:
    from riskwatch.alerting import Alerting
    from riskwatch.model import Delivery
    from riskwatch.send.receiver import Receiver
    from riskwatch.send.render_mail import Templates

FLUSHED = 10_000  # groups told in one transaction: all of a Receiver's must be told together
DISPATCHED = "alerts_dispatched_at"  # setting: when tick_dispatch last ended


# -------------------------------------------------------------------------------- words
@dataclass(frozen=True, slots=True)
class Words:
    """A Delivery → what its kind of Receiver is sent, with links of our own."""

    base_url: str  # empty: messages hold no links
    key: bytes = field(repr=False)
    templates: Templates

    def mail(self, delivery: Delivery) -> Mail:
        """Return the mail of a Delivery."""
        links = self.links(delivery)
        return render_mail.mail(
            message_of(delivery), links=links, recipient=delivery.recipient, templates=self.templates
        )

    def slack(self, delivery: Delivery) -> Mapping[str, Any]:
        """Return the body for Slack; plain text where it refused the blocks."""
        links = self.links(delivery)
        return render_slack.slack(
            message_of(delivery), links=links, delivery_id=delivery.id, plain=delivery.is_plain
        )

    def webhook(self, delivery: Delivery) -> Mapping[str, Any]:
        """Return the body for a webhook."""
        return render_webhook.webhook(
            message_of(delivery), links=self.links(delivery), at=delivery.created_at
        )

    def links(self, delivery: Delivery) -> Links:
        """Return signed addresses for one recipient; none where the service has no address."""
        if not self.base_url:
            return Links("")
        schedule = delivery.payload.get("schedule_id")
        return Links(
            self.base_url,
            acknowledge={id_: self._link("acknowledge", delivery, id_) for id_ in delivery.incident_ids},
            silence={id_: self._link("silence", delivery, id_) for id_ in delivery.incident_ids},
            unsubscribe=self._link("unsubscribe", delivery, str(schedule)) if schedule else None,
        )

    def _link(self, purpose: str, delivery: Delivery, object_: str) -> str:
        # The instant of the Delivery, not of the try: a repeat is the identical message.
        token = signing.sign(purpose, delivery.recipient, object_, now=delivery.created_at, key=self.key)
        return f"{self.base_url}/a/{token}"


def message_of(delivery: Delivery) -> Message:
    """Return the Message that a Delivery's payload holds."""
    try:
        return message.read(delivery.payload, delivery.payload_version)
    except ValueError as error:
        if delivery.payload_version <= message.PAYLOAD_VERSION:
            raise
        reason = "a later version of riskwatch wrote it"
        raise DeliveryError(
            delivery.receiver_id, reason, outcome=AttemptOutcome.TRANSIENT, scope=Scope.MESSAGE, code=INTERNAL
        ) from error


# -------------------------------------------------------------------------------- jobs
class Outbox:
    """The jobs between an Incident and a sent message; each may run in any number of processes."""

    def __init__(
        self,
        alerting: Alerting,
        words: Words,
        make: Callable[[Mapping[str, Any]], Mapping[str, Receiver]],
        *,
        log: deliver.Log,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        """Create the jobs.

        Args:
            alerting: Rules, Receivers and the parts of the installation.
            words: Renders Deliveries.
            make: Receiver configurations by id -> Receivers that can send.
            log: Structured logger.
            beat: Tells a dead man's switch outside that a whole round was done.
        """
        self._alerting, self.words, self._make = alerting, words, make
        self._log, self._beat = log, beat
        self._parts = alerting.parts
        self._clock = ClockWatch()

    def flush(self) -> int:
        """Turn the groups that are due into Deliveries; return how many."""
        now = self._parts.now()
        with self._parts.store.begin() as unit:
            due = unit.incidents.due_groups(now=now, limit=FLUSHED)
            if not due:
                return 0
            told = [one for group in due for one in group.transitions]
            made = suppress.flush(
                due,
                receivers=self._alerting.receivers(unit),
                incidents=unit.incidents.incidents_by_id([one.incident_id for one in told]),
                now=now,
                new_id=self._parts.new_id,
            )
            left = suppress.collapse(made, unit.outbox.open_deliveries())
            unit.outbox.move(left.pointless, state="collapse", now=now)
            ids = unit.outbox.add_deliveries(left.deliveries)
            unit.incidents.flushed([group.group.id for group in due], now=now)
        return len(ids)

    def dispatch(self) -> deliver.Dispatched:
        """Send what is owed; never inside a transaction."""
        parts = self._parts
        now = parts.now()
        jump = self._clock.jump_seconds(now, time.monotonic())
        if jump:
            deliver.after_jump(parts.store, now=now, jump_seconds=jump, count=parts.count, log=self._log)
        with parts.store.begin(write=False) as unit:
            configs = self._alerting.receivers(unit)
        done = deliver.dispatch(
            parts.store,
            self._make({id_: one for id_, one in configs.items() if one.enabled}),
            now=parts.now,
            new_token=parts.new_id,
            jitter=random.SystemRandom().random,
            count=parts.count,
            log=self._log,
        )
        with parts.store.begin() as unit:
            unit.access.save_setting(DISPATCHED, parts.now().isoformat())
        self._beat()
        return done

    def reap(self) -> int:
        """Give back what a dead dispatcher held and let go what is past its deadline; return how many."""
        now = self._parts.now()
        with self._parts.store.begin() as unit:
            return unit.outbox.reap(now=now) + len(unit.outbox.expire(now=now))
