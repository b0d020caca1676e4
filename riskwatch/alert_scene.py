"""What is known at one instant → what AlertRules judge, and the facts of what is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from riskwatch import score
from riskwatch.model import CANARY, Event, Grade, Score, Snapshot, Transition, criticality_of, vendor_of
from riskwatch.send import compose
from riskwatch.send.observe import Observation, Point, Watch

if TYPE_CHECKING:
    from riskwatch.model import Dependency, Incident
    from riskwatch.pipeline import Parts, Reader
    from riskwatch.send.observe import Decided
    from riskwatch.send.playbook import Playbooks
    from riskwatch.send.rule import AlertRule, AlertsFile
    from riskwatch.store import UnitOfWork

PAST = timedelta(days=90)  # the longest window of a rule
OLD = timedelta(hours=72)  # published so long before we saw it: for the digest only
METHOD = "alerts_methodology"  # setting: digest of the methodology whose Scores were judged
LEARNING = timedelta(minutes=10)  # what a first poll brings is stored within that time
COMPARED = timedelta(days=7)  # an alert tells the movement since then


@dataclass(frozen=True, slots=True)
class Setup:
    """What alerting is told of the configuration."""

    alerts: AlertsFile
    dependencies: tuple[Dependency, ...]
    playbooks: Playbooks
    sla_hours: Mapping[str, float]  # source class -> hours within which it must have answered


@dataclass(frozen=True, slots=True)
class _Happened:
    """The Events that a vendor's Subjects read."""

    events: Mapping[str, Event]
    credibility: Mapping[str, float]  # event id -> share 0 to 1
    old: frozenset[str]  # ids of those that are for the digest only


