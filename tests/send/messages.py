"""Messages with defaults: the departures at Qwen as of 5 March 2026, and one of every other kind."""

from datetime import UTC, date, datetime
from typing import Any

from riskwatch.model import Severity, Step
from riskwatch.send.message import (
    Alert,
    AlertMessage,
    DigestLine,
    DigestMessage,
    Links,
    Message,
    NotCounted,
    OverflowMessage,
    Reason,
    SystemMessage,
    TestMessage,
)
from riskwatch.send.render_mail import Templates
from riskwatch.send.templates import read

BASE = "https://riskwatch.example.com"
INCIDENT = "01KJXQ3Z8N4V7M2T6B9C5D1E0F"
DELIVERY = "01KJXQ9Z0A1B2C3D4E5F6G7H8J"
AS_OF = datetime(2026, 3, 5, tzinfo=UTC)
TEMPLATES = Templates(read())
LINKS = Links(
    base_url=BASE,
    acknowledge={INCIDENT: f"{BASE}/a/acknowledge?token=t1"},
    silence={INCIDENT: f"{BASE}/a/silence?token=t2"},
    unsubscribe=f"{BASE}/a/unsubscribe?token=t3",
)
# What fault 41 puts into a headline, and what fault 40 puts into a header.
HOSTILE = "<!channel> <https://evil.example|Reset password> *x* _y_ ~z~ ``` &amp; <script>alert(1)</script>"
HEADER_BREAKS = "Shares\r\nBcc: all@example.com\n\r\x85\u2028\x0b\x00\ud800, fall"

MARCH_3, MARCH_4 = date(2026, 3, 3), date(2026, 3, 4)
REASONS: tuple[tuple[str, str, str, str, float, int, date], ...] = (
    ("leadership_exit", "leadership", "Junyang Lin leaves", "confirmed", -16.5, 5, MARCH_3),
    ("compute_shortage", "geopolitics", "Short of computing capacity", "reported", -9.5, 2, MARCH_4),
    ("licence_restriction", "licensing", "Licence or terms tightened", "rumoured", -8.8, 2, MARCH_4),
    ("talent_exodus", "leadership", "3 people leave", "confirmed", -6.5, 3, MARCH_3),
    ("share_drop", "financial", "Shares down 5 %", "confirmed", -2.1, 2, MARCH_4),
    ("reorganization", "leadership", "A team is reorganised", "reported", -1.7, 2, MARCH_4),
)


def reasons() -> tuple[Reason, ...]:
    return tuple(
        Reason(
            event_id=f"01KJXEVENT{n}",
            type=type_,
            factor=factor,
            heading=heading,
            assertion=assertion,
            points=points,
            outlets=outlets,
            occurred_on=day,
            other_dates=(date(2025, 6, 9),) if n == 1 else (),
            relief=0.278 if n in (1, 4) else 0.0,
            relieved_by=("Hao Zhou is appointed",) if n in (1, 4) else (),
        )
        for n, (type_, factor, heading, assertion, points, outlets, day) in enumerate(REASONS, 1)
    )


def an_alert(**changes: Any) -> Alert:
    values: dict[str, Any] = {
        "incident_id": INCIDENT,
        "transition_id": "01KJXQTRANSITION",
        "step": Step.OPENED,
        "severity": Severity.CRITICAL,
        "rule_id": "tier1-below-60",
        "rule_name": "Tier 1 below 60",
        "rule_kind": "score_below",
        "owner": "Legal operations",
        "subject": "alibaba/qwen",
        "subject_name": "Alibaba/Qwen",
        "headline": "Junyang Lin leaves",
        "score_from": 97.0,
        "score_to": 52.6,
        "grade_from": "A",
        "grade_to": "D",
        "low": 32.6,
        "high": 68.0,
        "confidence": 0.88,
        "confidence_label": "high",
        "outlets": 7,
        "since": datetime(2026, 2, 26, tzinfo=UTC),
        "reasons": reasons(),
        "structural_change": 0.7,
        "not_counted": (
            NotCounted(
                event_id="01KJXEVENT8",
                type="export_control",
                heading="Export controls by the United States",
                assertion="background",
                reason="It is only mentioned as background.",
            ),
        ),
        "exposure": ("Contract clause search (tier 1, no exit plan)", "Internal search (tier 2)"),
        "next_steps": (
            "archive the open weights in use",
            "ask for a continuity statement",
            "check the exit clause",
        ),
        "as_of": AS_OF,
        "sources_fresh": 41,
        "sources_total": 43,
        "methodology_version": 1,
        "result_id": "9c41e07b5d2f4a86b1de33f0a7725c1e",
    }
    return Alert(**{**values, **changes})


def told(*alerts: Alert) -> AlertMessage:
    return AlertMessage(alerts=alerts or (an_alert(),))


def several(number: int, **changes: Any) -> AlertMessage:
    return told(
        *(
            an_alert(**{"incident_id": f"01KJX{n:04}", "severity": Severity.WARNING, **changes})
            for n in range(number)
        )
    )


def many_events(number: int, heading: str = "A leader leaves") -> tuple[Reason, ...]:
    first = reasons()[0]
    return tuple(
        first.model_copy(update={"event_id": f"01KJXMANY{n:04}", "points": -0.1, "heading": heading})
        for n in range(number)
    )


