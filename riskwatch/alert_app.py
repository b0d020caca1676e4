"""The wiring of alerting: configuration and secrets → evaluation, outbox, digests, Receivers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from riskwatch.alert_files import sync
from riskwatch.alert_scene import Setup
from riskwatch.alerting import Alerting
from riskwatch.digests import Digests
from riskwatch.errors import CollectError, Invalid, NotFound, RiskwatchError
from riskwatch.model import Delivery, Purpose
from riskwatch.outbox import Outbox, Words
from riskwatch.send import templates
from riskwatch.send.render_mail import Templates
from riskwatch.store import DeliveryFilter, IncidentFilter

if TYPE_CHECKING:
    from riskwatch.collect.http import HttpClient
    from riskwatch.model import Incident
    from riskwatch.pipeline import Parts
    from riskwatch.send.backtest import Backtest
    from riskwatch.send.deliver import Log
    from riskwatch.send.receiver import Receiver
    from riskwatch.send.rule import ReceiverConfig
    from riskwatch.settings import Config

_LONGEST_BEAT_GAP = 60.0


class AlertApp:
    """The parts of alerting on one installation, each built when first asked for."""

    def __init__(
        self,
        config: Config,
        parts: Parts,
        *,
        client: Callable[[], HttpClient],
        log: Log,
        key: Callable[[], bytes],
    ) -> None:
        """Create the parts.

        Args:
            config: The configuration.
            parts: What the jobs work with.
            client: Gives the guarded HTTP client.
            log: Structured logger.
            key: Gives the key of signed links.
        """
        self._config, self._parts, self._client, self._log, self._key = config, parts, client, log, key
        self._beaten_at: float | None = None

    @cached_property
    def alerting(self) -> Alerting:
        """Evaluation."""
        sla = {str(k): v for k, v in self._config.methodology.confidence.sla_hours.items()}
        setup = Setup(self._config.alerts, self._config.portfolio, self._config.playbooks, sla)
        return Alerting(self._parts, setup)

    @cached_property
    def words(self) -> Words:
        """What renders Deliveries."""
        return Words(self._config.settings.base_url or "", self._key(), Templates(templates.read()))

    @cached_property
    def outbox(self) -> Outbox:
        """Flush, dispatch, reap."""
        return Outbox(self.alerting, self.words, self.receivers, log=self._log, beat=self.beat)

    @cached_property
    def digests(self) -> Digests:
        """The job that makes digests."""
        return Digests(self.alerting)

    def start(self) -> None:
        """Read the file into the database and let nothing be sent for the first minutes."""
        sync(self.alerting)
        self.alerting.settle()

    def ticks(self) -> Mapping[str, Callable[[], object]]:
        """Return the jobs by name."""
        return {
            "evaluate": self.alerting.turn,
            "flush": self.outbox.flush,
            "digests": self.digests.make,
            "dispatch": self.outbox.dispatch,
            "reap": self.outbox.reap,
        }

    # ---------------------------------------------------------------------------- command line
    def incidents(self, *, everything: bool, limit: int) -> Sequence[Incident]:
        """Return Incidents, newest first; closed ones only where everything is asked for."""
        states = () if everything else ("firing", "recovering")
        with self._parts.store.begin(write=False) as unit:
            return unit.incidents.incidents(IncidentFilter(states=states, limit=limit))

    def deliveries(self, states: Sequence[str], receiver: str | None, *, limit: int) -> Sequence[Delivery]:
        """Return Deliveries, newest first."""
        where = DeliveryFilter(states=tuple(states), receiver_id=receiver, limit=limit)
        with self._parts.store.begin(write=False) as unit:
            return unit.outbox.deliveries(where)

    def replayed(self, rule_id: str | None, *, days: int) -> list[Backtest]:
        """Return when a rule, or each of them, would have fired. Raises NotFound."""
        with self._parts.store.begin(write=False) as unit:
            rules = {rule.id: rule for rule in self.alerting.rules(unit)}
        if rule_id is not None and rule_id not in rules:
            raise NotFound("alert rule", rule_id, f"there are {', '.join(sorted(rules))}")
        chosen = [rules[rule_id]] if rule_id else [rules[id_] for id_ in sorted(rules)]
        return [self.alerting.backtest(rule, days=days) for rule in chosen]

    def preview(self, incident_id: str | None, kind: str) -> str:
        """Return what was last said of an Incident as a kind of Receiver would get it. Raises NotFound."""
        now = self._parts.now()
        with self._parts.store.begin(write=False) as unit:
            newest = unit.incidents.incidents(IncidentFilter(limit=1))
            if incident_id is None and not newest:
                raise NotFound("incident", "any", "no rule has fired yet")
            chosen = incident_id or newest[0].id
            told = [one.alert for one in unit.incidents.transitions(unit.incidents.incident(chosen).id)]
        alerts = [alert for alert in told if alert is not None]
        if not alerts:
            raise NotFound("message", chosen, "nothing was said of this incident")
        shown = Delivery(
            id="preview",
            idempotency_key="preview",
            receiver_id="preview",
            kind=kind,
            recipient="you@example.com",
            ordering_key="preview",
            purpose=Purpose.ALERT,
            payload={"kind": "alert", "alerts": [alerts[-1]]},
            created_at=now,
            deadline_at=now,
        )
        if kind in ("email", "html"):
            mail = self.words.mail(shown)
            return mail.html if kind == "html" else f"Subject: {mail.subject}\n\n{mail.text}"
        body = self.words.slack(shown) if kind == "slack" else self.words.webhook(shown)
        return json.dumps(body, indent=2, ensure_ascii=False)

    # ---------------------------------------------------------------------------- receivers
    def receivers(self, configs: Mapping[str, ReceiverConfig]) -> dict[str, Receiver]:
        """Return the Receivers that can send; one that lacks a setting is left out and named in the log."""
        made: dict[str, Receiver] = {}
        for id_, config in configs.items():
            try:
                made[id_] = self.receiver(config)
            except RiskwatchError as error:
                self._log.warning("receiver_unusable", receiver_id=id_, reason=str(error))
        return made

    def check_address(self, url: str, *, receiver_id: str) -> None:
        """Raise Invalid where nothing may be sent to an address; the reason stands in the log only."""
        try:
            self._client().check(url, receiver_id=receiver_id)
        except CollectError as error:
            self._log.warning("receiver_refused", receiver_id=receiver_id, reason=error.reason)
            raise Invalid("url", "nothing can be sent to this address; use a public https address") from None

    def receiver(self, config: ReceiverConfig) -> Receiver:
        """Return one Receiver that can send. Raises Invalid naming the setting that is missing."""
        if config.kind == "email":
            return self._mail(config.id, config.recipients)
        if config.kind == "slack":
            return self._slack(config.id, self._secret(config.secret))
        return self._webhook(config.id, config.url, self._secret(config.secret))

    def _secret(self, name: str) -> str:
        held = self._config.settings.receiver_secret.get(name)
        if held is None:
            raise Invalid("secret", f"set RISKWATCH_RECEIVER_SECRET_{name.upper()} or its _FILE twin")
        return held.get_secret_value()

    def _mail(self, id_: str, recipients: tuple[str, ...]) -> Receiver:
        from riskwatch.send.receivers.smtp import EmailReceiver, MailServer  # noqa: PLC0415 - loads ssl

        chosen = self._config.settings
        if not chosen.smtp_host or chosen.mail_sender is None:
            raise Invalid("smtp", "set RISKWATCH_SMTP_HOST and RISKWATCH_SMTP_FROM")
        password = chosen.smtp_password
        server = MailServer(
            chosen.smtp_host,
            chosen.mail_sender,
            port=chosen.mail_port,
            security=chosen.smtp_security,
            user=chosen.smtp_user,
            password=password.get_secret_value() if password else None,
        )
        return EmailReceiver(id_, recipients=recipients, server=server, render=self.words.mail)

    def _slack(self, id_: str, hook: str) -> Receiver:
        from riskwatch.send.receivers.slack import SlackReceiver  # noqa: PLC0415 - only where one is used

        client = self._client()
        return SlackReceiver(
            id_,
            hook=hook.strip(),
            render=self.words.slack,
            post=client.post,
            now=self._parts.now,
            is_admitted=client.is_admitted,
        )

    def _webhook(self, id_: str, url: str, secret: str) -> Receiver:
        from riskwatch.send.receivers.webhook import WebhookReceiver  # noqa: PLC0415 - only where one is used

        return WebhookReceiver(
            id_,
            url=url,
            secret=secret,
            render=self.words.webhook,
            post=self._client().post,
            now=self._parts.now,
        )

    # ---------------------------------------------------------------------------- heartbeat
    def beat(self) -> None:
        """Ask the heartbeat address once a minute: a dead man's switch outside."""
        url, now = self._config.settings.heartbeat_url, self._parts.now().timestamp()
        if url is None or (
            self._beaten_at is not None and 0 <= now - self._beaten_at < _LONGEST_BEAT_GAP
        ):  # less than 0: the clock was set back
            return
        self._beaten_at = now
        try:
            self._client().fetch(url.get_secret_value(), source_id="heartbeat")
        except CollectError as error:
            self._log.warning("heartbeat_failed", reason=type(error).__name__)
