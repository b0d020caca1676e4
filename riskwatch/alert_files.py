"""config/alerts.yaml → rows: each change of a rule, Receiver or digest is written to the audit log."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from riskwatch.errors import ConfigError, ConfigErrors, NotFound
from riskwatch.model import AuditEntry, Schedule, StoredReceiver, StoredRule
from riskwatch.send import digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from riskwatch.alerting import Alerting
    from riskwatch.send.rule import AlertRule, DigestConfig, ReceiverConfig
    from riskwatch.store import UnitOfWork

FILE = "config/alerts.yaml"


def sync(alerting: Alerting) -> None:
    """Bring stored rules, Receivers and Schedules to what the file says. Raises ConfigErrors on a clash."""
    alerts, now = alerting.setup.alerts, alerting.parts.now()
    with alerting.parts.store.begin() as unit:
        unit.lock("alerts")
        _refuse_clashes(unit, alerting)
        _rules(unit, alerts.rules, now)
        _receivers(unit, alerts.receivers, now)
        _digests(unit, alerts.digests, now)


def _refuse_clashes(unit: UnitOfWork, alerting: Alerting) -> None:
    alerts = alerting.setup.alerts
    taken = [
        (what, row.id)
        for what, ours, rows in (
            ("rules", {one.id for one in alerts.rules}, unit.incidents.rules()),
            ("receivers", {one.id for one in alerts.receivers}, unit.outbox.receivers()),
            ("digests", {one.id for one in alerts.digests}, unit.outbox.schedules()),
        )
        for row in rows
        if row.origin == "api" and row.id in ours
    ]
    if taken:
        told = "the id is taken by one that was made through the API; choose another or delete that one"
        raise ConfigErrors(tuple(ConfigError(told, path=FILE, key=f"{what}.{id_}") for what, id_ in taken))


def _rules(unit: UnitOfWork, rules: tuple[AlertRule, ...], now: datetime) -> None:
    held = {row.id: row for row in unit.incidents.rules() if row.origin == "file"}
    for rule in rules:
        before = held.pop(rule.id, None)
        body = rule.model_dump(mode="json", by_alias=True)
        if before is None or before.body != body:
            version = 1 + max((one.version for one in versions_of(unit, rule.id)), default=0)
            row = StoredRule(
                rule.id,
                version,
                "file",
                body,
                rule.condition_hash,
                rule.enabled,
                recorded_at=now,
                author=FILE,
            )
            unit.incidents.save_rule(row)
            _note(unit, "rule.save", rule.id, before.body if before else None, body, now)
    for gone in held.values():
        unit.incidents.save_rule(
            replace(gone, version=gone.version + 1, is_enabled=False, deleted=True, recorded_at=now)
        )
        _note(unit, "rule.delete", gone.id, gone.body, None, now)


def versions_of(unit: UnitOfWork, rule_id: str) -> Sequence[StoredRule]:
    """Return all versions of a rule, deleted ones too; none where it never was."""
    try:
        return unit.incidents.rule_versions(rule_id)
    except NotFound:
        return ()


def _receivers(unit: UnitOfWork, receivers: tuple[ReceiverConfig, ...], now: datetime) -> None:
    held = {row.id: row for row in unit.outbox.receivers() if row.origin == "file"}
    for receiver in receivers:
        before = held.pop(receiver.id, None)
        body = receiver.model_dump(mode="json", by_alias=True)
        if before is None or before.config != body:
            row = StoredReceiver(
                receiver.id, receiver.kind, "file", body, receiver.enabled, FILE, now, verified_at=now
            )
            unit.outbox.save_receiver(row)
            _note(unit, "receiver.save", receiver.id, before.config if before else None, body, now)
    for gone in held.values():
        unit.outbox.delete_receiver(gone.id)
        _note(unit, "receiver.delete", gone.id, gone.config, None, now)


def _digests(unit: UnitOfWork, digests: tuple[DigestConfig, ...], now: datetime) -> None:
    held = {row.id: row for row in unit.outbox.schedules() if row.origin == "file"}
    for config in digests:
        before = held.pop(config.id, None)
        made = scheduled(config, before, now)
        if made != before:
            unit.outbox.save_schedule(made)
            _note(unit, "digest.save", config.id, None, config.model_dump(mode="json"), now)
    for gone in held.values():
        unit.outbox.delete_schedule(gone.id)
        _note(unit, "digest.delete", gone.id, None, None, now)


def scheduled(config: DigestConfig, before: Schedule | None, now: datetime) -> Schedule:
    """Return the Schedule of a digest; one that was there keeps its periods, and repeats none."""
    rhythm: dict[str, Any] = {
        "receiver_id": config.receiver,
        "zone": config.tz,
        "local_time": config.at,
        "days": config.days,
        "day_of_month": config.day_of_month,
        "when_empty": config.when_empty,
    }
    if before is not None and all(getattr(before, name) == value for name, value in rhythm.items()):
        return before
    due = digest.next_due(
        now,
        local_time=config.at,
        zone=config.tz,
        days=config.days,
        day_of_month=config.day_of_month,
        last_period=before.last_period if before else None,
    )
    if before is not None:
        return replace(before, **rhythm, next_due_at=due.at, next_period=due.period, rev=before.rev + 1)
    return Schedule(
        config.id, next_due_at=due.at, next_period=due.period, origin="file", author=FILE, **rhythm
    )


def _note(
    unit: UnitOfWork,
    action: str,
    id_: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    now: datetime,
) -> None:
    unit.access.add_audit(AuditEntry(0, now, FILE, action, id_, before, after))
