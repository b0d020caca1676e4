"""Vendors, lines and their latest Scores."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from riskwatch.errors import NotFound
from riskwatch.model import Vendor, subjects_of
from riskwatch.serve import answers, present
from riskwatch.serve.query import Nothing, Paged, Place, ScoreQuery, VendorQuery, cursor_of, place_of
from riskwatch.serve.route import Desk, Route


def vendor_known(desk: Desk, id_: str) -> Vendor:
    """Return a vendor of the register. Raises NotFound."""
    vendor = desk.config.vendors.get(id_)
    if vendor is None or not vendor.watched:
        raise NotFound("vendor", id_, "GET /v1/vendors lists them")
    return vendor


def subject_known(desk: Desk, vendor: str, line: str | None = None) -> str:
    """Return a Subject id of the register. Raises NotFound."""
    found = vendor_known(desk, vendor)
    if line is not None and line not in found.lines:
        raise NotFound("line", f"{vendor}/{line}", f"GET /v1/vendors/{vendor} lists its lines")
    return vendor if line is None else f"{vendor}/{line}"


def list_vendors(desk: Desk, query: VendorQuery) -> Mapping[str, Any]:
    """List vendors by name, each with the latest score of its own and of its lines."""
    summaries = desk.boards.newest().summaries
    rows = [
        present.vendor_row(vendor, summaries)
        for vendor in sorted(desk.config.vendors.values(), key=_place)
        if vendor.watched and _is_wanted(vendor, query, summaries.get(vendor.id))
    ]
    return _paged("vendors", query, rows, [_place(desk.config.vendors[row["id"]]) for row in rows])


def _place(vendor: Vendor) -> Place:
    return vendor.name.lower(), vendor.id


def _is_wanted(vendor: Vendor, query: VendorQuery, score: present.Plain | None) -> bool:
    words = (query.q or "").lower()
    grade = score["grade"] if score else "NR"
    return (
        (query.tag is None or query.tag in vendor.tags)
        and (query.country is None or vendor.country == query.country)
        and (query.grade is None or grade == query.grade)
        and (not words or any(words in name.lower() for name in _words(vendor)))
    )


def _words(vendor: Vendor) -> Iterator[str]:
    yield vendor.id
    yield vendor.name
    yield from present.names(vendor.names)
    for line in vendor.lines.values():
        yield line.name


def _paged(
    listing: str, query: Paged, rows: Sequence[present.Plain], places: Sequence[Place]
) -> present.Plain:
    """Return one page of rows that are sorted by their places; a row that has gone since is no gap."""
    after = place_of(listing, query.cursor)
    start = 0 if after is None else bisect_right(places, after)
    end = start + query.limit
    return {
        "items": rows[start:end],
        "next_cursor": cursor_of(listing, places[end - 1]) if end < len(rows) else None,
    }


def get_vendor(desk: Desk, _query: Nothing, vendor: str) -> Mapping[str, Any]:
    """Return one vendor with lines, people and latest scores."""
    return present.vendor_profile(vendor_known(desk, vendor), desk.boards.newest().summaries)


def get_line(desk: Desk, _query: Nothing, vendor: str, line: str) -> Mapping[str, Any]:
    """Return one model line with its latest score."""
    subject = subject_known(desk, vendor, line)
    found = desk.config.vendors[vendor]
    return {
        "vendor": vendor,
        "profile": present.line_profile(found, line),
        "score": desk.boards.newest().summaries.get(subject),
        "people": [present.person(p) for p in found.people if p.line == line],
    }


def list_scores(desk: Desk, query: ScoreQuery) -> Mapping[str, Any]:
    """List the latest score of every vendor and line, by id."""
    summaries = desk.boards.newest().summaries
    known = {s for v in desk.config.vendors.values() if v.watched for s in subjects_of(v)}
    for subject in query.subject:
        if subject not in known:
            raise NotFound("vendor or line", subject, "GET /v1/scores lists them")
    rows = [
        row
        for subject, row in sorted(summaries.items())
        if (not query.subject or subject in query.subject)
        and (not query.grade or row["grade"] in query.grade)
        and (query.below is None or (row["score"] is not None and row["score"] < query.below))
    ]
    return _paged("scores", query, rows, [("", row["subject"]) for row in rows])


_VENDORS, _SCORES = answers.Page[answers.VendorRow], answers.Page[answers.ScoreSummary]
_VENDOR, _LINE = "/v1/vendors/<vendor>", "/v1/vendors/<vendor>/lines/<line>"
ROUTES = (
    Route("/v1/vendors", list_vendors, _VENDORS, "Vendors with scores", query=VendorQuery, is_listing=True),
    Route(_VENDOR, get_vendor, answers.VendorProfile, "One vendor", is_listing=True),
    Route(_LINE, get_line, answers.LineAnswer, "One model line", is_listing=True),
    Route("/v1/scores", list_scores, _SCORES, "Latest scores", query=ScoreQuery, is_listing=True),
)
