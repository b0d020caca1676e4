"""Scores → Incidents: every AlertRule judges a Snapshot in the transaction that stores it.

Each job is a repeatable function of the database and may run in any number of processes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from riskwatch.alert_scene import COMPARED, METHOD, PAST, Scene, Setup
from riskwatch.model import criticality_of, subjects_of, vendor_of
from riskwatch.pipeline import Parts, Reader
from riskwatch.send import backtest, decide, suppress, system
from riskwatch.send.rule import AlertRule, ReceiverConfig

if TYPE_CHECKING:
    from riskwatch.model import Silence, Snapshot
    from riskwatch.send.observe import Decided, Observation
    from riskwatch.store import UnitOfWork

SETTLE = timedelta(minutes=10)  # nothing is sent so soon after a start or a bulk import
SETTLED = "alerts_settle_until"  # setting
TURNED = "alerts_turn_at"  # setting: when tick_evaluate last ran
_RECEIVER: TypeAdapter[ReceiverConfig] = TypeAdapter(ReceiverConfig)


class Alerting:
    """Evaluation on one installation."""

    def __init__(self, parts: Parts, setup: Setup) -> None:
        self.parts, self.setup = parts, setup
        self._made: tuple[object, tuple[AlertRule, ...]] = (None, ())

    # ---------------------------------------------------------------------------- what is configured
    def rules(self, unit: UnitOfWork) -> tuple[AlertRule, ...]:
        """Return the AlertRules in force: those of the file, then those made through the API."""
        stored = [row for row in unit.incidents.rules() if row.origin == "api" and row.is_enabled]
        key = tuple((row.id, row.version) for row in stored)
        if self._made[0] != key:
            made = tuple(AlertRule.model_validate_json(json.dumps(row.body), strict=True) for row in stored)
            self._made = (key, made)
        return (*(rule for rule in self.setup.alerts.rules if rule.enabled), *self._made[1])

    def receivers(self, unit: UnitOfWork) -> dict[str, ReceiverConfig]:
        """Return the Receivers that may be sent to: those of the file, and API-made ones that are proved."""
        made = {one.id: one for one in self.setup.alerts.receivers}
        for row in unit.outbox.receivers():
            if row.origin == "api" and row.verified_at is not None and row.id not in made:
                receiver = _RECEIVER.validate_json(json.dumps(row.config), strict=True)
                made[row.id] = receiver.model_copy(update={"enabled": row.is_enabled})
        return made

    def routing(self, unit: UnitOfWork, rules: Sequence[AlertRule]) -> suppress.Routing:
        """Return rules, Routes, Receivers and what is known of Subjects."""
        return suppress.Routing(
            {rule.id: rule for rule in rules}, self.setup.alerts.routes, self.receivers(unit), self._known
        )

    @cached_property
    def _known(self) -> suppress.Known:
        vendors = self.parts.vendors.values()
        subjects = [subject for vendor in vendors for subject in subjects_of(vendor)]
        graded = {one: criticality_of(self.setup.dependencies, one) for one in subjects}
        return suppress.Known(
            tags={vendor.id: frozenset(vendor.tags) for vendor in vendors},
            criticality={subject: level for subject, level in graded.items() if level is not None},
            factors={id_: str(type_.factor) for id_, type_ in self.parts.taxonomy.items()},
        )

    # ---------------------------------------------------------------------------- evaluate
    def evaluate(self, unit: UnitOfWork, snapshots: Sequence[Snapshot], reader: Reader) -> int:
        """Let every AlertRule judge these Snapshots; return how many Transitions were stored."""
        rules = self.rules(unit)
        if not rules or not snapshots:
            return 0
        unit.lock("alerts")
        return self._judge(Scene(self.parts, self.setup, unit, reader, self.parts.now()), rules, snapshots)

    def _judge(self, scene: Scene, rules: Sequence[AlertRule], snapshots: Sequence[Snapshot]) -> int:
        seen = {one.score.subject: scene.observation(one, rules) for one in snapshots}
        keys = [decide.incident_key(rule.id, subject) for rule in rules for subject in seen]
        decided = decide.decide(
            rules,
            list(seen.values()),
            incidents=scene.unit.incidents.newest_incidents(keys),
            now=scene.now,
            new_id=self.parts.new_id,
            borders=scene.borders,
        )
        return self._store(scene, decided, rules, seen)

    def turn(self) -> int:
        """Judge what time alone may change; return how many Transitions were stored.

        Open Incidents, vendors with a Snapshot since the last turn, Sources that fell silent, the portfolio,
        rules that are gone, and Silences that ended.
        """
        now, made = self.parts.now(), 0
        with self.parts.store.begin() as unit:
            unit.lock("alerts")
            rules, scene = (
                self.rules(unit),
                Scene(self.parts, self.setup, unit, Reader(self.parts, unit), now),
            )
            incidents = unit.incidents.open_incidents()
            last = unit.access.setting(TURNED)
            since = min(datetime.fromisoformat(last), now) if last else now - COMPARED
            newest = unit.scores.latest_all()
            vendors = {vendor_of(incident.subject) for incident in incidents}
            vendors |= {vendor_of(subject) for subject, one in newest.items() if one.recorded_at > since}
            judged = [
                one
                for subject, one in sorted(newest.items())
                if vendor_of(subject) in vendors and vendor_of(subject) in self.parts.vendors
            ]
            made += self._judge(scene, rules, judged)
            retired = decide.retire(incidents, rules, now=now, new_id=self.parts.new_id)
            for decided in (retired, *self._watched(scene, rules)):
                made += self._store(scene, decided, rules, {})
            made += self._end_silences(scene, rules)
            unit.access.save_setting(TURNED, now.isoformat())
            if all(one.score.methodology_digest == self.parts.methodology.digest for one in newest.values()):
                unit.access.save_setting(METHOD, self.parts.methodology.digest)
        return made

    def _watched(self, scene: Scene, rules: Sequence[AlertRule]) -> tuple[Decided, Decided]:
        watches = scene.watches()
        settle_until = _settle_until(scene.unit, scene.now)
        if settle_until is not None and scene.now < settle_until:  # just started: it was not sent out yet
            watches = tuple(watch for watch in watches if watch.kind != "canary")
        subjects = {*(watch.subject for watch in watches), decide.ALL_SOURCES, decide.PORTFOLIO}
        keys = [decide.incident_key(rule.id, subject) for rule in rules for subject in sorted(subjects)]
        known = scene.unit.incidents.newest_incidents(keys)
        now, new_id = scene.now, self.parts.new_id
        return (
            decide.decide_watches(rules, watches, incidents=known, now=now, new_id=new_id),
            decide.decide_portfolio(
                rules, self.setup.dependencies, self.parts.vendors, incidents=known, now=now, new_id=new_id
            ),
        )

    # ---------------------------------------------------------------------------- store and queue
    def _store(
        self, scene: Scene, decided: Decided, rules: Sequence[AlertRule], seen: Mapping[str, Observation]
    ) -> int:
        """Store what was decided, worded, and let what is to be said wait in its groups."""
        if not decided.incidents:
            return 0
        unit, routing = scene.unit, self.routing(scene.unit, rules)
        incidents = {incident.id: incident for incident in decided.incidents}
        judged = suppress.suppress(
            decided.transitions,
            incidents=incidents,
            routing=routing,
            silences=unit.incidents.silences(active_at=scene.now),
            open_incidents=unit.incidents.open_incidents(),
            now=scene.now,
        )
        told = [scene.worded(one, incidents[one.incident_id], routing.rules, seen, decided) for one in judged]
        unit.incidents.save_incidents(decide.told(decided.incidents, told))
        unit.incidents.add_transitions(told)
        unit.incidents.queue(
            suppress.queue(
                told,
                incidents=incidents,
                routing=routing,
                now=scene.now,
                settle_until=_settle_until(unit, scene.now),
            )
        )
        for one in told:
            if one.step is not None:
                why = (one.suppressed_by or "").partition(":")[0]
                self.parts.count("alerts", step=str(one.step), suppressed_by=why)
        return len(told)

    def _end_silences(self, scene: Scene, rules: Sequence[AlertRule]) -> int:
        """Tell once what still fires when a Silence ends, and remind its author a day before."""
        unit, now = scene.unit, scene.now
        silences = unit.incidents.silences()
        after = suppress.after_silences(
            silences,
            open_incidents=unit.incidents.open_incidents(),
            routing=self.routing(unit, rules),
            now=now,
            new_id=self.parts.new_id,
        )
        reminded = suppress.due_reminders(silences, now=now)
        self._remind(unit, reminded)
        for silence in (*reminded, *after.silences):
            unit.incidents.add_silence(silence)
        if not after.transitions:
            return 0
        subjects = sorted({incident.subject for incident in after.incidents})
        newest = {id_: one for id_, one in unit.scores.latest_all().items() if id_ in subjects}
        seen = {id_: scene.observation(one, rules) for id_, one in newest.items()}
        return self._store(scene, decide.Decided(after.incidents, after.transitions), rules, seen)

    def _remind(self, unit: UnitOfWork, silences: Sequence[Silence]) -> None:
        receivers = {id_: one for id_, one in self.receivers(unit).items() if one.enabled}
        for silence in silences:
            over = system.reader_of(silence.author, receivers)
            if over is not None:
                now, ids = self.parts.now(), [self.parts.new_id() for _ in over.recipients]
                message = system.reminder(silence, now=now)
                unit.outbox.add_deliveries(
                    system.deliveries(message, over=over, key=f"silence:{silence.id}", now=now, ids=ids)
                )

    # ---------------------------------------------------------------------------- backtest
    def backtest(self, rule: AlertRule, *, days: int = 180) -> backtest.Backtest:
        """Return when a rule would have opened Incidents, from the stored Scores and Events."""
        now = self.parts.now()
        since = now - PAST - timedelta(days=days)
        with self.parts.store.begin(write=False) as unit:
            scene = Scene(self.parts, self.setup, unit, Reader(self.parts, unit), now)
            subjects = [one for one in sorted(unit.scores.latest_all()) if self._is_watched(rule, one)]
            events = [e for v in sorted({vendor_of(s) for s in subjects}) for e in unit.events.events_of(v)]
            history = backtest.History(
                snapshots=[
                    row
                    for subject in subjects
                    for row in unit.scores.history(subject, since=since, until=now)
                ],
                events={event.id: event for event in events},
                old=frozenset(event.id for event in events if scene.is_late(event)),
                known=self._known,
            )
        return backtest.backtest(rule, history, now=now, borders=scene.borders, days=days)

    def _is_watched(self, rule: AlertRule, subject: str) -> bool:
        known = self._known
        tags, level = known.tags_of(subject), known.criticality.get(subject)
        return vendor_of(subject) in self.parts.vendors and rule.scope.covers(
            subject, tags=tags, criticality=level
        )

    def settle(self) -> None:
        """Let nothing be sent at once for a while: the program has just started, or imported an archive."""
        with self.parts.store.begin() as unit:
            until = self.parts.now() + SETTLE
            unit.access.save_setting(SETTLED, until.isoformat())


def _settle_until(unit: UnitOfWork, now: datetime) -> datetime | None:
    """Return until when nothing is sent; however the clock was set back, not for longer than it ever is."""
    settled = unit.access.setting(SETTLED)
    return min(datetime.fromisoformat(settled), now + SETTLE) if settled else None
