"""One Subject: figure, reasons that add up, history, factors, evidence, what-if."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from werkzeug.datastructures import MultiDict

from riskwatch.errors import Invalid, NotFound
from riskwatch.model import Event, EventState, subjects_of, vendor_of
from riskwatch.serve import present
from riskwatch.serve.board import trend_of, value_at
from riskwatch.serve.context import Reading
from riskwatch.serve.pages.chart import history_of, marks_of, span_of
from riskwatch.serve.pages.frame import Asked, asked_of
from riskwatch.serve.pages.ledger import beside, ledger, shares
from riskwatch.serve.route import Desk

SCORE_DAYS_BEFORE = 7
RECORDED = 12  # events that a page lists of a Subject that is not rated
MOST_DROPPED = 20
MOST_STEPS = 5


def show(
    desk: Desk, arguments: MultiDict[str, str], vendor: str, line: str | None = None
) -> tuple[str, Mapping[str, Any]]:
    """Return the page of a vendor or a line."""
    found = desk.config.vendors.get(vendor)
    if found is None or not found.watched:
        raise NotFound("vendor", vendor)
    if line is not None and line not in found.lines:
        raise NotFound("line", f"{vendor}/{line}")
    subject = vendor if line is None else f"{vendor}/{line}"
    asked, span = asked_of(arguments), span_of(arguments.get("span"))
    reading = desk.actions.read(subject, as_of=asked.as_of, known_at=asked.known_at)
    board = desk.boards.newest() if asked.instant is None else desk.boards.as_given(asked.instant)
    history = board.history.get(subject, ())
    told = present.explanation(
        reading.score,
        reading.events,
        desk.config.taxonomy,
        name=present.name_of(subject, desk.config.vendors),
        trend=trend_of(reading.score, history),
    )
    week_ago = reading.score.as_of - timedelta(days=SCORE_DAYS_BEFORE)
    events = {
        id_: {**present.event(e, desk.config.taxonomy[e.type]), "outlets": outlets_of(e)}
        for id_, e in reading.events.items()
    }
    eases = _eases(told, events)
    return "vendor.html", {
        "told": told,
        "profile": present.vendor_profile(found, board.summaries),
        "line": None if line is None else present.line_profile(found, line),
        "subjects": [_tab(desk, s, told, board.summaries) for s in subjects_of(found)],
        "ledger": ledger(told),
        "company": None if line is None else _company(desk, vendor, asked),
        "eases": eases,
        "events": events,
        "conflicts": _conflicts(told, events),
        "steps": _steps(desk, told),
        "recorded": [] if told["score"] is not None else _recorded(reading, events, subject),
        "was": value_at(history, week_ago),
        "was_on": present.instant(week_ago),
        "factors": _factors(desk, told),
        "rated_from": desk.config.methodology["not_rated"]["confidence_below"],
        "chart": history_of(
            desk, subject, reading, asked=asked, span=span, marks=marks_of(told["contributions"], eases)
        ),
        "span": span,
        "what_if": _what_if(desk, subject, asked, arguments.getlist("without"), told),
        "asked": asked,
        "as_of": told["as_of"],
        "json": f"/v1/vendors/{vendor}/{'' if line is None else f'lines/{line}/'}explain",
        "here": "overview",
    }


def _tab(
    desk: Desk, subject: str, told: present.Plain, summaries: Mapping[str, present.Plain]
) -> present.Plain:
    row = told if subject == told["subject"] else summaries.get(subject)
    return {
        "href": f"/vendors/{subject}",
        "name": present.name_of(subject, desk.config.vendors),
        "is_line": "/" in subject,
        "is_here": subject == told["subject"],
        "grade": row["grade"] if row else "NR",
        "score": row["score"] if row else None,
    }


def _company(desk: Desk, vendor: str, asked: Asked) -> present.Plain:
    """Return the points that the company loses for the same events."""
    reading = desk.actions.read(vendor, as_of=asked.as_of, known_at=asked.known_at)
    return beside(
        present.explanation(
            reading.score, {}, desk.config.taxonomy, name=present.name_of(vendor, desk.config.vendors)
        )
    )


def _eases(told: present.Plain, events: Mapping[str, present.Plain]) -> list[present.Plain]:
    """Return the events that ease others, with the numbers of those in the ledger."""
    found: dict[str, list[str]] = {}
    for number, part in enumerate(told["contributions"], start=1):
        for id_ in part["relieved_by"]:
            found.setdefault(id_, []).append(f"{number} by {part['relief'] * 100:.1f} %")
    return [
        {**events[id_], "eases": " and ".join(eased)} for id_, eased in sorted(found.items()) if id_ in events
    ]


def _conflicts(told: present.Plain, events: Mapping[str, present.Plain]) -> list[present.Plain]:
    """Return the dates in force with those stated and not used, for events of the ledger."""
    return [
        {"number": number, "event": events[part["event"]], "quote": quote_of(events[part["event"]])}
        for number, part in enumerate(told["contributions"], start=1)
        if part["event"] in events and events[part["event"]]["date_conflicts"]
    ]


def _steps(desk: Desk, told: present.Plain) -> list[present.Plain]:
    """Return the next steps for what takes most points: two of the first reason, one of each other."""
    steps: dict[str, present.Plain] = {}
    for place, part in enumerate(told["contributions"]):
        wanted = desk.config.playbooks.get(part["type"], ())[: 2 if place == 0 else 1]
        for step in wanted:
            reason = {"step": step, "heading": part["heading"], "points": part["printed_points"]}
            steps.setdefault(step, reason)
    return list(steps.values())[:MOST_STEPS]


def quote_of(event: present.Plain) -> present.Plain | None:
    """Return the claim that states the day in force, if one does."""
    day = event["occurred_at"][:10]
    stated = [c for c in event["claims"] if c["claimed_at"] and c["claimed_at"][:10] == day and c["quote"]]
    return stated[0] if stated else None


def outlets_of(event: Event) -> list[tuple[str, str | None]]:
    """Return who tells an event, each outlet once with the instant it told it first."""
    first: dict[str, str | None] = {}
    for claim in event.claims:
        first.setdefault(claim.publisher, present.instant(claim.told_at))
    return list(first.items())


def _recorded(reading: Reading, events: Mapping[str, present.Plain], subject: str) -> list[present.Plain]:
    """Return what is on record of a Subject that is not rated, newest first."""
    homes = {subject, vendor_of(subject)} if "/" in subject else None
    found: list[Event] = sorted(
        (
            e
            for e in reading.events.values()
            if e.state is EventState.LIVE and (homes is None or e.home in homes)
        ),
        key=lambda e: (e.occurred_at, e.id),
        reverse=True,
    )
    return [events[e.id] for e in found[:RECORDED]]


def _factors(desk: Desk, told: present.Plain) -> list[present.Plain]:
    """Return what each factor takes, largest first, with shares by assertion and its source classes."""
    needed = desk.config.methodology["confidence"]["required_classes"]
    gaps = set(told["coverage_gaps"])
    rows = []
    for factor in told["factors"]:
        classes = needed.get(factor["factor"], ())
        rows.append(
            {
                **factor,
                "shares": shares(factor, told["contributions"]),
                "late": [name for name in classes if name in gaps],
                "fresh": [name for name in classes if name not in gaps],
            }
        )
    return sorted(rows, key=lambda row: -row["points"])


def _what_if(
    desk: Desk, subject: str, asked: Asked, without: Sequence[str], told: present.Plain
) -> present.Plain | None:
    """Return the score as it is and without some events; None where nothing was asked. Raises Invalid."""
    drop = list(dict.fromkeys(id_ for id_ in without if id_))
    if not drop:
        return None
    headings = {part["event"]: part["heading"] for part in told["contributions"]}
    if len(drop) > MOST_DROPPED or any(id_ not in headings for id_ in drop):
        raise Invalid("without", "names no event that takes a point from this score")
    if asked.known_at is not None:
        raise Invalid("without", "works with what is known today: leave `known_at` out")
    before, after = desk.actions.what_if(subject, as_of=asked.as_of, drop=drop, add=())
    return {
        "without": drop,
        "headings": [headings[id_] for id_ in drop],
        "before": present.summary(before.score, name=told["name"]),
        "after": present.summary(after.score, name=told["name"]),
    }
