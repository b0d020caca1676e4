from collections.abc import Sequence
from dataclasses import replace

import pytest

from riskwatch.errors import NotFound
from riskwatch.model import Assertion, Signal
from riskwatch.store.sql import SqlStore
from tests.store.builders import HOUR, NOON, a_signal, an_article


def _an_article_id(store: SqlStore, guid: str = "g1") -> str:
    with store.begin() as unit:
        return unit.articles.add_articles([an_article(guid)], now=NOON).new[0]


def _ids(signals: Sequence[Signal]) -> list[str]:
    return [signal.id for signal in signals]


def test_a_signal_comes_back_as_given_with_the_instant_of_storing(store: SqlStore) -> None:
    id_ = _an_article_id(store)
    signal = a_signal(article_id=id_)

    with store.begin() as unit:
        touched = unit.events.add_signals({(id_, 1): [signal]}, now=NOON)

    assert touched == (("alibaba", "executive_departure"),)
    with store.begin(write=False) as unit:
        assert unit.events.signals("alibaba") == (replace(signal, recorded_at=NOON),)
        assert unit.events.signals_of_article(id_) == unit.events.signals("alibaba")
        assert unit.events.signals_by_id(["s1", "none"]) == {"s1": replace(signal, recorded_at=NOON)}


def test_the_same_signals_again_change_nothing(store: SqlStore) -> None:
    id_ = _an_article_id(store)
    with store.begin() as unit:
        unit.events.add_signals({(id_, 1): [a_signal(article_id=id_)]}, now=NOON)
    with store.begin(write=False) as unit:
        before = unit.scores.data_version(), unit.events.signals("alibaba")

    with store.begin() as unit:
        unit.events.add_signals({(id_, 1): [a_signal(article_id=id_)]}, now=NOON + HOUR)

    with store.begin(write=False) as unit:
        assert (unit.scores.data_version(), unit.events.signals("alibaba")) == before


def test_a_revision_supersedes_and_the_past_still_knows_the_old_signal(store: SqlStore) -> None:
    id_ = _an_article_id(store)
    old, new = a_signal("old", id_), a_signal("new", id_, revision=2)
    with store.begin() as unit:
        unit.events.add_signals({(id_, 1): [old]}, now=NOON)
        unit.events.add_signals({(id_, 2): [new]}, now=NOON + HOUR)

    with store.begin(write=False) as unit:
        assert _ids(unit.events.signals("alibaba")) == ["new"]
        assert _ids(unit.events.signals("alibaba", known_at=NOON)) == ["old"]
        assert _ids(unit.events.signals("alibaba", known_at=NOON + HOUR)) == ["new"]
        assert unit.events.signals("alibaba", known_at=NOON - HOUR) == ()
        assert _ids(unit.events.signals_of_article(id_)) == ["new"]
        assert set(unit.events.signals_by_id(["old", "new"])) == {"old", "new"}


def test_a_revision_without_signals_supersedes_all(store: SqlStore) -> None:
    id_ = _an_article_id(store)
    with store.begin() as unit:
        unit.events.add_signals({(id_, 1): [a_signal(article_id=id_)]}, now=NOON)
        touched = unit.events.add_signals({(id_, 2): []}, now=NOON + HOUR)

        assert touched == (("alibaba", "executive_departure"),)
        assert unit.events.signals("alibaba") == ()
        assert unit.events.signals_of_article(id_) == ()


def test_a_ruleset_that_reads_the_same_revision_otherwise_supersedes_too(store: SqlStore) -> None:
    id_ = _an_article_id(store)
    first = a_signal(article_id=id_)
    with store.begin() as unit:
        unit.events.add_signals({(id_, 1): [first]}, now=NOON)
        unit.events.add_signals({(id_, 1): [replace(first, assertion=Assertion.DENIED)]}, now=NOON + HOUR)
        unit.events.add_signals({(id_, 1): [first]}, now=NOON + 2 * HOUR)

        said = [
            unit.events.signals("alibaba", known_at=NOON + hours * HOUR)[0].assertion for hours in range(3)
        ]
        assert said == [Assertion.REPORTED, Assertion.DENIED, Assertion.REPORTED]
        assert len(unit.events.signals("alibaba")) == 1


def test_a_late_writer_of_an_older_revision_changes_nothing(store: SqlStore) -> None:
    id_ = _an_article_id(store)
    with store.begin() as unit:
        unit.events.add_signals({(id_, 2): [a_signal("new", id_, revision=2)]}, now=NOON)
        unit.events.add_signals({(id_, 1): [a_signal("old", id_)]}, now=NOON)

        assert _ids(unit.events.signals("alibaba")) == ["new"]


def test_a_clock_set_back_never_ends_a_signal_before_it_began(store: SqlStore) -> None:
    id_ = _an_article_id(store)
    with store.begin() as unit:
        unit.events.add_signals({(id_, 1): [a_signal("old", id_)]}, now=NOON)
        unit.events.add_signals({(id_, 2): [a_signal("new", id_, revision=2)]}, now=NOON - HOUR)

        assert _ids(unit.events.signals("alibaba", known_at=NOON)) == ["new"]


def test_signals_are_sorted_by_telling_text_place_and_id(store: SqlStore) -> None:
    id_ = _an_article_id(store)
    signals = [
        a_signal("d", id_, published_at=NOON),
        a_signal("b", id_, text_key="A"),
        a_signal("c", id_, text_key="a"),
        a_signal("a", id_, text_key="a"),
    ]

    with store.begin() as unit:
        unit.events.add_signals({(id_, 1): signals}, now=NOON)

        assert _ids(unit.events.signals("alibaba")) == ["b", "a", "c", "d"]


def test_signals_are_chosen_by_vendor_and_type(store: SqlStore) -> None:
    id_ = _an_article_id(store)
    signals = [a_signal("a", id_), a_signal("b", id_, type="outage"), a_signal("c", id_, vendor="openai")]

    with store.begin() as unit:
        unit.events.add_signals({(id_, 1): signals}, now=NOON)

        assert _ids(unit.events.signals("alibaba", types=["outage", "lawsuit"])) == ["b"]
        assert _ids(unit.events.signals("openai")) == ["c"]
        assert unit.events.signals("' OR 1=1 --") == ()


def test_a_signal_of_an_unknown_article_is_refused(store: SqlStore) -> None:
    with pytest.raises(NotFound), store.begin() as unit:
        unit.events.add_signals({("nobody", 1): [a_signal()]}, now=NOON)
