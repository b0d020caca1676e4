"""The score if something were otherwise; nothing of it is ever stored or alerted on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from riskwatch.errors import Invalid
from riskwatch.model import (
    Assertion,
    Attributes,
    Claim,
    Event,
    EventState,
    RegisterEntry,
    Score,
    Verdict,
    VerdictKind,
    vendor_of,
)
from riskwatch.score.engine import evaluate
from riskwatch.score.inputs import Inputs


@dataclass(frozen=True, slots=True)
class Added:
    """An Event that might happen, told at as_of by one family."""

    type: str
    attributes: Attributes = field(default_factory=dict)
    status: Assertion = Assertion.CONFIRMED
    tier: str = "1"
    home: str | None = None  # None = the scored subject
    relieves: tuple[str, ...] = ()  # for a mitigation: ids of the events that it closes


@dataclass(frozen=True, slots=True)
class Setting:
    """What is otherwise about a known Event."""

    status: Assertion | None = None
    magnitude: float | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Everything that is otherwise."""

    without: tuple[str, ...] = ()  # event ids
    add: tuple[Added, ...] = ()
    set: Mapping[str, Setting] = field(default_factory=dict)  # by event id
    register: RegisterEntry | None = None


def what_if(inputs: Inputs, change: Change) -> Score:
    """Return the Score under a change, marked as what-if; raises Invalid for an unknown event or type."""
    return replace(evaluate(apply(inputs, change)), what_if=True)


def apply(inputs: Inputs, change: Change) -> Inputs:
    """Return the inputs under a change; raises Invalid for an unknown event or type."""
    _check(inputs, change)
    gone = set(change.without)
    reopened = {target for event in inputs.events if event.id in gone for target in event.closes}
    events = [
        _set(_reopened(event) if event.id in reopened else event, change.set.get(event.id))
        for event in inputs.events
        if event.id not in gone
    ]
    events.extend(_added(inputs, added, number) for number, added in enumerate(change.add))
    vendor = inputs.vendor
    if change.register is not None:
        vendor = vendor.model_copy(update={"register_": (*vendor.register_, change.register)})
    verdicts = (*inputs.verdicts, *_verdicts(inputs, change))
    return replace(inputs, events=tuple(events), vendor=vendor, verdicts=verdicts)


def _check(inputs: Inputs, change: Change) -> None:
    ids = {event.id for event in inputs.events}
    for id_ in (*change.without, *change.set, *(target for added in change.add for target in added.relieves)):
        if id_ not in ids:
            raise Invalid("event", f"no event of {inputs.vendor.id} has the id {id_!r}")
    method = inputs.methodology
    for added in change.add:
        if added.type not in method.types and added.type not in method.mitigations.types:
            raise Invalid("add.type", f"{added.type!r} is no event type")
        if added.tier not in method.credibility.tiers:
            raise Invalid("add.tier", f"{added.tier!r} is none of {', '.join(method.credibility.tiers)}")


def _reopened(event: Event) -> Event:
    return replace(event, closed_at=None)


def _set(event: Event, setting: Setting | None) -> Event:
    if setting is None or setting.status is None:
        return event
    status = setting.status
    claims = tuple(replace(claim, assertion=status) for claim in event.claims if claim.assertion.is_live)
    denials = tuple(claim for claim in event.claims if not claim.assertion.is_live)
    return replace(event, claims=(*claims, *denials), assertion=status)


def _added(inputs: Inputs, added: Added, number: int) -> Event:
    id_, home = f"what-if-{number:04d}", added.home or inputs.subject
    claim = Claim(
        signal_id=id_, article_id=id_, family="what-if", publisher="what-if", tier=added.tier,
        assertion=added.status, told_at=inputs.as_of,
    )  # fmt: skip
    return Event(
        id=id_, type=added.type, vendor=vendor_of(home), home=home, object=None, assertion=added.status,
        state=EventState.LIVE if added.status.is_live else EventState.DENIED, attributes=added.attributes,
        occurred_at=inputs.as_of, date_precision="instant", claims=(claim,), closes=added.relieves,
    )  # fmt: skip


def _verdicts(inputs: Inputs, change: Change) -> Iterator[Verdict]:
    for id_, setting in sorted(change.set.items()):
        if setting.magnitude is not None:
            yield _verdict(inputs, id_, VerdictKind.SET_MAGNITUDE, {"magnitude": setting.magnitude})
        if setting.closed_at is not None:
            yield _verdict(inputs, id_, VerdictKind.CLOSE, {"closed_at": setting.closed_at.isoformat()})


def _verdict(inputs: Inputs, event_id: str, kind: VerdictKind, values: Attributes) -> Verdict:
    return Verdict(
        id=f"\uffffwhat-if-{event_id}",  # behind any stored Verdict of the same instant
        event_id=event_id,
        kind=kind,
        author="what-if",
        reason="what-if",
        values=values,
        recorded_at=inputs.known_at,
    )
