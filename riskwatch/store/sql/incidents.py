"""AlertRules, Incidents, Transitions and Silences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, union_all

from riskwatch.errors import Conflict, NotFound
from riskwatch.model import Incident, IncidentState, Silence, StoredRule, Transition
from riskwatch.store import IncidentFilter
from riskwatch.store.sql.codec import decode, encode
from riskwatch.store.sql.columns import EPOCH
from riskwatch.store.sql.groups import SqlGroups
from riskwatch.store.sql.session import Part, chunks, flat
from riskwatch.store.sql.tables_alerts import IS_UNDONE, alert_rule, incident, silence, transition

_I, _T, _R = incident.c, transition.c, alert_rule.c
_EQUALS = (("subject", _I.subject), ("severity", _I.severity), ("owner", _I.owner), ("rule_id", _I.rule_id))


class SqlIncidents(SqlGroups):
    """The IncidentStore on one transaction."""

    def save_rule(self, rule: StoredRule) -> None:
        """Append a version; raises Conflict when (id, version) is taken."""
        statement = self._session.insert(alert_rule).on_conflict_do_nothing().returning(_R.id)
        if self._session.run(statement, flat(rule) | {"body": dict(rule.body)}).first() is None:
            raise Conflict(f"version {rule.version} of the rule {rule.id} is taken")
        self._session.changed(Part.INCIDENTS)

    def rules(self) -> Sequence[StoredRule]:
        """Return the newest version of each rule, deleted ones left out, by id."""
        newest = select(_R.id, func.max(_R.version).label("version")).group_by(_R.id).subquery()
        query = select(alert_rule).join(newest, and_(newest.c.id == _R.id, newest.c.version == _R.version))
        rows = self._session.read(query.where(_R.deleted.is_(False)).order_by(_R.id))
        return tuple(StoredRule(**row._mapping) for row in rows)

    def rule_versions(self, rule_id: str) -> Sequence[StoredRule]:
        """Return all versions, oldest first; raises NotFound."""
        rows = self._session.read(select(alert_rule).where(_R.id == rule_id).order_by(_R.version))
        found = tuple(StoredRule(**row._mapping) for row in rows)
        if not found:
            raise NotFound("rule", rule_id, "the listing of alert rules has them")
        return found

    def newest_incidents(self, keys: Sequence[str]) -> Mapping[str, Incident]:
        """Return key -> newest Incident of it: the open one, else the one of the highest id."""
        found: dict[str, Incident] = {}
        for part in chunks(sorted(set(keys))):
            mine = _I.key.in_(part)
            last = select(func.max(_I.id, type_=_I.id.type)).where(mine).group_by(_I.key)
            wanted = union_all(last, select(_I.id).where(mine, IS_UNDONE))
            query = select(_I.key, _I.state, _I.body).where(_I.id.in_(wanted)).order_by(_I.id)
            for row in self._session.read_to_change(query):
                held = found.get(row.key)
                if held is None or held.state == IncidentState.OK:
                    found[row.key] = decode(Incident, row.body)
        return found

    def incidents_by_id(self, ids: Sequence[str]) -> Mapping[str, Incident]:
        """Return Incidents by id, open or closed."""
        found: dict[str, Incident] = {}
        for part in chunks(sorted(set(ids))):
            query = select(_I.id, _I.body).where(_I.id.in_(part))
            found.update((row.id, decode(Incident, row.body)) for row in self._session.read(query))
        return found

    def save_incidents(self, incidents: Sequence[Incident]) -> None:
        """Insert or replace by id; raises Conflict when a key would have two that are not ok."""
        if not incidents:
            return
        statement = self._session.insert(incident)
        rest = {column.name: statement.excluded[column.name] for column in _I if column.name != "id"}
        # those closed come first: a key may get a new Incident in the batch that closes its old one
        ordered = sorted(incidents, key=lambda one: (one.state != IncidentState.OK, one.id))
        with self._session.refusing("an incident of the same key is open, or its id is taken"):
            self._session.run(
                statement.on_conflict_do_update(index_elements=["id"], set_=rest),
                [_incident(i) for i in ordered],
            )
        self._session.changed(Part.INCIDENTS)

    def incident(self, incident_id: str) -> Incident:
        """Return one; raises NotFound."""
        body = self._session.read_to_change(select(_I.body).where(_I.id == incident_id)).scalar()
        if body is None:
            raise NotFound("incident", incident_id, "the listing of incidents has them")
        return decode(Incident, body)

    def incidents(self, where: IncidentFilter) -> Sequence[Incident]:
        """Return one page, newest first; pending ones that never fired only where `states` names pending."""
        query = select(_I.body).where(*_conditions(where)).order_by(_I.listed_at.desc(), _I.id.desc())
        return self._incidents(self._session.read(query.limit(where.limit)).scalars())

    def open_incidents(self) -> Sequence[Incident]:
        """Return all whose state is not ok, by id."""
        return self._incidents(self._session.read(select(_I.body).where(IS_UNDONE).order_by(_I.id)).scalars())

    def _incidents(self, bodies: Iterable[str]) -> tuple[Incident, ...]:
        return tuple(decode(Incident, body) for body in bodies)

    def add_transitions(self, transitions: Sequence[Transition]) -> None:
        """Append to stored Incidents; one whose id or (incident_id, seq) is stored raises Conflict."""
        if not transitions:
            return
        with self._session.refusing(
            "a transition of that id, or of that incident and seq, is stored already"
        ):
            self._session.add(transition, [_transition(one) for one in transitions])
        self._session.changed(Part.INCIDENTS)

    def transitions(self, incident_id: str) -> Sequence[Transition]:
        """Return those of an Incident, by seq."""
        query = select(_T.body).where(_T.incident_id == incident_id).order_by(_T.seq)
        return tuple(decode(Transition, body) for body in self._session.read(query).scalars())

    def transitions_by_id(self, ids: Sequence[str]) -> Mapping[str, Transition]:
        """Return Transitions by id."""
        found: dict[str, Transition] = {}
        for part in chunks(sorted(set(ids))):
            rows = self._session.read(select(_T.id, _T.body).where(_T.id.in_(part)).order_by(_T.id))
            found.update({row.id: decode(Transition, row.body) for row in rows})
        return found

    def transitions_between(self, since: datetime, until: datetime) -> Sequence[Transition]:
        """Return those with since < occurred_at <= until, by (occurred_at, id)."""
        query = select(_T.body).where(_T.occurred_at > since, _T.occurred_at <= until)
        rows = self._session.read(query.order_by(_T.occurred_at, _T.id)).scalars()
        return tuple(decode(Transition, body) for body in rows)

    def add_silence(self, one: Silence) -> None:
        """Insert or replace by id."""
        if self._session.replace_differing(silence, [flat(one) | {"matchers": dict(one.matchers)}]):
            self._session.changed(Part.INCIDENTS)

    def silences(self, *, active_at: datetime | None = None) -> Sequence[Silence]:
        """Return all, or those in force at an instant, by (ends_at, id)."""
        query = select(silence).order_by(silence.c.ends_at, silence.c.id)
        if active_at is not None:
            query = query.where(silence.c.starts_at <= active_at, silence.c.ends_at > active_at)
        return tuple(Silence(**row._mapping) for row in self._session.read(query))

    def version(self) -> int:
        """Return a number that grows with every write of rules, Incidents, Transitions and Silences."""
        return self._session.version(Part.INCIDENTS)


def _incident(one: Incident) -> dict[str, Any]:
    return {
        "id": one.id,
        "key": one.key,
        "rule_id": one.rule_id,
        "subject": one.subject,
        "severity": str(one.severity),
        "state": str(one.state),
        "owner": one.owner,
        "opened_at": one.opened_at,
        "listed_at": one.opened_at or one.evaluated_at or EPOCH,
        "body": encode(one),
    }


def _transition(one: Transition) -> dict[str, Any]:
    return {
        "id": one.id,
        "incident_id": one.incident_id,
        "seq": one.seq,
        "occurred_at": one.occurred_at,
        "body": encode(one),
    }


def _conditions(where: IncidentFilter) -> Iterable[ColumnElement[bool]]:
    fired: ColumnElement[bool] = _I.opened_at.is_not(None)
    if IncidentState.PENDING in where.states:
        fired = or_(fired, _I.state == str(IncidentState.PENDING))
    yield fired
    if where.states:
        yield _I.state.in_([str(state) for state in where.states])
    for name, column in _EQUALS:
        wanted = getattr(where, name)
        if wanted is not None:
            yield column == str(wanted)
    if where.after is not None:
        listed_at, last = where.after
        yield or_(_I.listed_at < listed_at, and_(_I.listed_at == listed_at, _I.id < last))
