from dataclasses import replace

from riskwatch.model import HostState, SourceState
from riskwatch.store.sql import SqlStore
from tests.store.builders import HOUR, NOON, a_poll


def test_the_state_of_a_source_is_replaced_whole(store: SqlStore) -> None:
    state = SourceState("wire", etag='"x"', next_due_at=NOON, consecutive_failures=2, learned_gap_seconds=1.5)
    with store.begin() as unit:
        unit.articles.save_source_states([state])
    with store.begin() as unit:
        unit.articles.save_source_states([replace(state, etag=None, last_ok_at=NOON)])

        assert unit.articles.source_states() == {"wire": replace(state, etag=None, last_ok_at=NOON)}


def test_an_unchanged_state_changes_no_answer(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.articles.save_source_states([SourceState("wire", next_due_at=NOON)])
    with store.begin() as unit:
        before = unit.scores.data_version()
        unit.articles.save_source_states([SourceState("wire", next_due_at=NOON)])

        assert unit.scores.data_version() == before


def test_a_leased_source_is_free_again_only_when_the_lease_ends(store: SqlStore) -> None:
    until = NOON + HOUR
    with store.begin() as unit:
        first = unit.articles.lease_sources(["b", "a", "a"], token="t1", now=NOON, until=until)
        second = unit.articles.lease_sources(["a", "b", "c"], token="t2", now=NOON, until=until)
        third = unit.articles.lease_sources(["a", "b", "c"], token="t3", now=until, until=until + HOUR)

    assert (first, second, third) == (("a", "b"), ("c",), ("a", "b", "c"))


def test_the_same_token_does_not_get_a_held_source_twice(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.articles.lease_sources(["a"], token="t", now=NOON, until=NOON + HOUR)

        assert unit.articles.lease_sources(["a"], token="t", now=NOON, until=NOON + HOUR) == ()


def test_a_host_is_left_alone_until_its_instant(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.articles.save_host_states([HostState("a.example", NOON)])
        unit.articles.save_host_states([HostState("a.example", NOON + HOUR)])

        assert unit.articles.host_states() == {"a.example": HostState("a.example", NOON + HOUR)}


def test_polls_come_newest_first_and_once(store: SqlStore) -> None:
    one, two = a_poll("p1"), a_poll("p2", started_at=NOON + HOUR, outcome="bad_status", reason="\0 500")
    with store.begin() as unit:
        unit.articles.add_polls([one, two])
        unit.articles.add_polls([one])
        unit.articles.add_polls([])

        assert unit.articles.polls("wire") == (replace(two, reason="\ufffd 500"), one)
        assert unit.articles.polls("wire", limit=1)[0].id == "p2"
        assert unit.articles.polls("none") == ()


def test_the_last_good_poll_is_the_last_one_known_then(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.articles.add_polls(
            [
                a_poll("p1"),
                a_poll("p2", started_at=NOON + HOUR, outcome="not_modified"),
                a_poll("p3", started_at=NOON + 2 * HOUR, outcome="gone"),
                a_poll("p4", source_id="dead", outcome="gone"),
            ]
        )

        assert unit.articles.last_ok_polls(known_at=NOON + HOUR / 2) == {"wire": NOON}
        assert unit.articles.last_ok_polls(known_at=NOON + 3 * HOUR) == {"wire": NOON + HOUR}


def test_the_first_good_poll_of_a_source_is_the_one_that_only_taught(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.articles.add_polls(
            [
                a_poll("p1", outcome="gone"),
                a_poll("p3", started_at=NOON + 2 * HOUR),
                a_poll("p2", started_at=NOON + HOUR, outcome="not_modified"),
                a_poll("p4", source_id="dead", outcome="gone"),
            ]
        )

        assert unit.articles.first_ok_polls() == {"wire": NOON + HOUR}
