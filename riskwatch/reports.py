"""What the commands print: rows for people, objects for --json."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from riskwatch.model import Event, Score, Taxonomy, heading
from riskwatch.pipeline import Absorbed

if TYPE_CHECKING:
    from riskwatch.detect.check import TestResult
    from riskwatch.model import Article, Detection, Poll, Signal
    from riskwatch.store import ApiKey


@dataclass(slots=True)
class IngestReport:
    """What `riskwatch ingest` did."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    errors: list[str] = field(default_factory=list)
    absorbed: Absorbed = field(default_factory=Absorbed)

    def as_json(self) -> dict[str, Any]:
        """Return the report as one object."""
        return {
            "new": self.new,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "errors": self.errors,
            **_absorbed(self.absorbed),
        }

    def summary(self) -> str:
        """Return the report in one line."""
        return (
            f"{self.new} new, {self.changed} changed, {self.unchanged} unchanged articles; "
            f"{_told(self.absorbed)}" + (f"; {len(self.errors)} errors" if self.errors else "")
        )


@dataclass(slots=True)
class PollReport:
    """What `riskwatch poll` did."""

    polls: list[Poll] = field(default_factory=list)
    absorbed: Absorbed = field(default_factory=Absorbed)

    def as_json(self) -> dict[str, Any]:
        """Return the report as one object."""
        rows = [
            {
                "source": poll.source_id,
                "outcome": poll.outcome,
                "reason": poll.reason,
                "status": poll.status,
                "new": poll.new,
                "changed": poll.changed,
                "bytes": poll.bytes,
            }
            for poll in self.polls
        ]
        return {"polls": rows, **_absorbed(self.absorbed)}

    def lines(self) -> Iterator[str]:
        """Give one line for each Source that failed."""
        for poll in self.polls:
            if not poll.is_ok:
                yield f"{poll.source_id}: {poll.outcome}: {poll.reason}"

    def summary(self) -> str:
        """Return the report in one line."""
        good = sum(poll.is_ok for poll in self.polls)
        new = sum(poll.new for poll in self.polls)
        if not self.polls:
            return "no source is due; `--all` polls them anyway"
        return f"{good} of {len(self.polls)} sources answered, {new} new articles; {_told(self.absorbed)}"


def _absorbed(done: Absorbed) -> dict[str, int]:
    return {
        "detected": done.articles,
        "signals": done.signals,
        "events": done.events,
        "snapshots": done.snapshots,
    }


def _told(done: Absorbed) -> str:
    return f"{done.articles} read, {done.signals} signals, {done.events} events written"


def signal(found: Signal) -> dict[str, Any]:
    """Return a Signal as `riskwatch detect --json` prints it."""
    return {
        "vendor": found.vendor,
        "line": found.line,
        "type": found.type,
        "assertion": str(found.assertion),
        "confidence": found.confidence,
        "attributes": dict(found.attributes),
        "evidence": found.evidence.quote,
        "rule": found.rule,
    }


def detection(article: Article, found: Detection, *, explain: bool, as_json: bool) -> Iterator[str]:
    """Give the lines that tell what was detected in one Article."""
    if as_json:
        made: dict[str, Any] = {"id": article.guid, "signals": [signal(s) for s in found.signals]}
        if explain:
            made["trace"], made["notes"] = list(found.trace), list(found.notes)
        yield json.dumps(made, ensure_ascii=False, sort_keys=True)
        return
    yield f"{article.guid}: {article.title or article.text[:80]}"
    for s in found.signals:
        attributes = ", ".join(f"{name} {value}" for name, value in s.attributes.items())
        yield f"  {s.subject:<24} {s.type:<22} {s.assertion:<12} {s.route:<10} {attributes}"
        yield f"    “{s.evidence.quote}”"
    if not found.signals:
        yield "  no event"
    if explain:
        yield from (f"  note: {note}" for note in found.notes)
        yield from (f"  {json.dumps(step, ensure_ascii=False, sort_keys=True)}" for step in found.trace)


def rule_tests(results: Sequence[TestResult]) -> tuple[list[str], bool]:
    """Return the lines that tell of the rules' own tests, and whether one failed."""
    wrong = [r for r in results if not r.ok]
    todo = sum(r.todo for r in results)
    lines = [str(result) for result in wrong]
    rules = len({r.rule for r in results})
    passed = len(results) - len(wrong)
    lines.append(f"{passed} of {len(results)} tests of {rules} rules passed, {todo} known misses")
    return lines, bool(wrong)


