"""People's Verdicts, applied again after every fold: they beat rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from riskwatch.model import Assertion, EventState, HistoryStep, Verdict, VerdictKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from riskwatch.model import Event

_OLDEST = datetime.min.replace(tzinfo=UTC)
_STATE = {VerdictKind.CLOSE, VerdictKind.REOPEN}
_NOTES = {
    VerdictKind.CONFIRM: "confirmed by review",
    VerdictKind.REJECT: "rejected by review",
    VerdictKind.SET_ATTRIBUTES: "attributes set by review",
    VerdictKind.RE_DATE: "date set by review",
    VerdictKind.MOVE_HOME: "home set by review",
    VerdictKind.CLOSE: "closed by review",
    VerdictKind.REOPEN: "reopened by review",
    VerdictKind.SET_MAGNITUDE: "magnitude set by review",  # the score reads the number
}


def by_event(verdicts: Iterable[Verdict], heirs: Mapping[str, str]) -> dict[str, list[Verdict]]:
    """Return event id -> its Verdicts, oldest first; those on swallowed ids go to the heir."""
    found: dict[str, list[Verdict]] = {}
    for verdict in sorted(verdicts, key=lambda v: (v.recorded_at or _OLDEST, v.id)):
        found.setdefault(resolve_id(verdict.event_id, heirs), []).append(verdict)
    return found


def resolve_id(id_: str, heirs: Mapping[str, str]) -> str:
    """Return the id under which an event lives on."""
    seen: set[str] = set()
    while id_ in heirs and id_ not in seen:
        seen.add(id_)
        id_ = heirs[id_]
    return id_


def apply(event: Event, verdicts: Sequence[Verdict]) -> Event:
    """Return the event as the Verdicts, oldest first, leave it; opening and closing apart."""
    for verdict in verdicts:
        event = _applied(event, verdict)
    steps = tuple(_step(verdict, event.assertion) for verdict in verdicts)
    return replace(event, history=(*event.history, *steps)) if steps else event


def apply_closing(event: Event, verdicts: Sequence[Verdict]) -> Event:
    """Return the event closed or reopened as the latest such Verdict says."""
    latest = next((verdict for verdict in reversed(verdicts) if verdict.kind in _STATE), None)
    if latest is None:
        return event
    if latest.kind is VerdictKind.REOPEN:
        return replace(event, closed_at=None)
    return replace(event, closed_at=_instant(latest, "closed_at") or latest.recorded_at)


def _applied(event: Event, verdict: Verdict) -> Event:
    if verdict.kind is VerdictKind.REJECT:
        return replace(event, state=EventState.REJECTED)
    if verdict.kind is VerdictKind.CONFIRM:
        return replace(event, state=EventState.LIVE, assertion=Assertion.CONFIRMED, disputed=False)
    if verdict.kind is VerdictKind.SET_ATTRIBUTES:
        conflicts = tuple(c for c in event.conflicts if c.attribute not in verdict.values)
        return replace(event, attributes={**event.attributes, **verdict.values}, conflicts=conflicts)
    return _placed(event, verdict)


def _placed(event: Event, verdict: Verdict) -> Event:
    if verdict.kind is VerdictKind.RE_DATE and (at := _instant(verdict, "occurred_at")) is not None:
        return replace(event, occurred_at=at, date_precision=_precision(at), date_conflicts=())
    home = verdict.values.get("home")
    if verdict.kind is VerdictKind.MOVE_HOME and isinstance(home, str) and home:
        return replace(event, home=home)
    return event


def _step(verdict: Verdict, assertion: Assertion) -> HistoryStep:
    note = f"{_NOTES[verdict.kind]} ({verdict.author}): {verdict.reason}"
    return HistoryStep(verdict.recorded_at or _OLDEST, assertion, "", note)


def _instant(verdict: Verdict, name: str) -> datetime | None:
    value = verdict.values.get(name)
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _precision(at: datetime) -> str:
    return "day" if (at.hour, at.minute, at.second, at.microsecond) == (0, 0, 0, 0) else "instant"
