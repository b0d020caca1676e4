import pytest
from sqlalchemy import bindparam, update

from riskwatch.store.sql import SqlStore
from riskwatch.store.sql.engine import transaction
from riskwatch.store.sql.many import run_many
from riskwatch.store.sql.tables import setting

_VALUE = bindparam("value_", "same", type_=setting.c.value.type)
_CHANGED = update(setting).where(setting.c.name == bindparam("called")).values(value=_VALUE)


def _told(store: SqlStore) -> list[str | None]:
    with store.begin(write=False) as unit:
        return [unit.access.setting(name) for name in ("a", "b")]


def _stored(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.access.save_setting("a", "1")
        unit.access.save_setting("b", "2")


def test_each_row_gives_its_own_values(store: SqlStore) -> None:
    _stored(store)
    with transaction(store._engine, write=True) as connection:
        run_many(connection, _CHANGED, [{"called": "b", "value_": "y\0"}, {"called": "a", "value_": "x"}])

    assert _told(store) == ["x", "y\ufffd"]


def test_what_the_rows_do_not_give_comes_from_the_statement(store: SqlStore) -> None:
    _stored(store)
    with transaction(store._engine, write=True) as connection:
        run_many(connection, _CHANGED, [{"called": "a"}, {"called": "b"}])

    assert _told(store) == ["same", "same"]


def test_a_row_without_a_value_that_is_needed_is_refused(store: SqlStore) -> None:
    _stored(store)
    with transaction(store._engine, write=True) as connection, pytest.raises(KeyError):
        run_many(connection, _CHANGED, [{"called": "a", "value_": "x"}, {"value_": "y"}])

    assert _told(store) == ["1", "2"]