def api_key(key: ApiKey, *, now: datetime) -> dict[str, Any]:
    """Return an API key without its secret."""
    if key.revoked_at is not None:
        state = "revoked"
    elif key.expires_at is not None and key.expires_at <= now:
        state = "expired"
    else:
        state = "valid"
    return {
        "id": key.id,
        "name": key.name,
        "scopes": list(key.scopes),
        "state": state,
        "created_at": _instant(key.created_at),
        "expires_at": _instant(key.expires_at),
        "last_used_at": _instant(key.last_used_at),
    }


def event(found: Event, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return an Event as one object."""
    return {
        "id": found.id,
        "type": found.type,
        "heading": heading(found, taxonomy[found.type]),
        "vendor": found.vendor,
        "subject": found.home,
        "object": found.object,
        "assertion": str(found.assertion),
        "state": str(found.state),
        "attributes": dict(found.attributes),
        "occurred_at": _instant(found.occurred_at),
        "date_precision": found.date_precision,
        "date_conflicts": [
            {
                "claimed_at": _instant(c.claimed_at),
                "family": c.family,
                "quote": c.quote,
                "days_apart": c.distance_days,
            }
            for c in found.date_conflicts
        ],
        "corroboration": found.corroboration,
        "disputed": found.disputed,
        "retrospective": found.retrospective,
        "conflicts": [
            {"attribute": c.attribute, "value": c.value, "others": [list(other) for other in c.others]}
            for c in found.conflicts
        ],
        "claims": [
            {
                "publisher": c.publisher,
                "family": c.family,
                "tier": c.tier,
                "assertion": str(c.assertion),
                "primary": c.primary,
                "claimed_at": _instant(c.claimed_at),
                "told_at": _instant(c.told_at),
                "quote": c.quote,
            }
            for c in found.claims
        ],
        "closed_at": _instant(found.closed_at),
        "story_id": found.story_id,
        "recorded_at": _instant(found.recorded_at),
    }


def score(found: Score) -> dict[str, Any]:
    """Return a Score as one object, without its reasons."""
    interval = None if found.low is None or found.high is None else {"low": found.low, "high": found.high}
    return {
        "subject": found.subject,
        "as_of": _instant(found.as_of),
        "known_at": _instant(found.known_at),
        "score": found.points,
        "grade": str(found.grade),
        "interval": interval,
        "confidence": found.confidence,
        "confidence_label": found.confidence_label,
        "coverage": str(found.coverage),
        "coverage_gaps": list(found.coverage_gaps),
        "articles": found.articles,
        "reasons": list(found.reasons),
        "methodology": found.methodology_version,
        "result_id": found.result_id,
    }


def explanation(found: Score, events: Mapping[str, Event], taxonomy: Taxonomy) -> dict[str, Any]:
    """Return a Score with where every point went; the printed points add up to the printed loss."""
    named = {id_: heading(e, taxonomy[e.type]) for id_, e in events.items()}
    return {
        **score(found),
        "structural": {
            "size_class": found.size_class,
            "points": found.structural_points,
            "printed_points": found.structural_printed,
        },
        "contributions": [
            {
                "event": c.event_id,
                "type": c.type,
                "heading": named.get(c.event_id, c.type),
                "factor": str(c.factor),
                "subject": c.home,
                "assertion": c.assertion,
                "occurred_at": _instant(c.occurred_at),
                "points": c.points,
                "printed_points": c.printed_points,
                "score_without": c.score_without,
                **{name: getattr(c, name) for name in _ARITHMETIC},
            }
            for c in found.contributions
        ]
        if found.points is not None
        else [],
        "not_counted": [
            {
                "event": n.event_id,
                "type": n.type,
                "heading": named.get(n.event_id, n.type),
                "reason": n.reason,
            }
            for n in found.not_counted
        ],
    }


_ARITHMETIC = (
    "severity", "magnitude", "credibility", "relevance", "attention", "damping", "decay", "relief", "loss", "is_open",
)  # fmt: skip


def _instant(value: datetime | None) -> str | None:
    return None if value is None else value.strftime("%Y-%m-%dT%H:%M:%SZ")
