"""The overview: who moved, why, and what cannot be said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from riskwatch.errors import Invalid
from riskwatch.model import heading
from riskwatch.serve import present
from riskwatch.serve.board import SPARK_DAYS
from riskwatch.serve.pages.frame import asked_of
from riskwatch.serve.pages.ledger import printed_loss
from riskwatch.serve.route import Desk

MARGIN_POINTS = 2.0
STORIES, UNSAID, CLASSES = 3, 3, 3
WEEK = timedelta(days=7)
ORDERS = ("fall", "score", "name")
NEARLY_ALL = 0.5  # share of the rows with a gap from which on the page says it once
SPARK_WIDTH, SPARK_HEIGHT = 100.0, 24.0


def show(desk: Desk, arguments: Mapping[str, str]) -> tuple[str, Mapping[str, Any]]:
    """Return all Subjects, what moved first, with the stories of those that moved."""
    asked = asked_of(arguments)
    board = desk.boards.newest() if asked.instant is None else desk.boards.as_given(asked.instant)
    order = arguments.get("order") or ORDERS[0]
    if order not in ORDERS:
        raise Invalid("order", f"is none of {', '.join(ORDERS)}")
    wanted = arguments.get("q", "").strip().lower()[:200]
    rows = [
        _row(desk, board.summaries[s], board.history.get(s, ()))
        for s in _order(desk, board.summaries, order)
        if not wanted or wanted in _searched(desk, board.summaries[s])
    ]
    told = _moved(rows)
    stories = desk.boards.kept(
        ("stories", asked.instant, wanted), lambda: [_story(desk, row, rows, asked.instant) for row in told]
    )
    unrated = [r for r in rows if r["score"] is None]
    gaps = [r for r in rows if r["score"] is not None and r["coverage"] == "degraded"]
    missing = Counter(name for r in gaps for name in r["coverage_gaps"])
    return "overview.html", {
        "rows": rows,
        "stories": stories,
        "unrated": unrated[:UNSAID],
        "gaps": gaps[:UNSAID],
        "missing": missing.most_common(CLASSES),
        "is_gap_common": len(gaps) > NEARLY_ALL * len(rows),
        "counts": {
            "moved": sum(_is_moved(r) for r in rows),
            "all": len(rows),
            "unrated": len(unrated),
            "gaps": len(gaps),
        },
        "wanted": wanted,
        "order": order,
        "asked": asked,
        "as_of": max((r["as_of"] for r in rows), default=present.instant(asked.instant)),
        "json": "/v1/scores",
        "here": "overview",
    }


def _searched(desk: Desk, row: present.Plain) -> str:
    return f"{row['subject']} {row['name']} {desk.config.vendors[row['vendor']].name}".lower()


def _is_moved(row: present.Plain) -> bool:
    return bool(abs(row["moved"] or 0.0) >= MARGIN_POINTS)


def _moved(rows: Sequence[present.Plain]) -> list[present.Plain]:
    """Return the largest falls, one a vendor; rises only where nothing fell."""
    falls = sorted((r for r in rows if _is_moved(r) and r["moved"] < 0), key=lambda r: r["moved"])
    rises = sorted((r for r in rows if _is_moved(r) and r["moved"] > 0), key=lambda r: -r["moved"])
    first: dict[str, present.Plain] = {}
    for row in falls or rises:
        first.setdefault(row["vendor"], row)
    return list(first.values())[:STORIES]


def _order(desk: Desk, summaries: Mapping[str, present.Plain], order: str) -> list[str]:
    """Return the Subjects: vendors in the order asked for, lines under their vendor, not rated ones last.

    By fall, vendors that moved stand first, the largest fall before; the rest follow by their lowest score.
    """
    groups: dict[str, list[str]] = {}
    for subject, row in summaries.items():
        groups.setdefault(row["vendor"], []).append(subject)

    def place(vendor: str) -> tuple[bool, bool, float, float, str]:
        rated = [summaries[s] for s in groups[vendor] if summaries[s]["score"] is not None]
        moves = [(row["trend"] or {}).get("days_7") or 0.0 for row in rated]
        is_moved = order == "fall" and any(abs(move) >= MARGIN_POINTS for move in moves)
        lowest = 0.0 if order == "name" else min((row["score"] for row in rated), default=0.0)
        fall = min(moves) if is_moved else 0.0
        return not rated, not is_moved, fall, lowest, desk.config.vendors[vendor].name.lower()

    return [s for vendor in sorted(groups, key=place) for s in sorted(groups[vendor])]


def _row(desk: Desk, row: present.Plain, history: Sequence[tuple[datetime, float | None]]) -> present.Plain:
    change = (row["trend"] or {}).get("days_7")
    was = None if change is None or row["score"] is None else row["score"] - change
    vendor = desk.config.vendors[row["vendor"]].name
    return {
        **row,
        "moved": change,
        "was": was if change is not None and abs(change) >= MARGIN_POINTS else None,
        "href": f"/vendors/{row['subject']}",
        "label": vendor if row["line"] is None else row["name"],
        "vendor_name": vendor,
        "full": full_name(vendor, None if row["line"] is None else row["name"]),
        "spark": spark(history),
    }


def full_name(vendor: str, line: str | None) -> str:
    """Return a Subject's name where its vendor's does not stand beside it; no name is said twice."""
    if line is None:
        return vendor
    if line.lower() == vendor.lower():
        return f"{vendor}, the model line"
    return line if line.lower().startswith(vendor.lower()) else f"{vendor}\u2019s {line}"


def titled(name: str, words: str) -> str:
    """Return the title of a story: the name once, then what happened."""
    return words if words.lower().startswith(name.lower()) else f"{name}: {words}"


def spark(history: Sequence[tuple[datetime, float | None]]) -> present.Plain | None:
    """Return the points of a 90-day step line, 100 wide and 24 high; none where fewer than two are known."""
    if not history:
        return None
    end = history[-1][0]
    start = end - timedelta(days=SPARK_DAYS)
    known = [(at, value) for at, value in history if at >= start and value is not None]
    if len(known) < 2:  # noqa: PLR2004 - no line can be drawn
        return None
    span = (end - start).total_seconds()
    pairs: list[str] = []
    y = _height(known[0][1])
    for place, (at, value) in enumerate(known):
        height = _height(value)
        if height == y and 0 < place < len(known) - 1:
            continue
        x = SPARK_WIDTH * (at - start).total_seconds() / span
        pairs += [f"{x:.0f},{y:.1f}"] if height == y else [f"{x:.0f},{y:.1f}", f"{x:.0f},{height:.1f}"]
        y = height
    return {"line": " ".join(pairs), "y": f"{y:.1f}", "first": known[0][1], "last": known[-1][1]}


def _height(value: float) -> float:
    return round(2 + SPARK_HEIGHT * (1 - value / 100), 1)


def _story(
    desk: Desk, row: present.Plain, rows: Sequence[present.Plain], instant: datetime | None
) -> present.Plain:
    """Return a Subject that moved, what moved it most, and its siblings that moved with it."""
    subject = row["subject"]
    reading = desk.actions.read(subject, as_of=instant, known_at=instant)
    told = present.explanation(reading.score, reading.events, desk.config.taxonomy, name=row["name"])
    at = reading.score.as_of
    by_event = desk.actions.compare(subject, from_at=at - WEEK, to_at=at).by_event
    sign = 1 if row["moved"] < 0 else -1
    causes = sorted((sign * points, id_) for id_, points in by_event.items() if id_ in reading.events)
    cause = causes[0][1] if causes and causes[0][0] < 0 else None
    event = None if cause is None else reading.events[cause]
    reason = (
        row["top_reason"]["heading"] if event is None else heading(event, desk.config.taxonomy[event.type])
    )
    return {
        "row": row,
        "told": told,
        "was": row["score"] - row["moved"],
        "was_grade": _grade(desk, row["score"] - row["moved"]),
        "title": titled(row["full"], reason),
        "reason": reason,
        "cause": cause,
        "cause_points": None if cause is None else by_event[cause],
        "followers": [
            r for r in rows if r["vendor"] == row["vendor"] and r["subject"] != subject and _is_moved(r)
        ],
        "lost": printed_loss(told),
    }


def _grade(desk: Desk, points: float) -> str:
    grades = sorted(desk.config.grade_from.items(), key=lambda pair: -pair[1])
    return next((grade for grade, least in grades if points >= least), "F")
