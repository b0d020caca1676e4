"""What the buyer depends on: config/portfolio.yaml, validated once when it is read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from riskwatch.model.vendor import vendor_of

Text = Annotated[str, Field(min_length=1, max_length=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Spend(_Strict):
    """Money a year."""

    amount: float = Field(ge=0)
    currency: str = Field(pattern=r"^[A-Z]{3}$", description="ISO 4217, e.g. EUR")


class Dependency(_Strict):
    """One use case that rests on a Subject."""

    use_case: Text
    subject: str = Field(
        pattern=r"^[a-z0-9_-]+(/[a-z0-9_-]+)?$", description="vendor or model line: acme, acme/one"
    )
    criticality: int = Field(ge=1, le=4, description="1 critical, 2 important, 3 useful, 4 minor")
    owner: Text | None = None
    spend: Spend | None = Field(default=None, description="a year")
    exit_plan: Text | None = Field(default=None, description="where it is written down, or its state")
    renewal_on: date | None = None
    substitute: Text | None = None
    cloud: Text | None = Field(default=None, description="cloud through which it is used")


def touching(dependencies: Iterable[Dependency], subject: str) -> tuple[Dependency, ...]:
    """Return those that a Subject's trouble reaches: a vendor's reach its lines, a line's its vendor."""
    return tuple(
        one
        for one in dependencies
        if one.subject in (subject, vendor_of(subject)) or vendor_of(one.subject) == subject
    )


def criticality_of(dependencies: Iterable[Dependency], subject: str) -> int | None:
    """Return the gravest criticality (1 to 4) of what rests on a Subject; None where nothing does."""
    return min((one.criticality for one in touching(dependencies, subject)), default=None)
