"""Everything about a Subject's events that does not change with the instant judged, worked out once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from riskwatch.model import (
    LIVE,
    Assertion,
    Claim,
    Event,
    EventState,
    Factor,
    NotCounted,
    Verdict,
    VerdictKind,
)
from riskwatch.score.inputs import Inputs, is_counted, known, occurred_at, verdicts_of
from riskwatch.score.loss import (
    Span,
    assumed_closed_at,
    best_live,
    closed_by_verdict,
    credibility,
    days,
    has_open_state,
    log_loss,
    severity,
)
from riskwatch.score.methodology import Methodology
from riskwatch.score.relief import Harm, Link, Remedy, links, objects, own_link, own_rules, relief
from riskwatch.score.remember import remembered
from riskwatch.score.structural import Structure, attention_of, damping_of, relevance, structure

_Verdicts = Mapping[str, Mapping[str, Verdict]]


class Weighed(NamedTuple):
    """An adverse Event that counts for the subject, with all its weights but decay, damping and relief."""

    event: Event
    factor: Factor
    occurred_at: datetime
    severity: float  # severity x magnitude, at most x_max
    magnitude: float
    credibility: float
    assertion: Assertion
    relevance: float
    attention: float
    attention_if_true: float  # were all its claims confirmed
    lens: float
    span: Span
    sure_span: Span  # only confirmed closings close
    links: tuple[Link, ...]

    @property
    def is_confirmed(self) -> bool:
        """Whether its best claim is confirmed."""
        return self.assertion is Assertion.CONFIRMED


@dataclass(frozen=True, slots=True)
class Plan:
    """A Subject ready to be scored at any instant with the same knowledge."""

    inputs: Inputs
    weighed: tuple[Weighed, ...]  # by event id
    left_out: tuple[NotCounted, ...]

    def structure(self, as_of: datetime) -> Structure:
        """Return the size of the subject at an instant."""
        i = self.inputs
        return structure(i.subject, i.vendor, i.methodology, as_of=as_of, known_at=i.known_at)


class Loss(NamedTuple):
    """What one event takes at one instant."""

    weighed: Weighed
    damping: float
    decay: float
    relief: float
    is_open: bool
    loss: float  # lambda, log-loss


def plan(inputs: Inputs) -> Plan:
    """Work out credibilities, states and relief links of everything known."""
    inputs = known(inputs)
    verdicts = verdicts_of(inputs.verdicts)
    left_out: list[NotCounted] = []
    adverse, remedies = _sort_out(inputs, verdicts, left_out)
    closings = _Closings(inputs, remedies, verdicts)
    harms = [_closed(_harm(event, inputs.methodology), closings) for event in adverse]
    reliefs = links(harms, remedies, inputs.methodology)
    attention = attention_of(
        inputs.subject, inputs.attention, panel_median=inputs.panel_median, methodology=inputs.methodology
    )
    weighed: list[Weighed] = []
    own, limits = own_rules(inputs.methodology), inputs.methodology.mitigations
    relevances: dict[tuple[str, str], float | None] = {}
    for harm in harms:
        key = (harm.event.home, harm.event.type)
        if key not in relevances:
            relevances[key] = _relevance(harm, inputs)
        counts = relevances[key]
        if counts is None:
            left_out.append(_note(harm.event, f"It happened to another subject ({harm.event.home})."))
            continue
        acting = reliefs.get(harm.event.id, ())
        stated = own_link(harm, own, limits, since=_resolved_at)
        acting = acting if stated is None else (*acting, stated)
        verdict = verdicts.get(harm.event.id, {}).get(VerdictKind.SET_MAGNITUDE)
        drawn = _Drawn(counts, attention, acting, closings.of(harm, sure=True), verdict)
        weighed.append(_weigh(harm, inputs, drawn))
    return Plan(inputs, tuple(weighed), tuple(left_out))


def loss_of(weighed: Weighed, at: float, structure: Structure, methodology: Methodology) -> Loss:
    """Return what an event takes at an instant in days."""
    decay = weighed.span.decay(at)
    damping = damping_of(weighed.factor, weighed.severity, structure, methodology)
    taken = relief(weighed.links, at, methodology.mitigations) if weighed.links else 0.0
    share = weighed.credibility * weighed.relevance * weighed.attention * weighed.lens
    is_open = weighed.span.is_open(at)
    loss = _log_loss(
        weighed.severity * share * damping * decay, taken, is_open=is_open, methodology=methodology
    )
    return Loss(weighed, damping, decay, taken, is_open, loss)


def loss_if_true(loss: Loss, at: float, methodology: Methodology) -> float:
    """Return the log-loss were every live claim confirmed, with confirmed mitigations only."""
    weighed, decay, is_open = loss.weighed, loss.decay, loss.is_open
    if weighed.sure_span is not weighed.span:
        decay, is_open = weighed.sure_span.decay(at), weighed.sure_span.is_open(at)
    taken = relief(weighed.links, at, methodology.mitigations, confirmed_only=True) if weighed.links else 0.0
    believed = 1.0 if weighed.assertion in LIVE else weighed.credibility
    share = believed * weighed.relevance * weighed.attention_if_true * weighed.lens
    return _log_loss(
        weighed.severity * share * loss.damping * decay, taken, is_open=is_open, methodology=methodology
    )


def _log_loss(x: float, taken: float, *, is_open: bool, methodology: Methodology) -> float:
    if x < methodology.score.drop_below and not is_open:
        return 0.0
    return log_loss(min(x, methodology.score.x_max), relief=taken)


def _sort_out(
    inputs: Inputs, verdicts: _Verdicts, left_out: list[NotCounted]
) -> tuple[list[Event], list[Remedy]]:
    adverse: list[Event] = []
    remedies: list[Remedy] = []
    for stored in inputs.events:
        verdict = verdicts.get(stored.id, {}).get("state")
        event = _confirmed(stored, verdict)
        reason = (
            _why_not_by_itself(event, inputs.methodology)
            if verdict is None
            else _why_not(event, inputs.methodology, verdict)
        )
        if reason is not None:
            left_out.append(_note(event, reason))
        elif event.type in inputs.methodology.types:
            adverse.append(event)
        else:
            left_out.append(_note(event, _of_good_news(event, inputs.methodology)))
            if best_live(event.claims) is not None:
                remedies.append(_remedy(event, inputs.methodology))
    return adverse, remedies


def _confirmed(event: Event, verdict: Verdict | None) -> Event:
    """Return the event with a confirming Verdict as one more claim: a voice of its own, of the best tier."""
    if verdict is None or verdict.kind is not VerdictKind.CONFIRM:
        return event
    told_at = verdict.recorded_at or event.occurred_at
    claim = Claim(
        signal_id=verdict.id, article_id=verdict.id, family=f"verdict:{verdict.author}",
        publisher=verdict.author, tier="primary", assertion=Assertion.CONFIRMED, primary=True,
        told_at=told_at, recorded_at=verdict.recorded_at,
    )  # fmt: skip
    return replace(event, claims=(*event.claims, claim))


@remembered
def _why_not_by_itself(event: Event, methodology: Methodology) -> str | None:
    return _why_not(event, methodology, None)


def _why_not(event: Event, methodology: Methodology, verdict: Verdict | None) -> str | None:
    if event.merged_into is not None:
        return "It is counted as part of another event."
    if event.state is EventState.WITHDRAWN:
        return "It was withdrawn: no article states it any longer."
    if _is_rejected(event, verdict):
        return "A person rejected it."
    if event.type not in methodology.types and event.type not in methodology.mitigations.types:
        return "This version of the methodology does not weigh its type."
    is_claimed = any(is_counted(claim) for claim in event.claims)
    return None if is_claimed else "It is mentioned as background or as a possibility only."


def _is_rejected(event: Event, verdict: Verdict | None) -> bool:
    if verdict is not None:
        return verdict.kind is VerdictKind.REJECT
    return event.state is EventState.REJECTED


def _of_good_news(event: Event, methodology: Methodology) -> str:
    if not methodology.mitigations.types[event.type].relieves:
        return "It is neutral: it takes no points and gives none."
    if best_live(event.claims) is None:
        return "It is denied: good news that nobody claims relieves nothing."
    return "It is good news: it can soften a harm and takes no points."


def _note(event: Event, reason: str) -> NotCounted:
    return NotCounted(event.id, event.type, reason)


@remembered
def _harm(event: Event, methodology: Methodology) -> Harm:
    is_open = has_open_state(event, methodology.types[event.type], methodology)
    believed = credibility(event.claims, methodology.credibility)
    best = best_live(event.claims)
    weight = severity(event, methodology)
    since = days(occurred_at(event))
    return Harm(event, since, is_open, None, believed, best, objects(event), _name(event), weight)


def _name(event: Event) -> str | None:
    return None if event.object is None else event.object.casefold()


def _closed(harm: Harm, closings: _Closings) -> Harm:
    closed = closings.of(harm, sure=False)
    return harm if closed is None else replace(harm, closed=closed)


@remembered
def _remedy(event: Event, methodology: Methodology) -> Remedy:
    believed = credibility(event.claims, methodology.credibility)
    is_confirmed = best_live(event.claims) is Assertion.CONFIRMED
    since = days(occurred_at(event))
    return Remedy(event, since, believed, is_confirmed, objects(event), _name(event))


class _Drawn(NamedTuple):
    """What other events, verdicts and the subject make of one event."""

    relevance: float
    attention: float
    links: tuple[Link, ...]
    sure_closed: float | None
    verdict: Verdict | None


def _relevance(harm: Harm, inputs: Inputs) -> float | None:
    return relevance(
        harm.event.home,
        inputs.subject,
        factor=inputs.methodology.types[harm.event.type].factor,
        vendor=inputs.vendor,
        sets=inputs.sets,
        methodology=inputs.methodology,
    )


def _weigh(harm: Harm, inputs: Inputs, drawn: _Drawn) -> Weighed:
    event, methodology = harm.event, inputs.methodology
    rule = methodology.types[event.type]
    sev, magnitude = (
        harm.weight if drawn.verdict is None else severity(event, methodology, verdict=drawn.verdict)
    )
    assertion = harm.assertion or Assertion.DENIED
    minor = methodology.attention.minor
    is_small = sev < minor.severity_below
    floor = rule.open_floor if harm.has_open_state else 0.0
    span = Span(harm.occurred, rule.plateau_days, rule.half_life_days, floor, harm.closed)
    sure = span
    if drawn.sure_closed != harm.closed:
        sure = Span(harm.occurred, rule.plateau_days, rule.half_life_days, floor, drawn.sure_closed)
    return Weighed(
        event=event, factor=rule.factor, occurred_at=occurred_at(event), severity=sev, magnitude=magnitude,
        credibility=harm.credibility, assertion=assertion, relevance=drawn.relevance,
        attention=drawn.attention if is_small or assertion in minor.statuses else 1.0,
        attention_if_true=drawn.attention if is_small else 1.0,
        lens=1.0 if inputs.lens is None else _lens(inputs.lens, event, rule.factor, methodology),
        span=span, sure_span=sure, links=drawn.links,
    )  # fmt: skip


@remembered
def _assumed_closed_at(event: Event, methodology: Methodology) -> float:
    return assumed_closed_at(event, methodology)


def _lens(kind: str, event: Event, factor: Factor, methodology: Methodology) -> float:
    lens = methodology.portfolio.lens[kind]
    return lens.factors.get(factor, 1.0) * lens.types.get(event.type, 1.0)


def _resolved_at(harm: Harm) -> float:
    """Return the day on which a stated resolution took effect: as merged, else when it was last told."""
    if harm.event.closed_at is not None:
        return max(days(harm.event.closed_at), harm.occurred)
    told = [
        claim.told_at for claim in harm.event.claims if claim.assertion.is_live and claim.told_at is not None
    ]
    return max((days(at) for at in told), default=harm.occurred)


class _Closings:
    """Finds when the open state of a harm ended."""

    def __init__(self, inputs: Inputs, remedies: Iterable[Remedy], verdicts: _Verdicts) -> None:
        self._methodology = inputs.methodology
        self._verdicts = verdicts
        self._by_target: dict[str, list[Remedy]] = {}
        for remedy in remedies:
            for target in remedy.event.closes:
                self._by_target.setdefault(target, []).append(remedy)
        # a closing that is itself not believed leaves its mark in closed_at and closes nothing
        self._explained = {target for event in inputs.events for target in event.closes}

    def of(self, harm: Harm, *, sure: bool) -> float | None:
        """Return the day of the end, or none without an open state; `sure`: by confirmed closings only."""
        if not harm.has_open_state:
            return None
        assumed = _assumed_closed_at(harm.event, self._methodology)
        verdict = self._verdicts.get(harm.event.id, {}).get("open")
        if verdict is not None and verdict.kind is VerdictKind.REOPEN:
            since = assumed if verdict.recorded_at is None else days(verdict.recorded_at)
            return max(assumed, since + self._methodology.open_states.assumed_closed_after_days)
        ends = [assumed, *self._by_events(harm, sure=sure)]
        closed_at = None if verdict is None else closed_by_verdict(verdict)
        if closed_at is not None:
            ends.append(days(closed_at))
        return max(min(ends), harm.occurred)

    def _by_events(self, harm: Harm, *, sure: bool) -> Iterable[float]:
        least = self._methodology.open_states.close_min_credibility
        for remedy in self._by_target.get(harm.event.id, ()):
            names_state = harm.event.type in self._methodology.mitigations.types[remedy.event.type].relieves
            is_partial = remedy.event.attributes.get("partial") is True
            if (
                names_state
                and not is_partial
                and remedy.credibility >= least
                and (remedy.is_confirmed or not sure)
            ):
                yield remedy.occurred
        is_believed = harm.credibility >= least and (harm.is_confirmed or not sure)
        if harm.event.closed_at is not None and harm.event.id not in self._explained and is_believed:
            yield days(harm.event.closed_at)
