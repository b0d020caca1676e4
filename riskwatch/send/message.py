"""What a Delivery says: the frozen inputs of rendering, version 1.

Everything a reader sees in a mail, a Slack message or a webhook body stands here, taken from the stored
Snapshot when the step was made. None is unknown and is shown as an em dash, never as 0.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from riskwatch.model import Severity, Step

PAYLOAD_VERSION = 1


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reason(_Frozen):
    """One Event that moved, or now takes part of, a score."""

    event_id: str
    type: str
    factor: str
    heading: str = Field(description="from outside: hostile until SafeText")
    assertion: str
    points: float | None = Field(
        description="points moved since the earlier score; a fall is negative, None where no score is"
    )
    outlets: int = Field(ge=0, description="independent publisher families")
    occurred_on: date | None = None
    other_dates: tuple[date, ...] = Field(default=(), description="days that other outlets give")
    is_open: bool = True
    relief: float = Field(default=0.0, ge=0, le=1, description="share of its loss that good news takes away")
    relieved_by: tuple[str, ...] = Field(default=(), description="headings of that good news")


class NotCounted(_Frozen):
    """An Event that took no point, and why."""

    event_id: str
    type: str
    heading: str
    assertion: str
    reason: str


class Alert(_Frozen):
    """What is said about one step of one Incident."""

    incident_id: str
    transition_id: str
    step: Step
    severity: Severity
    rule_id: str
    rule_name: str
    rule_kind: str
    owner: str | None = None
    subject: str = Field(description="Subject id; for staleness a Source id, `scoring` or `canary`")
    subject_name: str
    headline: str = Field(description="the finding in words, e.g. `Technical lead resigned`")
    score_from: float | None = None
    score_to: float | None = None
    grade_from: str | None = None
    grade_to: str | None = None
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    confidence_label: str | None = None
    outlets: int = 0
    since: datetime | None = Field(default=None, description="instant of score_from")
    reasons: tuple[Reason, ...] = Field(default=(), description="largest movement first")
    structural_change: float | None = Field(
        default=None, description="points of the size baseline and of `rescaled`"
    )
    not_counted: tuple[NotCounted, ...] = ()
    exposure: tuple[str, ...] | None = Field(
        default=None, description="dependent use cases; None: no portfolio"
    )
    next_steps: tuple[str, ...] = Field(default=(), description="from config/playbooks.yaml")
    as_of: datetime
    sources_fresh: int | None = None
    sources_total: int | None = None
    methodology_version: int | None = None
    result_id: str | None = None
    note: str | None = Field(default=None, description="why a correction or an update is sent")
    mention_channel: bool = False
    rescaled: int = Field(
        default=0, ge=0, description="earlier events that only weigh differently beside the others"
    )


class AlertMessage(_Frozen):
    """One or more Alerts of one group, gravest first."""

    kind: Literal["alert"] = "alert"
    alerts: tuple[Alert, ...] = Field(min_length=1)


class OverflowMessage(_Frozen):
    """More than 20 Alerts of one flush, told as one."""

    kind: Literal["overflow"] = "overflow"
    total: int
    vendors: int
    by_step: Mapping[str, int]
    by_severity: Mapping[str, int]
    gravest: tuple[Alert, ...] = Field(description="at most ten")


class DigestLine(_Frozen):
    """One line of a Digest."""

    subject: str
    subject_name: str
    text: str
    points: float | None = None
    event_id: str | None = None
    incident_id: str | None = None


class DigestMessage(_Frozen):
    """What happened in one period, in the reader's time zone."""

    kind: Literal["digest"] = "digest"
    schedule_id: str
    name: str = Field(description="Daily digest, Weekly digest ...")
    zone: str
    window_start_at: datetime
    window_end_at: datetime
    firing: tuple[DigestLine, ...] = ()
    grade_changes: tuple[DigestLine, ...] = ()
    events: tuple[DigestLine, ...] = ()
    rumours: tuple[DigestLine, ...] = ()
    expired: tuple[DigestLine, ...] = ()
    vendors_scored: int
    vendors_total: int
    sources_fresh: int
    sources_total: int
    stale_sources: tuple[str, ...] = ()
    as_of: datetime


class SystemMessage(_Frozen):
    """Something about riskwatch itself: a failing receiver, a reminder, a re-scoring."""

    kind: Literal["system"] = "system"
    title: str
    lines: tuple[str, ...]
    as_of: datetime


class TestMessage(_Frozen):
    """A test send, marked TEST."""

    __test__ = False
    kind: Literal["test"] = "test"
    receiver_id: str
    as_of: datetime
    proof: str | None = Field(default=None, description="token that only who reads the message can know")


Message = Annotated[
    AlertMessage | OverflowMessage | DigestMessage | SystemMessage | TestMessage, Field(discriminator="kind")
]


_CURRENT: TypeAdapter[Message] = TypeAdapter(Message)
READERS: Mapping[int, Callable[[str], Message]] = {  # kept until no row of that version is open
    PAYLOAD_VERSION: _CURRENT.validate_json,
}


def read(payload: Mapping[str, Any], version: int) -> Message:
    """Return the Message of a payload as it was frozen. Raises ValueError where it cannot be read."""
    if version not in READERS:
        raise ValueError(f"there is no reader of payload version {version}")
    return READERS[version](json.dumps(payload))


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of our own pages for one recipient; empty where there is no base address."""

    base_url: str  # no trailing slash
    acknowledge: Mapping[str, str] = field(default_factory=dict)  # incident id -> signed address
    silence: Mapping[str, str] = field(default_factory=dict)  # incident id -> signed address
    unsubscribe: str | None = None  # digests only


@dataclass(frozen=True, slots=True)
class Mail:
    """A rendered mail; header values are sanitised, the e-mail package builds the bytes."""

    subject: str  # at most 78 characters
    text: str
    html: str  # under 90 kB
    references: tuple[str, ...] = ()  # incident ids, for threads
    unsubscribe: str | None = None  # address of the one-click POST
