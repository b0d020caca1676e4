"""The web app's Actions, wired to the pipeline: reads, histories, comparisons, what-if, traces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import Any

from riskwatch import __version__, reports, score
from riskwatch.collect import Source
from riskwatch.collect.guard import Guard
from riskwatch.collect.http import HttpClient, Limits
from riskwatch.detect import detect
from riskwatch.environment import Settings
from riskwatch.errors import ConfigError, Invalid
from riskwatch.model import Article, Assertion, Claim, Event, Score, vendor_of
from riskwatch.pipeline import Parts, Reader
from riskwatch.serve.context import HistoryRow, Moved, Reading, ServeConfig, Sso
from riskwatch.settings import Config
from riskwatch.store import UnitOfWork

STEPS = {"day": timedelta(days=1), "week": timedelta(days=7)}


class WebActions:
    """serve.Actions for one installation."""

    def __init__(self, parts: Parts, counters: Callable[[], bytes]) -> None:
        self._parts, self._counters = parts, counters

    def read(self, subject: str, *, as_of: datetime | None, known_at: datetime | None) -> Reading:
        """Return the latest stored Score where both instants are None, else one computed for them."""
        now = self._parts.now()
        with self._parts.store.begin(write=False) as unit:
            reader = Reader(self._parts, unit)
            latest = unit.scores.latest(subject) if as_of is None and known_at is None else None
            if latest is not None:
                return _reading(
                    latest.score, reader.events(vendor_of(subject), known_at=latest.score.known_at)
                )
            known = min(known_at or now, now)
            made = reader.score(subject, as_of=as_of or now, known_at=known)
            return _reading(made, reader.events(vendor_of(subject), known_at=known))

    def history(self, subject: str, *, since: datetime, until: datetime, step: str) -> Sequence[HistoryRow]:
        """Return the stored Scores of a span, oldest first; where there are fewer than two, computed ones."""
        with self._parts.store.begin(write=False) as unit:
            stored = [row.score for row in unit.scores.history(subject, since=since, until=until)]
            if len(stored) < 2 and step != "change":  # noqa: PLR2004 - no line can be drawn
                return self._course(unit, subject, _instants(since, until, STEPS[step]), known_at=until)
        rows = [_row(s) for s in stored]
        return rows if step == "change" else _thinned(rows, since, STEPS[step])

    def _course(
        self, unit: UnitOfWork, subject: str, instants: Sequence[datetime], *, known_at: datetime
    ) -> list[HistoryRow]:
        inputs = Reader(self._parts, unit).inputs(subject, as_of=known_at, known_at=known_at)
        rated = score.evaluate(inputs).points is not None
        return [
            HistoryRow(
                p.as_of, p.points, p.low, p.high, str(score.grade_of(p.points, self._parts.methodology))
            )
            if rated
            else HistoryRow(p.as_of, None, None, None, "NR")
            for p in score.series(inputs, instants)
        ]

    def project(self, subject: str, instants: Sequence[datetime]) -> Sequence[HistoryRow]:
        """Return the Scores at later instants if nothing new becomes known."""
        now = self._parts.now()
        with self._parts.store.begin(write=False) as unit:
            latest = unit.scores.latest(subject)
            known_at = latest.score.known_at if latest else now
            return self._course(unit, subject, instants, known_at=known_at)

    def compare(self, subject: str, *, from_at: datetime, to_at: datetime) -> Moved:
        """Return the points moved between two instants, each as known then."""
        with self._parts.store.begin(write=False) as unit:
            reader = Reader(self._parts, unit)
            before = reader.inputs(subject, as_of=from_at, known_at=from_at)
            after = reader.inputs(subject, as_of=to_at, known_at=to_at)
        scores = score.evaluate(before), score.evaluate(after)
        if any(made.points is None for made in scores):  # what is not rated has no points that could move
            return Moved(scores[0].points, scores[1].points, {}, {})
        found = score.delta(before, after, scores=scores)
        return Moved(found.from_points, found.to_points, found.by_event, found.by_cause)

    def what_if(
        self, subject: str, *, as_of: datetime | None, drop: Sequence[str], add: Sequence[Mapping[str, Any]]
    ) -> tuple[Reading, Reading]:
        """Return the Score as it is and under the change; nothing is stored. Raises Invalid."""
        now = self._parts.now()
        with self._parts.store.begin(write=False) as unit:
            inputs = Reader(self._parts, unit).inputs(subject, as_of=as_of or now, known_at=now)
        added = tuple(
            score.Added(
                type=str(entry["type"]),
                attributes=dict(entry.get("attributes", {})),
                status=Assertion(entry.get("assertion", "confirmed")),
                tier=str(entry.get("tier", "1")),
            )
            for entry in add
        )
        for entry in added:
            if entry.type not in self._parts.taxonomy:
                raise Invalid("add_events.type", f"{entry.type} is no event type; /v1/event-types lists them")
        after = score.what_if(inputs, score.Change(without=tuple(drop), add=added))
        return _reading(score.evaluate(inputs), inputs.events), _reading(after, inputs.events)

    def trace(self, event_id: str) -> Sequence[Mapping[str, Any]]:
        """Return how each Signal of an Event came about, with today's rules. Raises NotFound."""
        with self._parts.store.begin(write=False) as unit:
            event = unit.events.event(event_id)
            signals = unit.events.signals_by_id([claim.signal_id for claim in event.claims])
            articles = {
                (id_, a.revision): a
                for id_ in sorted({s.article_id for s in signals.values()})
                for a in unit.articles.revisions(id_)
            }
        return [
            {
                "signal": found.id,
                "article": found.article_id,
                "rule": found.rule,
                "route": found.route,
                "confidence": found.confidence,
                "quote": found.evidence.quote,
                "trace": list(self._steps(articles[found.article_id, found.revision], found.id)),
            }
            for found in sorted(signals.values(), key=lambda s: s.id)
        ]

    def _steps(self, article: Article, signal_id: str) -> Iterator[Mapping[str, object]]:
        for step in detect(article, self._parts.compiled(), is_traced=True).trace:
            if step.get("signal") == signal_id:
                yield step

    def credibility(self, claims: Sequence[Claim]) -> float:
        """Return how far an event with these claims is believed, share 0 to 1."""
        return score.credibility(claims, self._parts.methodology.credibility)

    def metrics(self) -> bytes:
        """Return the counters of this process in the Prometheus text format."""
        return self._counters()


