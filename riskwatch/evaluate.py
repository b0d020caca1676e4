"""Labelled items → how good detection is: precision, recall, assertions, attributes, every error shown.

Definitions are those of the labelling guide: a label is (vendor, type, assertion); close types count as
one another in the lenient figures; a found adverse type close to a non-adverse label counts neither way.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from riskwatch.errors import Invalid
from riskwatch.model import LIVE, Article, Assertion, Detection, Direction, Signal, Taxonomy

CLOSE: tuple[frozenset[str], ...] = tuple(
    frozenset(group.split())
    for group in (
        "government_ban export_control access_suspension regulatory_action",
        "safety_incident security_breach",
        "lawsuit legal_resolution regulatory_action adverse_ruling",
        "licence_opening product_release",
        "leadership_exit talent_exodus leadership_appointment",
        "price_increase compute_shortage",
        "funding acquisition",
        "deprecation vendor_shutdown access_revocation",
    )
)
RESAMPLES, SEED = 1000, 20260305
JUDGED_ATTRIBUTES = ("percent", "count", "person", "destination")


@dataclass(frozen=True, slots=True)
class Label:
    """What a careful reader says of an item."""

    vendor: str | None  # id, or None where the register lacks the name
    name: str
    type: str
    assertion: Assertion
    attributes: Mapping[str, Any]
    evidence: str
    also: frozenset[str]  # other types to accept


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled item."""

    article: Article
    labels: tuple[Label, ...]
    story: str


def label_of(row: Mapping[str, Any], names: Mapping[str, str], taxonomy: Taxonomy) -> Label:
    """Return a label of a labelled item. Raises Invalid for a type outside the taxonomy.

    Args:
        row: vendor, type, status, attrs, evidence, alt?
        names: Lower-case name -> vendor id.
        taxonomy: Event types.
    """
    type_ = str(row["type"])
    if type_ not in taxonomy:
        raise Invalid("type", f"{type_} is no event type of the taxonomy")
    name = str(row["vendor"])
    return Label(
        vendor=names.get(name.lower()),
        name=name,
        type=type_,
        assertion=Assertion(row["status"]),
        attributes=dict(row.get("attrs") or {}),
        evidence=str(row.get("evidence", "")),
        also=frozenset([row["alt"]] if isinstance(row.get("alt"), str) else row.get("alt") or ()),
    )


@dataclass(slots=True)
class Tally:
    """Counts of one story or of all."""

    right: Counter[str] = field(default_factory=Counter)  # found pairs that a label supports, by type
    wrong: Counter[str] = field(default_factory=Counter)
    hit: Counter[str] = field(default_factory=Counter)  # labels that a found pair meets, by type
    missed: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add another tally."""
        for mine, its in zip(self.parts(), other.parts(), strict=True):
            mine.update(its)

    def parts(self) -> tuple[Counter[str], ...]:
        """Return the four counters."""
        return self.right, self.wrong, self.hit, self.missed

    def figures(self, types: Iterable[str] | None = None) -> dict[str, float]:
        """Return precision, recall and F1, shares 0 to 1, over all types or those given."""
        chosen = None if types is None else set(types)
        right, wrong, hit, missed = (
            sum(n for type_, n in part.items() if chosen is None or type_ in chosen) for part in self.parts()
        )
        precision = right / (right + wrong) if right + wrong else 0.0
        recall = hit / (hit + missed) if hit + missed else 0.0
        both = precision + recall
        return {
            "precision": precision,
            "recall": recall,
            "f1": 2 * precision * recall / both if both else 0.0,
            "found": right + wrong,
            "labels": hit + missed,
        }


def close(left: str, right: str) -> bool:
    """Return whether two types are accepted for one another in the lenient figures."""
    return left == right or any(left in group and right in group for group in CLOSE)


def accepts(label: Label, type_: str, *, lenient: bool) -> bool:
    """Return whether a found type meets a label's."""
    return type_ == label.type or (lenient and (type_ in label.also or close(type_, label.type)))


@dataclass(slots=True)
class Report:
    """Everything that one run measured."""

    items: int
    tallies: Mapping[str, Tally]  # adverse_lenient, adverse_strict, live_lenient, live_strict
    intervals: Mapping[str, Mapping[str, tuple[float, float]]]
    assertion: tuple[int, int]  # right, judged
    attribution: tuple[int, int]
    attributes: Mapping[str, tuple[int, int]]
    false_alerts_per_1000: float
    unknown_vendors: tuple[str, ...]
    unjudged_attributes: tuple[str, ...]
    errors: tuple[Mapping[str, Any], ...]
    ruleset: str

    def as_json(self) -> dict[str, Any]:
        """Return the run as one object."""
        return {
            "ruleset": self.ruleset,
            "items": self.items,
            "totals": {
                name: {
                    **tally.figures(),
                    "interval_95": {k: list(v) for k, v in self.intervals[name].items()},
                }
                for name, tally in self.tallies.items()
            },
            "by_type": {
                type_: {name: tally.figures([type_]) for name, tally in self.tallies.items()}
                for type_ in sorted(
                    {t for tally in self.tallies.values() for part in tally.parts() for t in part}
                )
            },
            "assertion_accuracy": _ratio(self.assertion),
            "vendor_attribution": _ratio(self.attribution),
            "attributes": {name: _ratio(pair) for name, pair in self.attributes.items()},
            "false_alerts_per_1000": self.false_alerts_per_1000,
            "unknown_vendors": list(self.unknown_vendors),
            "unjudged_attributes": list(self.unjudged_attributes),
        }


