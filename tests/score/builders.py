"""Values with defaults for the tests of the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import yaml

from riskwatch.model import (
    Assertion,
    AttrValue,
    Claim,
    CoverageFact,
    Event,
    EventState,
    Line,
    LineClass,
    SizeClass,
    Vendor,
)
from riskwatch.score import Inputs, Methodology

ROOT = Path(__file__).parents[2]
DAY_0 = datetime(2026, 3, 3, tzinfo=UTC)
CLASSES = (
    "wire", "press", "vendor_channel", "docs_changelog", "model_hub", "filing", "market_data", "court",
    "regulator", "status_page",
)  # fmt: skip


@cache
def methodology() -> Methodology:
    return Methodology.model_validate(scoring_yaml())


def scoring_yaml() -> dict[str, object]:
    loaded: dict[str, object] = yaml.safe_load((ROOT / "config" / "scoring.yaml").read_text("utf-8"))
    return loaded


def day(number: float) -> datetime:
    return DAY_0 + timedelta(days=number)


def alibaba() -> Vendor:
    qwen = Line.model_validate({"name": "Qwen", "class": LineClass.FLAGSHIP})
    return Vendor(
        id="alibaba", name="Alibaba", size_class=SizeClass.MEGA, names=("Alibaba",), lines={"qwen": qwen}
    )


def without_baseline() -> Methodology:
    """The kernel: the methodology as it stands, but size costs nothing."""
    structural = methodology().structural
    free = structural.model_copy(update={"base_loss": dict.fromkeys(structural.base_loss, 0.0)})
    return methodology().model_copy(update={"structural": free})


def watched(at: datetime) -> tuple[CoverageFact, ...]:
    return tuple(CoverageFact(name, 1, at) for name in CLASSES)


def a_claim(
    family: str = "A",
    tier: str = "1",
    status: str = "confirmed",
    *,
    at: datetime | None = None,
    id_: str = "",
) -> Claim:
    name = id_ or f"s-{family}-{status}"
    return Claim(name, f"a-{name}", family, family, tier, Assertion(status), told_at=at or DAY_0)


def an_event(
    id_: str = "e",
    type_: str = "reorganization",
    *,
    on: float = 0,
    home: str = "alibaba/qwen",
    claims: Sequence[Claim] | None = None,
    attributes: Mapping[str, AttrValue] | None = None,
    **fields: object,
) -> Event:
    told = (a_claim(at=day(on)),) if claims is None else tuple(claims)
    live = [claim.assertion for claim in told if claim.assertion.is_live]
    event = Event(
        id=id_, type=type_, vendor=home.split("/", maxsplit=1)[0], home=home, object=None,
        assertion=live[0] if live else Assertion.DENIED, state=EventState.LIVE if live else EventState.DENIED,
        attributes=attributes or {}, occurred_at=day(on), date_precision="day", claims=told,
    )  # fmt: skip
    return replace(event, **fields)  # type: ignore[arg-type] # fields of Event by name


def some_inputs(
    *events: Event,
    subject: str = "alibaba/qwen",
    at: float = 0,
    method: Methodology | None = None,
    **fields: object,
) -> Inputs:
    inputs = Inputs(
        subject=subject, as_of=day(at), known_at=day(at), methodology=method or methodology(),
        vendor=alibaba(), events=events, coverage=watched(day(at)), articles=40,
    )  # fmt: skip
    return replace(inputs, **fields)  # type: ignore[arg-type] # fields of Inputs by name
