"""One step of an Incident, its Scores and Events → the Alert that every channel words alike.

The figures are those that readers see on the page: scores to one decimal, points per Event as printed, so
that they and the size baseline add up to the printed movement.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from riskwatch.model import (
    Contribution,
    Event,
    EventState,
    Incident,
    Score,
    Step,
    Taxonomy,
    Transition,
    Vendor,
    heading,
    part_name,
    vendor_of,
)
from riskwatch.model.portfolio import Dependency, touching
from riskwatch.send import message, text
from riskwatch.send.playbook import Playbooks, next_steps
from riskwatch.send.text import SafeText

_BASELINE = ""  # key of the size baseline beside event ids
_NEARLY = 0.1  # share of its loss within which an Event counts as unchanged
_NEWS_DAYS = 30  # without an earlier score: how old "not counted" may be
_ENDED = {EventState.DENIED: "denied", EventState.WITHDRAWN: "withdrawn", EventState.REJECTED: "found wrong"}
_WHOLES = {
    "all": "All sources",
    "scoring": "Scoring",
    "canary": "The canary",
    "portfolio": "Portfolio",
}  # subjects of no vendor
_FINDINGS = {
    "score_below": "Below the limit",
    "score_drop": "A fall of the score",
    "grade_change": "A change of grade",
    "not_rated": "The rating is lost",
    "staleness": "No fresh input",
}


class Ruled(Protocol):
    """What an Alert tells of its AlertRule."""

    @property
    def id(self) -> str:
        """Id of the rule."""
        ...

    @property
    def title(self) -> str:
        """Name of the rule as people read it."""
        ...

    @property
    def kind(self) -> str:
        """Kind of its condition."""
        ...

    @property
    def owner(self) -> str | None:
        """Who answers for it."""
        ...

    @property
    def playbook(self) -> str | None:
        """Entry of the playbooks that it names instead of that of the events."""
        ...

    @property
    def mention_channel(self) -> bool:
        """Whether everybody in a Slack channel is called."""
        ...


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of the subject of a step, as stored; None is unknown."""

    subject_name: str  # Alibaba/Qwen
    as_of: datetime
    score: Score | None = None
    before: Score | None = None  # the Score that the movement is counted from
    events: Mapping[str, Event] = field(default_factory=dict)
    taxonomy: Taxonomy = field(default_factory=dict)
    playbooks: Playbooks | None = None
    exposure: tuple[str, ...] | None = None
    sources_fresh: int | None = None
    sources_total: int | None = None
    headline: str | None = None  # for steps that rest on no Event
    note: str | None = None


# -------------------------------------------------------------------------------- the alert
def alert(transition: Transition, incident: Incident, rule: Ruled, *, facts: Facts) -> message.Alert:
    """Return what is said about one step, frozen."""
    score, before = facts.score, facts.before
    start, end = _points(before), _points(score)
    moved = _moved(before, score)
    rescaled = _rescaled(transition, moved, facts)
    reasons = _reasons(transition, {id_: moved[id_] for id_ in moved if id_ not in rescaled}, facts)
    return message.Alert(
        incident_id=incident.id,
        transition_id=transition.id,
        step=transition.step or Step.UPDATE,
        severity=incident.severity,
        rule_id=rule.id,
        rule_name=rule.title,
        rule_kind=rule.kind,
        owner=incident.owner or rule.owner,
        subject=incident.subject,
        subject_name=facts.subject_name,
        headline=_headline(transition, rule, reasons, facts),
        score_from=start,
        score_to=end,
        grade_from=None if before is None else str(before.grade),
        grade_to=None if score is None else str(score.grade),
        low=_printed(score.low) if score and end is not None else None,
        high=_printed(score.high) if score and end is not None else None,
        confidence=None if score is None else round(score.confidence, 2),
        confidence_label=None if score is None else score.confidence_label,
        outlets=_outlets(reasons, facts),
        since=None if before is None else before.as_of,
        reasons=reasons,
        structural_change=_change(moved, rescaled) if moved else None,
        rescaled=len(rescaled),
        not_counted=tuple(_not_counted(transition, facts)),
        exposure=facts.exposure,
        next_steps=_next_steps(transition, rule, reasons, facts),
        as_of=facts.as_of,
        sources_fresh=facts.sources_fresh,
        sources_total=facts.sources_total,
        methodology_version=None if score is None else score.methodology_version,
        result_id=None if score is None else score.result_id,
        note=facts.note or _note(transition, incident),
        mention_channel=rule.mention_channel,
    )


