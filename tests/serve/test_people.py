"""Whoever has the command line makes, renews and disables people."""

from collections.abc import Iterator

import pytest

from riskwatch.errors import Conflict, Invalid, NotFound
from riskwatch.serve import passwords
from riskwatch.serve.people import People, folded
from riskwatch.store.sql import SqlStore
from tests.serve.installation import HOSTILE
from tests.serve.people import cheap_hashes
from tests.store.builders import NOON


@pytest.fixture(autouse=True)
def _cheap_hashes() -> Iterator[None]:
    with cheap_hashes():
        yield


@pytest.fixture
def people(store: SqlStore) -> People:
    return People(store, lambda: NOON)


def opens(people: People, name: str, password: str) -> bool:
    (user,) = (one for one in people.all() if one.name == name)
    return passwords.is_right(password, user.password_hash)


def test_the_first_person_is_an_admin_with_a_one_time_password_made_once(people: People) -> None:
    password = people.first_admin()

    assert password is not None
    assert [(one.name, one.scope, one.is_one_time) for one in people.all()] == [("admin", "admin", True)]
    assert opens(people, "admin", password)
    assert people.first_admin() is None


def test_no_admin_is_made_where_there_is_somebody(people: People) -> None:
    people.add("ann", scope="read")
    people.disable("ann")

    assert people.first_admin() is None


def test_of_two_that_make_the_same_person_one_does(people: People) -> None:
    password = people.add("Ann@Example.com ", scope="review")

    with pytest.raises(Conflict, match="riskwatch user list"):
        people.add("ann@example.com", scope="admin")
    assert opens(people, "ann@example.com", password)
    assert [one.scope for one in people.all()] == ["review"]


def test_a_new_password_replaces_the_old_one_and_must_be_changed(people: People) -> None:
    old = people.add("ann", scope="read")

    new = people.renew("Ann")

    assert opens(people, "ann", new)
    assert not opens(people, "ann", old)
    assert people.all()[0].is_one_time


def test_whoever_is_disabled_is_so_since_then_until_enabled(people: People) -> None:
    people.add("ann", scope="read")

    people.disable("ann")
    assert people.all()[0].disabled_at == NOON
    people.enable("ann")
    assert people.all()[0].disabled_at is None


def test_nobody_is_changed_who_is_not_there(people: People) -> None:
    for change in (people.renew, people.disable, people.enable):
        with pytest.raises(NotFound, match="riskwatch user list"):
            change("nobody")


@pytest.mark.parametrize(
    "name", ["", " ", "@ann", "a b", "é", "\uff21nn", "\u212aen", "a" * 65, "ann\0", "../x", HOSTILE]
)
def test_a_name_that_could_do_harm_is_nobody_s(people: People, name: str) -> None:
    assert folded(name) is None
    with pytest.raises(Invalid, match="name: write 1 to 64"):
        people.add(name, scope="read")


def test_each_change_is_in_the_audit_log_without_a_password(people: People, store: SqlStore) -> None:
    password = people.add("ann", scope="review")
    people.renew("ann")
    people.disable("ann")
    people.enable("ann")

    with store.begin(write=False) as unit:
        lines = unit.access.audit()
        assert unit.access.verify_audit() is None
    assert [(one.actor, one.action, one.object) for one in lines] == [
        ("command line", f"person.{action}", "ann") for action in ("add", "password", "disable", "enable")
    ]
    assert password not in str(lines)
    assert "argon2" not in str(lines)
