"""The direct way to RE2 says what its own Python layer says."""

import re2
from hypothesis import given
from hypothesis import strategies as st

from riskwatch.detect.mask import Token
from riskwatch.detect.names import Names, Placed
from riskwatch.detect.onebyte import mixed_up, narrowed
from riskwatch.detect.patterns import compile_pattern, options

PATTERNS = (
    r"a+",
    r"(?P<x>é)|b",
    r"«[VO][0-9]+»",
    r"",
    r"b*",
    r"\p{Lu}(?P<rest>\p{Ll}*)",
    r"^a|b$",
    r"\bab\b",
)
texts = st.text(alphabet="abAB é«»V1\n漢😀", max_size=30)


@given(st.sampled_from(PATTERNS), texts)
def test_all_matches_are_those_of_re2_in_characters(pattern: str, text: str) -> None:
    theirs = re2.compile(pattern, options=options())
    ours = compile_pattern(pattern)
    groups = range(theirs.groups + 1)

    assert [[found.span(number) for number in groups] for found in ours.finditer(text)] == [
        [found.span(number) for number in groups] for found in theirs.finditer(text)
    ]


@given(st.sampled_from(PATTERNS), texts, st.integers(0, 40), st.integers(0, 40))
def test_a_search_in_bytes_begins_and_stops_where_it_is_told(
    pattern: str, text: str, at: int, stop: int
) -> None:
    raw = text.encode()
    theirs = (
        re2.compile(pattern.encode(), options=options()).search(raw, at, stop) if at <= len(raw) else None
    )
    ours = compile_pattern(pattern.encode()).search(raw, at, stop=stop)

    assert (ours.span() if ours else None) == (theirs.span() if theirs else None)


@given(st.sampled_from(PATTERNS), texts)
def test_a_pattern_hits_where_it_is_found(pattern: str, text: str) -> None:
    compiled = compile_pattern(pattern)
    found = compiled.search(text)

    assert compiled.hits(text) is (found is not None)
    assert found is None or found.group() == text[found.start() : found.end()]


def test_a_group_without_part_is_empty() -> None:
    found = compile_pattern(r"(?P<x>é)|b").search("ab")

    assert found is not None
    assert (found.took_part(1), found.group(1), found.span(1)) == (False, "", (-1, -1))


@given(st.lists(st.integers(0, 50)), st.integers(0, 50), st.integers(0, 50))
def test_names_are_found_by_their_place(starts: list[int], low: int, high: int) -> None:
    names = Names(Placed("body", Token("V", start, start + 1, "x")) for start in starts)

    assert [token.start for token in names.within("body", low, high)] == sorted(
        start for start in starts if low <= start < high
    )
    assert [token.start for token in names.of("body")] == sorted(starts)
    assert not names.within("title", low, high)
    assert not names.of("title")


@given(st.text(max_size=60))
def test_narrowed_text_has_one_byte_a_character(text: str) -> None:
    assert len(narrowed(text)) == len(text)


@given(st.sampled_from(PATTERNS), st.text(alphabet="abAB é«»V1\n\u2019\u201c\u2013\u20ac\u3002", max_size=30))
def test_one_byte_a_character_changes_no_match(pattern: str, text: str) -> None:
    wide = compile_pattern(pattern, case_sensitive=True)
    narrow = compile_pattern(pattern, case_sensitive=True, is_narrow=True)
    groups = range(len(wide.groupindex) + 1)

    assert [[found.span(number) for number in groups] for found in narrow.finditer(narrowed(text))] == [
        [found.span(number) for number in groups] for found in wide.finditer(text)
    ]
    assert dict(narrow.groupindex) == dict(wide.groupindex)


def test_narrowed_letters_keep_their_kind() -> None:
    capital, number = (compile_pattern(p, case_sensitive=True, is_narrow=True) for p in (r"\p{Lu}", r"\p{N}"))

    assert [capital.hits(narrowed(text)) for text in ("Ł", "ł", "漢", "٣", "😀")] == [True, *[False] * 4]
    assert [number.hits(narrowed(text)) for text in ("Ł", "ł", "漢", "٣", "😀")] == [
        *[False] * 3,
        True,
        False,
    ]


def test_pictures_newer_than_the_tables_are_pictures_and_no_amounts() -> None:
    pictures = compile_pattern("[\U0001f300-\U0001faff]", case_sensitive=True, is_narrow=True)

    assert [pictures.hits(narrowed(sign)) for sign in "\U0001f680\U0001faff£¢¤→"] == [
        True,
        True,
        *[False] * 4,
    ]


def test_ranges_over_kinds_and_scripts_are_known_to_lose_their_meaning() -> None:
    lost = ("[À-ž]", "[\u2018-\u201f]", r"\p{Han}", r"\P{^Greek}", "[a-\u044f]")
    kept = ("[\u2013\u2014-]", "[🌀-🫿☀-⯿]", r"[\p{L}'-]", "[à-ÿ]", "[\u0430-\u044f]", "GPT-5", "[-\u2019]")

    assert [pattern for pattern in (*lost, *kept) if mixed_up(pattern)] == list(lost)


def test_signs_that_patterns_tell_apart_stay_apart() -> None:
    signs = "\u2019\u2018\u201c\u201d\u2013\u2014\u2026\u20ac\u20b9\u2022\u3002\uff1b\uff1f\uff01"

    assert len(set(narrowed(signs))) == len(signs)
