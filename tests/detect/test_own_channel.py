"""A vendor's own site: what it withdraws is its doing; what it tells of others stays theirs."""

from datetime import UTC, datetime

import pytest

from riskwatch import settings
from riskwatch.compiling import compile_rules
from riskwatch.detect import Ruleset, detect
from riskwatch.model import Article, SourceClass


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    return compile_rules(settings.load(environ={}))


def live(ruleset: Ruleset, vendor: str, title: str, text: str = "") -> set[tuple[str, str]]:
    at = datetime(2026, 8, 15, tzinfo=UTC)
    page = Article("site", "1", title, text, None, at, "en", vendor, vendor, "primary",
                   source_class=SourceClass.DOCS_CHANGELOG, covers=(vendor,), id="a1")  # fmt: skip
    return {(s.vendor, s.type) for s in detect(page, ruleset).signals if s.assertion.is_live}


def test_a_model_of_others_that_a_site_drops_is_no_retired_product_of_its_maker(ruleset: Ruleset) -> None:
    assert live(ruleset, "github", "GPT-4.1 deprecated") == {("github", "deprecation")}


def test_what_a_site_says_that_the_maker_retires_is_the_makers(ruleset: Ruleset) -> None:
    told = live(
        ruleset, "amazon", "Claude 3 Opus deprecated", "Anthropic will retire Claude 3 Opus on 1 June."
    )

    assert ("anthropic", "deprecation") in told


@pytest.mark.parametrize(
    ("title", "type_"),
    [
        ("Microsoft and OpenAI suffer outage", "outage"),
        ("New York Times sues Microsoft and OpenAI", "lawsuit"),
    ],
)
def test_what_happens_to_a_site_and_others_happens_to_both(ruleset: Ruleset, title: str, type_: str) -> None:
    assert live(ruleset, "microsoft", title) == {("microsoft", type_), ("openai", type_)}
