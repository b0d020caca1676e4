"""What a pattern cannot do without is never more than it really needs."""

import re2
from hypothesis import example, given
from hypothesis import strategies as st

from riskwatch.detect.mask import Token
from riskwatch.detect.needs import needs, words_of
from riskwatch.detect.patterns import options
from riskwatch.detect.selection import Finder

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
    tokens = [Token("V", at, at + 4, "Acme") for at in range(len(text)) if text.startswith("«V0»", at)]
    words = words_of(text, tokens, is_spaced=is_spaced)

    missing = [needed for needed in needs(pattern, is_spaced=is_spaced) if not needed & words.keys()]

    assert not (matches and missing)
    assert not matches or Finder([[pattern]], is_spaced=is_spaced).possible(words)


def test_of_each_alternative_the_rarer_words_are_needed() -> None:
    assert needs(r"\b(?:step(?:s|ped)? down|resign(?:s|ed))\b") == {
        frozenset({"step down", "steps down", "stepped down", "resigns", "resigned"})
    }


def test_words_apart_are_needed_each() -> None:
    assert needs(r"«O0» (?:launches|unveils) .*\bmodels?\b") == {
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

    assert finder.possible(sued) == {0: [1], 1: [0], 2: [0]}
    assert finder.possible(grows) == {2: [0]}


def test_without_spaces_signs_side_by_side_are_needed() -> None:
    finder = Finder([[r"离职|辞去"]], is_spaced=False)

    assert finder.possible(words_of("林俊旸宣布离职", is_spaced=False)) == {0: [0]}
    assert finder.possible(words_of("林俊旸离开职位", is_spaced=False)) == {}


def test_the_words_beside_an_alternative_that_begins_a_token_are_needed() -> None:
    assert needs(r"\bfined (?:$| (?:to|«m|over)\b)") == {frozenset({"fined"})}


def test_words_side_by_side_are_needed_together() -> None:
    finder = Finder([[r"\b(?:deal|pact) with\b"]], is_spaced=True)

    assert finder.possible(words_of("A new pact with Acme", is_spaced=True)) == {0: [0]}
    assert finder.possible(words_of("With Acme, a new pact", is_spaced=True)) == {}


def test_words_are_needed_in_the_order_of_the_pattern() -> None:
    finder = Finder([[r"\bsued .{0,30}\bcourt\b"]], is_spaced=True)

    assert finder.possible(words_of("Acme was sued in a court", is_spaced=True)) == {0: [0]}
    assert finder.possible(words_of("A court heard who was sued", is_spaced=True)) == {}


def test_the_name_of_a_vendor_and_the_beginning_of_a_text_are_words() -> None:
    finder = Finder([[r"^«V[0-9]+» and\b"]], is_spaced=True)
    first, later = "Acme and others", "How Acme and others"

    assert finder.possible(words_of(first, [Token("V", 0, 4, "Acme")], is_spaced=True)) == {0: [0]}
    assert finder.possible(words_of(first, [Token("O", 0, 4, "Acme")], is_spaced=True)) == {}
    assert finder.possible(words_of(later, [Token("V", 4, 8, "Acme")], is_spaced=True)) == {}


def test_what_the_prefilter_needs_is_needed_too_even_inside_a_name() -> None:
    finder = Finder([[r"\bends\b"]], is_spaced=True, hints=[r"\b(?:api|acme) x?"])

    assert finder.possible(words_of("Acme ends", [Token("V", 0, 4, "Acme")], is_spaced=True)) == {0: [0]}
    assert finder.possible(words_of("Otto ends", [Token("V", 0, 4, "Otto")], is_spaced=True)) == {}
