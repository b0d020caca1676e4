"""When a digest is due, and what happened in its period."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from riskwatch.model import (
    Assertion,
    Delivery,
    Direction,
    Event,
    EventState,
    Incident,
    IncidentState,
    Schedule,
    Score,
    Taxonomy,
)
from riskwatch.send import text
from riskwatch.send.compose import event_heading, families
from riskwatch.send.message import DigestLine, DigestMessage

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONGEST_WAIT_DAYS = 70  # two months and the days that a change of zone may cost


# -------------------------------------------------------------------------------- when it is due
@dataclass(frozen=True, slots=True)
class Due:
    """The next time of a digest."""

    at: datetime  # UTC
    period: date  # local date that it stands for


def next_due(
    after: datetime,
    *,
    local_time: str,
    zone: str,
    days: Sequence[str] = (),
    day_of_month: int | None = None,
    last_period: date | None = None,
) -> Due:
    """Return the first due time later than `after`; every local date that is meant gives exactly one.

    The rule walks local dates and resolves the wall time once per date. A wall time that a clock change
    skips is due at the first instant after the gap; one that comes twice, the first time. Day 31 is the
    last day of a shorter month. A local date that does not exist is left out.

    Args:
        after: Aware.
        local_time: HH:MM on the wall.
        zone: IANA name.
        days: mon ... sun; empty for every day, or for day_of_month.
        day_of_month: 1 to 31.
        last_period: Local date of the last digest; after a change of zone none up to it is repeated.
    """
    tz, wall = ZoneInfo(zone), time.fromisoformat(local_time)
    start = after.astimezone(tz).date() - timedelta(days=1)
    if last_period is not None:
        start = max(start, last_period + timedelta(days=1))
    for ahead in range(_LONGEST_WAIT_DAYS):
        period = start + timedelta(days=ahead)
        if not _is_meant(period, days, day_of_month) or not _exists(period, tz):
            continue
        at = _resolved(period, wall, tz)
        if at > after:
            return Due(at, period)
    raise ValueError(f"nothing is due: days {tuple(days)}, day of month {day_of_month}")


def _is_meant(period: date, days: Sequence[str], day_of_month: int | None) -> bool:
    if day_of_month is not None:
        return period.day == min(day_of_month, monthrange(period.year, period.month)[1])
    return not days or DAYS[period.weekday()] in days


def _exists(period: date, tz: ZoneInfo) -> bool:
    return _resolved(period, time(), tz).astimezone(tz).date() == period


def _resolved(period: date, wall: time, tz: ZoneInfo) -> datetime:
    """Return the first instant, UTC, at which the wall clock of the date shows the time or a later one."""
    first = datetime.combine(period, wall, tzinfo=tz)  # fold 0: the first of two
    at = first.astimezone(UTC)
    if at.astimezone(tz).replace(tzinfo=None) == first.replace(tzinfo=None):
        return at
    # In a gap the two folds read the offsets before and after it; the change lies between them.
    low, high = sorted((at, first.replace(fold=1).astimezone(UTC)))
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(tz).replace(tzinfo=None) < first.replace(tzinfo=None):
            low = middle
        else:
            high = middle
    return high


# -------------------------------------------------------------------------------- what it covers
@dataclass(frozen=True, slots=True)
class Period:
    """One digest that is due: what it covers, and when the next one is."""

    date: date  # local date that it stands for
    start_at: datetime  # end of the digest before
    end_at: datetime
    next: Due


def due_period(schedule: Schedule, now: datetime) -> Period | None:
    """Return the digest that is due now, or None; however many were missed, it is one.

    It covers the time from the end of the last digest to the last due time that has come, so that nothing
    falls between two digests and nothing stands in both: `end_at` is to be stored as the next window's start.
    """
    if not schedule.is_enabled or now < schedule.next_due_at:
        return None
    last, following = Due(schedule.next_due_at, schedule.next_period), _after(schedule, schedule.next_due_at)
    if now - last.at > timedelta(days=_LONGEST_WAIT_DAYS):
        following = _after(schedule, now - timedelta(days=_LONGEST_WAIT_DAYS))
    while following.at <= now:
        last, following = following, _after(schedule, following.at)
    start = schedule.window_start_at or last.at - _length(schedule)
    return Period(last.period, min(start, last.at), last.at, _after(schedule, last.at, last.period))


def _after(schedule: Schedule, at: datetime, last_period: date | None = None) -> Due:
    return next_due(
        at,
        local_time=schedule.local_time,
        zone=schedule.zone,
        days=schedule.days,
        day_of_month=schedule.day_of_month,
        last_period=last_period or schedule.last_period,
    )


def _length(schedule: Schedule) -> timedelta:
    """Return what the first digest of a schedule covers."""
    if schedule.day_of_month is not None:
        return timedelta(days=30)
    return timedelta(days=7 if len(schedule.days) == 1 else 1)


# -------------------------------------------------------------------------------- what it says
@dataclass(frozen=True, slots=True)
class Happened:
    """What is stored of a period; the digest picks from it."""

    taxonomy: Taxonomy
    names: Mapping[str, str]  # subject -> Alibaba/Qwen
    incidents: Sequence[Incident] = ()  # the open ones
    rules: Mapping[str, str] = field(default_factory=dict)  # rule id -> title
    moved: Sequence[tuple[Score | None, Score]] = ()  # of each subject: at the start, at the end
    events: Sequence[Event] = ()  # at least those first recorded within the period
    points: Mapping[str, float] = field(default_factory=dict)  # event id -> points that it takes at its home
    expired: Sequence[Delivery] = ()


@dataclass(frozen=True, slots=True)
class Watched:
    """How well the period was watched."""

    vendors_scored: int
    vendors_total: int
    sources_fresh: int
    sources_total: int
    stale_sources: tuple[str, ...] = ()


def contents(
    schedule: Schedule, *, period: Period, happened: Happened, watched: Watched, name: str | None = None
) -> DigestMessage:
    """Return what a digest says: firing, grades, events, rumours, what was not delivered, coverage."""
    told = [event for event in happened.events if _is_told(event, period, happened.taxonomy)]
    told.sort(key=lambda event: (-happened.points.get(event.id, 0.0), event.occurred_at, event.id))
    return DigestMessage(
        schedule_id=schedule.id,
        name=name or _name(schedule),
        zone=schedule.zone,
        window_start_at=period.start_at,
        window_end_at=period.end_at,
        firing=tuple(_firing(happened, schedule.zone)),
        grade_changes=tuple(_grades(happened)),
        events=tuple(_event(e, happened) for e in told if e.assertion is not Assertion.RUMOURED),
        rumours=tuple(_event(e, happened) for e in told if e.assertion is Assertion.RUMOURED),
        expired=tuple(_undelivered(delivery, schedule.zone) for delivery in happened.expired),
        vendors_scored=watched.vendors_scored,
        vendors_total=watched.vendors_total,
        sources_fresh=watched.sources_fresh,
        sources_total=watched.sources_total,
        stale_sources=watched.stale_sources,
        as_of=period.end_at,
    )


def is_worth_sending(message: DigestMessage) -> bool:
    """Return whether anything happened; a digest about nothing is sent unless its schedule skips it."""
    return any((message.firing, message.grade_changes, message.events, message.rumours, message.expired))


def _name(schedule: Schedule) -> str:
    if schedule.day_of_month is not None:
        return "Monthly digest"
    return "Weekly digest" if len(schedule.days) == 1 else "Daily digest"


def _is_told(event: Event, period: Period, taxonomy: Taxonomy) -> bool:
    """Return whether an Event was first recorded in the period and is good or bad news that still stands."""
    first = event.first_recorded_at or event.recorded_at
    if first is None or not period.start_at <= first < period.end_at:
        return False
    is_news = event.type not in taxonomy or taxonomy[event.type].direction is not Direction.NEUTRAL
    return is_news and event.state is EventState.LIVE and event.assertion.is_live


def _firing(happened: Happened, zone: str) -> list[DigestLine]:
    firing = [
        one for one in happened.incidents if one.state in (IncidentState.FIRING, IncidentState.RECOVERING)
    ]
    firing.sort(key=lambda one: (-one.severity.rank, one.subject, one.rule_id))
    return [
        DigestLine(
            subject=one.subject,
            subject_name=happened.names.get(one.subject, one.subject),
            text=_state(one, happened.rules.get(one.rule_id, one.rule_id), zone),
            incident_id=one.id,
        )
        for one in firing
    ]


def _state(incident: Incident, rule: str, zone: str) -> str:
    parts = [f"{text.capital(incident.severity)}: {rule}"]
    if incident.opened_at is not None:
        parts.append(f"since {text.instant(incident.opened_at, zone)}")
    if incident.state is IncidentState.RECOVERING:
        parts.append("recovering")
    if incident.acked_by:
        parts.append(f"acknowledged by {incident.acked_by}")
    return ", ".join(parts)


def _grades(happened: Happened) -> list[DigestLine]:
    changes = [
        (before, after)
        for before, after in happened.moved
        if before is not None and before.grade is not after.grade
    ]
    changes.sort(key=lambda pair: (_movement(*pair) or 0.0, pair[1].subject))
    return [
        DigestLine(
            subject=after.subject,
            subject_name=happened.names.get(after.subject, after.subject),
            text=f"{before.grade} → {after.grade}, {_score(before)} to {_score(after)}",
            points=_movement(before, after),
        )
        for before, after in changes
    ]


def _score(score: Score) -> str:
    return "not rated" if score.points is None else text.tenths(score.points)


def _movement(before: Score, after: Score) -> float | None:
    if before.points is None or after.points is None:
        return None
    return round(round(after.points, 1) - round(before.points, 1), 1)


def _event(event: Event, happened: Happened) -> DigestLine:
    points = happened.points.get(event.id)
    outlets = text.count(len(families(event)), "outlet")
    told = f"{event.assertion}, {outlets}, {text.day(event.occurred_at)}"
    return DigestLine(
        subject=event.home,
        subject_name=happened.names.get(event.home, event.home),
        text=f"{event_heading(event, happened.taxonomy)}: {told}",
        points=None if points is None else -round(points, 1),
        event_id=event.id,
    )


def _undelivered(delivery: Delivery, zone: str) -> DigestLine:
    """Return what could not be delivered; its subject is that of the first Alert in it."""
    alerts = delivery.payload.get("alerts") or delivery.payload.get("gravest") or ()
    first = alerts[0] if alerts else {}
    told = f"{delivery.purpose} of {text.instant(delivery.created_at, zone)} to {delivery.recipient}"
    last = f"; last answer: {delivery.last_outcome}" if delivery.last_outcome else ""
    return DigestLine(
        subject=str(first.get("subject", delivery.receiver_id)),
        subject_name=str(first.get("subject_name", delivery.receiver_id)),
        text=f"{text.capital(told)} through {delivery.receiver_id}: {delivery.state}{last}",
        incident_id=str(first["incident_id"]) if "incident_id" in first else None,
    )
