"""The history as places: x in percent, y in pixels; a Score holds until the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from operator import itemgetter

from riskwatch.errors import Invalid
from riskwatch.serve import present
from riskwatch.serve.context import HistoryRow, Reading
from riskwatch.serve.pages.frame import Asked
from riskwatch.serve.route import Desk

SPANS: Mapping[str, int] = {"180": 180, "365": 365, "all": 3 * 365}  # days back
DEFAULT_SPAN = "180"
WEEKLY_FROM_DAYS = 181
AHEAD_DAYS = (7, 14, 21, 28)
CHART_PIXELS, LANE_PIXELS = 250.0, 38.0
NEAR_PERCENT = 2.5  # marks nearer than this share one place
EDGE_PERCENT = 8.0  # left of here a mark's number stands on its right
MOST_NUMBERS = 3


def span_of(given: str | None) -> str:
    """Return the span that was asked for. Raises Invalid."""
    if given and given not in SPANS:
        raise Invalid("span", f"is none of {', '.join(SPANS)}")
    return given or DEFAULT_SPAN


@dataclass(frozen=True, slots=True)
class Axis:
    """The days from left to right."""

    since: datetime
    end: datetime

    def x(self, at: datetime) -> float:
        """Return the place of an instant in percent."""
        return round(
            100 * (at - self.since).total_seconds() / ((self.end - self.since).total_seconds() or 1.0), 2
        )

    def holds(self, at: datetime) -> bool:
        """Whether an instant lies on the axis."""
        return self.since <= at <= self.end


def history_of(
    desk: Desk, subject: str, reading: Reading, told: present.Plain, *, asked: Asked, span: str
) -> present.Plain | None:
    """Return the drawing of a Subject's past and, from the latest Score on, of its fading events."""
    judged = reading.score.as_of
    days = SPANS[span]
    until = judged if asked.instant is None else min(judged, asked.instant)
    step = "day" if days < WEEKLY_FROM_DAYS else "week"
    rows = list(desk.actions.history(subject, since=until - timedelta(days=days), until=until, step=step))
    s = reading.score
    last = HistoryRow(judged, s.points, s.low, s.high, str(s.grade))
    rows = [row for row in rows if row.as_of < judged] + [last]
    ahead: Sequence[HistoryRow] = ()
    if asked.is_latest and told["score"] is not None:
        ahead = desk.actions.project(subject, [judged + timedelta(days=d) for d in AHEAD_DAYS])
    if len(rows) < 2:  # noqa: PLR2004 - no line can be drawn
        return None
    start = rows[0].as_of if span == "all" else judged - timedelta(days=days)
    if span == "all":
        start = min([start, *(datetime.fromisoformat(c["occurred_at"]) for c in told["contributions"])])
    return drawn(rows, ahead, told["contributions"], since=min(start, rows[0].as_of))


def drawn(
    rows: Sequence[HistoryRow],
    ahead: Sequence[HistoryRow],
    contributions: Sequence[present.Plain],
    *,
    since: datetime,
) -> present.Plain:
    """Return steps, table and lanes of Scores from `since` on; rows and ahead are oldest first."""
    known = [*rows, *ahead]
    axis = Axis(since, known[-1].as_of)
    steps = [
        _step(row, following, axis, is_ahead=place >= len(rows) - 1)
        for place, (row, following) in enumerate(pairwise(known))
    ]
    lanes, outside = _lanes(contributions, axis)
    return {
        "steps": steps,
        "judged": axis.x(rows[-1].as_of),
        "begins": axis.x(rows[0].as_of),
        "begins_on": present.instant(rows[0].as_of),
        "y": None if rows[-1].points is None else _y(rows[-1].points),
        "table": [_told(row, axis, is_ahead=place >= len(rows)) for place, row in enumerate(known)],
        "lanes": lanes,
        "outside": outside,
        "first": rows[0].points,
        "last": rows[-1].points,
        "ahead": None if not ahead else {"day": present.instant(ahead[-1].as_of), "score": ahead[-1].points},
        "from": present.instant(since),
        "to": present.instant(axis.end),
    }


def _told(row: HistoryRow, axis: Axis, *, is_ahead: bool) -> present.Plain:
    return {
        "x": axis.x(row.as_of),
        "day": present.instant(row.as_of),
        "score": row.points,
        "grade": row.grade,
        "low": row.low,
        "high": row.high,
        "is_ahead": is_ahead,
    }


def _step(row: HistoryRow, following: HistoryRow, axis: Axis, *, is_ahead: bool) -> present.Plain:
    left, right = axis.x(row.as_of), axis.x(following.as_of)
    return {
        "left": left,
        "right": right,
        "width": round(right - left, 2),
        "y": None if row.points is None else _y(row.points),
        "next": None if following.points is None else _y(following.points),
        "top": None if row.points is None or row.high is None else _y(row.high),
        "height": 0.0 if row.low is None or row.high is None else round(_y(row.low) - _y(row.high), 1),
        "is_ahead": is_ahead,
    }


def _y(points: float) -> float:
    return round(CHART_PIXELS * (1 - points / 100), 1)


def _lanes(contributions: Sequence[present.Plain], axis: Axis) -> tuple[list[present.Plain], list[int]]:
    """Return a lane for each factor, and the numbers of the events before the axis."""
    lanes: dict[str, list[present.Plain]] = {}
    outside = []
    for number, part in enumerate(contributions, start=1):
        at = datetime.fromisoformat(part["occurred_at"])
        if axis.holds(at):
            mark = {"x": axis.x(at), "numbers": [number], "assertion": part["assertion"]}
            lanes.setdefault(part["factor"], []).append(mark)
        else:
            outside.append(number)
    return [
        {"factor": factor, "y": CHART_PIXELS + 46 + LANE_PIXELS * place, "marks": _joined(marks)}
        for place, (factor, marks) in enumerate(lanes.items())
    ], outside


def _joined(marks: Sequence[present.Plain]) -> list[present.Plain]:
    """Return the marks of a lane from left to right; those too near each other become one."""
    joined: list[present.Plain] = []
    for mark in sorted(marks, key=itemgetter("x")):
        if joined and mark["x"] - joined[-1]["x"] < NEAR_PERCENT:
            joined[-1]["numbers"] += mark["numbers"]
        else:
            joined.append({**mark, "numbers": list(mark["numbers"])})
    for mark in joined:
        numbers = sorted(mark["numbers"])
        more = len(numbers) - MOST_NUMBERS
        mark["label"] = ", ".join(map(str, numbers[:MOST_NUMBERS])) + (f" +{more}" if more > 0 else "")
        mark["is_left"] = mark["x"] < EDGE_PERCENT
    return joined
