"""What the headers and the first bytes of an answer say; pure."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import re2

if TYPE_CHECKING:
    from collections.abc import Mapping

    from riskwatch.collect.fetched import Fetched

_OUTCOMES = {401: "refused", 403: "refused", 404: "not_found", 410: "gone", 429: "rate_limited"}
_MAX_AGE = re2.compile(r"(?i)max-age\s*=\s*\"?(\d{1,9})")


def is_html(fetched: Fetched) -> bool:
    """Return whether an answer is a page for people."""
    return "html" in fetched.headers.get("content-type", "").lower() or fetched.body[
        :200
    ].lstrip().lower().startswith(b"<!doctype html")


def challenge_words(body: bytes) -> str | None:
    """Return the words that give a bot challenge away."""
    text = body[:20_000].lower()
    for words in (
        b"just a moment",
        b"attention required",
        b"captcha",
        b"checking your browser",
        b"access denied",
    ):
        if words in text:
            return words.decode()
    return None


def refusal(fetched: Fetched) -> tuple[str, str]:
    """Return outcome and reason of an answer that is neither a success nor unchanged."""
    status = fetched.status
    outcome = _OUTCOMES.get(status, "bad_status")
    reason = f"the server answered {status}"
    if outcome == "refused" and is_html(fetched):
        challenge = challenge_words(fetched.body)
        reason += f" with a challenge page ({challenge})" if challenge else " with an HTML page"
    return outcome, reason


def retry_after_seconds(text: str | None, *, now: datetime) -> float | None:
    """Return the seconds of a Retry-After header (a number or an HTTP date), or none where it is junk."""
    text = (text or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:12])
    moment = _http_date(text)
    return max((moment - now).total_seconds(), 0.0) if moment else None


def fresh_seconds(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Return how long the answer stays fresh by max-age or else Expires; none where neither says."""
    match = _MAX_AGE.search(headers.get("cache-control", ""))
    if match:
        return float(match.group(1))
    moment = _http_date(headers["expires"]) if "expires" in headers else None
    return max((moment - now).total_seconds(), 0.0) if moment else None


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def validator(headers: Mapping[str, str], name: str) -> str | None:
    """Return a validator that may be sent back, or none."""
    value = headers.get(name, "").strip()
    # Line breaks cannot come back in a request header; a value of this length is no validator.
    return value if value and len(value) <= 500 and value.isprintable() else None  # noqa: PLR2004
