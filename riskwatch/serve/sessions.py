"""Sessions of people who logged in: 12 hours, on the server, under a hash of what the browser holds."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeGuard

from riskwatch.errors import Invalid, TooMany, Unauthorized
from riskwatch.model import AuditEntry
from riskwatch.serve import passwords
from riskwatch.serve.people import LOCK, Vouched, folded
from riskwatch.store import Store, UnitOfWork, User, WebSession

LASTS = timedelta(hours=12)
MOST_TRIES, TRIES_WITHIN = 5, timedelta(minutes=15)
_ID_CHARS = 43  # 256 bits


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Who is logged in, and the token that each change by the session must show."""

    user: User
    id: str = field(repr=False)
    csrf: str = field(repr=False)


class Tries:
    """Counts tries by name in this process, whether or not there is somebody of that name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[str, list[datetime]] = {}

    def count(self, name: str, *, now: datetime) -> bool:
        """Count a try; return whether it is the last one for a while. Raises TooMany after that one."""
        since = now - TRIES_WITHIN
        with self._lock:
            kept = {who: [at for at in made if at > since] for who, made in self._made.items()}
            self._made = {who: made for who, made in kept.items() if made}
            mine = self._made.setdefault(name, [])
            if len(mine) >= MOST_TRIES:
                raise TooMany((mine[0] - since).total_seconds())
            mine.append(now)
            return len(mine) == MOST_TRIES

    def forget(self, name: str) -> None:
        """Begin anew, after a try that was right."""
        with self._lock:
            self._made.pop(name, None)


class Sessions:
    """Log-ins of one installation; each is written to the audit log."""

    def __init__(
        self,
        store: Store,
        pepper: bytes,
        now: Callable[[], datetime],
        *,
        is_local: bool = True,
        issuer: str | None = None,
    ) -> None:
        """Keep the sessions of an installation.

        Args:
            store: Where people and sessions are.
            pepper: What hashes are keyed with.
            now: The clock.
            is_local: Whether people may log in with a password kept here.
            issuer: The identity provider, where people log in by one.
        """
        self._store, self._pepper, self._now, self._tries = store, pepper, now, Tries()
        self._is_local, self._issuer = is_local, issuer

    def of(self, id_: str | None) -> LoggedIn | None:
        """Return whose session it is, while it lasts; the database is asked each time, so an end is one."""
        if id_ is None or len(id_) != _ID_CHARS or not id_.isascii():
            return None
        with self._store.begin(write=False) as unit:
            held = unit.access.session(self.keyed("session", id_))
            user = None if held is None else unit.access.user(held.person)
        if held is None or user is None or user.disabled_at is not None or held.expires_at <= self._now():
            return None
        if not self._may_come(user):
            return None
        return LoggedIn(user, id_, self.keyed("csrf", id_))

    def _may_come(self, user: User) -> bool:
        """Return whether the way by which somebody logs in is still open."""
        if user.subject is None:
            return self._is_local
        return self._issuer is not None and user.subject.startswith(f"{self._issuer} ")

    def keyed(self, purpose: str, text: str) -> str:
        """Return what only this installation can make of a text, for one purpose."""
        return hmac.digest(self._pepper, f"{purpose}:{text}".encode(), "sha256").hex()

    def log_in(self, name: str, password: str, *, address: str, held: str | None) -> str:
        """Return the id of a new session; the one held before ends.

        Raises Unauthorized, in the same words and after the same time whoever it was; TooMany after 5 tries.
        """
        if not self._is_local:
            raise Unauthorized("Nobody logs in with a password here.")
        who = folded(name) or ""
        is_last = self._tries.count(who, now=self._now())
        with self._store.begin(write=False) as unit:
            user = unit.access.user(who)
        has_password = user is not None and user.subject is None
        is_known = passwords.is_right(password, user.password_hash if user and has_password else None)
        if is_known and user is not None:
            made = self._opened(user, address, held)
            if made is not None:
                self._tries.forget(who)
                return made
        if is_last and who:
            with self._store.begin() as unit:
                self._note(unit, "login.locked", who, address=address, actor="somebody")
        raise Unauthorized("Name and password do not go together.")

    def _opened(self, user: User, address: str, held: str | None) -> str | None:
        with self._store.begin() as unit:
            unit.lock(LOCK)
            fresh = unit.access.user(user.name)
            return self._begun(unit, fresh, address, held) if _is_still(fresh, user) else None

    def _begun(self, unit: UnitOfWork, user: User, address: str, held: str | None) -> str:
        """Return the id of a new session: the one way to one, whoever says who it is."""
        now = self._now()
        unit.access.drop_expired(now=now)
        if held is not None:
            unit.access.end_session(self.keyed("session", held))
        unit.access.save_user(replace(user, last_login_at=now))
        self._note(unit, "login", user.name, address=address)
        return self._added(unit, user.name)

    def log_in_by(self, vouched: Vouched, *, address: str, held: str | None) -> str:
        """Return the id of a new session of somebody whom the identity provider vouches for.

        The subject makes the person; a name that somebody else has is never shared. Raises Unauthorized.
        """
        with self._store.begin() as unit:
            unit.lock(LOCK)
            known = unit.access.user_of(vouched.subject)
            named = unit.access.user(vouched.name)
            fault = _fault_of(vouched, known, named)
            if fault is None and vouched.scope is not None:
                user = self._scoped(unit, known, vouched, vouched.scope, address=address)
                return self._begun(unit, user, address, held)
            if known is not None:
                unit.access.end_sessions(known.name)
            who = vouched.name if known is None else known.name
            self._note(unit, "login.refused", who, address=address, actor="somebody")
        raise Unauthorized(fault or "")

    def _scoped(
        self, unit: UnitOfWork, known: User | None, vouched: Vouched, scope: str, *, address: str
    ) -> User:
        """Return the person with the scope that the groups give now, made where there was none."""
        if known is None:
            made = User(
                vouched.name,
                scope,
                "",  # no password has this hash
                is_one_time=False,
                created_at=self._now(),
                subject=vouched.subject,
            )
            unit.access.add_user(made)
            self._note(unit, "person.add", made.name, address=address, scope=scope)
            return made
        if known.scope != scope:
            self._note(unit, "person.scope", known.name, address=address, scope=scope)
        return replace(known, scope=scope)

    def change_password(self, logged_in: LoggedIn, present: str, new: str, *, address: str) -> str:
        """Replace the password, end all sessions and return the id of a new one. Raises Invalid, TooMany."""
        name = logged_in.user.name
        fault = passwords.fault_of(new, name=name)
        if fault is not None:
            raise Invalid("new", fault)
        if new == present:
            raise Invalid("new", "choose another than the present one")
        self._tries.count(name, now=self._now())
        if not passwords.is_right(present, logged_in.user.password_hash):
            raise Invalid("present", "is not your present password")
        secret = passwords.hashed(new)
        with self._store.begin() as unit:
            unit.lock(LOCK)
            fresh = unit.access.user(name)
            if not _is_still(fresh, logged_in.user):
                raise Invalid("present", "was changed meanwhile; log in again")
            unit.access.save_user(replace(fresh, password_hash=secret, is_one_time=False))
            unit.access.end_sessions(name)
            self._note(unit, "password.change", name, address=address)
            made = self._added(unit, name)
        self._tries.forget(name)
        return made

    def log_out(self, logged_in: LoggedIn, *, address: str) -> None:
        """End a session."""
        with self._store.begin() as unit:
            unit.access.end_session(self.keyed("session", logged_in.id))
            self._note(unit, "logout", logged_in.user.name, address=address)

    def _added(self, unit: UnitOfWork, name: str) -> str:
        id_, now = secrets.token_urlsafe(32), self._now()
        unit.access.add_session(WebSession(self.keyed("session", id_), name, now, now + LASTS))
        return id_

    def _note(
        self, unit: UnitOfWork, action: str, name: str, *, actor: str | None = None, **after: str
    ) -> None:
        who = actor or f"person:{name}"
        unit.access.add_audit(AuditEntry(0, self._now(), who, action, name, None, after))


def _is_still(fresh: User | None, user: User) -> TypeGuard[User]:
    """Return whether nobody changed the password or disabled the person meanwhile."""
    return fresh is not None and fresh.disabled_at is None and fresh.password_hash == user.password_hash


def _fault_of(vouched: Vouched, known: User | None, named: User | None) -> str | None:
    """Return why somebody whom the provider vouches for may not come in."""
    if known is not None and known.disabled_at is not None:
        return f"{known.name} may not log in here any more."
    if vouched.scope is None:
        return "You are in none of the groups that may use riskwatch."
    if known is None and named is not None:
        return f"The name {vouched.name} belongs to somebody else here; ask whoever runs riskwatch."
    return None
