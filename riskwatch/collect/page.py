"""One page once → its bytes, or why it is not read; the network is touched here, the store is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit

from riskwatch.collect import due
from riskwatch.collect.fetched import Fetched
from riskwatch.collect.headers import is_html, refusal, retry_after_seconds
from riskwatch.collect.robots import MAX_CHARS, is_allowed
from riskwatch.collect.unpack import BadEncoding
from riskwatch.errors import BadStatus, Blocked, CollectError, TooLarge

AGENT = "riskwatch"  # product token that robots.txt may name
_FOR_GOOD = (Blocked, TooLarge, BadEncoding)


class FetchPage(Protocol):
    """HttpClient.fetch."""

    def __call__(self, url: str, *, source_id: str, admit: Callable[[str], None] | None = None) -> Fetched:
        """Return the answer; raises CollectError."""
        ...


@dataclass(frozen=True, slots=True)
class PageTools:
    """What asking for pages needs from outside."""

    fetch: FetchPage
    is_admitted: Callable[[str], bool]  # host -> whether the settings admit it, so that plain http will do
    recall: Callable[[str], str | None]  # origin -> robots.txt of the last 24 hours
    remember: Callable[[str, str], None]  # origin, robots.txt
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking for one page."""

    outcome: str
    reason: str = ""
    fetched: Fetched | None = None
    is_passing: bool = False  # another time it may go well; the host is left alone until then
    wait: timedelta | None = None  # that the host asks for


def ask(url: str, *, source_id: str, tools: PageTools) -> Asked:
    """Ask for a page as robots.txt of every host on the way allows; a failure is an outcome with a reason."""
    try:
        fetched = tools.fetch(
            url, source_id=source_id, admit=partial(_admit, source_id=source_id, tools=tools)
        )
    except CollectError as error:
        return Asked(error.outcome, error.reason, is_passing=not isinstance(error, _FOR_GOOD))
    if fetched.status != 200:  # noqa: PLR2004  # all that is not a plain success
        outcome, reason = refusal(fetched)
        wait = due.retry_after_wait(retry_after_seconds(fetched.headers.get("retry-after"), now=tools.now()))
        return Asked(outcome, reason, is_passing=_is_passing(fetched.status), wait=wait)
    if not is_html(fetched):
        kind = fetched.headers.get("content-type", "no type").partition(";")[0][:60]
        return Asked("not_html", f"the link leads to {kind}, not to a page")
    return Asked("ok", fetched=fetched)


def _is_passing(status: int) -> bool:
    return status == 429 or status >= 500  # noqa: PLR2004  # too many requests, faults of the server


def _admit(url: str, *, source_id: str, tools: PageTools) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not tools.is_admitted(parts.hostname or ""):
        raise Blocked(source_id, "pages are read over https only")
    origin = f"{parts.scheme}://{parts.netloc}"
    rules = tools.recall(origin)
    if rules is None:
        rules = _robots(origin, source_id=source_id, tools=tools)
        tools.remember(origin, rules)
    if not is_allowed(rules, url, agent=AGENT):
        raise Blocked(source_id, f"robots.txt of {parts.netloc} forbids the page")


def _robots(origin: str, *, source_id: str, tools: PageTools) -> str:
    """Return the rules of a host; without an answer nothing may be asked, without a file everything."""
    fetched = tools.fetch(f"{origin}/robots.txt", source_id=source_id)
    if fetched.status == 200:  # noqa: PLR2004  # a plain success
        return fetched.body.decode("utf-8", "replace").replace("\x00", "")[:MAX_CHARS]  # not for PostgreSQL
    if _is_passing(fetched.status):
        reason = f"robots.txt cannot be asked for: the server answered {fetched.status}"
        raise BadStatus(source_id, reason, status=fetched.status)
    return "user-agent: *\ndisallow: /" if fetched.status in (401, 403) else ""
