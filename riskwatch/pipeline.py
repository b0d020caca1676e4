"""The order of the stages: one function per job, each safe to kill at any instant and to run again."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from riskwatch import merge, score
from riskwatch.detect import detect
from riskwatch.model import CANARY, CoverageFact, Detection, Snapshot, subjects_of, vendor_of
from riskwatch.page_queue import queue_pages
from riskwatch.score import Inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from riskwatch.collect import Source
    from riskwatch.detect import Ruleset
    from riskwatch.model import Article, Event, Score, Taxonomy, Vendor, Verdict
    from riskwatch.store import Added, Store, UnitOfWork

RECENT_DAYS = 30  # window that tells an active subject from a quiet one
REDETECTED_TOGETHER = 5_000  # articles read again before what is new gets its turn
CORRECTING = "correcting"  # setting: the digest of the ruleset by which pending Articles are read again
OWED = "owed_merges"  # setting: lines "vendor type" to merge and score when the last batch is absorbed
BATCH = 500  # articles whose signals are stored in one transaction
MERGE_AFTER = 20  # batches of one run that are merged and scored together


class Alerts(Protocol):
    """Lets AlertRules judge Snapshots."""

    def evaluate(self, unit: UnitOfWork, snapshots: Sequence[Snapshot], reader: Reader) -> int:
        """Judge Snapshots that were just stored; return how many Transitions were stored with them."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What the jobs work with; built once by app."""

    store: Store
    ruleset_digest: str
    compiled: Callable[[], Ruleset]  # asked only where something is read: it takes seconds the first time
    vendors: Mapping[str, Vendor]
    taxonomy: Taxonomy
    methodology: score.Methodology
    sets: Mapping[str, tuple[str, ...]]
    words: merge.CommonWords
    sources: tuple[Source, ...]
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    count: Callable[..., None]
    log: Callable[..., None] = field(default=lambda *_args, **_values: None)
    attention: dict[datetime, Mapping[str, int]] = field(default_factory=dict)  # quarter -> frozen table
    alerts: Alerts | None = None  # judges new Snapshots in the transaction that stores them


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What one run over the pending Articles did."""

    articles: int = 0
    signals: int = 0
    events: int = 0  # versions written
    snapshots: int = 0

    def __add__(self, other: Absorbed) -> Absorbed:
        """Return what two runs did together."""
        return Absorbed(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


# -------------------------------------------------------------------------------- articles in
def ingest(parts: Parts, articles: Sequence[Article]) -> Added:
    """Store Articles; detection, merging and scoring follow in `absorb`."""
    with parts.store.begin() as unit:
        added = unit.articles.add_articles(articles, now=parts.now())
    parts.count("articles", len(added.new), kind="new")
    parts.count("articles", len(added.changed), kind="revision")
    return added


# -------------------------------------------------------------------------------- detect, merge, score
def absorb(
    parts: Parts, *, progress: Callable[[int], None] | None = None, limit: int | None = None
) -> Absorbed:
    """Detect, merge and score until no Article is pending (or `limit` are done); one transaction per batch.

    A batch is taken off the pending list in the transaction that stores its signals. The last batch, and in
    a long run every 20th, merges and scores all that was touched; until then the database holds what is
    owed. A kill at any instant leaves a batch wholly done or wholly pending, and no merge is forgotten.
    """
    total, batches = Absorbed(), 0
    while limit is None or total.articles < limit:
        with parts.store.begin(write=False) as unit:
            batch = unit.articles.pending(limit=BATCH)
        if not batch:
            break
        found = {(article.id, article.revision): _detected(article, parts) for article in batch}
        batches += 1
        done = _absorb_batch(parts, batch, found, is_merging=batches % MERGE_AFTER == 0)
        total += done
        if progress is not None:
            progress(done.articles)
    return total


def redetect(parts: Parts, *, progress: Callable[[int], None] | None = None) -> Absorbed:
    """Detect again, merge and score the stored Articles that another ruleset has read.

    What is left to do is told by the Articles themselves: killed at any instant, it goes on where it was.
    The Snapshots that follow have the cause `corrections`: our reading changed, not the world.
    """
    total = absorb(parts)
    digest = parts.ruleset_digest
    while True:
        with parts.store.begin() as unit:
            unit.lock("absorb")
            if not unit.articles.redetect(ruleset=digest, limit=REDETECTED_TOGETHER):
                return total
            unit.access.save_setting(CORRECTING, digest)
        total += absorb(parts, progress=progress)


def _detected(article: Article, parts: Parts) -> Detection:
    found = detect(article, parts.compiled())
    if found.signals:  # the sketch is only needed where something may be merged
        found = replace(found, sketch=merge.sketch(article.title, article.text))
    return found


def _absorb_batch(
    parts: Parts,
    batch: Sequence[Article],
    found: Mapping[tuple[str, int], Detection],
    *,
    is_merging: bool,
) -> Absorbed:
    written: Sequence[Event] = ()
    snapshots: Sequence[Snapshot] = ()
    with parts.store.begin() as unit:
        unit.lock("absorb")
        now = parts.now()  # asked under the lock: a digest that holds it has all that was recorded before
        signals = {key: detection.signals for key, detection in found.items()}
        touched = unit.events.add_signals(signals, now=now)
        unit.articles.mark_detected(found, ruleset=parts.ruleset_digest, now=now)
        read = [(article, _is_named(parts, found[article.id, article.revision])) for article in batch]
        queue_pages(unit, read, parts.sources, now=now)
        owed = (unit.access.setting(OWED) or "").splitlines()
        due = sorted({*owed, *(f"{vendor} {type_}" for vendor, type_ in touched)})
        is_last = unit.articles.count_pending() == 0
        is_merging = is_merging or is_last
        unit.access.save_setting(OWED, "" if is_merging else "\n".join(due))
        if is_merging:
            cause = "corrections" if unit.access.setting(CORRECTING) else "change"
            written, snapshots = _merge_and_score(parts, unit, due, now=now, cause=cause)
            if is_last and cause == "corrections":
                unit.access.save_setting(CORRECTING, "")
    for detection in found.values():
        for signal in detection.signals:
            if signal.vendor != CANARY:
                parts.count("signals", event_type=signal.type, assertion=str(signal.assertion))
                parts.count("rule_hits", rule=signal.rule)
    for event in written:
        if event.vendor != CANARY:
            parts.count("events", event_type=event.type)
    return Absorbed(len(found), sum(map(len, signals.values())), len(written), len(snapshots))


def _is_named(parts: Parts, detection: Detection) -> bool:
    """Whether an Article names a watched vendor."""
    named = {vendor_of(one.subject) for one in detection.mentions}
    return any(parts.vendors[vendor].watched for vendor in named if vendor in parts.vendors)


def _merge_and_score(
    parts: Parts, unit: UnitOfWork, due: Iterable[str], *, now: datetime, cause: str
) -> tuple[Sequence[Event], Sequence[Snapshot]]:
    """Fold the partitions "vendor type" and score the Subjects that read what changed."""
    types = defaultdict[str, set[str]](set)
    for vendor, _, type_ in (line.partition(" ") for line in due):
        types[vendor].add(type_)
    written = [e for vendor in sorted(types) for e in remerge(parts, unit, vendor, types[vendor], now)]
    subjects = affected(parts, {event.vendor for event in written})
    return written, rescore(parts, unit, subjects, as_of=now, cause=cause)


def remerge(
    parts: Parts, unit: UnitOfWork, vendor: str, types: Collection[str], now: datetime
) -> Sequence[Event]:
    """Fold the partitions (vendor, type) again and store what changed; return the Events written."""
    signals = unit.events.signals(vendor, types=sorted(types))
    known = unit.events.events_of(vendor)
    merged = merge.merge(
        signals,
        vendor=vendor,
        types=types,
        known=known,
        briefs=unit.articles.briefs(sorted({signal.article_id for signal in signals})),
        taxonomy=parts.taxonomy,
        weights=weights_of(parts.methodology),
        words=parts.words,
        verdicts=unit.events.verdicts(vendor),
        new_id=parts.new_id,
    )
    before = {event.id: event for event in known}
    changed = [event for event in merged.events if _is_new(event, before.get(event.id))]
    unit.events.save_events(changed, now=now)
    if tuple(unit.events.stories(vendor)) != tuple(merged.stories):
        unit.events.save_stories(vendor, merged.stories, now=now)
    return changed


def _is_new(event: Event, before: Event | None) -> bool:
    return before is None or event != replace(before, recorded_at=event.recorded_at)


def weights_of(methodology: score.Methodology) -> merge.Weights:
    """Return the credibility weights that merging needs for dates and contradictions."""
    credibility = methodology.credibility
    return merge.Weights(
        tiers={str(k): v for k, v in credibility.tiers.items()},
        assertions={str(k): v for k, v in credibility.status_weight.items()},
    )


def judge(parts: Parts, verdict: Verdict) -> Event:
    """Store a person's Verdict, fold the partition again and rescore; return the Event. Raises NotFound."""
    with parts.store.begin() as unit:
        unit.lock("absorb")
        now = parts.now()
        event = unit.events.event(verdict.event_id)
        unit.events.add_verdict(replace(verdict, event_id=event.id, recorded_at=now))
        remerge(parts, unit, event.vendor, {event.type}, now)
        rescore(parts, unit, affected(parts, {event.vendor}), as_of=now, cause="verdict")
        return unit.events.event(event.id)


