"""One event: who says so, how sure it is, when it happened, how it was found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from riskwatch.errors import NotFound
from riskwatch.model import Article, Claim, Event, heading, subjects_of
from riskwatch.serve import present
from riskwatch.serve.pages.frame import Asked, asked_of
from riskwatch.serve.pages.vendor import quote_of
from riskwatch.serve.route import Desk
from riskwatch.store import UnitOfWork

MOST_TRACED = 12
_FIRST = datetime.min.replace(tzinfo=UTC)


def show(desk: Desk, arguments: Mapping[str, str], event: str) -> tuple[str, Mapping[str, Any]]:
    """Return an event with its outlets and the points that it takes."""
    asked = asked_of(arguments)
    known_at = asked.known_at
    with desk.store.begin(write=False) as unit:
        found = unit.events.event(event, known_at=known_at)
        versions = unit.events.event_versions(found.id)
        articles = _articles(unit, found)
        neighbours = _neighbours(unit, found, known_at)
    known = [v for v in versions if known_at is None or v.recorded_at is None or v.recorded_at <= known_at]
    steps = desk.config.playbooks.get(found.type, ())
    told = present.event_detail(found, desk.config.taxonomy[found.type], known, steps)
    vendor = desk.config.vendors.get(found.vendor)
    effects = _effects(desk, found, told, asked)
    return "event.html", {
        "event": told,
        "outlets": _outlets(desk, found, told),
        "articles": {id_: present.article(a) for id_, a in articles.items()},
        "stated": quote_of(told),
        "effects": effects,
        "trace": _trace(desk, found),
        "neighbours": [
            {"id": n.id, "heading": heading(n, desk.config.taxonomy[n.type]), "assertion": str(n.assertion)}
            for n in neighbours
        ],
        "home": present.name_of(found.home, desk.config.vendors) if vendor else found.home,
        "is_watched": vendor is not None and vendor.watched,
        "asked": asked,
        "as_of": present.instant(asked.instant) if asked.instant else None,
        "json": f"/v1/events/{found.id}",
        "here": "events",
    }


def _articles(unit: UnitOfWork, found: Event) -> dict[str, Article]:
    made = {}
    for id_ in dict.fromkeys(claim.article_id for claim in found.claims):
        try:
            made[id_] = unit.articles.article(id_)
        except NotFound:  # forgotten since: the claim keeps its quote
            continue
    return made


def _neighbours(unit: UnitOfWork, found: Event, known_at: datetime | None) -> list[Event]:
    """Return the other events of the story."""
    if found.story_id is None:
        return []
    made: list[Event] = []
    try:
        ids = unit.events.story(found.story_id).event_ids
    except NotFound:
        return []
    for id_ in ids:
        try:
            other = unit.events.event(id_, known_at=known_at)
        except NotFound:  # swallowed since, or not yet known
            continue
        if other.id != found.id and other.id not in [n.id for n in made]:
            made.append(other)
    return sorted(made, key=lambda e: (e.occurred_at, e.id))


def _outlets(desk: Desk, found: Event, told: present.Plain) -> list[present.Plain]:
    """Return one entry an outlet, in the order of sight, each with the credibility reached by then."""
    order = sorted(
        range(len(found.claims)),
        key=lambda i: (found.claims[i].recorded_at or found.claims[i].told_at or _FIRST, i),
    )
    entries: dict[str, present.Plain] = {}
    so_far: list[Claim] = []
    for place in order:
        claim = found.claims[place]
        so_far.append(claim)
        entry = entries.setdefault(claim.family, {"family": claim.family, "claims": [], "so_far": 0.0})
        entry["claims"].append(told["claims"][place])
        if len(entry["claims"]) == 1:
            entry["before"] = desk.actions.credibility(so_far[:-1]) if so_far[:-1] else 0.0
            entry["so_far"] = desk.actions.credibility(so_far)
    return list(entries.values())


def _effects(desk: Desk, found: Event, told: present.Plain, asked: Asked) -> list[present.Plain]:
    """Return the Subjects from which the event takes points: its own, the vendor, the others by loss."""
    vendor = desk.config.vendors.get(found.vendor)
    effects: list[present.Plain] = []
    for subject in subjects_of(vendor) if vendor and vendor.watched else ():
        made = desk.actions.read(subject, as_of=asked.as_of, known_at=asked.known_at).score
        effects += [
            {
                "order": (subject != found.home, "/" in subject, -counted.points),
                "name": present.name_of(subject, desk.config.vendors),
                "href": f"/vendors/{subject}{asked.query}",
                "score": made.points,
                "part": present.contribution(counted, found, told["heading"]),
            }
            for counted in made.contributions
            if made.points is not None and counted.event_id == found.id
        ]
    return sorted(effects, key=itemgetter("order"))


def _trace(desk: Desk, found: Event) -> list[present.Plain]:
    """Return how each claim was read: sentence, rule, what it names, how it is stated."""
    by_signal = {claim.signal_id: claim for claim in found.claims}
    made: list[present.Plain] = []
    for signal in desk.actions.trace(found.id):
        claim = by_signal.get(signal["signal"])
        if claim is None or len(made) >= MOST_TRACED:
            continue
        step: Mapping[str, Any] = next(iter(signal["trace"]), {})
        made.append(
            {
                "publisher": claim.publisher,
                "quote": signal["quote"],
                "rule": signal["rule"],
                "route": signal["route"],
                "trigger": (step.get("trigger") or {}).get("text"),
                "assertion": str(claim.assertion),
                "because": _because(step),
                "attributes": _attributes(step),
            }
        )
    return made


def _because(step: Mapping[str, Any]) -> str | None:
    winner = (step.get("assertion") or {}).get("winner")
    return winner.get("text") if isinstance(winner, Mapping) else winner


def _attributes(step: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: Mapping[str, Any] = step.get("attributes") or {}
    return [(name, str(value["value"])) for name, value in found.items() if isinstance(value, Mapping)]
