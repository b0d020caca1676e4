"""Incidents, silences, the health of alerting, the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskwatch.errors import Invalid
from riskwatch.model import Actor, Incident
from riskwatch.serve import answers
from riskwatch.serve import answers_alerts as told
from riskwatch.serve import present_alerts as present
from riskwatch.serve.alerts import named, rule_names, silences_of
from riskwatch.serve.query import (
    Nothing,
    Paged,
    cursor_of,
    end_of,
    moment_cursor,
    moment_place,
    place_of,
    start_of,
)
from riskwatch.serve.query_alerts import (
    AcknowledgeBody,
    AssignBody,
    IncidentQuery,
    MatchersBody,
    SilenceBody,
    SilenceQuery,
)
from riskwatch.serve.route import Desk, Route
from riskwatch.store import DeliveryFilter, IncidentFilter

_MOST_DELIVERIES = 200


# -------------------------------------------------------------------------------- incidents
def list_incidents(desk: Desk, query: IncidentQuery) -> Mapping[str, Any]:
    """List incidents, newest first."""
    where = IncidentFilter(
        states=tuple(query.state),
        subject=query.subject,
        severity=query.severity,
        owner=query.owner,
        rule_id=query.rule,
        after=moment_place("incidents", query.cursor),
        limit=query.limit + 1,
    )
    names = rule_names(desk)
    with desk.store.begin(write=False) as unit:
        found = unit.incidents.incidents(where)
    page = found[: query.limit]
    return {
        "items": [named(desk, one, names) for one in page],
        "next_cursor": _place(page[-1]) if len(found) > query.limit else None,
    }


def _place(last: Incident) -> str | None:
    at = last.opened_at or last.evaluated_at
    return None if at is None else moment_cursor("incidents", at, last.id)


def get_incident(desk: Desk, _query: Nothing, incident: str) -> Mapping[str, Any]:
    """Return one incident with its course and what was sent about it."""
    names = rule_names(desk)
    with desk.store.begin(write=False) as unit:
        found = unit.incidents.incident(incident)
        steps = unit.incidents.transitions(incident)
        sent = unit.outbox.deliveries(DeliveryFilter(incident_id=incident, limit=_MOST_DELIVERIES))
    return {
        **named(desk, found, names),
        "transitions": [present.transition(step) for step in steps],
        "deliveries": [present.delivery(row) for row in sent],
    }


def acknowledge_incident(
    desk: Desk, _query: Nothing, body: AcknowledgeBody, incident: str, actor: Actor
) -> Mapping[str, Any]:
    """Stop the repeats of an incident; worsening, correction and resolved are still told."""
    until, note = end_of(body.until), body.reason or ""
    return _shown(desk, desk.alerting.acknowledge(incident, actor=actor, until=until, note=note))


def assign_incident(
    desk: Desk, _query: Nothing, body: AssignBody, incident: str, actor: Actor
) -> Mapping[str, Any]:
    """Name who takes care of an incident."""
    return _shown(desk, desk.alerting.assign(incident, actor=actor, owner=body.owner))


def _shown(desk: Desk, made: Incident) -> Mapping[str, Any]:
    return named(desk, made, rule_names(desk))


# -------------------------------------------------------------------------------- silences
def list_silences(desk: Desk, query: SilenceQuery) -> Mapping[str, Any]:
    """List silences, those that end first before."""
    rows = [row for row in silences_of(desk) if query.state in (None, row["state"])]
    return {"items": rows, "next_cursor": None}


def add_silence(desk: Desk, _query: Nothing, body: SilenceBody, actor: Actor) -> Mapping[str, Any]:
    """Mute what matches until an instant."""
    now, ends_at = desk.now(), end_of(body.ends_at)
    if ends_at is None:
        raise Invalid("ends_at", "is needed")
    made = desk.alerting.silence(
        body.matchers,
        starts_at=start_of(body.starts_at) or now,
        ends_at=ends_at,
        reason=body.reason,
        actor=actor,
    )
    return present.silence(made, now=now)


def end_silence(desk: Desk, _query: Nothing, silence: str, actor: Actor) -> Mapping[str, Any]:
    """End a silence now."""
    return present.silence(desk.alerting.end_silence(silence, actor=actor), now=desk.now())


def preview_silence(desk: Desk, _query: Nothing, body: MatchersBody) -> Mapping[str, Any]:
    """List the open incidents that a silence would mute now; nothing is stored."""
    names = rule_names(desk)
    return {"items": [named(desk, one, names) for one in desk.alerting.matched(body.matchers)]}


# -------------------------------------------------------------------------------- health and audit
def get_alert_health(desk: Desk, _query: Nothing) -> Mapping[str, Any]:
    """Return whether alerts are getting out."""
    return present.health(desk.alerting.health())


def list_audit(desk: Desk, query: Paged) -> Mapping[str, Any]:
    """List the audit log, oldest first."""
    place = place_of("audit", query.cursor)
    if place is not None and not (place[0].isdecimal() and place[0].isascii()):
        raise Invalid("cursor", "is none of this listing; take next_cursor of the page before")
    after = 0 if place is None else min(int(place[0][:18]), 10**15)
    with desk.store.begin(write=False) as unit:
        rows = unit.access.audit(after=after, limit=query.limit + 1)
    page = rows[: query.limit]
    return {
        "items": [present.audit(row) for row in page],
        "next_cursor": cursor_of("audit", (str(page[-1].seq), "")) if len(rows) > query.limit else None,
    }


_INCIDENT = "/v1/incidents/<incident>"
ROUTES = (
    Route(
        "/v1/incidents", list_incidents, answers.Page[told.IncidentAnswer], "Incidents, newest first",
        query=IncidentQuery, is_alerting=True,
    ),
    Route(_INCIDENT, get_incident, told.IncidentDetail, "One incident with its course", is_alerting=True),
    Route(
        f"{_INCIDENT}/acknowledge", acknowledge_incident, told.IncidentAnswer, "Acknowledge an incident",
        method="POST", scope="review", body=AcknowledgeBody, is_change=True, is_alerting=True,
    ),
    Route(
        f"{_INCIDENT}/assign", assign_incident, told.IncidentAnswer, "Assign an incident",
        method="POST", scope="review", body=AssignBody, is_change=True, is_alerting=True,
    ),
    Route(
        "/v1/silences", list_silences, answers.Page[told.SilenceAnswer], "Silences",
        query=SilenceQuery, is_alerting=True,
    ),
    Route(
        "/v1/silences", add_silence, told.SilenceAnswer, "Mute what matches",
        method="POST", scope="review", body=SilenceBody, status=201, is_change=True, is_alerting=True,
    ),
    Route(
        "/v1/silences/preview", preview_silence, told.Matched, "What a silence would mute now",
        method="POST", scope="review", body=MatchersBody, is_alerting=True,
    ),
    Route(
        "/v1/silences/<silence>", end_silence, told.SilenceAnswer, "End a silence now",
        method="DELETE", scope="review", is_change=True, is_alerting=True,
    ),
    Route(
        "/v1/alert-health", get_alert_health, told.AlertHealthAnswer, "Whether alerts are getting out",
        is_alerting=True,
    ),
    Route(
        "/v1/audit", list_audit, answers.Page[told.AuditRow], "The audit log, oldest first",
        query=Paged, scope="admin",
    ),
)  # fmt: skip
