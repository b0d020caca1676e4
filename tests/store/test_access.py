from dataclasses import replace

import pytest

from riskwatch.errors import Conflict, NotFound
from riskwatch.store import ApiKey
from riskwatch.store.sql import SqlStore
from tests.store.builders import HOUR, NOON

KEY = ApiKey("k1", "ci", "hash", ("read", "review"), NOON, expires_at=NOON + HOUR)


def test_a_key_is_stored_used_and_ended(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.access.add_key(KEY)
        unit.access.touch_key("k1", now=NOON + HOUR)
        unit.access.revoke_key("k1", now=NOON + HOUR)
        unit.access.revoke_key("k1", now=NOON + 2 * HOUR)

    with store.begin(write=False) as unit:
        ended = replace(KEY, last_used_at=NOON + HOUR, revoked_at=NOON + HOUR)
        assert unit.access.key("k1") == ended
        assert unit.access.keys() == (ended,)
        assert unit.access.key("k2") is None


def test_a_taken_id_is_a_conflict_and_an_unknown_one_not_found(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.access.add_key(KEY)
    with pytest.raises(Conflict, match="taken"), store.begin() as unit:
        unit.access.add_key(replace(KEY, secret_hash="other"))
    with pytest.raises(NotFound), store.begin() as unit:
        unit.access.revoke_key("nobody", now=NOON)


def test_a_setting_is_replaced_and_counts_as_a_change_only_when_it_differs(store: SqlStore) -> None:
    with store.begin() as unit:
        assert unit.access.setting("clock") is None
        unit.access.save_setting("clock", "2026")
    with store.begin() as unit:
        before = unit.scores.data_version()
        unit.access.save_setting("clock", "2026")
        assert unit.scores.data_version() == before
        unit.access.save_setting("clock", "2027\0")
        assert unit.access.setting("clock") == "2027\ufffd"
        assert unit.scores.data_version() == before + 1