# -------------------------------------------------------------------------------- scores
def affected(parts: Parts, vendors: Iterable[str]) -> tuple[str, ...]:
    """Return the Subjects that read events of these vendors (or industry sets), sorted."""
    homes = set(vendors)
    for home in sorted(homes):
        homes.update(parts.sets.get(home, ()))
    return tuple(
        subject
        for id_ in sorted(homes)
        if id_ in parts.vendors
        for subject in subjects_of(parts.vendors[id_])
    )


def rescore(
    parts: Parts, unit: UnitOfWork, subjects: Sequence[str], *, as_of: datetime, cause: str
) -> Sequence[Snapshot]:
    """Score Subjects as of and as known at one instant and store the Snapshots."""
    reader = Reader(parts, unit)
    made = [
        Snapshot(parts.new_id(), reader.score(subject, as_of=as_of, known_at=as_of), cause, as_of)
        for subject in subjects
    ]
    unit.scores.add_snapshots(made)
    if parts.alerts is not None:
        parts.alerts.evaluate(unit, made, reader)
    parts.count("scores", len(made), cause=cause)
    return made


def daily(parts: Parts) -> int:
    """Store a Snapshot of every Subject as of the last 00:00 UTC, unless it is there; return how many."""
    midnight = midnight_of(parts.now())
    mark = midnight.isoformat()
    with parts.store.begin() as unit:
        unit.lock("daily")
        last = unit.access.setting("daily_snapshots")
        if last is not None and last >= mark:
            return 0
        as_of = (
            midnight if last is not None else parts.now()
        )  # at the very first start nothing was known at midnight
        made = rescore(parts, unit, affected(parts, parts.vendors), as_of=as_of, cause="daily")
        unit.access.save_setting("daily_snapshots", mark)
    return len(made)


