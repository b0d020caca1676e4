"""What riskwatch says about itself: rows for the outbox, and the reminder that a Silence ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from riskwatch.model import Delivery, Purpose, Silence
from riskwatch.send.message import PAYLOAD_VERSION, SystemMessage

FIRST_CHOICES = ("email", "slack", "webhook")  # people before machines
_DEADLINE = timedelta(hours=48)
_BY_LINK = "link:"  # author of what the button of a message did


class Addressed(Protocol):
    """A Receiver, or its config: who is written to."""

    @property
    def id(self) -> str:
        """Id of the Receiver."""

    @property
    def kind(self) -> str:
        """Its channel: email, slack or webhook."""

    @property
    def recipients(self) -> Sequence[str]:
        """Addresses, one message each."""


_Addressed = TypeVar("_Addressed", bound=Addressed)


def deliveries(
    message: SystemMessage, *, over: Addressed, key: str, now: datetime, ids: Iterable[str]
) -> tuple[Delivery, ...]:
    """Return the rows of a message, one a recipient.

    Args:
        message: What is said.
        over: The Receiver that carries it.
        key: What makes it one and the same message however often it is queued.
        now: Instant; it may wait 48 h.
        ids: A new id for each recipient.
    """
    return tuple(
        Delivery(
            id=id_,
            idempotency_key=f"s:{key}:{over.id}:{recipient}",
            receiver_id=over.id,
            kind=over.kind,
            recipient=recipient,
            ordering_key=f"system:{over.id}:{recipient}",
            purpose=Purpose.SYSTEM,
            payload=message.model_dump(mode="json"),
            payload_version=PAYLOAD_VERSION,
            created_at=now,
            deadline_at=now + _DEADLINE,
            next_attempt_at=now,
        )
        for recipient, id_ in zip(over.recipients, ids, strict=False)
    )


def reader_of(author: str, receivers: Mapping[str, _Addressed]) -> _Addressed | None:
    """Return the Receiver over which an author is reached, or None where there is no Receiver at all.

    The one that has the author's address; where none has it, the first by mail, Slack, webhook and id.
    """
    address = author.removeprefix(_BY_LINK)
    order = sorted(receivers.values(), key=lambda one: (FIRST_CHOICES.index(one.kind), one.id))
    return next((one for one in order if address in one.recipients), order[0] if order else None)


def reminder(silence: Silence, *, now: datetime) -> SystemMessage:
    """Return what is said a day before a Silence ends."""
    mutes = ", ".join(f"{name} {value}" for name, value in sorted(silence.matchers.items()))
    author = silence.author.removeprefix(_BY_LINK)
    return SystemMessage(
        title=f"A silence ends on {silence.ends_at:%Y-%m-%d %H:%M} UTC",
        lines=(
            f"It mutes: {mutes}.",
            f"Made by {author} on {silence.created_at:%Y-%m-%d}: {silence.reason}",
            "Whatever still fires then is told once. Make another silence if it must stay quiet.",
        ),
        as_of=now,
    )
