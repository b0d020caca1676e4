"""One operation of /v1: path, scope, parameters, answer; the OpenAPI file is made from these."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import re2
from flask import Response, request
from pydantic import BaseModel
from werkzeug.exceptions import PreconditionFailed
from werkzeug.http import parse_accept_header, parse_etags

from riskwatch.errors import NotFound, Unavailable
from riskwatch.serve.alert_actions import AlertActions
from riskwatch.serve.board import Boards
from riskwatch.serve.context import Actions, Now, ServeConfig
from riskwatch.serve.query import Nothing
from riskwatch.store import Store

_LEAST_ZIPPED = 1_400  # bytes: one packet


@dataclass(frozen=True, slots=True)
class Desk:
    """What a view works with."""

    store: Store
    actions: Actions
    config: ServeConfig
    boards: Boards
    now: Now
    alerts: AlertActions | None = None

    @property
    def alerting(self) -> AlertActions:
        """What may be asked of alerting. Raises Unavailable where it does not run here."""
        if self.alerts is None:
            raise Unavailable("alerting does not run here; start `riskwatch serve` with a database")
        return self.alerts


View = Callable[..., Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation."""

    path: str  # Flask rule
    view: View  # view(desk, query[, body], **path parameters[, actor=who]) -> plain answer
    answer: type[BaseModel]
    summary: str
    query: type[BaseModel] = Nothing
    method: str = "GET"
    scope: str = "read"
    body: type[BaseModel] | None = None
    is_listing: bool = False  # answered from cached bytes while the data stands still
    status: int = 200
    is_change: bool = False  # the view is told who asks
    is_alerting: bool = False
    held: View | None = None  # gives what is changed as it stands, for If-Match

    @property
    def name(self) -> str:
        """Name of the operation."""
        return self.view.__name__


def query_values(query: type[BaseModel]) -> dict[str, Any]:
    """Return the query string as the model takes it; only list fields may be given more than once."""
    lists = {
        info.alias or name for name, info in query.model_fields.items() if "list" in str(info.annotation)
    }
    values: dict[str, Any] = {}
    for name, given in request.args.lists():
        values[name] = given if name in lists or len(given) > 1 else given[0]
    return values


PATH_PATTERNS = {
    "vendor": "^[a-z0-9_][a-z0-9-]{0,62}$",
    "line": "^[a-z0-9][a-z0-9.-]{0,62}$",
    "source": "^[a-z0-9_][a-z0-9_-]{0,62}$",
    **dict.fromkeys(("alert_rule", "receiver", "digest"), "^[a-z0-9][a-z0-9._-]{0,62}$"),
}
ID_PATTERN = "^[0-9A-Za-z_]{1,64}$"


def check_path(path: Mapping[str, str]) -> None:
    """Refuse what can be no id before anything is asked. Raises NotFound."""
    for kind, id_ in path.items():
        if not re2.match(PATH_PATTERNS.get(kind, ID_PATTERN), id_):
            raise NotFound(kind, id_)


@dataclass(frozen=True)
class Kept:
    """The bytes of an answer and its entity tag."""

    body: bytes
    tag: str
    scope: str  # that the caller needs

    @cached_property
    def zipped(self) -> bytes:
        """The bytes for readers that take gzip, packed once."""
        return gzip.compress(self.body, compresslevel=6, mtime=0)


class Listings:
    """Answers kept as bytes while the data stands still; bounded in bytes, emptied when full."""

    def __init__(self, *, max_bytes: int = 16_000_000) -> None:
        self._max_bytes = max_bytes
        self._state = (-1, dict[tuple[str, str], Kept](), 0)

    def held(self, version: int, key: tuple[str, str]) -> Kept | None:
        """Return the answer to a request, if it was kept in this state of the data."""
        known, kept, _ = self._state
        return kept.get(key) if known == version else None

    def keep(self, version: int, key: tuple[str, str], answer: Kept) -> None:
        """Keep the answer to a request."""
        known, kept, size = self._state
        size += len(answer.body) + len(key[1])
        if known != version or size > self._max_bytes:
            kept, size = {}, len(answer.body) + len(key[1])
        kept[key] = answer
        self._state = (version, kept, size)


def listing_key(environ: Mapping[str, Any]) -> tuple[str, str]:
    """Return what tells the listings of one state of the data apart."""
    return environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")


def spoken(kept: Kept, environ: Mapping[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    """Return status, headers and body of a kept answer: zipped for who takes it, 304 for who has it."""
    is_zipped = len(kept.body) > _LEAST_ZIPPED and takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", ""))
    headers = [
        ("ETag", f"W/{kept.tag}" if is_zipped else kept.tag),
        ("Cache-Control", "private, no-cache"),
        ("Vary", "Accept-Encoding"),
    ]
    if _is_held(kept.tag, environ):
        return "304 NOT MODIFIED", headers, b""
    body = kept.zipped if is_zipped else kept.body
    headers += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    if is_zipped:
        headers.append(("Content-Encoding", "gzip"))
    return "200 OK", headers, body


@lru_cache(maxsize=64)  # few kinds of readers send nearly all requests
def takes_gzip(accepted: str) -> bool:
    """Return whether an Accept-Encoding header admits gzip."""
    return bool(parse_accept_header(accepted)["gzip"])


def _is_held(tag: str, environ: Mapping[str, Any]) -> bool:
    known = environ.get("HTTP_IF_NONE_MATCH")
    return known is not None and parse_etags(known).contains_weak(tag.split('"')[1])


def answer_bytes(answer: Mapping[str, Any]) -> tuple[bytes, str]:
    """Return the JSON of an answer and its entity tag."""
    body = json.dumps(answer, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return body, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def answered(body: bytes, tag: str, *, status: int = 200) -> Response:
    """Return the bytes, or 304 where the caller of a GET has them."""
    headers = [("ETag", tag), ("Cache-Control", "private, no-cache")]
    if request.method == "GET" and _is_held(tag, request.environ):
        return Response(status=304, headers=headers)
    return Response(body, status=status, content_type="application/json", headers=headers)


def check_match(current: Callable[[], Mapping[str, Any]]) -> None:
    """Refuse a change of what is no longer as If-Match names it. Raises PreconditionFailed."""
    known = request.environ.get("HTTP_IF_MATCH")
    if known is None:
        return
    _, tag = answer_bytes(current())
    if not parse_etags(known).contains_weak(tag.strip('"')):
        raise PreconditionFailed
