"""Vendors, their model lines and people: the register, validated once when it is read."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

UNIT_MARK = "-"  # begins the id of a unit where lines stand too
VendorId = Annotated[str, Field(pattern=r"^[a-z0-9_][a-z0-9-]{0,62}$")]
IsoMonth = Annotated[
    str, Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$", description="YYYY, YYYY-MM or YYYY-MM-DD")
]


class SizeClass(StrEnum):
    """Size of a Vendor; sets the structural baseline and the damping of people events."""

    MEGA = "mega"
    LARGE = "large"
    MID = "mid"
    SMALL = "small"
    UNKNOWN = "unknown"


class LineClass(StrEnum):
    """Weight of a Line inside its Vendor."""

    ONLY = "only"
    FLAGSHIP = "flagship"
    MAJOR = "major"
    MINOR = "minor"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Alias(_Strict):
    """A name under which a Subject is found in text; a bare string in YAML means an unambiguous one."""

    text: str = Field(min_length=1)
    ambiguous: bool = False
    usual: bool = Field(
        default=False,
        description="nearly always meant, though ambiguous: one word of business right beside it is enough",
    )
    context: tuple[str, ...] = Field(default=(), description="words that vouch for an ambiguous name")
    not_before: tuple[str, ...] = Field(
        default=(), description="words after the name that make it somebody else"
    )
    requires: str | None = Field(default=None, description="RE2 that must match right after the name")
    valid_from: IsoMonth | None = None
    valid_to: IsoMonth | None = None
    lang: str | None = None


class Person(_Strict):
    """A person whose employment matters; valid between from and to."""

    name: str
    family: str
    aliases: tuple[str, ...] = ()
    role: str = Field(description="role in the outlet's words; mapped to a role code by the lexicon")
    key: bool = False
    line: str | None = None
    valid_from: IsoMonth | None = Field(default=None, alias="from")
    valid_to: IsoMonth | None = Field(default=None, alias="to")
    source: str | None = None


class Line(_Strict):
    """A Vendor's model family, with a Score of its own."""

    name: str
    line_class: LineClass | None = Field(default=None, alias="class")
    open_weights: bool | None = None
    licence: str | None = None
    names: tuple[str | Alias, ...] = ()
    products: tuple[str | Alias, ...] = ()


class Unit(_Strict):
    """A Vendor's business that is not about models; without a Score of its own."""

    name: str
    words: tuple[str, ...] = Field(
        min_length=1,
        description="names and words that tell of it beside the vendor; in lower case they match in any",
    )


class RegisterEntry(_Strict):
    """Dated facts about a Vendor's size (scoring.md 6); money in US dollars."""

    valid_from: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    recorded_at: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    valuation_usd: float | None = Field(default=None, ge=0)
    revenue_usd: float | None = Field(default=None, ge=0)
    runway_months: float | None = Field(default=None, ge=0)
    source: str | None = None


class Vendor(_Strict):
    """One company of the register: config/vendors/<id>.yaml."""

    id: VendorId
    name: str
    watched: bool = True
    country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    parent: VendorId | None = None
    size_class: SizeClass = SizeClass.UNKNOWN
    tickers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    status_page: str | None = None
    state: str = Field(default="active", description="active, acquired, closed ... with state_since")
    state_since: str | None = None
    names: tuple[str | Alias, ...] = Field(min_length=1)
    brands: tuple[str | Alias, ...] = Field(default=(), description="owned names that count for the vendor")
    lines: dict[str, Line] = Field(default_factory=dict)
    units: dict[Annotated[str, Field(pattern=r"^[a-z0-9]+$")], Unit] = Field(
        default_factory=dict, description="businesses that are not about models: their events count in part"
    )
    people: tuple[Person, ...] = ()
    register_: tuple[RegisterEntry, ...] = Field(default=(), alias="register")

    @field_validator("units")
    @classmethod
    def _owned_once(cls, units: dict[str, Unit]) -> dict[str, Unit]:
        words = Counter(word.lower() for unit in units.values() for word in unit.words)
        twice = sorted(word for word, times in words.items() if times > 1)
        if twice:
            raise ValueError(f"a word belongs to one unit, once: {', '.join(twice)}")
        return units


class Publisher(_Strict):
    """An outlet: which family it belongs to and how far it is trusted."""

    name: str
    domains: tuple[str, ...] = ()
    family: str
    tier: str = Field(pattern=r"^(primary|[1-4])$")
    source_class: str = Field(default="press", alias="class")
    aggregator: bool = False
    curated: bool = Field(default=False, description="an aggregator whose editors name each item's outlet")
    lang: str | None = None
    covers: tuple[VendorId, ...] = Field(default=(), description="vendors that speak here for themselves")


def vendor_of(subject: str) -> str:
    """Return the vendor id of a Subject id (`alibaba/qwen` gives `alibaba`)."""
    return subject.split("/", 1)[0]


def line_of(subject: str) -> str | None:
    """Return the line id of a Subject id, or none for a vendor."""
    return subject.split("/", 1)[1] if "/" in subject else None


def unit_of(subject: str) -> str | None:
    """Return the unit id of a Subject id (`alibaba/-retail` gives `retail`), or none elsewhere."""
    part = line_of(subject) or ""
    return part[1:] if part.startswith(UNIT_MARK) else None


def told_at(subject: str) -> str:
    """Return the Subject whose Score and page tell of what happens to a Subject: of a unit, its vendor."""
    return subject if unit_of(subject) is None else vendor_of(subject)


def part_name(subject: str, vendor: Vendor) -> str:
    """Return what the register calls a Subject; a line or unit that it lacks is called by its id."""
    line, unit = line_of(subject), unit_of(subject)
    if line is None:
        return vendor.name
    if unit is not None:
        return vendor.units[unit].name if unit in vendor.units else unit
    return vendor.lines[line].name if line in vendor.lines else line


def subjects_of(vendor: Vendor) -> tuple[str, ...]:
    """Return the vendor's own id, then its lines' Subject ids, sorted."""
    return (vendor.id, *(f"{vendor.id}/{line}" for line in sorted(vendor.lines)))
