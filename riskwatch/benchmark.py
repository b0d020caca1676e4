"""Outside benchmarks: event sentences of SENTiVENT, CASIE and SentiFM → how well rules find them.

Vendor-free: every company that the texts name stands in for a vendor, since these sets know none of ours.
Texts are read as whole documents where the set has documents, and judged by sentence, as the published
figures are. A third of the documents, by hash, is set aside; rules are never read against that part.
"""

from __future__ import annotations

import ast
import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskwatch.benchmark_companies import named
from riskwatch.errors import Invalid
from riskwatch.evaluate import Tally
from riskwatch.model import Article, Detection, Signal, Vendor

if TYPE_CHECKING:
    from riskwatch.detect import Ruleset

PARTS = ("aside", "read", "all")
ASIDE_OF = 3  # one document in three is set aside
UNDATED = datetime(2017, 7, 1, tzinfo=UTC)  # SENTiVENT and SentiFM give no dates
FLAWS = frozenset({"exploited_flaw", "disclosed_flaw"})
SPACED = (  # how the sets part their words, and how they were printed
    (" ' s", "'s"), (" 's", "'s"), (" n't", "n't"), ("` ` ", '"'), ("`` ", '"'), (" ' '", '"'), (" ''", '"'),
    (" - - ", " \u2013 "), (" -- ", " \u2013 "), (" - ", "-"), (" ,", ","), (" .", "."), (" ;", ";"),
    (" :", ":"), (" %", "%"), ("$ ", "$"), ("( ", "("), (" )", ")"), (" ?", "?"), (" !", "!"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """A sentence of a document: where it stands, and the classes that its readers gave it."""

    field: str  # title, body
    start: int  # offset in the field, in characters
    end: int
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Document:
    """One text of a benchmark."""

    article: Article
    sentences: tuple[Judged, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A class of the benchmark and what counts as finding it."""

    name: str
    labels: frozenset[str]
    types: frozenset[str]
    published: float | None = None  # F1 of the published model on the same class
    live_only: bool = False
    is_flaw: bool | None = None  # whether the signal must be of a flaw; None: either

    def finds(self, signal: Signal) -> bool:
        """Return whether a signal counts as finding this class."""
        return (
            signal.type in self.types
            and (signal.assertion.is_live or not self.live_only)
            and self.is_flaw in (None, signal.attributes.get("kind") in FLAWS)
        )


def _row(name: str, labels: str, types: str, published: float | None = None, **rest: bool | None) -> Row:
    return Row(name, frozenset(labels.split()), frozenset(types.split()), published, **rest)  # type: ignore[arg-type] # the two flags


ROWS: Mapping[str, tuple[Row, ...]] = {
    "sentivent": (
        _row("SecurityValue", "SecurityValue", "share_drop share_gain", 0.77),
        _row("SecurityValue.Decrease", "SecurityValue.Decrease_SecurityValue", "share_drop"),
        _row("SecurityValue.Increase", "SecurityValue.Increase_SecurityValue", "share_gain"),
        _row("Merger/Acquisition", "Merger/Acquisition", "acquisition", 0.84),
        _row("Employment.End", "Employment.End", "leadership_exit talent_exodus layoffs"),
        _row("Employment.Start", "Employment.Start", "leadership_appointment"),
        _row("Employment", "Employment", "leadership_exit talent_exodus layoffs leadership_appointment",
             0.77),
        _row("Legal.Proceeding", "Legal.Proceeding", "lawsuit"),
        _row("Legal.Conviction/Settlement + Acquit", "Legal.Conviction/Settlement Legal.Acquit",
             "legal_resolution adverse_ruling"),
        _row("Legal", "Legal", "lawsuit legal_resolution adverse_ruling", 0.33),
        _row("Financing", "Financing", "funding", 0.81),
        _row("Deal", "Deal", "partnership", 0.69),
        _row("Product/Service.Launch", "Product/Service.Launch", "product_release"),
        _row("Product/Service.Cancellation/Recall", "Product/Service.Cancellation/Recall", "deprecation"),
    ),
    "casie": (
        _row("Databreach + Ransom", "Databreach Ransom", "security_breach", is_flaw=False),
        _row("Databreach + Ransom, actual", "Databreach/Actual Ransom/Actual", "security_breach",
             is_flaw=False, live_only=True),
        _row("Discover + PatchVulnerability", "DiscoverVulnerability PatchVulnerability", "security_breach",
             is_flaw=True),
        _row("any event", "Databreach Ransom Phishing DiscoverVulnerability PatchVulnerability",
             "security_breach", 0.882),
    ),
    "sentifm": (
        _row("MergerAcquisition", "MergerAcquisition", "acquisition", 0.75),
        _row("Debt", "Debt", "financial_distress"),
    ),
}  # fmt: skip


# -------------------------------------------------------------------------------- readers
def read(name: str, path: Path, ruleset: Ruleset, *, part: str = "aside") -> list[Document]:
    """Return the documents of one part of a benchmark. Raises Invalid for a file of another format.

    Args:
        name: sentivent, casie or sentifm.
        path: sentivent_train.tsv, sentifm_train.json, or the folder of CASIE's JSON files.
        ruleset: Its English splitter cuts CASIE's texts into sentences.
        part: aside (a third, by hash), read (the rest), all.
    """
    try:
        documents = list(_READERS[name](path, ruleset))
    except (OSError, KeyError, ValueError, SyntaxError, TypeError) as error:
        raise Invalid("path", f"{path} is not in the format of {name}: {error!r}") from error
    if not documents:
        raise Invalid("path", f"{path} holds no text of {name}")
    return [one for one in documents if part == "all" or (part == "aside") == is_aside(one.article.guid)]


def is_aside(guid: str) -> bool:
    """Return whether a document belongs to the third that is set aside."""
    return int(hashlib.sha256(guid.encode()).hexdigest(), 16) % ASIDE_OF == 0


def _sentivent(path: Path, _ruleset: Ruleset) -> Iterator[Document]:
    texts: dict[str, list[tuple[str, frozenset[str]]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            found = ast.literal_eval(row["types_event_unq"]) + ast.literal_eval(row["subtypes_event_unq"])
            texts.setdefault(row["document_id"], []).append((row["text"], frozenset(found)))
    for guid, sentences in texts.items():
        yield _document(guid, sentences)


def _sentifm(path: Path, _ruleset: Ruleset) -> Iterator[Document]:
    whole = json.loads(path.read_text(encoding="utf-8"))
    for text, labels in zip(whole["instances"], whole["labels"], strict=True):
        yield _document(
            hashlib.sha256(text.encode()).hexdigest(),
            [("", frozenset()), (text, frozenset(labels if isinstance(labels, list) else ()))],
        )


def _document(guid: str, sentences: Sequence[tuple[str, frozenset[str]]]) -> Document:
    """Return tokenised sentences as one article; the first is its headline."""
    judged, body = list[Judged](), ""
    title = _joined(sentences[0][0])
    if title:
        judged.append(Judged("title", 0, len(title), sentences[0][1]))
    for words, labels in sentences[1:]:
        text = _joined(words)
        judged.append(Judged("body", len(body), len(body) + len(text), labels))
        body += f"{text}\n"
    return Document(_article(guid, title, body, UNDATED), tuple(judged))


def _joined(words: str) -> str:
    """Return tokenised text as it is printed."""
    for spaced, printed in SPACED:
        words = words.replace(spaced, printed)
    return words.strip()


def _casie(path: Path, ruleset: Ruleset) -> Iterator[Document]:
    for file in sorted(path.glob("*.json")):
        whole = json.loads(file.read_text(encoding="utf-8"))
        text, info = whole["content"], whole["info"]
        at = datetime.strptime(info["date"], "%Y_%m_%d").replace(tzinfo=UTC)
        nuggets = [
            (event["nugget"]["startOffset"], event["nugget"]["endOffset"], event)
            for hopper in whole["cyberevent"]["hopper"]
            for event in hopper["events"]
        ]
        judged = tuple(
            Judged("body", low, high, _casie_labels(nuggets, low, high))
            for low, high in _sentence_spans(text, ruleset)
        )
        yield Document(_article(file.stem, info.get("title"), text, at), judged)


def _casie_labels(
    nuggets: Iterable[tuple[int, int, Mapping[str, Any]]], low: int, high: int
) -> frozenset[str]:
    inside = [event for start, _end, event in nuggets if low <= start < high]
    return frozenset(
        name for event in inside for name in (event["subtype"], f"{event['subtype']}/{event['realis']}")
    )


def _sentence_spans(text: str, ruleset: Ruleset) -> Iterator[tuple[int, int]]:
    raw = text.encode()
    for first, last in ruleset.languages["en"].splitter.spans(raw):
        low = len(raw[:first].decode("utf-8", "ignore"))
        yield low, low + len(raw[first:last].decode("utf-8", "ignore"))


def _article(guid: str, title: str | None, text: str, at: datetime) -> Article:
    return Article(
        "benchmark",
        guid,
        title,
        text,
        None,
        at,
        "en",
        "benchmark",
        "benchmark",
        "3",
        id=guid,
        first_seen_at=at,
    )


_READERS: Mapping[str, Callable[[Path, Ruleset], Iterator[Document]]] = {
    "sentivent": _sentivent,
    "casie": _casie,
    "sentifm": _sentifm,
}


# -------------------------------------------------------------------------------- every company is a vendor
def companies(documents: Sequence[Document], ruleset: Ruleset) -> dict[str, Vendor]:
    """Return the companies that the documents name as vendors, by id."""
    return named(list(_texts(documents)), ruleset)


def _texts(documents: Iterable[Document]) -> Iterator[str]:
    for document in documents:
        for one in document.sentences:
            text = document.article.title if one.field == "title" else document.article.text
            yield (text or "")[one.start : one.end]


# -------------------------------------------------------------------------------- the measuring
@dataclass(slots=True)
class Report:
    """What one run over a benchmark measured."""

    name: str
    part: str
    documents: int
    sentences: int
    tallies: dict[str, Tally]
    ruleset: str = ""  # its digest, or the name of a baseline
    errors: list[Mapping[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the run as one object."""
        published = {row.name: row.published for row in ROWS[self.name]}
        return {
            "benchmark": self.name,
            "part": self.part,
            "documents": self.documents,
            "sentences": self.sentences,
            "ruleset": self.ruleset,
            "classes": {
                name: {**tally.figures(), "published_f1": published[name]}
                for name, tally in self.tallies.items()
            },
        }


def measure(
    name: str,
    documents: Sequence[Document],
    read_by: Callable[[Article], Detection],
    *,
    part: str,
    progress: Callable[[int], object] = lambda _n: None,
) -> Report:
    """Run detection over a benchmark's documents and judge it sentence by sentence.

    Args:
        name: Of the benchmark.
        documents: What was read.
        read_by: The detection stage, with the companies of the texts as its vendors.
        part: Printed with the figures.
        progress: Called with 1 after each document.
    """
    tallies = {row.name: Tally() for row in ROWS[name]}
    report = Report(name, part, len(documents), sum(len(d.sentences) for d in documents), tallies)
    for document in documents:
        signals = read_by(document.article).signals
        for one in document.sentences:
            here = [signal for signal in signals if _stands_in(signal, one)]
            for row in ROWS[name]:
                _judge(report, row, document, one, [signal for signal in here if row.finds(signal)])
        progress(1)
    return report


def _stands_in(signal: Signal, sentence: Judged) -> bool:
    evidence = signal.evidence
    middle = (evidence.start + evidence.end) // 2
    return evidence.field == sentence.field and sentence.start <= middle < sentence.end


def _judge(report: Report, row: Row, document: Document, one: Judged, found: Sequence[Signal]) -> None:
    tally, is_labelled = report.tallies[row.name], bool(row.labels & one.labels)
    tally.right[row.name] += bool(found) and is_labelled
    tally.wrong[row.name] += bool(found) and not is_labelled
    tally.hit[row.name] += is_labelled and bool(found)
    tally.missed[row.name] += is_labelled and not found
    if bool(found) != is_labelled:
        text = (document.article.title if one.field == "title" else document.article.text) or ""
        report.errors.append(
            {
                "kind": "false hit" if found else "miss",
                "id": document.article.guid,
                "class": row.name,
                "labels": sorted(one.labels),
                "rules": sorted({signal.rule for signal in found}),
                "sentence": text[one.start : one.end],
            }
        )
