"""The fold: Signals of one (vendor, type), in order of telling, gathered into what becomes an Event each."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING

from riskwatch.merge.keys import PERSON_TYPES, SHARE_TYPES, Key, is_same_name, key_of
from riskwatch.merge.likeness import Wording
from riskwatch.model import Assertion

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from riskwatch.merge.copies import Voice
    from riskwatch.merge.likeness import CommonWords
    from riskwatch.model import Signal

DAY_SECONDS = 86_400.0
SPAN_WINDOWS = 3  # an event's live Signals span at most so many windows
ACTS = frozenset({"regulatory_action"})  # their object acts more than once in a window
SAME_ACT_SECONDS = 2 * DAY_SECONDS
NEWS_SECONDS = 7 * DAY_SECONDS  # what is still news of the single open event, in whatever words
ALIKE = 0.10  # cosine; measured on 314 articles whose happenings were told apart by reading: docs/quality.md
NAMING_SECONDS = 14 * DAY_SECONDS  # an object first named so long after an event without one is another's
OPENING_CONFIDENCE = 0.60  # share 0 to 1; below it a Signal opens nothing by itself
OUTAGE_GAP_SECONDS = 6 * 3_600.0
MOVE_PERCENT = 2.0  # points between two numbers of one share move
SAME_MOVE_PERCENT = 0.5  # a retelling of the next day gives the same number


@dataclass(frozen=True, slots=True)
class Told:
    """A Signal with its voice resolved and its instants in seconds."""

    signal: Signal
    family: str  # whose claim it is: the one outlet it credits, else the family of the text's original
    tier: str  # of the text's original: a copy on a better site is no better
    text_id: str  # of the Article that told the text first
    at: float  # seconds, when it was told
    happened: float  # seconds, when it happened as claimed, else when it was told
    key: Key
    words: Mapping[str, int]  # word of the quote, or number that is stated -> bits

    @property
    def is_copy(self) -> bool:
        """Whether another Article told the same text first."""
        return self.text_id != self.signal.article_id

    @property
    def known_at(self) -> datetime:
        """When we knew it: recorded, else told."""
        return self.signal.recorded_at or self.signal.told_at


@dataclass(slots=True)
class Cluster:
    """Signals that speak of one event, in order of telling."""

    live: list[Told] = field(default_factory=list)
    denials: list[Told] = field(default_factory=list)
    words: frozenset[str] = frozenset()  # of the object, the longest form told; empty while null
    roles: set[str] = field(default_factory=set)
    line: str | None = None
    first: float = 0.0  # seconds; of the first live Signal, of the first denial before one came
    last: float = 0.0  # seconds; of the last live Signal
    happened: set[float] = field(default_factory=set)
    low: float = inf  # seconds; the earliest of `happened`
    high: float = -inf  # seconds; the latest of `happened`
    percent: float | None = None
    families: set[str] = field(default_factory=set)
    is_confident: bool = False
    texts: set[str] = field(default_factory=set)  # ids of the texts that tell it
    wording: Wording = field(default_factory=Wording)

    @property
    def is_established(self) -> bool:
        """Whether it is an event: told with confidence once, or by two families."""
        return self.is_confident or len(self.families) >= 2  # noqa: PLR2004 - "a second family"

    def add(self, told: Told) -> None:
        """Take in one Signal; a denial stretches no window."""
        is_live = told.signal.assertion.is_live
        if is_live and not self.live:
            self.first = told.at
        elif not self.live and not self.denials:
            self.first = self.last = told.at
        if is_live:
            self.last = told.at
        (self.live if is_live else self.denials).append(told)
        self.happened.add(told.happened)
        self.low = min(self.low, told.happened)
        self.high = max(self.high, told.happened)
        self.families.add(told.family)
        self.texts.add(told.text_id)
        self.wording.add(told.words)
        self.is_confident = self.is_confident or told.signal.confidence >= OPENING_CONFIDENCE
        self._learn(told)

    def _learn(self, told: Told) -> None:
        if len(told.key.words) > len(self.words):
            self.words = told.key.words
        if told.key.role:
            self.roles.add(told.key.role)
        self.line = self.line or told.key.line
        if self.percent is None:
            self.percent = percent_of(told.signal)


def percent_of(signal: Signal) -> float | None:
    """Return the percentage that a Signal states, if it is a number."""
    value = signal.attributes.get("percent")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def tell(signals: Iterable[Signal], voices: Mapping[str, Voice], words: CommonWords) -> list[Told]:
    """Return Signals with their voices, in the order in which they are folded.

    An article that names one object means it where it names none: a headline leaves out who sued.
    """
    ordered = sorted(signals, key=lambda s: (s.told_at, s.text_key, s.evidence.start, s.id))
    told = [_told(signal, voices[signal.article_id], words) for signal in ordered]
    named: dict[tuple[str, int], set[Key]] = defaultdict(set)
    for one in told:
        if one.key.words:
            named[one.signal.article_id, one.signal.revision].add(one.key)
    return [_named(one, named.get((one.signal.article_id, one.signal.revision), ())) for one in told]


def _named(told: Told, keys: Collection[Key]) -> Told:
    objects = {key.words: key.name for key in keys}
    if told.key.words or len(objects) != 1 or told.signal.type in PERSON_TYPES:  # a post may be another's
        return told
    words, name = next(iter(objects.items()))
    return replace(told, key=replace(told.key, words=words, name=name))


def _told(signal: Signal, voice: Voice, words: CommonWords) -> Told:
    at = signal.told_at.timestamp()
    is_copy = voice.original_id != signal.article_id
    return Told(
        signal=signal,
        family=signal.cited_family or voice.family,
        tier=voice.tier if is_copy else signal.tier,
        text_id=voice.original_id,
        at=at,
        happened=signal.claimed_at.timestamp() if signal.claimed_at else at,
        key=key_of(signal),
        words=_words(signal, words),
    )


def _words(signal: Signal, words: CommonWords) -> Mapping[str, int]:
    """Return the words of the quote, and the numbers that it states, which are the same in every language."""
    told = words.told(signal.evidence.quote)
    numbers = [
        f"{name} {value:g}"
        for name, value in signal.attributes.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    return {**told, **dict.fromkeys(numbers, words.most)} if numbers else told


def fold(told: Sequence[Told], *, type_: str, window_days: float) -> list[Cluster]:
    """Gather live and denying Signals, in order, into events; what cannot open one waits and is left out.

    Args:
        told: Signals of one vendor and this type.
        type_: Event type.
        window_days: Days that an event stays open after its last live Signal.
    """
    window = window_days * DAY_SECONDS
    matcher = _Matcher(type_, window)
    clusters: list[Cluster] = []
    reachable: list[Cluster] = []
    for one in told:
        if not (one.signal.assertion.is_live or one.signal.assertion is Assertion.DENIED):
            continue
        reachable = [c for c in reachable if one.at - c.first <= SPAN_WINDOWS * window]
        cluster = matcher.find(one, reachable)
        if cluster is None:
            cluster = Cluster()
            clusters.append(cluster)
            reachable.append(cluster)
        cluster.add(one)
    return [cluster for cluster in clusters if cluster.is_established]


@dataclass(frozen=True, slots=True)
class _Matcher:
    """The matching rules of merging.md 3 for one type."""

    type_: str
    window: float  # seconds

    def find(self, told: Told, clusters: Sequence[Cluster]) -> Cluster | None:
        """Return the event that a Signal joins, or none when it stands alone."""
        near = [c for c in clusters if self._is_near(c, told) and self._is_same(c, told)]
        if not near:
            return None
        if not told.key.has_object:
            return _nearest(told, near)
        if self.type_ in PERSON_TYPES:
            return _by_person(told, near)
        return _by_object(told, near)

    def _is_near(self, cluster: Cluster, told: Told) -> bool:
        window, happened = self.window, told.happened
        if told.at - cluster.last <= window:
            return True
        if happened < cluster.low - window or happened > cluster.high + window:
            return False
        return any(abs(happened - at) <= window for at in cluster.happened)

    def _is_same(self, cluster: Cluster, told: Told) -> bool:
        return self._is_line(cluster, told.key) and not self._is_other(cluster, told)

    def _is_line(self, cluster: Cluster, key: Key) -> bool:
        if cluster.line is None or key.line is None or cluster.line == key.line:
            return True
        return self.type_ in PERSON_TYPES and bool(key.words)  # one person, whatever team the outlet names

    def _is_other(self, cluster: Cluster, told: Told) -> bool:
        """Whether a Signal inside the window is a new event all the same."""
        if self.type_ in SHARE_TYPES:
            return _is_other_move(cluster, told)
        if self.type_ == "outage":
            return _has_gap(cluster, told) and not _is_retold(cluster, told)
        return False


def _is_other_move(cluster: Cluster, told: Told) -> bool:
    percent = percent_of(told.signal)
    if percent is None:
        return False
    apart = abs(percent - cluster.percent) if cluster.percent is not None else 0.0
    if apart > MOVE_PERCENT:
        return True
    days = {one.signal.claimed_at.date() for one in cluster.live if one.signal.claimed_at}
    if told.signal.claimed_at and days:
        return told.signal.claimed_at.date() not in days
    # Without both trading days only the day of telling is known, and tomorrow's papers retell today's number.
    told_days = {one.signal.told_at.date() for one in cluster.live}
    return apart > SAME_MOVE_PERCENT and told.signal.told_at.date() not in told_days


def _has_gap(cluster: Cluster, told: Told) -> bool:
    if told.at - cluster.last <= OUTAGE_GAP_SECONDS:
        return False
    if told.happened % DAY_SECONDS == 0:  # a date without a time says nothing about hours
        return True
    return all(abs(told.happened - at) > OUTAGE_GAP_SECONDS for at in cluster.happened if at % DAY_SECONDS)


def _is_retold(cluster: Cluster, told: Told) -> bool:
    """Whether a text without an hour tells the outage in the words of those before: the next day's papers."""
    has_hour = told.signal.claimed_at is not None and told.happened % DAY_SECONDS != 0
    return not has_hour and _most_alike(told, [cluster]) is not None


