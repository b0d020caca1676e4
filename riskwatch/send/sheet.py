"""Overflow, digest, system and test Messages → one sheet of headed lines, the same for every channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from riskwatch.model import vendor_of
from riskwatch.send import text
from riskwatch.send.message import (
    Alert,
    DigestLine,
    DigestMessage,
    Links,
    OverflowMessage,
    SystemMessage,
    TestMessage,
)
from riskwatch.send.pages import Pages
from riskwatch.send.render import Action, headed, label
from riskwatch.send.text import SafeText

SheetMessage = OverflowMessage | DigestMessage | SystemMessage | TestMessage
_STALE = 5  # stale sources named


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One line: who, what, points."""

    name: str
    words: str
    points: str
    url: str


@dataclass(frozen=True, slots=True)
class Section:
    """Lines under one heading, and how many more there are."""

    heading: str
    lines: tuple[SheetLine, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """A Message without scores of its own."""

    label: str  # Weekly digest
    title: str  # 2 incidents are firing, 3 events
    subject: str  # of the mail, without the mark of the product
    intro: tuple[str, ...]
    sections: tuple[Section, ...]
    closing: tuple[str, ...]  # coverage, period, as of
    action: Action | None
    why: str  # what the recipient receives


def sheet(message: SheetMessage, links: Links, *, rows: int) -> Sheet:
    """Return the Message in words, with at most `rows` lines in a section."""
    pages = Pages(links.base_url)
    if isinstance(message, DigestMessage):
        return _digest(message, pages, rows)
    if isinstance(message, OverflowMessage):
        return _overflow(message, pages, rows)
    return _system(message, pages, rows) if isinstance(message, SystemMessage) else _test(message, pages)


# -------------------------------------------------------------------------------- digest
def coverage(message: DigestMessage) -> str:
    """Return how well it was watched: `12 of 12 vendors scored; 41 of 43 sources fresh; 2 stale: …`."""
    stale = [SafeText(source, 60) for source in message.stale_sources]
    told = (
        f"{message.vendors_scored:,} of {message.vendors_total:,} vendors scored; "
        f"{message.sources_fresh:,} of {message.sources_total:,} sources fresh"
    )
    if not stale:
        return f"{told}."
    named = ", ".join(stale[:_STALE]) + (f" and {len(stale) - _STALE:,} more" if len(stale) > _STALE else "")
    return f"{told}; {len(stale):,} stale: {named}."


def _digest(message: DigestMessage, pages: Pages, rows: int) -> Sheet:
    parts = (
        ("Firing incidents", message.firing),
        ("Changes of grade", message.grade_changes),
        ("Events", message.events),
        ("Rumours", message.rumours),
        ("Could not be delivered", message.expired),
    )
    counts = _digest_counts(message)
    title = text.capital(text.listed(counts)) if counts else _nothing(message)
    window = (
        f"{text.instant(message.window_start_at, message.zone)} to "
        f"{text.instant(message.window_end_at, message.zone)}, time zone {message.zone}"
    )
    return Sheet(
        label=SafeText(message.name, 60),
        title=title,
        subject=f"{SafeText(message.name, 30)}: {text.listed(counts[:3]) or _uncapital(title)}",
        intro=() if counts else (coverage(message),),
        sections=tuple(_section(heading, lines, pages, rows) for heading, lines in parts if lines),
        closing=(
            *((f"Coverage: {coverage(message)}",) if counts else ()),
            f"Period {window}",
            f"as of {text.instant(message.as_of, message.zone)}",
        ),
        action=_open("Open the overview", pages.of("")),
        why="digests",
    )


def _digest_counts(message: DigestMessage) -> list[str]:
    counts = (
        (len(message.firing), "incident firing", "incidents firing"),
        (len(message.grade_changes), "change of grade", "changes of grade"),
        (len(message.events), "event", "events"),
        (len(message.rumours), "rumour", "rumours"),
        (len(message.expired), "message not delivered", "messages not delivered"),
    )
    return [text.count(number, one, many) for number, one, many in counts if number]


def _nothing(message: DigestMessage) -> str:
    """Return what an empty digest says; on stale input never that all is quiet."""
    if message.sources_total and not message.sources_fresh:
        return "Nothing can be said: no source is fresh"
    return "No changes"


def _section(heading: str, lines: Sequence[DigestLine], pages: Pages, rows: int) -> Section:
    return Section(
        heading=heading,
        lines=tuple(
            SheetLine(
                name=SafeText(line.subject_name, 80),
                words=SafeText(line.text),
                points="" if line.points is None else text.signed(line.points),
                url=_line_url(line, pages),
            )
            for line in lines[:rows]
        ),
        more=max(len(lines) - rows, 0),
    )


def _line_url(line: DigestLine, pages: Pages) -> str:
    if line.event_id:
        return pages.of("events", line.event_id)
    return pages.of("alerts") if line.incident_id else pages.of("vendors", *line.subject.split("/"))


# -------------------------------------------------------------------------------- alerts told as a list
def alert_lines(alerts: Sequence[Alert], pages: Pages, rows: int) -> Section:
    """Return one line for each Alert, in the order given."""
    return Section(
        heading="The gravest",
        lines=tuple(
            SheetLine(
                name=headed(alert),
                words=f"{SafeText(alert.headline, 160)} · {label(alert)}",
                points="",
                url=pages.subject(alert),
            )
            for alert in alerts[:rows]
        ),
        more=max(len(alerts) - rows, 0),
    )


def alerts_over(alerts: Sequence[Alert]) -> str:
    """Return `3 alerts over 2 vendors`."""
    vendors = len({vendor_of(alert.subject) for alert in alerts if alert.rule_kind != "staleness"})
    told = text.count(len(alerts), "alert")
    return f"{told} over {text.count(vendors, 'vendor')}" if vendors else told


def alerts_sheet(alerts: Sequence[Alert], pages: Pages) -> Sheet:
    """Return several Alerts with a line each, where there is no room for more."""
    told = alerts_over(alerts)
    return Sheet(
        label="Several alerts at once",
        title=told,
        subject=told,
        intro=(),
        sections=(alert_lines(alerts, pages, len(alerts)),),
        closing=(f"as of {text.instant(max(alert.as_of for alert in alerts))}",),
        action=_open("Open all alerts", pages.of("alerts")),
        why="alerts",
    )


def _overflow(message: OverflowMessage, pages: Pages, rows: int) -> Sheet:
    told = f"{text.count(message.total, 'alert')} over {text.count(message.vendors, 'vendor')}"
    gravest = alert_lines(message.gravest, pages, min(rows, 10))
    left = message.total - len(gravest.lines)
    return Sheet(
        label="Many alerts at once",
        title=told,
        subject=told,
        intro=(
            f"By severity: {_tally(message.by_severity)}. By step: {_tally(message.by_step)}.",
            f"They are told as one message: the {len(gravest.lines)} gravest, {left:,} more on the page.",
        ),
        sections=(Section(gravest.heading, gravest.lines, left),),
        closing=tuple(f"as of {text.instant(alert.as_of)}" for alert in message.gravest[:1]),
        action=_open("Open all alerts", pages.of("alerts")),
        why="alerts",
    )


def _tally(counts: Mapping[str, int]) -> str:
    return text.listed([f"{number:,} {SafeText(name, 30)}" for name, number in counts.items() if number])


# -------------------------------------------------------------------------------- riskwatch itself
def _system(message: SystemMessage, pages: Pages, rows: int) -> Sheet:
    lines = tuple(SafeText(line) for line in message.lines)
    more = len(lines) - rows
    return Sheet(
        label="riskwatch itself",
        title=SafeText(message.title),
        subject=SafeText(message.title),
        intro=(*lines[:rows], *((f"and {more:,} more",) if more > 0 else ())),
        sections=(),
        closing=(f"as of {text.instant(message.as_of)}",),
        action=_open("Open the alerts page", pages.of("alerts")),
        why="messages about riskwatch itself",
    )


def _test(message: TestMessage, pages: Pages) -> Sheet:
    receiver = SafeText(message.receiver_id, 60)
    return Sheet(
        label="TEST",
        title="TEST: this receiver can be reached",
        subject=f"TEST: {receiver} can be reached",
        intro=(f"Somebody asked for a test of the receiver {receiver}. No vendor has moved.",),
        sections=(),
        closing=(f"as of {text.instant(message.as_of)}",),
        action=_open("Confirm: send alerts here", pages.of("a", message.proof))
        if message.proof
        else _open("Open the alerts page", pages.of("alerts")),
        why="tests",
    )


def _open(label: str, url: str) -> Action | None:
    return Action(label, url) if url else None


def _uncapital(words: str) -> str:
    return words[:1].lower() + words[1:]
