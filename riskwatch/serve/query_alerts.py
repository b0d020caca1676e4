"""What the alerting operations of /v1 take; alerting itself checks rules, receivers and digests in full."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from riskwatch.serve.query import Moment, Paged, Words, _Query

_ID = r"^[a-z0-9][a-z0-9._-]{0,62}$"
_DEEPEST, _MOST_VALUES = 12, 5_000
ObjectId = Annotated[str, Field(pattern=_ID)]
Severity = Literal["info", "warning", "critical"]
IncidentStates = Literal["pending", "firing", "recovering", "ok"]
DeliveryStates = Literal[
    "pending", "sending", "delivered", "dead", "expired", "collapsed", "cancelled", "held"
]
Purposes = Literal["alert", "update", "correction", "resolved", "digest", "test", "system"]


# -------------------------------------------------------------------------------- queries
class IncidentQuery(Paged):
    """Which incidents; pending ones only where they are asked for."""

    state: list[IncidentStates] = Field(default_factory=list, max_length=4)
    subject: Words | None = None
    severity: Severity | None = None
    owner: Words | None = None
    rule: ObjectId | None = None


class DeliveryQuery(Paged):
    """Which deliveries."""

    state: list[DeliveryStates] = Field(default_factory=list, max_length=8)
    receiver: ObjectId | None = None
    purpose: Purposes | None = None
    incident: Annotated[str, Field(pattern="^[0-9A-Za-z]{1,40}$")] | None = None


class RuleQuery(_Query):
    """Whether the days on which it would have fired are worked out."""

    backtest: bool = Field(default=False, description="read 180 days of history, which takes a while")


class SilenceQuery(_Query):
    """Which silences."""

    state: Literal["planned", "running", "ended"] | None = None


# -------------------------------------------------------------------------------- bodies
def _strings(value: object, depth: int = 0) -> Iterator[str]:
    """Give every string of a document. Raises ValueError where it is nested too deeply."""
    if depth > _DEEPEST:
        raise ValueError("is nested too deeply")
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for part in value.values():
            yield from _strings(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part, depth + 1)


class _Body(BaseModel):
    """A document as config/alerts.yaml has it; what stands in `extra` keys is checked by alerting."""

    model_config = ConfigDict(extra="allow")

    @model_validator(mode="before")
    @classmethod
    def _is_plain(cls, body: Any) -> Any:  # noqa: ANN401 - whatever was sent
        for number, text in enumerate(_strings(body)):
            if number > _MOST_VALUES or not text.isprintable():
                raise ValueError("holds a control character, or is too long")
        return body

    def document(self) -> dict[str, Any]:
        """Return what was sent."""
        return self.model_dump(exclude_unset=True)


class RuleBody(_Body):
    """An alert rule: the keys of config/alerts.yaml, described in config/schema/alerts.schema.json."""

    id: ObjectId
    severity: Severity
    scope: dict[str, Any] = Field(examples=[{"all": True}])
    condition: dict[str, Any] = Field(examples=[{"kind": "score_below", "threshold": 60}])


class ReceiverBody(_Body):
    """A receiver: e-mail addresses, a Slack hook or a webhook; a secret is named, never written."""

    id: ObjectId
    kind: Literal["email", "slack", "webhook"]


class DigestBody(_Body):
    """A regular summary to one receiver."""

    id: ObjectId
    receiver: ObjectId
    tz: str = Field(max_length=64, examples=["Europe/Berlin"])
    at: str = Field(max_length=5, examples=["08:00"])


class AcknowledgeBody(_Query):
    """Until when repeats stop, and why."""

    until: Moment | None = None
    reason: Words | None = None


class AssignBody(_Query):
    """Who takes care."""

    owner: Words


class MatchersBody(_Query):
    """What a silence is about: all pairs must hold."""

    matchers: dict[Annotated[str, Field(pattern="^[a-z]{1,20}$")], Words] = Field(
        min_length=1,
        max_length=7,
        description="names: rule, subject, vendor, severity, factor, tag, owner",
        examples=[{"vendor": "alibaba", "rule": "week-fall"}],
    )


class SilenceBody(MatchersBody):
    """A mute with a reason and an end, at most 90 days away."""

    starts_at: Moment | None = Field(default=None, description="now, where it is left out")
    ends_at: Moment
    reason: Words
