"""Text without spaces between words: sentences, numbers and persons of the shipped Chinese pack."""

from datetime import UTC, datetime

import pytest

from riskwatch import settings
from riskwatch.compiling import compile_rules
from riskwatch.detect import Ruleset, detect
from riskwatch.detect.quantity import read_money, read_number, read_percent
from riskwatch.model import Article, Signal


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    return compile_rules(settings.load())


def told(text: str, ruleset: Ruleset) -> tuple[Signal, ...]:
    at = datetime(2026, 3, 5, tzinfo=UTC)
    article = Article("feed", "1", None, text, None, at, "zh", "Blatt", "blatt", "3", id="a1")
    return detect(article, ruleset).signals


@pytest.mark.parametrize(
    ("words", "number"), [("三名", 3), ("二十五名", 25), ("三百人", 300), ("十二位", 12), ("3000", 3000)]
)
def test_numbers_are_built_from_signs(words: str, number: int, ruleset: Ruleset) -> None:
    assert read_number(words, pack=ruleset.languages["zh"].pack) == (number, True)


def test_a_percent_sign_may_lead_its_number(ruleset: Ruleset) -> None:
    pack = ruleset.languages["zh"].pack
    assert read_percent("百分之五", pack=pack) == 5
    assert read_percent("百分之12", pack=pack) == 12


def test_money_is_scaled_by_ten_thousands(ruleset: Ruleset) -> None:
    pack = ruleset.languages["zh"].pack
    assert read_money("70 亿美元", pack=pack) == (7e9, "USD")
    assert read_money("三万元", pack=pack) == (3e4, "CNY")


def test_sentences_end_without_a_space(ruleset: Ruleset) -> None:
    raw = "一切正常!服务宕机?好。".encode()
    spans = list(ruleset.languages["zh"].splitter.spans(raw))
    assert [raw[low:high].decode() for low, high in spans] == ["一切正常!", "服务宕机?", "好。"]


def test_an_unknown_person_has_the_family_name_first(ruleset: Ruleset) -> None:
    found = told("百度副总裁王晓明离职。", ruleset)
    assert [(s.vendor, s.type, s.attributes["person"]) for s in found] == [
        ("baidu", "leadership_exit", "王晓明")
    ]


def both(title: str, text: str, ruleset: Ruleset, *, lang: str = "zh") -> set[tuple[str, str, str, str]]:
    """Return what an article of two languages says, as vendor, type, assertion and field."""
    at = datetime(2026, 3, 5, tzinfo=UTC)
    article = Article("feed", "1", title, text, None, at, lang, "Blatt", "blatt", "3", id="a1")
    signals = detect(article, ruleset).signals
    return {(s.vendor, s.type, s.assertion.value, s.evidence.field) for s in signals}


def test_an_english_headline_over_a_chinese_teaser_is_read_in_english(ruleset: Ruleset) -> None:
    found = both("Authors sue Mistral AI over pirated novels", "本周的其他新闻很少。", ruleset)
    assert found == {("mistral", "lawsuit", "confirmed", "title")}


def test_a_headline_in_another_language_does_not_make_its_teaser_background(ruleset: Ruleset) -> None:
    title = "A quiet morning in the model business, with one letter from Hangzhou"
    assert both(title, "百度副总裁王晓明离职。", ruleset) == {
        ("baidu", "leadership_exit", "confirmed", "body")
    }


def test_a_teaser_is_read_in_its_own_script_whatever_the_feed_says_of_the_language(ruleset: Ruleset) -> None:
    title = "A quiet morning in the model business, with one letter from Hangzhou"
    assert both(title, "百度副总裁王晓明离职。", ruleset, lang="en") == {
        ("baidu", "leadership_exit", "confirmed", "body")
    }


def test_an_english_text_with_a_few_chinese_signs_stays_english(ruleset: Ruleset) -> None:
    text = "OpenAI (开放人工智能) shuts down the Codex API, the company said on Monday."
    found = both("A note", text, ruleset, lang="en")
    assert {(vendor, kind) for vendor, kind, _, _ in found} == {("openai", "deprecation")}
