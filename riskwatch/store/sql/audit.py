"""The audit log: lines chained by hashes, so that none can be changed, moved or taken out unseen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, select

from riskwatch.model import AuditEntry
from riskwatch.store.sql.codec import clean, written
from riskwatch.store.sql.session import CHUNK, Session
from riskwatch.store.sql.tables import setting
from riskwatch.store.sql.tables_alerts import audit_log

_L = audit_log.c
_HEAD = "audit_head"  # "seq hash" of the newest line: without it the last lines could go unseen
_HASHED = ("seq", "at", "actor", "action", "object", "before", "after")


class SqlAudit:
    """The part of the AccessStore that remembers who did what."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add_audit(self, entry: AuditEntry) -> None:
        """Append a line; the store gives seq, prev_hash and hash (sha256 over prev_hash and content)."""
        self._session.lock("audit")
        seq, prev_hash = self._head()
        row: dict[str, Any] = {
            "seq": seq + 1,
            "at": entry.at,
            "actor": clean(entry.actor),
            "action": clean(entry.action),
            "object": clean(entry.object),
            "before": _written(entry.before),
            "after": _written(entry.after),
            "prev_hash": prev_hash,
        }
        row["hash"] = _hash(row)
        self._session.add(audit_log, [row])
        self._session.replace_differing(setting, [{"name": _HEAD, "value": f"{row['seq']} {row['hash']}"}])

    def audit(self, *, after: int = 0, limit: int = 200) -> Sequence[AuditEntry]:
        """Return lines by seq."""
        return tuple(map(_entry, self._lines(after, limit)))

    def verify_audit(self) -> int | None:
        """Return the seq of the first line that was changed, moved or is gone, None where the chain holds."""
        seq, prev_hash = 0, ""
        while rows := self._lines(seq, CHUNK):
            for row in rows:
                line = dict(row._mapping)
                if (row.seq, row.prev_hash, row.hash) != (seq + 1, prev_hash, _hash(line)):
                    return seq + 1
                seq, prev_hash = row.seq, row.hash
        return None if self._head() == (seq, prev_hash) else seq + 1

    def _lines(self, after: int, limit: int) -> Sequence[Row[Any]]:
        query = select(audit_log).where(_L.seq > after).order_by(_L.seq).limit(limit)
        return self._session.read(query).all()

    def _head(self) -> tuple[int, str]:
        stored = self._session.read(select(setting.c.value).where(setting.c.name == _HEAD)).scalar()
        seq, _, hash_ = str(stored or "0 ").partition(" ")
        return int(seq), hash_


def _hash(line: Mapping[str, Any]) -> str:
    content = [line["prev_hash"], *(line[name] for name in _HASHED)]
    content[_HASHED.index("at") + 1] = line["at"].isoformat()
    return sha256(written(content).encode()).hexdigest()


def _written(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else written(dict(value))


def _entry(row: Row[Any]) -> AuditEntry:
    read = {
        name: None if row._mapping[name] is None else json.loads(row._mapping[name])
        for name in ("before", "after")
    }
    return AuditEntry(**{**row._mapping, **read})
