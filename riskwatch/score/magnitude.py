"""Magnitudes: the multiplier of a type's severity, read from an event's attributes."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from riskwatch.model import Attributes, AttrValue

Finite = Annotated[float, Field(allow_inf_nan=False)]
Multiplier = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Strict(BaseModel):
    """Constants that are refused when misspelt."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Constant(Strict):
    """The same multiplier for every event."""

    kind: Literal["constant"]
    value: Multiplier = Field(description="multiplier")

    @property
    def attributes(self) -> tuple[str, ...]:
        """Attributes that are read."""
        return ()

    def of(self, attributes: Attributes) -> float:  # noqa: ARG002 -- one signature for all kinds
        """Return the multiplier."""
        return self.value


class Table(Strict):
    """A multiplier by the value of one attribute."""

    kind: Literal["table"]
    attr: str = Field(description="attribute")
    values: dict[str, Multiplier] = Field(description="multiplier by value")
    default: Multiplier = Field(description="multiplier of an unknown or missing value")

    @property
    def attributes(self) -> tuple[str, ...]:
        """Attributes that are read."""
        return (self.attr,)

    def of(self, attributes: Attributes) -> float:
        """Return the multiplier."""
        value = attributes.get(self.attr)
        key = str(value).lower() if isinstance(value, bool) else str(value)
        return self.values.get(key, self.default)


class Linear(Strict):
    """base + slope x number, kept inside [min, max]."""

    kind: Literal["linear"]
    attr: str = Field(description="attribute, a number")
    minus_attr: str | None = Field(default=None, description="number to subtract first; missing counts as 0")
    absolute: bool = Field(default=False, description="the sign of the number does not matter")
    base: Finite = Field(description="multiplier at 0")
    slope: Finite = Field(description="multiplier per unit")
    min: Multiplier = Field(description="smallest multiplier")
    max: Multiplier = Field(description="largest multiplier")
    default: Multiplier = Field(description="multiplier of a missing number")

    @property
    def attributes(self) -> tuple[str, ...]:
        """Attributes that are read."""
        return (self.attr,) if self.minus_attr is None else (self.attr, self.minus_attr)

    def of(self, attributes: Attributes) -> float:
        """Return the multiplier."""
        number = _number(attributes.get(self.attr))
        if number is None:
            return self.default
        if self.minus_attr is not None:
            number -= _number(attributes.get(self.minus_attr)) or 0.0
        if self.absolute:
            number = abs(number)
        return min(max(self.base + self.slope * number, self.min), self.max)


class Points(Strict):
    """Straight lines between given points, flat outside them."""

    kind: Literal["points"]
    attr: str = Field(description="attribute, a number")
    points: tuple[tuple[Finite, Multiplier], ...] = Field(
        min_length=1, description="number and multiplier, ascending"
    )
    default: Multiplier = Field(description="multiplier of a missing number")

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        numbers = [number for number, _ in self.points]
        if numbers != sorted(set(numbers)):
            raise ValueError("points must ascend")
        return self

    @property
    def attributes(self) -> tuple[str, ...]:
        """Attributes that are read."""
        return (self.attr,)

    def of(self, attributes: Attributes) -> float:
        """Return the multiplier."""
        number = _number(attributes.get(self.attr))
        if number is None:
            return self.default
        for (left, low), (right, high) in pairwise(self.points):
            if left <= number <= right:
                return low + (high - low) * (number - left) / (right - left)
        return self.points[0][1] if number < self.points[0][0] else self.points[-1][1]


class Term(Strict):
    """One factor of a product."""

    attr: str = Field(description="attribute, a number")
    slope: Multiplier = Field(description="multiplier per unit")
    default: Multiplier = Field(description="number that stands in for a missing one")


class Product(Strict):
    """Product of slope x number, kept inside [min, max]."""

    kind: Literal["product"]
    of_: tuple[Term, ...] = Field(alias="of", min_length=1, description="factors")
    min: Multiplier = Field(description="smallest multiplier")
    max: Multiplier = Field(description="largest multiplier")

    @property
    def attributes(self) -> tuple[str, ...]:
        """Attributes that are read."""
        return tuple(term.attr for term in self.of_)

    def of(self, attributes: Attributes) -> float:
        """Return the multiplier."""
        result = 1.0
        for term in self.of_:
            number = _number(attributes.get(term.attr))
            result *= term.slope * max(term.default if number is None else number, 0.0)
        return min(max(result, self.min), self.max)


Magnitude = Annotated[Constant | Table | Linear | Points | Product, Field(discriminator="kind")]


def _number(value: AttrValue | None) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
