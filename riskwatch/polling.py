"""Sources that are due, polled side by side; what each brings is stored with its validators."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta

from riskwatch import collect
from riskwatch.collect import Source
from riskwatch.collect.due import SILENCE_WINDOW, due, is_own_line_down, is_silent, may_be_silent
from riskwatch.collect.identity import settle
from riskwatch.errors import NotFound
from riskwatch.model import Article, Poll, SourceState
from riskwatch.pipeline import Parts
from riskwatch.store import UnitOfWork

LEASE = timedelta(minutes=5)  # a worker that dies gives its Sources back after that
SETTLED_TOGETHER = 1_500  # articles stored in one transaction; a kill costs their download, never an item


@dataclass(frozen=True, slots=True)
class Choice:
    """Which Sources to poll: those that are due, or the named ones, or all."""

    only: tuple[str, ...] = ()
    everything: bool = False
    workers: int = 8

    @property
    def is_asked_for(self) -> bool:
        """Whether a person named the Sources: then the lease of another, perhaps dead, worker is ignored."""
        return self.everything or bool(self.only)


def count_due(parts: Parts, choice: Choice) -> int:
    """Return how many Sources there are to poll now. Raises NotFound for an id that no Source has."""
    with parts.store.begin(write=False) as unit:
        return len(_due_ids(parts, unit, choice, unit.articles.source_states()))


def _due_ids(
    parts: Parts, unit: UnitOfWork, choice: Choice, states: Mapping[str, SourceState]
) -> Sequence[str]:
    known = [source.id for source in parts.sources]
    for id_ in choice.only:
        if id_ not in known:
            raise NotFound("source", id_)
    if choice.is_asked_for:
        return choice.only or known
    return due(parts.sources, states=states, hosts=unit.articles.host_states(), now=parts.now())


def poll_sources(
    parts: Parts, tools: collect.Tools, choice: Choice, *, progress: Callable[[int], None] | None = None
) -> list[Poll]:
    """Poll Sources side by side and store what each brings in one transaction; return the poll rows.

    Failures wait to be stored until the tick is over: where nearly all failed to get a line, ours is down and
    no failure is counted. Polls that brought nothing are stored together.
    """
    with parts.store.begin() as unit:
        states = unit.articles.source_states()
        leased = _due_ids(parts, unit, choice, states)
        if not choice.is_asked_for:
            until = parts.now() + LEASE
            leased = unit.articles.lease_sources(leased, token=parts.new_id(), now=parts.now(), until=until)
    rows, full, empty, failed = list[Poll](), *(list[collect.Polled]() for _ in range(3))
    reached = []
    sources = {source.id: source for source in parts.sources}
    asked = [(sources[id_], states.get(id_)) for id_ in leased]
    for polled in _side_by_side(asked, tools, workers=min(choice.workers, len(asked))):
        reached.extend([polled.reached] if polled.reached else [])
        if not polled.poll.is_ok:
            failed.append(polled)
        elif polled.articles:
            full.append(polled)
        else:
            empty.append(polled)
        if sum(len(one.articles) for one in full) >= SETTLED_TOGETHER:
            rows.extend(_settled(parts, full))
            full = []
        if progress is not None:
            progress(1)
    is_offline = is_own_line_down(reached)
    counted = [p.uncounted(states.get(p.poll.source_id)) if is_offline else p for p in failed]
    rows.extend(_settled(parts, [*full, *empty, *counted]))
    return sorted(rows, key=lambda row: row.source_id)


def _side_by_side(
    asked: Sequence[tuple[Source, SourceState | None]], tools: collect.Tools, *, workers: int
) -> Iterator[collect.Polled]:
    """Give the outcomes as they come; one worker needs no thread."""
    if workers <= 1:
        yield from (collect.poll(source, state, tools=tools) for source, state in asked)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting = {pool.submit(collect.poll, source, state, tools=tools) for source, state in asked}
        for future in as_completed(waiting):
            yield future.result()


def _settled(parts: Parts, polls: Sequence[collect.Polled]) -> list[Poll]:
    """Store polls in one transaction: the articles of each with its validators, host and poll row."""
    if not polls:
        return []
    with parts.store.begin() as unit:
        articles = [article for polled in polls for article in _identified(unit, polled)]
        by_source = unit.articles.add_articles(articles, now=parts.now()).by_source
        counts = (by_source.get(polled.poll.source_id, (0, 0)) for polled in polls)
        done = [p.settled(new=new, changed=changed) for p, (new, changed) in zip(polls, counts, strict=True)]
        done = _with_silence(parts, unit, done)
        unit.articles.save_source_states([polled.state for polled in done])
        unit.articles.save_host_states([polled.host for polled in done if polled.host is not None])
        unit.articles.add_polls([polled.poll for polled in done])
    for polled in done:
        row = polled.poll
        parts.count("source_polls", outcome=row.outcome)
        parts.count("articles", row.new, kind="new")
        parts.count("articles", row.changed, kind="revision")
        parts.log("polled", source_id=row.source_id, outcome=row.outcome, new=row.new, changed=row.changed)
        for notice in polled.notices:
            parts.log("source_notice", source_id=row.source_id, notice=notice)
    return [polled.poll for polled in done]


def _with_silence(parts: Parts, unit: UnitOfWork, polls: Sequence[collect.Polled]) -> list[collect.Polled]:
    """Return the polls; those of Sources that answer well and are quiet beyond expectation say so."""
    now, sources = parts.now(), {source.id: source for source in parts.sources}
    asked = {one.poll.source_id: one for one in polls if one.poll.is_ok and one.poll.source_id in sources}
    quiet = [id_ for id_, one in asked.items() if may_be_silent(sources[id_], one.state, now=now)]
    if not quiet:
        return list(polls)
    dates = unit.articles.item_dates(quiet, since=now - SILENCE_WINDOW)
    silent = {
        id_
        for id_ in quiet
        if is_silent(sources[id_], dates.get(id_) or _last_new(asked[id_].state), now=now)
    }
    return [one.silent() if one.poll.source_id in silent else one for one in polls]


def _last_new(state: SourceState) -> list[datetime]:
    return [] if state.last_new_item_at is None else [state.last_new_item_at]


def _identified(unit: UnitOfWork, polled: collect.Polled) -> Sequence[Article]:
    """Return the articles under the identities that the store knows them by."""
    source_id, articles = polled.poll.source_id, polled.articles
    if not articles or polled.state.last_new_item_at is None:
        return articles  # nothing of this Source is stored yet
    guids = unit.articles.known_guids(source_id, [article.guid for article in articles])
    if len(guids) == len(articles):  # only an unknown guid can hide a known link
        return articles
    urls = unit.articles.known_urls(source_id, [article.url for article in articles if article.url])
    return settle(articles, known_guids=guids, known_urls=urls)