class Reader:
    """Scores of one instant of knowledge; what several Subjects share is read once."""

    def __init__(self, parts: Parts, unit: UnitOfWork) -> None:
        self._parts, self._unit = parts, unit
        self._events: dict[tuple[str, datetime], Sequence[Event]] = {}
        self._verdicts: dict[tuple[str, datetime], Sequence[Verdict]] = {}
        self._counts: dict[tuple[datetime, datetime, str], Mapping[str, int]] = {}
        self._polls: dict[datetime, Mapping[str, datetime]] = {}

    def score(self, subject: str, *, as_of: datetime, known_at: datetime) -> Score:
        """Return the Score of a Subject of the register."""
        return score.evaluate(self.inputs(subject, as_of=as_of, known_at=known_at))

    def inputs(self, subject: str, *, as_of: datetime, known_at: datetime) -> Inputs:
        """Return all that the Score of a Subject rests on."""
        vendor = vendor_of(subject)
        window = self._parts.methodology.confidence.attention_window_days
        return Inputs(
            subject=subject,
            as_of=as_of,
            known_at=known_at,
            methodology=self._parts.methodology,
            vendor=self._parts.vendors[vendor],
            events=tuple(self.events(vendor, known_at=known_at)),
            verdicts=tuple(self._verdicts_of(vendor, known_at)),
            coverage=self.coverage(vendor, known_at=min(as_of, known_at)),
            articles=self._named(subject, as_of, days=window),
            recent_articles=self._named(subject, as_of, days=RECENT_DAYS),
            families=self._families(vendor),
            attention=self._attention(as_of, known_at),
            sets=self._parts.sets,
            ruleset_digest=self._parts.ruleset_digest,
        )

    def events(self, vendor: str, *, known_at: datetime) -> Sequence[Event]:
        """Return the Events a vendor's Subjects read: its own and those of its industry sets."""
        key = (vendor, known_at)
        if key not in self._events:
            homes = [vendor, *sorted(id_ for id_, members in self._parts.sets.items() if vendor in members)]
            self._events[key] = [
                e for home in homes for e in self._unit.events.events_of(home, known_at=known_at)
            ]
        return self._events[key]

    def coverage(self, vendor: str, *, known_at: datetime) -> tuple[CoverageFact, ...]:
        """Return one fact per source class that has a Source for the vendor."""
        if known_at not in self._polls:
            self._polls[known_at] = self._unit.articles.last_ok_polls(known_at=known_at)
        polls = self._polls[known_at]
        by_class = defaultdict[str, list[str]](list)
        for source in self._parts.sources:
            if source.watches(vendor):
                by_class[str(source.source_class)].append(source.id)
        return tuple(
            CoverageFact(class_, len(ids), max((polls[id_] for id_ in ids if id_ in polls), default=None))
            for class_, ids in sorted(by_class.items())
        )

    def _named(self, subject: str, as_of: datetime, *, days: float) -> int:
        since, vendor = as_of - timedelta(days=days), vendor_of(subject)
        key = (since, as_of, vendor)
        if key not in self._counts:
            counts = self._unit.articles.mention_counts(since=since, until=as_of, vendor=vendor)
            self._counts[key] = counts
        return self._counts[key].get(subject, 0)

    def _attention(self, as_of: datetime, known_at: datetime) -> Mapping[str, int]:
        """Return the quarter's attention table: events of the past year, as known at its first instant."""
        quarter = midnight_of(as_of).replace(month=(as_of.month - 1) // 3 * 3 + 1, day=1)
        if known_at < quarter:
            return {}
        tables = self._parts.attention
        if quarter not in tables:
            days = self._parts.methodology.attention.window_days
            tables[quarter] = self._unit.events.event_counts(
                since=quarter - timedelta(days=days), until=quarter
            )
        return tables[quarter]

    def _families(self, vendor: str) -> int:
        watching = (s for s in self._parts.sources if s.watches(vendor))
        return len({source.publisher for source in watching})

    def _verdicts_of(self, vendor: str, known_at: datetime) -> Sequence[Verdict]:
        key = (vendor, known_at)
        if key not in self._verdicts:
            self._verdicts[key] = self._unit.events.verdicts(vendor, known_at=known_at)
        return self._verdicts[key]


def midnight_of(instant: datetime) -> datetime:
    """Return 00:00 of an instant's day."""
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)