def subject_name(subject: str, vendors: Mapping[str, Vendor]) -> str:
    """Return a Subject as messages write it: `Alibaba`, `Alibaba/Qwen`, `GitHub Copilot`."""
    vendor = vendors.get(vendor_of(subject))
    if vendor is None:
        return _WHOLES.get(subject, subject)
    name = part_name(subject, vendor)
    is_whole = name == vendor.name or name.startswith(f"{vendor.name} ")
    return name if is_whole else f"{vendor.name}/{name}"


def exposure(dependencies: Sequence[Dependency], subject: str) -> tuple[str, ...] | None:
    """Return the use cases that rest on a Subject, gravest first; None where no portfolio is kept."""
    if not dependencies:
        return None
    ranked = sorted(touching(dependencies, subject), key=lambda one: (one.criticality, one.use_case))
    return tuple(f"{one.use_case} ({', '.join(_terms(one))})" for one in ranked)


def _terms(dependency: Dependency) -> Iterator[str]:
    yield f"tier {dependency.criticality}"
    if dependency.exit_plan is None:
        yield "no exit plan"
    if dependency.renewal_on is not None:
        yield f"renewal {text.day(dependency.renewal_on)}"


def event_heading(event: Event, taxonomy: Taxonomy) -> str:
    """Return an Event in a few words, fit to be stored; also where the taxonomy has lost its type."""
    event_type = taxonomy.get(event.type)
    return SafeText(heading(event, event_type) if event_type else text.capital(event.type.replace("_", " ")))


# -------------------------------------------------------------------------------- points
def _printed(points: float | None) -> float | None:
    return None if points is None else round(points, 1)


def _points(score: Score | None) -> float | None:
    return None if score is None else _printed(score.points)


def _moved(before: Score | None, score: Score | None) -> dict[str, float]:
    """Return event id (or the baseline) -> points moved, as the ledgers of both days print them.

    Printed points add up to the printed loss, so their differences add up to the printed movement.
    Without an earlier score the movement is that from 100; without a score nothing has moved.
    """
    if score is None or score.points is None:
        return {}
    then = {} if before is None or before.points is None else _taken(before)
    now = _taken(score)
    return {key: round(then.get(key, 0.0) - now.get(key, 0.0), 1) for key in sorted(then.keys() | now.keys())}


def _taken(score: Score) -> dict[str, float]:
    return {
        _BASELINE: score.structural_printed,
        **{share.event_id: share.printed_points for share in score.contributions},
    }


def _rescaled(transition: Transition, moved: Mapping[str, float], facts: Facts) -> frozenset[str]:
    """Return the Events of both days whose own loss is nearly the same: only their share of the whole moved.

    Where nothing else moved the score, they are its reasons after all.
    """
    then, now = _contributions(facts.before), _contributions(facts.score)
    same = {
        id_
        for id_ in then.keys() & now.keys()
        if abs(now[id_].loss - then[id_].loss) <= _NEARLY * then[id_].loss
    } - set(transition.event_ids)
    others = {id_ for id_, points in moved.items() if points and id_ != _BASELINE} - same
    return frozenset(id_ for id_ in same if moved.get(id_)) if others else frozenset()


def _change(moved: Mapping[str, float], rescaled: Collection[str]) -> float:
    return round(math.fsum(moved.get(id_, 0.0) for id_ in (_BASELINE, *rescaled)), 1)


# -------------------------------------------------------------------------------- reasons
def _reasons(transition: Transition, moved: Mapping[str, float], facts: Facts) -> tuple[message.Reason, ...]:
    """Return what moved the score, largest first, and the Events of the step even if they moved nothing."""
    ids = {id_ for id_, points in moved.items() if points and id_ != _BASELINE}
    ids |= {id_ for id_ in transition.event_ids if id_ in facts.events}
    now = _contributions(facts.score)
    then = _contributions(facts.before)
    reasons = [
        _reason(id_, now.get(id_) or then.get(id_), moved.get(id_, 0.0 if moved else None), facts)
        for id_ in sorted(ids)
        if id_ in facts.events or id_ in now or id_ in then
    ]
    return tuple(
        sorted(reasons, key=lambda reason: (-abs(reason.points or 0.0), reason.heading, reason.event_id))
    )


def _contributions(score: Score | None) -> dict[str, Contribution]:
    return {} if score is None else {c.event_id: c for c in score.contributions}


