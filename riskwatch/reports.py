"""What the commands print: rows for people, objects for --json."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from riskwatch.benchmark import Report as Benchmark
from riskwatch.evaluate import Report
from riskwatch.pipeline import Absorbed
from riskwatch.serve.context import SourceCard
from riskwatch.serve.present import instant

if TYPE_CHECKING:
    from riskwatch.collect import Source
    from riskwatch.detect.check import TestResult
    from riskwatch.detect.curate import Proposal
    from riskwatch.model import Article, Detection, PageState, Poll, Signal
    from riskwatch.store import ApiKey, User


@dataclass(slots=True)
class IngestReport:
    """What `riskwatch ingest` did."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    absorbed: Absorbed = field(default_factory=Absorbed)

    def as_json(self) -> dict[str, Any]:
        """Return the report as one object."""
        return {
            "notes": self.notes,
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
            f"{_told(self.absorbed)}"
            + (f"; {len(self.errors)} errors" if self.errors else "")
            + "".join(f"\n{note}" for note in self.notes)
        )


@dataclass(slots=True)
class PollReport:
    """What `riskwatch poll` did."""

    polls: list[Poll] = field(default_factory=list)
    absorbed: Absorbed = field(default_factory=Absorbed)
    pages: list[PageState] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the report as one object."""
        pages = [
            {"article": page.article_id, "host": page.host, "outcome": page.outcome, "reason": page.reason}
            for page in self.pages
        ]
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
        return {"polls": rows, "pages": pages, **_absorbed(self.absorbed)}

    def lines(self) -> Iterator[str]:
        """Give one line for each Source that failed, and for each reason why a host's pages were not read."""
        for poll in self.polls:
            if not poll.is_ok:
                yield f"{poll.source_id}: {poll.outcome}: {poll.reason}"
        unread = Counter((page.host, page.outcome, page.reason) for page in self.pages if not page.is_read)
        for (host, outcome, reason), number in sorted(unread.items()):
            yield f"{host}: {number} not read: {outcome}: {reason}"

    def summary(self) -> str:
        """Return the report in one line."""
        good = sum(poll.is_ok for poll in self.polls)
        new = sum(poll.new for poll in self.polls)
        if not self.polls and not self.pages:
            return "no source is due; `--all` polls them anyway"
        read = sum(page.is_read for page in self.pages)
        pages = f", {read} of {len(self.pages)} pages read" if self.pages else ""
        return (
            f"{good} of {len(self.polls)} sources answered, {new} new articles{pages}; {_told(self.absorbed)}"
        )


@dataclass(frozen=True, slots=True)
class RereadReport:
    """What `riskwatch redetect` did."""

    absorbed: Absorbed

    def as_json(self) -> dict[str, Any]:
        """Return the report as one object."""
        return _absorbed(self.absorbed)

    def summary(self) -> str:
        """Return the report in one line."""
        return _told(self.absorbed) if self.absorbed.articles else "all articles are read by these rules"


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
    wrong = [r for r in results if r.is_failure]
    lines = []
    for r in wrong:
        told = "; ".join(r.problems) or "a known miss passes now: remove its `todo`"
        lines.append(f"{r.rule} test {r.number}: {told}\n    {r.text}")
    rules, todo = len({r.rule for r in results}), sum(r.is_todo for r in results)
    passed = len(results) - len(wrong)
    lines.append(f"{passed} of {len(results)} tests of {rules} rules passed, {todo} of them known misses")
    return lines, bool(wrong)


def user(one: User) -> dict[str, Any]:
    """Return a person who may log in, without the password."""
    state = "one-time password" if one.is_one_time else "active"
    return {
        "name": one.name,
        "scope": one.scope,
        "state": state if one.disabled_at is None else "disabled",
        "logs_in_by": "password" if one.subject is None else "provider",
        "created_at": instant(one.created_at),
        "last_login_at": instant(one.last_login_at),
    }


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
        "created_at": instant(key.created_at),
        "expires_at": instant(key.expires_at),
        "last_used_at": instant(key.last_used_at),
    }