def _nearest(told: Told, clusters: Sequence[Cluster]) -> Cluster:
    if len(clusters) == 1:  # nearly always, and the dates of a large event are many
        return clusters[0]
    return min(clusters, key=lambda c: (min(abs(told.happened - at) for at in c.happened), -c.last, -c.first))


def _by_object(told: Told, near: Sequence[Cluster]) -> Cluster | None:
    if not told.key.words:
        return _null(told, near)
    if told.signal.type in ACTS:
        return _by_authority(told, near)
    found, is_named = _by_words(told, near)
    if is_named:
        return found or _most_alike(told, [c for c in near if is_same_name(c.words, told.key.words)])
    fresh = _unnamed(told, near)
    return _most_alike(told, fresh) or _single(near, fresh)


def _by_authority(told: Told, near: Sequence[Cluster]) -> Cluster | None:
    """Return the act of this authority that is meant: told in the same words, or of these days.

    An act told without its authority is completed by a telling in the same words that names it.
    """
    same = [c for c in near if c.words == told.key.words]
    fresh = _unnamed(told, near)
    days = [c for c in same if told.at - c.last <= SAME_ACT_SECONDS]
    return _most_alike(told, [*same, *fresh]) or (_nearest(told, days) if days else _single(near, fresh))


def _unnamed(told: Told, near: Sequence[Cluster]) -> list[Cluster]:
    """Return the events without an object that a name may still complete."""
    return [c for c in near if not c.words and told.at - c.last <= NAMING_SECONDS]


