"""The error tree.

RiskwatchError
  ConfigError(path, line, key)      one mistake in config/; ConfigErrors groups all of a run
  CollectError(source_id, reason)   Blocked | BadStatus | TooLarge | TooSlow | Unreachable
  DecodeError(url, reason)
  StoreError                        Conflict | SchemaTooNew | Unavailable
  DeliveryError(receiver_id, outcome)  transient | permanent | ambiguous; scope message | receiver
  NotFound(kind, id)    404         Unauthorized 401 (PasswordDue)   Forbidden(scope) 403
  Invalid(field, reason) 422        Stray 400          TooMany 429
  TooMuch(reason)                   more would be deleted at once than is allowed
"""

from __future__ import annotations


class RiskwatchError(Exception):
    """Root of every error that riskwatch raises on purpose."""


class ConfigError(RiskwatchError):
    """One mistake in the configuration, with its place and what to write instead."""

    def __init__(self, message: str, *, path: str, line: int | None = None, key: str | None = None) -> None:
        where = path if line is None else f"{path}:{line}"
        super().__init__(f"{where}: {key}: {message}" if key else f"{where}: {message}")
        self.message, self.path, self.line, self.key = message, path, line, key


class ConfigErrors(RiskwatchError):
    """All mistakes of one run."""

    def __init__(self, errors: tuple[ConfigError, ...]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.errors = errors


class CollectError(RiskwatchError):
    """A Source could not be read; reason is a stored, readable sentence."""

    outcome = "failed"
    is_sent = False  # of a post: the whole request had gone out, so the peer may have acted on it

    def __init__(self, source_id: str, reason: str) -> None:
        super().__init__(f"{source_id}: {reason}")
        self.source_id, self.reason = source_id, reason


class Blocked(CollectError):
    """The address guard or a redirect rule refused the URL."""

    outcome = "blocked"


class BadStatus(CollectError):
    """The server answered with a status that is no success."""

    outcome = "bad_status"

    def __init__(
        self, source_id: str, reason: str, *, status: int, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(source_id, reason)
        self.status, self.retry_after_seconds = status, retry_after_seconds


class TooLarge(CollectError):
    """The body is over a limit, on the wire or after decompression."""

    outcome = "too_large"


class TooSlow(CollectError):
    """The answer took longer than allowed."""

    outcome = "too_slow"


class Unreachable(CollectError):
    """DNS, connect or TLS failed."""

    outcome = "unreachable"


class DecodeError(RiskwatchError):
    """Bytes that are not what they should be; outcome and reason are stored with the poll."""

    def __init__(self, reason: str, *, outcome: str = "not_a_feed", url: str | None = None) -> None:
        super().__init__(f"{url}: {reason}" if url else reason)
        self.reason, self.outcome, self.url = reason, outcome, url


class DeliveryError(RiskwatchError):
    """A Receiver did not take a message; the reason holds no secret and no address that is one."""

    def __init__(
        self,
        receiver_id: str,
        reason: str,
        *,
        outcome: str,
        scope: str = "message",
        code: str = "",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(f"{receiver_id}: {reason}")
        self.receiver_id, self.reason = receiver_id, reason
        self.outcome, self.scope, self.code = outcome, scope, code
        self.retry_after_seconds = retry_after_seconds


class StoreError(RiskwatchError):
    """The store could not do what was asked."""


class Conflict(StoreError):
    """A stale version or a taken key."""


class SchemaTooNew(StoreError):
    """The database was written by a newer riskwatch."""


class Unavailable(StoreError):
    """The database cannot be reached."""


class NotFound(RiskwatchError):
    """Nothing of that kind has that id."""

    def __init__(self, kind: str, id_: str, hint: str = "") -> None:
        super().__init__(f"no {kind} has the id {id_!r}" + (f"; {hint}" if hint else ""))
        self.kind, self.id = kind, id_


class Unauthorized(RiskwatchError):
    """No key and no session, or one that is unknown or expired."""


class PasswordDue(Unauthorized):
    """The session waits for a new password in place of the one-time one."""


class Stray(RiskwatchError):
    """A change by a session without the token that the session's own pages have."""


class Forbidden(RiskwatchError):
    """The key or person lacks a scope."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"this needs the scope {scope}")
        self.scope = scope


class Invalid(RiskwatchError):
    """A value from outside that cannot be used."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


class TooMany(RiskwatchError):
    """The rate limit is reached."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__(f"too many requests; try again in {retry_after_seconds:.0f} seconds")
        self.retry_after_seconds = retry_after_seconds


class TooMuch(RiskwatchError):
    """More would be deleted at once than the settings allow."""
