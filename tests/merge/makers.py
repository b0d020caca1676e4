"""Builders of merge's inputs, with defaults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from riskwatch.merge import CommonWords, Merged, Weights, merge
from riskwatch.model import ArticleBrief, Assertion, Direction, EventType, Evidence, Factor, Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from riskwatch.model import Event, Verdict

WEIGHTS = Weights(
    tiers={"primary": 0.95, "1": 0.85, "2": 0.70, "3": 0.45, "4": 0.20},
    assertions={"confirmed": 1.0, "reported": 0.70, "rumoured": 0.25},
)
DAY0 = datetime(2026, 3, 3, tzinfo=UTC)
_BY_DAYS: dict[int, tuple[str, ...]] = {
    1: ("outage",),
    3: ("share_drop", "share_gain"),
    21: ("layoffs", "product_release"),
    30: ("talent_exodus", "export_control", "restriction_lifted", "adoption_milestone", "safety_incident"),
    45: (
        "leadership_exit",
        "leadership_appointment",
        "reorganization",
        "compute_shortage",
        "access_suspension",
    ),
    60: ("licence_restriction", "funding", "acquisition", "government_ban", "partnership", "security_breach"),
    90: (
        "deprecation",
        "lawsuit",
        "regulatory_action",
        "legal_resolution",
        "adverse_ruling",
        "vendor_shutdown",
    ),
}
WINDOWS = {name: days for days, names in _BY_DAYS.items() for name in names}
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
    parts = [article, made["revision"], made["vendor"], made["line"], type_, sorted(attributes.items())]
    made["id"] = fields.get("id", "-".join(str(part) for part in [*parts, made["assertion"]]))
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
        **more,
    }
    return ArticleBrief(**made)  # type: ignore[arg-type] # by name


def ids() -> Callable[[], str]:
    """Return a maker of rising ids."""
    numbers = count(1)
    return lambda: f"id{next(numbers):06d}"


def merged(  # noqa: PLR0913 - every argument of merge has a default here
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
        weights=WEIGHTS,
        words=CommonWords(),
        verdicts=verdicts,
    )


def events_of(signals: Sequence[Signal], **more: object) -> tuple[Event, ...]:
    """Return the events that Signals merge into."""
    return merged(signals, **more).events  # type: ignore[arg-type] # passed on
