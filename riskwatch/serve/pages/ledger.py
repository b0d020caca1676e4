"""The ledger's places: from 100 to the score, one row a reason; pure."""

from __future__ import annotations

from collections.abc import Sequence

from riskwatch.serve import present

_SHADES = ("confirmed", "reported", "rumoured")


def ledger(told: present.Plain) -> present.Plain:
    """Return the running score: each row's bar spans [left, left + width] on 0 to 100."""
    at = 100.0
    rows = []
    structural = told["structural"]
    for part in ({"points": structural["points"], "event": None}, *told["contributions"]):
        left = max(at - part["points"], 0.0)
        rows.append({"part": part, "left": left, "width": max(at - left, 0.0), "from": at})
        at = left
    return {"rows": rows, "lost": printed_loss(told)}


def printed_loss(told: present.Plain) -> float:
    """Return the sum of the printed column."""
    parts = (told["structural"], *told["contributions"])
    tenths: int = sum(round(part["printed_points"] * 10) for part in parts)
    return tenths / 10


def beside(company: present.Plain) -> present.Plain:
    """Return the company's column: its score and its points by event."""
    return {
        "name": company["name"],
        "score": company["score"],
        "structural": company["structural"]["printed_points"],
        "points": {part["event"]: part["printed_points"] for part in company["contributions"]},
    }


def shares(factor: present.Plain, contributions: Sequence[present.Plain]) -> list[present.Plain]:
    """Return a factor's bar from its score alone to 100, split by how its events are stated."""
    points = dict.fromkeys(_SHADES, 0.0)
    for part in contributions:
        if part["factor"] == factor["factor"]:
            shade = part["assertion"] if part["assertion"] in points else _SHADES[-1]
            points[shade] += part["points"]
    whole, length = sum(points.values()), 100 - factor["score_alone"]
    made, left = [], factor["score_alone"]
    for shade in _SHADES if whole > 0 else ():
        width = length * points[shade] / whole
        if width > 0:
            made.append({"assertion": shade, "left": left, "width": width})
        left += width
    return made
