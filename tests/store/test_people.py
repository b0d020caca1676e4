"""People and their sessions, on both databases."""

from dataclasses import replace

import pytest

from riskwatch.errors import Conflict, NotFound
from riskwatch.store import User, WebSession
from riskwatch.store.sql import SqlStore
from tests.store.builders import HOUR, NOON

ANN = User("ann", "review", "$argon2id$hash", is_one_time=True, created_at=NOON)
BEN = User("ben@example.com", "read", "$argon2id$other", is_one_time=False, created_at=NOON)


def logged_in(id_hash: str, person: str = "ann") -> WebSession:
    return WebSession(id_hash, person, NOON, NOON + 12 * HOUR)


def held(store: SqlStore, *ids: str) -> list[str]:
    with store.begin(write=False) as unit:
        return [id_ for id_ in ids if unit.access.session(id_) is not None]


@pytest.fixture
def peopled(store: SqlStore) -> SqlStore:
    with store.begin() as unit:
        unit.access.add_user(BEN)
        unit.access.add_user(ANN)
        for session in (logged_in("1"), logged_in("2"), logged_in("3", BEN.name)):
            unit.access.add_session(session)
    return store


def test_people_come_back_as_they_were_stored_in_the_order_of_their_names(peopled: SqlStore) -> None:
    with peopled.begin(write=False) as unit:
        assert unit.access.users() == (ANN, BEN)
        assert unit.access.user("ann") == ANN
        assert unit.access.user("nobody") is None
        assert unit.access.session("1") == logged_in("1")


def test_a_person_is_written_over_and_only_that_one(peopled: SqlStore) -> None:
    changed = replace(ANN, password_hash="new", is_one_time=False, disabled_at=NOON, last_login_at=NOON)

    with peopled.begin() as unit:
        unit.access.save_user(changed)

    with peopled.begin(write=False) as unit:
        assert unit.access.users() == (changed, BEN)


def test_a_subject_is_found_and_belongs_to_one_person(peopled: SqlStore) -> None:
    cat = replace(ANN, name="cat", subject="https://id.example 42")
    with peopled.begin() as unit:
        unit.access.add_user(cat)

    with pytest.raises(Conflict), peopled.begin() as unit:
        unit.access.add_user(replace(cat, name="dan"))
    with peopled.begin(write=False) as unit:
        assert unit.access.user_of("https://id.example 42") == cat
        assert unit.access.user_of("https://id.example 4") is None


def test_a_taken_name_is_a_conflict_and_an_unknown_person_not_found(peopled: SqlStore) -> None:
    with pytest.raises(Conflict, match="ann is taken"), peopled.begin() as unit:
        unit.access.add_user(replace(ANN, scope="admin"))
    with pytest.raises(NotFound), peopled.begin() as unit:
        unit.access.save_user(replace(ANN, name="nobody"))
    with pytest.raises(NotFound), peopled.begin() as unit:
        unit.access.add_session(logged_in("4", "nobody"))


def test_a_session_ends_alone_with_its_person_s_or_with_everybody_s(peopled: SqlStore) -> None:
    with peopled.begin() as unit:
        unit.access.end_session("1")
        unit.access.end_session("unknown")
    assert held(peopled, "1", "2", "3") == ["2", "3"]

    with peopled.begin() as unit:
        unit.access.end_sessions("ann")
    assert held(peopled, "1", "2", "3") == ["3"]

    with peopled.begin() as unit:
        unit.access.end_sessions()
    assert held(peopled, "1", "2", "3") == []


def test_expired_sessions_are_dropped_at_their_last_instant(peopled: SqlStore) -> None:
    with peopled.begin() as unit:
        unit.access.add_session(WebSession("short", "ann", NOON, NOON + HOUR))
        unit.access.drop_expired(now=NOON + HOUR)

    assert held(peopled, "1", "short") == ["1"]


def test_people_and_sessions_make_no_answer_stale(peopled: SqlStore) -> None:
    with peopled.begin() as unit:
        before = unit.scores.data_version()
        unit.access.add_session(logged_in("4"))
        unit.access.save_user(replace(ANN, scope="read"))
    with peopled.begin(write=False) as unit:
        assert unit.scores.data_version() == before


def test_neither_hash_is_in_a_log_line() -> None:
    assert "argon2" not in repr(ANN)
    assert "secret" not in repr(WebSession("secret", "ann", NOON, NOON))
