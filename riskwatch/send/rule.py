"""config/alerts.yaml as models: AlertRules, Routes, Receivers and Digests."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from riskwatch.model import Dependency, Factor, Severity, vendor_of
from riskwatch.send.conditions import (
    Condition,
    Duration,
    GroupInterval,
    GroupWait,
    Points,
    RepeatEvery,
    Share,
    Strict,
    members,
)

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
SecretName = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9_]{0,62}$",
        description="name of the secret; RISKWATCH_RECEIVER_SECRET_<NAME> or its _FILE twin holds it",
    ),
]
WallTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["08:00"])]
DayName = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[DayName, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MAX_ADDRESS = 254
_CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"write an IANA time zone, such as Europe/Berlin or UTC; not {name!r}") from None
    return name


def _address(text: str) -> str:
    name, _, host = text.rpartition("@")
    is_plain = text.isprintable() and not any(c.isspace() or c in ',;<>"' for c in text)
    if not (name and "@" not in name and "." in host.strip(".") and is_plain and len(text) <= _MAX_ADDRESS):
        raise ValueError(f"write a plain address, such as risk@example.com; not {text!r}")
    return text


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError("write an address such as https://grc.example.com/hooks, without a password in it")
    return text


Zone = Annotated[str, AfterValidator(_zone), Field(description="IANA name, e.g. Europe/Berlin")]


# -------------------------------------------------------------------------------- rules
class Scope(Strict):
    """Which subjects a rule watches: exactly one of the four."""

    vendors: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="vendor ids (with all their lines) or single lines: acme/one"
    )
    tags: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="a vendor with any of these tags"
    )
    criticality: int | None = Field(
        default=None,
        ge=1,
        le=4,
        description="what config/portfolio.yaml calls this critical or more; 1 is gravest",
    )
    all: Literal[True] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_fields_set) != 1 or all(v is None for v in self.__dict__.values()):
            raise ValueError("write exactly one of vendors, tags, criticality, all: true")
        return self

    def covers(self, subject: str, *, tags: frozenset[str], criticality: int | None) -> bool:
        """Return whether a subject is watched."""
        if self.vendors is not None:
            return subject in self.vendors or vendor_of(subject) in self.vendors
        if self.tags is not None:
            return not tags.isdisjoint(self.tags)
        if self.criticality is not None:
            return criticality is not None and criticality <= self.criticality
        return True


class AlertRule(Strict):
    """A condition over subjects, and how patiently and how loudly it speaks."""

    id: Id
    name: str | None = Field(default=None, max_length=120, description="shown to people; none: the id")
    enabled: bool = True
    severity: Severity
    owner: str | None = Field(default=None, max_length=120)
    scope: Scope
    condition: Condition
    for_evaluations: int = Field(
        default=2, ge=1, le=100, description="evaluations in a row; score conditions only"
    )
    clear_for: Duration = Field(
        default=timedelta(hours=6), description="how long it must be good before it closes"
    )
    clear_margin: Points = Field(default=3, description="points beyond the threshold that count as good")
    cooldown: Duration = Field(
        default=timedelta(hours=24), description="after closing, only a worsening opens it again"
    )
    renotify_on_worsen: Annotated[float, Field(gt=0, le=100)] = 5
    repeat_every: RepeatEvery | None = None
    min_confidence: Share = Field(default=0.5, description="the Score's; score conditions only")
    on_stale: Literal["hold", "alert"] = "hold"
    notify_resolved: bool = True
    playbook: str | None = Field(default=None, description="next steps: a key of config/playbooks.yaml")
    mention_channel: bool = Field(default=False, description="Slack: call everybody in the channel")

    @property
    def kind(self) -> str:
        """Kind of the condition."""
        return self.condition.kind

    @property
    def family(self) -> str:
        """What rule_family groups by: the kind, for all_of and any_of the rule's id."""
        return self.id if self.kind in ("all_of", "any_of") else self.kind

    @property
    def title(self) -> str:
        """What people read."""
        return self.name or self.id

    @property
    def condition_hash(self) -> str:
        """SHA-256 of the condition; while it stays the same, an edit of the rule keeps its Incidents."""
        plain = _CONDITION.dump_python(self.condition, mode="json", by_alias=True)
        return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    @property
    def factor(self) -> Factor | None:
        """The one Factor that the condition speaks of, if it does."""
        found = {getattr(one, "factor", None) for one in members(self.condition)}
        return next(iter(found)) if len(found) == 1 else None


