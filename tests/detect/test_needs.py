"""What a pattern cannot do without is never more than it really needs."""

import re2
from hypothesis import example, given
from hypothesis import strategies as st

from riskwatch.detect.needs import Finder, needs, words_of
from riskwatch.detect.patterns import options

PATTERNS = (
    r"\b(?:step(?:s|ped|ping)? (?:down|aside)|resign(?:s|ed)?|quit)\b",
    r"(?:ab|ba) (?:a|b)+(?: ab){0,3}? aba\w*",
    r"^a (?:[a-b]+ )*b(?:$|[,.] )",
    r"(?P<t>ab|a[bé]) [^.;]{0,4}?\b(?:ba|b{2,})\b",
    r"a(?:b| )b",
    r"\bab\B|[]a]b|a-?b",
    r"(?-i:A)b(?i)c?d",
    r"«[VO][0-9]+»(?:'s)? ab",
    r"漢字|宣布(?:離|é)職",
    r"\p{Lu}b \d+ \.ab",
    r"(?:ab ?){2,3}b|a{0}b",
    r"\Qa.b\E",
    r"(?:ab)(?:)|b??a",
)
texts = st.text(alphabet="abAB é«»V1-.,;漢字宣布離職\n_", max_size=24)
written = st.lists(
    st.sampled_from(
        ["ab", "ba", "aba", "abbb", "b", "«V0»", "steps", "down", "resigned", "漢字", "宣布離職"]
    ),
    max_size=8,
).map(" ".join)


@given(st.sampled_from(PATTERNS), texts | written, st.booleans())
@example(PATTERNS[0], "He stepped down.", True)
def test_every_text_that_matches_holds_what_is_needed(pattern: str, text: str, is_spaced: bool) -> None:
    matches = re2.search(pattern, text, options=options())
    words = words_of(text.replace("«V0»", "Acme"), is_spaced=is_spaced)

    missing = [needed for needed in needs(pattern, is_spaced=is_spaced) if not needed & words]

    assert not (matches and missing)


def test_of_each_alternative_the_rarer_words_are_needed() -> None:
    assert needs(r"\b(?:step(?:s|ped)? down|resign(?:s|ed))\b") == {
        frozenset({"down", "resigns", "resigned"})
    }


def test_words_apart_are_needed_each() -> None:
    assert needs(r"«V0» (?:launches|unveils) .*\bmodels?\b") == {
        frozenset({"launches", "unveils"}),
        frozenset({"model", "models"}),
    }


def test_a_word_that_may_go_on_is_needed_by_its_beginning() -> None:
    assert needs(r"\bexfiltrat\w+") == {frozenset({"exfil*"})}


def test_a_word_that_may_be_the_end_of_another_is_not_needed() -> None:
    assert needs(r"«V0».{0,9}?partners ") == frozenset()


def test_a_group_that_may_be_missing_is_not_needed() -> None:
    assert needs(r"\b(?:recently )?(?:has )*fined\b") == {frozenset({"fined"})}


def test_syntax_that_is_not_known_needs_nothing() -> None:
    assert needs(r"\bfined\b(") == needs(r"\bfined\b\Q.\E") == needs(r"(?=fined)") == frozenset()


def test_patterns_are_told_by_the_numbers_of_their_groups() -> None:
    finder = Finder([[r"\bfined\b", r"\bsued\b"], [r"\bleaves\b"], [r"x"]], is_spaced=True)
    sued, grows = (
        words_of(text, is_spaced=True) for text in ("Acme was sued, its boss leaves", "Acme grows")
    )

    assert finder.possible(sued, [0, 2]) == {0: [1], 2: [0]}
    assert finder.possible(grows, [0, 1]) == {}


def test_without_spaces_signs_side_by_side_are_needed() -> None:
    finder = Finder([[r"离职|辞去"]], is_spaced=False)

    assert finder.possible(words_of("林俊旸宣布离职", is_spaced=False), [0]) == {0: [0]}
    assert finder.possible(words_of("林俊旸离开职位", is_spaced=False), [0]) == {}


def test_the_words_beside_an_alternative_that_begins_a_token_are_needed() -> None:
    assert needs(r"\bfined (?:$| (?:to|«m|over)\b)") == {frozenset({"fined"})}