def _by_words(told: Told, near: Sequence[Cluster]) -> tuple[Cluster | None, bool]:
    """Return the event of that object, and whether names decide; two partial matches decide for none."""
    exact = [c for c in near if c.words == told.key.words]
    if exact:
        return _nearest(told, exact), True
    part = [c for c in near if is_same_name(c.words, told.key.words)]
    if part:
        return (part[0] if len(part) == 1 else None), True
    return None, False


def _null(told: Told, near: Sequence[Cluster]) -> Cluster | None:
    """Return the event that a Signal without object means.

    That of its own text; else the one told in the same words; else the only one open, if it is news.
    """
    of_text = [c for c in near if told.text_id in c.texts]
    if len(of_text) == 1:
        return of_text[0]
    return _most_alike(told, near) or _single(near, [c for c in near if told.at - c.last <= NEWS_SECONDS])


def _most_alike(told: Told, clusters: Sequence[Cluster]) -> Cluster | None:
    """Return the event told in the Signal's words; the first one on a tie."""
    best: tuple[float, Cluster | None] = (ALIKE, None)
    for cluster in clusters:
        likeness = cluster.wording.likeness(told.words, seconds=told.at - cluster.last)
        if likeness > best[0]:
            best = (likeness, cluster)
    return best[1]


def _single(near: Sequence[Cluster], chosen: Sequence[Cluster]) -> Cluster | None:
    """Return the one event that is open, if it is among the chosen."""
    established = _established(near)
    return established[0] if len(established) == 1 and established[0] in chosen else None


def _by_person(told: Told, near: Sequence[Cluster]) -> Cluster | None:
    if told.key.words:
        found, is_sure = _by_words(told, near)
        return found if is_sure else _nameless(told, near)
    if told.key.role is None:
        nameless = [c for c in near if not c.words]
        return _single(near, near) or (nameless[0] if len(nameless) == 1 else None)
    same = [c for c in near if told.key.role in c.roles]
    if len(same) > 1:
        same = [c for c in same if not c.words]
    if same:
        return same[0] if len(same) == 1 else None
    established = _established(near)
    return established[0] if len(established) == 1 and not established[0].roles else None


def _nameless(told: Told, near: Sequence[Cluster]) -> Cluster | None:
    """Return the event told so far by role only that this named person's Signal completes."""
    role = told.key.role
    same = [c for c in near if not c.words and role is not None and role in c.roles]
    if same:
        return same[0] if len(same) == 1 else None
    established = _established(near)
    if len(established) != 1 or established[0].words:
        return None
    return established[0] if role is None or not established[0].roles else None


def _established(clusters: Sequence[Cluster]) -> Sequence[Cluster]:
    """Return the clusters that are events already; where there is none, those that still wait."""
    return [c for c in clusters if c.is_established] or clusters
