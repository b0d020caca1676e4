"""Signals, Events, Stories: what was said, and what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

AttrValue = str | int | float | bool
Attributes = Mapping[str, AttrValue]


class Assertion(StrEnum):
    """How a text states an event."""

    CONFIRMED = "confirmed"
    REPORTED = "reported"
    RUMOURED = "rumoured"
    DENIED = "denied"
    HYPOTHETICAL = "hypothetical"
    BACKGROUND = "background"

    @property
    def is_live(self) -> bool:
        """Whether the text claims that the event is so: confirmed, reported or rumoured."""
        return self in LIVE


LIVE = (Assertion.RUMOURED, Assertion.REPORTED, Assertion.CONFIRMED)  # weakest first


class Direction(StrEnum):
    """Whether an Event type harms, heals or does neither."""

    ADVERSE = "adverse"
    MITIGATING = "mitigating"
    NEUTRAL = "neutral"


class Factor(StrEnum):
    """Area of stability; the order is that of every listing."""

    LEADERSHIP = "leadership"
    LICENSING = "licensing"
    FINANCIAL = "financial"
    LEGAL = "legal"
    OPERATIONS = "operations"
    GEOPOLITICS = "geopolitics"
    ADOPTION = "adoption"
    CONTINUITY = "continuity"


@dataclass(frozen=True, slots=True)
class EventType:
    """A kind of happening; one entry of config/rules/taxonomy.yaml."""

    id: str
    factor: Factor
    direction: Direction
    definition: str
    attributes: Mapping[str, str]  # name -> kind: person, role, org, product, text, count ...
    merge_window_days: int
    heading: tuple[str, ...] = ()  # templates with {attribute} fields; the first that can be filled counts
    positive: tuple[str, ...] = ()
    negative: str = ""
    names: Mapping[str, str] = field(default_factory=dict)  # vendor id -> name, for attributes of kind vendor
    yields_to: frozenset[str] = frozenset()  # types that a sentence tells instead where it tells them, too


Taxonomy = Mapping[str, EventType]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A quoted span of one Article revision; text of the field at [start, end) equals quote."""

    field: str  # title | body
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Signal:
    """One Article's statement that an event of one type happened to one Subject."""

    id: str  # content-derived: same article revision, rule, subject, type, person and span give the same id
    article_id: str
    revision: int
    vendor: str
    line: str | None  # or a unit, with a hyphen before its id
    type: str
    assertion: Assertion
    confidence: float  # share 0 to 1: vendor route x lifecycle
    route: str  # slot, from_prep, apposition, employer, subject, after, focus, structured
    attributes: Attributes
    evidence: Evidence
    rule: str  # "<rule id>@<version>"
    primary: bool = False  # company, court, regulator or the person speaks for itself
    claimed_at: datetime | None = None  # when the text says that it happened, aware UTC, else None
    claimed_text: str | None = None  # the words that gave claimed_at
    claim_relative: bool = False  # "this week", "yesterday": resolved against the publication date
    publisher: str = ""
    family: str = ""  # publisher family of the article
    cited_family: str | None = None  # family of the one outlet that the claim is credited to
    tier: str = "4"  # primary, 1, 2, 3, 4
    published_at: datetime | None = None  # of the article, aware UTC, None where unknown
    first_seen_at: datetime | None = None  # when we first saw the article; stands in for published_at
    text_key: str = ""
    recorded_at: datetime | None = None

    @property
    def subject(self) -> str:
        """Subject id: the line when one is known, else the vendor."""
        return f"{self.vendor}/{self.line}" if self.line else self.vendor

    @property
    def told_at(self) -> datetime:
        """When the article told it: published, else first seen."""
        told = self.published_at or self.first_seen_at
        if told is None:
            raise ValueError(f"signal {self.id} has neither published_at nor first_seen_at")
        return told


@dataclass(frozen=True, slots=True)
class Claim:
    """What one Signal contributes to its Event: one voice, its assertion and weight class."""

    signal_id: str
    article_id: str
    family: str  # after syndication and credit are resolved: the voice that counts
    publisher: str
    tier: str
    assertion: Assertion
    primary: bool = False
    claimed_at: datetime | None = None
    told_at: datetime | None = None
    recorded_at: datetime | None = None
    quote: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class DateClaim:
    """A date that an article gives for an Event but that did not win."""

    article_id: str
    family: str
    claimed_at: datetime
    quote: str
    distance_days: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """An attribute on which the outlets disagree: the value in force and the others."""

    attribute: str
    value: AttrValue
    others: tuple[tuple[AttrValue, str], ...]  # (value, family)


