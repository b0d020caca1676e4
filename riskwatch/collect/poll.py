"""One Source once → what it brought and how it stands now; the network is touched here, the store is not."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from riskwatch.collect import due
from riskwatch.collect.fetched import Fetched, Validators
from riskwatch.collect.headers import fresh_seconds, refusal, retry_after_seconds, validator
from riskwatch.collect.source import Source, SourceKind
from riskwatch.collect.sources import canary
from riskwatch.errors import Blocked, CollectError, DecodeError, Unreachable
from riskwatch.model import Article, HostState, Poll, SourceState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

OK, NOT_MODIFIED = "ok", "not_modified"
SILENT = "silent"  # of a state: the Source answers well and brings nothing, for longer than expected
MOVES_NEEDED = 3
MOVE_PERIOD = timedelta(hours=24)
GONE_WAIT = timedelta(hours=48)
MISSING_REASON = "the server answered 404, for more than a day"
_MISSING_NOTICE = timedelta(hours=24)
_MISSING_FAILURES = 7  # that many in a row take more than a day


class Decoded(Protocol):
    """What the decode stage gives back."""

    @property
    def articles(self) -> tuple[Article, ...]:
        """Articles in the document's order."""
        ...

    @property
    def ttl_seconds(self) -> float | None:
        """How often the publisher wants to be asked, at most."""
        ...


class Decode(Protocol):
    """Bytes of a Source → Articles; raises DecodeError."""

    def __call__(
        self, body: bytes, *, content_type: str | None, source: Source, url: str, now: datetime
    ) -> Decoded:
        """Return the Articles; `url` is the final one, base of relative links."""
        ...


class Fetch(Protocol):
    """HttpClient.fetch."""

    def __call__(self, url: str, *, source_id: str, validators: Validators | None = None) -> Fetched:
        """Return the answer; raises CollectError."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What a poll needs from outside."""

    fetch: Fetch
    decode: Decode
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    jitter: Callable[[], float]  # a number from 0 to 1
    read_files: Callable[[str], Sequence[bytes]] | None = (
        None  # for kind file: path as configured -> documents
    )


