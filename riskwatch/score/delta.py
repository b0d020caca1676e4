"""Points moved between two instants, by event and by cause; a fall is negative, each sums to the movement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from riskwatch.model import Attributes, Claim, Delta, Event, Score
from riskwatch.score.contribution import STRUCTURAL
from riskwatch.score.engine import internal_points
from riskwatch.score.inputs import Inputs, is_counted, known, occurred_at
from riskwatch.score.structural import structure

CAUSES = ("time", "corrections", "evidence", "relief", "new", "register", "methodology")


def by_event(before: Score, after: Score) -> Mapping[str, float]:
    """Return event id (or `structural`) -> points gained; they sum to the movement of the score."""
    then = _taken(before)
    now = _taken(after)
    return {key: then.get(key, 0.0) - now.get(key, 0.0) for key in sorted(then.keys() | now.keys())}


def by_cause(before: Inputs, after: Inputs) -> Mapping[str, float]:
    """Return cause -> points gained, in the fixed order; one group of inputs is replaced at a time.

    `time` and `relief` are never negative, `new` is never positive.
    """
    steps = _steps(known(before), known(after))
    points = [internal_points(step) for step in steps]
    return {cause: points[n + 1] - points[n] for n, cause in enumerate(CAUSES)}


def delta(before: Inputs, after: Inputs, *, scores: tuple[Score, Score]) -> Delta:
    """Return the whole movement between two Scores of the same Subject, given what each rested on."""
    first, last = scores
    return Delta(
        subject=after.subject,
        from_points=first.internal_points,
        to_points=last.internal_points,
        by_event=by_event(first, last),
        by_cause=by_cause(before, after),
    )


def _taken(score: Score) -> dict[str, float]:
    return {STRUCTURAL: score.structural_points, **{c.event_id: c.points for c in score.contributions}}


def _steps(before: Inputs, after: Inputs) -> tuple[Inputs, ...]:
    then = {
        event.id: _as_of(event, before.as_of) for event in before.events if occurred_at(event) <= before.as_of
    }
    now = {event.id: event for event in after.events}
    held = _held_register(before)
    time = replace(held, as_of=after.as_of, events=tuple(then.values()))
    mitigations = before.methodology.mitigations.types.keys() | after.methodology.mitigations.types.keys()
    waits = frozenset(rule.attr for rule in before.methodology.mitigations.attributes.values())

    corrected = {id_: _corrected(event, now[id_], waits) for id_, event in then.items() if id_ in now}
    evidenced = {
        id_: _denied_more(event, now[id_])
        if event.type in mitigations
        else _evidenced(event, now[id_], waits)
        for id_, event in corrected.items()
    }
    eased = {id_: now[id_] for id_ in evidenced} | {id_: e for id_, e in now.items() if e.type in mitigations}
    knowing = replace(time, known_at=after.known_at, verdicts=after.verdicts)
    register = replace(after, methodology=before.methodology)
    return (
        before,
        time,
        replace(knowing, events=tuple(corrected.values())),
        replace(knowing, events=tuple(evidenced.values())),
        replace(knowing, events=tuple(eased.values())),
        replace(knowing, events=after.events),
        register,
        after,
    )


def _held_register(inputs: Inputs) -> Inputs:
    size = structure(
        inputs.subject, inputs.vendor, inputs.methodology, as_of=inputs.as_of, known_at=inputs.known_at
    ).size
    return replace(inputs, vendor=inputs.vendor.model_copy(update={"size_class": size, "register_": ()}))


def _as_of(event: Event, as_of: datetime) -> Event:
    is_ahead = event.closed_at is not None and event.closed_at > as_of
    return replace(event, closed_at=None) if is_ahead else event


def _corrected(then: Event, now: Event, waits: frozenset[str]) -> Event:
    """Return today's event with the claims of then: withdrawn, re-dated or moved, nothing added."""
    still = {claim.signal_id for claim in now.claims}
    claims = tuple(claim for claim in then.claims if claim.signal_id in still)
    is_told_more = len(_counted(now)) > len([claim for claim in claims if is_counted(claim)])
    return replace(
        now,
        claims=claims,
        attributes=then.attributes if is_told_more else _still_open(then, now, waits),
        assertion=then.assertion if is_told_more else now.assertion,
        closes=tuple(id_ for id_ in then.closes if id_ in now.closes),
        closed_at=now.closed_at if then.closed_at is not None else None,
    )


def _still_open(then: Event, now: Event, waits: frozenset[str]) -> Attributes:
    ended = {
        name for name in waits if now.attributes.get(name) is True and then.attributes.get(name) is not True
    }
    return {name: value for name, value in now.attributes.items() if name not in ended}


def _evidenced(corrected: Event, now: Event, waits: frozenset[str]) -> Event:
    """Return today's event, its closing left out."""
    attributes = {name: value for name, value in now.attributes.items() if name not in waits}
    attributes |= {name: value for name, value in corrected.attributes.items() if name in waits}
    return replace(now, attributes=attributes, closes=corrected.closes, closed_at=corrected.closed_at)


def _denied_more(corrected: Event, now: Event) -> Event:
    """Return a mitigation with the new denials only: whatever strengthens it is relief."""
    had = {claim.signal_id for claim in corrected.claims}
    denials = tuple(c for c in now.claims if c.signal_id not in had and not c.assertion.is_live)
    return replace(corrected, claims=(*corrected.claims, *denials))


def _counted(event: Event) -> list[Claim]:
    return [claim for claim in event.claims if is_counted(claim)]
