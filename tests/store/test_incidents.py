from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from riskwatch.errors import Conflict, NotFound
from riskwatch.model import IncidentState, Severity, Silence, StoredRule, Transition
from riskwatch.store import IncidentFilter, IncidentStore, UnitOfWork
from riskwatch.store.sql import SqlStore
from tests.store.builders import HOUR, NOON, a_transition, an_incident

OK, PENDING = IncidentState.OK, IncidentState.PENDING


def a_rule(id_: str = "fall", version: int = 1, **fields: Any) -> StoredRule:
    given: dict[str, Any] = {
        "origin": "api",
        "body": {"id": id_, "name": "Sturz \ud83d", "condition": {"kind": "score_drop", "points": 8.5}},
        "condition_hash": "c1",
        "is_enabled": True,
        "recorded_at": NOON,
    }
    return StoredRule(id=id_, version=version, **{**given, **fields})


def a_silence(id_: str = "s1", **fields: Any) -> Silence:
    given: dict[str, Any] = {
        "matchers": {"vendor": "alibaba"},
        "starts_at": NOON,
        "ends_at": NOON + HOUR,
        "reason": "planned change",
        "author": "J. Doe",
        "created_at": NOON - HOUR,
    }
    return Silence(id=id_, **{**given, **fields})


def _ids(unit: UnitOfWork, **fields: Any) -> list[str]:
    return [one.id for one in unit.incidents.incidents(IncidentFilter(**fields))]


def test_the_newest_version_of_each_rule_is_in_force_and_a_deleted_one_is_not_listed(store: SqlStore) -> None:
    off = a_rule(version=2, is_enabled=False, author="key 1")
    with store.begin() as unit:
        for rule in (a_rule(), off, a_rule("gone"), a_rule("gone", version=2, deleted=True), a_rule("b")):
            unit.incidents.save_rule(replace(rule, body={"id": rule.id}))

    with store.begin(write=False) as unit:
        assert [(rule.id, rule.version) for rule in unit.incidents.rules()] == [("b", 1), ("fall", 2)]
        assert unit.incidents.rules()[1] == replace(off, body={"id": "fall"})
        assert [rule.version for rule in unit.incidents.rule_versions("gone")] == [1, 2]
        with pytest.raises(NotFound):
            unit.incidents.rule_versions("none")


