"""What deliver and the kinds of Receiver share: the Protocol, its values, and safe text from a peer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from riskwatch.errors import DeliveryError
from riskwatch.model import Delivery
from riskwatch.send.classify import Fault

_MAX_DETAIL_BYTES = 512
_LOOKED_AT_CHARACTERS = 4_096
_SHORTEST_SECRET = 6  # shorter ones would mask ordinary words


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was taken."""

    code: str
    detail: str = ""  # what the peer answered: one line, at most 512 bytes, secrets masked
    provider_ref: str | None = None


class Receiver(Protocol):
    """One configured e-mail list, Slack hook or webhook; may be used by several threads."""

    @property
    def id(self) -> str:
        """Id in config/alerts.yaml or the API."""
        ...

    @property
    def kind(self) -> str:
        """Kind: email, slack or webhook."""
        ...

    @property
    def recipients(self) -> Sequence[str]:
        """Addresses; of Slack and webhooks the Receiver's id."""
        ...

    @property
    def pace_seconds(self) -> float:
        """Least time between two messages."""
        ...

    @property
    def limit_seconds(self) -> float:
        """Longest time that one `send` may take."""
        ...

    def send(self, delivery: Delivery) -> Sent:
        """Send one message once. Raises DeliveryError, whose reason holds no secret."""
        ...


class Answer(Protocol):
    """What came back over HTTP; header names in lower case."""

    @property
    def status(self) -> int:
        """HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers by name."""
        ...

    @property
    def body(self) -> bytes:
        """The beginning of the body, at most 64 KiB."""
        ...


class Post(Protocol):
    """The guarded client's way to send a body; redirects are not followed."""

    def __call__(self, url: str, *, body: bytes, headers: Mapping[str, str], receiver_id: str) -> Answer:
        """Return the answer. Raises CollectError; `is_sent` tells whether the whole request had gone out."""
        ...


def failed(
    receiver_id: str, fault: Fault, reason: str, *, retry_after_seconds: float | None = None
) -> DeliveryError:
    """Return the error of a classified fault."""
    return DeliveryError(
        receiver_id,
        reason,
        outcome=fault.outcome,
        scope=fault.scope,
        code=fault.code,
        retry_after_seconds=retry_after_seconds,
    )


def told(text: str | bytes, *, secrets: Sequence[str] = ()) -> str:
    """Return text of a peer as one safe line: secrets masked, control characters escaped, 512 bytes."""
    line = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            line = line.replace(secret, "<secret>")
    line = line[:_LOOKED_AT_CHARACTERS].strip()
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line)
    return line.encode()[:_MAX_DETAIL_BYTES].decode("utf-8", "ignore")