@dataclass(frozen=True, slots=True)
class Polled:
    """Outcome of one poll, to be written in one transaction: articles, state, host, poll row."""

    poll: Poll
    state: SourceState
    articles: tuple[Article, ...] = ()
    host: HostState | None = None
    notices: tuple[str, ...] = ()  # sentences for the operator
    reached: due.Reached | None = None

    def settled(self, *, new: int, changed: int) -> Polled:
        """Return the outcome with the counts that only the store knows."""
        state = self.state
        if new:
            state = replace(state, last_new_item_at=self.poll.started_at)
        return replace(self, poll=replace(self.poll, new=new, changed=changed), state=state)

    def silent(self) -> Polled:
        """Return the outcome where a good answer is not enough: nothing new for longer than expected."""
        since = self.state.last_new_item_at
        reason = f"it answers, but has brought nothing new since {since:%Y-%m-%d}" if since else ""
        state = replace(self.state, last_outcome=SILENT, last_reason=reason)
        return replace(self, state=state, notices=(*self.notices, reason))

    def uncounted(self, before: SourceState | None) -> Polled:
        """Return the outcome where our own line was down: no failure counted, again in 5 minutes."""
        earlier = before or SourceState(self.state.source_id)
        state = replace(
            earlier,
            next_due_at=self.poll.started_at + due.OFFLINE_WAIT,
            lease_token=None,
            lease_until=None,
            last_outcome="collecting_offline",
            last_reason="our own line is down",
        )
        return replace(self, state=state, poll=replace(self.poll, outcome="collecting_offline"), notices=())


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of asking, before it is judged."""

    outcome: str
    reason: str = ""
    fetched: Fetched | None = None
    articles: tuple[Article, ...] = ()
    body_hash: str | None = None
    ttl_seconds: float | None = None
    is_line_fault: bool = False
    took_bytes: int = 0

    @property
    def is_ok(self) -> bool:
        return self.outcome in (OK, NOT_MODIFIED)


def poll(source: Source, state: SourceState | None, *, tools: Tools) -> Polled:
    """Ask a Source once; every failure becomes an outcome with a readable reason.

    Args:
        source: What to ask.
        state: How it stood; none when it is asked for the first time.
        tools: Fetching, decoding, clock, ids, chance.
    """
    started_at = tools.now()
    state = _as_configured(source, state or SourceState(source.id))
    try:
        answer = (_read if source.is_local else _ask)(source, state, tools=tools)
    except DecodeError as error:
        answer = _Answer(error.outcome, error.reason)
    except CollectError as error:
        answer = _Answer(error.outcome, error.reason, is_line_fault=isinstance(error, Unreachable))
    return _judged(source, state, answer, tools=tools, started_at=started_at)


def _as_configured(source: Source, state: SourceState) -> SourceState:
    """Return the state under the configured URL; moves and failures of another one count no more."""
    if due.is_reconfigured(source, state):
        state = replace(
            state,
            effective_url=None,
            moved_to=None,
            moved_count=0,
            moved_since=None,
            consecutive_failures=0,
            gone_since=None,
            last_reason=None,
        )
    return state if state.configured_url == source.url else replace(state, configured_url=source.url)


def _ask(source: Source, state: SourceState, *, tools: Tools) -> _Answer:
    validators = Validators(state.validator_url, state.etag, state.last_modified)
    if source.url.startswith("http://") and source.kind is not SourceKind.FEED:
        raise Blocked(source.id, "http is allowed for feeds only")
    fetched = tools.fetch(due.url_of(source, state), source_id=source.id, validators=validators)
    if fetched.status == 304:  # noqa: PLR2004  # not modified
        return _Answer(NOT_MODIFIED, fetched=fetched, body_hash=state.body_hash)
    if fetched.status != 200:  # noqa: PLR2004  # all that is not a plain success
        outcome, reason = refusal(fetched)
        return _Answer(outcome, reason, fetched=fetched, took_bytes=fetched.wire_bytes)
    digest = hashlib.sha256(fetched.body).hexdigest()
    if digest == state.body_hash:
        return _Answer(
            NOT_MODIFIED,
            "same bytes as before",
            fetched=fetched,
            body_hash=digest,
            took_bytes=fetched.wire_bytes,
        )
    try:
        decoded = tools.decode(
            fetched.body,
            content_type=fetched.headers.get("content-type"),
            source=source,
            url=fetched.url,
            now=tools.now(),
        )
    except DecodeError as error:
        return _Answer(error.outcome, error.reason, fetched=fetched, took_bytes=fetched.wire_bytes)
    return _decoded(state, decoded, fetched=fetched, digest=digest)


def _decoded(state: SourceState, decoded: Decoded, *, fetched: Fetched, digest: str) -> _Answer:
    if not decoded.articles and state.last_new_item_at is not None:
        return _Answer(
            "empty", "no items where items used to be", fetched=fetched, took_bytes=fetched.wire_bytes
        )
    return _Answer(
        OK,
        fetched=fetched,
        articles=decoded.articles,
        body_hash=digest,
        ttl_seconds=decoded.ttl_seconds,
        took_bytes=fetched.wire_bytes,
    )


def _documents(source: Source, *, tools: Tools) -> Sequence[bytes]:
    if source.kind is SourceKind.CANARY:
        return [canary.document(tools.now())]
    if tools.read_files is None:
        raise Blocked(source.id, "sources of kind file are not read here")
    try:
        return tools.read_files(source.url)
    except OSError as error:
        raise CollectError(source.id, f"the file cannot be read ({type(error).__name__})") from None


def _read(source: Source, state: SourceState, *, tools: Tools) -> _Answer:
    """Read a file or folder; a bad file costs itself only."""
    documents = _documents(source, tools=tools)
    digest = hashlib.sha256(b"\0".join(hashlib.sha256(body).digest() for body in documents)).hexdigest()
    size = sum(map(len, documents))
    if digest == state.body_hash:
        return _Answer(NOT_MODIFIED, "same bytes as before", body_hash=digest, took_bytes=size)
    articles: dict[str, Article] = {}
    faults = []
    for body in documents:
        try:
            decoded = tools.decode(body, content_type=None, source=source, url="", now=tools.now())
        except DecodeError as error:
            faults.append(error)
            continue
        articles.update((article.guid, article) for article in decoded.articles)
    if faults and not articles:
        raise faults[0]
    reason = f"{len(faults)} of {len(documents)} files could not be read" if faults else ""
    return _Answer(OK, reason, articles=tuple(articles.values()), body_hash=digest, took_bytes=size)


def _judged(
    source: Source, state: SourceState, answer: _Answer, *, tools: Tools, started_at: datetime
) -> Polled:
    now = tools.now()
    fetched = answer.fetched
    status = fetched.status if fetched else None
    after = replace(
        state,
        lease_token=None,
        lease_until=None,
        last_status=status,
        last_outcome=answer.outcome,
    )
    host = None
    notices: list[str] = []
    if answer.is_ok:
        after = _after_success(source, after, answer, now=now)
        if state.gone_since is not None:
            notices.append("the Source is back")
    else:
        after, said = _after_failure(source, after, answer, now=now, jitter=tools.jitter())
        notices += said
        host = _resting_host(source, state, fetched, now=now)
        if host is not None and host.not_before and after.next_due_at and host.not_before > after.next_due_at:
            after = replace(after, next_due_at=host.not_before)
    if fetched is not None:
        after, said = _after_move(source, after, fetched, is_ok=answer.is_ok, now=now)
        notices += said
    row = Poll(
        id=tools.new_id(),
        source_id=source.id,
        started_at=started_at,
        duration_ms=max(int((now - started_at).total_seconds() * 1000), 0),
        outcome=answer.outcome,
        reason=answer.reason,
        status=status,
        bytes=answer.took_bytes,
        new=0,
        changed=0,
    )
    reached = due.Reached(due.host_of(due.url_of(source, state)), is_line_fault=answer.is_line_fault)
    return Polled(row, after, answer.articles, host, tuple(notices), reached)


def _after_success(source: Source, state: SourceState, answer: _Answer, *, now: datetime) -> SourceState:
    fetched = answer.fetched
    headers: Mapping[str, str] = fetched.headers if fetched else {}
    gap = state.learned_gap_seconds
    if answer.articles:
        gap = due.learned_gap_seconds((article.published_at for article in answer.articles), now=now) or gap
    state = replace(
        state,
        consecutive_failures=0,
        last_reason=answer.reason,
        gone_since=None,
        last_ok_at=now,
        body_hash=answer.body_hash,
        learned_gap_seconds=gap,
    )
    if fetched is not None and fetched.status == 200:  # noqa: PLR2004  # a 304 may leave its validators out
        state = replace(
            state,
            validator_url=fetched.url,
            etag=validator(headers, "etag"),
            last_modified=validator(headers, "last-modified"),
        )
    asked = max(filter(None, (answer.ttl_seconds, fresh_seconds(headers, now=now))), default=None)
    interval = due.interval_of(source, state, now=now, asked_seconds=asked)
    return replace(state, next_due_at=due.next_due(source.id, interval=interval, now=now))


def _after_failure(
    source: Source, state: SourceState, answer: _Answer, *, now: datetime, jitter: float
) -> tuple[SourceState, list[str]]:
    failures = state.consecutive_failures + 1
    interval = due.interval_of(source, state, now=now)
    wait = due.failure_wait(failures, interval=interval, jitter=jitter)
    notices = []
    if answer.outcome == "gone":
        wait = GONE_WAIT
        if state.gone_since is None:
            notices.append("the Source is gone (410); it is asked again every 48 hours")
            state = replace(state, gone_since=now)
    if (
        answer.outcome == "not_found"
        and state.last_reason != MISSING_REASON
        and _is_long_missing(state, failures, now=now)
    ):
        notices.append("the Source has answered 404 for a day")
        state = replace(state, last_reason=MISSING_REASON)
    elif answer.outcome != "not_found" or state.last_reason != MISSING_REASON:
        state = replace(state, last_reason=answer.reason)
    return replace(state, consecutive_failures=failures, next_due_at=now + wait), notices


def _is_long_missing(state: SourceState, failures: int, *, now: datetime) -> bool:
    if state.last_ok_at is None:
        return failures >= _MISSING_FAILURES
    return now - state.last_ok_at >= _MISSING_NOTICE


def _resting_host(
    source: Source, state: SourceState, fetched: Fetched | None, *, now: datetime
) -> HostState | None:
    if fetched is None or fetched.status not in (429, 503):
        return None
    wait = due.retry_after_wait(retry_after_seconds(fetched.headers.get("retry-after"), now=now))
    return HostState(due.host_of(due.url_of(source, state)), now + wait) if wait else None


def _after_move(
    source: Source, state: SourceState, fetched: Fetched, *, is_ok: bool, now: datetime
) -> tuple[SourceState, list[str]]:
    target = fetched.permanent_url
    if not is_ok or target is None:
        return (replace(state, moved_to=None, moved_count=0, moved_since=None) if is_ok else state), []
    if target != state.moved_to:
        return replace(state, moved_to=target, moved_count=1, moved_since=now), []
    count = state.moved_count + 1
    since = state.moved_since or now
    if count < MOVES_NEEDED or now - since < MOVE_PERIOD:
        return replace(state, moved_count=count, moved_since=since), []
    moved = replace(
        state,
        effective_url=target,
        validator_url=None,
        etag=None,
        last_modified=None,
        moved_to=None,
        moved_count=0,
        moved_since=None,
    )
    return moved, [
        f"{source.id} has moved for good; please put its new address into the configuration: {target}"
    ]
