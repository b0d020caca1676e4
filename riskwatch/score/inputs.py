"""All that one Score rests on, what of it is known at an instant, and its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from riskwatch.model import Assertion, Claim, CoverageFact, Event, Vendor, Verdict, VerdictKind, vendor_of
from riskwatch.score.methodology import Methodology
from riskwatch.score.structural import attention_of


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is read to score one Subject; events are the versions known at known_at."""

    subject: str
    as_of: datetime  # instant judged, aware UTC
    known_at: datetime  # knowledge allowed, aware UTC
    methodology: Methodology
    vendor: Vendor
    events: tuple[Event, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    coverage: tuple[CoverageFact, ...] = ()
    articles: int = 0  # distinct Articles naming the subject in the confidence window
    recent_articles: int | None = None  # in the last 30 days; None = unknown
    families: int | None = None  # publisher families that watch the vendor; None = unknown
    attention: Mapping[str, float] = field(default_factory=dict)  # subject -> events in the attention window
    panel_median: float | None = None  # of the attention table; None = median of its values above 0
    sets: Mapping[str, Collection[str]] = field(default_factory=dict)  # industry set id -> vendor ids
    lens: str | None = None  # kind of use, a key of portfolio.lens
    ruleset_digest: str = ""


def known(inputs: Inputs) -> Inputs:
    """Return the inputs without anything recorded after known_at or told of an unrelated vendor."""
    at = inputs.known_at
    events = (_known_event(event, at) for event in inputs.events if is_related(event, inputs))
    verdicts = (v for v in inputs.verdicts if _is_known(v.recorded_at, at))
    kept = tuple(sorted((event for event in events if event is not None), key=lambda event: event.id))
    return replace(inputs, events=kept, verdicts=tuple(sorted(verdicts, key=_verdict_order)))


def is_related(event: Event, inputs: Inputs) -> bool:
    """Return whether the event is the vendor's own or one of an industry set that it belongs to."""
    if vendor_of(event.home) == inputs.vendor.id:
        return True
    return inputs.vendor.id in inputs.sets.get(event.home, ())


def occurred_at(event: Event) -> datetime:
    """Return when it happened, never later than when it was first recorded."""
    if event.first_recorded_at is None:
        return event.occurred_at
    return min(event.occurred_at, event.first_recorded_at)


def verdicts_of(verdicts: Iterable[Verdict]) -> Mapping[str, Mapping[str, Verdict]]:
    """Return event id -> question -> the latest Verdict; confirm and reject answer the same one."""
    latest: dict[str, dict[str, Verdict]] = {}
    for verdict in sorted(verdicts, key=_verdict_order):
        latest.setdefault(verdict.event_id, {})[_QUESTION.get(verdict.kind, verdict.kind)] = verdict
    return latest


def digest(inputs: Inputs) -> str:
    """Return `sha256:` and 64 hex digits over the canonical JSON lines of everything that was read."""
    hasher = hashlib.sha256()
    for _, _, row in sorted(_rows(inputs), key=lambda row: row[:2]):
        hasher.update(row.encode())
        hasher.update(b"\n")
    return "sha256:" + hasher.hexdigest()


def result_id(inputs: Inputs, inputs_digest: str) -> str:
    """Return 32 hex digits that name the result."""
    parts = (
        inputs.subject,
        _instant(inputs.as_of),
        _instant(inputs.known_at),
        inputs_digest,
        inputs.methodology.digest,
    )
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]


_QUESTION = {
    VerdictKind.CONFIRM: "state",
    VerdictKind.REJECT: "state",
    VerdictKind.CLOSE: "open",
    VerdictKind.REOPEN: "open",
}
_OLDEST = datetime.min.replace(tzinfo=UTC)


def _verdict_order(verdict: Verdict) -> tuple[datetime, str]:
    return (verdict.recorded_at or _OLDEST, verdict.id)


def _is_known(recorded_at: datetime | None, at: datetime) -> bool:
    return recorded_at is None or recorded_at <= at


def _known_event(event: Event, at: datetime) -> Event | None:
    if not (_is_known(event.recorded_at, at) and _is_known(event.first_recorded_at, at)):
        return None
    claims = tuple(claim for claim in event.claims if _is_known(claim.recorded_at, at))
    if event.claims and not claims:
        return None
    return event if len(claims) == len(event.claims) else replace(event, claims=claims)


def _rows(inputs: Inputs) -> Iterable[tuple[str, str, str]]:
    for event in inputs.events:
        yield from _event_rows(event)
    for verdict in inputs.verdicts:
        values = {
            "event": verdict.event_id,
            "kind": verdict.kind,
            "values": verdict.values,
            "at": verdict.recorded_at,
        }
        yield _row("verdict", verdict.id, values)
    vendor = inputs.vendor
    lines = {name: [line.line_class, line.open_weights] for name, line in vendor.lines.items()}
    yield _row("vendor", vendor.id, {"size": vendor.size_class, "tickers": vendor.tickers, "lines": lines})
    known_on = inputs.known_at.date().isoformat()
    for number, entry in enumerate(entry for entry in vendor.register_ if entry.recorded_at <= known_on):
        yield _row("register", f"{entry.valid_from}/{entry.recorded_at}/{number:04d}", entry.model_dump())
    softened = attention_of(
        inputs.subject, inputs.attention, panel_median=inputs.panel_median, methodology=inputs.methodology
    )
    attention = {"events": inputs.attention.get(inputs.subject), "multiplier": softened}
    yield _row("attention", inputs.subject, attention)
    for fact in inputs.coverage:
        yield _row("coverage", fact.source_class, {"sources": fact.sources, "ok": fact.last_ok_at})
    counts = {"n": inputs.articles, "recent": inputs.recent_articles, "families": inputs.families}
    yield _row("articles", inputs.subject, counts)
    for name, members in inputs.sets.items():
        if vendor.id in members:
            yield _row("set", name, {"member": vendor.id})
    if inputs.lens is not None:
        yield _row("lens", inputs.lens, {})


def _event_rows(event: Event) -> Iterable[tuple[str, str, str]]:
    claims = [claim for claim in event.claims if is_counted(claim)]
    if not claims:
        return
    fields = {
        "type": event.type, "home": event.home, "object": event.object, "state": event.state,
        "attributes": event.attributes, "occurred": occurred_at(event), "conflict": event.date_conflict,
        "story": event.story_id, "closes": sorted(event.closes), "closed": event.closed_at,
        "into": event.merged_into,
    }  # fmt: skip
    yield _row("event", event.id, fields)
    for claim in claims:
        values = {
            "event": event.id, "article": claim.article_id, "family": claim.family, "tier": claim.tier,
            "status": claim.assertion, "claimed": claim.claimed_at, "told": claim.told_at,
        }  # fmt: skip
        yield _row("claim", f"{event.id}/{claim.signal_id}", values)


def is_counted(claim: Claim) -> bool:
    """Return whether a claim is live or denying; the others have no effect of any kind."""
    return claim.assertion.is_live or claim.assertion is Assertion.DENIED


def _row(kind: str, id_: str, values: Mapping[str, Any]) -> tuple[str, str, str]:
    record = {"kind": kind, "id": id_, **{f"{name}_": value for name, value in values.items()}}
    return (kind, id_, _JSON.encode(record))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def _instant(at: datetime) -> str:
    at = at if at.tzinfo is UTC else at.astimezone(UTC)
    return at.replace(tzinfo=None).isoformat() + "Z"


_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)
