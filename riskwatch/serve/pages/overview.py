"""The overview: who moved, why, and what cannot be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from riskwatch.model import heading, subjects_of
from riskwatch.serve import present
from riskwatch.serve.board import SPARK_DAYS, trend_of
from riskwatch.serve.pages.frame import Asked, asked_of
from riskwatch.serve.route import Desk

MARGIN_POINTS = 2.0
STORIES, UNSAID = 3, 4
SPARK_WIDTH, SPARK_HEIGHT = 100.0, 24.0


def show(desk: Desk, arguments: Mapping[str, str]) -> tuple[str, Mapping[str, Any]]:
    """Return all Subjects, the largest fall first, with the stories of those that moved."""
    asked = asked_of(arguments)
    board = desk.boards.newest()
    summaries = board.summaries if asked.is_latest else _judged(desk, asked)
    wanted = arguments.get("q", "").strip().lower()[:200]
    rows = [
        _row(desk, summaries[s], board.history.get(s, ()) if asked.is_latest else ())
        for s in _order(desk, summaries)
        if not wanted or wanted in f"{s} {summaries[s]['name']}".lower()
    ]
    falls = sorted(
        (r for r in rows if abs(r["moved"] or 0.0) >= MARGIN_POINTS), key=lambda r: -abs(r["moved"] or 0.0)
    )
    stories = [_story(desk, row, asked) for row in falls[:STORIES]]
    unrated = [r for r in rows if r["score"] is None]
    gaps = [r for r in rows if r["score"] is not None and r["coverage"] == "degraded"]
    return "overview.html", {
        "rows": rows,
        "stories": stories,
        "unrated": unrated[:UNSAID],
        "gaps": gaps[:UNSAID],
        "counts": {"moved": len(falls), "all": len(rows), "unrated": len(unrated), "gaps": len(gaps)},
        "wanted": wanted,
        "asked": asked,
        "as_of": max((r["as_of"] for r in rows), default=None),
        "json": "/v1/scores",
        "here": "overview",
    }


def _judged(desk: Desk, asked: Asked) -> Mapping[str, present.Plain]:
    made = {}
    history = desk.boards.newest().history
    for vendor in desk.config.vendors.values():
        for subject in subjects_of(vendor) if vendor.watched else ():
            reading = desk.actions.read(subject, as_of=asked.as_of, known_at=asked.known_at)
            titles = {id_: heading(e, desk.config.taxonomy[e.type]) for id_, e in reading.events.items()}
            made[subject] = present.summary(
                reading.score,
                name=present.name_of(subject, desk.config.vendors),
                trend=trend_of(reading.score, history.get(subject, ())),
                top=present.top_reason(reading.score, titles),
            )
    return made


def _order(desk: Desk, summaries: Mapping[str, present.Plain]) -> list[str]:
    """Vendors by their largest fall (of a line or their own), lines under them; not rated ones last."""
    groups: dict[str, list[str]] = {}
    for subject, row in summaries.items():
        groups.setdefault(row["vendor"], []).append(subject)

    def place(vendor: str) -> tuple[bool, float, str]:
        rated = [s for s in groups[vendor] if summaries[s]["score"] is not None]
        fall = min(((summaries[s]["trend"] or {}).get("days_7") or 0.0 for s in rated), default=0.0)
        return not rated, fall, desk.config.vendors[vendor].name.lower()

    ordered = [s for vendor in sorted(groups, key=place) for s in sorted(groups[vendor])]
    return sorted(ordered, key=lambda s: summaries[s]["score"] is None)  # not rated: last


def _row(desk: Desk, row: present.Plain, history: Sequence[tuple[datetime, float | None]]) -> present.Plain:
    change = (row["trend"] or {}).get("days_7")
    was = None if change is None or row["score"] is None else row["score"] - change
    line = row["line"]
    return {
        **row,
        "moved": change,
        "was": was if change is not None and abs(change) >= MARGIN_POINTS else None,
        "href": f"/vendors/{row['subject']}",
        "label": desk.config.vendors[row["vendor"]].name if line is None else row["name"],
        "spark": spark(history),
    }


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
    for at, value in known:
        x = SPARK_WIDTH * (at - start).total_seconds() / span
        pairs += [f"{x:.1f},{y:.1f}", f"{x:.1f},{_height(value):.1f}"]
        y = _height(value)
    return {"line": " ".join(pairs), "y": f"{y:.1f}", "first": known[0][1], "last": known[-1][1]}


def _height(value: float) -> float:
    return 2 + SPARK_HEIGHT * (1 - value / 100)


def _story(desk: Desk, row: present.Plain, asked: Asked) -> present.Plain:
    reading = desk.actions.read(row["subject"], as_of=asked.as_of, known_at=asked.known_at)
    told = present.explanation(reading.score, reading.events, desk.config.taxonomy, name=row["name"])
    grades = sorted(desk.config.grade_from.items(), key=lambda pair: -pair[1])
    was = row["score"] - row["moved"]
    return {
        "row": row,
        "told": told,
        "was": was,
        "was_grade": next((g for g, least in grades if was >= least), "F"),
        "lost": sum(round(c["printed_points"] * 10) for c in told["contributions"]) / 10
        + told["structural"]["printed_points"],
    }
