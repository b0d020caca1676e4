"""Incidents and silences by name, what was not sent, past firings: one reading for the API and the pages."""

from __future__ import annotations

from collections.abc import Mapping

from riskwatch.model import Incident, vendor_of
from riskwatch.serve import present, present_alerts
from riskwatch.serve.alert_actions import Backtest
from riskwatch.serve.route import Desk

BACKTEST_DAYS = 180


def rule_names(desk: Desk) -> Mapping[str, str]:
    """Return rule id -> what people read."""
    return {card.id: str(card.body.get("name") or card.id) for card in desk.alerting.rules()}


def subject_name(desk: Desk, subject: str) -> str:
    """Return the name of what an Incident is about: a Subject, a Source, or the scoring itself."""
    vendor = desk.config.vendors.get(vendor_of(subject))
    _, _, line = subject.partition("/")
    if vendor is None or (line and line not in vendor.lines):
        return subject
    return present.name_of(subject, desk.config.vendors)


def named(desk: Desk, found: Incident, names: Mapping[str, str]) -> present.Plain:
    """Return an Incident as it is shown."""
    name = names.get(found.rule_id, found.rule_id)
    return present_alerts.incident(found, rule_name=name, subject_name=subject_name(desk, found.subject))


def silences_of(desk: Desk) -> list[present.Plain]:
    """Return all Silences, those that end first before."""
    now = desk.now()
    with desk.store.begin(write=False) as unit:
        return [present_alerts.silence(one, now=now) for one in unit.incidents.silences()]


def backtest_of(desk: Desk, rule_id: str, version: int, body: Mapping[str, object]) -> Backtest:
    """Return what a rule would have done, worked out once in each state of the data."""
    key = ("backtest", rule_id, version)
    return desk.boards.kept(key, lambda: desk.alerting.backtest(body, days=BACKTEST_DAYS))
