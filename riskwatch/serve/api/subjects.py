"""One Subject: score, explanation, history, comparison, what-if."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from pydantic import BaseModel

from riskwatch.errors import Invalid
from riskwatch.model import EventState, heading, vendor_of
from riskwatch.serve import answers, present
from riskwatch.serve.api.vendors import subject_known
from riskwatch.serve.board import trend_of
from riskwatch.serve.context import Reading
from riskwatch.serve.query import CompareQuery, HistoryQuery, Instants, Nothing, WhatIfBody, end_of, start_of
from riskwatch.serve.route import Desk, Route

LONGEST_SPAN = timedelta(days=3 * 366)
DEFAULT_SPAN = timedelta(days=90)


def _read(desk: Desk, subject: str, query: Instants) -> Reading:
    return desk.actions.read(subject, as_of=end_of(query.as_of), known_at=end_of(query.known_at))


def _trend(desk: Desk, reading: Reading) -> Mapping[int, float | None] | None:
    board = desk.boards.newest()
    stored = board.scores.get(reading.score.subject)
    if stored is None or stored.result_id != reading.score.result_id:
        return None  # only the latest stored score has a trend as it was given
    return trend_of(reading.score, board.history.get(reading.score.subject, ()))


def get_score(desk: Desk, query: Instants, vendor: str, line: str | None = None) -> Mapping[str, Any]:
    """Return the latest score, or the one for an instant."""
    reading = _read(desk, subject_known(desk, vendor, line), query)
    titles = {id_: heading(e, desk.config.taxonomy[e.type]) for id_, e in reading.events.items()}
    return present.score_answer(
        reading.score,
        name=present.name_of(reading.score.subject, desk.config.vendors),
        trend=_trend(desk, reading),
        top=present.top_reason(reading.score, titles),
    )


def explain_score(desk: Desk, query: Instants, vendor: str, line: str | None = None) -> Mapping[str, Any]:
    """Return where every lost point comes from."""
    reading = _read(desk, subject_known(desk, vendor, line), query)
    return explained(desk, reading)


def explained(desk: Desk, reading: Reading) -> present.Plain:
    """Return the explanation of a reading."""
    return present.explanation(
        reading.score,
        reading.events,
        desk.config.taxonomy,
        name=present.name_of(reading.score.subject, desk.config.vendors),
        trend=_trend(desk, reading),
    )


def get_history(desk: Desk, query: HistoryQuery, vendor: str, line: str | None = None) -> Mapping[str, Any]:
    """Return the scores of a span, with the events beside them."""
    subject = subject_known(desk, vendor, line)
    until = end_of(query.to) or desk.now()
    since = start_of(query.from_) or until - DEFAULT_SPAN
    if since > until:
        raise Invalid("from", "lies after `to`")
    if until - since > LONGEST_SPAN:
        raise Invalid(
            "from", f"asks for more than {LONGEST_SPAN.days} days; ask for shorter spans one by one"
        )
    rows = desk.actions.history(subject, since=since, until=until, step=query.step)
    with desk.store.begin(write=False) as unit:
        events = unit.events.events_of(vendor_of(subject))
    return {
        "subject": subject,
        "step": query.step,
        "items": [
            {
                "as_of": present.instant(row.as_of),
                "score": row.points,
                "grade": row.grade,
                "low": row.low,
                "high": row.high,
            }
            for row in rows
        ],
        "markers": [
            {
                "event": e.id,
                "heading": heading(e, desk.config.taxonomy[e.type]),
                "factor": str(desk.config.taxonomy[e.type].factor),
                "occurred_at": present.instant(e.occurred_at),
                "assertion": str(e.assertion),
            }
            for e in events
            if since <= e.occurred_at <= until
            and e.state is EventState.LIVE
            and (line is None or e.home == subject)
        ],
    }


def compare_scores(
    desk: Desk, query: CompareQuery, vendor: str, line: str | None = None
) -> Mapping[str, Any]:
    """Return the points moved between two instants, by event and by cause."""
    subject = subject_known(desk, vendor, line)
    from_at, to_at = end_of(query.from_) or desk.now(), end_of(query.to) or desk.now()
    if from_at > to_at:
        raise Invalid("from", "lies after `to`")
    delta = desk.actions.compare(subject, from_at=from_at, to_at=to_at)
    with desk.store.begin(write=False) as unit:
        titles = {
            e.id: heading(e, desk.config.taxonomy[e.type]) for e in unit.events.events_of(vendor_of(subject))
        }
    return {
        "subject": subject,
        "from": present.instant(from_at),
        "to": present.instant(to_at),
        "from_score": delta.from_points,
        "to_score": delta.to_points,
        "by_event": [
            {"event": id_, "heading": titles.get(id_, id_), "points": points}
            for id_, points in sorted(delta.by_event.items(), key=lambda pair: (pair[1], pair[0]))
        ],
        "by_cause": dict(delta.by_cause),
    }


def ask_what_if(desk: Desk, _query: Nothing, body: WhatIfBody) -> Mapping[str, Any]:
    """Return the score under changed facts; nothing is stored."""
    vendor, _, line = body.subject.partition("/")
    subject = subject_known(desk, vendor, line or None)
    before, after = desk.actions.what_if(
        subject,
        as_of=end_of(body.as_of),
        drop=body.drop_events,
        add=[added.model_dump() for added in body.add_events],
    )
    name = present.name_of(subject, desk.config.vendors)
    titles = {id_: heading(e, desk.config.taxonomy[e.type]) for id_, e in before.events.items()}
    return {
        "what_if": True,
        "base_result_id": before.score.result_id,
        "before": present.summary(before.score, name=name, top=present.top_reason(before.score, titles)),
        "after": present.explanation(after.score, after.events, desk.config.taxonomy, name=name),
    }


def _both(
    end: str,
    view: Callable[..., Mapping[str, Any]],
    answer: type[BaseModel],
    summary: str,
    query: type[BaseModel],
) -> tuple[Route, Route]:
    """Return the operation for vendors and for lines."""
    of_line = partial(view)
    of_line.__name__ = f"{view.__name__}_of_line"  # type: ignore[attr-defined]  # names the second operation
    return (
        Route(f"/v1/vendors/<vendor>/{end}", view, answer, f"{summary} of a vendor", query=query),
        Route(
            f"/v1/vendors/<vendor>/lines/<line>/{end}", of_line, answer, f"{summary} of a line", query=query
        ),
    )


ROUTES = (
    *_both("score", get_score, answers.ScoreAnswer, "Score", Instants),
    *_both("explain", explain_score, answers.Explanation, "Score with every reason", Instants),
    *_both("history", get_history, answers.History, "Scores over time", HistoryQuery),
    *_both("compare", compare_scores, answers.Comparison, "Points moved between two instants", CompareQuery),
    Route(
        "/v1/what-if",
        ask_what_if,
        answers.WhatIf,
        "Score under changed facts",
        method="POST",
        body=WhatIfBody,
    ),
)
