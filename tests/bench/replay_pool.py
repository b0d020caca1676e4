"""The pool walked through the pipeline in date order: grades over time, lost points, vendors at F.

.venv/bin/python tests/bench/replay_pool.py ../shared/data/pool.jsonl.gz [--keep FOLDER] [--try KEY=VALUE ...]

Items are taken in week by week; every Source is taken to have answered, so that no grade hangs on coverage.
With `--keep` the database stays, and a second run scores the stored events only; `--try`, such as
`types.lawsuit.severity=0.05`, prints the last instant beside a methodology with other values.
"""

import argparse
import gzip
import json
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from riskwatch import settings
from riskwatch.app import App
from riskwatch.decode.saved import decode_saved
from riskwatch.model import Article, Contribution, Poll, Score
from riskwatch.pipeline import Parts, Reader, absorb, ingest
from riskwatch.replay import Clock
from riskwatch.score import Methodology

ORIGINS = ("publisher", "aggregator")  # digests and comments are noise, not news
SCORED_FROM = datetime(2024, 1, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
COURSES, TOP_TYPES = 24, 14  # rows of the tables
MINOR = ("lawsuit", "outage", "price_increase", "share_drop")
FLAW_MAGNITUDE = 0.15  # of a flaw that was only disclosed


def articles(app: App, pool: Path) -> list[Article]:
    with gzip.open(pool, "rt", encoding="utf-8") as file:
        lines = [line for line in file if json.loads(line)["origin"] in ORIGINS]
    saved = decode_saved("pool.jsonl", "".join(lines).encode(), resolve=app.intake.resolve, now=app.now())
    return sorted(
        (a for a in saved.articles if a.published_at is not None and a.published_at < app.now()),
        key=lambda a: (a.published_at, a.guid),
    )


def weeks(items: Sequence[Article]) -> Iterator[tuple[datetime, list[Article]]]:
    """Give the end of each week and its items; all before the first scored instant come at once."""
    end, place = SCORED_FROM, 0
    while place < len(items):
        batch = [a for a in items[place:] if a.published_at is not None and a.published_at < end]
        yield end, batch
        place, end = place + len(batch), end + WEEK


def walk(app: App, clock: Clock, items: Sequence[Article]) -> None:
    """Take all items in as if each week ended now."""
    parts = replace(app.parts, alerts=None)
    for end, batch in weeks(items):
        clock.move(end)
        ingest(parts, batch)
        absorb(parts)


def quarters(until: datetime) -> list[datetime]:
    firsts = [
        datetime(year, month, 1, tzinfo=UTC)
        for year in range(2024, until.year + 1)
        for month in (1, 4, 7, 10)
    ]
    return [*(first for first in firsts if first < until), until]


def scored(parts: Parts, at: datetime) -> dict[str, Score]:
    """Score every watched vendor as of and as known at an instant, all Sources fresh."""
    fresh = [Poll(f"poll-{s.id}", s.id, at, 0, "ok", "", None, 0, 0, 0) for s in parts.sources]
    with parts.store.begin() as unit:
        unit.articles.add_polls([replace(poll, id=f"{poll.id}-{at:%Y%m%d}") for poll in fresh])
    with parts.store.begin(write=False) as unit:
        reader = Reader(parts, unit)
        return {
            vendor.id: reader.score(vendor.id, as_of=at, known_at=at)
            for vendor in parts.vendors.values()
            if vendor.watched and not vendor.id.startswith("_")
        }


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    print("\n| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")


def grades(instants: dict[datetime, dict[str, Score]]) -> None:
    names = ("A", "B", "C", "D", "F", "NR")
    rows = []
    for at, scores in instants.items():
        count = Counter(str(score.grade) for score in scores.values())
        rated = sum(count[name] for name in names[:-1])
        rows.append([f"{at:%Y-%m-%d}", *(count[name] for name in names), f"{count['F'] / max(1, rated):.0%}"])
    table(["as of", *names, "F of rated"], rows)


def rich(scores: dict[str, Score]) -> list[str]:
    return sorted(scores, key=lambda id_: (-scores[id_].articles, id_))[:COURSES]


def courses(instants: dict[datetime, dict[str, Score]]) -> None:
    """Print the scores of the vendors that the press names most."""
    last = list(instants.values())[-1]
    rows = [
        [
            id_,
            last[id_].articles,
            *(f"{s[id_].internal_points:.0f} {s[id_].grade}" for s in instants.values()),
        ]
        for id_ in rich(last)
    ]
    table(["vendor", "items", *(f"{at:%y-%m-%d}" for at in instants)], rows)


def lost(scores: dict[str, Score]) -> None:
    """Print the points lost at one instant, per factor and per type."""
    points, events, vendors = defaultdict[str, float](float), Counter[str](), Counter[str]()
    for score in scores.values():
        for group in ({c.factor.value for c in score.contributions}, {c.type for c in score.contributions}):
            vendors.update(group)
        for c in score.contributions:
            for name in (c.factor.value, c.type):
                points[name] += c.points
                events[name] += 1
    factors = {f.factor.value for score in scores.values() for f in score.factors}
    for title, chosen in (("factor", factors), ("type", set(points) - factors)):
        ordered = sorted(chosen, key=lambda name: (-points[name], name))[:TOP_TYPES]
        rows = [
            [n, f"{points[n]:.0f}", events[n], vendors[n], f"{points[n] / max(1, vendors[n]):.1f}"]
            for n in ordered
        ]
        table([title, "points lost, all vendors", "events", "vendors", "points a vendor hit"], rows)


def reasons(scores: dict[str, Score]) -> None:
    """Print what takes the points of the vendors at D and F."""
    rows = []
    for id_, score in sorted(scores.items(), key=lambda pair: pair[1].internal_points):
        if str(score.grade) not in "DF":
            continue
        count, points = Counter[str](), defaultdict[str, float](float)
        for c in score.contributions:
            count[c.type] += 1
            points[c.type] += c.points
        told = ", ".join(
            f"{t} {points[t]:.0f} ({count[t]})"
            for t in sorted(points, key=points.__getitem__, reverse=True)[:5]
        )
        rows.append([id_, score.articles, f"{score.internal_points:.0f} {score.grade}", told])
    table(["vendor at D or F", "items", "score", "points by type (events)"], rows)


def shares(parts: Parts, scores: dict[str, Score]) -> None:
    """Print how much of what the press-rich vendors lost hangs on minor events, and on one article each."""
    rows = []
    with parts.store.begin(write=False) as unit:
        for id_ in rich(scores):
            told = scores[id_].contributions
            total = sum(c.points for c in told)
            minor = sum(c.points for c in told if is_minor(c))
            claims = [{claim.article_id for claim in unit.events.event(c.event_id).claims} for c in told]
            once = sum(c.points for c, articles_ in zip(told, claims, strict=True) if len(articles_) == 1)
            if total:
                rows.append([id_, f"{total:.0f}", f"{minor / total:.0%}", f"{once / total:.0%}"])
    table(["vendor", "points lost", "by minor events", "by events that one article tells"], rows)


def is_minor(contribution: Contribution) -> bool:
    flaw = contribution.type == "security_breach" and contribution.magnitude <= FLAW_MAGNITUDE
    return contribution.type in MINOR or flaw


def compared(before: dict[str, Score], after: dict[str, Score], told: str) -> None:
    print(f"\n### With {told}")
    grades({next(iter(s.values())).as_of + timedelta(seconds=n): s for n, s in enumerate((before, after))})
    rows = [
        [id_, *(f"{s[id_].internal_points:.1f} {s[id_].grade}" for s in (before, after))]
        for id_ in rich(before)
    ]
    table(["vendor", "before", "after"], rows)
    moved = [after[id_].internal_points - before[id_].internal_points for id_ in before]
    print(f"\nMean movement of all {len(moved)} vendors: {statistics.mean(moved):+.2f} points.")


def changed(text: str, changes: Sequence[str]) -> Methodology:
    """Return the methodology with other values: `types.lawsuit.severity=0.05`."""
    made = yaml.safe_load(text)
    for change in changes:
        place, _, value = change.partition("=")
        *path, key = place.split(".")
        part = made
        for name in path:
            part = part[name]
        part[key] = yaml.safe_load(value)
    return Methodology.model_validate(made)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("pool", type=Path)
    arguments.add_argument("--keep", type=Path)
    arguments.add_argument("--try", dest="changes", action="append", default=[], metavar="KEY=VALUE")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as other:
        folder = chosen.keep or Path(other)
        is_walked = (folder / "walked").is_file()
        app = App(settings.load(environ={}), demo_dir=folder)
        started, items = time.process_time(), articles(app, chosen.pool)
        clock = Clock(SCORED_FROM - WEEK)
        walked = App(app.config, now=clock, demo_dir=folder)
        if not is_walked:
            walk(walked, clock, items)
            (folder / "walked").touch()
        last = (items[-1].published_at or SCORED_FROM) + WEEK
        clock.move(last)
        parts = replace(walked.parts, alerts=None)
        instants = {at: scored(parts, at) for at in quarters(last)}
        seconds = time.process_time() - started
        print(f"{len(items)} items, {seconds:.0f} s of CPU, ruleset {walked.ruleset.digest[:19]}")
        grades(instants)
        courses(instants)
        lost(instants[last])
        shares(parts, instants[last])
        reasons(instants[last])
        if chosen.changes:
            other_parts = replace(parts, methodology=changed(app.config.methodology_text, chosen.changes))
            compared(instants[last], scored(other_parts, last), ", ".join(chosen.changes))
        walked.close()


if __name__ == "__main__":
    main()