def quality(report: Report, against: Mapping[str, Any] | None = None) -> str:
    """Return a measurement as Markdown tables, beside a saved run where one is given."""
    run = report.as_json()
    lines = [
        f"{report.items} items, ruleset `{report.ruleset[:19]}`",
        "",
        "| figure | precision | recall | F1 | labels |",
    ]
    lines.append("|---|---|---|---|---|")
    for name, row in run["totals"].items():
        before = against["totals"][name] if against else None
        cells = [_cell(row, before, key) for key in ("precision", "recall", "f1")]
        lines.append(f"| {name.replace('_', ', ')} | {' | '.join(cells)} | {row['labels']:.0f} |")
    lines += ["", "| measure | share | judged |", "|---|---|---|"]
    pairs = {
        "assertion": run["assertion_accuracy"],
        "vendor attribution": run["vendor_attribution"],
        **run["attributes"],
    }
    lines += [f"| {name} | {row['share']:.2f} | {row['judged']:.0f} |" for name, row in pairs.items()]
    lines.append(f"| false alerts per 1,000 items | {run['false_alerts_per_1000']:.1f} | {report.items} |")
    lines += ["", "| type | precision | recall | F1 | found | labels |", "|---|---|---|---|---|---|"]
    for type_, rows in run["by_type"].items():
        row = rows["live_lenient"]
        figures = f"{row['precision']:.2f} | {row['recall']:.2f} | {row['f1']:.2f}"
        lines.append(f"| {type_} | {figures} | {row['found']:.0f} | {row['labels']:.0f} |")
    if report.unknown_vendors:
        lines += ["", f"Vendors that the register lacks (each a miss): {', '.join(report.unknown_vendors)}."]
    if report.unjudged_attributes:
        lines += ["", f"Attributes not judged: {', '.join(report.unjudged_attributes)}."]
    return "\n".join(lines)


def _cell(row: Mapping[str, Any], before: Mapping[str, Any] | None, key: str) -> str:
    interval = row["interval_95"].get(key)
    text = f"{row[key]:.2f}" + (f" ({interval[0]:.2f} to {interval[1]:.2f})" if interval else "")
    return text if before is None else f"{text}, was {before[key]:.2f}"


def benchmark(report: Benchmark) -> str:
    """Return the figures of an outside benchmark as a Markdown table."""
    run = report.as_json()
    read = f"{run['documents']} documents, {run['sentences']} sentences, read by `{run['ruleset'][:19]}`"
    lines = [
        f"{run['benchmark']}, part `{run['part']}`: {read}",
        "",
        "| class | precision | recall | F1 | published F1 | found | labels |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in run["classes"].items():
        figures = f"{row['precision']:.2f} | {row['recall']:.2f} | {row['f1']:.2f}"
        published = "" if row["published_f1"] is None else f"{row['published_f1']:.2f}"
        lines.append(f"| {name} | {figures} | {published} | {row['found']:.0f} | {row['labels']:.0f} |")
    return "\n".join(lines)


def error_lines(report: Report | Benchmark) -> list[str]:
    """Return every miss and false hit, one JSON object a line."""
    return [json.dumps(error, ensure_ascii=False, sort_keys=True) for error in report.errors]


def proposed_names(proposals: Sequence[Proposal]) -> list[str]:
    """Return proposed names as YAML to paste: of each vendor for its file, then for blockers.yaml."""
    lines = list[str]()
    heading = ""
    for proposal in proposals:
        place = f"vendors/{proposal.vendor}.yaml" if proposal.vendor else "blockers.yaml"
        if place != heading:
            heading = place
            lines += [f"# {place}, {'names of a line or products' if proposal.vendor else 'blockers'}"]
        for example in proposal.examples:
            lines.append(f"# {len(proposal.articles)} articles: {' '.join(example.split())[:140]}")
        name = json.dumps(proposal.text, ensure_ascii=False)
        lines.append(f"- {{text: {name}}}" if proposal.vendor else f"- {{name: {name}}}")
    return lines


def source_card(source: Source) -> SourceCard:
    """Return a configured Source, as far as it is shown."""
    return SourceCard(
        source.id,
        str(source.kind),
        source.url,
        source.publisher,
        str(source.source_class),
        source.tier,
        source.lang,
        source.covers,
    )
