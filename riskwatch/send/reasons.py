"""The reasons of an Alert → their words, points and bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from riskwatch.send import text
from riskwatch.send.message import Reason
from riskwatch.send.pages import Pages
from riskwatch.send.text import SafeText

_FILLS = {"confirmed": "solid", "reported": "tinted"}  # everything else is dotted


@dataclass(frozen=True, slots=True)
class ReasonView:
    """One reason, with the bar that draws its points."""

    heading: SafeText
    said: str  # leadership, confirmed, 5 outlets, 3 Mar 2026; one outlet says 9 Jun 2025
    factor: str
    points: str  # with sign
    url: str
    width: int  # percent of the longest bar
    fill: str  # solid, tinted, dotted
    is_gain: bool


@dataclass(frozen=True, slots=True)
class Rest:
    """Reasons for which there is no room."""

    number: int
    points: str  # together
    each: tuple[str, ...]  # points of each, where few


def rows_of(reasons: Sequence[Reason], pages: Pages, rows: int) -> list[ReasonView]:
    """Return the first reasons in words; bars are drawn against the longest of all."""
    longest = max((abs(reason.points or 0.0) for reason in reasons), default=0.0)
    return [
        ReasonView(
            heading=SafeText(reason.heading),
            said=said(reason),
            factor=reason.factor,
            points=text.signed(reason.points),
            url=pages.of("events", reason.event_id),
            width=max(round(100 * abs(reason.points) / longest), 1) if reason.points and longest else 0,
            fill=_FILLS.get(reason.assertion, "dotted"),
            is_gain=(reason.points or 0.0) > 0,
        )
        for reason in reasons[:rows]
    ]


def said(reason: Reason) -> str:
    """Return how it is stated: `confirmed, 5 outlets, 3 Mar 2026; one outlet says 9 Jun 2025`."""
    parts = [reason.assertion]
    if reason.outlets:
        parts.append(text.count(reason.outlets, "outlet"))
    if reason.occurred_on:
        parts.append(text.day(reason.occurred_on))
    return ", ".join(parts) + _other_dates(reason) + _relief(reason)


def _other_dates(reason: Reason) -> str:
    days = [text.day(other) for other in reason.other_dates]
    if not days:
        return ""
    return f"; {'one outlet says' if len(days) == 1 else 'other outlets say'} {text.some(days)}"


def _relief(reason: Reason) -> str:
    if not reason.relief or not reason.relieved_by:
        return ""
    return f"; eased by {100 * reason.relief:.1f}\u00a0%: {SafeText(reason.relieved_by[0], 80)}"


def rest_of(reasons: Sequence[Reason]) -> Rest | None:
    """Return how many reasons are left, and their points."""
    if not reasons:
        return None
    each = tuple(text.signed(reason.points) for reason in reasons)
    together = text.signed(round(sum(reason.points or 0.0 for reason in reasons), 1))
    return Rest(len(reasons), together, each if len(each) <= 2 * text.SOME else ())


def key_of(reasons: Sequence[Reason]) -> str:
    """Return what the fills of the bars mean, where there are any."""
    if not any(reason.points for reason in reasons):
        return ""
    return "Bars: solid confirmed, tinted reported, dotted rumoured."