@dataclass(frozen=True, slots=True)
class HistoryStep:
    """A dated change of an Event: opened, upgraded, denied, corrected."""

    at: datetime
    assertion: Assertion
    family: str
    note: str = ""


class EventState(StrEnum):
    """Whether an Event still rests on live Signals."""

    LIVE = "live"
    DENIED = "denied"  # known only from denials
    WITHDRAWN = "withdrawn"  # its Signals were all superseded
    REJECTED = "rejected"  # by a person's Verdict


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a Subject, once, resting on one or more Signals."""

    id: str
    type: str
    vendor: str
    home: str  # Subject id: alibaba or alibaba/qwen
    object: str | None  # person, product, plaintiff ... that makes it this event and no other
    assertion: Assertion  # best live one; DENIED when known only from denials
    state: EventState
    attributes: Attributes
    occurred_at: datetime  # aware UTC
    date_precision: str  # instant, day, published
    claims: tuple[Claim, ...]  # live and denying ones, sorted by (told_at, article_id, signal_id)
    date_conflicts: tuple[DateClaim, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    corroboration: int = 0  # distinct families with a live claim
    disputed: bool = False
    retrospective: bool = False
    first_told_at: datetime | None = None
    last_live_at: datetime | None = None
    first_recorded_at: datetime | None = None
    story_id: str | None = None
    closes: tuple[str, ...] = ()  # ids of the open events that this one closes
    closed_at: datetime | None = None  # when a closing event or a `resolved` attribute closed it
    history: tuple[HistoryStep, ...] = ()
    background: tuple[str, ...] = ()  # ids of background Signals linked for reading only
    merged_into: str | None = None
    split_from: str | None = None
    recorded_at: datetime | None = None  # of this version

    @property
    def date_conflict(self) -> bool:
        """Whether an article gives a date more than 14 days off the one in force."""
        return bool(self.date_conflicts)


@dataclass(frozen=True, slots=True)
class Story:
    """Events of one vendor with one common cause; a label, not a container."""

    id: str
    vendor: str
    event_ids: tuple[str, ...]


class VerdictKind(StrEnum):
    """What a person may decide about an Event."""

    CONFIRM = "confirm"
    REJECT = "reject"
    SET_ATTRIBUTES = "set_attributes"
    RE_DATE = "re_date"
    MOVE_HOME = "move_home"
    SET_MAGNITUDE = "set_magnitude"
    CLOSE = "close"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A person's dated judgement of an Event; appended, never edited."""

    id: str
    event_id: str
    kind: VerdictKind
    author: str
    reason: str
    values: Attributes = field(default_factory=dict)
    recorded_at: datetime | None = None


_UNTOLD = ("other", "unknown", "")  # values of a closed list that tell a reader nothing
_TITLES = frozenset({"ceo", "cto", "cro", "cfo", "coo", "vp"})
_SCALES = ((1e12, " trillion"), (1e9, " billion"), (1e6, " million"))


def heading(event: Event, event_type: EventType) -> str:
    """Return the event in a few words, from the first template whose fields are all known."""
    values = {
        name: _words(name, value, event, event_type)
        for name, value in event.attributes.items()
        if value not in _UNTOLD
    }
    for template in event_type.heading:
        try:
            text = template.format_map(values)
        except KeyError:
            continue
        is_name = any(
            text.startswith(name) for name in event_type.names.values()
        )  # xAI keeps its small letter
        return text if is_name else text[:1].upper() + text[1:]
    return event_type.id.replace("_", " ").capitalize()


def _words(name: str, value: AttrValue, event: Event, event_type: EventType) -> str:
    kind = event_type.attributes.get(name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        if kind == "money":
            return _money(value, str(event.attributes.get("currency", "")))
        return f"{value:,}" if isinstance(value, int) else f"{value:g}"
    if kind in ("vendor", "org"):  # a vendor may stand where any organisation may
        return event_type.names.get(value, value)
    return value.upper() if kind == "role" and value in _TITLES else value.replace("_", " ")


def _money(amount: float, currency: str) -> str:
    scale, word = next(((scale, word) for scale, word in _SCALES if amount >= scale), (1, ""))
    figure = f"{round(amount / scale, 2):,.10g}{word}"
    return f"${figure}" if currency == "USD" else f"{currency} {figure}".strip()
