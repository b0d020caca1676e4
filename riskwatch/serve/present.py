"""Values of the vocabulary → plain answers; the API, the pages and the command line all show these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from riskwatch.model import (
    Article,
    Contribution,
    Event,
    EventType,
    PageState,
    Person,
    Poll,
    Score,
    Signal,
    SourceState,
    Taxonomy,
    Vendor,
    heading,
    line_of,
    part_name,
    told_at,
    vendor_of,
)

Plain = dict[str, Any]
EXCERPT_CHARS = 400
_ARITHMETIC = (
    "severity", "magnitude", "credibility", "relevance", "attention", "damping", "decay", "relief", "loss",
    "is_open",
)  # fmt: skip


def instant(value: datetime | None) -> str | None:
    """Return an instant as RFC 3339 in UTC with Z, to the second."""
    return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def name_of(subject: str, vendors: Mapping[str, Vendor]) -> str:
    """Return the name of a Subject as people read it: `Alibaba`, `Qwen`, or of a unit `Alibaba: Retail`."""
    name = part_name(subject, vendors[vendor_of(subject)])
    return name if told_at(subject) == subject else f"{vendors[vendor_of(subject)].name}: {name}"


# -------------------------------------------------------------------------------- scores
def summary(
    score: Score, *, name: str, trend: Mapping[int, float | None] | None = None, top: Plain | None = None
) -> Plain:
    """Return a Score without its reasons; a Subject that is not rated shows no number at all."""
    interval = None if score.low is None or score.high is None else {"low": score.low, "high": score.high}
    return {
        "subject": score.subject,
        "name": name,
        "vendor": vendor_of(score.subject),
        "line": line_of(score.subject),
        "as_of": instant(score.as_of),
        "known_at": instant(score.known_at),
        "score": score.points,
        "grade": str(score.grade),
        "interval": None if score.points is None else interval,
        "confidence": score.confidence,
        "confidence_label": score.confidence_label,
        "coverage": str(score.coverage),
        "coverage_gaps": list(score.coverage_gaps),
        "articles": score.articles,
        "reasons": list(score.reasons),
        "trend": None if trend is None else {f"days_{days}": moved for days, moved in trend.items()},
        "top_reason": top,
        "result_id": score.result_id,
        "methodology": score.methodology_version,
    }


def top_reason(score: Score, headings: Mapping[str, str]) -> Plain | None:
    """Return what takes most points: an event, or the size baseline where no event does."""
    if score.points is None:
        return None
    if not score.contributions:
        return {
            "event": None,
            "heading": "Size baseline only, no harmful event in force",
            "points": score.structural_printed,
            "assertion": None,
            "occurred_at": None,
        }
    first = score.contributions[0]
    return {
        "event": first.event_id,
        "heading": headings.get(first.event_id, first.type.replace("_", " ")),
        "points": first.printed_points,  # as the ledger prints it
        "assertion": str(first.assertion),
        "occurred_at": instant(first.occurred_at),
    }


def score_answer(
    score: Score, *, name: str, trend: Mapping[int, float | None] | None, top: Plain | None
) -> Plain:
    """Return a Score with factors and digests."""
    rated = score.points is not None
    return {
        **summary(score, name=name, trend=trend, top=top),
        "structural": {
            "size_class": str(score.size_class),
            "points": score.structural_points if rated else 0.0,
            "printed_points": score.structural_printed if rated else 0.0,
        },
        "factors": [
            {
                "factor": str(f.factor),
                "points": f.points,
                "loss": f.loss,
                "score_alone": f.score_alone,
                "floor": f.floor,
            }
            for f in score.factors
        ]
        if rated
        else [],
        "inputs_digest": score.inputs_digest,
        "methodology_digest": score.methodology_digest,
        "ruleset_digest": score.ruleset_digest,
    }


def contribution(c: Contribution, event: Event | None, title: str) -> Plain:
    """Return the points of one event with their arithmetic and one quote."""
    live = [claim for claim in event.claims if claim.assertion.is_live] if event else []
    return {
        "event": c.event_id,
        "type": c.type,
        "heading": title,
        "factor": str(c.factor),
        "subject": c.home,
        "story": c.story_id,
        "assertion": str(c.assertion),
        "occurred_at": instant(c.occurred_at),
        "points": c.points,
        "printed_points": c.printed_points,
        "score_without": c.score_without,
        **{name: getattr(c, name) for name in _ARITHMETIC},
        "relieved_by": list(c.relieved_by),
        "families": sorted({claim.family for claim in live}),
        "quote": live[0].quote if live else None,
    }


def explanation(
    score: Score,
    events: Mapping[str, Event],
    taxonomy: Taxonomy,
    *,
    name: str,
    trend: Mapping[int, float | None] | None = None,
) -> Plain:
    """Return a Score with where every point went; the printed points add up to the printed loss."""
    titles = {id_: heading(event, taxonomy[event.type]) for id_, event in events.items()}
    rated = score.points is not None
    counted = score.contributions if rated else ()
    return {
        **score_answer(score, name=name, trend=trend, top=top_reason(score, titles)),
        "contributions": [
            contribution(c, events.get(c.event_id), titles.get(c.event_id, c.type.replace("_", " ")))
            for c in counted
        ],
        "not_counted": [
            {
                "event": n.event_id,
                "type": n.type,
                "heading": titles.get(n.event_id, n.type.replace("_", " ")),
                "reason": n.reason,
            }
            for n in score.not_counted
        ],
    }


# -------------------------------------------------------------------------------- vendors
def person(p: Person) -> Plain:
    """Return a person of the register."""
    return {"name": p.name, "role": p.role, "line": p.line, "since": p.valid_from, "until": p.valid_to}


def names(aliases: Iterable[Any]) -> list[str]:
    """Return names as text, each once, in their order."""
    return list(dict.fromkeys(a if isinstance(a, str) else a.text for a in aliases))


def line_profile(vendor: Vendor, id_: str) -> Plain:
    """Return a model line of the register."""
    line = vendor.lines[id_]
    return {
        "id": id_,
        "subject": f"{vendor.id}/{id_}",
        "name": line.name,
        "line_class": None if line.line_class is None else str(line.line_class),
        "open_weights": line.open_weights,
        "licence": line.licence,
        "products": names(line.products),
    }


def vendor_row(vendor: Vendor, scores: Mapping[str, Plain]) -> Plain:
    """Return a vendor of the listing with the summaries of its Subjects."""
    return {
        "id": vendor.id,
        "name": vendor.name,
        "country": vendor.country,
        "tags": list(vendor.tags),
        "state": vendor.state,
        "score": scores.get(vendor.id),
        "lines": [scores[s] for s in (f"{vendor.id}/{line}" for line in sorted(vendor.lines)) if s in scores],
    }


def vendor_profile(vendor: Vendor, scores: Mapping[str, Plain]) -> Plain:
    """Return a vendor with people and lines."""
    return {
        **vendor_row(vendor, scores),
        "size_class": str(vendor.size_class),
        "tickers": list(vendor.tickers),
        "status_page": vendor.status_page,
        "names": names(vendor.names),
        "people": [person(p) for p in vendor.people],
        "profiles": [line_profile(vendor, line) for line in sorted(vendor.lines)],
        "units": [unit.name for unit in vendor.units.values()],
    }


# -------------------------------------------------------------------------------- events
def event(found: Event, event_type: EventType) -> Plain:
    """Return an Event with its claims, dates and conflicts."""
    return {
        "id": found.id,
        "type": found.type,
        "factor": str(event_type.factor),
        "direction": str(event_type.direction),
        "heading": heading(found, event_type),
        "vendor": found.vendor,
        "subject": found.home,
        "object": found.object,
        "assertion": str(found.assertion),
        "state": str(found.state),
        "attributes": dict(found.attributes),
        "occurred_at": instant(found.occurred_at),
        "date_precision": found.date_precision,
        "date_conflicts": [
            {
                "claimed_at": instant(c.claimed_at),
                "family": c.family,
                "quote": c.quote,
                "days_apart": c.distance_days,
                "article": c.article_id,
            }
            for c in found.date_conflicts
        ],
        "corroboration": found.corroboration,
        "families": sorted({c.family for c in found.claims if c.assertion.is_live}),
        "disputed": found.disputed,
        "retrospective": found.retrospective,
        "conflicts": [
            {"attribute": c.attribute, "value": c.value, "others": [list(other) for other in c.others]}
            for c in found.conflicts
        ],
        "claims": [
            {
                "signal": c.signal_id,
                "article": c.article_id,
                "publisher": c.publisher,
                "family": c.family,
                "tier": c.tier,
                "assertion": str(c.assertion),
                "primary": c.primary,
                "claimed_at": instant(c.claimed_at),
                "told_at": instant(c.told_at),
                "quote": c.quote,
                "rule": c.rule,
            }
            for c in found.claims
        ],
        "closes": list(found.closes),
        "closed_at": instant(found.closed_at),
        "story": found.story_id,
        "first_told_at": instant(found.first_told_at),
        "recorded_at": instant(found.recorded_at),
    }


def event_detail(
    found: Event, event_type: EventType, versions: Sequence[Event], playbook: Sequence[str] = ()
) -> Plain:
    """Return an Event with its versions, oldest first, and the next steps of a careful buyer."""
    return {
        **event(found, event_type),
        "playbook": list(playbook),
        "versions": [
            {
                "recorded_at": instant(v.recorded_at),
                "assertion": str(v.assertion),
                "state": str(v.state),
                "corroboration": v.corroboration,
                "occurred_at": instant(v.occurred_at),
            }
            for v in versions
        ],
        "history": [
            {"at": instant(h.at), "assertion": str(h.assertion), "family": h.family, "note": h.note}
            for h in found.history
        ],
    }


def signal(found: Signal) -> Plain:
    """Return a Signal with its evidence."""
    return {
        "id": found.id,
        "article": found.article_id,
        "revision": found.revision,
        "subject": found.subject,
        "type": found.type,
        "assertion": str(found.assertion),
        "confidence": found.confidence,
        "route": found.route,
        "attributes": dict(found.attributes),
        "rule": found.rule,
        "evidence": {
            "field": found.evidence.field,
            "start": found.evidence.start,
            "end": found.evidence.end,
            "quote": found.evidence.quote,
        },
        "claimed_at": instant(found.claimed_at),
        "claimed_text": found.claimed_text,
        "family": found.cited_family or found.family,
    }


# -------------------------------------------------------------------------------- articles and sources
def article(found: Article) -> Plain:
    """Return an Article with an excerpt of its text."""
    excerpt = found.text[:EXCERPT_CHARS] + ("…" if len(found.text) > EXCERPT_CHARS else "")
    return {
        "id": found.id,
        "source": found.source_id,
        "title": found.title,
        "excerpt": excerpt,
        "text_origin": found.text_origin,
        "url": found.url,
        "publisher": found.publisher,
        "family": found.family,
        "tier": found.tier,
        "lang": found.lang,
        "published_at": instant(found.published_at),
        "first_seen_at": instant(found.first_seen_at),
        "revision": found.revision,
    }


def page(state: PageState) -> Plain:
    """Return where the page behind an Article stands."""
    return {
        "outcome": state.outcome,
        "reason": state.reason,
        "url": state.url,
        "asked_at": instant(state.asked_at),
        "next_ask_at": instant(state.due_at),
    }


def source_state(
    state: SourceState | None, last_ok_at: datetime | None, *, sla_hours: float, now: datetime
) -> str:
    """Return how a Source stands: fresh, silent, stale, failing, gone or never polled."""
    if state is not None and state.gone_since is not None:
        return "gone"
    if last_ok_at is None:
        return "failing" if state is not None and state.consecutive_failures else "never_polled"
    late = (now - last_ok_at).total_seconds() > sla_hours * 3600
    if state is not None and state.consecutive_failures and late:
        return "failing"
    if late:
        return "stale"
    return "silent" if state is not None and state.last_outcome == "silent" else "fresh"


def poll(row: Poll) -> Plain:
    """Return one attempt at a Source."""
    return {
        "started_at": instant(row.started_at),
        "outcome": row.outcome,
        "reason": row.reason,
        "status": row.status,
        "bytes": row.bytes,
        "new": row.new,
        "changed": row.changed,
        "duration_ms": row.duration_ms,
    }
