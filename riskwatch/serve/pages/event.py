"""One event: who says so, how sure it is, when it happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskwatch.model import subjects_of
from riskwatch.serve import present
from riskwatch.serve.route import Desk


def show(desk: Desk, _arguments: Mapping[str, str], event: str) -> tuple[str, Mapping[str, Any]]:
    """Return an event with its claims and the points that it takes."""
    with desk.store.begin(write=False) as unit:
        found = unit.events.event(event)
        versions = unit.events.event_versions(found.id)
        articles = {c.article_id: unit.articles.article(c.article_id) for c in found.claims}
    told = present.event_detail(found, desk.config.taxonomy[found.type], versions)
    vendor = desk.config.vendors.get(found.vendor)
    effects: list[present.Plain] = []
    for subject in subjects_of(vendor) if vendor and vendor.watched else ():
        reading = desk.actions.read(subject, as_of=None, known_at=None)
        titles: dict[str, str] = {found.id: told["heading"]}
        for counted in reading.score.contributions if reading.score.points is not None else ():
            if counted.event_id == found.id:
                part = present.contribution(counted, found, titles[found.id])
                effects.append(
                    {
                        "name": present.name_of(subject, desk.config.vendors),
                        "href": f"/vendors/{subject}",
                        "score": reading.score.points,
                        "part": part,
                    }
                )
    effects.sort(key=lambda effect: -effect["part"]["points"])
    return "event.html", {
        "event": told,
        "articles": {id_: present.article(a) for id_, a in articles.items()},
        "effects": effects,
        "home": present.name_of(found.home, desk.config.vendors) if vendor else found.home,
        "json": f"/v1/events/{found.id}",
        "here": "events",
    }