def _ratio(pair: tuple[int, int]) -> dict[str, float]:
    right, judged = pair
    return {"share": right / judged if judged else 0.0, "right": right, "judged": judged}


def evaluate(
    items: Sequence[Item],
    detect: Callable[[Article], Detection],
    *,
    taxonomy: Taxonomy,
    ruleset: str,
    progress: Callable[[int], object] = lambda _n: None,
) -> Report:
    """Run detection over labelled items and measure it.

    Args:
        items: Labelled items; labels whose vendor is None count as misses.
        detect: The detection stage.
        taxonomy: Event types.
        ruleset: Digest of the rules measured.
        progress: Called with 1 after each item.
    """
    desk = _Desk(taxonomy)
    for item in items:
        desk.judge(item, detect(item.article))
        progress(1)
    intervals = {name: _resampled(desk.by_story[name]) for name in desk.by_story}
    totals = {name: _sum(stories.values()) for name, stories in desk.by_story.items()}
    wrong = sum(totals["adverse_lenient"].wrong.values())
    return Report(
        items=len(items),
        tallies=totals,
        intervals=intervals,
        assertion=(desk.assertion[True], desk.assertion.total()),
        attribution=(desk.attribution[True], desk.attribution.total()),
        attributes={name: (c[True], c.total()) for name, c in sorted(desk.attributes.items())},
        false_alerts_per_1000=1000 * wrong / len(items) if items else 0.0,
        unknown_vendors=tuple(sorted(desk.unknown)),
        unjudged_attributes=tuple(sorted(desk.unjudged)),
        errors=tuple(desk.errors),
        ruleset=ruleset,
    )


