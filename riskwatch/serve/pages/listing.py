"""Plain listings: events, sources, the methodology."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskwatch.errors import Invalid
from riskwatch.serve import present
from riskwatch.serve.query import moment_cursor, moment_place
from riskwatch.serve.route import Desk
from riskwatch.serve.sources import source_rows
from riskwatch.store import EventFilter

ROWS = 50
_CURSOR_CHARS = 400


def show_events(desk: Desk, arguments: Mapping[str, str]) -> tuple[str, Mapping[str, Any]]:
    """Return the events, newest first, of one vendor or one type where asked for."""
    vendor, type_ = arguments.get("vendor") or None, arguments.get("type") or None
    cursor = arguments.get("cursor") or None
    if vendor is not None and vendor not in desk.config.vendors:
        raise Invalid("vendor", "is no vendor of the register")
    if type_ is not None and type_ not in desk.config.taxonomy:
        raise Invalid("type", "is no event type")
    if cursor is not None and (len(cursor) > _CURSOR_CHARS or not cursor.isascii()):
        raise Invalid("cursor", "is none of this listing")
    where = EventFilter(
        vendor=vendor,
        types=(type_,) if type_ else (),
        after=moment_place("events", cursor),
        limit=ROWS + 1,
    )
    with desk.store.begin(write=False) as unit:
        found = unit.events.list_events(where)
    page = found[:ROWS]
    more = moment_cursor("events", page[-1].occurred_at, page[-1].id) if len(found) > ROWS else None
    names = {e.home: present.name_of(e.home, desk.config.vendors) for e in page}
    return "events.html", {
        "rows": [present.event(e, desk.config.taxonomy[e.type]) for e in page],
        "names": names,
        "vendors": sorted((v.name, v.id) for v in desk.config.vendors.values() if v.watched),
        "types": sorted(desk.config.taxonomy),
        "vendor": vendor,
        "type": type_,
        "more": more,
        "json": "/v1/events",
        "here": "events",
    }


def show_sources(desk: Desk, _arguments: Mapping[str, str]) -> tuple[str, Mapping[str, Any]]:
    """Return every source with its health, the failing first."""
    order = ("gone", "failing", "stale", "silent", "never_polled", "fresh")
    rows = sorted(source_rows(desk), key=lambda row: (order.index(row["state"]), row["id"]))
    late = sum(row["state"] not in ("fresh", "silent") for row in rows)
    return "sources.html", {"rows": rows, "late": late, "json": "/v1/sources", "here": "sources"}


def show_methodology(desk: Desk, _arguments: Mapping[str, str]) -> tuple[str, Mapping[str, Any]]:
    """Return the constants of the score in tables."""
    document = desk.config.methodology
    rows = [
        {
            "id": t.id,
            "factor": str(t.factor),
            "definition": t.definition,
            "weights": document["types"].get(t.id) or {},
            "direction": str(t.direction),
        }
        for t in desk.config.taxonomy.values()
    ]
    return "methodology.html", {
        "document": document,
        "digest": desk.config.methodology_digest,
        "ruleset": desk.config.ruleset_digest,
        "types": rows,
        "grades": sorted(desk.config.grade_from.items(), key=lambda pair: -pair[1]),
        "json": "/v1/methodology",
        "here": "methodology",
    }
