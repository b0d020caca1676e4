"""The queue of pages and their texts, on both databases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from riskwatch.errors import NotFound
from riskwatch.model import Detection, PageState
from riskwatch.store import PageText, UnitOfWork
from riskwatch.store.sql import SqlStore
from tests.store.builders import HOUR, NOON, an_article

TEXT = PageText("Lin Junyang leaves Qwen. " * 20, "key of the page")


def stored(unit: UnitOfWork, guid: str = "g1", **fields: str) -> str:
    added = unit.articles.add_articles([an_article(guid, **fields)], now=NOON)
    return (*added.new, *added.changed)[0]


def due(article_id: str, **fields: object) -> PageState:
    return replace(PageState(article_id, "news.example", NOON, revision=1), **fields)  # type: ignore[arg-type] # by name


def test_pages_are_due_from_their_time_on_the_longest_due_first(store: SqlStore) -> None:
    with store.begin() as unit:
        ids = [stored(unit, guid) for guid in ("1", "2", "3", "4")]
        times = (NOON, NOON - HOUR, NOON + HOUR, None)
        states = [due(id_, due_at=at) for id_, at in zip(ids, times, strict=True)]
        unit.pages.add_pages(states)

        assert list(unit.pages.due_pages(now=NOON)) == [states[1], states[0]]
        assert unit.pages.pages([ids[3], "none"]) == {ids[3]: states[3]}


def test_a_page_is_queued_once(store: SqlStore) -> None:
    with store.begin() as unit:
        first = due(stored(unit))
        unit.pages.add_pages([first])
        unit.pages.add_pages([replace(first, due_at=NOON + HOUR)])

        assert unit.pages.pages([first.article_id]) == {first.article_id: first}


def test_of_two_that_claim_a_page_one_gets_it(
    store: SqlStore, url: str, open_store: Callable[[str], SqlStore]
) -> None:
    with store.begin() as unit:
        before = due(stored(unit))
        unit.pages.add_pages([before])
    claimed = replace(before, attempts=1, due_at=NOON + HOUR, asked_at=NOON)

    with store.begin() as unit:
        assert unit.pages.replace_page(before, claimed)
    with open_store(url).begin() as unit:
        assert not unit.pages.replace_page(before, claimed)
        assert unit.pages.pages([before.article_id]) == {before.article_id: claimed}
        assert unit.pages.replace_page(claimed, replace(claimed, due_at=None, outcome="read"))
        assert list(unit.pages.due_pages(now=NOON + 9 * HOUR)) == []


def test_a_host_that_fails_is_left_alone_with_all_its_pages(store: SqlStore) -> None:
    with store.begin() as unit:
        states = [due(stored(unit, guid)) for guid in ("1", "2")]
        other = due(stored(unit, "3"), host="other.example")
        done = due(stored(unit, "4"), due_at=None)
        unit.pages.add_pages([*states, other, done])

        unit.pages.delay_pages("news.example", until=NOON + HOUR)

        assert list(unit.pages.due_pages(now=NOON)) == [other]
        assert len(unit.pages.due_pages(now=NOON + HOUR)) == 3
        assert unit.pages.pages([done.article_id])[done.article_id].due_at is None


def test_the_text_of_a_page_is_a_further_revision_that_waits_for_detection(store: SqlStore) -> None:
    with store.begin() as unit:
        id_ = stored(unit)
        unit.articles.mark_detected({(id_, 1): Detection((), ())}, ruleset="r", now=NOON)

        assert unit.pages.add_text(id_, TEXT, now=NOON + HOUR) == 2

        (waiting,) = unit.articles.pending(limit=9)
        assert waiting.text == f"Lin leaves Qwen.\n{TEXT.text}"
        assert (waiting.text_origin, waiting.revision) == ("page", 2)
        assert (waiting.title, waiting.flags, waiting.recorded_at) == (
            "Qwen lead resigns", ("truncated",), NOON + HOUR,
        )  # fmt: skip
        assert unit.articles.briefs([id_])[id_].text_key == "key of the page"
        assert [one.text_origin for one in unit.articles.revisions(id_)] == ["feed", "page"]


def test_the_same_text_again_is_no_revision(store: SqlStore) -> None:
    with store.begin() as unit:
        id_ = stored(unit)
        unit.pages.add_text(id_, TEXT, now=NOON)

        assert unit.pages.add_text(id_, TEXT, now=NOON + HOUR) == 2
        assert len(unit.articles.revisions(id_)) == 2


def test_the_same_item_in_a_later_poll_leaves_the_text_of_the_page(store: SqlStore) -> None:
    with store.begin() as unit:
        id_ = stored(unit)
        unit.pages.add_text(id_, TEXT, now=NOON)

        added = unit.articles.add_articles([an_article()], now=NOON + HOUR)

        assert (added.new, added.changed, added.unchanged) == ((), (), 1)
        assert unit.articles.article(id_).text.endswith(TEXT.text)


def test_an_edited_item_stands_over_and_keeps_the_text_of_the_page(store: SqlStore) -> None:
    with store.begin() as unit:
        id_ = stored(unit)
        unit.pages.add_text(id_, TEXT, now=NOON)
        edited = an_article(title="Qwen lead is back", text="He returns.")

        first = unit.articles.add_articles([edited], now=NOON + HOUR)
        second = unit.articles.add_articles([edited], now=NOON + 2 * HOUR)

        assert (first.changed, second.changed) == ((id_,), ())
        newest = unit.articles.article(id_)
        assert (newest.title, newest.text_origin) == ("Qwen lead is back", "page")
        assert newest.text == f"He returns.\n{TEXT.text}"
        assert newest.revision == 3
        assert unit.articles.briefs([id_])[id_].text_key == TEXT.text_key


def test_an_item_whose_feed_tells_more_than_the_page_speaks_for_itself(store: SqlStore) -> None:
    with store.begin() as unit:
        id_ = stored(unit)
        unit.pages.add_text(id_, TEXT, now=NOON)
        whole = an_article(text=f"{TEXT.text}And more.")

        unit.articles.add_articles([whole], now=NOON + HOUR)

        assert unit.articles.article(id_).text == whole.text
        assert unit.articles.article(id_).text_origin == "feed"


def test_another_text_of_the_page_takes_the_place_of_the_first(store: SqlStore) -> None:
    with store.begin() as unit:
        id_ = stored(unit)
        unit.pages.add_text(id_, TEXT, now=NOON)
        unit.pages.add_text(id_, PageText("Corrected: Lin stays.", "another key"), now=NOON + HOUR)

        assert unit.articles.article(id_).text == "Lin leaves Qwen.\nCorrected: Lin stays."


def test_a_teaser_that_the_page_repeats_is_told_once(store: SqlStore) -> None:
    with store.begin() as unit:
        id_ = stored(unit, text="Lin Junyang leaves Qwen.")
        unit.pages.add_text(id_, TEXT, now=NOON)

        assert unit.articles.article(id_).text == TEXT.text


def test_a_page_adds_no_revision_past_the_last(store: SqlStore) -> None:
    with store.begin() as unit:
        id_ = stored(unit, text="text 0")
        for number in range(1, 24):
            stored(unit, text=f"text {number}")

        assert unit.pages.add_text(id_, TEXT, now=NOON) == 24
        assert unit.articles.article(id_).text == "text 23"


def test_the_text_of_an_unknown_article_is_refused(store: SqlStore) -> None:
    with store.begin() as unit, pytest.raises(NotFound):
        unit.pages.add_text("none", TEXT, now=NOON)


def test_a_link_of_two_articles_of_a_source_is_shared(store: SqlStore) -> None:
    with store.begin() as unit:
        one, two = (
            stored(unit, "1", url="https://news.example/all"),
            stored(unit, "2", url="https://news.example/2"),
        )
        stored(unit, "3", url="https://news.example/2", source_id="other")
        bare = stored(unit, "4", url=None)  # type: ignore[arg-type] # an item without a link
        stored(unit, "5", url=None)  # type: ignore[arg-type] # another
        assert not any(unit.pages.is_shared(id_) for id_ in (one, two, bare))

        stored(unit, "6", url="https://news.example/all")

        assert unit.pages.is_shared(one)


def test_robots_txt_is_remembered_for_a_while(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.pages.save_robots("https://x.example", "old", now=NOON - HOUR)
        unit.pages.save_robots("https://x.example", "", now=NOON)

        assert unit.pages.robots("https://x.example", since=NOON - timedelta(seconds=1)) == ""
        assert unit.pages.robots("https://x.example", since=NOON) is None
        assert unit.pages.robots("https://y.example", since=NOON - HOUR) is None
