"""All that one Score rests on, what of it is known at an instant, and its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from riskwatch.model import Assertion, Claim, CoverageFact, Event, Vendor, Verdict, VerdictKind, vendor_of
from riskwatch.score.methodology import Methodology
from riskwatch.score.remember import remembered
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
    homes = {home for home in {event.home for event in inputs.events} if _is_related(home, inputs)}
    events = (_known_event(event, at) for event in inputs.events if event.home in homes)
    verdicts = (v for v in inputs.verdicts if _is_known(v.recorded_at, at))
    kept = tuple(sorted((event for event in events if event is not None), key=lambda event: event.id))
    return replace(inputs, events=kept, verdicts=tuple(sorted(verdicts, key=_verdict_order)))


def _is_related(home: str, inputs: Inputs) -> bool:
    """Return whether events there are the vendor's own or those of an industry set that it belongs to."""
    return vendor_of(home) == inputs.vendor.id or inputs.vendor.id in inputs.sets.get(home, ())


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
    by_kind: dict[str, list[_Row]] = {}
    for row in _rows(inputs):
        by_kind.setdefault(row[0], []).append(row)
    told = [rows for event in inputs.events if (rows := _event_rows(event, None))]
    by_kind["event"] = [rows[0] for rows in told]
    by_kind["claim"] = [claim for rows in told for claim in rows[1:]]
    hasher = hashlib.sha256()
    for kind in sorted(by_kind):  # by (kind, id); most rows stand in that order already
        hasher.update(b"".join([line for _, _, line in sorted(by_kind[kind], key=_row_id)]))
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
    if _complete_at(event, None) <= at:
        return event
    if not (_is_known(event.recorded_at, at) and _is_known(event.first_recorded_at, at)):
        return None
    claims = tuple(claim for claim in event.claims if _is_known(claim.recorded_at, at))
    return replace(event, claims=claims) if claims else None


@remembered
def _complete_at(event: Event, _: None) -> datetime:
    recorded = (event.recorded_at, event.first_recorded_at, *(claim.recorded_at for claim in event.claims))
    return max((at for at in recorded if at is not None), default=_OLDEST)


_Row = tuple[str, str, bytes]  # kind, id, JSON line
_row_id = itemgetter(1)


def _rows(inputs: Inputs) -> Iterable[_Row]:
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


@remembered
def _event_rows(event: Event, _: None) -> tuple[_Row, ...]:
    claims = [claim for claim in event.claims if is_counted(claim)]
    if not claims:
        return ()
    fields = {
        "type": event.type, "home": event.home, "object": event.object, "state": event.state,
        "attributes": event.attributes, "occurred": occurred_at(event), "conflict": event.date_conflict,
        "story": event.story_id, "closes": sorted(event.closes), "closed": event.closed_at,
        "into": event.merged_into,
    }  # fmt: skip
    return (
        _row("event", event.id, fields),
        *sorted((_claim_row(claim, event.id) for claim in claims), key=_row_id),
    )


def _claim_row(claim: Claim, event_id: str) -> _Row:
    # The line that _row would give, its keys in their order: most lines of a digest are claims.
    id_ = f"{event_id}/{claim.signal_id}"
    line = (
        f'{{"article_":{_text(claim.article_id)},"claimed_":{_optional(claim.claimed_at)}'
        f',"event_":{_text(event_id)},"family_":{_text(claim.family)},"id":{_text(id_)},"kind":"claim"'
        f',"status_":"{claim.assertion.value}","tier_":{_text(claim.tier)}'
        f',"told_":{_optional(claim.told_at)}}}\n'
    )
    return ("claim", id_, line.encode())


def _optional(at: datetime | None) -> str:
    return "null" if at is None else f'"{_instant(at)}"'


def is_counted(claim: Claim) -> bool:
    """Return whether a claim is live or denying; the others have no effect of any kind."""
    return claim.assertion.is_live or claim.assertion is Assertion.DENIED


def _row(kind: str, id_: str, values: Mapping[str, Any]) -> _Row:
    record = {"kind": kind, "id": id_, **{f"{name}_": value for name, value in values.items()}}
    return (kind, id_, f"{_JSON.encode(record)}\n".encode())


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def _instant(at: datetime) -> str:
    at = at if at.tzinfo is UTC else at.astimezone(UTC)
    return at.isoformat()[:-6] + "Z"  # without +00:00


_text = json.encoder.encode_basestring  # as JSONEncoder writes without ensure_ascii
_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)
