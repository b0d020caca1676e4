"""What is deleted when its time is over, in batches: killed at any instant, the next run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from riskwatch.errors import TooMuch
from riskwatch.model import Retention, Score
from riskwatch.pipeline import Parts, midnight_of
from riskwatch.store import Past, UnitOfWork

CANARY_KEPT = timedelta(days=1)
DONE = "retention"  # setting: the day on which the job was done, or refused, last
BATCH = 2_000  # rows of one transaction
TEXTS_BATCH = 200  # a text is long, and leaves the search index too
LEAST_POINTS = 0.05  # less is printed as 0.0: the event no longer counts


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many of each went, or would go."""

    article_texts: int
    kept_as_evidence: int  # Articles as old, whose Events still count
    past: Mapping[Past, int]

    @property
    def total(self) -> int:
        """All that goes."""
        return self.article_texts + sum(self.past.values())

    def counts(self) -> dict[str, int]:
        """Return the numbers by name."""
        past = {str(each): number for each, number in self.past.items()}
        return {"article_texts": self.article_texts, "kept_as_evidence": self.kept_as_evidence, **past}


def tidy(parts: Parts, kept: Retention) -> None:
    """Delete what the canary brought more than a day ago and, once a day, all that is too old.

    Where that is too much at once, the log says so, and it is left until tomorrow.
    """
    today = midnight_of(parts.now()).isoformat()
    with parts.store.begin() as unit:
        unit.lock("absorb")
        unit.retention.forget_canary(before=parts.now() - CANARY_KEPT)
        is_done = unit.access.setting(DONE) == today
    if is_done:
        return
    try:
        check(parts, kept, forget(parts, kept, is_dry_run=True))
    except TooMuch as refused:
        parts.log("retention_refused", reason=str(refused))
    else:
        parts.log("forgot", **forget(parts, kept).counts())
    with parts.store.begin() as unit:
        unit.access.save_setting(DONE, today)


def check(parts: Parts, kept: Retention, counted: Forgotten) -> None:
    """Raise TooMuch where more of the texts or of the polls would go than may in one run.

    Both come day after day, so no more than a small share grows too old in a day: where most of them did, the
    clock is wrong, or a number of days, or nothing was deleted for long. Tries and contents of messages come
    in bursts; they are deleted with the rest or not at all.
    """
    with parts.store.begin(write=False) as unit:
        held = {"texts": unit.retention.count_texts(), "polls": unit.retention.count_polls()}
    going = {"texts": counted.article_texts, "polls": counted.past[Past.POLLS]}
    for name, number in going.items():
        if number * 100 > held[name] * kept.most_percent:
            raise TooMuch(
                f"nothing was deleted: {number:,} of {held[name]:,} {name} would go at once, more than the "
                f"{kept.most_percent} % that most_percent of config/retention.yaml allows. Is the clock "
                f"right? It says {parts.now():%Y-%m-%d %H:%M} UTC. If it is: `riskwatch retention --force`"
            )


def forget(
    parts: Parts,
    kept: Retention,
    *,
    is_dry_run: bool = False,
    progress: Callable[[int], object] = lambda _rows: None,
) -> Forgotten:
    """Delete all that is too old, or only count it.

    Args:
        parts: What the jobs work with.
        kept: For how many days things are kept.
        is_dry_run: Count, delete nothing.
        progress: Is told of each batch how many went.
    """
    today = midnight_of(parts.now())  # whole days: each keeps its last good polls
    ages = {
        Past.POLLS: kept.polls_days,
        Past.DELIVERY_ATTEMPTS: kept.delivery_attempts_days,
        Past.DELIVERED_PAYLOADS: kept.delivered_payloads_days,
    }
    old = today - timedelta(days=kept.article_text_days)
    texts, evidence = _texts(parts, old, is_dry_run=is_dry_run, progress=progress)
    past = {}
    for each, days in ages.items():
        before = today - timedelta(days=days)
        if is_dry_run:
            with parts.store.begin(write=False) as unit:
                past[each] = unit.retention.count_past(each, before=before)
        else:
            past[each] = _delete(parts, each, before, progress)
    return Forgotten(texts, evidence, past)


def _texts(
    parts: Parts, before: datetime, *, is_dry_run: bool, progress: Callable[[int], object]
) -> tuple[int, int]:
    """Delete the texts; return of how many Articles, and how many were kept as evidence."""
    gone, kept, after = 0, 0, None
    with parts.store.begin(write=False) as unit:
        evidence = unit.retention.evidence(_counting(unit))
    while True:
        with parts.store.begin(write=not is_dry_run) as unit:
            if not is_dry_run:
                unit.lock("absorb")  # nobody puts an Article on the pending list meanwhile
            page = unit.retention.old_texts(before=before, after=after, limit=TEXTS_BATCH)
            if not page:
                return gone, kept
            ids = [id_ for _, id_ in page if id_ not in evidence]
            went = len(ids) if is_dry_run else unit.retention.delete_texts(ids)
        gone, kept, after = gone + went, kept + len(page) - len(ids), page[-1]
        progress(went)


def _counting(unit: UnitOfWork) -> frozenset[str]:
    """Return the ids of the Events that count in the newest Scores."""
    return frozenset(id_ for one in unit.scores.latest_all().values() for id_ in counting(one.score))


def counting(score: Score) -> Iterable[str]:
    """Give the ids of the Events whose points can be seen in print, and of those that relieve them."""
    for one in score.contributions:
        if one.points >= LEAST_POINTS:
            yield one.event_id
            yield from one.relieved_by


def _delete(parts: Parts, past: Past, before: datetime, progress: Callable[[int], object]) -> int:
    gone = 0
    while True:
        with parts.store.begin() as unit:
            unit.lock("retention")  # two workers would wait for each other's rows
            went = unit.retention.delete_past(past, before=before, limit=BATCH)
        gone += went
        progress(went)
        if went < BATCH:
            return gone
