"""Incidents and silences by name, what was not sent, past firings: one reading for the API and the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riskwatch.model import Incident, vendor_of
from riskwatch.serve import present, present_alerts
from riskwatch.serve.alert_actions import Backtest, RuleCard
from riskwatch.serve.route import Desk

BACKTEST_DAYS = 180
_WHOLES = {"all": "All sources", "scoring": "Scoring", "portfolio": "Portfolio"}  # subjects of no vendor


def rule_names(desk: Desk) -> Mapping[str, str]:
    """Return rule id -> what people read."""
    return {card.id: str(card.body.get("name") or card.id) for card in desk.alerting.rules()}


def subject_name(desk: Desk, subject: str) -> str:
    """Return the name of what an Incident is about: a Subject, a Source, or the scoring itself."""
    vendor = desk.config.vendors.get(vendor_of(subject))
    _, _, line = subject.partition("/")
    if vendor is None or (line and line not in vendor.lines):
        return _WHOLES.get(subject, subject)
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


def backtests_of(desk: Desk, cards: Sequence[RuleCard]) -> Mapping[str, Backtest]:
    """Return what each rule that is on would have done, worked out once in each state of the data."""
    chosen = [card for card in cards if card.is_enabled]
    key = ("backtests", *((card.id, card.version) for card in chosen))
    return desk.boards.kept(
        key, lambda: {card.id: desk.alerting.backtest(card.body, days=BACKTEST_DAYS) for card in chosen}
    )
