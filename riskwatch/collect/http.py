"""The one guarded HTTP client: every connection is judged by its address, every answer has limits.

Addresses are judged at connect time (`guard`), redirects followed by hand, bodies unpacked in steps.
"""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, cast
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, Timeout
from urllib3 import exceptions as faults

from riskwatch.collect.deadlines import Deadlines
from riskwatch.collect.fetched import Fetched, Validators
from riskwatch.collect.guard import Guard, Refused
from riskwatch.collect.pools import guarded_pools
from riskwatch.collect.unpack import BadEncoding, CutOff, Limits, unpacker
from riskwatch.errors import Blocked, CollectError, TooLarge, TooSlow, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from urllib3.response import BaseHTTPResponse

__all__ = ["BadEncoding", "CutOff", "HttpClient", "Limits"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
_CHUNK_BYTES = 65_536
_MAX_HOSTS = 1_000
_CONNECTIONS_PER_HOST = 16
_MAX_KNOWN_URLS = 20_000
# A receiver's answer is a status; its text is only a hint for people.
_POST_LIMITS = Limits(
    connect_seconds=5.0, read_seconds=10.0, total_seconds=20.0, wire_bytes=65_536, body_bytes=65_536
)


_LIMITS = tuple(limit.name for limit in fields(Limits))


@dataclass(slots=True)
class _Lane:
    """One host: one request in flight, a pause between starts."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    started: float = float("-inf")


@dataclass(slots=True)
class _Budget:
    """Time that all hops of one question share; waiting for a turn costs none of it."""

    seconds: float

    @contextlib.contextmanager
    def running(self) -> Iterator[float]:
        started = time.monotonic()
        try:
            yield started + self.seconds
        finally:
            self.seconds -= time.monotonic() - started


class HttpClient:
    """Asks politely, takes no more than its limits. Safe to share among threads."""

    def __init__(
        self,
        *,
        user_agent: str,
        guard: Guard | None = None,
        limits: Limits | None = None,
        host_pause_seconds: float = 1.0,
        ca_bundle: str | None = None,
    ) -> None:
        """Create a client.

        Args:
            user_agent: `riskwatch/{version} (+{contact URL})`.
            guard: Judge of addresses; without one only public ones pass.
            limits: What one exchange may cost.
            host_pause_seconds: Between two starts toward one host; 0: side by side
            ca_bundle: File of certificate authorities in place of the bundled ones.
        """
        self._guard = guard or Guard()
        self._limits = limits or Limits()
        self._post_limits = _least(self._limits, _POST_LIMITS)
        self._pause = host_pause_seconds
        self._verify = ca_bundle or True
        self._base_headers = {"User-Agent": user_agent, "Accept-Encoding": "gzip, deflate", "Accept": "*/*"}
        self._threads = threading.local()
        self._session = requests.Session()
        self._adapter = self._new_adapter()
        self._pools: dict[tuple[str, str, int], HTTPConnectionPool] = {}
        self._lanes: dict[str, _Lane] = {}
        self._places: dict[str, _Place] = {}
        self._lock = threading.Lock()
        self._deadlines = Deadlines()

    def fetch(
        self,
        url: str,
        *,
        source_id: str,
        validators: Validators | None = None,
        admit: Callable[[str], None] | None = None,
    ) -> Fetched:
        """Return the answer at the end of at most 5 redirects, whatever its status.

        Args:
            url: What to ask for.
            source_id: For the reason of a failure.
            validators: What an earlier answer gave.
            admit: Called with every address before it is asked; its CollectError ends the question.

        Raises:
            CollectError: Blocked, Unreachable, TooSlow, TooLarge, CutOff or BadEncoding.
        """
        budget = _Budget(self._limits.total_seconds)
        at, permanent, is_permanent = url, None, True
        validators = validators or Validators()
        for hop in range(self._limits.hops + 1):
            if admit is not None:
                admit(at)
            answer = self._ask(
                "GET", at, source_id=source_id, headers=validators.headers_for(at), budget=budget
            )
            target = answer.headers.get("location") if answer.status in _REDIRECTS else None
            if not target:
                return Fetched(
                    at, answer.status, answer.headers, answer.body, answer.wire_bytes, permanent, hop
                )
            at = _next_hop(at, target, source_id=source_id)
            is_permanent = is_permanent and answer.status in _PERMANENT
            permanent = at if is_permanent else permanent
        raise Blocked(source_id, f"more than {self._limits.hops} redirects")

    def post(self, url: str, *, body: bytes, headers: Mapping[str, str], receiver_id: str) -> Fetched:
        """Send a body over https, on a connection of its own, and return the answer.

        Redirects are never followed, at most 64 KiB are read, and 20 s are spent.

        Raises:
            CollectError: As fetch does; its reason never holds the URL, and `is_sent` is set.
        """
        if not url.startswith("https://") and not self._is_plain_allowed(url):
            raise Blocked(receiver_id, "only https is allowed here")
        self._threads.is_sent = False
        try:
            return self._ask(
                "POST",
                url,
                source_id=receiver_id,
                headers={"Accept-Encoding": "identity", "Connection": "close", **headers},
                budget=_Budget(self._post_limits.total_seconds),
                content=body,
            )
        except CollectError as error:
            error.is_sent = self._threads.is_sent
            raise

    def close(self) -> None:
        """Give the connections back."""
        self._deadlines.close()
        self._session.close()

    def check(self, url: str, *, receiver_id: str) -> None:
        """Raise Blocked where a body could not be sent to this address, as far as can be said without it."""
        if not url.startswith("https://") and not self._is_plain_allowed(url):
            raise Blocked(receiver_id, "only https is allowed here")
        place = self._place(url, source_id=receiver_id)
        try:
            self._guard.judged(place.host, place.port)
        except (Refused, OSError) as error:
            raise Blocked(receiver_id, "the address cannot be used") from error

    def is_admitted(self, host: str) -> bool:
        """Whether a host lies in a network that the settings admit."""
        return self._guard.is_admitted(host)

    def _is_plain_allowed(self, url: str) -> bool:
        host = urlsplit(url).hostname or ""
        return url.startswith("http://") and self._guard.is_admitted(host)

    def _ask(
        self,
        method: str,
        url: str,
        *,
        source_id: str,
        headers: dict[str, str],
        budget: _Budget,
        content: bytes | None = None,
    ) -> Fetched:
        place = self._place(url, source_id=source_id)
        turn = self._turn(place.host) if content is None else contextlib.nullcontext()
        with turn, budget.running() as ends, self._deadlines.running(ends) as watch:
            self._threads.watch = watch
            for attempt in (1, 2):
                try:
                    return self._exchange(
                        method, place, headers=headers, content=content, source_id=source_id
                    )
                except faults.ProtocolError as error:
                    # A kept connection that the server closed meanwhile is no fault of the server: once more.
                    if attempt == 1 and method == "GET" and _is_stale(error) and time.monotonic() < ends:
                        continue
                    raise _named(error, source_id, is_late=time.monotonic() >= ends) from None
                except (faults.HTTPError, OSError, Refused, http.client.HTTPException, ValueError) as error:
                    raise _named(error, source_id, is_late=time.monotonic() >= ends) from None
        raise CutOff(source_id, "the connection broke")

    def _exchange(
        self, method: str, place: _Place, *, headers: dict[str, str], content: bytes | None, source_id: str
    ) -> Fetched:
        is_post = content is not None
        limits = self._post_limits if is_post else self._limits
        pool = self._pool_for_once(place) if is_post else self._pool(place)
        response = pool.urlopen(
            method,
            place.target,
            body=content,
            headers=self._base_headers | headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
            timeout=Timeout(connect=limits.connect_seconds, read=limits.read_seconds),
        )
        names = {name.lower(): value for name, value in response.headers.items()}
        if is_post:
            with pool, contextlib.closing(response):
                return Fetched(place.url, response.status, names, self._beginning(response))
        try:
            body, wire_bytes = self._body(response, names, source_id=source_id)
        except BaseException:
            response.close()
            raise
        response.release_conn()
        return Fetched(place.url, response.status, names, body, wire_bytes)

    def _body(
        self, response: BaseHTTPResponse, headers: Mapping[str, str], *, source_id: str
    ) -> tuple[bytes, int]:
        parts = unpacker(headers.get("content-encoding", ""), self._limits, source_id=source_id)
        announced = headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._limits.wire_bytes:
            raise TooLarge(
                source_id, f"the body has {announced} bytes; {self._limits.wire_bytes:,} are allowed"
            )
        wire_bytes = 0
        while chunk := response.read(_CHUNK_BYTES, decode_content=False):
            wire_bytes += len(chunk)
            if wire_bytes > self._limits.wire_bytes:
                raise TooLarge(source_id, f"the body is larger than {self._limits.wire_bytes:,} bytes")
            parts.feed(chunk)
            if self._threads.watch.is_over():
                raise TooSlow(source_id, f"the answer took longer than {self._limits.total_seconds:g} s")
        if self._threads.watch.is_over():
            raise TooSlow(source_id, f"the answer took longer than {self._limits.total_seconds:g} s")
        return parts.whole(), wire_bytes

    def _beginning(self, response: BaseHTTPResponse) -> bytes:
        """Return the first 64 KiB; the status has come, so whatever breaks here changes nothing."""
        try:
            return response.read(self._post_limits.wire_bytes, decode_content=False)
        except (faults.HTTPError, OSError, http.client.HTTPException, ValueError):
            return b""

    @contextlib.contextmanager
    def _turn(self, host: str) -> Iterator[None]:
        """Wait for the host to be free; whoever holds it is bounded by its own time."""
        if self._pause <= 0:
            yield
            return
        with self._lock:
            lane = self._lanes.setdefault(host, _Lane())
        with lane.lock:
            time.sleep(max(lane.started + self._pause - time.monotonic(), 0))
            lane.started = time.monotonic()
            yield

    def _place(self, url: str, *, source_id: str) -> _Place:
        place = self._places.get(url)
        if place is None:
            place = _place(url, source_id=source_id)
            if len(self._places) < _MAX_KNOWN_URLS:
                self._places[url] = place
        return place

    def _pool(self, place: _Place) -> HTTPConnectionPool:
        """Return the pool toward a host; its connections are kept open from one poll to the next."""
        key = (place.scheme, place.host, place.port)
        with self._lock:
            pool = self._pools.get(key)
            if pool is None:
                if len(self._pools) >= _MAX_HOSTS:
                    self._pools.clear()
                    self._adapter.poolmanager.clear()
                pool = self._pools[key] = self._new_pool(place)
        return pool

    def _new_pool(self, place: _Place) -> HTTPConnectionPool:
        prepared = requests.Request("GET", place.url).prepare()
        pool = self._adapter.get_connection_with_tls_context(prepared, verify=self._verify)
        self._adapter.cert_verify(pool, place.url, verify=self._verify, cert=None)  # type: ignore[no-untyped-call]
        return cast("HTTPConnectionPool", pool)

    def _pool_for_once(self, place: _Place) -> HTTPConnectionPool:
        """Return a pool without a kept connection: one that broke meanwhile would look like a lost answer."""
        pool = self._adapter.poolmanager.pool_classes_by_scheme[place.scheme](place.host, place.port)
        self._adapter.cert_verify(pool, place.url, verify=self._verify, cert=None)  # type: ignore[no-untyped-call]
        return cast("HTTPConnectionPool", pool)

    def _new_adapter(self) -> HTTPAdapter:
        self._session.trust_env = False  # no proxies and no .netrc from the environment
        adapter = HTTPAdapter(pool_connections=_MAX_HOSTS, pool_maxsize=_CONNECTIONS_PER_HOST, max_retries=0)
        plain, tls = guarded_pools(self._guard, self._threads)
        adapter.poolmanager.pool_classes_by_scheme = {"http": plain, "https": tls}
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        return adapter


@dataclass(frozen=True, slots=True)
class _Place:
    """A URL taken apart once."""

    url: str
    scheme: str
    host: str
    port: int
    target: str


def _least(limits: Limits, most: Limits) -> Limits:
    return Limits(**{name: min(getattr(limits, name), getattr(most, name)) for name in _LIMITS})


def _place(url: str, *, source_id: str) -> _Place:
    prepared = requests.PreparedRequest()
    try:
        prepared.prepare_url(url, None)
        parts = urlsplit(prepared.url or "")
        host, port = parts.hostname, parts.port
    except (requests.RequestException, ValueError):
        raise Blocked(source_id, "the URL cannot be read") from None
    if parts.scheme not in ("http", "https") or not host:
        raise Blocked(source_id, "only http and https URLs are allowed")
    if parts.username or parts.password:
        raise Blocked(source_id, "a URL with a user name or password is not allowed")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Place(url, parts.scheme, host, port or (443 if parts.scheme == "https" else 80), target)


def _next_hop(at: str, target: str, *, source_id: str) -> str:
    with contextlib.suppress(UnicodeError):  # header bytes came as Latin-1; servers mean UTF-8
        target = target.encode("latin-1").decode("utf-8")
    try:
        to = urljoin(at, target.strip())
    except ValueError:
        raise Blocked(source_id, "the redirect leads nowhere") from None
    if at.startswith("https://") and not to.startswith("https://"):
        raise Blocked(source_id, "a redirect from https to http is not followed")
    return to.partition("#")[0]


def _is_stale(error: faults.ProtocolError) -> bool:
    causes = (*error.args, error.__cause__)
    return any(isinstance(cause, http.client.RemoteDisconnected | ConnectionError) for cause in causes)


def _named(error: BaseException, source_id: str, *, is_late: bool) -> CollectError:
    """Return what happened in our words; no text of a library, which may hold a secret URL."""
    if isinstance(error, Refused):
        return Blocked(source_id, str(error))
    if is_late or isinstance(error, faults.ReadTimeoutError):
        return TooSlow(source_id, "the answer took too long")
    for kind, reason in (
        (faults.NameResolutionError, "the host name does not resolve"),
        (faults.ConnectTimeoutError, "connecting took too long"),
        (faults.NewConnectionError, "the host does not accept the connection"),
        (faults.SSLError, "the TLS connection failed (certificate or protocol)"),
    ):
        if isinstance(error, kind):
            return Unreachable(source_id, reason)
    return CutOff(source_id, f"the answer broke off ({type(error).__name__})")
