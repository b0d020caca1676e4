"""The public contract: pydantic answers of /v1. Built by present, checked in tests, described by openapi."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Instant = Annotated[
    str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$", examples=["2026-03-05T00:00:00Z"])
]
Points = Annotated[float, Field(ge=0, le=100, description="points, 0 to 100, 100 most stable")]
Share = Annotated[float, Field(ge=0, le=1)]
Value = str | int | float | bool


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Interval(_Answer):
    """Score if every live claim were true, and if only confirmed ones counted."""

    low: Points
    high: Points


class Trend(_Answer):
    """Points moved over 7, 30 and 90 days; null where either end is not rated."""

    days_7: float | None
    days_30: float | None
    days_90: float | None


class Reason(_Answer):
    """The event that takes most points, or the size baseline."""

    event: str | None
    heading: str
    points: float
    assertion: str | None
    occurred_at: Instant | None


class ScoreSummary(_Answer):
    """A Score without its reasons."""

    subject: str
    name: str
    vendor: str
    line: str | None
    as_of: Instant
    known_at: Instant
    score: Points | None = Field(description="null when the grade is NR")
    grade: str = Field(pattern="^(A|B|C|D|F|NR)$")
    interval: Interval | None
    confidence: Share
    confidence_label: str
    coverage: str
    coverage_gaps: list[str]
    articles: int = Field(ge=0, description="naming the subject in 180 days")
    reasons: list[str] = Field(description="why a score is missing or limited")
    trend: Trend | None
    top_reason: Reason | None
    result_id: str
    methodology: int


class Contribution(_Answer):
    """Points that one event takes, and their arithmetic."""

    event: str
    type: str
    heading: str
    factor: str
    subject: str
    story: str | None
    assertion: str
    occurred_at: Instant
    points: float
    printed_points: float
    score_without: Points
    severity: float
    magnitude: float
    credibility: Share
    relevance: float
    attention: float
    damping: float
    decay: Share
    relief: Share
    loss: float
    is_open: bool
    relieved_by: list[str]
    families: list[str]
    quote: str | None


class Factor(_Answer):
    """What one factor takes, and the lowest score that it alone can cause."""

    factor: str
    points: float
    loss: float
    score_alone: Points
    floor: Points


class Structural(_Answer):
    """The size baseline."""

    size_class: str
    points: float
    printed_points: float


class NotCounted(_Answer):
    """An event that took no point, and why."""

    event: str
    type: str
    heading: str
    reason: str


class ScoreAnswer(ScoreSummary):
    """A Score with factors and digests."""

    structural: Structural
    factors: list[Factor]
    inputs_digest: str
    methodology_digest: str
    ruleset_digest: str


class Explanation(ScoreAnswer):
    """A Score with every reason; printed points sum to 100 less the printed score."""

    contributions: list[Contribution]
    not_counted: list[NotCounted]


class Person(_Answer):
    """A person of the register."""

    name: str
    role: str
    line: str | None
    since: str | None
    until: str | None


class LineProfile(_Answer):
    """A model line of a vendor."""

    id: str
    subject: str
    name: str
    line_class: str | None
    open_weights: bool | None
    licence: str | None
    products: list[str]


class VendorRow(_Answer):
    """A vendor in the listing, with its own Score and those of its lines."""

    id: str
    name: str
    country: str | None
    tags: list[str]
    state: str
    score: ScoreSummary | None
    lines: list[ScoreSummary]


class VendorProfile(VendorRow):
    """A vendor with its people and lines."""

    size_class: str
    tickers: list[str]
    status_page: str | None
    names: list[str]
    people: list[Person]
    profiles: list[LineProfile]
    units: list[str] = Field(description="businesses that are not about models: their events count in part")


class LineAnswer(_Answer):
    """A model line with its Score."""

    vendor: str
    profile: LineProfile
    score: ScoreSummary | None
    people: list[Person]


class HistoryPoint(_Answer):
    """The Score at one instant."""

    as_of: Instant
    score: Points | None
    grade: str
    low: Points | None
    high: Points | None


class Marker(_Answer):
    """An event beside the history."""

    event: str
    heading: str
    factor: str
    occurred_at: Instant
    assertion: str


class History(_Answer):
    """Scores over time, as known at each instant, with the events beside them."""

    subject: str
    step: str
    items: list[HistoryPoint]
    markers: list[Marker]


class Comparison(_Answer):
    """Points moved between two instants; each column sums to the movement."""

    subject: str
    from_: Instant = Field(alias="from")
    to: Instant
    from_score: Points | None
    to_score: Points | None
    by_event: list[dict[str, Any]]
    by_cause: dict[str, float]


class Claim(_Answer):
    """What one outlet says of an event."""

    signal: str
    article: str
    publisher: str
    family: str
    tier: str
    assertion: str
    primary: bool
    claimed_at: Instant | None
    told_at: Instant | None
    quote: str
    rule: str


class DateConflict(_Answer):
    """A date that an outlet gives and that did not win."""

    claimed_at: Instant
    family: str
    quote: str
    days_apart: int
    article: str


class AttributeConflict(_Answer):
    """An attribute on which outlets disagree."""

    attribute: str
    value: Value
    others: list[list[Any]]


class EventAnswer(_Answer):
    """What happened, once, with every claim that it rests on."""

    id: str
    type: str
    factor: str
    direction: str
    heading: str
    vendor: str
    subject: str
    object: str | None
    assertion: str
    state: str
    attributes: dict[str, Value]
    occurred_at: Instant
    date_precision: str
    date_conflicts: list[DateConflict]
    corroboration: int = Field(ge=0, description="independent publisher families with a live claim")
    families: list[str]
    disputed: bool
    retrospective: bool
    conflicts: list[AttributeConflict]
    claims: list[Claim]
    closes: list[str]
    closed_at: Instant | None
    story: str | None
    first_told_at: Instant | None
    recorded_at: Instant | None


class EventVersion(_Answer):
    """One version of an event."""

    recorded_at: Instant | None
    assertion: str
    state: str
    corroboration: int
    occurred_at: Instant


class EventDetail(EventAnswer):
    """An event with its versions and history."""

    versions: list[EventVersion]
    history: list[dict[str, Any]]
    playbook: list[str] = Field(description="next steps of a careful buyer, the most urgent first")


class Trace(_Answer):
    """How an event was detected and merged."""

    event: str
    signals: list[dict[str, Any]]


class StoryAnswer(_Answer):
    """Events with one common cause."""

    id: str
    vendor: str
    events: list[EventAnswer]


class PageRow(_Answer):
    """Where the page behind an article stands."""

    outcome: str = Field(description="read, due, or why the text of the feed stays")
    reason: str
    url: str | None = Field(description="where the text was read")
    asked_at: Instant | None
    next_ask_at: Instant | None


class ArticleRow(_Answer):
    """An article with an excerpt."""

    id: str
    source: str
    title: str | None
    excerpt: str
    text_origin: str = Field(description="page, feed or title: where the text is from")
    url: str | None
    publisher: str
    family: str
    tier: str
    lang: str
    published_at: Instant | None
    first_seen_at: Instant | None
    revision: int


class ArticleDetail(ArticleRow):
    """An article with its signals and revisions."""

    page: PageRow | None = Field(description="none where the page is not wanted")
    signals: list[dict[str, Any]]
    revisions: list[dict[str, Any]]


class SourceRow(_Answer):
    """A source with its health."""

    id: str
    kind: str
    url: str
    publisher: str
    source_class: str
    tier: str
    lang: str
    covers: list[str]
    state: str
    last_ok_at: Instant | None
    last_new_item_at: Instant | None
    next_due_at: Instant | None
    consecutive_failures: int
    reason: str | None


class PollRow(_Answer):
    """One attempt at a source."""

    started_at: Instant
    outcome: str
    reason: str
    status: int | None
    bytes: int
    new: int
    changed: int
    duration_ms: int


class CoverageRow(_Answer):
    """How well a subject is watched."""

    subject: str
    coverage: str
    gaps: list[str]
    confidence: Share


class EventTypeRow(_Answer):
    """A kind of happening with the numbers of the methodology."""

    id: str
    factor: str
    direction: str
    definition: str
    attributes: dict[str, str]
    merge_window_days: int
    weights: dict[str, Any]


class Methodology(_Answer):
    """Every constant of the score."""

    version: int
    title: str
    digest: str
    effective_from: str
    document: dict[str, Any]


class WhatIf(_Answer):
    """A Score under changed facts; nothing is stored."""

    what_if: bool
    base_result_id: str
    before: ScoreSummary
    after: Explanation


class Problem(BaseModel):
    """RFC 9457."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[dict[str, str]] = Field(default_factory=list)


Item = TypeVar("Item", bound=BaseModel)


class Page(_Answer, Generic[Item]):
    """One page of a listing; next_cursor is null on the last one."""

    items: list[Item]
    next_cursor: str | None

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Return the name in the description of the API."""
        return f"{params[0].__name__}Page"
