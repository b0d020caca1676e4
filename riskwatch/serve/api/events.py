"""Events and stories."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from riskwatch.errors import Invalid, NotFound
from riskwatch.model import vendor_of
from riskwatch.serve import answers, present
from riskwatch.serve.api.vendors import subject_known
from riskwatch.serve.query import (
    EventQuery,
    KnownAt,
    Nothing,
    SubjectEvents,
    end_of,
    moment_cursor,
    moment_place,
    start_of,
)
from riskwatch.serve.route import Desk, Route
from riskwatch.store import EventFilter


def list_events(desk: Desk, query: SubjectEvents) -> Mapping[str, Any]:
    """List events, newest first."""
    if query.subject is None:
        return _listed(desk, query, None)
    vendor, _, line = query.subject.partition("/")
    return _listed(desk, query, subject_known(desk, vendor, line or None))


def list_subject_events(
    desk: Desk, query: EventQuery, vendor: str, line: str | None = None
) -> Mapping[str, Any]:
    """List the events of one vendor or line, newest first."""
    return _listed(desk, query, subject_known(desk, vendor, line))


def _listed(desk: Desk, query: EventQuery, subject: str | None) -> Mapping[str, Any]:
    for type_ in query.type:
        if type_ not in desk.config.taxonomy:
            raise Invalid("type", f"{type_} is no event type; /v1/event-types lists them")
    where = EventFilter(
        vendor=None if subject is None else vendor_of(subject),
        home=subject if subject is not None and "/" in subject else None,
        types=tuple(query.type),
        assertions=tuple(query.assertion),
        occurred_from=start_of(query.from_),
        occurred_to=end_of(query.to),
        known_at=end_of(query.known_at),
        after=moment_place("events", query.cursor),
        limit=query.limit + 1,
    )
    with desk.store.begin(write=False) as unit:
        found = unit.events.list_events(where)
    page = found[: query.limit]
    return {
        "items": [present.event(e, desk.config.taxonomy[e.type]) for e in page],
        "next_cursor": moment_cursor("events", page[-1].occurred_at, page[-1].id)
        if len(found) > query.limit
        else None,
    }


def get_event(desk: Desk, query: KnownAt, event: str) -> Mapping[str, Any]:
    """Return one event with its claims, dates, conflicts and versions."""
    known_at = end_of(query.known_at)
    with desk.store.begin(write=False) as unit:
        found = unit.events.event(event, known_at=known_at)
        versions = unit.events.event_versions(found.id)
    known = [v for v in versions if known_at is None or v.recorded_at is None or v.recorded_at <= known_at]
    steps = desk.config.playbooks.get(found.type, ())
    return present.event_detail(found, desk.config.taxonomy[found.type], known, steps)


def explain_event(desk: Desk, _query: Nothing, event: str) -> Mapping[str, Any]:
    """Return how an event was detected: rule, frame, modifiers, vendor route, for each signal."""
    return {"event": event, "signals": [dict(step) for step in desk.actions.trace(event)]}


def get_story(desk: Desk, _query: Nothing, story: str) -> Mapping[str, Any]:
    """Return the events of one story."""
    with desk.store.begin(write=False) as unit:
        found = unit.events.story(story)
        events = []
        for id_ in found.event_ids:
            try:
                events.append(unit.events.event(id_))
            except NotFound:  # swallowed since
                continue
    return {
        "id": found.id,
        "vendor": found.vendor,
        "events": [present.event(e, desk.config.taxonomy[e.type]) for e in events],
    }


_of_line = partial(list_subject_events)
_of_line.__name__ = "list_subject_events_of_line"  # type: ignore[attr-defined]  # names the second operation
_PAGE = answers.Page[answers.EventAnswer]
ROUTES = (
    Route("/v1/events", list_events, _PAGE, "Events, newest first", query=SubjectEvents),
    Route("/v1/vendors/<vendor>/events", list_subject_events, _PAGE, "Events of a vendor", query=EventQuery),
    Route("/v1/vendors/<vendor>/lines/<line>/events", _of_line, _PAGE, "Events of a line", query=EventQuery),
    Route("/v1/events/<event>", get_event, answers.EventDetail, "One event", query=KnownAt),
    Route("/v1/events/<event>/explain", explain_event, answers.Trace, "How an event was detected"),
    Route("/v1/stories/<story>", get_story, answers.StoryAnswer, "One story"),
)