@dataclass
class Scene:
    """What alerting knows at one instant; whatever several Subjects share is read once."""

    parts: Parts
    setup: Setup
    unit: UnitOfWork
    reader: Reader
    now: datetime
    _known: dict[tuple[str, datetime], _Happened] = field(default_factory=dict)

    @cached_property
    def borders(self) -> Mapping[str, float]:
        """Grade -> lowest points."""
        return {str(grade.grade): grade.from_ for grade in self.parts.methodology.grades}

    @cached_property
    def is_new_method(self) -> bool:
        """Whether Scores moved because the method changed, not the world."""
        known = self.unit.access.setting(METHOD)
        return known is not None and known != self.parts.methodology.digest

    @cached_property
    def polls(self) -> Mapping[str, datetime]:
        """Source id -> its last good poll."""
        return self.unit.articles.last_ok_polls(known_at=self.now)

    @cached_property
    def learned(self) -> Mapping[str, datetime]:
        """Source id -> its first good poll: what that brought was only learned."""
        return self.unit.articles.first_ok_polls()

    @cached_property
    def fresh(self) -> int:
        """How many Sources answered within the time that their class allows."""
        return sum(self.is_fresh(source.id, str(source.source_class)) for source in self.parts.sources)

    def is_fresh(self, source_id: str, class_: str) -> bool:
        """Whether a Source answered lately."""
        last = self.polls.get(source_id)
        return last is not None and self.now - last <= timedelta(hours=self.setup.sla_hours[class_])

    # ---------------------------------------------------------------------------- what rules judge
    def observation(self, snapshot: Snapshot, rules: Sequence[AlertRule]) -> Observation:
        """Return a Subject as the rules see it."""
        made, subject = snapshot.score, snapshot.score.subject
        vendor = vendor_of(subject)
        happened = self._happened(vendor, made.known_at)
        return Observation(
            subject=subject,
            vendor=vendor,
            score=made,
            snapshot_id=snapshot.id,
            cause="rescore" if self.is_new_method or snapshot.cause == "corrections" else snapshot.cause,
            past=self.past(subject, made.as_of, with_factors=any(rule.factor for rule in rules)),
            events=happened.events,
            credibility=happened.credibility,
            old=happened.old,
            tags=frozenset(self.parts.vendors[vendor].tags),
            criticality=criticality_of(self.setup.dependencies, subject),
            is_stale=self._is_stale(vendor),
        )

    def _happened(self, vendor: str, known_at: datetime) -> _Happened:
        """Return what is known of a vendor's Events; its lines ask for the same."""
        key = (vendor, known_at)
        if key not in self._known:
            events = {event.id: event for event in self.reader.events(vendor, known_at=known_at)}
            weights = self.parts.methodology.credibility
            self._known[key] = _Happened(
                events,
                {id_: score.credibility(event.claims, weights) for id_, event in events.items()},
                frozenset(id_ for id_, event in events.items() if self._is_old(event)),
            )
        return self._known[key]

    def past(self, subject: str, until: datetime, *, with_factors: bool) -> tuple[Point, ...]:
        """Return the Scores of the past 90 days as they were given, oldest first."""
        if with_factors:
            rows = self.unit.scores.history(subject, since=until - PAST, until=until)
            return tuple(
                Point(
                    row.score.as_of,
                    row.score.points,
                    str(row.score.grade),
                    {str(loss.factor): loss.score_alone for loss in row.score.factors},
                )
                for row in rows
                if row.score.as_of < until
            )
        points = self.unit.scores.history_points(since=until - PAST, until=until, subject=subject)
        return tuple(
            Point(at, value, self.grade(value)) for at, value in points.get(subject, ()) if at < until
        )

    def grade(self, points: float | None) -> str:
        """Return the Grade of points."""
        return str(Grade.NR if points is None else score.grade_of(points, self.parts.methodology))

    def _is_old(self, event: Event) -> bool:
        """Whether an Event came in long after it was published, or with the first poll of its Sources."""
        first = event.first_recorded_at
        if first is None:
            return False
        return self.is_late(event) or (self.now - first <= OLD and self._is_learned(event))

    def is_late(self, event: Event) -> bool:
        """Whether an Event was long past when it was read."""
        first, told = event.first_recorded_at, event.first_told_at
        return first is not None and told is not None and first - told > OLD

    def _is_learned(self, event: Event) -> bool:
        briefs = self.unit.articles.briefs([claim.article_id for claim in event.claims])
        return bool(briefs) and all(
            one.source_id in self.learned
            and one.first_seen_at is not None
            and one.first_seen_at <= self.learned[one.source_id] + LEARNING
            for one in briefs.values()
        )

    def _is_stale(self, vendor: str) -> bool:
        watching = [s for s in self.parts.sources if s.watches(vendor)]
        polled = [s for s in watching if s.id in self.polls]
        return bool(polled) and not any(self.is_fresh(s.id, str(s.source_class)) for s in polled)

    def watches(self) -> tuple[Watch, ...]:
        """Return what should come in, and when it last did."""
        states = self.unit.articles.source_states()
        asked = [s for s in self.parts.sources if s.id in states]  # never asked: nothing is missed yet
        sources = [Watch(s.id, "source", states[s.id].last_ok_at, self.learned.get(s.id)) for s in asked]
        vendors = [
            Watch(id_, "vendor_coverage", max(found))
            for id_ in sorted(self.parts.vendors)
            if (found := [at for s in asked if s.watches(id_) and (at := states[s.id].last_ok_at)])
        ]
        last = self.unit.access.setting("daily_snapshots")
        scoring = [Watch("scoring", "scoring_run", datetime.fromisoformat(last))] if last else []
        return (*sources, *vendors, *scoring, *self._canary())

    def _canary(self) -> list[Watch]:
        """Return the canary where it was ever sent: news of our own that the whole pipeline must find."""
        if CANARY not in self.learned:
            return []
        found_at = self.unit.events.last_recorded_at(CANARY)
        return [Watch("canary", "canary", found_at, self.learned[CANARY])]

    # ---------------------------------------------------------------------------- what is said
    def worded(
        self,
        transition: Transition,
        incident: Incident,
        rules: Mapping[str, AlertRule],
        seen: Mapping[str, Observation],
        decided: Decided,
    ) -> Transition:
        """Return a Transition with the Alert that tells it, frozen; one that says nothing as it is."""
        rule = rules.get(incident.rule_id)
        if transition.step is None or rule is None:
            return transition
        seen_now = seen.get(incident.subject)
        facts = self._facts(incident, seen_now, decided.since.get(transition.id))
        said = compose.alert(transition, incident, rule, facts=facts)
        return replace(transition, alert=said.model_dump(mode="json"))

    def _facts(self, incident: Incident, seen: Observation | None, since: datetime | None) -> compose.Facts:
        total = len(self.parts.sources)
        if seen is None or seen.score is None:
            return compose.Facts(
                subject_name=compose.subject_name(incident.subject, self.parts.vendors),
                as_of=self.now,
                playbooks=self.setup.playbooks,
                sources_fresh=self.fresh,
                sources_total=total,
            )
        return compose.Facts(
            subject_name=compose.subject_name(incident.subject, self.parts.vendors),
            as_of=seen.score.as_of,
            score=seen.score,
            before=self._before(seen.score, since),
            events=seen.events,
            taxonomy=self.parts.taxonomy,
            playbooks=self.setup.playbooks,
            exposure=compose.exposure(self.setup.dependencies, incident.subject),
            sources_fresh=self.fresh,
            sources_total=total,
        )

    def _before(self, made: Score, since: datetime | None) -> Score | None:
        """Return the Score that the movement is counted from: a rule's own, else that of 7 days ago."""
        rows = self.unit.scores.history(
            made.subject, since=since or made.as_of - COMPARED, until=made.as_of - timedelta(seconds=1)
        )
        return rows[0].score if rows else None
