"""What people do on the pages: acknowledge an incident, silence it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from pydantic import ValidationError

from riskwatch.errors import Invalid
from riskwatch.model import Actor
from riskwatch.serve.query_alerts import AcknowledgeBody
from riskwatch.serve.route import Desk

SILENCE_DAYS = {"1": 1, "7": 7, "30": 30}


@dataclass(frozen=True, slots=True)
class Act:
    """One button; act(desk, form, actor, **path parameters) gives the page to show then."""

    path: str
    name: str
    act: Callable[..., str]
    scope: str = "review"


def acknowledge(desk: Desk, form: Mapping[str, str], actor: Actor, incident: str) -> str:
    """Stop the repeats of an incident."""
    desk.alerting.acknowledge(incident, actor=actor, until=None, note=_reason(form) or "")
    return f"/incidents/{incident}"


def silence(desk: Desk, form: Mapping[str, str], actor: Actor, incident: str) -> str:
    """Mute an incident's rule on its subject."""
    reason, days = _reason(form), SILENCE_DAYS.get(form.get("days", ""))
    if reason is None:
        raise Invalid("reason", "say why; others will want to know")
    if days is None:
        raise Invalid("days", f"choose one of {', '.join(SILENCE_DAYS)}")
    with desk.store.begin(write=False) as unit:
        found = unit.incidents.incident(incident)
    now = desk.now()
    desk.alerting.silence(
        {"rule": found.rule_id, "subject": found.subject},
        starts_at=now,
        ends_at=now + timedelta(days=days),
        reason=reason,
        actor=actor,
    )
    return f"/incidents/{incident}"


def _reason(form: Mapping[str, str]) -> str | None:
    """Return the reason that was written, as the API takes it."""
    try:
        return AcknowledgeBody(reason=form.get("reason", "").strip() or None).reason
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise Invalid("reason", first["msg"].removeprefix("Value error, ")) from None


ACTS = (
    Act("/incidents/<incident>/acknowledge", "acknowledge", acknowledge),
    Act("/incidents/<incident>/silence", "silence", silence),
)
