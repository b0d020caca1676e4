"""Which pages are asked for, and how often."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskwatch.collect import Source
from riskwatch.collect.wanted import MOST_ATTEMPTS, RETRY_WAITS, is_wanted, queued, retry_at, taken
from riskwatch.model import Article, PageState

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def a_source(**fields: Any) -> Source:
    return Source.model_validate({"id": "s", "url": "https://x.example/f", "publisher": "p", **fields})


def an_article(**fields: Any) -> Article:
    given = {
        "source_id": "s", "guid": "1", "title": "Qwen lead resigns", "text": "He is gone.", "lang": "en",
        "url": "https://x.example/news/1", "published_at": NOW - DAY, "publisher": "p", "family": "p",
        "tier": "2", "id": "a1",
    }  # fmt: skip
    return Article(**{**given, **fields})


def wanted(source: Source, article: Article, *, is_named: bool = True) -> bool:
    return is_wanted(source, article, is_named=is_named, now=NOW)


def test_a_teaser_that_names_a_vendor_wants_its_page() -> None:
    assert wanted(a_source(), an_article())
    assert wanted(a_source(), an_article(text="", text_origin="title"))


@pytest.mark.parametrize(
    ("source", "article", "is_named"),
    [
        ({}, {}, False),
        ({}, {"text": "x" * 400}, True),
        ({}, {"url": None}, True),
        ({}, {"url": "https://x.example/"}, True),
        ({}, {"url": "mailto:a@x.example"}, True),
        ({}, {"published_at": NOW - 31 * DAY}, True),
        ({}, {"published_at": None}, True),
        ({"full_text": "never"}, {}, True),
        ({"kind": "file", "url": "demo"}, {}, True),
        ({"kind": "statuspage"}, {}, True),
        ({"class": "status_page"}, {}, True),
        ({"digest": True}, {}, True),
    ],
)
def test_no_page_is_asked_for_where(source: Any, article: Any, is_named: bool) -> None:
    assert not wanted(a_source(**source), an_article(**article), is_named=is_named)


def test_always_wants_the_pages_of_all_articles() -> None:
    assert wanted(a_source(full_text="always"), an_article(text="x" * 4_000), is_named=False)


def test_a_page_read_before_is_asked_for_again_only_after_an_edit() -> None:
    read = PageState("a1", "x.example", None, revision=2, attempts=1, outcome="read")

    assert queued(an_article(revision=2), read, now=NOW) is None
    assert queued(an_article(revision=3), read, now=NOW) == replace(read, due_at=NOW, revision=3)


def test_a_page_under_way_is_not_queued_twice() -> None:
    under_way = PageState("a1", "x.example", NOW + DAY, revision=1, attempts=1)

    assert queued(an_article(revision=2), under_way, now=NOW) is None


@given(st.lists(st.sampled_from(["edited", "failed", "died"]), min_size=10, max_size=40))
def test_whatever_happens_a_page_is_asked_for_three_times_at_most(steps: list[str]) -> None:
    article, now = an_article(), NOW
    state = queued(article, None, now=now)
    asked = 0
    for step in steps:
        now += DAY
        if state and state.due_at and state.due_at <= now:
            asked += 1
            state = taken(state, now=now, lease=timedelta(minutes=3))
            if step == "failed":
                state = replace(state, due_at=retry_at(state, wait=None, now=now))
            elif step == "edited":
                state = replace(state, due_at=None)
        article = replace(article, revision=article.revision + 1)
        state = queued(article, state, now=now) or state

    assert asked <= MOST_ATTEMPTS
    assert state is not None
    assert state.due_at is None


def test_a_failure_waits_longer_each_time_and_as_long_as_the_host_asks() -> None:
    first = taken(PageState("a1", "x.example", NOW, revision=1), now=NOW, lease=timedelta(minutes=3))
    second = taken(first, now=NOW, lease=timedelta(minutes=3))

    assert retry_at(first, wait=None, now=NOW) == NOW + RETRY_WAITS[0]
    assert retry_at(first, wait=DAY, now=NOW) == NOW + DAY
    assert retry_at(second, wait=None, now=NOW) == NOW + RETRY_WAITS[1]
