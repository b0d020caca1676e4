"""The published shape of webhook bodies; config/schema/webhook.schema.json is made from these models."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from riskwatch.model import Severity, Step

IncidentType = Literal[
    "riskwatch.incident.opened",
    "riskwatch.incident.updated",
    "riskwatch.incident.corrected",
    "riskwatch.incident.resolved",
]
INCIDENT_TYPES: dict[Step, IncidentType] = {
    Step.OPENED: "riskwatch.incident.opened",
    Step.UPDATE: "riskwatch.incident.updated",
    Step.CORRECTION: "riskwatch.incident.corrected",
    Step.RESOLVED: "riskwatch.incident.resolved",
}


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Instant = Annotated[datetime, PlainSerializer(_rfc3339, return_type=str, when_used="json")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ScoreMove(_Body):
    """The score before and after, 0 to 100, 100 most stable; null is not rated or unknown."""

    from_: float | None = Field(alias="from")
    to: float | None
    grade_from: str | None
    grade_to: str | None
    low: float | None
    high: float | None
    confidence: float | None = Field(description="share, 0 to 1")
    as_of: Instant
    since: Instant | None = Field(description="instant of the earlier score")


class ReasonBody(_Body):
    """One Event that moved the score."""

    event_id: str
    event_type: str
    factor: str
    heading: str
    points: float | None = Field(description="points moved, a fall is negative")
    assertion: str
    outlets: int
    occurred_on: date | None
    other_dates: tuple[date, ...] = Field(description="days that other outlets give")
    evidence_url: str | None


class NotCountedBody(_Body):
    """An Event that took no point."""

    event_id: str
    event_type: str
    heading: str
    assertion: str
    reason: str


class IncidentData(_Body):
    """One step of one Incident."""

    schema_version: Literal[1] = 1
    incident_id: str
    transition_id: str
    rule_id: str
    rule_name: str
    severity: Severity
    owner: str | None
    subject: str
    subject_name: str
    headline: str
    note: str | None
    score: ScoreMove
    contributions: tuple[ReasonBody, ...] = Field(description="largest movement first")
    contributions_left_out: int
    points_left_out: float = Field(description="points moved by those left out, together")
    baseline_points: float | None = Field(description="points of the size baseline and of rescaled events")
    rescaled_events: int = Field(description="earlier events that only weigh differently beside the others")
    not_counted: tuple[NotCountedBody, ...]
    not_counted_left_out: int
    exposure: tuple[str, ...] | None = Field(description="dependent use cases; null: no portfolio is kept")
    next_steps: tuple[str, ...]
    sources_fresh: int | None
    sources_total: int | None
    methodology_version: int | None
    result_id: str | None
    links: dict[str, str]


class IncidentBody(_Body):
    """An incident was opened, updated, corrected or resolved."""

    type: IncidentType
    timestamp: Instant
    data: IncidentData


class LineBody(_Body):
    """One line of a digest."""

    subject: str
    subject_name: str
    text: str
    points: float | None
    event_id: str | None
    incident_id: str | None


class DigestData(_Body):
    """What happened in one period; the lists are in this order in every channel."""

    schema_version: Literal[1] = 1
    schedule_id: str
    name: str
    zone: str
    window_start_at: Instant
    window_end_at: Instant
    firing: tuple[LineBody, ...]
    grade_changes: tuple[LineBody, ...]
    events: tuple[LineBody, ...]
    rumours: tuple[LineBody, ...]
    expired: tuple[LineBody, ...] = Field(description="could not be delivered")
    left_out: dict[str, int] = Field(description="list -> lines for which there was no room")
    vendors_scored: int
    vendors_total: int
    sources_fresh: int
    sources_total: int
    stale_sources: tuple[str, ...]
    coverage: str
    as_of: Instant


class DigestBody(_Body):
    """A digest."""

    type: Literal["riskwatch.digest"] = "riskwatch.digest"
    timestamp: Instant
    data: DigestData


class SystemData(_Body):
    """Something about riskwatch itself, or many alerts told as one."""

    schema_version: Literal[1] = 1
    title: str
    lines: tuple[str, ...]
    left_out: int
    as_of: Instant
    links: dict[str, str]


class SystemBody(_Body):
    """A message about riskwatch itself, or a summary."""

    type: Literal["riskwatch.system"] = "riskwatch.system"
    timestamp: Instant
    data: SystemData


class TestData(_Body):
    """Nothing has happened."""

    __test__ = False
    schema_version: Literal[1] = 1
    receiver_id: str
    is_test: Literal[True] = True
    as_of: Instant
    challenge: str | None = Field(None, description="answer with this word to have alerts sent here")


class TestBody(_Body):
    """A test send."""

    __test__ = False
    type: Literal["riskwatch.test"] = "riskwatch.test"
    timestamp: Instant
    data: TestData


AnyBody = IncidentBody | DigestBody | SystemBody | TestBody
WebhookBody = Annotated[
    AnyBody,
    Field(discriminator="type", title="Webhook", description="Body of a webhook by Standard Webhooks"),
]
