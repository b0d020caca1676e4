"""The history as places: x in percent, y in pixels; a Score holds until the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from riskwatch.errors import Invalid
from riskwatch.serve import present
from riskwatch.serve.context import HistoryRow, Reading
from riskwatch.serve.pages.frame import Asked
from riskwatch.serve.route import Desk

SPANS: Mapping[str, int] = {"180": 180, "365": 365, "all": 3 * 365}  # days back
DEFAULT_SPAN = "180"
WEEKLY_FROM_DAYS = 181
AHEAD_DAYS = (7, 14, 21, 28)
CHART_PIXELS, LANE_PIXELS, LANES_FROM = 250.0, 38.0, 46.0
NEAR_PERCENT = 4.0  # marks nearer than this share one label
CHAR_PERCENT, ROOM_PERCENT = 1.2, 2.0  # of a label and beside it, on the narrowest chart that shows labels
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
    desk: Desk,
    subject: str,
    reading: Reading,
    *,
    asked: Asked,
    span: str,
    marks: Sequence[present.Plain],
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
    if asked.is_latest and reading.score.points is not None:
        ahead = desk.actions.project(subject, [judged + timedelta(days=d) for d in AHEAD_DAYS])
    if len(rows) < 2:  # noqa: PLR2004 - no line can be drawn
        return None
    start = rows[0].as_of if span == "all" else judged - timedelta(days=days)
    if span == "all":
        start = min([start, *(mark["at"] for mark in marks)])
    return drawn(rows, ahead, marks, since=min(start, rows[0].as_of))


def marks_of(contributions: Sequence[present.Plain], eases: Sequence[present.Plain]) -> list[present.Plain]:
    """Return the events beside the history: those of the ledger with their numbers, and what eases them."""
    rows = [*enumerate(contributions, start=1), *((None, ease) for ease in eases)]
    return [
        {
            "at": datetime.fromisoformat(row["occurred_at"]),
            "factor": row["factor"],
            "assertion": row["assertion"],
            "number": number,
        }
        for number, row in rows
    ]


def drawn(
    rows: Sequence[HistoryRow],
    ahead: Sequence[HistoryRow],
    marks: Sequence[present.Plain],
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
    lanes, outside = _lanes(marks, axis)
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


def _lanes(marks: Sequence[present.Plain], axis: Axis) -> tuple[list[present.Plain], list[int]]:
    """Return a lane for each factor, and the numbers of the events before the axis."""
    lanes: dict[str, list[present.Plain]] = {}
    outside: list[int] = []
    for mark in marks:
        if axis.holds(mark["at"]):
            lanes.setdefault(mark["factor"], []).append({**mark, "x": axis.x(mark["at"])})
        elif mark["number"] is not None:
            outside.append(mark["number"])
    return [
        {
            "factor": factor,
            "y": CHART_PIXELS + LANES_FROM + LANE_PIXELS * place,
            "marks": lane,
            "labels": labels_of([(m["x"], m["number"]) for m in lane if m["number"] is not None]),
        }
        for place, (factor, lane) in enumerate(lanes.items())
    ], outside


def labels_of(places: Sequence[tuple[float, int]]) -> list[present.Plain]:
    """Return the numbers beside marks at (percent, number): near ones share a label, none covers a mark."""
    groups: list[list[tuple[float, int]]] = []
    for place in sorted(places):
        if groups and place[0] - groups[-1][-1][0] < NEAR_PERCENT:
            groups[-1].append(place)
        else:
            groups.append([place])
    made: list[present.Plain] = []
    taken = 0.0  # right end of what is drawn already
    for group, following in pairwise([*groups, [(100.0 + ROOM_PERCENT, 0)]]):
        text = _numbers([number for _, number in group])
        need = CHAR_PERCENT * len(text) + ROOM_PERCENT
        first, last = group[0][0], group[-1][0]
        is_right = first - taken < need
        taken = last + ROOM_PERCENT
        if not is_right:
            made.append({"x": first, "text": text, "is_right": False})
        elif following[0][0] - last >= need + ROOM_PERCENT:
            made.append({"x": last, "text": text, "is_right": True})
            taken = last + need
    return made


def _numbers(numbers: Sequence[int]) -> str:
    shown, more = sorted(numbers)[:MOST_NUMBERS], len(numbers) - MOST_NUMBERS
    return ", ".join(map(str, shown)) + (f" +{more}" if more > 0 else "")
