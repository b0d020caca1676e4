"""How often a rule would have fired: the same decide, run over what is stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

from riskwatch.model import Assertion, Event, EventState, Incident, Score, Snapshot, Step, vendor_of
from riskwatch.send.conditions import LONGEST_WINDOW, Concentration, Staleness
from riskwatch.send.decide import decide, told
from riskwatch.send.observe import Observation, Point
from riskwatch.send.route import Known
from riskwatch.send.rule import AlertRule

TICK = timedelta(minutes=5)  # between two evaluations while nothing is written
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Fired:
    """One time that a rule would have opened an Incident."""

    at: datetime
    subject: str
    value_old: float | None
    value_new: float | None
    event_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a rule would have done; None for a condition of which no history is kept."""

    rule_id: str
    days: int
    fired: tuple[Fired, ...] | None

    @property
    def sentence(self) -> str:
        """For people."""
        if self.fired is None:
            return f"{self.rule_id}: no history is kept for this condition, so it cannot be tried"
        if not self.fired:
            return f"{self.rule_id}: would not have fired in the last {self.days} days"
        times = "once" if len(self.fired) == 1 else f"{len(self.fired)} times"
        shown = ", ".join(f"{one.at:%Y-%m-%d} {one.subject}" for one in self.fired[:_SHOWN])
        rest = f" and {len(self.fired) - _SHOWN} more" if len(self.fired) > _SHOWN else ""
        return f"{self.rule_id}: would have fired {times} in the last {self.days} days: {shown}{rest}"


@dataclass(frozen=True, slots=True)
class History:
    """What is stored of the past."""

    snapshots: Sequence[Snapshot]  # of all Subjects; those 90 days before the period serve as past
    events: Mapping[str, Event]
    old: frozenset[str] = frozenset()  # ids of Events that were long past when they were read
    known: Known = field(default_factory=Known)


def backtest(
    rule: AlertRule, history: History, *, now: datetime, borders: Mapping[str, float], days: int = 180
) -> Backtest:
    """Return when a rule would have opened Incidents in the days before an instant.

    Args:
        rule: As if it had been in force, and nothing had been open, when the period began.
        history: As stored; how an Event was told then is taken from the Scores of then.
        now: End of the period.
        borders: Grade -> lowest points.
        days: Length of the period, greater than 0.
    """
    if isinstance(rule.condition, Concentration | Staleness):
        return Backtest(rule.id, days, None)
    run = _Run(rule.model_copy(update={"enabled": True}), history, borders)
    fired = [
        one for moment, next_at in _moments(history.snapshots, now)
        for one in run.at(moment, next_at, since=now - timedelta(days=days))
    ]  # fmt: skip
    return Backtest(rule.id, days, tuple(sorted(fired, key=lambda one: (one.at, one.subject))))


def _moments(snapshots: Sequence[Snapshot], now: datetime) -> Iterator[tuple[tuple[Snapshot, ...], datetime]]:
    """Yield what was written for one vendor at one instant, and when the next came, vendor by vendor."""
    by_vendor = defaultdict[str, dict[datetime, list[Snapshot]]](lambda: defaultdict(list))
    for one in snapshots:
        if one.recorded_at <= now:
            by_vendor[vendor_of(one.score.subject)][one.recorded_at].append(one)
    for _, at in sorted(by_vendor.items()):
        instants = sorted(at)
        for instant, following in zip(instants, [*instants[1:], now], strict=True):
            yield tuple(at[instant]), following


@dataclass(slots=True)
class _Run:
    rule: AlertRule
    history: History
    borders: Mapping[str, float]
    incidents: dict[str, Incident] = field(default_factory=dict)
    past: dict[str, tuple[Point, ...]] = field(default_factory=dict)
    ids: count[int] = field(default_factory=count)

    def at(self, written: Sequence[Snapshot], next_at: datetime, *, since: datetime) -> Iterator[Fired]:
        instant = written[0].recorded_at
        if instant >= since:
            seen = [self._observation(one) for one in written]
            for tick in range(self.rule.for_evaluations):
                at = instant + tick * TICK
                if tick == 0 or at < next_at:
                    yield from self._evaluate(seen, at)
        for one in written:
            kept = [p for p in self.past.get(one.score.subject, ()) if p.at > instant - LONGEST_WINDOW]
            self.past[one.score.subject] = (*kept, _point(one.score, instant))

    def _evaluate(self, seen: Sequence[Observation], at: datetime) -> Iterator[Fired]:
        decided = decide(
            [self.rule],
            seen,
            incidents=self.incidents,
            now=at,
            new_id=lambda: f"{next(self.ids):012}",
            borders=self.borders,
        )
        self.incidents |= {one.key: one for one in told(decided.incidents, decided.transitions)}
        subjects = {one.id: one.subject for one in decided.incidents}
        for one in decided.transitions:
            if one.step is Step.OPENED and one.suppressed_by is None:
                yield Fired(at, subjects[one.incident_id], one.value_old, one.value_new, one.event_ids)

    def _observation(self, one: Snapshot) -> Observation:
        subject, known = one.score.subject, self.history.known
        counted = {c.event_id: c for c in one.score.contributions}
        return Observation(
            subject=subject,
            vendor=vendor_of(subject),
            score=one.score,
            snapshot_id=one.id,
            cause="change",
            past=self.past.get(subject, ()),
            events={
                id_: _as_told(self.history.events[id_], c.assertion)
                for id_, c in counted.items()
                if id_ in self.history.events
            },
            credibility={id_: c.credibility for id_, c in counted.items()},
            old=self.history.old,
            tags=known.tags_of(subject),
            criticality=known.criticality.get(subject),
        )


def _as_told(event: Event, assertion: str) -> Event:
    """Return an Event as it stood when it counted, whatever became of it later."""
    return replace(event, assertion=Assertion(assertion), state=EventState.LIVE, merged_into=None)


def _point(score: Score, at: datetime) -> Point:
    factors = {str(one.factor): one.score_alone for one in score.factors}
    return Point(at, score.points, str(score.grade), factors)
