"""The people who may log in: made, listed, renewed, disabled by whoever has the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import re2

from riskwatch.errors import Conflict, Invalid, NotFound
from riskwatch.model import AuditEntry
from riskwatch.serve import passwords
from riskwatch.store import Store, UnitOfWork, User

FIRST = "admin"
LOCK = "people"  # held by whoever writes over a person: nobody's change gets lost
_OPERATOR = "command line"
_NAME = "^[a-z0-9][a-z0-9._+@-]{0,63}$"


@dataclass(frozen=True, slots=True)
class Vouched:
    """Somebody as an identity provider knows them now."""

    subject: str  # issuer and id there: these make the person, whatever the name
    name: str  # folded
    scope: str | None  # None: in no group that may come in


def folded(name: str) -> str | None:
    """Return a name as it is stored, None where it can be nobody's."""
    made = name.strip().lower() if name.isascii() else ""
    return made if re2.match(_NAME, made) else None


class People:
    """People of one installation; each change is written to the audit log."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store, self._now = store, now

    def first_admin(self) -> str | None:
        """Make the person admin where there is nobody at all; return the one-time password."""
        if self.all():
            return None
        password = passwords.one_time()
        try:
            self._add(FIRST, "admin", password)
        except Conflict:  # another process was first, and has told its password
            return None
        return password

    def add(self, name: str, *, scope: str) -> str:
        """Make a person; return the one-time password. Raises Invalid, Conflict on a taken name."""
        password = passwords.one_time()
        self._add(_checked(name), scope, password)
        return password

    def _add(self, name: str, scope: str, password: str) -> None:
        made = User(name, scope, passwords.hashed(password), is_one_time=True, created_at=self._now())
        with self._store.begin() as unit:
            if unit.access.user(name) is not None:
                raise Conflict(f"the name {name} is taken; `riskwatch user list` shows all")
            unit.access.add_user(made)
            self._note(unit, "person.add", name, {"scope": scope})

    def all(self) -> Sequence[User]:
        """Return all people, by name."""
        with self._store.begin(write=False) as unit:
            return unit.access.users()

    def renew(self, name: str) -> str:
        """End a person's sessions; return a one-time password. Raises NotFound, Conflict."""
        password = passwords.one_time()
        secret = passwords.hashed(password)
        self._change(name, "person.password", password_hash=secret, is_one_time=True)
        return password

    def disable(self, name: str) -> None:
        """End a person's sessions and let nobody log in by that name. Raises NotFound."""
        self._change(name, "person.disable", disabled_at=self._now())

    def enable(self, name: str) -> None:
        """Let a person log in again, with the password as it was. Raises NotFound."""
        self._change(name, "person.enable", disabled_at=None)

    def _change(self, name: str, action: str, **values: Any) -> None:  # noqa: ANN401 - fields of a User
        with self._store.begin() as unit:
            unit.lock(LOCK)
            held = unit.access.user(_checked(name))
            if held is None:
                raise NotFound("user", name, "`riskwatch user list` shows all")
            if held.subject is not None and "password_hash" in values:
                raise Conflict(f"{held.name} logs in by the identity provider, which keeps the password")
            unit.access.save_user(replace(held, **values))
            unit.access.end_sessions(held.name)
            self._note(unit, action, held.name, None)

    def _note(self, unit: UnitOfWork, action: str, name: str, after: Mapping[str, Any] | None) -> None:
        unit.access.add_audit(AuditEntry(0, self._now(), _OPERATOR, action, name, None, after))


def _checked(name: str) -> str:
    made = folded(name)
    if made is None:
        raise Invalid(
            "name",
            "write 1 to 64 letters, digits or . _ + @ -, the first a letter or digit: ann, ann@example.com",
        )
    return made
