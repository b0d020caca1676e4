"""The guarded client against servers that are slow, cut, huge, lying or redirecting."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Callable
from itertools import pairwise

import pytest

from riskwatch.collect.fetched import Validators
from riskwatch.collect.guard import Guard
from riskwatch.collect.http import BadEncoding, CutOff, HttpClient
from riskwatch.errors import Blocked, TooLarge, TooSlow, Unreachable
from tests.collect.sites import Site

HEAD = b"HTTP/1.1 200 OK\r\n"


def test_an_answer_comes_with_status_headers_and_bytes(site: Site, client: HttpClient) -> None:
    url = site.says("/f", body=b"hello", ETag='"1"')

    got = client.fetch(url, source_id="s")

    assert (got.status, got.body, got.headers["etag"], got.wire_bytes, got.url) == (
        200,
        b"hello",
        '"1"',
        5,
        url,
    )
    assert site.asked[0][1]["user-agent"] == "riskwatch/test"


def test_validators_go_only_to_the_url_they_came_from(site: Site, client: HttpClient) -> None:
    url, other = site.says("/a"), site.says("/b")
    validators = Validators(url, '"1"', "Tue, 03 Mar 2026 10:00:00 GMT")

    client.fetch(url, source_id="s", validators=validators)
    client.fetch(other, source_id="s", validators=validators)

    asked = [headers for _, headers in site.asked]
    assert asked[0]["if-none-match"] == '"1"'
    assert asked[0]["if-modified-since"] == "Tue, 03 Mar 2026 10:00:00 GMT"
    assert "if-none-match" not in asked[1]
    assert "if-modified-since" not in asked[1]


def test_one_connection_serves_many_polls(site: Site, client: HttpClient) -> None:
    url = site.says("/f", "304 Not Modified")

    for _ in range(20):
        client.fetch(url, source_id="s")

    assert site.connections == 1


def test_a_kept_connection_that_was_closed_is_opened_again(site: Site, client: HttpClient) -> None:
    site.says("/f", body=b"x")
    url = site.url + "/f"

    def once(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"Content-Length: 1\r\n\r\ny")

    site.speaks("/close", once)
    client.fetch(site.url + "/close", source_id="s")

    assert client.fetch(url, source_id="s").body == b"x"


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, lambda body: zlib.compress(body)[2:-4]])
def test_packed_bodies_are_unpacked(site: Site, client: HttpClient, pack: Callable[[bytes], bytes]) -> None:
    body = b"<rss>" + b"word " * 500
    encoding = "gzip" if pack is gzip.compress else "deflate"
    url = site.says("/f", body=pack(body), Content_Encoding=encoding)

    assert client.fetch(url, source_id="s").body == body


def test_a_packed_body_of_several_members_is_whole(site: Site, client: HttpClient) -> None:
    url = site.says("/f", body=gzip.compress(b"one ") + gzip.compress(b"two"), Content_Encoding="gzip")

    assert client.fetch(url, source_id="s").body == b"one two"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip, gzip", gzip.compress(gzip.compress(b"x", mtime=0), mtime=0)),
        ("br", b"x"),
        ("gzip", b"no gzip at all"),
    ],
)
def test_other_packings_are_refused(site: Site, client: HttpClient, encoding: str, body: bytes) -> None:
    url = site.says("/f", body=body, Content_Encoding=encoding)

    with pytest.raises(BadEncoding):
        client.fetch(url, source_id="s")


def test_a_packed_body_that_ends_early_is_no_answer(site: Site, client: HttpClient) -> None:
    url = site.says("/f", body=gzip.compress(b"abc " * 1_000)[:-12], Content_Encoding="gzip")

    with pytest.raises(CutOff):
        client.fetch(url, source_id="s")


def test_a_bomb_is_cut_at_the_ratio(site: Site, client: HttpClient) -> None:
    url = site.says("/f", body=gzip.compress(b"\0" * 1_900_000), Content_Encoding="gzip")

    with pytest.raises(TooLarge, match="times its size"):
        client.fetch(url, source_id="s")


def test_a_body_over_the_limit_after_unpacking_is_cut(site: Site, client: HttpClient) -> None:
    words = b"".join(f"{number} words in a row ".encode() for number in range(100_000))
    url = site.says("/f", body=gzip.compress(words), Content_Encoding="gzip")

    with pytest.raises(TooLarge):
        client.fetch(url, source_id="s")


def test_one_byte_over_the_wire_limit_is_too_much(site: Site, client: HttpClient) -> None:
    url = site.says("/f", body=b"x" * 500_001)

    with pytest.raises(TooLarge):
        client.fetch(url, source_id="s")


def test_an_endless_body_is_cut_at_the_wire_limit(site: Site, client: HttpClient) -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"\r\n")
        while True:
            connection.sendall(b"x" * 65_536)

    with pytest.raises(TooLarge):
        client.fetch(site.speaks("/f", endless), source_id="s")


def drip(connection: socket.socket, start: bytes) -> None:
    connection.sendall(start)
    for _ in range(200):
        connection.sendall(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("start", [HEAD + b"\r\n", HEAD + b"Content-Length: 500\r\n\r\n", HEAD + b"X-Slow: "])
def test_a_dripping_answer_ends_with_the_total_time(site: Site, client: HttpClient, start: bytes) -> None:
    url = site.speaks("/f", lambda connection: drip(connection, start))

    with pytest.raises(TooSlow):  # the drip lasts ten seconds, the limit is one and a half
        client.fetch(url, source_id="s")


def test_a_server_that_says_nothing_is_too_slow(site: Site, client: HttpClient) -> None:
    with pytest.raises(TooSlow):
        client.fetch(site.speaks("/f", lambda _: time.sleep(4)), source_id="s")


def test_a_cut_body_is_no_answer(site: Site, client: HttpClient) -> None:
    url = site.speaks("/f", lambda c: c.sendall(HEAD + b"Content-Length: 500\r\n\r\nonly this"))

    with pytest.raises(CutOff):
        client.fetch(url, source_id="s")


@pytest.mark.parametrize("noise", [b"", b"SSH-2.0-OpenSSH_9\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_a_server_that_speaks_no_http_is_named(site: Site, client: HttpClient, noise: bytes) -> None:
    with pytest.raises(CutOff):
        client.fetch(site.speaks("/f", lambda c: c.sendall(noise)), source_id="s")


def test_a_closed_port_is_unreachable(client: HttpClient) -> None:
    with pytest.raises(Unreachable):
        client.fetch("http://127.0.0.1:1/f", source_id="s")


def test_a_name_that_does_not_resolve_is_unreachable(client: HttpClient) -> None:
    with pytest.raises(Unreachable, match="resolve"):
        client.fetch("http://nowhere.invalid/f", source_id="s")


def test_a_plain_server_where_tls_is_due_is_no_answer(site: Site, client: HttpClient) -> None:
    with pytest.raises((Unreachable, TooSlow)):
        client.fetch(site.url.replace("http://", "https://") + "/f", source_id="s")


def test_redirects_are_followed_and_permanent_ones_reported(site: Site, client: HttpClient) -> None:
    site.says("/1", "301 Moved Permanently", Location="/2")
    site.says("/2", "308 Permanent Redirect", Location=site.url + "/3#part")
    site.says("/3", "302 Found", Location="/4")
    site.says("/4", body=b"here")

    got = client.fetch(site.url + "/1", source_id="s")

    assert (got.body, got.url, got.hops) == (b"here", site.url + "/4", 3)
    assert got.permanent_url == site.url + "/3"


def test_a_temporary_redirect_moves_nothing(site: Site, client: HttpClient) -> None:
    site.says("/1", "302 Found", Location="/2")
    site.says("/2", "301 Moved Permanently", Location="/3")
    site.says("/3", body=b"here")

    assert client.fetch(site.url + "/1", source_id="s").permanent_url is None


def test_a_redirect_loop_ends_after_five_hops(site: Site, client: HttpClient) -> None:
    url = site.says("/1", "302 Found", Location="/1")

    with pytest.raises(Blocked, match="redirects"):
        client.fetch(url, source_id="s")

    assert len(site.asked) == 6


@pytest.mark.parametrize(
    "target",
    [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://2852039166/",
        "http://0xA9FEA9FE/",
        "http://[::ffff:169.254.169.254]/",
        "http://[fec0::1]/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "http://user:word@127.0.0.1/",
        "http://[",
    ],
)
def test_a_redirect_to_a_forbidden_place_is_refused(site: Site, client: HttpClient, target: str) -> None:
    url = site.says("/1", "302 Found", Location=target)

    with pytest.raises(Blocked):
        client.fetch(url, source_id="s")


def test_without_leave_no_socket_is_opened_to_loopback(site: Site) -> None:
    client = HttpClient(user_agent="x", guard=Guard(ports=range(1, 65_536)), host_pause_seconds=0)

    with pytest.raises(Blocked, match="not public"):
        client.fetch(site.url + "/", source_id="s")

    client.close()
    assert site.connections == 0


def test_the_environment_names_no_proxy(
    site: Site, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    assert client.fetch(site.says("/f", body=b"x"), source_id="s").body == b"x"


def test_one_host_is_asked_by_one_at_a_time_with_a_pause(site: Site) -> None:
    starts, running, most = [], [], []
    client = HttpClient(user_agent="x", guard=Guard(["127.0.0.0/8"]), host_pause_seconds=0.2)

    def speak(connection: socket.socket) -> None:
        starts.append(time.monotonic())
        running.append(1)
        most.append(len(running))
        time.sleep(0.05)
        running.pop()
        connection.sendall(HEAD + b"Content-Length: 0\r\n\r\n")

    url = site.speaks("/f", speak)
    threads = [
        threading.Thread(target=client.fetch, args=(url,), kwargs={"source_id": "s"}) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.close()

    assert max(most) == 1
    assert all(later - earlier > 0.15 for earlier, later in pairwise(starts))


def test_a_post_never_follows_and_wants_https(site: Site, client: HttpClient) -> None:
    url = site.says("/hook", "302 Found", Location="/elsewhere")

    got = client.post(url, body=b"{}", headers={"Content-Type": "application/json"}, receiver_id="r")

    assert got.status == 302
    assert [path for path, _ in site.asked] == ["/hook"]
    with pytest.raises(Blocked):
        client.post("http://hooks.example/x", body=b"", headers={}, receiver_id="r")
