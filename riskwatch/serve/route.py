"""One operation of /v1: path, scope, parameters and answer in one place; the OpenAPI file is made from these."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, request
from pydantic import BaseModel

from riskwatch.serve.board import Boards
from riskwatch.serve.context import Actions, Now, ServeConfig
from riskwatch.serve.query import Nothing
from riskwatch.store import Store


@dataclass(frozen=True, slots=True)
class Desk:
    """What a view works with."""

    store: Store
    actions: Actions
    config: ServeConfig
    boards: Boards
    now: Now


View = Callable[..., Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation."""

    path: str  # Flask rule
    view: View  # view(desk, query, **path parameters) -> plain answer
    answer: type[BaseModel]
    summary: str
    query: type[BaseModel] = Nothing
    method: str = "GET"
    scope: str = "read"
    body: type[BaseModel] | None = None
    is_listing: bool = False  # answered from cached bytes while the data stands still

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


def answer_bytes(answer: Mapping[str, Any]) -> tuple[bytes, str]:
    """Return the JSON of an answer and its entity tag."""
    body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    return body, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def answered(body: bytes, tag: str) -> Response:
    """Return 200 with the bytes, or 304 where the caller has them."""
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in request.headers.get("If-None-Match", "").replace("W/", "").split(", "):
        return Response(status=304, headers=headers)
    return Response(body, mimetype="application/json", headers=headers)