# -------------------------------------------------------------------------------- receivers
class _Receiver(Strict):
    id: Id
    enabled: bool = True
    owner: str | None = Field(default=None, max_length=120)


class EmailReceiver(_Receiver):
    """A list of addresses; each gets its own mail."""

    kind: Literal["email"]
    to: tuple[Annotated[str, AfterValidator(_address)], ...] = Field(min_length=1, max_length=200)

    @property
    def recipients(self) -> tuple[str, ...]:
        """One Delivery each."""
        return tuple(dict.fromkeys(self.to))


class SlackReceiver(_Receiver):
    """An incoming webhook of Slack; its address is a secret."""

    kind: Literal["slack"]
    secret: SecretName

    @property
    def recipients(self) -> tuple[str, ...]:
        """One Delivery."""
        return (self.id,)


class WebhookReceiver(_Receiver):
    """An address that takes signed JSON (Standard Webhooks)."""

    kind: Literal["webhook"]
    url: Annotated[str, AfterValidator(_web_address)]
    secret: SecretName

    @property
    def recipients(self) -> tuple[str, ...]:
        """One Delivery."""
        return (self.id,)


ReceiverConfig = Annotated[EmailReceiver | SlackReceiver | WebhookReceiver, Field(discriminator="kind")]


# -------------------------------------------------------------------------------- routes
class Match(Strict):
    """Which alerts a Route takes; all that is written must hold, nothing written takes all."""

    severity: Severity | None = None
    factor: Factor | None = None
    tag: str | None = None
    criticality: int | None = Field(default=None, ge=1, le=4, description="this or graver")
    owner: str | None = None


class ActiveHours(Strict):
    """When people want to be told; to before from means over midnight."""

    tz: Zone
    days: tuple[DayName, ...] = Field(default=DAYS, min_length=1)
    from_: WallTime = Field(alias="from")
    to: WallTime

    @model_validator(mode="after")
    def _is_some_time(self) -> Self:
        if self.from_ == self.to:
            raise ValueError("from and to are the same; leave active_hours out for all day")
        return self


class Route(Strict):
    """Which alerts go to which Receivers, together with what, and when."""

    id: Id | None = None
    match: Match = Field(default_factory=Match)
    receivers: tuple[str, ...] = Field(min_length=1)
    group_by: tuple[Literal["vendor", "subject", "rule", "rule_family", "severity"], ...] = ("vendor",)
    group_wait: GroupWait | None = Field(default=None, description="none: 10s for critical, 60s for others")
    group_interval: GroupInterval = timedelta(minutes=15)
    continue_: bool = Field(default=False, alias="continue", description="let later routes match as well")
    active_hours: ActiveHours | None = None
    critical_waits: bool = Field(default=False, description="critical alerts keep to active_hours too")


class DigestConfig(Strict):
    """A regular summary to one Receiver."""

    id: Id
    name: str | None = Field(default=None, max_length=120)
    receiver: str
    tz: Zone
    at: WallTime
    days: tuple[DayName, ...] = ()
    day_of_month: int | None = Field(
        default=None, ge=1, le=31, description="31 is the last day of a shorter month"
    )
    when_empty: Literal["send", "skip"] = "send"

    @model_validator(mode="after")
    def _is_one_rhythm(self) -> Self:
        if self.days and self.day_of_month is not None:
            raise ValueError("write days or day_of_month, not both; neither is every day")
        return self


class AlertsFile(Strict):
    """config/alerts.yaml."""

    rules: tuple[AlertRule, ...] = ()
    routes: tuple[Route, ...] = ()
    receivers: tuple[ReceiverConfig, ...] = ()
    digests: tuple[DigestConfig, ...] = ()


class PortfolioFile(Strict):
    """config/portfolio.yaml."""

    dependencies: tuple[Dependency, ...] = ()
