"""Exchanges over TLS: a certificate that does not convince is a failure, and nothing switches that off."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from riskwatch.collect.guard import Guard
from riskwatch.collect.http import HttpClient, Limits
from riskwatch.errors import CollectError, TooSlow, Unreachable
from tests.collect.sites import Handler, LocalServer, Site
from tests.collect.test_poll import Desk, due_at, feed

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(
    OPENSSL is None, reason="the openssl command, which makes certificates, is absent"
)
SUBJECT = "subjectAltName=IP:127.0.0.1"
AUTHORITY = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
Start = Callable[[Path], Site]


def openssl(*arguments: object) -> None:
    subprocess.run([str(OPENSSL), *map(str, arguments)], check=True, capture_output=True, timeout=30)


def an_authority(folder: Path, name: str) -> Path:
    """Make a self-signed authority; return its certificate, its key lies beside it."""
    made = folder / f"{name}.pem"
    keys = (
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        folder / f"{name}.key",
    )
    openssl("req", "-x509", *keys, "-out", made, "-days", 2, "-subj", f"/CN={name}", *AUTHORITY)
    return made


def a_certificate(authority: Path, name: str, *, subject: str = SUBJECT, days: int = 2) -> Path:
    """Make a server certificate signed by an authority; return one file with certificate and key."""
    folder = authority.parent
    key, asked, signed, names = (folder / f"{name}.{end}" for end in ("key", "csr", "crt", "ext"))
    keys = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key)
    openssl("req", "-new", *keys, "-out", asked, "-subj", f"/CN={name}")
    names.write_text(subject, encoding="ascii")
    signer = ("-CA", authority, "-CAkey", authority.with_suffix(".key"), "-CAcreateserial")
    openssl("x509", "-req", "-in", asked, *signer, "-days", days, "-out", signed, "-extfile", names)
    whole = folder / f"{name}.both"
    whole.write_bytes(signed.read_bytes() + key.read_bytes())
    return whole


class _TlsServer(LocalServer):
    """Speaks TLS; the handshake comes with the first byte read, in the thread that answers."""

    context: ssl.SSLContext

    def get_request(self) -> tuple[socket.socket, Any]:
        plain, address = super().get_request()
        return self.context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False), address


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return an_authority(tmp_path_factory.mktemp("tls"), "trusted")


@pytest.fixture
def start() -> Iterator[Start]:
    """Serve over TLS with a certificate."""
    servers = []

    def run(certificate: Path) -> Site:
        server = _TlsServer(("127.0.0.1", 0), Handler)
        server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.context.load_cert_chain(certificate)
        site = Site(f"https://127.0.0.1:{server.server_address[1]}")
        server.site = site
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        return site

    yield run
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def a_client() -> Iterator[Callable[..., HttpClient]]:
    """Make clients that may speak to loopback and trust one authority (none: the bundled ones)."""
    made = []

    def make(ca_bundle: Path | None = None) -> HttpClient:
        client = HttpClient(
            user_agent="riskwatch/test",
            guard=Guard(["127.0.0.0/8"]),
            limits=Limits(connect_seconds=2, read_seconds=2, total_seconds=1.5),
            host_pause_seconds=0,
            ca_bundle=str(ca_bundle) if ca_bundle else None,
        )
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


def failed(client: HttpClient, site: Site) -> CollectError:
    site.says("/f", body=b"secret")
    with pytest.raises(CollectError) as caught:
        client.fetch(site.url + "/f", source_id="s")
    assert site.asked == []  # no request was spoken over a connection that does not convince
    return caught.value


def test_a_known_authority_gives_an_answer_over_one_kept_connection(
    authority: Path, start: Start, a_client: Callable[..., HttpClient]
) -> None:
    site, client = start(a_certificate(authority, "good")), a_client(authority)
    url = site.says("/f", body=b"hello")

    bodies = [client.fetch(url, source_id="s").body for _ in range(3)]

    assert bodies == [b"hello"] * 3
    assert site.connections == 1


def test_an_unknown_authority_is_a_failure(
    authority: Path, start: Start, a_client: Callable[..., HttpClient], tmp_path: Path
) -> None:
    site = start(a_certificate(authority, "unknown"))

    for client in (a_client(), a_client(an_authority(tmp_path, "other"))):
        error = failed(client, site)

        assert isinstance(error, Unreachable)
        assert "certificate" in error.reason


@pytest.mark.parametrize("subject", ["subjectAltName=DNS:other.example", "subjectAltName=IP:127.0.0.2"])
def test_a_certificate_for_another_name_is_a_failure(
    authority: Path, start: Start, a_client: Callable[..., HttpClient], subject: str
) -> None:
    site = start(a_certificate(authority, "misnamed", subject=subject))

    assert isinstance(failed(a_client(authority), site), Unreachable)


def test_a_certificate_that_has_expired_is_a_failure(
    authority: Path, start: Start, a_client: Callable[..., HttpClient]
) -> None:
    site = start(a_certificate(authority, "expired", days=-1))

    assert isinstance(failed(a_client(authority), site), Unreachable)


def test_the_environment_neither_adds_an_authority_nor_ends_verification(
    authority: Path, start: Start, a_client: Callable[..., HttpClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(authority))
    monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")
    site = start(a_certificate(authority, "environment"))

    assert isinstance(failed(a_client(), site), Unreachable)


def test_a_redirect_to_a_host_that_does_not_convince_is_a_failure(
    authority: Path, start: Start, a_client: Callable[..., HttpClient]
) -> None:
    good = start(a_certificate(authority, "first"))
    bad = start(a_certificate(authority, "second", subject="subjectAltName=DNS:other.example"))
    url = good.says("/f", "301 Moved Permanently", Location=bad.says("/g", body=b"secret"))

    with pytest.raises(Unreachable):
        a_client(authority).fetch(url, source_id="s")

    assert bad.asked == []


def test_nothing_is_posted_to_a_host_that_does_not_convince(
    authority: Path, start: Start, a_client: Callable[..., HttpClient]
) -> None:
    site = start(a_certificate(authority, "hook"))
    url = site.says("/hook")

    with pytest.raises(Unreachable):
        a_client().post(url, body=b"{}", headers={}, receiver_id="r")
    assert site.asked == []
    assert a_client(authority).post(url, body=b"{}", headers={}, receiver_id="r").status == 200


def test_a_dripping_answer_over_tls_ends_with_the_total_time(
    authority: Path, start: Start, a_client: Callable[..., HttpClient]
) -> None:
    site = start(a_certificate(authority, "drip"))
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        while not over.wait(0.1):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")

    url = site.speaks("/f", drip)

    with pytest.raises(TooSlow):
        a_client(authority).fetch(url, source_id="s")
    over.set()


def test_a_bad_certificate_counts_as_a_failed_poll_and_keeps_what_was_known(
    authority: Path, start: Start, a_client: Callable[..., HttpClient]
) -> None:
    site = start(a_certificate(authority, "polled"))
    site.says("/f", body=feed("a"), ETag='"1"')
    desk = Desk(a_client(authority), site.url + "/f")
    before = desk.poll().state
    desk.tools = replace(desk.tools, fetch=a_client().fetch)

    polled = desk.poll(after=timedelta(hours=1))

    assert (polled.poll.outcome, polled.poll.is_ok, polled.articles) == ("unreachable", False, ())
    assert "certificate" in polled.poll.reason
    assert (polled.state.etag, polled.state.last_ok_at) == (before.etag, before.last_ok_at)
    assert polled.state.consecutive_failures == 1
    assert due_at(polled) > desk.now
