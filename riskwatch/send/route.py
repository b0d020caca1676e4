"""Who is told, together with what, and when: Routes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from riskwatch.model import Incident, Queued, Severity, Step, Transition, vendor_of
from riskwatch.send.rule import DAYS, ActiveHours, AlertRule, ReceiverConfig, Route

WAIT_CRITICAL, WAIT = timedelta(seconds=10), timedelta(seconds=60)
RESCORE = "rescore"  # group of all that a change of method or ruleset caused
_WEEK = 9  # days: from yesterday's shift over midnight to the same weekday of next week


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of Subjects beside their Incidents."""

    tags: Mapping[str, frozenset[str]] = field(default_factory=dict)  # vendor id -> tags
    criticality: Mapping[str, int] = field(default_factory=dict)  # Subject -> 1 to 4
    factors: Mapping[str, str] = field(default_factory=dict)  # event type -> Factor

    def tags_of(self, subject: str) -> frozenset[str]:
        """Return the tags of a Subject's vendor."""
        return self.tags.get(vendor_of(subject), frozenset())

    def factors_of(self, types: Iterable[str], rule: AlertRule | None) -> set[str]:
        """Return the Factors that a rule and the types of Events speak of."""
        found = {str(self.factors[type_]) for type_ in types if type_ in self.factors}
        return found | ({str(rule.factor)} if rule is not None and rule.factor else set())


@dataclass(frozen=True, slots=True)
class Routing:
    """What is configured: rules and Receivers by id, Routes in order, and what is known of Subjects."""

    rules: Mapping[str, AlertRule] = field(default_factory=dict)
    routes: Sequence[Route] = ()
    receivers: Mapping[str, ReceiverConfig] = field(default_factory=dict)
    known: Known = field(default_factory=Known)


_TO_ALL = "all"


def queue(
    transitions: Sequence[Transition],
    *,
    incidents: Mapping[str, Incident],
    routing: Routing,
    now: datetime,
    settle_until: datetime | None = None,
) -> tuple[Queued, ...]:
    """Return where each Transition that is to be told must wait; without Routes all goes everywhere.

    Args:
        transitions: As suppressed.
        incidents: Id -> Incident of each Transition.
        routing: Only enabled Receivers are told.
        now: Instant.
        settle_until: Nothing leaves earlier (after a start or a bulk import).
    """
    routes, receivers, known = routing.routes, routing.receivers, routing.known
    every = [(route.id or f"route-{i}", route) for i, route in enumerate(routes, 1)]
    if not routes and receivers:
        every = [(_TO_ALL, Route(receivers=tuple(sorted(receivers))))]
    found: list[Queued] = []
    for one in transitions:
        if one.step is None or one.suppressed_by is not None:
            continue
        incident = incidents[one.incident_id]
        rule = routing.rules.get(incident.rule_id)
        for route_id, route in _matching(every, one, incident, rule, known):
            for receiver_id in dict.fromkeys(route.receivers):
                receiver = receivers.get(receiver_id)
                if receiver is not None and receiver.enabled:
                    waiting = _Waiting(one, incident, rule, route_id, route)
                    found.append(waiting.at(receiver_id, max(now, settle_until or now), now))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Waiting:
    transition: Transition
    incident: Incident
    rule: AlertRule | None
    route_id: str
    route: Route

    def at(self, receiver_id: str, settled: datetime, now: datetime) -> Queued:
        is_critical = self.incident.severity is Severity.CRITICAL
        usual = WAIT_CRITICAL if is_critical else WAIT
        wait = usual if self.route.group_wait is None else self.route.group_wait  # 0s is no wait at all
        flush_at, hours = max(now + wait, settled), self.route.active_hours
        if hours is not None and (not is_critical or self.route.critical_waits):
            flush_at = next_active(flush_at, hours)
        if self.transition.cause == "rescore":
            return Queued(self.transition.id, RESCORE, receiver_id, RESCORE, flush_at, 0.0)
        is_urgent = is_critical and self.transition.step is Step.OPENED
        interval = 0.0 if is_urgent else self.route.group_interval.total_seconds()
        return Queued(self.transition.id, self.route_id, receiver_id, self._key(), flush_at, interval)

    def _key(self) -> str:
        """Critical alerts wait in groups of their own: nothing lesser holds them up."""
        rule, incident = self.rule, self.incident
        values = {
            "vendor": vendor_of(incident.subject),
            "subject": incident.subject,
            "rule": incident.rule_id,
            "rule_family": incident.rule_id if rule is None else rule.family,
            "severity": str(incident.severity),
        }
        parts = [values[name] for name in self.route.group_by]
        return "|".join([*parts, "critical"] if incident.severity is Severity.CRITICAL else parts)


def _matching(
    routes: Sequence[tuple[str, Route]],
    one: Transition,
    incident: Incident,
    rule: AlertRule | None,
    known: Known,
) -> Iterator[tuple[str, Route]]:
    types = [mark.type for mark in incident.events if mark.event_id in one.event_ids]
    factors = known.factors_of(types, rule)
    for id_, route in routes:
        match = route.match
        criticality = known.criticality.get(incident.subject)
        if (
            match.severity in (None, incident.severity)
            and match.owner in (None, incident.owner)
            and (match.factor is None or str(match.factor) in factors)
            and (match.tag is None or match.tag in known.tags_of(incident.subject))
            and (match.criticality is None or (criticality is not None and criticality <= match.criticality))
        ):
            yield id_, route
            if not route.continue_:
                return


def next_active(at: datetime, hours: ActiveHours) -> datetime:
    """Return an instant itself when it lies in the active hours, else their next beginning; UTC."""
    zone = ZoneInfo(hours.tz)
    opens, closes = time.fromisoformat(hours.from_), time.fromisoformat(hours.to)
    first = at.astimezone(zone).date() - timedelta(days=1)
    for ahead in range(_WEEK):
        day = first + timedelta(days=ahead)
        if DAYS[day.weekday()] not in hours.days:
            continue
        last = day if opens < closes else day + timedelta(days=1)
        begin = datetime.combine(day, opens, zone).astimezone(UTC)
        if at < datetime.combine(last, closes, zone).astimezone(UTC):
            return max(at, begin)
    raise AssertionError("every week has an active day")  # pragma: no cover - days is never empty
