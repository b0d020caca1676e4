"""Cut an article into segments: boilerplate dropped, undeclared digests split into their entries."""
# ruff: noqa: RUF001 - the marks of many scripts are what is read here

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from riskwatch.detect.mask import is_headline
from riskwatch.detect.packs import Pack

MIN_ENTRIES = 3
MIN_SUBJECTS = 2
MIN_ENTRY_SHARE = 0.5  # of the text that lies in entries of a list
LEAD_CHARS = 80  # of an entry, where its subject stands
MAX_HEAD_CHARS = 80
MIN_CLAUSES = 3  # of a headline that lists several
MIN_CLAUSE_WORDS = 3
HEAD_END = tuple(".!?:;,。！？；：，")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one field that is read together; spans are in characters of the field."""

    field: str  # title or body
    spans: tuple[tuple[int, int], ...]
    is_digest: bool = False


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    text: str


def split_body(text: str, *, pack: Pack, leads: Callable[[int, int], frozenset[str]]) -> tuple[Segment, ...]:
    """Split the body.

    Args:
        text: The body.
        pack: The language.
        leads: Returns the companies named in a span of the body.
    """
    lines = _kept(_lines(text), pack=pack)
    if not lines:
        return ()
    entries = _entries(lines, pack=pack, leads=leads)
    if not entries:
        return (Segment("body", _joined(lines)),)
    return tuple(Segment("body", _joined(entry), is_digest=True) for entry in entries)


def split_title(text: str) -> Segment:
    """Cut a headline that only lists others ("A Does X, B Ends Y, and C Warns Z") into its clauses."""
    clauses = text.split(", ")
    is_list = len(clauses) >= MIN_CLAUSES and is_headline(text) and all(map(_is_clause, clauses))
    spans: list[tuple[int, int]] = []
    at = 0
    for piece in clauses if is_list else [text]:
        spans.append((at, at + len(piece)))
        at += len(piece) + len(", ")
    return Segment("title", tuple(spans))


def _is_clause(words: str) -> bool:
    words = words.removeprefix("and ")
    return len(words.split()) >= MIN_CLAUSE_WORDS and not words.split()[0].islower()


def _lines(text: str) -> list[_Line]:
    lines: list[_Line] = []
    at = 0
    for piece in text.split("\n"):
        lines.append(_Line(at, at + len(piece), piece))
        at += len(piece) + 1
    return lines


def _kept(lines: Sequence[_Line], *, pack: Pack) -> list[_Line]:
    kept: list[_Line] = []
    length = lines[-1].end if lines else 0
    for line in lines:
        words = line.text.strip()
        # a tail heading near the start would swallow the article
        if words and line.start > length // 3 and pack.words["boilerplate_tail"].hits(words):
            break
        if words and not pack.words["boilerplate_line"].hits(words):
            kept.append(line)
    return kept


def _joined(lines: Sequence[_Line]) -> tuple[tuple[int, int], ...]:
    spans: list[tuple[int, int]] = []
    for line in lines:
        if spans and line.start <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], line.end)
        else:
            spans.append((line.start, line.end))
    return tuple(spans)


def _entries(
    lines: Sequence[_Line], *, pack: Pack, leads: Callable[[int, int], frozenset[str]]
) -> list[list[_Line]]:
    bullets = [pack.words["bullet"].hits(line.text) for line in lines]
    heads = [_is_head(line) for line in lines]
    # a head is followed by its block
    blocks = [head and not following for head, following in zip(heads, [*heads[1:], True], strict=True)]
    for starts in (bullets, blocks):
        entries = _grouped(lines, starts)
        if _differ(entries, lines, leads):
            return [entry for entry in entries if entry]
    return []


def _grouped(lines: Sequence[_Line], starts: Sequence[bool]) -> list[list[_Line]]:
    """Group lines into entries; what stands before the first one is an entry of its own, at number 0."""
    entries: list[list[_Line]] = [[]]
    for line, is_start in zip(lines, starts, strict=True):
        if is_start:
            entries.append([line])
        else:
            entries[-1].append(line)
    return entries


def _is_head(line: _Line) -> bool:
    words = line.text.strip()
    return 0 < len(words) <= MAX_HEAD_CHARS and not words.endswith(HEAD_END)


def _differ(
    entries: Sequence[Sequence[_Line]], lines: Sequence[_Line], leads: Callable[[int, int], frozenset[str]]
) -> bool:
    bodies = entries[1:]
    if len(bodies) < MIN_ENTRIES:
        return False
    covered = sum(line.end - line.start for entry in bodies for line in entry)
    if covered < MIN_ENTRY_SHARE * sum(line.end - line.start for line in lines):
        return False
    subjects = [leads(entry[0].start, min(entry[0].end, entry[0].start + LEAD_CHARS)) for entry in bodies]
    led = [names for names in subjects if names]
    return (
        len(led) >= MIN_ENTRIES
        and len(frozenset().union(*led)) >= MIN_SUBJECTS
        and not frozenset.intersection(*led)
    )
