"""Errors → application/problem+json (RFC 9457): what is wrong, where, and what to do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import structlog
from flask import Response, request
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from werkzeug.exceptions import HTTPException

from riskwatch.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RiskwatchError,
    Stray,
    TooMany,
    Unauthorized,
    Unavailable,
)
from riskwatch.serve.front import REQUEST_ID

_STATUS: Sequence[tuple[type[RiskwatchError], int, str]] = (
    (NotFound, 404, "not-found"),
    (Unauthorized, 401, "unauthorized"),
    (Forbidden, 403, "forbidden"),
    (Stray, 400, "token-missing"),
    (Invalid, 422, "invalid"),
    (Conflict, 409, "conflict"),
    (TooMany, 429, "too-many-requests"),
    (Unavailable, 503, "unavailable"),
)
_ADVICE = {
    404: "Nothing is here; /docs lists what there is.",
    412: "It has changed since; ask for it again and take its new ETag.",
    405: "Use one of the methods of the Allow header.",
    413: "Send at most 1 MB.",
    415: "Send JSON with Content-Type: application/json.",
    400: "The request cannot be read; check its syntax.",
}


def problem(
    status: int,
    kind: str,
    detail: str,
    *,
    errors: Sequence[dict[str, str]] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """Return one problem document."""
    body: dict[str, Any] = {
        "type": f"about:blank#{kind}",
        "title": kind.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "instance": request.path,
        "request_id": request.environ[REQUEST_ID],
        "errors": list(errors),
    }
    text = json.dumps(body, ensure_ascii=False, sort_keys=True)
    response = Response(text, status=status, mimetype="application/problem+json", headers=headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def of_validation(error: ValidationError, *, place: str) -> Response:
    """Return a 422 with one entry per wrong field."""
    errors = [
        {
            "field": ".".join(str(part) for part in e["loc"]) or place,
            "message": "give it once" if _is_doubled(e, place) else _message(e["type"], e["msg"]),
            "in": place,
        }
        for e in error.errors(include_url=False, include_context=False)[:_MOST_ERRORS]
    ]
    named = ", ".join(sorted({e["field"] for e in errors}))
    return problem(422, "invalid", f"cannot use {named}; see errors", errors=errors)


def _is_doubled(e: ErrorDetails, place: str) -> bool:
    """Whether a parameter that takes one value was given several times."""
    is_one = len(e["loc"]) == 1 and e["type"] not in ("extra_forbidden", "too_long")
    return place == "query" and is_one and isinstance(e["input"], list)


_MOST_ERRORS = 20  # told in one answer
_SAID = {
    "extra_forbidden": "there is no such parameter; /docs lists those there are",
    "string_pattern_mismatch": "is not of the form that /docs shows",
    "missing": "is needed",
}


def _message(kind: str, text: str) -> str:
    return _SAID.get(kind, text.removeprefix("Value error, "))


def known(error: RiskwatchError) -> Response:
    """Return the problem of an error raised on purpose."""
    for type_, status, kind in _STATUS:
        if isinstance(error, type_):
            headers = {}
            if isinstance(error, TooMany):
                headers["Retry-After"] = str(int(error.retry_after_seconds) + 1)
            if isinstance(error, Unauthorized):
                headers["WWW-Authenticate"] = 'ApiKey realm="riskwatch"'
            errors = (
                [{"field": error.field, "message": error.reason, "in": "query"}]
                if isinstance(error, Invalid)
                else []
            )
            return problem(status, kind, str(error), errors=errors, headers=headers)
    return unknown(error)


def unknown(error: Exception) -> Response:
    """Return a 500 that tells nothing but the request id; the log holds the rest."""
    structlog.get_logger("riskwatch").error(
        "request_failed", request_id=request.environ[REQUEST_ID], exc_info=error
    )
    return problem(500, "internal-error", "Something broke here; the request id finds it in the log.")


def of_http(error: HTTPException) -> Response:
    """Return the problem of an error that Flask or Werkzeug raised."""
    status = error.code or 500
    headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    kind = (error.name or "error").lower().replace(" ", "-")
    return problem(status, kind, _ADVICE.get(status, error.description or error.name), headers=headers)
