"""Units: events of businesses that are not about models live there, where no line is named."""

from datetime import UTC, datetime

import pytest

from riskwatch import settings
from riskwatch.compiling import compile_rules
from riskwatch.detect import Ruleset, detect
from riskwatch.model import Article


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    return compile_rules(settings.load(environ={}))


def subjects(ruleset: Ruleset, title: str, text: str = "") -> set[str]:
    at = datetime(2026, 8, 15, tzinfo=UTC)
    article = Article("news", "1", title, text, None, at, "en", "Example Daily", "example", "2", id="a1")
    return {signal.subject for signal in detect(article, ruleset).signals}


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("Google discontinues the Pixel 6", "google/-devices"),
        ("Microsoft discontinues the Xbox Series S", "microsoft/-xbox"),
        ("ICE bars its employees from wearing Meta's smart glasses", "meta/-reality"),
        ("ICE bars its employees from wearing Meta's Smart Glasses", "meta/-reality"),
        ("EU fines Alibaba €300 million over illegal goods on AliExpress", "alibaba/-retail"),
    ],
)
def test_an_event_of_another_business_lives_there(ruleset: Ruleset, title: str, subject: str) -> None:
    assert subjects(ruleset, title) == {subject}


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("Google will shut down Gemini 2.5 Pro on Android", "google/gemini"),  # a line is named
        ("Microsoft lays off 9,000 workers as Xbox sales slump", "microsoft"),  # in another clause
        ("Apple is fined by the EU, a blow for the iPhone maker", "apple"),  # a way to call the company
        ("OpenAI discontinues its app for Android", "openai"),  # another's business
        ("Italy bans Meta AI on WhatsApp", "meta"),
        ("EU fines Google €1 billion for using search results to train its AI", "google"),
        ("Alibaba Cloud outage hits Taobao and DingTalk", "alibaba"),
        ("Hackers used Meta's AI chatbot to take over Instagram accounts", "meta"),  # a model without a name
        ("Microsoft CEO Satya Nadella resigns amid games slump", "microsoft"),
        ("Meta's chief scientist Dana Ortiz quits, she said on Threads", "meta"),
        ("Tencent cuts AI staff at its games group", "tencent"),  # people who work on models
        ("Intel cancels its AI chip as PC Core Ultra sales slump", "intel"),
        ("EU fines Google €500 million", "google"),
    ],
)
def test_an_event_of_models_or_of_the_whole_company_does_not(
    ruleset: Ruleset, title: str, subject: str
) -> None:
    assert subjects(ruleset, title) == {subject}


def test_words_in_lower_case_match_in_any_case_and_others_as_written(ruleset: Ruleset) -> None:
    assert subjects(ruleset, "Google discontinues its SMART SPEAKERS") == {"google/-devices"}
    assert subjects(ruleset, "Google shuts down its nest egg savings service") == {"google"}
