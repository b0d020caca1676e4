"""What stands before Flask: headers that every answer has, and answers kept as bytes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import TYPE_CHECKING, Any

from riskwatch.errors import RiskwatchError
from riskwatch.serve.access import Caller
from riskwatch.serve.route import Kept, Listings, listing_key, spoken

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_ID = "riskwatch.request_id"  # of the WSGI environment: the id under which the logs have the request
_LONGEST_ID = 64  # characters of a request id that is taken over
_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none'; "
    "form-action 'self'; base-uri 'none'"
)
_HEADERS = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
)
_TLS_HEADERS = (*_HEADERS, ("Strict-Transport-Security", "max-age=31536000"))
_numbers = count(1)
_process = secrets.token_hex(4)  # tells the requests of one process from another's


class Front:
    """WSGI app around the Flask app: a listing that is kept as bytes costs a look at the key, no more."""

    def __init__(
        self,
        app: WSGIApplication,
        listings: Listings,
        *,
        version: Callable[[], int],
        known_caller: Callable[[str], Caller | None],
    ) -> None:
        """Wrap an app.

        Args:
            app: Answers whatever is not kept, and whoever is not known.
            listings: The kept answers.
            version: Number of the data's state.
            known_caller: Key text -> the caller, counted; none where the app shall look closer.
        """
        self._app, self._listings, self._version, self._known_caller = app, listings, version, known_caller

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        environ[REQUEST_ID] = request_id = _request_id(environ)
        secure = _TLS_HEADERS if environ["wsgi.url_scheme"] == "https" else _HEADERS
        kept = self._kept(environ)
        if kept is not None:
            status, headers, body = spoken(kept, environ)
            start_response(status, [*headers, ("X-Request-ID", request_id), *secure])
            return [body]

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:  # noqa: ANN401 - WSGI's exc_info
            return start_response(status, [*headers, ("X-Request-ID", request_id), *secure], *error)

        return self._app(environ, start)

    def _kept(self, environ: WSGIEnvironment) -> Kept | None:
        shown = environ.get("HTTP_X_API_KEY")
        if shown is None or environ["REQUEST_METHOD"] != "GET":
            return None
        kept = self._listings.held(self._version(), listing_key(environ))
        if kept is None:
            return None
        try:
            caller = self._known_caller(shown)
        except RiskwatchError:
            return None  # the app says it in full
        return kept if caller is not None and kept.scope in caller.scopes else None


def _request_id(environ: Mapping[str, Any]) -> str:
    given: str = environ.get("HTTP_X_REQUEST_ID", "")
    is_plain = len(given) <= _LONGEST_ID and given.isascii() and given.replace("-", "").isalnum()
    return given if is_plain else f"{_process}{next(_numbers):08x}"
