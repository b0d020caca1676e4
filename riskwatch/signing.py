"""Signed words in links: what may be done, by whom, to what, until when.

A token is no secret store, only a promise that we wrote it; it is bound to its purpose, recipient and object.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from itsdangerous import BadSignature, URLSafeSerializer

from riskwatch.errors import Invalid

VALID_DAYS = 14
_SALT = "riskwatch.link.1"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a link allows its holder."""

    purpose: str  # acknowledge, silence, unsubscribe, verify
    recipient: str
    object: str  # id of an incident or schedule; of a receiver with the digest of its config
    expires_at: datetime


def sign(purpose: str, recipient: str, object_: str, *, now: datetime, key: bytes) -> str:
    """Return a token that allows one purpose on one object to one recipient for 14 days."""
    expires_at = int((now + timedelta(days=VALID_DAYS)).timestamp())
    return str(_serializer(key).dumps([purpose, recipient, object_, expires_at]))


def verify(token: str, *, now: datetime, key: bytes) -> Grant:
    """Return what a token allows. Raises Invalid where it is forged, damaged or too old; names nobody."""
    try:
        purpose, recipient, object_, expires = _serializer(key).loads(token)
        grant = Grant(str(purpose), str(recipient), str(object_), datetime.fromtimestamp(int(expires), UTC))
    except (BadSignature, ValueError, TypeError, OverflowError):
        raise Invalid("link", "it is not one of ours, or was cut; open the incident on its page") from None
    if grant.expires_at <= now:
        raise Invalid("link", f"it was valid for {VALID_DAYS} days; open the incident on its page")
    return grant


def _serializer(key: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt=_SALT)