def unrated() -> Alert:
    return an_alert(
        rule_id="rating-lost", rule_name="Rating lost", rule_kind="not_rated", severity=Severity.WARNING,
        headline="The rating is lost", score_to=None, grade_to="NR", low=None, high=None, confidence=0.21,
        confidence_label="none", outlets=0, reasons=(), structural_change=None, not_counted=(), exposure=None,
        next_steps=("do not read the missing score as a good one",),
    )  # fmt: skip


def stale() -> Alert:
    return an_alert(
        rule_id="source-silent", rule_name="Source silent", rule_kind="staleness", severity=Severity.INFO,
        subject="techcrunch-ai", subject_name="techcrunch-ai", headline="Nothing fetched for 51 hours",
        score_from=None, score_to=None, grade_from=None, grade_to=None, low=None, high=None, confidence=None,
        confidence_label=None, outlets=0, since=None, reasons=(), structural_change=None, not_counted=(),
        exposure=None, next_steps=("look up the last error of the source",), result_id=None, owner=None,
    )  # fmt: skip


def resolved() -> Alert:
    return an_alert(
        step=Step.RESOLVED, headline="Recovered", score_from=52.6, score_to=66.8, grade_from="D",
        grade_to="C", low=50.1, high=80.3, next_steps=(), not_counted=(), structural_change=-0.3,
        note="Open since 5 Mar 2026 00:00 UTC; nothing more is sent about this incident.",
        reasons=tuple(
            reason.model_copy(update={"points": points, "is_open": False, "relief": 0.0})
            for reason, points in zip(reasons()[:2], (9.0, 5.5), strict=True)
        ),
        since=AS_OF, as_of=datetime(2026, 4, 20, tzinfo=UTC),
    )  # fmt: skip


def correction() -> Alert:
    denied = reasons()[2].model_copy(update={"points": 8.8, "assertion": "denied"})
    return an_alert(
        step=Step.CORRECTION, headline="Licence or terms tightened: denied", score_from=52.6, score_to=61.1,
        grade_from="D", grade_to="C", low=40.0, high=70.2, reasons=(denied,), structural_change=-0.3,
        not_counted=(), next_steps=(), note="This corrects what was told since 5 Mar 2026 00:00 UTC.",
        since=AS_OF, as_of=datetime(2026, 3, 6, 14, tzinfo=UTC),
    )  # fmt: skip


def overflow() -> OverflowMessage:
    return OverflowMessage(
        total=312,
        vendors=41,
        by_step={"opened": 300, "update": 12},
        by_severity={"critical": 2, "warning": 310},
        gravest=several(10).alerts,
    )


def a_line(text: str, *, points: float | None = None, **more: Any) -> DigestLine:
    return DigestLine(subject="alibaba/qwen", subject_name="Alibaba/Qwen", text=text, points=points, **more)


def a_digest(**changes: Any) -> DigestMessage:
    values: dict[str, Any] = {
        "schedule_id": "weekly",
        "name": "Weekly digest",
        "zone": "Europe/Berlin",
        "window_start_at": datetime(2026, 3, 2, 7, tzinfo=UTC),
        "window_end_at": datetime(2026, 3, 9, 7, tzinfo=UTC),
        "firing": (
            a_line(
                "Critical: Tier 1 below 60, since 5 Mar 2026 00:00 UTC", points=-44.4, incident_id=INCIDENT
            ),
        ),
        "grade_changes": (a_line("A → D, 97.0 to 52.6", points=-44.4),),
        "events": tuple(
            a_line(f"{r.heading}: {r.assertion}, {r.outlets} outlets", points=r.points, event_id=r.event_id)
            for r in reasons()
            if r.assertion != "rumoured"
        ),
        "rumours": (a_line("Licence or terms tightened: rumoured, 2 outlets, 4 Mar 2026", event_id="01E"),),
        "expired": (a_line("Update to procurement@example.com through procurement-mail: timeout"),),
        "vendors_scored": 12,
        "vendors_total": 12,
        "sources_fresh": 41,
        "sources_total": 43,
        "stale_sources": ("techcrunch-ai", "status-xai"),
        "as_of": datetime(2026, 3, 9, 7, tzinfo=UTC),
    }
    return DigestMessage(**{**values, **changes})


def quiet_digest(**changes: Any) -> DigestMessage:
    nothing: dict[str, Any] = dict.fromkeys(("firing", "grade_changes", "events", "rumours", "expired"), ())
    return a_digest(**{**nothing, "name": "Daily digest", **changes})


def a_system() -> SystemMessage:
    return SystemMessage(
        title="The receiver procurement-slack is failing",
        lines=("Last answer: 404 no_service, since 5 Mar 2026 00:00 UTC.", "4 messages wait for it."),
        as_of=AS_OF,
    )


def a_test() -> TestMessage:
    return TestMessage(receiver_id="procurement-mail", as_of=AS_OF)


EVERY_KIND: dict[str, Message] = {
    "opened": told(),
    "update": told(an_alert(step=Step.UPDATE, note="Open since 4 Mar 2026 08:00 UTC; it has become worse.")),
    "correction": told(correction()),
    "resolved": told(resolved()),
    "unrated": told(unrated()),
    "stale": told(stale()),
    "several": told(
        an_alert(), an_alert(incident_id="01KJXOTHER", severity=Severity.WARNING), unrated(), stale()
    ),
    "overflow": overflow(),
    "digest": a_digest(),
    "digest-empty": quiet_digest(),
    "system": a_system(),
    "test": a_test(),
}
