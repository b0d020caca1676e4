"""Alerts: open incidents, what was not delivered, messages, rules, receivers, silences; and one incident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskwatch.errors import Invalid
from riskwatch.model import Delivery, Incident, Severity, Transition
from riskwatch.serve import present, present_alerts
from riskwatch.serve.alert_actions import ReceiverCard
from riskwatch.serve.alerts import BACKTEST_DAYS, backtests_of, named, rule_names, silences_of
from riskwatch.serve.route import Desk
from riskwatch.store import DeliveryFilter, UnitOfWork

MOST_OPEN, MOST_LOST, MOST_SENT = 50, 50, 20
MOST_REASONS = 3
KINDS = {"email": "e-mail", "slack": "Slack hook", "webhook": "signed webhook"}
SEVERITIES = tuple(reversed([str(one) for one in Severity]))
LOST = ("dead", "expired")


def show(desk: Desk, arguments: Mapping[str, str]) -> tuple[str, Mapping[str, Any]]:
    """Return the page of alerting."""
    severity = arguments.get("severity") or None
    if severity is not None and severity not in SEVERITIES:
        raise Invalid("severity", f"write one of {', '.join(SEVERITIES)}")
    names, health = rule_names(desk), desk.alerting.health()
    with desk.store.begin(write=False) as unit:
        found = [one for one in unit.incidents.open_incidents() if one.opened_at is not None]
        wanted = sorted((one for one in found if severity in (None, one.severity)), key=_gravity)
        open_rows = [_row(desk, unit, one, names) for one in wanted[:MOST_OPEN]]
        lost = unit.outbox.deliveries(DeliveryFilter(states=LOST, limit=MOST_LOST))
        lost_rows = [_lost(unit, row) for row in lost]
        sent = [
            present_alerts.delivery(row) for row in unit.outbox.deliveries(DeliveryFilter(limit=MOST_SENT))
        ]
    silences = [row for row in silences_of(desk) if row["state"] != "ended"]
    return "alerts.html", {
        "incidents": open_rows,
        "counts": {"open": len(found), "wanted": len(wanted)},
        "lost": lost_rows,
        "sent": sent,
        "rules": _rules(desk, is_asked="strips" in arguments),
        "is_asked": "strips" in arguments,
        "days": BACKTEST_DAYS,
        "receivers": [_receiver(card) for card in desk.alerting.receivers()],
        "digests": [present_alerts.digest(one) for one in desk.alerting.digests()],
        "silences": silences,
        "health": present_alerts.health(health),
        "severity": severity,
        "severities": SEVERITIES,
        "json": "/v1/incidents",
        "here": "alerts",
    }


def show_incident(desk: Desk, _arguments: Mapping[str, str], incident: str) -> tuple[str, Mapping[str, Any]]:
    """Return one incident with its course and what was sent about it."""
    names = rule_names(desk)
    with desk.store.begin(write=False) as unit:
        found = unit.incidents.incident(incident)
        row = _row(desk, unit, found, names)
        steps = unit.incidents.transitions(incident)
        sent = unit.outbox.deliveries(DeliveryFilter(incident_id=incident, limit=MOST_LOST))
    cards = {card.id: card for card in desk.alerting.rules()}
    card = cards.get(found.rule_id)
    return "incident.html", {
        "row": row,
        "rule": None if card is None else present_alerts.rule(card),
        "steps": [present_alerts.transition(step) for step in reversed(steps)],
        "sent": [present_alerts.delivery(one) for one in sent],
        "json": f"/v1/incidents/{found.id}",
        "here": "alerts",
    }


# -------------------------------------------------------------------------------- incidents
def _gravity(one: Incident) -> tuple[int, float]:
    """Order the gravest first, among equals the newest."""
    return -one.severity.rank, -(one.opened_at.timestamp() if one.opened_at else 0.0)


def _row(desk: Desk, unit: UnitOfWork, found: Incident, names: Mapping[str, str]) -> present.Plain:
    steps = unit.incidents.transitions(found.id)
    sent = unit.outbox.deliveries(DeliveryFilter(incident_id=found.id, limit=MOST_LOST))
    summary = desk.boards.newest().summaries.get(found.subject)
    return {
        **named(desk, found, names),
        "href": None if summary is None else f"/vendors/{found.subject}",
        "now": summary,
        "said": _said(steps),
        "muted_by": _muted_by(steps),
        "messages": _counts(sent),
    }


def _said(steps: Sequence[Transition]) -> present.Plain | None:
    """Return what was last said of an Incident: movement, reasons, next steps."""
    alerts = [step.alert for step in steps if step.alert is not None]
    if not alerts:
        return None
    alert = alerts[-1]
    reasons = alert.get("reasons") or ()
    return {
        **alert,
        "reasons": reasons[:MOST_REASONS],
        "more": max(0, len(reasons) - MOST_REASONS),
        "is_score": alert.get("score_to") is not None,
    }


def _muted_by(steps: Sequence[Transition]) -> str | None:
    """Return why the last thing that was to be said was not sent."""
    spoken = [step for step in steps if step.step is not None]
    return spoken[-1].suppressed_by if spoken else None


def _counts(sent: Sequence[Delivery]) -> present.Plain:
    states = [str(row.state) for row in sent]
    return {
        "delivered": states.count("delivered"),
        "lost": sum(state in LOST for state in states),
        "waiting": sum(row.state.is_open for row in sent),
    }


# -------------------------------------------------------------------------------- the rest
def _lost(unit: UnitOfWork, row: Delivery) -> present.Plain:
    tries = unit.outbox.attempts(row.id)
    last = present_alerts.attempt(tries[-1]) if tries else None
    return {**present_alerts.delivery(row), "last": last}


def _rules(desk: Desk, *, is_asked: bool) -> list[present.Plain]:
    cards = desk.alerting.rules()
    told = backtests_of(desk, cards) if is_asked else {}
    start = desk.now().timestamp() - BACKTEST_DAYS * 86_400
    rows = []
    for card in cards:
        fired = told[card.id].firings if card.id in told else ()
        places = {round((one.at.timestamp() - start) / (BACKTEST_DAYS * 864), 3) for one in fired}
        rows.append(
            {
                **present_alerts.rule(card, told.get(card.id)),
                "name": card.body.get("name") or card.id,
                "severity": card.body.get("severity"),
                "places": sorted(place for place in places if 0 <= place <= 100),  # noqa: PLR2004 - percent
            }
        )
    return rows


def _receiver(card: ReceiverCard) -> present.Plain:
    """Return a Receiver without its addresses: whoever may read sees only how it stands."""
    told = present_alerts.receiver(card)
    count = len(card.config.get("to", ()))
    kind = KINDS.get(card.kind, card.kind) + (f", {count} addresses" if count > 1 else "")
    return {"id": card.id, "kind": kind, "state": told["state"], "origin": card.origin}
