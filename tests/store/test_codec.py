from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskwatch.model import Article, Event, Incident, Score, Signal, Transition, Verdict
from riskwatch.store.sql.codec import clean, decode, encode
from tests.store.builders import NOON, a_score, an_article, an_event

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
instants = st.datetimes(timezones=st.just(UTC))
numbers = st.floats(allow_nan=False)
for kind, strategy in ((str, words), (datetime, instants), (float, numbers)):
    st.register_type_strategy(kind, strategy)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=9,
)
values = (
    *(st.from_type(kind) for kind in (Article, Signal, Event, Score, Verdict, Incident)),
    st.builds(Transition, alert=st.none() | st.dictionaries(words, plain, max_size=3)),
)


@settings(max_examples=30, deadline=None)
@given(st.one_of(*values))
def test_every_value_comes_back_equal_and_of_the_same_types(value: object) -> None:
    again = decode(type(value), encode(value))

    assert again == value
    assert encode(again) == encode(value)


def test_one_and_one_point_nought_and_true_stay_apart() -> None:
    value = an_event(attributes={"a": 1, "b": 1.0, "c": True})

    again = decode(Event, encode(value))

    assert [type(each) for each in again.attributes.values()] == [int, float, bool]


def test_an_instant_in_another_zone_comes_back_as_the_same_instant_in_utc() -> None:
    beijing = an_event(occurred_at=NOON.astimezone(timezone(timedelta(hours=8))))

    again = decode(Event, encode(beijing))

    assert again.occurred_at == NOON
    assert again.occurred_at.tzinfo is UTC


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        encode(an_event(occurred_at=NOON.replace(tzinfo=None)))


def test_nul_and_lone_surrogates_become_replacement_characters_at_the_same_place() -> None:
    assert clean("a\0b\ud800c\udfffé") == "a\ufffdb\ufffdc\ufffdé"


def test_a_pair_of_lone_surrogates_does_not_become_an_emoji() -> None:
    value = an_article(title="\ud83d\ude00")

    assert decode(Article, encode(value)).title == "\ufffd\ufffd"


def test_a_key_that_an_older_text_lacks_takes_the_default() -> None:
    old = encode(an_event(), without=("background", "split_from"))

    assert decode(Event, old) == an_event()


def test_a_key_that_a_newer_program_wrote_is_ignored() -> None:
    newer = encode(a_score())[:-1] + ',"invented_later":1}'

    assert decode(Score, newer) == a_score()


def test_a_text_that_lacks_a_needed_key_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="Event lacks vendor"):
        decode(Event, encode(an_event(), without=("vendor",)))


def test_stored_fields_beside_the_text_win() -> None:
    text = encode(an_event(), without=("recorded_at",))

    assert decode(Event, text, recorded_at=NOON) == replace(an_event(), recorded_at=NOON)


def test_a_shape_that_json_cannot_tell_apart_is_refused() -> None:
    @dataclass(frozen=True)
    class Odd:
        either: datetime | str

    with pytest.raises(TypeError, match="told apart"):
        encode(Odd("x"))
