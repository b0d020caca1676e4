"""Builders of merge's inputs, with defaults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from riskwatch.merge import Merged, merge
from riskwatch.model import ArticleBrief, Assertion, Direction, EventType, Evidence, Factor, Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from riskwatch.model import Event, Verdict

DAY0 = datetime(2026, 3, 3, tzinfo=UTC)
WINDOWS = {
    "leadership_exit": 45, "leadership_appointment": 45, "talent_exodus": 30, "layoffs": 21, "reorganization": 45,
    "licence_restriction": 60, "licence_opening": 60, "deprecation": 90, "share_drop": 3, "lawsuit": 90,
    "legal_resolution": 90, "outage": 1, "funding": 60, "export_control": 30, "restriction_lifted": 30,
    "government_ban": 60, "compute_shortage": 45, "product_release": 21, "acquisition": 60, "adoption_milestone": 30,
}  # fmt: skip
TAXONOMY: Mapping[str, EventType] = {
    name: EventType(name, Factor.LEADERSHIP, Direction.ADVERSE, "", {}, days)
    for name, days in WINDOWS.items()
}


def day(number: float) -> datetime:
    """Return day 0 (3 March 2026, 00:00 UTC) plus so many days."""
    return DAY0 + timedelta(days=number)


def a_signal(article: str = "a", type_: str = "leadership_exit", *, at: float = 1, **more: object) -> Signal:
    """Return a Signal; keywords that are no field of Signal become attributes."""
    fields = {name: more.pop(name) for name in list(more) if name in Signal.__dataclass_fields__}
    made: dict[str, object] = {
        "revision": 1,
        "vendor": "alibaba",
        "line": None,
        "assertion": Assertion.REPORTED,
        "confidence": 0.95,
        "route": "slot",
        "evidence": Evidence("body", 0, 5, "quote"),
        "rule": "rule@1",
        "family": article,
        "publisher": article,
        "tier": "2",
        "published_at": day(at),
        "first_seen_at": day(at),
        "recorded_at": day(at),
        "text_key": article,
        **fields,
    }
    attributes = {name: value for name, value in more.items() if value is not None}
    name = f"s-{article}-{made['revision']}-{made['vendor']}-{made['line']}-{type_}-{sorted(attributes.items())}-{made['assertion']}"
    made["id"] = fields.get("id", name)
    made["assertion"] = Assertion(str(made["assertion"]))
    return Signal(article_id=article, type=type_, attributes=attributes, **made)  # type: ignore[arg-type] # by name


def a_brief(signal: Signal, **more: object) -> ArticleBrief:
    """Return the brief of a Signal's Article."""
    made: dict[str, object] = {
        "id": signal.article_id,
        "text_key": signal.text_key,
        "family": signal.family,
        "tier": signal.tier,
        "published_at": signal.published_at,
        "first_seen_at": signal.first_seen_at,
        "subjects": (signal.vendor,),
        **more,
    }
    return ArticleBrief(**made)  # type: ignore[arg-type] # by name


def ids() -> Callable[[], str]:
    """Return a maker of rising ids."""
    numbers = count(1)
    return lambda: f"id{next(numbers):06d}"


def merged(
    signals: Sequence[Signal],
    *,
    known: Sequence[Event] = (),
    briefs: Mapping[str, ArticleBrief] | None = None,
    types: Sequence[str] | None = None,
    verdicts: Sequence[Verdict] = (),
    new_id: Callable[[], str] | None = None,
    vendor: str = "alibaba",
) -> Merged:
    """Merge with the test taxonomy."""
    folded = types if types is not None else sorted({s.type for s in signals} | {e.type for e in known})
    made = briefs if briefs is not None else {s.article_id: a_brief(s) for s in signals}
    return merge(
        signals,
        vendor=vendor,
        types=folded,
        known=known,
        briefs=made,
        taxonomy=TAXONOMY,
        new_id=new_id or ids(),
        verdicts=verdicts,
    )


def events_of(signals: Sequence[Signal], **more: object) -> tuple[Event, ...]:
    """Return the events that Signals merge into."""
    return merged(signals, **more).events  # type: ignore[arg-type] # passed on
