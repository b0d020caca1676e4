"""Who may ask: API keys and people with scopes, loopback readers where allowed, and how often."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache

from riskwatch.errors import Forbidden, PasswordDue, StoreError, Stray, TooMany, Unauthorized
from riskwatch.model import SCOPES
from riskwatch.serve.sessions import LoggedIn, Sessions
from riskwatch.store import ApiKey, Store

COOKIE, TOKEN_HEADER = "riskwatch_session", "X-CSRF-Token"
_KEY_CHARS = 55  # rw_, 8, _, 43
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_TOUCH_EVERY = timedelta(minutes=1)


def mint_key(
    name: str, *, scopes: Sequence[str], pepper: bytes, now: datetime, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """Return a new key as it is stored, and its text, shown once: rw_<8 characters>_<43 characters>."""
    id_ = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    secret = secrets.token_urlsafe(32)
    key = ApiKey(id_, name, hash_of(secret, pepper), tuple(scopes), now, expires_at)
    return key, f"rw_{id_}_{secret}"


def hash_of(secret: str, pepper: bytes) -> str:
    """Return the keyed hash that is stored: HMAC-SHA-256 with the installation's pepper."""
    return hmac.digest(pepper, secret.encode(), "sha256").hex()


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a request comes from, as far as it can be trusted."""

    address: str  # of the connection, or as the trusted proxies told it; never of another header
    host: str = "localhost"  # Host header without the port
    is_forwarded: bool = False  # a proxy stands between, trusted or not

    @property
    def is_here(self) -> bool:
        """Whether the request was made on this machine, by no proxy and by no foreign name (rebinding)."""
        named_here = self.host == "localhost" or _is_loopback(self.host.strip("[]"))
        return _is_loopback(self.address) and named_here and not self.is_forwarded


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks and what for they may."""

    id: str  # key id, person:<name>, or "anonymous"
    scopes: frozenset[str]
    name: str | None = None  # of a person who is logged in
    csrf: str | None = field(default=None, repr=False)  # what each change by the person's session must show
    has_password: bool = True  # kept here; no person has one whom an identity provider logs in

    def must_have(self, scope: str) -> None:
        """Raise Forbidden where the caller lacks a scope."""
        if scope not in self.scopes:
            raise Forbidden(scope)

    def must_show(self, token: Callable[[], str | None]) -> None:
        """Raise Stray where a session changes something without its token: another site may have sent it."""
        if self.csrf is not None and not hmac.compare_digest(self.csrf, _ascii(token())):
            raise Stray(
                "the form is not one of this session's pages: load the page again and press its button, "
                f"or send its token in the header {TOKEN_HEADER}"
            )


@dataclass(frozen=True, slots=True)
class Rules:
    """How the door is kept."""

    pepper: bytes = field(repr=False)
    anonymous_read: bool
    per_minute: int  # for a key, and for readers on this machine where those need none
    anonymous_per_minute: int  # for everybody else, by address


class Window:
    """Counts requests by caller within each minute, in this process; past minutes are forgotten."""

    def __init__(self, per_minute: int) -> None:
        self._most = per_minute
        self._lock = threading.Lock()
        self._minute, self._counts = 0, dict[str, int]()

    def count(self, who: str) -> None:
        """Count one request. Raises TooMany over the limit."""
        minute, second = divmod(time.monotonic(), 60)
        with self._lock:
            if minute != self._minute:
                self._minute, self._counts = int(minute), {}
            made = self._counts[who] = self._counts.get(who, 0) + 1
        if made > self._most:
            raise TooMany(60 - second)


