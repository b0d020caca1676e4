"""The methodology: every constant of the score, as config/scoring.yaml states it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from riskwatch.model import Factor, Grade, LineClass, SizeClass
from riskwatch.score.magnitude import Constant, Linear, Magnitude, Points, Product, Strict, Table

__all__ = ["Constant", "Linear", "Magnitude", "Methodology", "Points", "Product", "Table", "TypeRule"]

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Tier = Literal["primary", "1", "2", "3", "4"]
LiveStatus = Literal["rumoured", "reported", "confirmed"]


class ScoreRule(Strict):
    """Constants of the aggregation."""

    scale: Positive = Field(description="points of a vendor without any loss")
    x_max: Share = Field(description="largest loss of a single event before the logarithm, below 1", lt=1)
    factor_norm_p: float = Field(ge=1, description="exponent of the norm over the events of one factor")
    drop_below: NonNegative = Field(description="a closed event whose loss is below this counts as 0")
    round_points: int = Field(ge=0, le=6, description="decimals shown")


class DeniedOnly(Strict):
    """The claim that an event known only from denials is weighed as."""

    tier: Tier = Field(description="tier of the stand-in claim")
    status: LiveStatus = Field(description="status of the stand-in claim")


class CredibilityRule(Strict):
    """How claims become a credibility from 0 to 1."""

    tiers: dict[Tier, Share] = Field(description="weight of a publisher family by tier")
    default_tier: Tier = Field(description="tier of an unlisted publisher")
    status_weight: dict[LiveStatus, Share] = Field(description="weight of a claim by how it is stated")
    status_cap: dict[LiveStatus, Share] = Field(description="largest credibility by the best status")
    tier4_joint_cap: Share = Field(description="largest joint credibility of the families of the lowest tier")
    denial_strength: Share = Field(description="share that the best denier takes, times the denier's weight")
    denied_only: DeniedOnly = Field(description="what a denial without any claim counts as")
    ignored_status: tuple[str, ...] = Field(description="statuses without any effect")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if set(self.tiers) != {"primary", "1", "2", "3", "4"}:
            raise ValueError("tiers must name primary, 1, 2, 3 and 4")
        for name in ("status_weight", "status_cap"):
            table = getattr(self, name)
            if set(table) != {"rumoured", "reported", "confirmed"}:
                raise ValueError(f"{name} must name rumoured, reported and confirmed")
            if not table["rumoured"] <= table["reported"] <= table["confirmed"]:
                raise ValueError(f"{name} must rise from rumoured to confirmed")
        ranked = [self.tiers[tier] for tier in ("primary", "1", "2", "3", "4")]
        if ranked != sorted(ranked, reverse=True):
            raise ValueError("tiers must fall from primary to 4")
        return self


class FactorRule(Strict):
    """Constants of one factor."""

    floor_k: Positive = Field(
        description="largest log-loss of the factor; its floor is scale * exp(-floor_k)"
    )
    coverage_weight: Share = Field(description="weight of the factor in coverage; all sum to 1")
    size_damped: Literal["all", "minor", "none"] = Field(
        description="which of its events the vendor's size damps"
    )


class TypeRule(Strict):
    """Constants of one adverse event type."""

    factor: Factor = Field(description="factor that the type loads")
    severity: Share = Field(description="share of stability lost when fresh, certain and of ordinary size")
    half_life_days: Positive = Field(description="days after the plateau in which the effect halves")
    plateau_days: NonNegative = Field(description="days at full effect")
    open_floor: Share = Field(description="smallest decay value while the state is open; 0 = never open")
    magnitude: str = Field(description="name of the magnitude that multiplies the severity")
    open_if: Literal["always", "vacancy"] | None = Field(
        default=None, description="when the event has an open state"
    )

    @model_validator(mode="after")
    def _open(self) -> Self:
        if (self.open_floor > 0) != (self.open_if is not None):
            raise ValueError("open_floor above 0 and open_if go together")
        return self


class OpenStates(Strict):
    """When a state such as a pending suit ends."""

    close_min_credibility: Share = Field(description="smallest credibility of an event that closes a state")
    assumed_closed_after_days: Positive = Field(
        description="days without a claim after which a state counts as closed"
    )
    review_after_days: Positive = Field(description="days after which an open state is listed for a person")
    vacancy_roles: tuple[str, ...] = Field(description="role codes whose exit leaves a vacancy")


class Relevance(Strict):
    """How much an event of one home counts for another subject, share 0 to 1."""

    same: Share = Field(description="home is the scored subject")
    vendor_to_line: Share = Field(description="vendor's event on one of its lines")
    vendor_to_line_continuity: Share = Field(description="the same for types of factor continuity")
    sister_to_line: Share = Field(description="other line or unit of the vendor on a line")
    unit_to_vendor: Share = Field(description="unit that is not about models on its vendor")
    industry: Share = Field(description="named set of vendors on each member")
    line_to_vendor: dict[LineClass | Literal["default"], Share] = Field(
        description="line on its vendor by line class"
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if set(self.line_to_vendor) != {*LineClass, "default"}:
            raise ValueError(f"line_to_vendor must name {', '.join(LineClass)} and default")
        return self


class Minor(Strict):
    """Which events are minor."""

    severity_below: Share = Field(description="severity times magnitude below this")
    statuses: tuple[str, ...] = Field(description="or best status among these")


class AttentionRule(Strict):
    """How much less a minor event of a much-reported subject counts."""

    exponent: NonNegative = Field(description="exponent of panel median / events of the subject")
    min: Share = Field(description="smallest multiplier")
    max: Share = Field(description="largest multiplier, at most 1")
    window_days: Positive = Field(description="days that the table counts")
    minor: Minor = Field(description="which events are minor")


class SizeFrom(Strict):
    """Lower ends of a size class in US dollars."""

    value_from: NonNegative = Field(description="valuation or market value, US dollars")
    revenue_from: NonNegative = Field(description="revenue, US dollars a year")


class StructuralRule(Strict):
    """Baseline loss and damping by size."""

    base_loss: dict[SizeClass, NonNegative] = Field(
        description="log-loss of a vendor without events by size class"
    )
    damping: dict[SizeClass, NonNegative] = Field(
        description="multiplier of size-damped events by size class"
    )
    line_damping_default: NonNegative = Field(description="multiplier for a line")
    classes: dict[SizeClass, SizeFrom] = Field(description="size classes, largest first")
    short_runway_months: NonNegative = Field(description="known runway below this: one class smaller")
    extra_loss: dict[str, NonNegative] = Field(description="recorded properties and their log-loss")
    stale_after_days: Positive = Field(description="age after which a register entry is flagged")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name in ("base_loss", "damping"):
            if set(getattr(self, name)) != set(SizeClass):
                raise ValueError(f"{name} must name {', '.join(SizeClass)}")
        lower_ends = [(size.value_from, size.revenue_from) for size in self.classes.values()]
        if lower_ends != sorted(lower_ends, reverse=True):
            raise ValueError("classes must be listed from the largest to the smallest")
        return self


class Strengths(Strict):
    """Share of a harm that a mitigation takes away, by how it is made."""

    default: Share = Field(description="ordinary strength")
    internal_same_day: Share | None = Field(
        default=None, description="internal successor on the day of the harm"
    )
    interim: Share | None = Field(default=None, description="for the time being only")
    partial: Share | None = Field(default=None, description="partial easing")


class Mitigation(Strict):
    """Constants of one mitigating or neutral event type."""

    g: Strengths = Field(description="strength, share 0 to 1")
    relieves: tuple[str, ...] = Field(description="adverse types that it can act on")


class AttributeMitigation(Strict):
    """An attribute on the harmful event itself that relieves it."""

    g: Share = Field(description="strength, share 0 to 1")
    acts_on: str = Field(description="adverse type")
    attr: str = Field(description="attribute that is true")


class MitigationRules(Strict):
    """How good news relieves harm."""

    cap: Share = Field(description="largest relief of one event")
    cap_resolution: Share = Field(description="largest relief when an explicit resolution is among them")
    single_max: Share = Field(description="largest strength x credibility of one mitigation")
    link_days: Positive = Field(description="without a shared story: the harm is at most this much older")
    resolution_g: Share = Field(description="strength from which a mitigation is an explicit resolution")
    types: dict[str, Mitigation] = Field(description="by mitigating or neutral event type")
    attributes: dict[str, AttributeMitigation] = Field(
        description="mitigations that are attributes of the harm"
    )


class GradeFrom(Strict):
    """Lower end of a grade."""

    grade: Grade = Field(description="letter")
    from_: NonNegative = Field(alias="from", description="points, 0 to 100")


class NotRated(Strict):
    """When a subject gets no grade."""

    confidence_below: Share = Field(description="confidence below this is not rated")
    overridden_by_upper_bound_below: NonNegative = Field(
        description="unless the interval's high end is below these points"
    )


class Exponents(Strict):
    """Exponents of the parts of confidence."""

    coverage: NonNegative = Field(description="of coverage")
    attention: NonNegative = Field(description="of attention")
    freshness: NonNegative = Field(description="of freshness")


class LabelFrom(Strict):
    """Lower end of a confidence label."""

    label: str = Field(description="word shown")
    from_: Share = Field(alias="from", description="confidence, share 0 to 1")


class ConfidenceRule(Strict):
    """How well watched a subject must be."""

    exponents: Exponents = Field(description="exponents of the three parts")
    attention_half: Positive = Field(description="h of (n + 1) / (n + h + 1)")
    attention_window_days: Positive = Field(description="days in which articles are counted")
    freshness_half_life_hours: Positive = Field(description="hours in which freshness halves")
    date_conflict_penalty: Share = Field(description="share lost when all lost points rest on disputed dates")
    labels: tuple[LabelFrom, ...] = Field(description="labels, highest first")
    required_classes: dict[Factor, tuple[str, ...]] = Field(description="source classes that a factor needs")
    sla_hours: dict[str, Positive] = Field(description="hours within which a class must have answered")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if set(self.required_classes) != set(Factor):
            raise ValueError("required_classes must name every factor")
        missing = sorted({c for group in self.required_classes.values() for c in group} - set(self.sla_hours))
        if missing:
            raise ValueError(f"sla_hours lacks {', '.join(missing)}")
        lower_ends = [label.from_ for label in self.labels]
        if lower_ends != sorted(set(lower_ends), reverse=True):
            raise ValueError("labels must descend")
        return self


class Trend(Strict):
    """How movements are summed up."""

    windows_days: tuple[int, ...] = Field(description="lengths of the trends")
    deadband_points: NonNegative = Field(description="points within which a trend is flat")


class HhiBand(Strict):
    """Band of the Herfindahl index of concentration."""

    band: str = Field(description="word shown")
    below: Positive = Field(description="index below this")


class Lens(Strict):
    """Multipliers of an event's loss for one kind of use; missing = 1."""

    factors: dict[Factor, Share] = Field(default_factory=dict, description="by factor")
    types: dict[str, Share] = Field(default_factory=dict, description="by event type")


