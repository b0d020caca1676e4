"""Pages behind Articles, asked host by host; what each says becomes a revision of its Article."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from riskwatch.collect.due import is_resting
from riskwatch.collect.fetched import Fetched
from riskwatch.collect.page import Asked, FetchPage, PageTools, ask
from riskwatch.collect.wanted import RETRY_WAITS, retry_at, taken
from riskwatch.decode.page import page
from riskwatch.decode.text import tidy_text_key
from riskwatch.detect import detect
from riskwatch.errors import DecodeError, Unavailable
from riskwatch.model import Article, HostState, Mention, PageState, vendor_of
from riskwatch.pipeline import Parts
from riskwatch.store import PageText

HOSTS, PER_HOST = 40, 10  # of one run: the rest waits for the next
HOSTS_TOGETHER = 8  # one request to each at a time
MAX_BYTES = 1_000_000  # of a stranger's page; a page that somebody saved and gave us may be larger
FAULT = "fault"  # outcome where the program itself failed on a page
LEASE = timedelta(minutes=3)  # longer than one page can take; a worker that dies gives it back after that
ROBOTS_LIFE = timedelta(hours=24)


class Client(Protocol):
    """The guarded HTTP client."""

    @property
    def fetch(self) -> FetchPage:
        """Return the answer to a question."""
        ...

    def is_admitted(self, host: str) -> bool:
        """Whether the settings admit a host."""
        ...


def count_due(parts: Parts) -> int:
    """Return how many pages one run would ask for."""
    return sum(map(len, _lines(parts)))


def read_pages(
    parts: Parts, client: Client, *, progress: Callable[[int], None] | None = None
) -> list[PageState]:
    """Ask for the pages that are due, hosts side by side, the pages of one host one after the other.

    A page is claimed before it is asked for, and its text stored in one transaction with the outcome: a kill
    at any instant costs one attempt of the pages under way. After a failure that may pass, the host is left
    alone. A fault of ours on one page costs that page alone. Returns how the pages asked for stand, by
    Article. Raises Unavailable when the database cannot be reached.
    """
    tools, states = _tools(parts, client), list[PageState]()
    with ThreadPoolExecutor(HOSTS_TOGETHER) as pool:
        waiting = {pool.submit(_ask, parts, tools, line.popleft()): line for line in _lines(parts)}
        while waiting:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                line, answer = waiting.pop(future), future.result()
                done = 1
                if answer is not None:
                    states.append(_settled(parts, answer))
                    if answer.asked.is_passing:
                        done += len(line)
                        line.clear()
                if line:
                    waiting[pool.submit(_ask, parts, tools, line.popleft())] = line
                if progress is not None:
                    progress(done)
    return sorted(states, key=lambda state: state.article_id)


def _tools(parts: Parts, client: Client) -> PageTools:
    """Return what asking for pages needs, robots.txt remembered in the store."""

    def recall(origin: str) -> str | None:
        with parts.store.begin(write=False) as unit:
            return unit.pages.robots(origin, since=parts.now() - ROBOTS_LIFE)

    def remember(origin: str, text: str) -> None:
        with parts.store.begin() as unit:
            unit.pages.save_robots(origin, text, now=parts.now())

    return PageTools(client.fetch, client.is_admitted, recall, remember, parts.now)


def _lines(parts: Parts) -> list[deque[PageState]]:
    """Return the pages of this run in one line for each host that is not resting, longest due first."""
    now = parts.now()
    with parts.store.begin(write=False) as unit:
        due = unit.pages.due_pages(now=now)
        resting = {name for name, host in unit.articles.host_states().items() if is_resting(host, now=now)}
    lines = defaultdict[str, deque[PageState]](deque)
    for state in due:
        if state.host not in resting and len(lines[state.host]) < PER_HOST:
            lines[state.host].append(state)
    return list(lines.values())[:HOSTS]


@dataclass(frozen=True, slots=True)
class _Answer:
    article: Article
    state: PageState  # as claimed
    asked: Asked


def _ask(parts: Parts, tools: PageTools, due: PageState) -> _Answer | None:
    """Claim a page and ask for it; none where another worker has it."""
    state = taken(due, now=parts.now(), lease=LEASE)
    with parts.store.begin() as unit:
        if not unit.pages.replace_page(due, state):
            return None
        article = unit.articles.article(due.article_id)
        is_shared = unit.pages.is_shared(due.article_id)
    if is_shared:
        return _Answer(article, state, Asked("shared", "several articles link to this page"))
    try:
        asked = ask(article.url or "", source_id=article.source_id, tools=tools)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - a fault of ours on one page must not stop the others
        asked = _fault(parts, due, error)
    return _Answer(article, state, asked)


def _fault(parts: Parts, due: PageState, error: Exception) -> Asked:
    """Return the outcome of a page on which the program failed; the log says where."""
    parts.log("page_failed", article_id=due.article_id, exc_info=error)
    return Asked(FAULT, f"the program failed on this page: {type(error).__name__}")


def _settled(parts: Parts, answer: _Answer) -> PageState:
    """Store what came of a page: its text and the outcome, or why the feed's text stays."""
    try:
        after = _stored(parts, answer)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - a fault of ours on one page must not stop the others
        after = _stored(parts, replace(answer, asked=_fault(parts, answer.state, error)))
    parts.count("pages", outcome=after.outcome)
    parts.log("page_asked", article_id=after.article_id, outcome=after.outcome, reason=after.reason)
    return after


def _stored(parts: Parts, answer: _Answer) -> PageState:
    now, asked, text = parts.now(), answer.asked, None
    after = replace(answer.state, due_at=None, outcome=asked.outcome, reason=asked.reason)
    if asked.is_passing or asked.outcome == FAULT:
        after = replace(after, due_at=retry_at(after, wait=asked.wait, now=now))
    if asked.fetched is not None:
        try:
            text = _text(parts, answer.article, asked.fetched, now=now)
        except DecodeError as error:
            after = replace(after, outcome=error.outcome, reason=error.reason)
        else:
            after = replace(
                after, outcome="read", reason=f"{len(text.text):,} characters", url=asked.fetched.url
            )
    with parts.store.begin() as unit:
        if text is not None:
            after = replace(after, revision=unit.pages.add_text(after.article_id, text, now=now))
        unit.pages.replace_page(answer.state, after)
        if asked.is_passing:
            unit.pages.delay_pages(after.host, until=now + (asked.wait or RETRY_WAITS[0]))
        if asked.wait is not None:
            unit.articles.save_host_states([HostState(after.host, now + asked.wait)])
    return after


def _text(parts: Parts, article: Article, fetched: Fetched, *, now: datetime) -> PageText:
    """Return the text of a page. Raises DecodeError for one that is not the Article's."""
    found = page(
        fetched.body,
        content_type=fetched.headers.get("content-type"),
        url=fetched.url,
        now=now,
        max_bytes=MAX_BYTES,
    )
    told = _named(parts, article)
    wanted = _vendors(m for m in told if m.field == "title") or _vendors(told)
    named = _vendors(m for m in _named(parts, replace(article, text=found.text)) if m.field == "body")
    if wanted and not wanted & named:
        raise DecodeError(
            f"the page does not name {' or '.join(sorted(wanted))}, of which the feed tells",
            outcome="other_text",
        )
    return PageText(found.text, tidy_text_key(article.title, found.text))


def _named(parts: Parts, article: Article) -> tuple[Mention, ...]:
    return detect(article, parts.compiled()).mentions


def _vendors(mentions: Iterable[Mention]) -> set[str]:
    return {vendor_of(mention.subject) for mention in mentions}
