"""One Subject: figure, reasons that add up, history, factors, evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from riskwatch.errors import NotFound
from riskwatch.model import Event, subjects_of
from riskwatch.serve import present
from riskwatch.serve.board import trend_of, value_at
from riskwatch.serve.context import HistoryRow, Reading
from riskwatch.serve.pages.frame import asked_of
from riskwatch.serve.route import Desk

BACK = timedelta(days=60)
AHEAD_DAYS = (7, 14, 21, 28)
CHART_PIXELS, LANE_PIXELS = 250.0, 21.0
SCORE_DAYS_BEFORE = 7


def show(
    desk: Desk, arguments: Mapping[str, str], vendor: str, line: str | None = None
) -> tuple[str, Mapping[str, Any]]:
    """Return the page of a vendor or a line."""
    found = desk.config.vendors.get(vendor)
    if found is None or not found.watched:
        raise NotFound("vendor", vendor)
    if line is not None and line not in found.lines:
        raise NotFound("line", f"{vendor}/{line}")
    subject = vendor if line is None else f"{vendor}/{line}"
    asked = asked_of(arguments)
    reading = desk.actions.read(subject, as_of=asked.as_of, known_at=asked.known_at)
    board = desk.boards.newest()
    history = board.history.get(subject, ())
    told = present.explanation(
        reading.score,
        reading.events,
        desk.config.taxonomy,
        name=present.name_of(subject, desk.config.vendors),
        trend=trend_of(reading.score, history),
    )
    return "vendor.html", {
        "told": told,
        "profile": present.vendor_profile(found, board.summaries),
        "line": None if line is None else present.line_profile(found, line),
        "subjects": [_tab(desk, s, told, board.summaries) for s in subjects_of(found)],
        "ledger": ledger(told),
        "eases": _eases(desk, told, reading.events),
        "events": {
            c["event"]: present.event(reading.events[c["event"]], desk.config.taxonomy[c["type"]])
            for c in told["contributions"]
            if c["event"] in reading.events
        },
        "was": value_at(history, reading.score.as_of - timedelta(days=SCORE_DAYS_BEFORE)),
        "was_on": present.instant(reading.score.as_of - timedelta(days=SCORE_DAYS_BEFORE)),
        "floors": {f["factor"]: f for f in told["factors"]},
        "chart": _chart(desk, subject, reading, told, is_latest=asked.is_latest),
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


def ledger(told: present.Plain) -> present.Plain:
    """Return the running score: each row's bar spans [left, left + width] on 0 to 100."""
    at = 100.0
    rows = []
    structural = told["structural"]
    for part in ({"points": structural["points"], "event": None}, *told["contributions"]):
        left = max(at - part["points"], 0.0)
        rows.append({"part": part, "left": left, "width": max(at - left, 0.0), "from": at})
        at = left
    printed = [structural["printed_points"], *(c["printed_points"] for c in told["contributions"])]
    return {"rows": rows, "lost": sum(round(p * 10) for p in printed) / 10}


def _eases(desk: Desk, told: present.Plain, events: Mapping[str, Event]) -> list[present.Plain]:
    """Return the events that ease others, with the numbers of those in the ledger."""
    found: dict[str, list[str]] = {}
    for number, part in enumerate(told["contributions"], start=1):
        for id_ in part["relieved_by"]:
            found.setdefault(id_, []).append(f"{number} by {part['relief'] * 100:.1f} %")
    return [
        {**present.event(events[id_], desk.config.taxonomy[events[id_].type]), "eases": " and ".join(eased)}
        for id_, eased in sorted(found.items())
        if id_ in events
    ]


# -------------------------------------------------------------------------------- history
def _chart(
    desk: Desk, subject: str, reading: Reading, told: present.Plain, *, is_latest: bool
) -> present.Plain | None:
    judged = reading.score.as_of
    since = judged - BACK
    rows = list(desk.actions.history(subject, since=since, until=judged, step="day"))
    last = HistoryRow(
        judged, reading.score.points, reading.score.low, reading.score.high, str(reading.score.grade)
    )
    rows = [row for row in rows if row.as_of < judged] + [last]
    ahead: Sequence[HistoryRow] = ()
    if is_latest and told["score"] is not None:
        ahead = desk.actions.project(subject, [judged + timedelta(days=d) for d in AHEAD_DAYS])
    if len(rows) < 2:  # noqa: PLR2004 - no line can be drawn
        return None
    end = ahead[-1].as_of if ahead else judged
    return drawn(rows, ahead, told["contributions"], since=rows[0].as_of, end=end)


def drawn(
    rows: Sequence[HistoryRow],
    ahead: Sequence[HistoryRow],
    contributions: Sequence[present.Plain],
    *,
    since: datetime,
    end: datetime,
) -> present.Plain:
    """Return the history as places: x in percent, y in pixels; a Score holds until the next one."""
    span = (end - since).total_seconds() or 1.0

    def x(at: datetime) -> float:
        return round(100 * (at - since).total_seconds() / span, 3)

    known = [*rows, *ahead]
    steps = [
        _step(row, following, x(row.as_of), x(following.as_of), is_ahead=place >= len(rows) - 1)
        for place, (row, following) in enumerate(pairwise(known))
    ]
    return {
        "steps": steps,
        "judged": x(rows[-1].as_of),
        "y": None if rows[-1].points is None else _y(rows[-1].points),
        "table": [
            {
                "x": x(row.as_of),
                "day": present.instant(row.as_of),
                "score": row.points,
                "grade": row.grade,
                "low": row.low,
                "high": row.high,
                "is_ahead": place >= len(rows),
            }
            for place, row in enumerate(known)
        ],
        "lanes": _lanes(contributions, since, end, x),
        "first": rows[0].points,
        "last": rows[-1].points,
        "ahead": None
        if not ahead
        else {"day": present.instant(ahead[-1].as_of), "score": ahead[-1].points, "near": ahead[0].points},
        "from": present.instant(since),
        "to": present.instant(end),
    }


def _step(
    row: HistoryRow, following: HistoryRow, left: float, right: float, *, is_ahead: bool
) -> present.Plain:
    return {
        "left": left,
        "right": right,
        "width": round(right - left, 3),
        "y": None if row.points is None else _y(row.points),
        "next": None if following.points is None else _y(following.points),
        "top": None if row.points is None or row.high is None else _y(row.high),
        "height": 0.0 if row.low is None or row.high is None else round(_y(row.low) - _y(row.high), 1),
        "is_ahead": is_ahead,
    }


def _y(points: float) -> float:
    return round(CHART_PIXELS * (1 - points / 100), 1)


def _lanes(
    contributions: Sequence[present.Plain],
    since: datetime,
    end: datetime,
    x: Any,  # noqa: ANN401 - local
) -> list[present.Plain]:
    lanes: dict[str, list[present.Plain]] = {}
    for number, part in enumerate(contributions, start=1):
        at = datetime.fromisoformat(part["occurred_at"])
        if since <= at <= end:
            lanes.setdefault(part["factor"], []).append(
                {"x": x(at), "number": number, "assertion": part["assertion"]}
            )
    return [
        {"factor": factor, "y": CHART_PIXELS + 29 + LANE_PIXELS * place, "marks": marks}
        for place, (factor, marks) in enumerate(lanes.items())
    ]