def test_a_version_of_a_rule_is_written_once(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.incidents.save_rule(a_rule())
        with pytest.raises(Conflict, match="version 1 of the rule fall"):
            unit.incidents.save_rule(a_rule(author="another"))


def test_an_incident_comes_back_as_it_was_saved_last(store: SqlStore) -> None:
    acked = an_incident(
        acked_by="J. Doe", acked_at=NOON, acked_until=NOON + HOUR, ack_note="在看", owner="team"
    )
    with store.begin() as unit:
        unit.incidents.save_incidents([an_incident()])
        unit.incidents.save_incidents([acked])
        unit.incidents.save_incidents([])

    with store.begin(write=False) as unit:
        assert unit.incidents.incident("i1") == acked
        assert unit.incidents.open_incidents() == (acked,)
        with pytest.raises(NotFound):
            unit.incidents.incident("i2")


def test_a_key_has_one_incident_that_is_not_ok(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.incidents.save_incidents([an_incident("i1")])

    with store.begin() as unit:
        with pytest.raises(Conflict):
            unit.incidents.save_incidents([an_incident("i0", state=OK), an_incident("i2", state=PENDING)])
        unit.incidents.save_incidents([an_incident("other", subject="b", state=OK)])

    with store.begin(write=False) as unit:
        assert _ids(unit) == ["other", "i1"]


def test_the_batch_that_closes_an_incident_may_open_the_next_of_its_key(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.incidents.save_incidents([an_incident("i2")])
    with store.begin() as unit:
        unit.incidents.save_incidents([an_incident("i1"), an_incident("i2", state=OK, closed_at=NOON)])

        assert unit.incidents.newest_incidents([an_incident().key])[an_incident().key].id == "i1"


def test_the_newest_incident_of_a_key_is_the_open_one_else_the_last(store: SqlStore) -> None:
    closed = [an_incident(f"i{n}", subject=s, state=OK) for n, s in enumerate(("a", "a", "b", "b"))]
    still_open = an_incident(
        "h", subject="b"
    )  # a lower id than the closed ones: made while a clock was wrong
    with store.begin() as unit:
        unit.incidents.save_incidents([*closed, still_open])
        keys = [one.key for one in closed] + ["unknown"] * 900

        found = unit.incidents.newest_incidents(keys)

    assert found == {closed[1].key: closed[1], still_open.key: still_open}


def test_incidents_that_never_fired_are_listed_only_where_pending_ones_are_asked_for(store: SqlStore) -> None:
    rows = [
        an_incident("fired", subject="a"),
        an_incident("waits", subject="b", state=PENDING, opened_at=None, evaluated_at=NOON + HOUR),
        an_incident("never", subject="c", state=OK, opened_at=None),
        an_incident("over", subject="d", state=OK, opened_at=NOON - HOUR, closed_at=NOON),
    ]
    with store.begin() as unit:
        unit.incidents.save_incidents(rows)

    with store.begin(write=False) as unit:
        assert _ids(unit) == ["fired", "over"]
        assert _ids(unit, states=("ok",)) == ["over"]
        assert _ids(unit, states=("pending",)) == ["waits"]
        assert _ids(
            unit,
            states=(
                "pending",
                "firing",
                "ok",
            ),
        ) == ["waits", "fired", "over"]
        assert [one.id for one in unit.incidents.open_incidents()] == ["fired", "waits"]


def test_incidents_are_listed_by_page_and_by_what_they_are_about(store: SqlStore) -> None:
    rows = [
        an_incident(
            f"i{n:02}",
            subject=f"s{n}",
            rule_id="even" if n % 2 == 0 else "odd",
            severity=Severity.CRITICAL if n == 3 else Severity.INFO,
            owner="J. Doe" if n == 4 else None,
            opened_at=NOON + timedelta(hours=n // 2),
        )
        for n in range(7)
    ]
    with store.begin() as unit:
        unit.incidents.save_incidents(rows)

    with store.begin(write=False) as unit:
        pages, after = list[str](), None
        while page := unit.incidents.incidents(IncidentFilter(after=after, limit=2)):
            pages += [one.id for one in page]
            assert page[-1].opened_at is not None
            after = (page[-1].opened_at, page[-1].id)
        assert pages == [f"i{n:02}" for n in reversed(range(7))]
        assert _ids(unit, subject="s5") == ["i05"]
        assert _ids(unit, severity="critical") == ["i03"]
        assert _ids(unit, owner="J. Doe") == ["i04"]
        assert _ids(unit, rule_id="odd", limit=2) == ["i05", "i03"]


def test_transitions_come_back_by_incident_by_id_and_by_time(store: SqlStore) -> None:
    rows = [
        a_transition("t1", seq=1),
        a_transition("t3", seq=2, occurred_at=NOON + HOUR, step=None, alert=None, suppressed_by="silence:s1"),
        a_transition("t2", incident_id="i2", seq=1, occurred_at=NOON + HOUR),
    ]
    with store.begin() as unit:
        unit.incidents.save_incidents([an_incident("i1"), an_incident("i2", subject="b")])
        unit.incidents.add_transitions(rows)
        unit.incidents.add_transitions([])

    with store.begin(write=False) as unit:
        assert unit.incidents.transitions("i1") == (rows[0], rows[1])
        assert unit.incidents.transitions_by_id(["t2", "t1", "t9"]) == {"t1": rows[0], "t2": rows[2]}
        assert unit.incidents.transitions_between(NOON - HOUR, NOON) == (rows[0],)
        assert unit.incidents.transitions_between(NOON, NOON + HOUR) == (rows[2], rows[1])


@pytest.mark.parametrize(
    "again",
    [a_transition("t1", seq=2), a_transition("t2", seq=1)],
    ids=["its id", "its place in the incident"],
)
def test_a_transition_is_stored_once(store: SqlStore, again: Transition) -> None:
    with store.begin() as unit:
        unit.incidents.save_incidents([an_incident()])
        unit.incidents.add_transitions([a_transition()])

    with store.begin() as unit, pytest.raises(Conflict):
        unit.incidents.add_transitions([a_transition("t0", seq=3), again])

    with store.begin(write=False) as unit:
        assert unit.incidents.transitions("i1") == (a_transition(),)


def test_a_transition_needs_its_incident(store: SqlStore) -> None:
    with pytest.raises(NotFound), store.begin() as unit:
        unit.incidents.add_transitions([a_transition()])


def test_a_silence_is_in_force_from_its_start_up_to_its_end(store: SqlStore) -> None:
    early = a_silence("s2", starts_at=NOON - 2 * HOUR, ends_at=NOON)
    with store.begin() as unit:
        for one in (a_silence(), early):
            unit.incidents.add_silence(one)

    with store.begin(write=False) as unit:
        assert unit.incidents.silences() == (early, a_silence())
        assert unit.incidents.silences(active_at=NOON) == (a_silence(),)
        assert unit.incidents.silences(active_at=NOON + HOUR) == ()


def test_a_silence_is_replaced_by_its_id(store: SqlStore) -> None:
    ended = a_silence(ends_at=NOON, reminded_at=NOON, flushed_at=NOON)
    with store.begin() as unit:
        unit.incidents.add_silence(a_silence())
        unit.incidents.add_silence(ended)

        assert unit.incidents.silences() == (ended,)


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.save_rule(a_rule("new")),
        lambda store: store.save_incidents([an_incident("new", subject="b")]),
        lambda store: store.add_transitions([a_transition("new", seq=7)]),
        lambda store: store.add_silence(a_silence("new")),
    ],
    ids=["rule", "incident", "transition", "silence"],
)
def test_every_write_lets_the_version_grow_but_leaves_the_pages_of_scores_alone(
    store: SqlStore, write: Callable[[IncidentStore], None]
) -> None:
    with store.begin() as unit:
        unit.incidents.save_incidents([an_incident()])
    with store.begin() as unit:
        before = (unit.incidents.version(), unit.outbox.version(), unit.scores.data_version())
        write(unit.incidents)
        within = unit.incidents.version()

    with store.begin(write=False) as unit:
        assert within == before[0] + 1
        assert (unit.incidents.version(), unit.outbox.version(), unit.scores.data_version()) == (
            before[0] + 1,
            *before[1:],
        )


def test_incidents_are_found_by_id_whether_open_or_closed(store: SqlStore) -> None:
    shut, fires = an_incident("i1", state=OK, closed_at=NOON), an_incident("i2", subject="openai")

    with store.begin() as unit:
        unit.incidents.save_incidents([shut, fires])

    with store.begin(write=False) as unit:
        assert unit.incidents.incidents_by_id(["i2", "i1", "nobody"]) == {"i1": shut, "i2": fires}
