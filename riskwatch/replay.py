"""A history walked through the pipeline as if it happened now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from riskwatch.model import Article, Poll
from riskwatch.pipeline import Absorbed, Parts, absorb, affected, ingest, midnight_of, rescore


class Clock:
    """A clock that a replay moves by hand; it never goes back."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        """Return the instant at which the replay stands."""
        return self.at

    def move(self, to: datetime) -> None:
        """Move on to an instant; an earlier one changes nothing."""
        self.at = max(self.at, to)


@dataclass(frozen=True, slots=True)
class Span:
    """What a replay covers, and which instants get a Snapshot of every Subject beside those of changes."""

    until: datetime
    weekly_from: datetime  # a Snapshot each Monday 00:00 from here on
    daily_from: datetime  # and one each day from here on


def replay(
    parts: Parts, articles: Sequence[Article], clock: Clock, span: Span, *, progress: Callable[[int], None]
) -> Absorbed:
    """Walk a history through the pipeline as if it happened now: rows are recorded when they would have been.

    Articles are taken in by the hour of their publication; every Source is polled once a day, so that the
    freshness and coverage of any past day can be told. `parts.now` must be the clock.
    """
    waiting = sorted((a for a in articles if a.published_at), key=lambda a: (a.published_at, a.guid))
    total, place = Absorbed(), 0
    day = midnight_of(waiting[0].published_at or span.until) if waiting else span.until
    while day <= span.until:
        _polled(parts, day - timedelta(minutes=5))
        if day >= span.daily_from or (day >= span.weekly_from and day.weekday() == 0):
            clock.move(day)
            with parts.store.begin() as unit:
                rescore(parts, unit, affected(parts, parts.vendors), as_of=day, cause="daily")
        day += timedelta(days=1)
        while place < len(waiting) and (waiting[place].published_at or day) < day:
            hour = [a for a in waiting[place:] if _hour(a) == _hour(waiting[place])]
            clock.move(_hour(hour[0]) + timedelta(hours=1))
            ingest(parts, hour)
            total += absorb(parts)
            place += len(hour)
            progress(len(hour))
    clock.move(span.until)
    return total


def _polled(parts: Parts, at: datetime) -> None:
    polls = [
        Poll(f"replay-{source.id}-{at:%Y%m%d}", source.id, at, 0, "ok", "", None, 0, 0, 0)
        for source in parts.sources
    ]
    with parts.store.begin() as unit:
        unit.articles.add_polls(polls)


def _hour(article: Article) -> datetime:
    if article.published_at is None:
        raise ValueError(f"{article.guid} has no date")
    return article.published_at.replace(minute=0, second=0, microsecond=0)
