from math import exp, sqrt

import pytest
from pydantic import ValidationError

from riskwatch.merge import CommonWords, common_words
from riskwatch.merge.likeness import FADING_SECONDS, Wording, words_of_text

WORDS = CommonWords(words={1: "says that", 3: "browser"})  # any other word says 4 bits


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The lab KILLS its browser!", {"kills", "browser"}),
        ("GPT-5.6 and 2 others", {"5", "6", "2", "others"}),
        ("停用 Atlas 浏览器", {"停用", "atlas", "浏览", "览器"}),
        ("在Claude中发布", {"claude", "中发", "发布"}),
        ("Café ﬁnale", {"café", "finale"}),
        ("", set()),
    ],
)
def test_a_text_is_compared_by_longer_words_numbers_and_pairs_of_signs(text: str, words: set[str]) -> None:
    assert words_of_text(text) == words


def test_a_common_word_says_few_bits_and_an_unlisted_one_most() -> None:
    assert WORDS.told("It says that the browser Atlas") == {"says": 1, "that": 1, "browser": 3, "atlas": 4}


def test_a_word_listed_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="listed twice: says"):
        CommonWords(words={1: "says", 2: "says more"})


def test_likeness_is_the_cosine_with_all_tellings_and_fades() -> None:
    wording = Wording()
    wording.add({"browser": 3, "atlas": 4})
    wording.add({"atlas": 4, "gone": 4})

    found = wording.likeness({"browser": 3, "atlas": 4}, seconds=FADING_SECONDS)

    length = sqrt(3**2 + (2 * 4) ** 2 + 4**2)
    assert found == pytest.approx((3 * 3 + 4 * 2 * 4) / (sqrt(3**2 + 4**2) * length) * exp(-1))


def test_one_word_in_common_is_chance() -> None:
    wording = Wording()
    wording.add({"atlas": 4, "gone": 4})

    assert wording.likeness({"atlas": 4, "browser": 3}, seconds=0) == 0.0


def test_common_words_are_listed_by_what_they_say_in_bits() -> None:
    texts = ["model browser", "model atlas", "model studio", *["model other"] * 1597]

    assert common_words(texts) == {0: "model other"}
    assert common_words(texts[:4]) == {0: "model", 2: "atlas browser other studio"}
