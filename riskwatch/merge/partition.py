"""The fold over the touched partitions of one vendor, and what follows for the vendor's other events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from riskwatch.merge import background, closing
from riskwatch.merge import verdicts as judged
from riskwatch.merge.copies import voices
from riskwatch.merge.event import fold, tell
from riskwatch.merge.identity import keep_ids
from riskwatch.merge.resolve import resolve
from riskwatch.merge.story import tell_stories

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from riskwatch.merge.likeness import CommonWords
    from riskwatch.merge.weights import Weights
    from riskwatch.model import ArticleBrief, Event, Signal, Story, Taxonomy, Verdict

DEFAULT_WINDOW_DAYS = 30  # of a type that the taxonomy does not know


@dataclass(frozen=True, slots=True)
class Merged:
    """What a fold leaves: events of the folded types, other events that changed with them, all stories."""

    events: tuple[Event, ...]  # by (occurred_at, id)
    stories: tuple[Story, ...]  # all current ones of the vendor, by id


def merge(  # noqa: PLR0913 - the stage's one door: everything is an argument
    signals: Sequence[Signal],
    *,
    vendor: str,
    types: Collection[str],
    known: Sequence[Event],
    briefs: Mapping[str, ArticleBrief],
    taxonomy: Taxonomy,
    new_id: Callable[[], str],
    weights: Weights,
    words: CommonWords,
    verdicts: Sequence[Verdict] = (),
) -> Merged:
    """Fold all Signals of a vendor's partitions again and return what is known then.

    Args:
        signals: All Signals of the vendor and `types` that are not superseded; others are ignored.
        vendor: Vendor id.
        types: Event types to fold; a stored event of one of them without a Signal left is withdrawn.
        known: All stored events of the vendor; Verdicts on merged-away ones among them go to the heir.
        briefs: Article id -> brief, at least of the Signals' Articles.
        taxonomy: Event types; `merge_window_days` are days.
        new_id: Makes an id for a new event or story.
        weights: Credibility, shares 0 to 1.
        words: What common words say.
        verdicts: The Verdicts on the vendor's events.

    Returns:
        The events of `types`, swallowed and withdrawn ones too; then known ones of other types whose story,
        `closes` or `closed_at` changed. `recorded_at` is None on all: the store gives it.
    """
    wanted = frozenset(types)
    mine = [
        s
        for s in signals
        if s.vendor == vendor and s.type in wanted and s.family not in weights.silent_families
    ]
    standing = [event for event in known if event.merged_into is None]
    folded: list[Event] = []
    for type_ in sorted(wanted):
        told_of = [s for s in mine if s.type == type_]
        spoken = voices(told_of, briefs)  # copies within the partition: no other fold matters
        ordered = tell(told_of, spoken, words)
        entry = taxonomy.get(type_)
        window_days = entry.merge_window_days if entry else DEFAULT_WINDOW_DAYS
        clusters = fold(ordered, type_=type_, window_days=window_days)
        made = [resolve(cluster, vendor=vendor, weights=weights) for cluster in clusters]
        stored = [event for event in standing if event.type == type_]
        made = keep_ids(made, stored, window=timedelta(days=window_days), new_id=new_id)
        folded += background.link(made, (one.signal for one in ordered))
    others = [event for event in standing if event.type not in wanted]
    heirs = {e.id: e.merged_into for e in (*known, *folded) if e.merged_into is not None}
    decided = judged.by_event(verdicts, heirs)
    folded = [judged.apply(event, decided.get(event.id, ())) for event in folded]
    linked = closing.link([*folded, *others])
    linked = [judged.apply_closing(event, decided.get(event.id, ())) for event in linked]
    told, stories = tell_stories(linked, vendor=vendor, new_id=new_id)
    before = {event.id: event for event in others}
    changed = [
        replace(e, recorded_at=None) if e.recorded_at is not None else e
        for e in told
        if e.id not in before or (e is not before[e.id] and e != before[e.id])
    ]
    return Merged(tuple(sorted(changed, key=lambda e: (e.occurred_at, e.id))), stories)
