"""What alerting holds in the installation of the tests: a rule, receivers, a digest, a silence, messages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from riskwatch.app import App
from riskwatch.model import Actor, Attempt, AttemptOutcome, Delivery, DeliveryState, Purpose
from riskwatch.store import IncidentFilter

OWNER = Actor("somebody")
RULE: dict[str, Any] = {
    "id": "qwen-low",
    "name": "Qwen below 90",
    "severity": "warning",
    "scope": {"vendors": ["alibaba/qwen"]},
    "condition": {"kind": "score_below", "threshold": 90},
    "for_evaluations": 1,
    "min_confidence": 0,
}
MAIL: dict[str, Any] = {"id": "buyers", "kind": "email", "to": ["buyer@example.com", "second@example.org"]}
HOOK: dict[str, Any] = {  # a numeral: it is checked when it is saved, and no name is asked for here
    "id": "grc", "kind": "webhook", "url": "https://1.1.1.1/hooks", "secret": "grc",
}  # fmt: skip
DIGEST: dict[str, Any] = {
    "id": "mondays",
    "receiver": "buyers",
    "tz": "Europe/Berlin",
    "at": "08:00",
    "days": ["mon"],
}
STATES = (
    DeliveryState.DEAD,
    DeliveryState.HELD,
    DeliveryState.PENDING,
    DeliveryState.DELIVERED,
)


def fill(app: App) -> None:
    """Let somebody make objects of every kind, and owe one message in each of four states."""
    app.desk.save_rule(RULE, actor=OWNER)
    app.alerts.alerting.turn()
    for receiver in (MAIL, HOOK):
        app.desk.save_receiver(receiver, actor=OWNER)
    app.desk.save_digest(DIGEST, actor=OWNER)
    now = app.now()
    app.desk.silence(
        {"subject": "mistral"},
        starts_at=now,
        ends_at=now + timedelta(days=3),
        reason="known since last week",
        actor=OWNER,
    )
    with app.store.begin() as unit:
        first = unit.incidents.incidents(IncidentFilter(rule_id="event-material"))[0]
        told = [step.alert for step in unit.incidents.transitions(first.id) if step.alert is not None]
        made = [_delivery(number, state, app, first.id, told[0]) for number, state in enumerate(STATES)]
        unit.outbox.add_deliveries(made)


def _delivery(number: int, state: DeliveryState, app: App, incident: str, alert: Any) -> Delivery:
    now = app.now()
    usual = Delivery(
        id=f"01JNDELIVERY{number:014}",
        idempotency_key=f"a:group:{number}:buyer@example.com",
        receiver_id="buyers",
        kind="email",
        recipient="buyer@example.com",
        ordering_key=f"buyers|buyer@example.com|{number}",
        purpose=Purpose.ALERT,
        payload={"kind": "alert", "alerts": [alert]},
        created_at=now - timedelta(minutes=number + 1),
        deadline_at=now + timedelta(hours=48),
        next_attempt_at=now + timedelta(hours=1),
        state=state,
        incident_ids=(incident,),
    )
    if state is DeliveryState.DELIVERED:
        return replace(usual, attempts=1, delivered_at=now, last_outcome="ok")
    if state is DeliveryState.DEAD:
        return replace(usual, attempts=3, last_outcome="permanent")
    return usual


def an_attempt(app: App, delivery_id: str) -> Attempt:
    """One try that was refused for good."""
    now = app.now()
    return Attempt(
        delivery_id, 1, 1, now, now, AttemptOutcome.PERMANENT, "550", "550 5.1.1 user unknown", 812
    )
