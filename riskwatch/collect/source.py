"""Source: one configured place that is polled (an entry of config/sources/*.yaml)."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

import re2
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from riskwatch.model import SourceClass

_DURATION = re2.compile(r"^\s*(\d{1,6})\s*(s|m|h|d)\s*$")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def parse_duration(value: object) -> object:
    """Return `30m`, `24h`, `7d` or `90s` as a timedelta; anything else goes on to the field's own check."""
    match = _DURATION.search(value) if isinstance(value, str) else None
    return timedelta(seconds=int(match.group(1)) * _UNIT_SECONDS[match.group(2)]) if match else value


Duration = Annotated[
    timedelta, BeforeValidator(parse_duration), Field(gt=timedelta(0), le=timedelta(days=366))
]


class SourceKind(StrEnum):
    """How a Source is asked and what its bytes are."""

    FEED = "feed"
    FILE = "file"
    EDGAR = "edgar"
    STATUSPAGE = "statuspage"
    PRICES = "prices"
    GITHUB = "github"
    HUGGINGFACE = "huggingface"
    TABLE = "table"
    SEARCH = "search"
    CANARY = "canary"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class PollInterval(_Strict):
    """How often a Source is asked: at first, at most and at least."""

    default: Duration = timedelta(minutes=30)
    min: Duration = timedelta(minutes=10)
    max: Duration = timedelta(hours=24)

    @model_validator(mode="after")
    def _is_ordered(self) -> PollInterval:
        if not self.min <= self.default <= self.max:
            raise ValueError("min, default and max must rise in this order")
        return self


class Source(_Strict):
    """One place that is polled; its id never changes, its URL may."""

    id: str = Field(pattern=r"^[a-z0-9_][a-z0-9_-]{0,62}$")
    kind: SourceKind = SourceKind.FEED
    url: str = Field(min_length=1, max_length=2_000, description="http(s) address; for kind file a path")
    publisher: str = Field(description="publisher family: one voice")
    source_class: SourceClass = Field(default=SourceClass.PRESS, alias="class")
    tier: str = Field(default="4", pattern=r"^(primary|[1-4])$")
    lang: str = Field(default="en", pattern=r"^[a-z]{2,3}$")
    covers: tuple[str, ...] = Field(
        default=("all",),
        description="vendor ids, or all: whose coverage it counts for; but for press and wire, who speaks",
    )
    interval: PollInterval = PollInterval()
    expected_silence: Literal["auto"] | Duration = "auto"
    full_text: Literal["never", "when_mentioned", "always"] = Field(
        default="when_mentioned", description="whether pages behind short items are read"
    )
    digest: bool = Field(default=False, description="one item holds many stories")
    identity: Literal["guid", "link", "auto"] = "auto"
    title: str | None = Field(default=None, description="name of the outlet where it differs from the family")
    options: dict[str, str] = Field(default_factory=dict, description="what the kind needs beyond the URL")

    @field_validator("tier", mode="before")
    @classmethod
    def _takes_a_bare_tier(cls, value: object) -> object:
        return str(value) if isinstance(value, int) else value  # YAML reads `tier: 2` as a number

    @model_validator(mode="after")
    def _is_consistent(self) -> Source:
        if self.digest and self.tier in ("primary", "1", "2"):
            raise ValueError("a digest retells others: its tier is 3 at best")
        if not self.is_local:
            if not self.url.startswith(("https://", "http://")):
                raise ValueError("url must begin with https:// (or http://)")
            if self.url.startswith("http://") and self.kind is not SourceKind.FEED:
                raise ValueError("http is allowed for feeds only")
        return self

    @property
    def is_local(self) -> bool:
        """Whether it is read here, and no host is asked."""
        return self.kind in (SourceKind.FILE, SourceKind.CANARY)

    @property
    def vendors(self) -> tuple[str, ...]:
        """Vendors that speak in it for themselves; none in the press, or where it covers all."""
        is_press = self.source_class in (SourceClass.PRESS, SourceClass.WIRE)
        return () if is_press or "all" in self.covers else self.covers

    def watches(self, vendor: str) -> bool:
        """Return whether the Source may tell of a vendor."""
        return "all" in self.covers or vendor in self.covers