def _reason(id_: str, share: Contribution | None, points: float | None, facts: Facts) -> message.Reason:
    event = facts.events.get(id_)
    if event is None:
        assert share is not None  # noqa: S101 - the caller gives one or the other
        return message.Reason(
            event_id=id_,
            type=share.type,
            factor=str(share.factor),
            heading=text.capital(share.type.replace("_", " ")),
            assertion=str(share.assertion),
            points=points,
            outlets=0,
            occurred_on=share.occurred_at.date(),
            is_open=share.is_open,
        )
    event_type = facts.taxonomy.get(event.type)
    return message.Reason(
        event_id=id_,
        type=event.type,
        factor=str(share.factor if share else event_type.factor if event_type else ""),
        heading=event_heading(event, facts.taxonomy),
        assertion=_ENDED.get(event.state, str(event.assertion)),
        points=points,
        outlets=len(families(event)),
        occurred_on=event.occurred_at.date(),
        other_dates=tuple(sorted({other.claimed_at.date() for other in event.date_conflicts})),
        is_open=event.closed_at is None and event.state is EventState.LIVE,
        relief=round(share.relief, 3) if share else 0.0,
        relieved_by=tuple(
            event_heading(facts.events[other], facts.taxonomy)
            for other in (share.relieved_by if share else ())
            if other in facts.events
        ),
    )


def families(event: Event) -> set[str]:
    """Return the independent voices behind an Event; of a denied one those that deny it."""
    live = {claim.family for claim in event.claims if claim.assertion.is_live}
    return live or {claim.family for claim in event.claims}


def _outlets(reasons: Sequence[message.Reason], facts: Facts) -> int:
    told = (facts.events[reason.event_id] for reason in reasons if reason.event_id in facts.events)
    return len(set().union(*(families(event) for event in told)))


def _not_counted(transition: Transition, facts: Facts) -> Iterator[message.NotCounted]:
    """Yield what was told since the earlier score and took no point, with the reason."""
    if facts.score is None:
        return
    since = facts.before.as_of if facts.before else facts.as_of - timedelta(days=_NEWS_DAYS)
    for passed in facts.score.not_counted:
        event = facts.events.get(passed.event_id)
        if event is None or passed.event_id in transition.event_ids:
            continue
        if event.first_told_at is not None and event.first_told_at >= since:
            yield message.NotCounted(
                event_id=event.id,
                type=event.type,
                heading=event_heading(event, facts.taxonomy),
                assertion=_ENDED.get(event.state, str(event.assertion)),
                reason=passed.reason,
            )


# -------------------------------------------------------------------------------- words
def _headline(transition: Transition, rule: Ruled, reasons: Sequence[message.Reason], facts: Facts) -> str:
    """Return the finding: the Event of the step that moved most, else the heaviest of all reasons."""
    own = [reason for reason in reasons if reason.event_id in transition.event_ids]
    fallen = [reason for reason in reasons if (reason.points or 0.0) < 0]
    told = facts.headline
    if told is None:
        told = (own or fallen)[0].heading if own or fallen else _finding(transition, rule)
    if transition.step is Step.RESOLVED or (transition.cause == "relief" and own and not own[0].is_open):
        return f"{told}: over" if own else "Recovered"
    if transition.step is Step.CORRECTION:
        ended = own[0].assertion if own and own[0].assertion in _ENDED.values() else "corrected"
        return f"{told}: {ended}"
    return told


def _finding(transition: Transition, rule: Ruled) -> str:
    if rule.kind == "concentration" and transition.value_new is not None:
        return f"Concentration at {transition.value_new:.0f} %"
    return _FINDINGS.get(rule.kind, rule.title)


def _note(transition: Transition, incident: Incident) -> str | None:
    """Return what a later message adds to the first one."""
    if transition.step is Step.OPENED or incident.opened_at is None:
        return None
    since = text.instant(incident.opened_at)
    if transition.step is Step.CORRECTION:
        return f"This corrects what was told since {since}."
    if transition.step is Step.RESOLVED:
        return f"Open since {since}; nothing more is sent about this incident."
    if transition.cause == "relief":
        return f"Open since {since}; part of it is eased."
    return f"Open since {since}; it has become worse."


def _next_steps(
    transition: Transition, rule: Ruled, reasons: Sequence[message.Reason], facts: Facts
) -> tuple[str, ...]:
    if facts.playbooks is None or transition.step in (Step.RESOLVED, Step.CORRECTION):
        return ()
    harmful = [reason for reason in reasons if reason.points is None or reason.points <= 0]
    own = sorted(harmful, key=lambda reason: reason.event_id not in transition.event_ids)
    return next_steps(
        facts.playbooks, [reason.type for reason in own], condition=rule.kind, playbook=rule.playbook
    )
