"""Values of alerting → plain answers; the API and the pages show these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from riskwatch.model import (
    Attempt,
    AuditEntry,
    Delivery,
    Incident,
    Schedule,
    Silence,
    Transition,
)
from riskwatch.serve.alert_actions import AlertHealth, Backtest, ReceiverCard, RuleCard, Transcript
from riskwatch.serve.present import Plain, instant


# -------------------------------------------------------------------------------- rules
def backtest(told: Backtest) -> Plain:
    """Return what a rule would have done."""
    return {
        "days": told.days,
        "firings": [{"at": instant(f.at), "subject": f.subject, "value": f.value} for f in told.firings],
        "sentence": told.sentence,
    }


def rule(card: RuleCard, told: Backtest | None = None) -> Plain:
    """Return an AlertRule, with its backtest where that was worked out."""
    return {
        "id": card.id,
        "version": card.version,
        "origin": card.origin,
        "owner": card.owner,
        "enabled": card.is_enabled,
        "speaks_when": card.speaks_when,
        "watches": card.watches,
        "rule": dict(card.body),
        "backtest": None if told is None else backtest(told),
    }


# -------------------------------------------------------------------------------- incidents
def incident(found: Incident, *, rule_name: str, subject_name: str) -> Plain:
    """Return an Incident with the Events that it rests on."""
    acknowledged = {
        "by": masked(found.acked_by or ""),
        "at": instant(found.acked_at),
        "until": instant(found.acked_until),
        "reason": found.ack_note,
    }
    return {
        "id": found.id,
        "rule": found.rule_id,
        "rule_name": rule_name,
        "subject": found.subject,
        "subject_name": subject_name,
        "severity": str(found.severity),
        "state": str(found.state),
        "opened_at": instant(found.opened_at),
        "closed_at": instant(found.closed_at),
        "evaluated_at": instant(found.evaluated_at),
        "value": found.last_value,
        "grade": found.last_grade,
        "told_value": found.told_value,
        "told_grade": found.told_grade,
        "told_at": instant(found.told_at),
        "stale": found.is_stale,
        "acknowledged": acknowledged if found.acked_by is not None else None,
        "owner": found.owner,
        "events": [
            {
                "event": mark.event_id,
                "type": mark.type,
                "points": mark.points,
                "assertion": mark.assertion,
                "closed": mark.is_closed,
                "denied": mark.is_denied,
            }
            for mark in found.events
        ],
    }


def transition(step: Transition) -> Plain:
    """Return one step with what was said, as it was said."""
    return {
        "id": step.id,
        "seq": step.seq,
        "step": None if step.step is None else str(step.step),
        "from_state": str(step.from_state),
        "to_state": str(step.to_state),
        "cause": step.cause,
        "value_old": step.value_old,
        "value_new": step.value_new,
        "occurred_at": instant(step.occurred_at),
        "events": list(step.event_ids),
        "snapshot": step.snapshot_id,
        "suppressed_by": step.suppressed_by,
        "alert": None if step.alert is None else dict(step.alert),
    }


def silence(found: Silence, *, now: datetime) -> Plain:
    """Return a Silence and whether it runs."""
    state = "ended" if found.ends_at <= now else "planned" if found.starts_at > now else "running"
    return {
        "id": found.id,
        "matchers": dict(found.matchers),
        "starts_at": instant(found.starts_at),
        "ends_at": instant(found.ends_at),
        "reason": found.reason,
        "author": masked(found.author),
        "created_at": instant(found.created_at),
        "state": state,
    }


# -------------------------------------------------------------------------------- deliveries
def masked(recipient: str) -> str:
    """Return a mail address, or the holder of a link to it, with one letter and the host only."""
    name, at, host = recipient.rpartition("@")
    before, colon, own = name.rpartition(":")
    return f"{before}{colon}{own[:1]}…@{host}" if at else recipient


def title(payload: Mapping[str, object]) -> str:
    """Return what a message says, in one line."""
    match payload:
        case {"kind": "alert", "alerts": [dict() as first, *others]}:
            more = f" and {len(others)} more" if others else ""
            return f"{first.get('subject_name')}, {first.get('step')}: {first.get('headline')}{more}"
        case {"kind": "overflow", "total": total, "vendors": vendors}:
            return f"{total} alerts over {vendors} vendors"
        case {"kind": "digest", "name": told} | {"kind": "system", "title": told}:
            return str(told)
    return str(payload.get("kind", "message")).capitalize()


def delivery(row: Delivery) -> Plain:
    """Return one message owed to one recipient, without its words."""
    return {
        "id": row.id,
        "title": title(row.payload),
        "receiver": row.receiver_id,
        "kind": row.kind,
        "recipient": masked(row.recipient),
        "purpose": str(row.purpose),
        "state": str(row.state),
        "tries": row.attempts,
        "series": row.series,
        "created_at": instant(row.created_at),
        "deadline_at": instant(row.deadline_at),
        "next_attempt_at": instant(row.next_attempt_at),
        "delivered_at": instant(row.delivered_at),
        "last_outcome": row.last_outcome,
        "incidents": list(row.incident_ids),
    }


def attempt(tried: Attempt) -> Plain:
    """Return one try."""
    return {
        "series": tried.series,
        "n": tried.n,
        "started_at": instant(tried.started_at),
        "ended_at": instant(tried.ended_at),
        "outcome": str(tried.outcome),
        "code": tried.code,
        "detail": tried.detail,
        "latency_ms": tried.latency_ms,
    }


def delivery_detail(row: Delivery, attempts: Sequence[Attempt]) -> Plain:
    """Return a Delivery with its tries and the facts that it tells."""
    return {
        **delivery(row),
        "attempts": [attempt(one) for one in attempts],
        "payload_version": row.payload_version,
        "payload": dict(row.payload),
    }


# -------------------------------------------------------------------------------- receivers and digests
def receiver(card: ReceiverCard) -> Plain:
    """Return a Receiver with how it has answered lately."""
    state = card.state
    return {
        "id": card.id,
        "kind": card.kind,
        "origin": card.origin,
        "owner": card.owner,
        "enabled": card.is_enabled,
        "config": dict(card.config),
        "verified_at": instant(card.verified_at),
        "state": {
            "word": receiver_word(card),
            "not_before": instant(state.not_before),
            "breaker_until": instant(state.breaker_until),
            "consecutive_failures": state.consecutive_failures,
            "failing_since": instant(state.failing_since),
            "last_ok_at": instant(state.last_ok_at),
            "last_error": state.last_error,
            "disabled_reason": state.disabled_reason,
        },
    }


def receiver_word(card: ReceiverCard) -> str:
    """Return how a Receiver stands, in one word."""
    state = card.state
    if not card.is_enabled or state.disabled_reason is not None:
        return "switched_off"
    if card.origin == "api" and card.verified_at is None:
        return "unproved"
    if state.consecutive_failures:
        return "failing"
    return "untried" if state.last_ok_at is None else "working"


def transcript(told: Transcript) -> Plain:
    """Return how a test send went."""
    return {
        "outcome": told.outcome,
        "code": told.code,
        "detail": told.detail,
        "latency_ms": told.latency_ms,
    }


def digest(found: Schedule) -> Plain:
    """Return when a digest is next due."""
    return {
        "id": found.id,
        "receiver": found.receiver_id,
        "zone": found.zone,
        "at": found.local_time,
        "days": list(found.days),
        "day_of_month": found.day_of_month,
        "when_empty": found.when_empty,
        "enabled": found.is_enabled,
        "origin": found.origin,
        "owner": found.author,
        "next_due_at": instant(found.next_due_at),
        "next_period": found.next_period.isoformat(),
        "last_period": None if found.last_period is None else found.last_period.isoformat(),
        "unsubscribed": len(found.unsubscribed),
    }


# -------------------------------------------------------------------------------- health and audit
def health(found: AlertHealth) -> Plain:
    """Return whether alerts are getting out."""
    return {
        "well": found.is_well,
        "reasons": list(found.reasons),
        "dispatched_at": instant(found.dispatched_at),
        "evaluated_at": instant(found.evaluated_at),
        "oldest_due_seconds": found.oldest_due_seconds,
        "dead": found.dead,
    }


def audit(entry: AuditEntry) -> Plain:
    """Return one line of the audit log."""
    return {
        "seq": entry.seq,
        "at": instant(entry.at),
        "actor": entry.actor,
        "action": entry.action,
        "object": entry.object,
        "before": None if entry.before is None else dict(entry.before),
        "after": None if entry.after is None else dict(entry.after),
        "prev_hash": entry.prev_hash,
        "hash": entry.hash,
    }
