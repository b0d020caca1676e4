"""Questions of the command line: events, scores, explanations, histories, sources; and verdicts on events."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from riskwatch import pipeline
from riskwatch.errors import NotFound
from riskwatch.model import Verdict, VerdictKind, subjects_of, vendor_of
from riskwatch.pipeline import Parts
from riskwatch.reports import source_card
from riskwatch.serve import present
from riskwatch.serve.sources import rows_of
from riskwatch.store import EventFilter


class Questions:
    """Answers about one installation, as the API shows them; instants are aware, UTC."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def events(self, *, vendor: str | None, types: Sequence[str], limit: int) -> list[dict[str, Any]]:
        """Return events, newest first, as the API shows them."""
        self._known_subject(vendor)
        for type_ in types:
            if type_ not in self._parts.taxonomy:
                raise NotFound("event type", type_, f"there are {', '.join(sorted(self._parts.taxonomy))}")
        where = EventFilter(
            vendor=None if vendor is None else vendor_of(vendor),
            home=vendor if vendor and "/" in vendor else None,
            types=tuple(types),
            limit=limit,
        )
        with self._parts.store.begin(write=False) as unit:
            return [
                present.event(event, self._parts.taxonomy[event.type])
                for event in unit.events.list_events(where)
            ]

    def scores(
        self, subject: str | None, *, as_of: datetime | None, known_at: datetime | None
    ) -> list[dict[str, Any]]:
        """Score one Subject or all of them, by id."""
        self._known_subject(subject)
        subjects = [subject] if subject else pipeline.affected(self._parts, self._parts.vendors)
        now = self._parts.now()
        with self._parts.store.begin(write=False) as unit:
            reader = pipeline.Reader(self._parts, unit)
            made = [reader.score(s, as_of=as_of or now, known_at=known_at or now) for s in subjects]
        return [present.summary(score, name=self._name(score.subject)) for score in made]

    def sources(self) -> list[dict[str, Any]]:
        """Return every configured Source with its health, by id, as the API shows them."""
        cards = map(source_card, self._parts.sources)
        sla = {str(k): v for k, v in self._parts.methodology.confidence.sla_hours.items()}
        with self._parts.store.begin(write=False) as unit:
            return rows_of(unit, cards, sla_hours=sla, now=self._parts.now())

    def explain(self, subject: str, *, as_of: datetime | None, known_at: datetime | None) -> dict[str, Any]:
        """Tell where the points of a Subject went."""
        self._known_subject(subject)
        now = self._parts.now()
        with self._parts.store.begin(write=False) as unit:
            reader = pipeline.Reader(self._parts, unit)
            made = reader.score(subject, as_of=as_of or now, known_at=known_at or now)
            events = {e.id: e for e in reader.events(vendor_of(subject), known_at=known_at or now)}
        return present.explanation(made, events, self._parts.taxonomy, name=self._name(subject))

    def history(self, subject: str, *, days: int) -> list[dict[str, Any]]:
        """Return the stored Snapshots of a Subject, oldest first."""
        self._known_subject(subject)
        now = self._parts.now()
        with self._parts.store.begin(write=False) as unit:
            rows = unit.scores.history(subject, since=now - timedelta(days=days), until=now)
        return [{**present.summary(row.score, name=self._name(subject)), "cause": row.cause} for row in rows]

    def judge(
        self, event_id: str, kind: str, *, author: str, reason: str, values: Mapping[str, str]
    ) -> dict[str, Any]:
        """Store a Verdict on an Event; return the Event as it stands then."""
        verdict = Verdict(self._parts.new_id(), event_id, VerdictKind(kind), author, reason, dict(values))
        event = pipeline.judge(self._parts, verdict)
        return present.event(event, self._parts.taxonomy[event.type])

    def _name(self, subject: str) -> str:
        return present.name_of(subject, self._parts.vendors)

    def _known_subject(self, subject: str | None) -> None:
        if subject is None:
            return
        vendor = self._parts.vendors.get(vendor_of(subject))
        if vendor is None or subject not in subjects_of(vendor):
            known = [s for v in self._parts.vendors.values() for s in subjects_of(v)]
            names = {present.name_of(s, self._parts.vendors).lower(): s for s in known}
            near = [names[n] for n in difflib.get_close_matches(subject.lower(), names, n=1)]
            near = near or difflib.get_close_matches(subject, known, n=1)
            raise NotFound("vendor or line", subject, f"did you mean {near[0]}?" if near else "")
