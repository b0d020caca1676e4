"""serve.AlertActions for one installation: who may change what, and an audit line for each change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from riskwatch import signing
from riskwatch.alert_checks import (
    body_of,
    found,
    instant_of,
    may_change,
    must_be,
    rule_card,
    same_id,
    stored_card,
    validated,
)
from riskwatch.alert_files import versions_of
from riskwatch.alert_receivers import LATE_DUE, LINK_SILENCE, ReceiverDesk
from riskwatch.alerting import TURNED
from riskwatch.errors import Invalid
from riskwatch.model import (
    Actor,
    DeliveryState,
    Incident,
    IncidentState,
    Silence,
    StoredRule,
    subjects_of,
)
from riskwatch.outbox import DISPATCHED
from riskwatch.send import suppress
from riskwatch.send.check import problems
from riskwatch.send.flush import DEADLINE
from riskwatch.send.rule import AlertRule, AlertsFile
from riskwatch.serve.alert_actions import (
    AlertHealth,
    Backtest,
    Firing,
    RuleCard,
)

if TYPE_CHECKING:
    from riskwatch.signing import Grant

LATE_DISPATCH = timedelta(minutes=2)
LATE_TURN = timedelta(minutes=10)  # twice its interval
VERBS = ("redrive", "release", "cancel")


class AlertDesk(ReceiverDesk):
    """What the web and the command line may ask of alerting."""

    # ---------------------------------------------------------------------------- rules
    def rules(self) -> Sequence[RuleCard]:
        """Return all AlertRules, by id."""
        with self._parts.store.begin(write=False) as unit:
            stored = {row.id: row for row in unit.incidents.rules()}
        ours = {one.id: one for one in self._setup.alerts.rules}
        cards = [stored_card(row) for row in stored.values() if row.origin == "api"]
        for id_, one in ours.items():
            version = stored[id_].version if id_ in stored else 1
            cards.append(rule_card(one, version=version, origin="file", owner=one.owner))
        return sorted(cards, key=lambda card: card.id)

    def save_rule(
        self, body: Mapping[str, Any], *, actor: Actor, id_: str | None = None
    ) -> tuple[RuleCard, Backtest]:
        """Store a new rule, or a new version of one; return it with what it would have done."""
        rule = self._checked(body)
        same_id(rule.id, id_)
        self._not_of_the_file("rule", rule.id, self._setup.alerts.rules)
        told = self.backtest(body)
        with self._parts.store.begin() as unit:
            held = next((row for row in unit.incidents.rules() if row.id == rule.id), None)
            must_be(held, id_, "alert rule", rule.id)
            may_change(actor, held.author if held else actor.id)
            version = 1 + max((row.version for row in versions_of(unit, rule.id)), default=0)
            author = held.author if held else actor.id
            row = StoredRule(
                rule.id, version, "api", body_of(rule), rule.condition_hash, rule.enabled, self._now(), author
            )
            unit.incidents.save_rule(row)
            self._note(unit, actor, "rule.save", rule.id, before=held.body if held else None, after=row.body)
        return stored_card(row), told

    def delete_rule(self, id_: str, *, actor: Actor) -> None:
        """Switch a rule of the API off for good."""
        self._not_of_the_file("rule", id_, self._setup.alerts.rules)
        with self._parts.store.begin() as unit:
            held = found([row for row in unit.incidents.rules() if row.id == id_], "alert rule", id_)
            may_change(actor, held.author)
            gone = replace(held, version=held.version + 1, deleted=True, is_enabled=False)
            unit.incidents.save_rule(replace(gone, recorded_at=self._now()))
            self._note(unit, actor, "rule.delete", id_, before=held.body)

    def backtest(self, body: Mapping[str, Any], *, days: int = 180) -> Backtest:
        """Return what a rule would have done over the stored history; nothing is stored."""
        told = self._alerting.backtest(self._checked(body), days=days)
        fired = tuple(Firing(one.at, one.subject, one.value_new) for one in told.fired or ())
        return Backtest(days, fired, told.sentence)

    def _checked(self, body: Mapping[str, Any]) -> AlertRule:
        rule = validated(AlertRule.model_validate_json, body)
        vendors = self._parts.vendors.values()
        wrong = problems(
            AlertsFile(rules=(rule,)),
            types=self._parts.taxonomy,
            subjects={subject for vendor in vendors for subject in subjects_of(vendor)},
            tags={tag for vendor in vendors for tag in vendor.tags},
            playbooks={*self._setup.playbooks.types, *self._setup.playbooks.conditions},
        )
        for message, key in wrong:
            raise Invalid(key.removeprefix("rules.0."), message)
        return rule

    # ---------------------------------------------------------------------------- incidents
    def acknowledge(self, id_: str, *, actor: Actor, until: datetime | None, note: str) -> Incident:
        """Stop repeats of an Incident; worsening, correction and resolved are still told."""
        now = self._now()
        if until is not None and until <= now:
            raise Invalid("until", "write an instant that lies ahead, or leave it out")
        return self._changed(
            id_,
            actor,
            "incident.acknowledge",
            lambda held: suppress.acknowledged(held, by=actor.id, now=now, until=until, note=note or None),
        )

    def assign(self, id_: str, *, actor: Actor, owner: str) -> Incident:
        """Name who takes care of an Incident."""
        return self._changed(id_, actor, "incident.assign", lambda held: replace(held, owner=owner))

    def _changed(
        self, id_: str, actor: Actor, action: str, change: Callable[[Incident], Incident]
    ) -> Incident:
        with self._parts.store.begin() as unit:
            held = unit.incidents.incident(id_)
            if held.state is IncidentState.OK:
                raise Invalid("incident", "it is closed; nothing is sent about it any more")
            made = change(held)
            unit.incidents.save_incidents([made])
            then, now = asdict(held), asdict(made)
            changed = [name for name in now if now[name] != then[name]]
            before, after = ({name: one[name] for name in changed} for one in (then, now))
            self._note(unit, actor, action, id_, before=before, after=after)
        return made

    # ---------------------------------------------------------------------------- silences
    def silence(
        self,
        matchers: Mapping[str, str],
        *,
        starts_at: datetime,
        ends_at: datetime,
        reason: str,
        actor: Actor,
    ) -> Silence:
        """Mute what matches for at most 90 days."""
        now = self._now()
        made = Silence(self._parts.new_id(), dict(matchers), starts_at, ends_at, reason, actor.id, now)
        for message, field in suppress.silence_problems(made):
            raise Invalid(field, message)
        if ends_at <= now:
            raise Invalid("ends_at", "write an instant that lies ahead")
        with self._parts.store.begin() as unit:
            unit.incidents.add_silence(made)
            self._note(unit, actor, "silence.add", made.id, after=asdict(made))
        return made

    def end_silence(self, id_: str, *, actor: Actor) -> Silence:
        """End a Silence now; whatever still fires is told once."""
        now = self._now()
        with self._parts.store.begin() as unit:
            held = found([one for one in unit.incidents.silences() if one.id == id_], "silence", id_)
            may_change(actor, held.author)
            if held.ends_at <= now:
                return held
            made = replace(held, starts_at=min(held.starts_at, now), ends_at=now)
            unit.incidents.add_silence(made)
            self._note(unit, actor, "silence.end", id_, before=asdict(held))
        return made

    def matched(self, matchers: Mapping[str, str]) -> Sequence[Incident]:
        """Return the open Incidents that matchers would mute."""
        now = self._now()
        probe = Silence("", dict(matchers), now, now + LINK_SILENCE, "preview", "", now)
        for message, field in suppress.silence_problems(probe):
            raise Invalid(field, message)
        with self._parts.store.begin(write=False) as unit:
            routing = self._alerting.routing(unit, self._alerting.rules(unit))
            every = unit.incidents.open_incidents()
        return [one for one in every if suppress.is_silenced(one, probe, routing)]

    # ---------------------------------------------------------------------------- deliveries
    def move_deliveries(self, ids: Sequence[str], verb: str, *, actor: Actor) -> Sequence[str]:
        """Redrive dead, release held or cancel Deliveries; return the ids that moved."""
        if verb not in VERBS:
            raise Invalid("verb", f"write one of {', '.join(VERBS)}")
        now = self._now()
        with self._parts.store.begin() as unit:
            for id_ in ids:
                unit.outbox.delivery(id_)
            deadline_at = now + DEADLINE if verb != "cancel" else None
            moved = unit.outbox.move(ids, state=verb, now=now, deadline_at=deadline_at)
            for id_ in moved:
                self._note(unit, actor, f"delivery.{verb}", id_)
        return moved

    # ---------------------------------------------------------------------------- links
    def grant(self, token: str) -> Grant:
        """Return what a signed link allows. Raises Invalid."""
        return signing.verify(token, now=self._now(), key=self._app.words.key)

    def use(self, grant: Grant) -> str:
        """Do what a signed link allows; return the sentence that says what was done."""
        actor = Actor(f"link:{grant.recipient}")
        if grant.purpose == "acknowledge":
            self._acknowledge_by_link(grant, actor)
            return "Acknowledged: repeats stop; worsening, corrections and the end are still told."
        if grant.purpose == "silence":
            return self._silence_by_link(grant, actor)
        if grant.purpose == "unsubscribe":
            return self._unsubscribe(grant, actor)
        if grant.purpose == "verify":
            is_whole = self.prove(grant.object, grant.recipient, actor=actor)
            return "Confirmed: alerts are sent here." if is_whole else "Confirmed; others must confirm too."
        raise Invalid("link", "it allows nothing here")

    def _acknowledge_by_link(self, grant: Grant, actor: Actor) -> None:
        with self._parts.store.begin(write=False) as unit:
            held = unit.incidents.incident(grant.object)
        if held.acked_by != actor.id:  # a second press of the button changes nothing
            self.acknowledge(grant.object, actor=actor, until=None, note="by the link of a message")

    def _silence_by_link(self, grant: Grant, actor: Actor) -> str:
        with self._parts.store.begin(write=False) as unit:
            incident = unit.incidents.incident(grant.object)
            running = unit.incidents.silences(active_at=self._now())
        matchers = {"rule": incident.rule_id, "subject": incident.subject}
        held = [one for one in running if one.matchers == matchers and one.author == actor.id]
        now = self._now()
        made = (
            held[0]
            if held
            else self.silence(
                matchers,
                starts_at=now,
                ends_at=now + LINK_SILENCE,
                reason="by the link of a message",
                actor=actor,
            )
        )
        return f"Silenced until {made.ends_at:%Y-%m-%d %H:%M} UTC; whatever still fires then is told once."

    def _unsubscribe(self, grant: Grant, actor: Actor) -> str:
        with self._parts.store.begin() as unit:
            mine = [one for one in unit.outbox.schedules() if one.id == grant.object]
            held = found(mine, "digest", grant.object)
            if grant.recipient not in held.unsubscribed:
                unit.outbox.save_schedule(
                    replace(held, unsubscribed=(*held.unsubscribed, grant.recipient), rev=held.rev + 1)
                )
                self._note(unit, actor, "digest.unsubscribe", held.id)
        return "Unsubscribed: no further digest is sent to this address. Alerts are not changed."

    # ---------------------------------------------------------------------------- health
    def health(self) -> AlertHealth:
        """Return whether alerts are getting out."""
        now = self._now()
        with self._parts.store.begin(write=False) as unit:
            outbox = unit.outbox.delivery_health(now=now)
            dispatched = instant_of(unit.access.setting(DISPATCHED))
            turned = instant_of(unit.access.setting(TURNED))
        due = None if outbox.oldest_due_at is None else (now - outbox.oldest_due_at).total_seconds()
        reasons = []
        if dispatched is not None and now - dispatched > LATE_DISPATCH:
            reasons.append(f"No message has been sent since {dispatched:%Y-%m-%d %H:%M} UTC.")
        if due is not None and due > LATE_DUE.total_seconds():
            reasons.append(f"A message has waited for {due / 60:.0f} minutes.")
        if turned is not None and now - turned > LATE_TURN:
            reasons.append(f"Alert rules were last judged at {turned:%Y-%m-%d %H:%M} UTC.")
        dead = sum(n for (_, state), n in outbox.counts.items() if state == DeliveryState.DEAD)
        return AlertHealth(not reasons, tuple(reasons), dispatched, turned, due, dead)
