"""Values with defaults, for tests that care about one field of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from riskwatch.model import (
    Article,
    Assertion,
    Attempt,
    AttemptOutcome,
    Claim,
    Coverage,
    Delivery,
    Event,
    EventMark,
    EventState,
    Evidence,
    Grade,
    Incident,
    IncidentState,
    Mention,
    Poll,
    Purpose,
    Schedule,
    Score,
    Severity,
    Signal,
    Snapshot,
    Step,
    Transition,
)
from riskwatch.store import Queued

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


def an_incident(id_: str = "i1", **fields: Any) -> Incident:
    given = {
        "key": f"key of {fields.get('rule_id', 'fall')}|{fields.get('subject', 'alibaba/qwen')}",
        "rule_id": "fall",
        "subject": "alibaba/qwen",
        "severity": Severity.WARNING,
        "state": IncidentState.FIRING,
        "condition_hash": "c1",
        "opened_at": NOON,
        "evaluated_at": NOON,
        "bad_count": 2,
        "last_value": 58.0,
        "last_grade": "C",
        "events": (EventMark("01E", "executive_departure", 8.0, "confirmed"),),
        "seq": 1,
    }
    return Incident(id=id_, **{**given, **fields})


def a_transition(id_: str = "t1", **fields: Any) -> Transition:
    given = {
        "incident_id": "i1",
        "seq": 1,
        "from_state": IncidentState.PENDING,
        "to_state": IncidentState.FIRING,
        "step": Step.OPENED,
        "cause": "change",
        "value_old": 71.0,
        "value_new": 58.0,
        "occurred_at": NOON,
        "event_ids": ("01E",),
        "snapshot_id": "n1",
        "alert": {
            "headline": "技术负责人 resigned",
            "score_from": 71.0,
            "reasons": [{"points": -8}],
            "note": None,
        },
    }
    return Transition(id=id_, **{**given, **fields})


def queued(transition_id: str = "t1", **fields: Any) -> Queued:
    given = {
        "route_id": "all",
        "receiver_id": "mail",
        "group_key": "alibaba",
        "flush_at": NOON + timedelta(seconds=60),
    }
    return Queued(transition_id, **{**given, **fields})


def a_delivery(id_: str = "d1", **fields: Any) -> Delivery:
    given = {
        "idempotency_key": f"key of {id_}",
        "receiver_id": "mail",
        "kind": "email",
        "recipient": "buyer@example.com",
        "ordering_key": f"order of {id_}",
        "purpose": Purpose.ALERT,
        "payload": {"kind": "alert", "alerts": [{"headline": "Qwen 71 → 58", "points": -13.0}]},
        "created_at": NOON,
        "deadline_at": NOON + 48 * HOUR,
        "incident_ids": ("i1",),
        "transition_ids": ("t1", "t2"),
    }
    return Delivery(id=id_, **{**given, **fields})


def an_attempt(delivery_id: str = "d1", **fields: Any) -> Attempt:
    given = {
        "series": 1,
        "n": 1,
        "started_at": NOON,
        "ended_at": NOON + timedelta(seconds=1),
        "outcome": AttemptOutcome.OK,
        "code": "250",
        "detail": "queued",
        "latency_ms": 1000,
    }
    return Attempt(delivery_id, **{**given, **fields})


def a_schedule(id_: str = "weekly", **fields: Any) -> Schedule:
    given = {
        "receiver_id": "mail",
        "zone": "Europe/Berlin",
        "local_time": "08:00",
        "days": ("mon",),
        "day_of_month": None,
        "next_due_at": NOON,
        "next_period": NOON.date(),
    }
    return Schedule(id=id_, **{**given, **fields})
