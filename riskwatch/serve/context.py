"""What the web app is given: values of the configuration, and callables of other stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from riskwatch.model import Claim, Event, Score, Taxonomy, Vendor


@dataclass(frozen=True, slots=True)
class SourceCard:
    """A configured Source, as far as it is shown."""

    id: str
    kind: str
    url: str
    publisher: str
    source_class: str
    tier: str
    lang: str
    covers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sso:
    """The identity provider by which people log in."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    groups: Mapping[str, Sequence[str]]  # scope -> groups that give it
    ask: Callable[[str, bytes | None, Mapping[str, str]], tuple[int, bytes]]  # URL, body to post, headers
    label: str = "single sign-on"
    name_claim: str = "email"
    groups_claim: str = "groups"


@dataclass(frozen=True, slots=True)
class ServeConfig:
    """Values of the configuration; no secret but the pepper and the provider's."""

    version: str
    vendors: Mapping[str, Vendor]
    taxonomy: Taxonomy
    sources: tuple[SourceCard, ...]
    methodology: Mapping[str, Any]  # the parsed scoring.yaml
    methodology_version: int
    methodology_digest: str
    ruleset_digest: str
    grade_from: Mapping[str, float]  # grade -> least points
    sla_hours: Mapping[str, float]  # source class -> hours within which it must have answered
    pepper: bytes = field(repr=False)
    base_url: str = ""
    anonymous_read: bool = False
    local_login: bool = True  # people may log in with a password kept here
    sso: Sso | None = None
    trusted_proxies: int = 0  # so many servers in front tell the address and the scheme of a request
    demo_day: date | None = None  # the demo's clock stands there, and every page says so
    per_minute: int = 120
    anonymous_per_minute: int = 30
    max_body_bytes: int = 1_000_000
    playbooks: Mapping[str, Sequence[str]] = field(default_factory=dict)  # event type -> next steps


@dataclass(frozen=True, slots=True)
class Reading:
    """A Score with the Events that it read, by id."""

    score: Score
    events: Mapping[str, Event]


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """The Score at one instant; points are None where it was not rated."""

    as_of: datetime
    points: float | None
    low: float | None
    high: float | None
    grade: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Points moved between two instants; a Score that was not rated is None, and then nothing moved."""

    from_points: float | None
    to_points: float | None
    by_event: Mapping[str, float]
    by_cause: Mapping[str, float]


class Actions(Protocol):
    """What the web needs of other stages; every instant is aware, UTC. Subjects are ones of the register."""

    def read(self, subject: str, *, as_of: datetime | None, known_at: datetime | None) -> Reading:
        """Return the latest stored Score where both instants are None, else one computed for them."""
        ...

    def history(self, subject: str, *, since: datetime, until: datetime, step: str) -> Sequence[HistoryRow]:
        """Return the Scores of a span, oldest first; step is change, day or week."""
        ...

    def compare(self, subject: str, *, from_at: datetime, to_at: datetime) -> Moved:
        """Return the points moved between two instants."""
        ...

    def project(self, subject: str, instants: Sequence[datetime]) -> Sequence[HistoryRow]:
        """Return the Scores at later instants if nothing new becomes known."""
        ...

    def what_if(
        self, subject: str, *, as_of: datetime | None, drop: Sequence[str], add: Sequence[Mapping[str, Any]]
    ) -> tuple[Reading, Reading]:
        """Return the Score as it is and under the change; nothing is stored. Raises Invalid."""
        ...

    def trace(self, event_id: str) -> Sequence[Mapping[str, Any]]:
        """Return how each Signal of an Event came about. Raises NotFound."""
        ...

    def credibility(self, claims: Sequence[Claim]) -> float:
        """Return how far an event with these claims is believed, share 0 to 1."""
        ...

    def metrics(self) -> bytes:
        """Return the counters of this process in the Prometheus text format."""
        ...


Now = Callable[[], datetime]
