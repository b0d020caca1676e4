"""Polls as the store sees them: nothing lost, nothing doubled."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from riskwatch.collect import Polled, Source, Tools, poll
from riskwatch.collect.http import HttpClient
from riskwatch.collect.identity import settle
from riskwatch.decode import Decoded, Origin, decode
from riskwatch.model import Article, SourceState
from riskwatch.store import ArticleFilter
from riskwatch.store.sql import SqlStore
from tests.collect.sites import Site

START = datetime(2026, 3, 5, 12, tzinfo=UTC)


class Stopped(Exception):
    """The process dies here."""


def feed(*items: str) -> bytes:
    head = '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>'
    return f"{head}{''.join(items)}</channel></rss>".encode()


def item(title: str, *, guid: str = "", link: str = "", text: str = "") -> str:
    parts = {"title": title, "guid": guid, "link": link, "description": text}
    return (
        "<item>" + "".join(f"<{name}>{value}</{name}>" for name, value in parts.items() if value) + "</item>"
    )


def decoded(body: bytes, *, content_type: str | None, source: Source, url: str, now: datetime) -> Decoded:
    return decode(body, content_type=content_type, origin=Origin(source.id, url=url), now=now)


class Desk:
    """Polls a Source into a database of its own; each poll is one transaction."""

    def __init__(self, site: Site, client: HttpClient, path: Path) -> None:
        self.site, self.now = site, START
        self.store = SqlStore(f"sqlite:///{path}/t.sqlite")
        self.store.migrate()
        ids = itertools.count()
        self.tools = Tools(
            fetch=client.fetch,
            decode=decoded,
            now=lambda: self.now,
            new_id=lambda: f"{next(ids):026d}",
            jitter=lambda: 0.5,
        )
        self.source = Source.model_validate({"id": "s", "url": site.url + "/f", "publisher": "p"})

    def poll(self, *items: str, dies_before: str = "") -> Polled:
        self.site.says("/f", body=feed(*items), ETag=f'"{hash(items)}"')
        self.now += timedelta(hours=1)
        with self.store.begin(write=False) as unit:
            state = unit.articles.source_states().get("s")
        polled = poll(self.source, state, tools=self.tools)
        with self.store.begin() as unit:
            guids = unit.articles.known_guids("s", [article.guid for article in polled.articles])
            urls = unit.articles.known_urls("s", [article.url for article in polled.articles if article.url])
            articles = settle(polled.articles, known_guids=guids, known_urls=urls)
            for step in ("articles", "state", "poll", "commit"):
                if step == dies_before:
                    raise Stopped
                if step == "articles":
                    added = unit.articles.add_articles(articles, now=self.now)
                    polled = polled.settled(new=len(added.new), changed=len(added.changed))
                elif step == "state":
                    unit.articles.save_source_states([polled.state])
                elif step == "poll":
                    unit.articles.add_polls([polled.poll])
        return polled

    def stored(self) -> Sequence[Article]:
        with self.store.begin(write=False) as unit:
            return unit.articles.articles(ArticleFilter(source_id="s"))

    def state(self) -> SourceState | None:
        with self.store.begin(write=False) as unit:
            return unit.articles.source_states().get("s")


@pytest.fixture
def desk(site: Site, client: HttpClient, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(site, client, tmp_path)
    yield made
    made.store.close()


@pytest.mark.parametrize("step", ["articles", "state", "poll", "commit"])
def test_a_death_at_any_statement_costs_a_download_and_no_item(desk: Desk, step: str) -> None:
    with pytest.raises(Stopped):
        desk.poll(item("a", guid="1"), item("b", guid="2"), dies_before=step)
    assert desk.state() is None
    assert list(desk.stored()) == []

    again = desk.poll(item("a", guid="1"), item("b", guid="2"))

    assert again.poll.new == 2
    state = desk.state()
    assert state is not None
    assert state.etag == again.state.etag is not None


def test_an_item_edited_three_times_is_one_article_with_four_revisions(desk: Desk) -> None:
    for text in ("one", "two", "three", "four"):
        desk.poll(item("a", guid="1", text=text))

    (article,) = desk.stored()
    with desk.store.begin(write=False) as unit:
        assert [revision.text for revision in unit.articles.revisions(article.id)] == [
            "one",
            "two",
            "three",
            "four",
        ]


def test_an_item_edited_at_every_poll_stops_at_its_limit(desk: Desk) -> None:
    polls = [desk.poll(item("a", guid="1", text=f"text {number}")) for number in range(27)]

    (article,) = desk.stored()
    assert article.revision == 24
    assert sum(polled.poll.changed for polled in polls) == 23


def test_guids_new_at_every_poll_double_nothing(desk: Desk) -> None:
    for round_ in range(5):
        desk.poll(*(item(f"t{n}", guid=f"{round_}-{n}", link=f"https://x.example/{n}") for n in range(4)))

    assert len(desk.stored()) == 4


def test_an_item_without_guid_link_or_date_is_stored_once(desk: Desk) -> None:
    for round_ in range(10):
        desk.poll(item("Only a title"), item(f"filler {round_}", guid=f"f{round_}"))

    assert [article.title for article in desk.stored()].count("Only a title") == 1


def test_an_item_that_left_the_feed_stays_stored(desk: Desk) -> None:
    desk.poll(item("a", guid="1"), item("b", guid="2"))
    desk.poll(item("b", guid="2"))

    assert {article.guid for article in desk.stored()} == {"1", "2"}


def test_the_order_of_polls_does_not_change_what_is_stored(
    desk: Desk, site: Site, client: HttpClient, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = Desk(site, client, tmp_path / "other")
    bodies = [(item("a", guid="1"),), (item("b", guid="2"), item("c", guid="3")), (item("d", guid="4"),)]

    for items in bodies:
        desk.poll(*items)
    for items in reversed(bodies):
        other.poll(*items)

    def bare(found: Sequence[Article]) -> set[Article]:
        return {replace(a, first_seen_at=None, recorded_at=None) for a in found}

    assert bare(desk.stored()) == bare(other.stored())
    other.store.close()


def test_the_configured_url_is_stored_with_the_state(desk: Desk) -> None:
    polled = desk.poll(item("a", guid="1"))

    state = desk.state()
    assert state is not None
    assert state.configured_url == polled.state.configured_url == desk.source.url
