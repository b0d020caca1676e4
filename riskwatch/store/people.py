"""Who logs in: the part of the AccessStore about people and their sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class User:
    """A person who may log in (model.Person is somebody of a vendor's); never the password, only its hash."""

    name: str
    scope: str  # read, review or admin
    password_hash: str = field(repr=False)
    is_one_time: bool  # the password must be changed at the first log-in
    created_at: datetime
    disabled_at: datetime | None = None
    last_login_at: datetime | None = None
    subject: str | None = None  # issuer and id there, where an identity provider logs the person in


@dataclass(frozen=True, slots=True)
class WebSession:
    """A log-in as stored: never what the browser holds, only its keyed hash."""

    id_hash: str = field(repr=False)
    person: str
    created_at: datetime
    expires_at: datetime


class PeopleStore(Protocol):
    """People and sessions; what is written is seen by the next transaction, nothing is kept in between."""

    def add_user(self, user: User) -> None:
        """Store a person; raises Conflict on a taken name."""
        ...

    def user(self, name: str) -> User | None:
        """Return a person by name."""
        ...

    def user_of(self, subject: str) -> User | None:
        """Return the person whom an identity provider knows by that subject."""
        ...

    def users(self) -> Sequence[User]:
        """Return all people, by name."""
        ...

    def save_user(self, user: User) -> None:
        """Write over a stored person; raises NotFound."""
        ...

    def add_session(self, session: WebSession) -> None:
        """Store a log-in; raises NotFound where there is no such person."""
        ...

    def session(self, id_hash: str) -> WebSession | None:
        """Return a log-in, expired or not."""
        ...

    def end_session(self, id_hash: str) -> None:
        """Forget a log-in, where there is one."""
        ...

    def end_sessions(self, person: str | None = None) -> None:
        """Forget all log-ins of a person, or of everybody."""
        ...

    def drop_expired(self, *, now: datetime) -> None:
        """Forget log-ins that have ended by then."""
        ...
