"""Title and text together: how an article states its events."""

from typing import Any

import pytest

from riskwatch.detect import detect
from riskwatch.model import Assertion
from tests.detect.makers import an_article, shared

CONFIRMED, REPORTED, BACKGROUND = Assertion.CONFIRMED, Assertion.REPORTED, Assertion.BACKGROUND


def told(title: str, text: str, **fields: Any) -> dict[tuple[str, str], Assertion]:
    """Return how each event is stated, by field and type."""
    found = detect(an_article(text, title=title, **fields), shared()).signals
    return {(signal.evidence.field, signal.type): signal.assertion for signal in found}


def test_a_text_is_no_surer_of_its_news_than_the_headline() -> None:
    stated = told("OpenAI shares reportedly fell 5 points", "OpenAI shares fell. More soon on it all.")

    assert stated == {("title", "share_drop"): REPORTED, ("body", "share_drop"): REPORTED}


def test_a_headline_is_no_surer_than_the_text_that_names_its_source() -> None:
    stated = told("OpenAI shares fell", "OpenAI shares reportedly fell sharply in the evening.")

    assert stated == {("title", "share_drop"): REPORTED, ("body", "share_drop"): REPORTED}


def test_what_a_headline_doubts_once_it_says_nowhere_surer() -> None:
    title = "OpenAI stock fell; traders say that OpenAI shares could fall again"

    found = detect(an_article("More soon on it all.", title=title), shared()).signals

    assert [signal.assertion for signal in found] == [Assertion.RUMOURED, Assertion.RUMOURED]


def test_a_source_that_speaks_for_itself_stays_sure() -> None:
    title, text = "OpenAI shares reportedly fell", "OpenAI said that OpenAI shares fell."

    assert told(title, text)["body", "share_drop"] is CONFIRMED


@pytest.mark.parametrize(
    ("title", "text", "assertion"),
    [
        ("OpenAI answers after the lawsuit", "Broadcom sues OpenAI over a patent.", BACKGROUND),
        ("OpenAI answers after the lawsuit", "Broadcom sues OpenAI, it said on Friday.", CONFIRMED),
        ("OpenAI answers with a lawsuit of its own", "Broadcom sues OpenAI over a patent.", CONFIRMED),
        ("OpenAI has a new face", "Broadcom sues OpenAI over a patent.", CONFIRMED),
        ("Why OpenAI fights", "Broadcom sues OpenAI over a patent.", BACKGROUND),
        ("Why OpenAI fights", "Broadcom sues OpenAI today over a patent.", CONFIRMED),
    ],
)
def test_what_the_title_only_looks_back_at_is_background(title: str, text: str, assertion: Assertion) -> None:
    assert told(title, text) == {("body", "lawsuit"): assertion}


@pytest.mark.parametrize(
    ("title", "text", "assertion"),
    [
        ("Alibaba opens an office", "Alibaba is in Rome now. Broadcom sues OpenAI.", BACKGROUND),
        ("Alibaba opens an office", "Broadcom sues OpenAI.", BACKGROUND),
        ("A patent and its price", "Broadcom sues OpenAI.", CONFIRMED),
        (
            "A patent and its price",
            f"It was {'long and ' * 12}slow in coming. Broadcom sues OpenAI.",
            BACKGROUND,
        ),
        ("A patent of OpenAI", f"It was {'long and ' * 12}slow in coming. Broadcom sues OpenAI.", CONFIRMED),
        ("Alibaba opens an office", f"Broadcom sues OpenAI. {'It goes on and on. ' * 70}", CONFIRMED),
    ],
    ids=[
        "named after another",
        "other than the headline's",
        "lead",
        "late",
        "late of its own",
        "whole article",
    ],
)
def test_what_a_teaser_says_in_passing_is_background(title: str, text: str, assertion: Assertion) -> None:
    assert told(title, text)["body", "lawsuit"] == assertion


LONG = "OpenAI and Alibaba open a school for cooks in Rome"


