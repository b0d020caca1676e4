"""Who may ask: API keys with scopes, loopback readers where allowed, and how often."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import re2
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from riskwatch.errors import Forbidden, TooMany, Unauthorized
from riskwatch.store import ApiKey, Store

SCOPES = ("read", "review", "admin")  # each holds those before it
_SHAPE = re2.compile(r"^rw_([0-9a-z]{8})_([A-Za-z0-9_-]{43})$")
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_TOUCH_EVERY = timedelta(minutes=1)


def mint_key(
    name: str, *, scopes: Sequence[str], pepper: bytes, now: datetime, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """Return a new key as it is stored, and its text, which is shown once: rw_<8 characters>_<43 characters>."""
    id_ = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    secret = secrets.token_urlsafe(32)
    key = ApiKey(id_, name, hash_of(secret, pepper), tuple(scopes), now, expires_at)
    return key, f"rw_{id_}_{secret}"


def hash_of(secret: str, pepper: bytes) -> str:
    """Return the keyed hash that is stored: HMAC-SHA-256 with the installation's pepper."""
    return hmac.new(pepper, secret.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks and what for they may."""

    id: str  # key id, or "anonymous"
    scopes: frozenset[str]

    def must_have(self, scope: str) -> None:
        """Raise Forbidden where the caller lacks a scope."""
        if scope not in self.scopes:
            raise Forbidden(scope)


class Door:
    """Checks keys and counts requests, in this process."""

    def __init__(
        self, store: Store, *, pepper: bytes, anonymous_read: bool, per_minute: int, anonymous_per_minute: int
    ) -> None:
        self._store, self._pepper, self._anonymous_read = store, pepper, anonymous_read
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._keyed, self._unkeyed = (
            RateLimitItemPerMinute(per_minute),
            RateLimitItemPerMinute(anonymous_per_minute),
        )

    def caller(self, shown: str | None, *, address: str, now: datetime) -> Caller:
        """Return who asks. Raises Unauthorized without a valid key, TooMany over the limit."""
        if shown is None:
            self._count(self._unkeyed, address)
            if self._anonymous_read and _is_loopback(address):
                return Caller("anonymous", frozenset({"read"}))
            raise Unauthorized("send an API key in the header X-API-Key; `riskwatch key add NAME` makes one")
        key = self._valid(shown, now)
        if key is None:
            self._count(self._unkeyed, address)  # guesses are slow
            raise Unauthorized(
                "the API key is unknown, expired or revoked; `riskwatch key list` shows which are valid"
            )
        self._count(self._keyed, key.id)
        return Caller(key.id, frozenset(s for scope in key.scopes for s in SCOPES[: SCOPES.index(scope) + 1]))

    def _valid(self, shown: str, now: datetime) -> ApiKey | None:
        match = _SHAPE.match(shown)
        id_, secret = (match.group(1), match.group(2)) if match else ("", "")
        with self._store.begin(write=False) as unit:
            key = unit.access.key(id_)
        expected = key.secret_hash if key else "0" * 64  # an unknown key costs what a wrong one costs
        is_right = hmac.compare_digest(hash_of(secret, self._pepper), expected)
        if key is None or not is_right or key.revoked_at is not None:
            return None
        if key.expires_at is not None and key.expires_at <= now:
            return None
        if key.last_used_at is None or now - key.last_used_at > _TOUCH_EVERY:
            with self._store.begin() as unit:
                unit.access.touch_key(id_, now=now)
        return key

    def _count(self, limit: RateLimitItemPerMinute, who: str) -> None:
        if not self._limiter.hit(limit, who):
            raise TooMany(limit.get_expiry())


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
