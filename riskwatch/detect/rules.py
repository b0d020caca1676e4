"""Models of what settings reads for detection: rules, lexicon, modifiers and blockers."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from riskwatch.model import Assertion

Pattern = Annotated[
    str, Field(min_length=1, max_length=8192, description="RE2, case-insensitive, lexicon macros in {braces}")
]
Frame = Annotated[
    str,
    Field(
        min_length=1,
        max_length=8192,
        description="RE2 over the masked sentence; group t is the trigger; a group we gives the event to"
        " the vendor whose own site it is. Beyond Latin-1 letters differ by kind only; case folds in ASCII.",
    ),
]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Lang = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
Role = Literal["destination", "comparison", "plaintiff", "counterparty", "taker", "former", "product"]


class Lifecycle(StrEnum):
    """State of a rule: experimental is traced but signals nothing, deprecated is not run."""

    EXPERIMENTAL = "experimental"
    TEST = "test"
    STABLE = "stable"
    DEPRECATED = "deprecated"


class Route(StrEnum):
    """How a Signal found its vendor, surest first."""

    SLOT = "slot"
    FROM_PREP = "from_prep"
    APPOSITION = "apposition"
    EMPLOYER = "employer"
    SUBJECT = "subject"
    AFTER = "after"
    FOCUS = "focus"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Scope(_Strict):
    """Where a rule looks."""

    fields: tuple[Literal["title", "body"], ...] = ("title", "body")
    unit: Literal["sentence"] = "sentence"
    langs: tuple[Lang, ...] = Field(default=("en",), min_length=1)
    sources: tuple[str, ...] = Field(default=(), description="source classes; empty means all")

    @property
    def is_limited(self) -> bool:
        """Whether it looks at some fields or source classes only."""
        return bool(self.sources) or set(self.fields) != {"title", "body"}


class Detect(_Strict):
    """What a rule looks for."""

    prefilter: Pattern
    any_: dict[Name, Frame] = Field(alias="any", min_length=1)
    not_: dict[Name, Pattern] = Field(default_factory=dict, alias="not")


class Ignore(_Strict):
    """Modifiers that do not apply to a rule; `when` names a captured attribute that must be present."""

    ids: tuple[str, ...] = Field(min_length=1, description="modifier ids or globs such as att.*")
    when: Name | None = None


class RuleAssertion(_Strict):
    """A rule's own dealings with assertions."""

    ignore: Ignore | None = None
    set_: dict[Assertion, dict[Name, Pattern]] = Field(default_factory=dict, alias="set")
    unless: Pattern | None = None

    @field_validator("ignore", mode="before")
    @classmethod
    def _list_of_ids(cls, value: object) -> object:
        if isinstance(value, (list, tuple)):
            return {"ids": tuple(value)}
        if isinstance(value, dict) and isinstance(value.get("ids"), list):
            return {**value, "ids": tuple(value["ids"])}  # strict validation takes tuples here
        return value


class RuleVendor(_Strict):
    """Routes to the vendor in order, and roles that may not carry the event."""

    from_: tuple[Route, ...] = Field(alias="from", min_length=1)
    never: tuple[Role, ...] = ()


class Expectation(_Strict):
    """One Signal that a test text must give; what is not stated is not compared."""

    vendor: str
    line: str | None = None
    assertion: Assertion | None = None
    route: Route | None = None
    attrs: dict[Name, str | int | float | bool] = Field(default_factory=dict)
    claimed: dt.date | None = None
    primary: bool | None = None


class RuleTest(_Strict):
    """A sentence and the Signals of the rule's event that it must give."""

    text: str = Field(min_length=1)
    title: str | None = None
    date: dt.date = dt.date(2026, 3, 5)
    focus: str | None = Field(default=None, description="vendor that the document is taken to be about")
    lang: Lang | None = Field(default=None, description="default: first of the rule's langs")
    source_class: str = "press"
    covers: tuple[str, ...] = ()
    expect: tuple[Expectation, ...] | None = None
    expect_live: tuple[Expectation, ...] | None = None
    allow: tuple[str, ...] = Field(default=(), description="other event types that may be live here (R08)")
    todo: bool = False

    @property
    def is_positive(self) -> bool:
        """Whether the text must give a Signal."""
        return bool(self.expect or self.expect_live)