@pytest.mark.parametrize(
    ("title", "text", "assertion"),
    [
        (LONG, "Broadcom sues OpenAI over a patent.", BACKGROUND),
        (f"{LONG} amid lawsuits", "Broadcom says it sues OpenAI over a patent.", BACKGROUND),
        (f"{LONG} with a lawsuit", "Broadcom sues OpenAI over a patent.", CONFIRMED),
        ("OpenAI opens a school in Rome", "Broadcom sues OpenAI over a patent.", CONFIRMED),
        (LONG, "Broadcom sues OpenAI over a patent, it said on Friday.", CONFIRMED),
        ("OpenAI shares fell 9% as it opens a school in Rome", "Broadcom sues OpenAI.", CONFIRMED),
        (LONG, f"Broadcom sues OpenAI. {'It goes on and on. ' * 70}", CONFIRMED),
    ],
    ids=["beside", "looked back at", "of a kind", "short", "fresh", "more trouble", "whole article"],
)
def test_trouble_of_which_a_long_headline_has_no_word_is_background(
    title: str, text: str, assertion: Assertion
) -> None:
    assert told(title, text)["body", "lawsuit"] == assertion


PATENTS = "Broadcom and OpenAI fight about patents on chips for phones"


@pytest.mark.parametrize(
    ("title", "text", "assertion"),
    [
        (PATENTS, "Broadcom sues OpenAI over patents on phone chips.", CONFIRMED),
        (
            "Broadcom goes to court over patents on chips",
            "Broadcom sues OpenAI over patents on chips.",
            CONFIRMED,
        ),
        (PATENTS, "Broadcom sues OpenAI.", BACKGROUND),
        (
            PATENTS,
            f"They met {'again and ' * 12}again. Broadcom sues OpenAI over patents on chips.",
            BACKGROUND,
        ),
        (PATENTS, f"{PATENTS} - Broadcom sues OpenAI in Texas.", BACKGROUND),
        (f"Why {PATENTS}", "Broadcom sues OpenAI over patents on phone chips.", BACKGROUND),
    ],
    ids=["restated", "names the other side", "too few words", "late", "headline copied", "retelling"],
)
def test_a_first_sentence_that_restates_its_headline_is_no_aside(
    title: str, text: str, assertion: Assertion
) -> None:
    assert told(title, text)["body", "lawsuit"] == assertion


STATUS = {"source_class": "status_page", "covers": ("openai",)}


@pytest.mark.parametrize(
    ("title", "text", "assertion"),
    [
        ("Chat", "OpenAI shares fell.", BACKGROUND),
        ("Chat", "Dana Ortiz resigned from OpenAI.", BACKGROUND),
    ],
)
def test_a_status_page_tells_only_how_services_run(title: str, text: str, assertion: Assertion) -> None:
    assert set(told(title, text, **STATUS).values()) == {assertion}


def test_the_trace_says_what_the_article_changed() -> None:
    article = an_article("Broadcom sues OpenAI over a patent.", title="Why OpenAI fights")

    stated = detect(article, shared(), is_traced=True).trace[0]["assertion"]

    assert isinstance(stated, dict)
    assert stated["value"] == "background"
    assert stated["winner"] == "article.looks_back"
    assert stated["alone"] == "confirmed"


@pytest.mark.parametrize(
    ("month", "day", "assertion"),
    [
        ("January", "2026-06-10", BACKGROUND),
        ("May", "2026-06-10", CONFIRMED),
        ("June", "2026-06-10", CONFIRMED),
        ("December", "2026-03-05", BACKGROUND),
        ("June", "2026-03-05", BACKGROUND),
    ],
)
def test_a_month_without_a_year_may_be_long_gone(month: str, day: str, assertion: Assertion) -> None:
    assert told("", f"OpenAI shares fell in {month}.", day=day) == {("body", "share_drop"): assertion}


@pytest.mark.parametrize(
    ("text", "vendors"),
    [
        ("Broadcom filed a lawsuit against Cohere, Alibaba and OpenAI.", {"cohere", "alibaba", "openai"}),
        ("Cohere, OpenAI shares fell.", {"cohere", "openai"}),
        ("Backed by Cohere and Alibaba, OpenAI shares fell.", {"openai"}),
        ("Unlike Cohere, OpenAI shares fell.", {"openai"}),
    ],
)
def test_a_list_shares_what_happens_to_it(text: str, vendors: set[str]) -> None:
    found = detect(an_article(text), shared()).signals

    assert {signal.vendor for signal in found if signal.assertion.is_live} == vendors


def test_a_whole_article_says_for_itself_what_is_news() -> None:
    text = "Broadcom sues OpenAI over a patent. " + "The chips of both sit in many a data hall. " * 40

    assert told("Why OpenAI fights", text) == {("body", "lawsuit"): CONFIRMED}
