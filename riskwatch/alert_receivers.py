"""Receivers and digests as the web and the command line may change them; each change is in the audit log."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from riskwatch import signing
from riskwatch.alert_checks import (
    body_of,
    found,
    may_change,
    must_be,
    receiver_card,
    same_id,
    validated,
)
from riskwatch.alert_files import scheduled
from riskwatch.errors import Conflict, Invalid, TooMany
from riskwatch.model import (
    Actor,
    AuditEntry,
    Delivery,
    DeliveryState,
    Purpose,
    Schedule,
    StoredReceiver,
)
from riskwatch.send import deliver, digest, render_mail
from riskwatch.send.message import Links, TestMessage
from riskwatch.send.retry import switched_on
from riskwatch.send.rule import DigestConfig, ReceiverConfig
from riskwatch.serve.alert_actions import ReceiverCard, Transcript

if TYPE_CHECKING:
    from riskwatch.alert_app import AlertApp
    from riskwatch.store import UnitOfWork

LINK_SILENCE = timedelta(days=7)  # "Silence 7 days" of a mail
TESTS_A_MINUTE = 5
LATE_DUE = timedelta(minutes=5)
_RECEIVER: TypeAdapter[ReceiverConfig] = TypeAdapter(ReceiverConfig)


def bound_to(config: ReceiverConfig) -> str:
    """Return what a proof of ownership holds for: `id:digest`, another one as soon as anything is changed."""
    body = json.dumps(body_of(config), sort_keys=True)
    return f"{config.id}:{hashlib.sha256(body.encode()).hexdigest()[:16]}"


class ReceiverDesk:
    """What may be asked about Receivers and digests."""

    def __init__(self, app: AlertApp) -> None:
        self._app, self._alerting = app, app.alerting
        self._parts, self._setup = app.alerting.parts, app.alerting.setup
        self._tests: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    # ---------------------------------------------------------------------------- receivers
    def receivers(self) -> Sequence[ReceiverCard]:
        """Return all Receivers, by id."""
        with self._parts.store.begin(write=False) as unit:
            rows = {row.id: row for row in unit.outbox.receivers()}
            states = unit.outbox.receiver_states()
        for one in self._setup.alerts.receivers:
            rows[one.id] = StoredReceiver(one.id, one.kind, "file", body_of(one), one.enabled)
        return [receiver_card(rows[id_], states) for id_ in sorted(rows)]

    def save_receiver(self, body: Mapping[str, Any], *, actor: Actor, id_: str | None = None) -> ReceiverCard:
        """Store a Receiver; until its ownership is proved only tests are sent to it."""
        config = validated(_RECEIVER.validate_json, body)
        same_id(config.id, id_)
        self._not_of_the_file("receiver", config.id, self._setup.alerts.receivers)
        if config.kind == "webhook":
            self._app.check_address(config.url, receiver_id=config.id)
        with self._parts.store.begin() as unit:
            held = next((row for row in unit.outbox.receivers() if row.id == config.id), None)
            must_be(held, id_, "receiver", config.id)
            may_change(actor, held.author if held else actor.id)
            row = StoredReceiver(
                config.id, config.kind, "api", body_of(config), config.enabled, actor.id, self._now()
            )
            if held is not None:
                is_same = held.config == row.config
                row = replace(row, author=held.author, verified_at=held.verified_at if is_same else None)
                if not is_same:
                    unit.access.save_setting(f"receiver_proof:{row.id}", "")
            unit.outbox.save_receiver(row)
            self._note(
                unit, actor, "receiver.save", row.id, before=held.config if held else None, after=row.config
            )
            states = unit.outbox.receiver_states()
        return receiver_card(row, states)

    def delete_receiver(self, id_: str, *, actor: Actor) -> None:
        """Forget a Receiver of the API."""
        self._not_of_the_file("receiver", id_, self._setup.alerts.receivers)
        with self._parts.store.begin() as unit:
            held = found([row for row in unit.outbox.receivers() if row.id == id_], "receiver", id_)
            may_change(actor, held.author)
            unit.outbox.delete_receiver(id_)
            unit.access.save_setting(f"receiver_proof:{id_}", "")
            self._note(unit, actor, "receiver.delete", id_, before=held.config)

    def test_send(self, id_: str, *, actor: Actor) -> Transcript:
        """Send one message marked TEST now, with one try. Raises TooMany past 5 a minute."""
        config, author = self._configured(id_)
        if author is not None:  # one of the file is everybody's to test
            may_change(actor, author)
        self._count_test(actor.id)
        receiver, now = self._app.receiver(config), self._now()
        bound = None if author is None or self._is_proved(id_) else bound_to(config)
        made = [
            Delivery(
                id=(own := self._parts.new_id()),
                idempotency_key=f"t:{own}",
                receiver_id=id_,
                kind=config.kind,
                recipient=recipient,
                ordering_key=f"{id_}|{recipient}|test|{own}",
                purpose=Purpose.TEST,
                payload=self._test(id_, recipient, now, bound=bound),
                created_at=now,
                deadline_at=now + LATE_DUE,
                state=DeliveryState.CANCELLED,  # nobody else may send it: the one try is made here
                attempts=1,
            )
            for recipient in config.recipients
        ]
        tried = [deliver.send_once(receiver, one, now=self._parts.now) for one in made]
        with self._parts.store.begin() as unit:
            self._note(unit, actor, "receiver.test", id_, after={"outcome": str(tried[0].attempt.outcome)})
            state = unit.outbox.receiver_states().get(id_)
            if state is not None and all(one.error is None for one in tried):
                unit.outbox.save_receiver_state(switched_on(state))  # it answers again: what waits may go
        for delivery, one in zip(made, tried, strict=True):
            challenge = delivery.payload.get("proof")
            echoed = one.sent.detail if config.kind == "webhook" and one.sent else ""
            if bound and challenge and challenge in echoed:
                self.prove(bound, delivery.recipient, actor=actor)
        worst = next((one for one in tried if one.error is not None), tried[0]).attempt
        return Transcript(str(worst.outcome), worst.code, worst.detail, worst.latency_ms)

    def _test(self, id_: str, recipient: str, now: datetime, *, bound: str | None) -> dict[str, Any]:
        key = self._app.words.key
        proof = signing.sign("verify", recipient, bound, now=now, key=key) if bound else None
        return TestMessage(receiver_id=id_, as_of=now, proof=proof).model_dump(mode="json")

    def _is_proved(self, id_: str) -> bool:
        with self._parts.store.begin(write=False) as unit:
            return any(row.id == id_ and row.verified_at is not None for row in unit.outbox.receivers())

    def prove(self, bound: str, recipient: str, *, actor: Actor) -> bool:
        """Note that a recipient wants what a Receiver sends; return whether all of them do by now.

        `bound` is what bound_to() gave when the proof was asked for. Raises Invalid where it no longer holds.
        """
        id_ = bound.partition(":")[0]
        with self._parts.store.begin() as unit:
            held = found([row for row in unit.outbox.receivers() if row.id == id_], "receiver", id_)
            config = _RECEIVER.validate_json(json.dumps(held.config))
            wanted = set(config.recipients)
            if recipient not in wanted or bound != bound_to(config):
                raise Invalid("link", "the receiver has changed since; ask for another test")
            proved = set((unit.access.setting(f"receiver_proof:{id_}") or "").split()) & wanted | {recipient}
            unit.access.save_setting(f"receiver_proof:{id_}", " ".join(sorted(proved)))
            if proved == wanted and held.verified_at is None:
                unit.outbox.save_receiver(replace(held, verified_at=self._now()))
                self._note(unit, actor, "receiver.verify", id_)
        return proved == wanted

    def _configured(self, id_: str) -> tuple[ReceiverConfig, str | None]:
        for one in self._setup.alerts.receivers:
            if one.id == id_:
                return one, None
        with self._parts.store.begin(write=False) as unit:
            row = found([r for r in unit.outbox.receivers() if r.id == id_], "receiver", id_)
        return validated(_RECEIVER.validate_json, row.config), row.author

    def _count_test(self, who: str) -> None:
        now = time.monotonic()
        with self._lock:
            made = self._tests.setdefault(who, deque(maxlen=TESTS_A_MINUTE))
            if len(made) == TESTS_A_MINUTE and now - made[0] < 60:  # noqa: PLR2004 - a minute
                raise TooMany(60 - (now - made[0]))
            made.append(now)

    # ---------------------------------------------------------------------------- digests
    def digests(self) -> Sequence[Schedule]:
        """Return all Schedules, by id."""
        with self._parts.store.begin(write=False) as unit:
            return unit.outbox.schedules()

    def save_digest(self, body: Mapping[str, Any], *, actor: Actor, id_: str | None = None) -> Schedule:
        """Store a Schedule; the next due time is computed, no period is repeated."""
        config = validated(DigestConfig.model_validate_json, body)
        same_id(config.id, id_)
        self._not_of_the_file("digest", config.id, self._setup.alerts.digests)
        if config.receiver not in {card.id for card in self.receivers()}:
            raise Invalid("receiver", f"there is no receiver {config.receiver}; GET /v1/receivers lists them")
        with self._parts.store.begin() as unit:
            held = next((one for one in unit.outbox.schedules() if one.id == config.id), None)
            must_be(held, id_, "digest", config.id)
            may_change(actor, held.author if held else actor.id)
            made = replace(scheduled(config, held, self._now()), origin="api")
            made = replace(made, author=held.author if held else actor.id)
            unit.outbox.save_schedule(made)
            self._note(unit, actor, "digest.save", config.id, after=body_of(config))
        return made

    def delete_digest(self, id_: str, *, actor: Actor) -> None:
        """Forget a Schedule of the API."""
        self._not_of_the_file("digest", id_, self._setup.alerts.digests)
        with self._parts.store.begin() as unit:
            held = found([one for one in unit.outbox.schedules() if one.id == id_], "digest", id_)
            may_change(actor, held.author)
            unit.outbox.delete_schedule(id_)
            self._note(unit, actor, "digest.delete", id_)

    def digest_preview(self, id_: str) -> Mapping[str, Any]:
        """Return the subject and text of the digest as it would be sent now."""
        now = self._now()
        with self._parts.store.begin(write=False) as unit:
            held = found([one for one in unit.outbox.schedules() if one.id == id_], "digest", id_)
            ahead = digest.Due(held.next_due_at, held.next_period)
            start = held.window_start_at or now - LINK_SILENCE
            period = digest.Period(held.next_period, min(start, now), now, ahead)
            message = self._app.digests.contents(unit, held, period)
        words = self._app.words
        mail = render_mail.mail(
            message, links=Links(words.base_url), recipient=held.receiver_id, templates=words.templates
        )
        return {"subject": mail.subject, "text": mail.text}

    # ---------------------------------------------------------------------------- shared
    def _now(self) -> datetime:
        return self._parts.now()

    def _not_of_the_file(self, what: str, id_: str, ours: Sequence[Any]) -> None:
        if any(one.id == id_ for one in ours):
            raise Conflict(f"the {what} {id_} is read-only: it stands in config/alerts.yaml")

    def _note(
        self,
        unit: UnitOfWork,
        actor: Actor,
        action: str,
        id_: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        then, now = (None if one is None else to_jsonable_python(dict(one)) for one in (before, after))
        unit.access.add_audit(AuditEntry(0, self._now(), actor.id, action, id_, then, now))