class Rule(_Strict):
    """One file of config/rules/: a pattern of one event type with its tests."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")
    title: str = Field(min_length=1)
    event: Name
    lifecycle: Lifecycle
    level: Literal["low", "medium", "high"]
    version: int = Field(ge=1)
    tags: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    scope: Scope = Scope()
    detect: Detect
    assertion: RuleAssertion = RuleAssertion()
    vendor: RuleVendor
    capture: dict[Name, str | dict[str, Pattern]] = Field(
        default_factory=dict,
        description="attribute -> groups and finders (`count | counted`: the first that reads), =constant, "
        "or table of value -> RE2 over the clause",
    )
    quiet: int = Field(default=0, ge=0, description="live signals allowed on the quiet corpus (R07)")
    tests: tuple[RuleTest, ...] = ()

    @field_validator("capture", mode="before")
    @classmethod
    def _keys_as_text(cls, value: object) -> object:
        """YAML reads `true:` as a boolean key; tables are keyed by text."""
        if not isinstance(value, dict):
            return value
        return {
            name: {_text(key): pattern for key, pattern in source.items()}
            if isinstance(source, dict)
            else source
            for name, source in value.items()
        }

    @property
    def reference(self) -> str:
        """Rule and version, as a Signal carries it."""
        return f"{self.id}@{self.version}"


def _text(key: object) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


class RolePhrase(_Strict):
    """Wording of a post and the role code of the scoring file that it maps to."""

    code: str
    pattern: Pattern


class Cue(_Strict):
    """Words beside a name that give it a role in the sentence."""

    before: Pattern | None = Field(default=None, description="matches right before the name")
    after: Pattern | None = Field(default=None, description="matches right after the name")
    unless: Pattern | None = Field(
        default=None, description="matches right before the name and spoils the cue"
    )


class Grammar(_Strict):
    """What the engine must know of a language beside words: every pattern is RE2, case-insensitive."""

    unit: Literal["words", "characters"] = "words"
    script: Pattern | None = Field(
        default=None, description="a letter; texts without one are read in the first language"
    )
    sentence_end: str = ".!?"
    abbreviations: tuple[str, ...] = Field(default=(), description="words whose full stop ends no sentence")
    family_name_first: bool = False
    months: dict[str, int] = Field(default_factory=dict)
    weekdays: dict[str, int] = Field(default_factory=dict, description="Monday is 0")
    relative_days: dict[str, int] = Field(
        default_factory=dict, description="phrase -> days from the item's date"
    )
    weekday_prefix: Pattern | None = Field(default=None, description="words before a weekday: on, last")
    weekday_next: Pattern | None = Field(
        default=None, description="words that put a weekday after the item's date"
    )
    date_patterns: tuple[Pattern, ...] = Field(
        default=(),
        description="RE2 with groups year, month, day, weekday, relative; {month} {weekday} {relative} known",
    )
    duration_hours: dict[str, float] = Field(default_factory=dict, description="unit word -> hours")
    percent: Pattern | None = None
    percent_before: Pattern | None = Field(
        default=None, description="percent sign that leads its number: 百分之"
    )
    numerals: dict[str, int] = Field(
        default_factory=dict, description="signs that build numbers: 三 -> 3, 十 -> 10; read left to right"
    )
    counter: Pattern | None = Field(
        default=None, description="measure word without which numerals are no count: 名"
    )
    person_patterns: tuple[Pattern, ...] = Field(
        default=(), description="RE2 over the masked sentence; group name is an unknown person"
    )
    currencies: dict[str, str] = Field(default_factory=dict, description="sign or word -> ISO 4217")
    scales: dict[str, float] = Field(default_factory=dict, description="million -> 1e6")
    roles: tuple[RolePhrase, ...] = ()
    role_tail: Pattern | None = Field(default=None, description="what may follow a post: `of post-training`")
    role_head: Pattern | None = Field(
        default=None, description="what may stand before a post: `former`, `interim`"
    )
    former: Pattern | None = Field(
        default=None, description="marks a past holder of a post, before a role or name"
    )
    person_join: Pattern | None = Field(default=None, description="between coordinated persons")
    person_note: Pattern | None = Field(default=None, description="apposition or brackets after a person")
    possessive: Pattern | None = Field(default=None, description="right after an owner")
    honorifics: Pattern | None = None
    company_suffix_join: Pattern | None = None
    not_names: tuple[str, ...] = Field(
        default=(), description="capitalised words that are no company or person"
    )
    not_surnames: tuple[str, ...] = Field(default=(), description="family names that are common words")
    anaphor: Pattern | None = Field(default=None, description="the company, the lab, its")
    from_prep: Pattern | None = Field(default=None, description="between the trigger and its vendor")
    post_prep: Pattern | None = Field(default=None, description="between a post and its company: of, at, for")
    direct: Pattern | None = Field(default=None, description="between a transitive trigger and its vendor")
    list_join: Pattern | None = Field(default=None, description="between vendors of one list")
    clause_cut: Pattern | None = None
    cues: dict[Role, Cue] = Field(default_factory=dict)
    vouching: Cue = Field(
        default_factory=Cue, description="words right beside a usual name that make it the company"
    )
    self_speech: Pattern | None = Field(default=None, description="after a speaker who speaks for itself")
    credit: Pattern | None = Field(default=None, description="words that credit an outlet")
    byline: Pattern | None = Field(default=None, description="names the outlet «S» that an item is from")
    retelling: Pattern | None = Field(
        default=None, description="in a title: an explainer, opinion or list, not news"
    )
    detaches: Pattern | None = Field(
        default=None, description="between a verb and a time that belongs to another one"
    )
    presupposes: Pattern | None = Field(
        default=None, description="right before a word of an event: takes it for known"
    )
    fresh: Pattern | None = Field(default=None, description="in a sentence: it happened just now")
    counted: Pattern | None = Field(default=None, description="right behind a number of people or jobs")
    out_of: Pattern | None = Field(
        default=None, description="before the whole of which a part is told: one in"
    )
    joins: Pattern | None = Field(default=None, description="before a company that somebody goes to")
    month: Pattern | None = Field(default=None, description="a month without day and year: in October")
    ahead: Pattern | None = Field(default=None, description="near a time without a year: it is still to come")
    past: Pattern | None = Field(default=None, description="near a time without a year: it is gone by")
    boilerplate_line: Pattern | None = Field(default=None, description="a line that is cut")
    boilerplate_tail: Pattern | None = Field(default=None, description="a line that ends the article")
    bullet: Pattern | None = Field(default=None, description="start of an entry of a list")
    approx: Pattern | None = Field(default=None, description="words that blur a quantity")
    horizon: Pattern | None = Field(
        default=None, description="span that a movement covers: this year, since June"
    )
    party: Pattern | None = Field(
        default=None, description="kinds of people who go to court; named groups say what each is called"
    )
    jurisdiction: Pattern | None = Field(
        default=None, description="places and their authorities; named groups say what each place is called"
    )
    no_unit: Cue = Field(default_factory=Cue, description="beside a word of a unit: it is not what happened")
    of_models: Pattern | None = Field(
        default=None, description="in a clause: it is about models or what runs them"
    )
    board_seat: Pattern | None = Field(default=None, description="behind who left: it was a seat on a board")
    planned: Pattern | None = Field(default=None, description="what a status page calls announced work")
    update_stamp: Pattern | None = Field(
        default=None, description="when a status page was updated: groups of dates"
    )
    scene: Pattern | None = Field(default=None, description="right before where it happened: in, across")
    no_party: Pattern | None = Field(
        default=None, description="right before somebody who is no side of a dispute: judge, counsel"
    )
    agent: Pattern | None = Field(default=None, description="right before who did it: by, from")
    own_case: Pattern | None = Field(default=None, description="right after a party: its own dispute")
    market_index: Pattern | None = Field(default=None, description="an index; its percentage is the market's")
    person_verbs: Pattern | None = Field(default=None, description="after an unknown person, proving one")
    own_words: Pattern | None = Field(default=None, description="credit to the vendor or person itself, «S»")
    company_words: Pattern | None = Field(default=None, description="two of them vouch for an ambiguous name")
    company_after: Pattern | None = Field(
        default=None, description="after an unknown name: it is a company's (proposals of the curator)"
    )
    person_after: Pattern | None = Field(
        default=None, description="after an unknown person, in any case style"
    )
    person_before: Pattern | None = Field(default=None, description="before an unknown person, proving one")


class Lexicon(_Strict):
    """Words of one language: numbers, macros and grammar; config/lexicon.yaml."""

    lang: Lang
    numbers: dict[str, int] = Field(default_factory=dict)
    vague_numbers: dict[str, int] = Field(default_factory=dict)
    macros: dict[Name, Pattern] = Field(default_factory=dict)
    grammar: Grammar = Grammar()


class When(_Strict):
    """Condition of a modifier on its own words."""

    older_than_item_years: int | None = Field(
        default=None, ge=0, description="the year in the match lies that far back"
    )
    older_than_item_months: int | None = Field(
        default=None, ge=0, description="the month in the match, without a year, lies that far back"
    )


class Modifier(_Strict):
    """Words that say how an event is stated."""

    id: str = Field(pattern=r"^[a-z]+\.[a-z0-9_]+$")
    sets: Assertion | Literal["none"]
    direction: Literal["forward", "backward", "both", "pseudo"]
    max_scope: int = Field(default=0, ge=0, description="words (or characters) that it reaches; 0 for pseudo")
    pattern: Pattern
    inside: bool = Field(default=False, description="counts inside the trigger span too")
    attached: bool = Field(
        default=False, description="a time: it belongs to the nearest verb, not to one behind another clause"
    )
    when: When | None = None
    vendors: Literal["not_focus"] | None = None


class Modifiers(_Strict):
    """Modifiers of one language; config/modifiers.yaml."""

    lang: Lang
    precedence: tuple[Assertion, ...] = Field(min_length=6, max_length=6)
    terminate: Pattern
    modifiers: tuple[Modifier, ...] = ()


class Blocker(_Strict):
    """A company that is never scored but must be seen."""

    name: str = Field(min_length=1)
    aliases: tuple[str, ...] = ()
    tickers: tuple[str, ...] = ()


class Blockers(_Strict):
    """config/blockers.yaml."""

    blockers: tuple[Blocker, ...] = ()
    suffixes: tuple[str, ...] = ()


class Rates(_Strict):
    """config/rates.yaml: on how many of 1,000 articles of a pool of news a rule may give a live signal."""

    default: float = Field(default=2.0, gt=0, description="for every rule that is not listed")
    rules: dict[str, float] = Field(default_factory=dict, description="rule id -> articles of 1,000")
