"""What the web needs of alerting: each change is checked, owned and written to the audit log there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from riskwatch.model import Actor, Incident, ReceiverState, Schedule, Silence
from riskwatch.signing import Grant


@dataclass(frozen=True, slots=True)
class RuleCard:
    """An AlertRule in force or switched off."""

    id: str
    version: int
    origin: str  # file, api
    owner: str | None
    is_enabled: bool
    body: Mapping[str, Any]  # as in config/alerts.yaml
    speaks_when: str = ""  # the condition in words
    watches: str = ""  # the scope in words


@dataclass(frozen=True, slots=True)
class Firing:
    """One instant at which a rule would have fired."""

    at: datetime
    subject: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a rule would have done over the stored history."""

    days: int
    firings: tuple[Firing, ...]  # oldest first
    sentence: str  # for people


@dataclass(frozen=True, slots=True)
class ReceiverCard:
    """A Receiver without its secret."""

    id: str
    kind: str
    origin: str
    owner: str | None
    is_enabled: bool
    config: Mapping[str, Any]
    verified_at: datetime | None
    state: ReceiverState


@dataclass(frozen=True, slots=True)
class Transcript:
    """How a test send went."""

    outcome: str  # ok, transient, permanent, ambiguous
    code: str
    detail: str  # at most 512 bytes, escaped, no secret
    latency_ms: int


@dataclass(frozen=True, slots=True)
class AlertHealth:
    """Whether alerts are getting out."""

    is_well: bool
    reasons: tuple[str, ...]  # sentences for the banner
    dispatched_at: datetime | None
    evaluated_at: datetime | None
    oldest_due_seconds: float | None
    dead: int


class AlertActions(Protocol):
    """Changes raise NotFound, Invalid (what to write), Conflict (read-only: of the file), Forbidden."""

    def rules(self) -> Sequence[RuleCard]:
        """Return all, by id."""
        ...

    def save_rule(
        self, body: Mapping[str, Any], *, actor: Actor, id_: str | None = None
    ) -> tuple[RuleCard, Backtest]:
        """Store a new rule, or with an id a new version of one; return it with its backtest."""
        ...

    def delete_rule(self, id_: str, *, actor: Actor) -> None:
        """Switch a rule of the API off for good; its open Incidents close without a word."""
        ...

    def backtest(self, body: Mapping[str, Any], *, days: int = 180) -> Backtest:
        """Return what a rule would have done; nothing is stored."""
        ...

    def acknowledge(self, id_: str, *, actor: Actor, until: datetime | None, note: str) -> Incident:
        """Stop repeats of an Incident; worsening, correction and resolved are still told."""
        ...

    def assign(self, id_: str, *, actor: Actor, owner: str) -> Incident:
        """Name who takes care of an Incident."""
        ...

    def silence(
        self,
        matchers: Mapping[str, str],
        *,
        starts_at: datetime,
        ends_at: datetime,
        reason: str,
        actor: Actor,
    ) -> Silence:
        """Mute what matches for at most 90 days."""
        ...

    def end_silence(self, id_: str, *, actor: Actor) -> Silence:
        """End a Silence now; whatever still fires is told once."""
        ...

    def matched(self, matchers: Mapping[str, str]) -> Sequence[Incident]:
        """Return the open Incidents that matchers would mute."""
        ...

    def receivers(self) -> Sequence[ReceiverCard]:
        """Return all, by id."""
        ...

    def save_receiver(self, body: Mapping[str, Any], *, actor: Actor, id_: str | None = None) -> ReceiverCard:
        """Store a Receiver; until its ownership is proved only tests are sent to it."""
        ...

    def delete_receiver(self, id_: str, *, actor: Actor) -> None:
        """Forget a Receiver of the API."""
        ...

    def test_send(self, id_: str, *, actor: Actor) -> Transcript:
        """Send one message marked TEST now. Raises TooMany past 5 a minute."""
        ...

    def digests(self) -> Sequence[Schedule]:
        """Return all, by id."""
        ...

    def save_digest(self, body: Mapping[str, Any], *, actor: Actor, id_: str | None = None) -> Schedule:
        """Store a Schedule; the next due time is computed."""
        ...

    def delete_digest(self, id_: str, *, actor: Actor) -> None:
        """Forget a Schedule of the API."""
        ...

    def digest_preview(self, id_: str) -> Mapping[str, Any]:
        """Return the subject and text of the digest as it would be sent now."""
        ...

    def move_deliveries(self, ids: Sequence[str], verb: str, *, actor: Actor) -> Sequence[str]:
        """Redrive dead, release held or cancel Deliveries; return the ids that moved."""
        ...

    def grant(self, token: str) -> Grant:
        """Return what a signed link allows. Raises Invalid."""
        ...

    def use(self, grant: Grant) -> str:
        """Do what a signed link allows; return the sentence that says what was done."""
        ...

    def health(self) -> AlertHealth:
        """Return whether alerts are getting out."""
        ...
