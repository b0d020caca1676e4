"""Pages behind articles, read from real servers: what becomes an article's text, what leaves the feed's."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from riskwatch import pages, pipeline, polling, settings
from riskwatch.app import App
from riskwatch.collect import Source
from riskwatch.collect.fetched import Fetched
from riskwatch.collect.guard import Guard
from riskwatch.collect.http import HttpClient
from riskwatch.collect.wanted import taken
from riskwatch.errors import Unavailable
from riskwatch.model import Article, PageState
from riskwatch.replay import Clock
from riskwatch.store import ArticleFilter, EventFilter
from tests.collect.sites import Site, serving

CONFIG = settings.load(environ={})
START = datetime(2026, 3, 5, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
TITLE = "Mistral AI cuts a tenth of its staff"
TEASER = "The French company tells why."
BODY = (
    "<p>Mistral AI laid off 120 employees on Monday, the company said in a statement to its staff.</p>"
    "<p>Those who leave work in sales and in marketing; research is not touched, a spokeswoman told us.</p>"
    "<p>She said that Mistral AI goes on hiring engineers in Paris and in London this spring.</p>"
)


def html(body: str = BODY, *, beside: str = "") -> bytes:
    head = "<!doctype html><html lang='en'><head><title>News</title></head><body><nav>Home News</nav>"
    return f"{head}<article><h1>{TITLE}</h1>{body}</article>{beside}<footer>Imprint</footer></html>".encode()


class Desk:
    """An installation with one feed, whose items link to pages of the same or of other sites."""

    def __init__(self, site: Site, folder: Path, *, pause_seconds: float = 0, **source: Any) -> None:
        self.site, self.clock, self.folder = site, Clock(START), folder
        self.pause_seconds = pause_seconds
        given = {"id": "s", "url": f"{site.url}/feed", "publisher": "p", "tier": "2", **source}
        self.sources = (Source.model_validate(given),)
        self.items: dict[str, dict[str, str]] = {}
        self._polls = itertools.count()
        self.open()

    def open(self) -> None:
        """Start the program on the same data."""
        chosen = CONFIG.settings.model_copy(update={"data_dir": self.folder})
        self.app = App(replace(CONFIG, settings=chosen), now=self.clock, sources=self.sources)
        self.app.__dict__["client"] = HttpClient(
            user_agent="riskwatch/test",
            guard=Guard(["127.0.0.0/8"]),
            host_pause_seconds=self.pause_seconds,
        )

    def close(self) -> None:
        self.app.client.close()
        self.app.close()

    def tells(self, guid: str = "1", *, title: str = TITLE, text: str = TEASER, link: str = "") -> None:
        """Put an item into the feed, or change it."""
        link = link or f"{self.site.url}/news/{guid}"
        self.items[guid] = {"guid": guid, "title": title, "description": text, "link": link}

    def poll(self) -> tuple[int, int]:
        """Poll and detect; return how many articles were new and how many changed."""
        items = "".join(
            "<item>" + "".join(f"<{k}>{v}</{k}>" for k, v in one.items()) + "</item>"
            for one in self.items.values()
        )
        tag = f"<!--{next(self._polls)}-->"  # other bytes at every poll, as most feeds have
        body = (
            f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>{items}</channel></rss>{tag}'
        )
        self.site.says("/feed", body=body.encode())
        (row,) = polling.poll_sources(self.app.parts, self.app.tools, polling.Choice(everything=True))
        assert row.is_ok, row
        pipeline.absorb(self.app.parts)
        return row.new, row.changed

    def read(self) -> list[PageState]:
        """Read the pages that are due, and detect."""
        states = pages.read_pages(self.app.parts, self.app.client)
        pipeline.absorb(self.app.parts)
        return states

    def read_one(self) -> PageState:
        (state,) = self.read()
        return state

    def articles(self) -> Sequence[Article]:
        with self.app.store.begin(write=False) as unit:
            return unit.articles.articles(ArticleFilter())

    def article(self) -> Article:
        (article,) = self.articles()
        return article

    def events(self) -> set[tuple[str, str]]:
        with self.app.store.begin(write=False) as unit:
            return {(event.vendor, event.type) for event in unit.events.list_events(EventFilter())}

    def asked(self, path: str) -> int:
        return sum(at == path for at, _ in self.site.asked)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as made:
        yield made


@pytest.fixture
def desk_of(site: Site, tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    with ExitStack() as stack:

        def make(name: str = "data", **source: Any) -> Desk:
            made = Desk(site, tmp_path / name, **source)
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture
def desk(desk_of: Callable[..., Desk]) -> Desk:
    return desk_of()


def page_at(site: Site, path: str = "/news/1", body: bytes | None = None, **headers: str) -> None:
    site.says(path, body=html() if body is None else body, Content_Type="text/html", **headers)


# -------------------------------------------------------------------------------- what is read
def test_a_teaser_is_replaced_by_the_page_behind_it_and_its_events_are_found(desk: Desk, site: Site) -> None:
    page_at(site)
    desk.tells(title="Hard times for Mistral AI", text="What we know.")
    desk.poll()
    before = desk.events()

    state = desk.read_one()

    article = desk.article()
    assert (state.outcome, state.url, state.attempts) == ("read", f"{site.url}/news/1", 1)
    assert (article.text_origin, article.revision) == ("page", 2)
    assert "laid off 120 employees" in article.text
    assert "Imprint" not in article.text
    assert article.text.startswith("What we know.\n")
    assert desk.events() - before == {("mistral", "layoffs")}


def test_a_feed_that_tells_enough_or_of_no_vendor_costs_no_request(desk: Desk, site: Site) -> None:
    desk.tells("1", text=f"{TEASER} " * 20)
    desk.tells("2", title="A bakery opens", text="In the old town.")
    desk.poll()

    assert desk.read() == []
    assert [path for path, _ in site.asked] == ["/feed"]


def test_a_source_that_wants_no_pages_costs_no_request(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(full_text="never")
    desk.tells()
    desk.poll()

    assert desk.read() == []


def test_a_link_that_several_articles_share_is_no_page_of_theirs(desk: Desk, site: Site) -> None:
    page_at(site, "/changelog")
    for guid in ("1", "2"):
        desk.tells(guid, title=f"{TITLE} ({guid})", link=f"{site.url}/changelog")
    desk.poll()

    states = desk.read()

    assert {(state.outcome, state.reason) for state in states} == {
        ("shared", "several articles link to this page")
    }
    assert desk.asked("/changelog") == 0


# -------------------------------------------------------------------------------- what leaves the feed's text
WALL = "<html><body><h1>We value your privacy</h1><button>Accept all cookies</button></body></html>"
LONG_WALL = (
    "<p>We and our 847 partners store and read cookies on your device to show you what you like.</p>"
    "<p>You may object to this at any time, and you may read in our policy what each of them does.</p>"
    "<p>By going on you agree that your data leave the Union and are kept for as long as thirteen months.</p>"
)


def _serve_30_megabytes(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    for _ in range(480):
        connection.sendall(b"<p>Mistral AI " + b"x" * 65_536)


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (("403 Forbidden", b"no", "text/plain"), "refused", "the server answered 403"),
        (("401 Unauthorized", b"no", "text/plain"), "refused", "the server answered 401"),
        (
            ("403 Forbidden", b"<!doctype html>Just a moment...", "text/html"),
            "refused",
            "the server answered 403 with a challenge page (just a moment)",
        ),
        (("404 Not Found", b"no", "text/html"), "not_found", "the server answered 404"),
        (("410 Gone", b"no", "text/html"), "gone", "the server answered 410"),
        (("200 OK", WALL.encode(), "text/html"), "no_article", "the page holds"),
        (("200 OK", html(LONG_WALL), "text/html"), "other_text", "the page does not name mistral"),
        (
            ("200 OK", b"%PDF-1.7", "application/pdf"),
            "not_html",
            "the link leads to application/pdf, not to a page",
        ),
    ],
)
def test_a_page_that_does_not_tell_it_leaves_the_text_of_the_feed(
    desk: Desk, site: Site, answer: tuple[str, bytes, str], outcome: str, reason: str
) -> None:
    status, body, kind = answer
    site.says("/news/1", status, body, Content_Type=kind)
    desk.tells()
    desk.poll()
    before = desk.events()

    state = desk.read_one()

    assert state.outcome == outcome
    assert state.reason.startswith(reason)
    assert state.due_at is None
    article = desk.article()
    assert (article.text, article.text_origin, article.revision) == (TEASER, "feed", 1)
    assert desk.events() == before


def test_a_page_of_30_megabytes_is_cut_off_and_leaves_the_text_of_the_feed(desk: Desk, site: Site) -> None:
    site.speaks("/news/1", _serve_30_megabytes)
    desk.tells()
    desk.poll()

    assert desk.read_one().outcome == "too_large"
    assert desk.article().text == TEASER


def test_a_page_of_more_than_a_megabyte_is_not_worked_through(desk: Desk, site: Site) -> None:
    page_at(site, body=html(beside="<p></p>" * 150_000))
    desk.tells()
    desk.poll()

    assert desk.read_one().outcome == "too_large"


def test_the_stories_beside_a_page_make_no_signal(desk: Desk, site: Site) -> None:
    beside = (
        "<aside><h3>Related stories</h3><ul><li><a href='/2'>OpenAI lays off 300 employees</a></li>"
        "<li><a href='/3'>Cohere files for bankruptcy</a></li></ul></aside>"
    )
    page_at(site, body=html(beside=beside))
    desk.tells()
    desk.poll()

    assert desk.read_one().is_read
    assert {vendor for vendor, _ in desk.events()} == {"mistral"}


# -------------------------------------------------------------------------------- what hosts allow
def test_a_page_that_robots_txt_forbids_is_not_asked_for(desk: Desk, site: Site) -> None:
    page_at(site)
    site.says("/robots.txt", body=b"User-agent: *\nDisallow: /news/")
    desk.tells()
    desk.poll()

    state = desk.read_one()

    assert state.outcome == "blocked"
    assert state.reason == f"robots.txt of {site.url.removeprefix('http://')} forbids the page"
    assert desk.asked("/news/1") == 0
    assert desk.article().text == TEASER


def test_a_redirect_to_what_robots_txt_forbids_is_not_followed(desk: Desk, site: Site) -> None:
    page_at(site, "/private/1")
    site.says("/news/1", "302 Found", Location="/private/1")
    site.says("/robots.txt", body=b"User-agent: *\nDisallow: /private/")
    desk.tells()
    desk.poll()

    assert "robots.txt" in desk.read_one().reason
    assert desk.asked("/private/1") == 0


def test_robots_txt_is_asked_for_once_in_24_hours_whatever_is_restarted(desk: Desk, site: Site) -> None:
    site.says("/robots.txt", body=b"User-agent: *\nAllow: /")
    for number, pause in enumerate((0 * HOUR, 23 * HOUR, 2 * HOUR)):
        desk.clock.move(desk.clock() + pause)
        page_at(site, f"/news/{number}")
        desk.tells(str(number))
        desk.poll()
        assert desk.read_one().is_read
        desk.close()
        desk.open()

    assert desk.asked("/robots.txt") == 2


def test_a_robots_txt_with_bytes_of_value_zero_is_remembered_without_them(desk: Desk, site: Site) -> None:
    page_at(site)
    site.says("/robots.txt", body=b"User-agent: *\x00\nDisallow: /private")
    desk.tells()
    desk.poll()

    assert desk.read_one().is_read
    with desk.app.store.begin(write=False) as unit:
        assert unit.pages.robots(site.url, since=START - HOUR) == "User-agent: *\nDisallow: /private"


def test_while_robots_txt_cannot_be_asked_for_no_page_is(desk: Desk, site: Site) -> None:
    page_at(site)
    site.says("/robots.txt", "503 Service Unavailable")
    desk.tells()
    desk.poll()

    state = desk.read_one()

    assert state.reason == "robots.txt cannot be asked for: the server answered 503"
    assert state.due_at == START + HOUR
    assert desk.asked("/news/1") == 0
    site.says("/robots.txt", "404 Not Found")
    desk.clock.move(START + HOUR)
    assert desk.read_one().is_read


def test_a_page_over_plain_http_is_read_from_admitted_addresses_only(desk: Desk) -> None:
    desk.tells(link="http://news.example/1")
    desk.poll()

    assert desk.read_one().reason == "pages are read over https only"


def test_a_redirect_to_a_private_address_is_refused(desk: Desk, site: Site) -> None:
    site.says("/news/1", "302 Found", Location="https://10.0.0.1/x")
    desk.tells()
    desk.poll()

    assert desk.read_one().outcome == "blocked"


def test_a_host_that_asks_for_rest_is_left_alone_until_then(desk: Desk, site: Site) -> None:
    for guid in ("1", "2", "3"):
        site.says(f"/news/{guid}", "429 Too Many Requests", Retry_After="120")
        desk.tells(guid)
    desk.poll()

    first = desk.read()
    again = desk.read()
    desk.clock.move(START + timedelta(seconds=120))
    for guid in ("1", "2", "3"):
        page_at(site, f"/news/{guid}")
    last = desk.read()

    assert [state.outcome for state in first] == ["rate_limited"]
    assert again == []
    assert [state.outcome for state in last] == ["read"] * 3
    with desk.app.store.begin(write=False) as unit:
        (host,) = unit.articles.host_states().values()
    assert host.not_before == START + timedelta(seconds=120)


def test_a_server_that_fails_is_asked_three_times_and_then_no_more(desk: Desk, site: Site) -> None:
    site.says("/news/1", "500 Internal Server Error")
    desk.tells()
    desk.poll()

    for _ in range(60):
        desk.read()
        desk.clock.move(desk.clock() + HOUR)

    assert desk.asked("/news/1") == 3
    assert desk.article().text == TEASER


def test_a_page_that_kills_the_program_is_asked_for_three_times_at_most(desk: Desk, site: Site) -> None:
    page_at(site)
    desk.tells()
    desk.poll()
    asked = 0
    for _ in range(6):
        with desk.app.store.begin(write=False) as unit:
            due = unit.pages.due_pages(now=desk.clock())
        for state in due:  # the program dies between the claim and the answer
            with desk.app.store.begin() as unit:
                asked += unit.pages.replace_page(state, taken(state, now=desk.clock(), lease=pages.LEASE))
        desk.clock.move(desk.clock() + pages.LEASE)

    assert asked == 3
    with desk.app.store.begin(write=False) as unit:
        (state,) = unit.pages.pages([desk.article().id]).values()
    assert (state.outcome, state.due_at) == ("interrupted", None)


class FaultyClient:
    """The desk's client, with a fault of the program's own wherever a path says so."""

    def __init__(self, client: HttpClient) -> None:
        self._client, self.is_admitted = client, client.is_admitted

    def fetch(self, url: str, *, source_id: str, admit: Callable[[str], None] | None = None) -> Fetched:
        if url.endswith("/asking"):
            raise ZeroDivisionError("a fault while it asks")
        if url.endswith("/offline"):
            raise Unavailable("the database cannot be reached")
        fetched = self._client.fetch(url, source_id=source_id, admit=admit)
        if url.endswith("/reading"):
            return replace(fetched, body=None)  # type: ignore[arg-type] # the fault while it reads
        return fetched


@pytest.mark.parametrize(("path", "kind"), [("asking", "ZeroDivisionError"), ("reading", "TypeError")])
def test_a_fault_of_the_program_on_one_page_leaves_its_feed_text_and_the_others_go_on(
    desk: Desk, site: Site, path: str, kind: str
) -> None:
    for guid in ("1", path, "2"):
        page_at(site, f"/news/{guid}")
        desk.tells(guid)
    desk.poll()
    logged: list[tuple[str, Any]] = []
    parts = replace(desk.app.parts, log=lambda event, **values: logged.append((event, values)))

    states = pages.read_pages(parts, FaultyClient(desk.app.client))

    assert sorted(state.outcome for state in states) == ["fault", "read", "read"]
    (failed,) = (state for state in states if state.outcome == "fault")
    assert failed.reason == f"the program failed on this page: {kind}"
    assert failed.due_at == START + HOUR
    assert {one.guid: one.text_origin for one in desk.articles()} == {"1": "page", path: "feed", "2": "page"}
    (told,) = (values for event, values in logged if event == "page_failed")
    assert (told["article_id"], type(told["exc_info"]).__name__) == (failed.article_id, kind)


def test_a_page_on_which_the_program_always_fails_is_asked_for_three_times(desk: Desk, site: Site) -> None:
    page_at(site, "/news/reading")
    desk.tells("reading")
    desk.poll()
    parts = replace(desk.app.parts, log=lambda *_args, **_values: None)

    for _ in range(5):
        pages.read_pages(parts, FaultyClient(desk.app.client))
        desk.clock.move(desk.clock() + 6 * HOUR)

    assert desk.asked("/news/reading") == 3


def test_a_database_that_cannot_be_reached_is_no_fault_of_a_page(desk: Desk) -> None:
    desk.tells("offline")
    desk.poll()

    with pytest.raises(Unavailable):
        pages.read_pages(desk.app.parts, FaultyClient(desk.app.client))


def test_one_host_is_asked_one_page_at_a_time_and_another_meanwhile(
    desk_of: Callable[..., Desk], site: Site
) -> None:
    desk = desk_of(pause_seconds=0.1)
    spans: list[tuple[str, float, float]] = []
    lock = threading.Lock()

    def slowly(host: str) -> Callable[[socket.socket], None]:
        def speak(connection: socket.socket) -> None:
            begun = time.monotonic()
            time.sleep(0.15)
            with lock:
                spans.append((host, begun, time.monotonic()))
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(html())}\r\n\r\n"
            connection.sendall(head.encode() + html())

        return speak

    with serving("127.0.0.2") as other:
        for guid in ("1", "2", "3"):
            for place in (site, other):
                link = place.speaks(f"/news/{guid}", slowly(place.url))
                desk.tells(f"{place.url}{guid}", title=f"{TITLE} {guid}", link=link)
        desk.poll()
        assert [state.outcome for state in desk.read()] == ["read"] * 6

    for host in (site.url, other.url):
        own = sorted((begun, ended) for at, begun, ended in spans if at == host)
        assert all(later[0] >= earlier[1] for earlier, later in itertools.pairwise(own))
    ordered = sorted(spans, key=lambda span: span[1])
    assert any(a[0] != b[0] and b[1] < a[2] for a, b in itertools.pairwise(ordered))


# -------------------------------------------------------------------------------- polls after the page
def test_later_polls_neither_take_the_text_back_nor_ask_again(desk: Desk, site: Site) -> None:
    page_at(site)
    desk.tells()
    desk.poll()
    desk.read()
    before = desk.article(), desk.events()

    for _ in range(3):
        desk.clock.move(desk.clock() + HOUR)
        assert desk.poll() == (0, 0)
        assert desk.read() == []

    assert (desk.article(), desk.events()) == before
    assert desk.asked("/news/1") == 1


def test_an_edited_item_has_its_new_title_at_once_and_its_page_is_read_again(desk: Desk, site: Site) -> None:
    page_at(site)
    desk.tells()
    desk.poll()
    desk.read()
    desk.tells(title="Mistral AI denies cutting staff", text="A correction.")
    page_at(site, body=html(BODY.replace("120", "140")))

    assert desk.poll() == (0, 1)
    between = desk.article()
    state = desk.read_one()

    assert (between.title, between.text_origin) == ("Mistral AI denies cutting staff", "page")
    assert between.text.startswith("A correction.\n")
    assert "120" in between.text
    after = desk.article()
    assert (after.title, state.attempts) == (between.title, 2)
    assert "120" not in after.text
    assert "140" in after.text


def test_an_item_edited_at_every_poll_is_asked_for_three_times(desk: Desk, site: Site) -> None:
    page_at(site)
    for number in range(8):
        desk.tells(title=f"{TITLE} ({number} comments)")
        desk.poll()
        desk.read()
        desk.clock.move(desk.clock() + HOUR)

    assert desk.asked("/news/1") == 3
    article = desk.article()
    assert (article.title, article.text_origin) == (f"{TITLE} (7 comments)", "page")


@pytest.mark.parametrize("edited_first", [True, False])
def test_edit_and_page_in_either_order_leave_the_same(desk: Desk, site: Site, edited_first: bool) -> None:
    page_at(site)
    desk.tells()
    desk.poll()
    if not edited_first:
        desk.read()
    desk.tells(title=f"{TITLE}, corrected", text="A corrected teaser.")
    desk.poll()
    desk.read()

    article = desk.article()
    assert (article.title, article.text_origin) == (f"{TITLE}, corrected", "page")
    assert "laid off 120 employees" in article.text


def test_the_order_in_which_pages_come_changes_nothing(desk_of: Callable[..., Desk], site: Site) -> None:
    def what_is_stored(desk: Desk) -> object:
        return (
            {(one.guid, one.title, one.text, one.text_origin, one.text_key) for one in desk.articles()},
            desk.events(),
        )

    guids = [str(number) for number in range(25)]  # more than one run asks of a host
    for number, guid in enumerate(guids):
        page_at(site, f"/news/{guid}", html(BODY.replace("120", str(100 + number))))
    site.says("/news/3", "403 Forbidden")
    results = []
    for name, order in (("one", guids), ("other", guids[::-1])):
        desk = desk_of(name)
        for guid in order:
            desk.tells(guid, title=f"{TITLE}: part {guid}")
            if name == "other":
                desk.poll()
                desk.read()
        desk.poll()
        runs = [len(desk.read()) for _ in range(4)]
        assert max(runs) <= pages.PER_HOST
        assert runs[-1] == 0
        results.append(what_is_stored(desk))

    assert results[0] == results[1]
    assert len(results[0][0]) == 25  # type: ignore[index] # a pair
