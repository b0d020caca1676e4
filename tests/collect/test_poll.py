"""One poll against a real server: what becomes of each answer."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from riskwatch.collect import Polled, Source, Tools, poll
from riskwatch.collect.due import due
from riskwatch.collect.http import HttpClient
from riskwatch.collect.identity import settle
from riskwatch.collect.sources.file import documents
from riskwatch.decode import Decoded, Origin, decode
from riskwatch.model import HostState, SourceState
from tests.collect.sites import Site

START = datetime(2026, 3, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def feed(*titles: str, guid: str = "g") -> bytes:
    items = "".join(
        f"<item><title>{title}</title><guid isPermaLink='false'>{guid}-{title}</guid><link>https://x.example/{title}</link>"
        "<pubDate>Tue, 03 Mar 2026 10:00:00 GMT</pubDate></item>"
        for title in titles
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>{items}</channel></rss>'.encode()
    )


def decoded(body: bytes, *, content_type: str | None, source: Source, url: str, now: datetime) -> Decoded:
    return decode(body, content_type=content_type, origin=Origin(source.id, url=url), now=now)


class Desk:
    """Polls one Source again and again, as the pipeline does, under a clock of its own."""

    def __init__(self, client: HttpClient, url: str, **values: object) -> None:
        self.now = START
        ids = itertools.count()
        self.tools = Tools(
            fetch=client.fetch,
            decode=decoded,
            now=lambda: self.now,
            new_id=lambda: f"p{next(ids)}",
            jitter=lambda: 1.0,
        )
        self.source = Source.model_validate({"id": "s", "url": url, "publisher": "p", **values})
        self.state: SourceState | None = None

    def poll(self, *, after: timedelta = timedelta(0)) -> Polled:
        self.now += after
        polled = poll(self.source, self.state, tools=self.tools)
        polled = polled.settled(new=len(polled.articles), changed=0)
        self.state = polled.state
        return polled


def due_at(polled: Polled) -> datetime:
    assert polled.state.next_due_at is not None
    return polled.state.next_due_at


@pytest.fixture
def desk(site: Site, client: HttpClient) -> Desk:
    return Desk(client, site.url + "/f")


def test_a_feed_brings_articles_validators_and_a_row(site: Site, desk: Desk) -> None:
    site.says("/f", body=feed("a", "b"), ETag='"1"', Last_Modified="Tue, 03 Mar 2026 10:00:00 GMT")

    polled = desk.poll()

    assert [article.title for article in polled.articles] == ["a", "b"]
    assert (polled.poll.outcome, polled.poll.reason, polled.poll.status, polled.poll.new) == (
        "ok",
        "",
        200,
        2,
    )
    assert polled.poll.bytes > 100
    assert (polled.state.etag, polled.state.validator_url) == ('"1"', desk.source.url)
    assert polled.state.last_ok_at == polled.state.last_new_item_at == START
    assert START < due_at(polled) <= START + timedelta(hours=36)


def test_not_modified_is_good_but_brings_no_new_item(site: Site, desk: Desk) -> None:
    site.says("/f", body=feed("a"), ETag='"1"')
    desk.poll()
    site.says("/f", "304 Not Modified")

    polled = desk.poll(after=HOUR)

    assert polled.poll.outcome == "not_modified"
    assert site.asked[-1][1]["if-none-match"] == '"1"'
    assert (polled.state.last_ok_at, polled.state.last_new_item_at) == (START + HOUR, START)
    assert polled.state.etag == '"1"'


def test_the_same_bytes_count_as_not_modified(site: Site, desk: Desk) -> None:
    site.says("/f", body=feed("a"))
    desk.poll()

    assert desk.poll(after=HOUR).poll.outcome == "not_modified"


def test_an_etag_is_not_sent_after_the_url_changed(site: Site, desk: Desk) -> None:
    site.says("/f", body=feed("a"), ETag='"1"')
    desk.poll()
    desk.source = desk.source.model_copy(update={"url": site.says("/new", body=feed("a", "b"))})

    desk.poll(after=HOUR)

    assert site.asked[-1][0] == "/new"
    assert "if-none-match" not in site.asked[-1][1]


def test_an_etag_that_could_forge_headers_is_not_kept(site: Site, desk: Desk) -> None:
    site.says("/f", body=feed("a"), ETag='"' + "x" * 600)

    assert desk.poll().state.etag is None


def test_three_moves_over_a_day_move_the_source_and_drop_its_validators(site: Site, desk: Desk) -> None:
    site.says("/f", "301 Moved Permanently", Location="/moved")
    target = site.says("/moved", body=feed("a"), ETag='"1"')

    first, second = desk.poll(), desk.poll(after=13 * HOUR)
    third = desk.poll(after=13 * HOUR)

    assert [p.state.effective_url for p in (first, second, third)] == [None, None, target]
    assert third.state.etag is None
    assert target in third.notices[0]
    desk.poll(after=HOUR)
    assert site.asked[-1][0] == "/moved"
    assert site.asked[-2][0] == "/moved"


def test_a_new_configured_url_wins_over_an_old_move(site: Site, desk: Desk) -> None:
    site.says("/f", "301 Moved Permanently", Location="/moved")
    site.says("/moved", body=feed("a"))
    moved = [desk.poll(after=13 * HOUR) for _ in range(3)][-1].state
    configured = site.says("/configured", body=feed("a", "b"))
    desk.source = desk.source.model_copy(update={"url": configured})
    assert moved.effective_url is not None
    assert due([desk.source], states={"s": moved}, hosts={}, now=desk.now) == ["s"]

    polled = desk.poll()

    assert site.asked[-1][0] == "/configured"
    assert (polled.state.effective_url, polled.state.configured_url) == (None, configured)
    assert polled.poll.new == 2
    assert due([desk.source], states={"s": polled.state}, hosts={}, now=desk.now) == []


def test_failures_of_the_old_url_do_not_slow_the_new_one(site: Site, desk: Desk) -> None:
    site.says("/f", "410 Gone")
    desk.poll()
    desk.source = desk.source.model_copy(update={"url": site.says("/g", "500 Oops")})

    polled = desk.poll(after=HOUR)

    assert (polled.state.consecutive_failures, polled.state.gone_since) == (1, None)
    assert due_at(polled) - desk.now <= HOUR


def test_a_state_from_before_the_url_was_kept_stays_moved(site: Site, desk: Desk) -> None:
    target = site.says("/moved", body=feed("a"))
    desk.state = SourceState("s", effective_url=target)

    polled = desk.poll()

    assert site.asked[-1][0] == "/moved"
    assert (polled.state.effective_url, polled.state.configured_url) == (target, desk.source.url)


def test_three_moves_within_a_day_move_nothing(site: Site, desk: Desk) -> None:
    site.says("/f", "301 Moved Permanently", Location="/moved")
    site.says("/moved", body=feed("a"))

    states = [desk.poll(after=HOUR).state for _ in range(5)]

    assert states[-1].effective_url is None


def test_one_move_followed_by_a_plain_answer_is_forgotten(site: Site, desk: Desk) -> None:
    site.says("/f", "301 Moved Permanently", Location="/moved")
    site.says("/moved", body=feed("a"))
    desk.poll()
    site.says("/f", body=feed("a", "b"))

    polled = desk.poll(after=HOUR)

    assert (polled.state.moved_to, polled.state.moved_count) == (None, 0)


def test_gone_is_said_at_once_asked_every_two_days_and_revived_by_itself(site: Site, desk: Desk) -> None:
    site.says("/f", "410 Gone")
    first = desk.poll()
    second = desk.poll(after=timedelta(hours=48))
    site.says("/f", body=feed("a"))
    back = desk.poll(after=timedelta(days=30))

    assert first.poll.outcome == "gone"
    assert len(first.notices) == 1
    assert second.notices == ()
    assert due_at(second) < desk.now
    assert due_at(second) == START + timedelta(hours=96)
    assert back.poll.outcome == "ok"
    assert back.state.gone_since is None
    assert back.notices


def test_ninety_days_of_404_give_one_notice_and_never_stop(site: Site, desk: Desk) -> None:
    site.says("/f", body=feed("a"))
    polled = desk.poll()
    site.says("/f", "404 Not Found")
    notices, waits = list[str](), list[timedelta]()
    while desk.now < START + timedelta(days=90):
        polled = desk.poll(after=due_at(polled) - desk.now)
        notices += polled.notices
        waits.append(due_at(polled) - desk.now)

    assert len(notices) == 1
    assert max(waits) <= timedelta(hours=57.6)
    assert polled.state.consecutive_failures == len(waits)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("1", 60),
        (str(10**9), 86_400),
        ("Thu, 05 Mar 2026 13:00:00 GMT", 3_600),
        ("-1", None),
        ("soon", None),
    ],
)
@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_retry_after_holds_for_the_host(
    site: Site, desk: Desk, header: str, seconds: float | None, status: str
) -> None:
    site.says("/f", status, Retry_After=header)

    polled = desk.poll()

    assert not polled.poll.is_ok
    if seconds is None:
        assert polled.host is None
    else:
        rested = START + timedelta(seconds=seconds)
        assert polled.host == HostState("127.0.0.1", rested)
        assert due_at(polled) >= rested


@pytest.mark.parametrize(
    ("status", "body", "outcome", "reason"),
    [
        ("403 Forbidden", b"<html>Just a moment...</html>", "refused", "challenge page"),
        ("401 Unauthorized", b"", "refused", "401"),
        ("200 OK", b"<!doctype html><title>Attention Required</title>", "challenge_page", "challenge"),
        ("200 OK", b'{"ok": true}', "not_a_feed", "JSON"),
        ("200 OK", b"", "not_a_feed", "empty"),
        ("200 OK", b'<!DOCTYPE rss [<!ENTITY x "y">]><rss/>', "dtd_refused", "DTD"),
        ("500 Oops", b"", "bad_status", "500"),
        ("304 Not Modified", b"", "not_modified", ""),
    ],
)
def test_every_answer_has_its_name(
    site: Site, desk: Desk, status: str, body: bytes, outcome: str, reason: str
) -> None:
    site.says("/f", status, body=body, Content_Type="text/html")

    polled = desk.poll()

    assert polled.poll.outcome == outcome
    assert reason in polled.poll.reason
    assert polled.state.consecutive_failures == (0 if outcome == "not_modified" else 1)


def test_no_items_where_items_used_to_be_is_suspicious(site: Site, desk: Desk) -> None:
    site.says("/f", body=feed())
    assert desk.poll().poll.outcome == "ok"
    site.says("/f", body=feed("a"))
    desk.poll(after=HOUR)
    site.says("/f", body=feed(), ETag='"empty"')

    polled = desk.poll(after=HOUR)

    assert polled.poll.outcome == "empty"
    assert polled.state.etag is None


def test_a_failure_keeps_the_validators_of_the_last_good_answer(site: Site, desk: Desk) -> None:
    site.says("/f", body=feed("a"), ETag='"1"')
    desk.poll()
    site.says("/f", "500 Oops", ETag='"2"')

    polled = desk.poll(after=HOUR)

    assert polled.state.etag == '"1"'
    assert polled.state.last_ok_at == START


def test_a_thousand_failures_never_end_the_polling(client: HttpClient) -> None:
    desk = Desk(client, "http://127.0.0.1:1/f")
    desk.state = SourceState("s", consecutive_failures=999)

    polled = desk.poll()

    assert polled.state.consecutive_failures == 1_000
    assert due_at(polled) - START == timedelta(hours=57.6)
    assert polled.reached is not None
    assert polled.reached.is_line_fault


def test_with_our_own_line_down_nothing_is_counted(client: HttpClient) -> None:
    desk = Desk(client, "http://127.0.0.1:1/f")
    before = SourceState("s", consecutive_failures=2, etag='"1"')

    polled = poll(desk.source, before, tools=desk.tools).uncounted(before)

    assert polled.state == replace(
        before,
        next_due_at=START + timedelta(minutes=5),
        last_outcome="collecting_offline",
        last_reason="our own line is down",
    )
    assert polled.poll.outcome == "collecting_offline"


def test_max_age_and_ttl_raise_the_interval(site: Site, desk: Desk) -> None:
    site.says("/f", body=feed("a"), Cache_Control="public, max-age=43200")

    assert due_at(desk.poll()) - START >= timedelta(hours=6)


def test_a_local_file_or_folder_is_a_source(tmp_path: Path, client: HttpClient) -> None:
    (tmp_path / "1.xml").write_bytes(feed("a"))
    (tmp_path / "2.xml").write_bytes(b"broken")
    (tmp_path / "3.xml").write_bytes(feed("b"))
    (tmp_path / "notes.txt").write_text("left alone")
    desk = Desk(client, "demo", kind="file")
    desk.tools = replace(desk.tools, read_files=lambda _: documents(tmp_path))

    first, second = desk.poll(), desk.poll(after=HOUR)

    assert [article.title for article in first.articles] == ["a", "b"]
    assert first.poll.reason == "1 of 3 files could not be read"
    assert second.poll.outcome == "not_modified"
    assert documents(tmp_path / "1.xml") == (feed("a"),)


def test_a_file_that_is_not_there_is_a_failure(tmp_path: Path, client: HttpClient) -> None:
    desk = Desk(client, "demo", kind="file")
    desk.tools = replace(desk.tools, read_files=lambda _: documents(tmp_path / "none.xml"))

    assert desk.poll().poll.outcome == "failed"


def test_guids_that_are_new_at_every_poll_double_nothing(site: Site, desk: Desk) -> None:
    site.says("/f", body=feed("a", "b", "c"))
    stored = {article.guid: article.url for article in desk.poll().articles}
    site.says("/f", body=feed("a", "b", "c", "d", guid="other"))

    articles = settle(
        desk.poll(after=HOUR).articles,
        known_guids={},
        known_urls={url: guid for guid, url in stored.items() if url},
    )

    assert [article.guid for article in articles] == ["g-a", "g-b", "g-c", "other-d"]


def test_a_few_new_guids_for_known_links_are_new_items(site: Site, desk: Desk) -> None:
    site.says("/f", body=feed("a", "b", "c"))
    articles = desk.poll().articles

    kept = settle(
        articles,
        known_guids={"g-a": None, "g-b": None},
        known_urls={"https://x.example/c": "older"},
    )

    assert kept == articles


def test_one_link_for_all_items_tells_nothing(site: Site, desk: Desk) -> None:
    site.says("/f", body=feed("a", "b"))
    same = tuple(replace(article, url="https://x.example/") for article in desk.poll().articles)

    assert settle(same, known_guids={}, known_urls={"https://x.example/": "old"}) == same
