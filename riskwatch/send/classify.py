"""What an answer of a Receiver means: one table of error classes per kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from riskwatch.model import AttemptOutcome


class Scope(StrEnum):
    """Who is at fault: this message alone, or the Receiver for every message."""

    MESSAGE = "message"
    RECEIVER = "receiver"


@dataclass(frozen=True, slots=True)
class Fault:
    """The class of one failed try."""

    outcome: AttemptOutcome
    scope: Scope
    code: str  # 429, no_service, timeout ...: from a closed set, never text of the peer


class Stage(StrEnum):
    """Where an SMTP conversation stands."""

    GREETING = "greeting"
    HELLO = "hello"
    TLS = "tls"
    LOGIN = "login"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"


INTERNAL = "internal"  # rendering or the program itself failed
BLOCKED = "blocked"  # the address guard refused the connection
_SHUTTING_DOWN, _TOO_LARGE = 421, 552
_SUCCESS, _REFUSED, _BROKEN = range(200, 300), range(400, 500), range(500, 600)
_LATER = (408, 425, 429)
_REFUSED_FOR_NOW = ("401", "403", "404", BLOCKED)
_GONE = "410"
_DEAD_HOOK = (
    "invalid_token",
    "user_not_found",
    "action_prohibited",
    "no_service",
    "channel_not_found",
    "no_team",
    "channel_is_archived",
    "403",
    "404",
    _GONE,
)
_LAYOUT = ("invalid_payload", "invalid_blocks", "no_text", "msg_blocks_too_long")
_DEAD_AFTER_TRIES = 3
_ONE_DAY, _FIVE_DAYS = timedelta(days=1), timedelta(days=5)


def webhook_fault(status: int) -> Fault | None:
    """Return the class of an HTTP status; None is success."""
    code = str(status)
    if status in _SUCCESS:
        return None
    if status in _LATER or status >= _BROKEN.start:
        return Fault(AttemptOutcome.TRANSIENT, Scope.RECEIVER, code)
    if status < _REFUSED.start or code in (*_REFUSED_FOR_NOW, _GONE):
        return Fault(AttemptOutcome.PERMANENT, Scope.RECEIVER, code)
    return Fault(AttemptOutcome.PERMANENT, Scope.MESSAGE, code)


def slack_fault(status: int, body: bytes) -> Fault | None:
    """Return the class of an answer of a Slack hook; None is success, whatever the body says."""
    word = body[:64].strip().decode("ascii", "replace")
    code = word if word in (*_DEAD_HOOK, *_LAYOUT, "rollup_error") else str(status)
    if status in _SUCCESS:
        return None
    if status in _LATER or status >= _BROKEN.start:
        return Fault(AttemptOutcome.TRANSIENT, Scope.RECEIVER, code)
    if status < _REFUSED.start or code in _DEAD_HOOK:
        return Fault(AttemptOutcome.PERMANENT, Scope.RECEIVER, code)
    return Fault(AttemptOutcome.PERMANENT, Scope.MESSAGE, code)


def no_answer(code: str, *, is_sent: bool) -> Fault:
    """Return the class of an exchange without an answer: nobody can know once the whole message is out."""
    if code == BLOCKED:
        return Fault(AttemptOutcome.PERMANENT, Scope.RECEIVER, code)
    outcome = AttemptOutcome.AMBIGUOUS if is_sent else AttemptOutcome.TRANSIENT
    return Fault(outcome, Scope.RECEIVER, code)


def smtp_fault(stage: Stage, status: int) -> Fault:
    """Return the class of an SMTP reply that is no success."""
    code = str(status)
    is_about_message = stage in (Stage.SENDER, Stage.RECIPIENT, Stage.CONTENT)
    if status < _BROKEN.start:  # a positive reply in the wrong place is no refusal either
        is_about_message = is_about_message and status != _SHUTTING_DOWN
        return Fault(AttemptOutcome.TRANSIENT, Scope.MESSAGE if is_about_message else Scope.RECEIVER, code)
    # A refused sender is refused for every message, unless this one is only too large
    is_about_message = is_about_message and (stage is not Stage.SENDER or status == _TOO_LARGE)
    return Fault(AttemptOutcome.PERMANENT, Scope.MESSAGE if is_about_message else Scope.RECEIVER, code)


def knows_repeats(kind: str) -> bool:
    """Return whether a Receiver can tell a repeat by its id; Slack's incoming webhooks cannot."""
    return kind != "slack"


def tries_before_dead(kind: str, code: str) -> int:
    """Return how many tries a permanently refused message gets."""
    return _DEAD_AFTER_TRIES if kind == "webhook" or code == INTERNAL else 1


def asks_for_plain_text(kind: str, code: str) -> bool:
    """Return whether the layout was refused, so that plain text may still pass."""
    return kind == "slack" and code in _LAYOUT


def patience(kind: str, code: str) -> timedelta:
    """Return how long a Receiver may fail this way before it is switched off."""
    if (kind == "slack" and code in _DEAD_HOOK) or (kind == "webhook" and code == _GONE):
        return timedelta(0)
    is_misdirected = code.startswith("3") or code in _REFUSED_FOR_NOW
    return _ONE_DAY if kind != "email" and is_misdirected else _FIVE_DAYS