class Door:
    """Checks keys and sessions and counts requests, in this process.

    A key found valid is taken from memory until the data changes; a revocation changes it, and that is seen
    within board.LOOK_SECONDS.
    """

    def __init__(self, store: Store, rules: Rules, *, version: Callable[[], int], sessions: Sessions) -> None:
        self._store, self._rules, self._version, self._sessions = store, rules, version, sessions
        self._held: tuple[int, dict[str, ApiKey]] = (-1, {})
        self._keyed, self._unkeyed = Window(rules.per_minute), Window(rules.anonymous_per_minute)

    def caller(
        self,
        shown: str | None,
        *,
        session: Callable[[], str | None],
        visitor: Callable[[], Visitor],
        now: datetime,
    ) -> Caller:
        """Return who asks. Raises Unauthorized without a valid key or session, TooMany over the limit."""
        if shown is None:
            return self._person(session()) or self._nobody(visitor())
        known = self.known(shown, now=now)
        if known is None:
            self._unkeyed.count(visitor().address)  # guesses are slow
            raise Unauthorized(
                "the API key is unknown, expired or revoked; `riskwatch key list` shows which are valid"
            )
        return known

    def _person(self, session: str | None) -> Caller | None:
        found = self._sessions.of(session)
        if found is None:
            return None
        caller = member(found)
        self._keyed.count(caller.id)
        if found.user.is_one_time:
            raise PasswordDue("the one-time password must be changed first, at /password")
        return caller

    def _nobody(self, visitor: Visitor) -> Caller:
        if self._rules.anonymous_read and visitor.is_here:
            self._keyed.count(visitor.address)
            return Caller("anonymous", frozenset({"read"}))
        self._unkeyed.count(visitor.address)
        raise Unauthorized(
            "log in at /login, or send an API key in the header X-API-Key; `riskwatch key add NAME` makes one"
        )

    def count(self, visitor: Visitor) -> None:
        """Count somebody who needs no key, by address. Raises TooMany over the limit."""
        self._keyed.count(visitor.address)

    def known(self, shown: str, *, now: datetime) -> Caller | None:
        """Return who shows a valid key, counted. Raises TooMany over the limit."""
        key = self._valid(shown, now)
        if key is None:
            return None
        self._keyed.count(key.id)
        return Caller(key.id, _all_of(key.scopes))

    def _valid(self, shown: str, now: datetime) -> ApiKey | None:
        is_shaped = len(shown) == _KEY_CHARS and shown.isascii() and shown[:3] == "rw_" and shown[11] == "_"
        id_, secret = (shown[3:11], shown[12:]) if is_shaped else ("", "")
        held = self._keys_held()
        key = held.get(id_) or self._stored(id_)
        expected = key.secret_hash if key else "0" * 64  # an unknown key costs what a wrong one costs
        is_right = hmac.compare_digest(hash_of(secret, self._rules.pepper), expected)
        if key is None or not is_right or key.revoked_at is not None:
            return None
        if key.expires_at is not None and key.expires_at <= now:
            return None
        if key.last_used_at is None or now - key.last_used_at > _TOUCH_EVERY:
            key = self._touched(key, now)
        held[key.id] = key
        return key

    def _keys_held(self) -> dict[str, ApiKey]:
        version, held = self._version(), self._held
        if held[0] != version:
            held = self._held = (version, {})
        return held[1]

    def _stored(self, id_: str) -> ApiKey | None:
        with self._store.begin(write=False) as unit:
            return unit.access.key(id_)

    def _touched(self, key: ApiKey, now: datetime) -> ApiKey:
        try:
            with self._store.begin() as unit:
                unit.access.touch_key(key.id, now=now)
        except StoreError:  # a busy database does not keep readers out
            return key
        return replace(key, last_used_at=now)


def member(found: LoggedIn) -> Caller:
    """Return a person who is logged in as one who asks."""
    user = found.user
    has_password = user.subject is None
    return Caller(f"person:{user.name}", _all_of((user.scope,)), user.name, found.csrf, has_password)


def _ascii(text: str | None) -> str:
    return text if text is not None and text.isascii() else ""  # compare_digest takes no other text


@cache
def _all_of(scopes: tuple[str, ...]) -> frozenset[str]:
    """Return the scopes with those that they hold."""
    return frozenset(held for scope in scopes for held in SCOPES[: SCOPES.index(scope) + 1])


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
