import contextlib
from dataclasses import replace

import pytest

from riskwatch.errors import Conflict
from riskwatch.store.sql import SqlStore
from tests.store.builders import HOUR, NOON, a_snapshot


def test_a_snapshot_comes_back_as_given(store: SqlStore) -> None:
    snapshot = a_snapshot(reasons=("no_coverage",), points=None, low=None)

    with store.begin() as unit:
        unit.scores.add_snapshots([snapshot])

        assert unit.scores.latest("alibaba") == snapshot
        assert unit.scores.latest("nobody") is None


def test_the_same_result_on_the_same_day_for_the_same_cause_is_not_doubled(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.scores.add_snapshots([a_snapshot("n1")])
    with store.begin() as unit:
        before = unit.scores.data_version()
        unit.scores.add_snapshots([a_snapshot("n2", as_of=NOON + HOUR)])
        assert unit.scores.data_version() == before

        unit.scores.add_snapshots(
            [
                a_snapshot("n3", as_of=NOON + 24 * HOUR),
                a_snapshot("n4", cause="daily"),
                a_snapshot("n5", result_id="1"),
            ]
        )

        kept = unit.scores.history("alibaba", since=NOON, until=NOON + 24 * HOUR)
        assert [snapshot.id for snapshot in kept] == ["n1", "n4", "n5", "n3"]


def test_the_latest_snapshot_is_by_as_of_then_by_recording(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.scores.add_snapshots(
            [
                a_snapshot("old", result_id="1"),
                a_snapshot("corrected", result_id="2", recorded_at=NOON + HOUR),
                a_snapshot("earlier", result_id="3", as_of=NOON - HOUR, recorded_at=NOON + 2 * HOUR),
                a_snapshot("other", subject="openai"),
            ]
        )

        def latest(**known: object) -> dict[str, str]:
            return {name: one.id for name, one in unit.scores.latest_all(**known).items()}  # type: ignore[arg-type] # as given

        assert latest() == {"alibaba": "corrected", "openai": "other"}
        assert latest(known_at=NOON) == {"alibaba": "old", "openai": "other"}
        assert latest(known_at=NOON - HOUR) == {}
        newest = unit.scores.latest("alibaba", known_at=NOON)
        assert newest is not None
        assert newest.id == "old"


def test_no_snapshot_at_all_is_no_answer(store: SqlStore) -> None:
    with store.begin(write=False) as unit:
        assert unit.scores.latest_all() == {}
        assert unit.scores.history_points(since=NOON, until=NOON) == {}


def test_points_over_time_come_by_subject_and_keep_not_rated_apart(store: SqlStore) -> None:
    later = NOON + 24 * HOUR
    with store.begin() as unit:
        unit.scores.add_snapshots(
            [
                a_snapshot("2", as_of=later, points=None),
                a_snapshot("1"),
                a_snapshot("3", subject="openai", as_of=later + HOUR),
            ]
        )

        found = unit.scores.history_points(since=NOON, until=later)
        one = unit.scores.history_points(since=NOON, until=later + HOUR, subject="openai")

    assert found == {"alibaba": ((NOON, 71.5), (later, None))}
    assert one == {"openai": ((later + HOUR, 71.5),)}


def test_a_methodology_is_known_by_version_and_digest(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.scores.save_methodology(version=1, digest="a", text="x: 1", now=NOON)
    with store.begin() as unit:
        before = unit.scores.data_version()
        unit.scores.save_methodology(version=1, digest="a", text="x: 1", now=NOON)
        assert unit.scores.data_version() == before
    with pytest.raises(Conflict, match="new version"), store.begin() as unit:
        unit.scores.save_methodology(version=1, digest="b", text="x: 2", now=NOON)


def test_the_data_version_grows_with_a_write_and_stays_after_a_rollback(store: SqlStore) -> None:
    with store.begin() as unit:
        start = unit.scores.data_version()
        unit.scores.add_snapshots([a_snapshot()])
        assert unit.scores.data_version() == start + 1
    with contextlib.suppress(ZeroDivisionError), store.begin() as unit:
        unit.scores.add_snapshots([replace(a_snapshot("n2"), cause="daily")])
        raise ZeroDivisionError

    with store.begin(write=False) as unit:
        assert unit.scores.data_version() == start + 1
        assert len(unit.scores.history("alibaba", since=NOON, until=NOON)) == 1
