"""Values with defaults, for tests that care about one field of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from riskwatch.model import (
    Article,
    Assertion,
    Claim,
    Coverage,
    Event,
    EventState,
    Evidence,
    Grade,
    Mention,
    Poll,
    Score,
    Signal,
    Snapshot,
)

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def an_article(guid: str = "g1", **fields: Any) -> Article:
    text = str(fields.get("text", "Lin leaves Qwen."))
    given = {
        "source_id": "wire",
        "title": "Qwen lead resigns",
        "text": text,
        "url": f"https://news.example/{guid}",
        "published_at": NOON - HOUR,
        "lang": "en",
        "publisher": "News",
        "family": "news",
        "tier": "2",
        "text_key": f"key of {text}",
        "covers": ("alibaba",),
        "flags": ("truncated",),
    }
    return Article(guid=guid, **{**given, **fields})


def a_signal(id_: str = "s1", article_id: str = "a1", **fields: Any) -> Signal:
    given = {
        "revision": 1,
        "vendor": "alibaba",
        "line": "qwen",
        "type": "executive_departure",
        "assertion": Assertion.REPORTED,
        "confidence": 0.9,
        "route": "slot",
        "attributes": {"person": "Lin", "count": 3, "share": 0.5, "is_key": True},
        "evidence": Evidence("body", 4, 10, "leaves"),
        "rule": "departure@1",
        "published_at": NOON - HOUR,
        "text_key": "t",
    }
    return Signal(id=id_, article_id=article_id, **{**given, **fields})


def an_event(id_: str = "01E", **fields: Any) -> Event:
    given = {
        "type": "executive_departure",
        "vendor": "alibaba",
        "home": "alibaba/qwen",
        "object": "Lin",
        "assertion": Assertion.REPORTED,
        "state": EventState.LIVE,
        "attributes": {"person": "Lin"},
        "occurred_at": NOON - 24 * HOUR,
        "date_precision": "day",
        "claims": (Claim("s1", "a1", "news", "News", "2", Assertion.REPORTED, told_at=NOON),),
    }
    return Event(id=id_, **{**given, **fields})


def a_score(subject: str = "alibaba", **fields: Any) -> Score:
    given = {
        "as_of": NOON,
        "known_at": NOON,
        "points": 71.5,
        "grade": Grade.B,
        "low": 60.0,
        "high": 80.0,
        "internal_points": 71.5,
        "confidence": 0.8,
        "confidence_label": "high",
        "coverage": Coverage.WATCHED_ACTIVE,
        "articles": 4,
        "reasons": (),
        "structural_loss": 0.1,
        "structural_points": 5.0,
        "structural_printed": 5.0,
        "size_class": "mega",
        "contributions": (),
        "factors": (),
        "not_counted": (),
        "methodology_version": 1,
        "methodology_digest": "sha256:m",
        "inputs_digest": "sha256:i",
        "result_id": "0" * 32,
    }
    return Score(subject=subject, **{**given, **fields})


def a_snapshot(
    id_: str = "n1", *, cause: str = "change", recorded_at: datetime = NOON, **fields: Any
) -> Snapshot:
    return Snapshot(id=id_, score=a_score(**fields), cause=cause, recorded_at=recorded_at)


def a_poll(id_: str = "p1", **fields: Any) -> Poll:
    given = {
        "source_id": "wire",
        "started_at": NOON,
        "duration_ms": 120,
        "outcome": "ok",
        "reason": "",
        "status": 200,
        "bytes": 5_000_000_000,
        "new": 2,
        "changed": 0,
    }
    return Poll(id=id_, **{**given, **fields})


def a_mention(subject: str = "alibaba") -> Mention:
    return Mention(subject, "title", 0, 4)
