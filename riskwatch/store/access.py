"""Who may ask, and who did what: the AccessStore Protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from riskwatch.model import AuditEntry
from riskwatch.store.people import PeopleStore


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as stored: never the secret, only its keyed hash."""

    id: str
    name: str
    secret_hash: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


class AccessStore(PeopleStore, Protocol):
    """API keys, people, the audit log and small settings."""

    def add_key(self, key: ApiKey) -> None:
        """Store a key; raises Conflict on a taken id."""
        ...

    def key(self, key_id: str) -> ApiKey | None:
        """Return a key by its public id."""
        ...

    def keys(self) -> Sequence[ApiKey]:
        """Return all keys, by created_at."""
        ...

    def touch_key(self, key_id: str, *, now: datetime) -> None:
        """Note the last use."""
        ...

    def revoke_key(self, key_id: str, *, now: datetime) -> None:
        """End a key; raises NotFound."""
        ...

    def add_audit(self, entry: AuditEntry) -> None:
        """Append a line; the store gives seq, prev_hash and hash (sha256 over prev_hash and content)."""
        ...

    def audit(self, *, after: int = 0, limit: int = 200) -> Sequence[AuditEntry]:
        """Return lines by seq."""
        ...

    def verify_audit(self) -> int | None:
        """Return the seq of the first line that was changed, moved or is gone, None where the chain holds."""
        ...

    def setting(self, name: str) -> str | None:
        """Return a small stored value (the demo's clock, marks of the worker), or None."""
        ...

    def save_setting(self, name: str, value: str) -> None:
        """Insert or replace a small stored value."""
        ...