def ways_in(settings: Settings) -> dict[str, Any]:
    """Return the fields of ServeConfig that say who comes in, and how. Raises ConfigError."""
    check_sso(settings)
    sso = None
    if settings.oidc_issuer and settings.oidc_client_id and settings.oidc_client_secret:
        sso = Sso(
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret.get_secret_value(),
            groups=settings.oidc_groups,
            ask=_asker(settings),
            label=settings.oidc_label,
            name_claim=settings.oidc_name_claim,
            groups_claim=settings.oidc_groups_claim,
        )
    return {
        "trusted_proxies": settings.trusted_proxies,
        "local_login": settings.local_login,
        "sso": sso,
    }


def check_sso(settings: Settings) -> None:
    """Raise ConfigError where people shall log in by a provider and what that needs is not installed."""
    if settings.oidc_issuer and find_spec("authlib") is None:
        raise ConfigError(
            "log-in by a provider needs an extra: pip install 'riskwatch[sso]'",
            path="environment",
            key="RISKWATCH_OIDC_ISSUER",
        )


def _asker(settings: Settings) -> Callable[[str, bytes | None, Mapping[str, str]], tuple[int, bytes]]:
    """Return what asks the provider: guarded as the poller is, no redirects, 10 s, 1 MB."""
    limits = Limits(
        connect_seconds=5,
        read_seconds=10,
        total_seconds=10,
        wire_bytes=1_000_000,
        body_bytes=1_000_000,
        hops=0,
    )
    agent, guard = f"riskwatch/{__version__} (+{settings.contact_url})", Guard(settings.allow_cidrs)
    client = HttpClient(user_agent=agent, guard=guard, limits=limits, host_pause_seconds=0)

    def ask(url: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
        name = "identity provider"
        got = (
            client.fetch(url, source_id=name)
            if body is None
            else client.post(url, body=body, headers=headers, receiver_id=name)
        )
        return got.status, got.body

    return ask


def _reading(made: Score, events: Sequence[Event]) -> Reading:
    return Reading(made, {event.id: event for event in events})


def _row(made: Score) -> HistoryRow:
    rated = made.points is not None
    return HistoryRow(
        made.as_of, made.points, made.low if rated else None, made.high if rated else None, str(made.grade)
    )


def _instants(since: datetime, until: datetime, step: timedelta) -> list[datetime]:
    made = []
    at = until
    while at >= since:
        made.append(at)
        at -= step
    return made[::-1]


def _thinned(rows: Sequence[HistoryRow], since: datetime, step: timedelta) -> list[HistoryRow]:
    """Return the last row of each step."""
    kept: dict[int, HistoryRow] = {}
    for row in rows:
        kept[int((row.as_of - since) / step)] = row
    return list(kept.values())


def serve_config(config: Config, sources: Sequence[Source], **values: Any) -> ServeConfig:  # noqa: ANN401 - by name
    """Return what the web app shows of a configuration; `values` are fields that only the caller knows."""
    methodology = config.methodology
    return ServeConfig(
        version=__version__,
        vendors=config.vendors,
        taxonomy=config.taxonomy,
        sources=tuple(map(reports.source_card, sources)),
        methodology=methodology.model_dump(mode="json", by_alias=True),
        methodology_version=methodology.version,
        methodology_digest=methodology.digest,
        grade_from={str(g.grade): g.from_ for g in methodology.grades},
        playbooks=config.playbooks.types,
        sla_hours={str(k): v for k, v in methodology.confidence.sla_hours.items()},
        **values,
    )