class PortfolioRule(Strict):
    """Constants of the portfolio's exposure."""

    common_cause: dict[str, Share] = Field(description="beta by what the vendors share")
    criticality_weight: dict[str, NonNegative] = Field(description="weight of spend by criticality")
    hhi_bands: tuple[HhiBand, ...] = Field(description="bands, lowest first")
    worklist_grade_at_most: Grade = Field(description="grade from which a critical dependency is listed")
    lens: dict[str, Lens] = Field(description="kinds of use")


class BiasAudit(Strict):
    """Limits of the bias audit."""

    max_abs_spearman: Share = Field(description="largest rank correlation of score and attention")
    by: tuple[str, ...] = Field(description="groupings")


class Disputes(Strict):
    """Rules of disputes."""

    second_person_from_points: NonNegative = Field(description="points from which a second person must agree")
    answer_days: Positive = Field(description="days to answer")


class Methodology(Strict):
    """Every constant of the score: one version of config/scoring.yaml."""

    version: int = Field(ge=1, description="grows with every change of a value")
    title: str = Field(description="name of the method")
    effective_from: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="day from which it may be active")
    notice_days: int = Field(ge=0, description="days between publishing and making it active")
    score: ScoreRule = Field(description="aggregation")
    credibility: CredibilityRule = Field(description="how far an event is believed")
    factors: dict[Factor, FactorRule] = Field(description="by factor")
    types: dict[str, TypeRule] = Field(description="by adverse event type")
    open_states: OpenStates = Field(description="states that last until they are closed")
    magnitudes: dict[str, Magnitude] = Field(description="multipliers of severity by name")
    relevance: Relevance = Field(description="what counts for whom")
    attention: AttentionRule = Field(description="minor events of much-reported subjects")
    structural: StructuralRule = Field(description="size")
    mitigations: MitigationRules = Field(description="relief")
    grades: tuple[GradeFrom, ...] = Field(description="grades, best first")
    not_rated: NotRated = Field(description="when no grade is given")
    confidence: ConfidenceRule = Field(description="how well watched")
    trend: Trend = Field(description="trends")
    portfolio: PortfolioRule = Field(description="exposure")
    bias_audit: BiasAudit = Field(description="bias audit")
    disputes: Disputes = Field(description="disputes")

    @field_validator("effective_from", mode="before")
    @classmethod
    def _effective_day(cls, value: object) -> object:
        return str(value)  # a YAML 1.1 reader turns the day into a date

    @model_validator(mode="after")
    def _cross_checks(self) -> Self:
        if set(self.factors) != set(Factor):
            raise ValueError(f"factors must name {', '.join(Factor)}")
        total = math.fsum(factor.coverage_weight for factor in self.factors.values())
        if not math.isclose(total, 1.0, abs_tol=1e-9):
            raise ValueError(f"coverage_weight of all factors must sum to 1, not {total:g}")
        lower_ends = [grade.from_ for grade in self.grades]
        if not lower_ends or lower_ends != sorted(set(lower_ends), reverse=True) or lower_ends[-1] != 0:
            raise ValueError("grades must descend to 0")
        self._check_types()
        return self

    def _check_types(self) -> None:
        for name, rule in self.types.items():
            if rule.magnitude not in self.magnitudes:
                raise ValueError(f"types.{name}.magnitude: {rule.magnitude} is not in magnitudes")
        both = sorted(self.types.keys() & self.mitigations.types.keys())
        if both:
            raise ValueError(f"mitigations.types.{both[0]} is an adverse type too")
        for place, target in self._targets():
            if target not in self.types:
                raise ValueError(f"{place}: {target} is not in types")

    def _targets(self) -> Iterator[tuple[str, str]]:
        for name, mitigation in self.mitigations.types.items():
            yield from ((f"mitigations.types.{name}.relieves", target) for target in mitigation.relieves)
        for name, attribute in self.mitigations.attributes.items():
            yield f"mitigations.attributes.{name}.acts_on", attribute.acts_on
        for name, lens in self.portfolio.lens.items():
            yield from ((f"portfolio.lens.{name}.types", target) for target in lens.types)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy that works out its own digest."""
        copy = super().model_copy(update=update, deep=deep)
        copy.__dict__.pop("digest", None)
        return copy

    @cached_property
    def digest(self) -> str:
        """Return `sha256:` and 64 hex digits over the canonical JSON of all values."""
        text = json.dumps(
            self.model_dump(mode="json", by_alias=True, exclude_unset=True),
            sort_keys=True, separators=(",", ":"), ensure_ascii=False,
        )  # fmt: skip
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
