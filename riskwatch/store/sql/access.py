"""API keys, the audit log and small settings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from riskwatch.errors import Conflict, NotFound
from riskwatch.store import ApiKey
from riskwatch.store.sql.people import SqlPeople
from riskwatch.store.sql.tables import api_key, setting


class SqlAccess(SqlPeople):
    """The AccessStore on one transaction."""

    def add_key(self, key: ApiKey) -> None:
        """Store a key; raises Conflict on a taken id."""
        row = {**asdict(key), "scopes": json.dumps(key.scopes)}
        statement = self._session.insert(api_key).on_conflict_do_nothing().returning(api_key.c.id)
        if self._session.run(statement, row).first() is None:
            raise Conflict(f"the key id {key.id} is taken")
        self._session.changed()

    def key(self, key_id: str) -> ApiKey | None:
        """Return a key by its public id."""
        row = self._session.read(select(api_key).where(api_key.c.id == key_id)).first()
        return None if row is None else _key(row)

    def keys(self) -> Sequence[ApiKey]:
        """Return all keys, by (created_at, id)."""
        query = select(api_key).order_by(api_key.c.created_at, api_key.c.id)
        return tuple(map(_key, self._session.read(query)))

    def touch_key(self, key_id: str, *, now: datetime) -> None:
        """Note the last use."""
        self._session.run(update(api_key).where(api_key.c.id == key_id).values(last_used_at=now))

    def revoke_key(self, key_id: str, *, now: datetime) -> None:
        """End a key; the first end stays. Raises NotFound."""
        held = self.key(key_id)
        if held is None:
            raise NotFound("key", key_id)
        if held.revoked_at is None:
            self._session.run(update(api_key).where(api_key.c.id == key_id).values(revoked_at=now))
            self._session.changed()

    def setting(self, name: str) -> str | None:
        """Return a small stored value, or None."""
        value: str | None = self._session.read(select(setting.c.value).where(setting.c.name == name)).scalar()
        return value

    def save_setting(self, name: str, value: str) -> None:
        """Insert or replace a small stored value."""
        if self._session.replace_differing(setting, [{"name": name, "value": value}]):
            self._session.changed()


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(**{**row._mapping, "scopes": tuple(json.loads(row.scopes))})