class _Desk:
    def __init__(self, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self.by_story: dict[str, dict[str, Tally]] = {
            f"{scope}_{how}": {} for scope in ("adverse", "live") for how in ("lenient", "strict")
        }
        self.assertion: Counter[bool] = Counter()
        self.attribution: Counter[bool] = Counter()
        self.attributes: dict[str, Counter[bool]] = {}
        self.unknown: set[str] = set()
        self.unjudged: set[str] = set()
        self.errors: list[Mapping[str, Any]] = []

    def is_adverse(self, type_: str) -> bool:
        return self.taxonomy[type_].direction is Direction.ADVERSE

    def judge(self, item: Item, found: Detection) -> None:
        self.unknown.update(label.name for label in item.labels if label.vendor is None)
        best = _best(found.signals)
        live = [pair for pair, signal in best.items() if signal.assertion.is_live]
        for name, stories in self.by_story.items():
            scope, how = name.split("_")
            adverse, lenient = scope == "adverse", how == "lenient"
            tally = self._pairs(item, live, adverse=adverse, lenient=lenient)
            stories.setdefault(item.story, Tally()).add(tally)
        self._errors(item, best, live)
        self._assertions(item, best)
        self._signals(item, found.signals)

    def _pairs(self, item: Item, live: Sequence[tuple[str, str]], *, adverse: bool, lenient: bool) -> Tally:
        labels = [label for label in item.labels if label.assertion.is_live]
        tally = Tally()
        found = [(v, t) for v, t in live if not adverse or self.is_adverse(t)]
        for vendor, type_ in found:
            meets = [x for x in labels if x.vendor == vendor and accepts(x, type_, lenient=lenient)]
            if not meets:
                tally.wrong[type_] += 1
            elif not adverse or not lenient or any(self.is_adverse(x.type) for x in meets):
                tally.right[type_] += 1  # close to a non-adverse label only: counts neither way
        for label in labels:
            if adverse and not self.is_adverse(label.type):
                continue
            is_met = any(v == label.vendor and accepts(label, t, lenient=lenient) for v, t in found)
            (tally.hit if is_met else tally.missed)[label.type] += 1
        return tally

    def _errors(
        self, item: Item, best: Mapping[tuple[str, str], Signal], live: Sequence[tuple[str, str]]
    ) -> None:
        labels = [label for label in item.labels if label.assertion.is_live]
        for vendor, type_ in live:
            if not any(x.vendor == vendor and accepts(x, type_, lenient=True) for x in labels):
                signal = best[vendor, type_]
                told = {"rule": signal.rule, "route": signal.route, "assertion": str(signal.assertion)}
                self._error("false hit", item, vendor, type_, {**told, "quote": signal.evidence.quote})
        for label in labels:
            if not any(v == label.vendor and accepts(label, t, lenient=True) for v, t in live):
                unlike = [
                    str(s.assertion) for (v, t), s in best.items() if v == label.vendor and t == label.type
                ]
                lost: dict[str, Any] = {
                    "evidence": label.evidence,
                    "label": str(label.assertion),
                    "found_as": unlike,
                }
                self._error("miss", item, label.vendor or label.name, label.type, lost)

    def _error(self, kind: str, item: Item, vendor: str, type_: str, told: Mapping[str, Any]) -> None:
        row = {
            "kind": kind,
            "id": item.article.guid,
            "title": item.article.title,
            "vendor": vendor,
            "type": type_,
        }
        self.errors.append({**row, **told})

    def _assertions(self, item: Item, best: Mapping[tuple[str, str], Signal]) -> None:
        for label in item.labels:
            signal = best.get((label.vendor, label.type)) if label.vendor is not None else None
            if label.vendor is None or signal is None:
                continue
            self.assertion[signal.assertion is label.assertion] += 1
            if signal.assertion is not label.assertion:
                told = {"label": str(label.assertion), "found_as": [str(signal.assertion)]}
                quote = {"rule": signal.rule, "quote": signal.evidence.quote}
                self._error("other assertion", item, label.vendor, label.type, {**told, **quote})

    def _signals(self, item: Item, signals: Sequence[Signal]) -> None:
        for label in item.labels:
            mine = [s for s in signals if (s.vendor, s.type) == (label.vendor, label.type)]
            if mine:
                self._attributes(label, mine)
        typed = {label.type for label in item.labels if label.assertion.is_live}
        for vendor, type_ in {(s.vendor, s.type) for s in signals if s.assertion.is_live}:
            if type_ in typed:
                right = any(x.vendor == vendor and x.type == type_ for x in item.labels)
                self.attribution[right] += 1

    def _attributes(self, label: Label, signals: Sequence[Signal]) -> None:
        for name, value in label.attributes.items():
            if name not in self.taxonomy[label.type].attributes:
                self.unjudged.add(f"{label.type}.{name}")
            elif name in JUDGED_ATTRIBUTES:
                right = any(_agrees(name, value, s.attributes.get(name)) for s in signals)
                self.attributes.setdefault(name, Counter())[right] += 1


def _best(signals: Iterable[Signal]) -> dict[tuple[str, str], Signal]:
    """Return (vendor, type) -> its strongest signal: live before not live, then the surer."""
    best: dict[tuple[str, str], Signal] = {}
    for signal in signals:
        key = (signal.vendor, signal.type)
        if key not in best or _strength(signal) > _strength(best[key]):
            best[key] = signal
    return best


def _strength(signal: Signal) -> tuple[int, float]:
    place = LIVE.index(signal.assertion) + 1 if signal.assertion.is_live else 0
    return place, signal.confidence


def _agrees(name: str, label: object, found: object) -> bool:
    if found is None:
        return False
    if name in ("percent", "count"):
        numbers = _number(label), _number(found)
        return None not in numbers and numbers[0] == numbers[1]
    words = [set(str(value).lower().replace("-", " ").split()) for value in (label, found)]
    return bool(words[0] & words[1])


def _number(value: object) -> float | None:
    text = str(value).lower().replace(",", "").replace("%", "").replace("+", "").strip()
    try:
        return float(text.split()[0]) if text else None
    except ValueError:
        return None


def _sum(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total


def _resampled(stories: Mapping[str, Tally]) -> dict[str, tuple[float, float]]:
    """Return 95 % intervals of precision, recall and F1 by drawing stories with replacement."""
    chance = random.Random(SEED)  # noqa: S311 - resampling
    rows = [tuple(sum(part.values()) for part in tally.parts()) for _, tally in sorted(stories.items())]
    rows = [row for row in rows if any(row)]
    if not rows:
        return {}
    drawn = []
    for _ in range(RESAMPLES):
        sums = [sum(column) for column in zip(*chance.choices(rows, k=len(rows)), strict=True)]
        tally = Tally(*(Counter({"": n}) for n in sums))
        drawn.append(tally.figures())
    low, high = int(0.025 * RESAMPLES), int(0.975 * RESAMPLES) - 1
    return {
        name: (sorted(d[name] for d in drawn)[low], sorted(d[name] for d in drawn)[high])
        for name in ("precision", "recall", "f1")
    }
