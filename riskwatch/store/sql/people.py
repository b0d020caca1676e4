"""People who log in, and their sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update

from riskwatch.errors import Conflict, NotFound
from riskwatch.store import User, WebSession
from riskwatch.store.sql.audit import SqlAudit
from riskwatch.store.sql.session import flat
from riskwatch.store.sql.tables import person, web_session

_S = web_session.c


class SqlPeople(SqlAudit):
    """The part of the AccessStore about people; no answer rests on them, so no version grows."""

    def add_user(self, user: User) -> None:
        """Store a person; raises Conflict on a taken name."""
        statement = self._session.insert(person).on_conflict_do_nothing().returning(person.c.name)
        if self._session.run(statement, flat(user)).first() is None:
            raise Conflict(f"the name {user.name} is taken")

    def user(self, name: str) -> User | None:
        """Return a person by name."""
        row = self._session.read(select(person).where(person.c.name == name)).first()
        return None if row is None else User(**row._mapping)

    def user_of(self, subject: str) -> User | None:
        """Return the person whom an identity provider knows by that subject."""
        row = self._session.read(select(person).where(person.c.subject == subject)).first()
        return None if row is None else User(**row._mapping)

    def users(self) -> Sequence[User]:
        """Return all people, by name."""
        return tuple(
            User(**row._mapping) for row in self._session.read(select(person).order_by(person.c.name))
        )

    def save_user(self, user: User) -> None:
        """Write over a stored person; raises NotFound."""
        statement = update(person).where(person.c.name == user.name).values(flat(user))
        if not self._session.run(statement).rowcount:
            raise NotFound("user", user.name)

    def add_session(self, session: WebSession) -> None:
        """Store a log-in; raises NotFound where there is no such person."""
        self._session.add(web_session, [flat(session)])

    def session(self, id_hash: str) -> WebSession | None:
        """Return a log-in, expired or not."""
        row = self._session.read(select(web_session).where(_S.id_hash == id_hash)).first()
        return None if row is None else WebSession(**row._mapping)

    def end_session(self, id_hash: str) -> None:
        """Forget a log-in, where there is one."""
        self._session.run(delete(web_session).where(_S.id_hash == id_hash))

    def end_sessions(self, person: str | None = None) -> None:
        """Forget all log-ins of a person, or of everybody."""
        every = delete(web_session)
        self._session.run(every if person is None else every.where(_S.person == person))

    def drop_expired(self, *, now: datetime) -> None:
        """Forget log-ins that have ended by then."""
        self._session.run(delete(web_session).where(_S.expires_at <= now))
