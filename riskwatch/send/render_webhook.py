"""A Message → the body of a webhook by Standard Webhooks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from riskwatch.send.message import (
    Alert,
    AlertMessage,
    DigestLine,
    DigestMessage,
    Links,
    Message,
    OverflowMessage,
    Reason,
    SystemMessage,
    TestMessage,
)
from riskwatch.send.pages import Pages
from riskwatch.send.render import fitted, headed
from riskwatch.send.sheet import alerts_over, coverage, sheet
from riskwatch.send.text import SafeText
from riskwatch.send.webhook_body import (
    INCIDENT_TYPES,
    AnyBody,
    DigestBody,
    DigestData,
    IncidentBody,
    IncidentData,
    LineBody,
    NotCountedBody,
    ReasonBody,
    ScoreMove,
    SystemBody,
    SystemData,
    TestBody,
    TestData,
)

MAX_BYTES = 20_000
_ENTRIES = (25, 10, 4, 1)  # entries of each list; the first number that fits


def webhook(message: Message, *, links: Links, at: datetime) -> dict[str, Any]:
    """Return the body, under 20 kB; lists are shortened, and how much was left out is stated."""
    return fitted(
        _ENTRIES,
        lambda entries: _body(message, links, at, entries).model_dump(mode="json", by_alias=True),
        fits=lambda made: len(json.dumps(made).encode()) < MAX_BYTES,  # however the sender escapes
    )


def _body(message: Message, links: Links, at: datetime, entries: int) -> AnyBody:
    if isinstance(message, DigestMessage):
        return DigestBody(timestamp=at, data=_digest(message, entries))
    if isinstance(message, TestMessage):
        data = TestData(
            receiver_id=SafeText(message.receiver_id), as_of=message.as_of, challenge=message.proof
        )
        return TestBody(timestamp=at, data=data)
    if not isinstance(message, AlertMessage) or len(message.alerts) > 1:
        return SystemBody(timestamp=at, data=_summary(message, links, entries))
    (alert,) = message.alerts
    told = _incident(alert, Pages(links.base_url), entries)
    return IncidentBody(type=INCIDENT_TYPES[alert.step], timestamp=at, data=told)


def _incident(alert: Alert, pages: Pages, entries: int) -> IncidentData:
    left = alert.reasons[entries:]
    return IncidentData(
        incident_id=alert.incident_id,
        transition_id=alert.transition_id,
        rule_id=alert.rule_id,
        rule_name=SafeText(alert.rule_name),
        severity=alert.severity,
        owner=_safe(alert.owner),
        subject=alert.subject,
        subject_name=SafeText(alert.subject_name),
        headline=SafeText(alert.headline),
        note=_safe(alert.note),
        score=_score(alert),
        contributions=tuple(_reason(reason, pages) for reason in alert.reasons[:entries]),
        contributions_left_out=len(left),
        points_left_out=round(sum(reason.points or 0.0 for reason in left), 1),
        baseline_points=alert.structural_change,
        rescaled_events=alert.rescaled,
        not_counted=tuple(_not_counted(alert, entries)),
        not_counted_left_out=max(len(alert.not_counted) - entries, 0),
        exposure=None if alert.exposure is None else tuple(SafeText(use) for use in alert.exposure[:entries]),
        next_steps=tuple(SafeText(step) for step in alert.next_steps),
        sources_fresh=alert.sources_fresh,
        sources_total=alert.sources_total,
        methodology_version=alert.methodology_version,
        result_id=alert.result_id,
        links={"vendor": pages.subject(alert), "alerts": pages.of("alerts")} if pages.base_url else {},
    )


def _score(alert: Alert) -> ScoreMove:
    return ScoreMove.model_validate(
        {
            "from": alert.score_from,
            "to": alert.score_to,
            "grade_from": alert.grade_from,
            "grade_to": alert.grade_to,
            "low": alert.low,
            "high": alert.high,
            "confidence": alert.confidence,
            "as_of": alert.as_of,
            "since": alert.since,
        }
    )


def _reason(reason: Reason, pages: Pages) -> ReasonBody:
    return ReasonBody(
        event_id=reason.event_id,
        event_type=reason.type,
        factor=reason.factor,
        heading=SafeText(reason.heading),
        points=reason.points,
        assertion=reason.assertion,
        outlets=reason.outlets,
        occurred_on=reason.occurred_on,
        other_dates=reason.other_dates,
        evidence_url=pages.of("events", reason.event_id) or None,
    )


def _not_counted(alert: Alert, entries: int) -> Sequence[NotCountedBody]:
    return [
        NotCountedBody(
            event_id=passed.event_id,
            event_type=passed.type,
            heading=SafeText(passed.heading),
            assertion=passed.assertion,
            reason=SafeText(passed.reason),
        )
        for passed in alert.not_counted[:entries]
    ]


def _digest(message: DigestMessage, entries: int) -> DigestData:
    lists = {
        "firing": message.firing,
        "grade_changes": message.grade_changes,
        "events": message.events,
        "rumours": message.rumours,
        "expired": message.expired,
    }
    kept = {name: tuple(_line(line) for line in lines[:entries]) for name, lines in lists.items()}
    return DigestData(
        schedule_id=message.schedule_id,
        name=SafeText(message.name),
        zone=message.zone,
        window_start_at=message.window_start_at,
        window_end_at=message.window_end_at,
        firing=kept["firing"],
        grade_changes=kept["grade_changes"],
        events=kept["events"],
        rumours=kept["rumours"],
        expired=kept["expired"],
        left_out={name: len(lines) - entries for name, lines in lists.items() if len(lines) > entries},
        vendors_scored=message.vendors_scored,
        vendors_total=message.vendors_total,
        sources_fresh=message.sources_fresh,
        sources_total=message.sources_total,
        stale_sources=tuple(SafeText(source, 80) for source in message.stale_sources[: 2 * entries]),
        coverage=coverage(message),
        as_of=message.as_of,
    )


def _line(line: DigestLine) -> LineBody:
    return LineBody(
        subject=line.subject,
        subject_name=SafeText(line.subject_name),
        text=SafeText(line.text),
        points=line.points,
        event_id=line.event_id,
        incident_id=line.incident_id,
    )


def _summary(
    message: SystemMessage | OverflowMessage | AlertMessage, links: Links, entries: int
) -> SystemData:
    """Return a message about riskwatch itself, or many alerts told as one."""
    pages = Pages(links.base_url)
    if isinstance(message, SystemMessage):
        title, lines, total, as_of = message.title, message.lines, len(message.lines), message.as_of
    elif isinstance(message, OverflowMessage):
        title, total = sheet(message, links, rows=entries).title, message.total
        lines, as_of = tuple(headed(alert) for alert in message.gravest), message.gravest[0].as_of
    else:
        title, total = alerts_over(message.alerts), len(message.alerts)
        lines, as_of = tuple(headed(alert) for alert in message.alerts), message.alerts[0].as_of
    return SystemData(
        title=SafeText(title),
        lines=tuple(SafeText(line) for line in lines[:entries]),
        left_out=max(total - len(lines[:entries]), 0),
        as_of=as_of,
        links={"alerts": pages.of("alerts")} if pages.base_url else {},
    )


def _safe(words: str | None) -> str | None:
    return None if words is None else SafeText(words)
