"""A small language, register and rule set for the tests of the engine."""
# ruff: noqa: E501, RUF001 - tables of patterns read best in one line; typographic quotes are meant

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from riskwatch.detect import Language, Ruleset, compile_ruleset
from riskwatch.detect.rules import Blockers, Lexicon, Modifiers, Rule
from riskwatch.model import Article, Direction, EventType, Factor, Publisher, Vendor

LEXICON: dict[str, Any] = {
    "lang": "en",
    "numbers": {"two": 2, "three": 3, "four": 4, "a dozen": 12},
    "vague_numbers": {"several": 3, "dozens": 24},
    "macros": {
        "leave": "resign(?:s|ed)?|step(?:s|ped|ping)? down|left|leaves|leaving|(?:was|is) (?:[a-z]+ly )?fired|vacated",
        "hint": "resign(?:s|ed)?|step(?:s|ped|ping)? down|left|leaves|leaving|fired|vacated|departure",
        "staff": "researchers|engineers|architects",
        "share": "shares?|stock",
        "fell": "fell|dropped|slid|fall",
    },
    "grammar": {
        "abbreviations": ["inc", "u.s"],
        "months": {"january": 1, "march": 3, "may": 5, "june": 6, "december": 12},
        "weekdays": {"monday": 0, "friday": 4},
        "relative_days": {"today": 0, "yesterday": -1, "this week": 0},
        "weekday_next": "next|by",
        "date_patterns": [
            r"\b(?P<month>{month}) (?P<day>\d{1,2}),? (?P<year>\d{4})\b",
            r"\b(?P<month>{month}) (?P<day>\d{1,2})\b",
            r"\b(?P<month>{month}) (?P<year>\d{4})\b",
            r"\b(?:on|next) (?P<weekday>{weekday})\b",
            r"\b(?P<relative>{relative})\b",
        ],
        "duration_hours": {"minutes": 1 / 60, "hours": 1, "days": 24},
        "company_after": r"^(?: raises\b|, an? (?:[a-z]+ )?start-up\b)",
        "percent": "%|percent",
        "currencies": {"$": "USD", "€": "EUR", "dollars": "USD"},
        "scales": {"million": 1e6, "billion": 1e9},
        "roles": [
            {"code": "ceo", "pattern": "ceo|chief executive"},
            {"code": "cto", "pattern": "cto"},
            {"code": "technical_lead", "pattern": "technical lead"},
            {"code": "other", "pattern": "head|code lead"},
        ],
        "role_tail": "(?:of|for) [a-z][a-z-]{3,}",
        "person_join": ", and |, | and ",
        "person_note": r",(?: (?:a|the|who)\b| «[rv][0-9]+»)(?:[^,;.«»]|«[rvn][0-9]+»){0,60},",
        "possessive": "['’]s",
        "honorifics": "mr|ms|dr",
        "not_names": ["The", "AI", "Hong", "Kong", "However", "Market"],
        "not_surnames": ["Page"],
        "anaphor": "the (?:company|division)|its",
        "from_prep": "(?: (?:his|her|their) [a-z]+)?(?: as «R[0-9]+»)? ?(?:from|of|at|as)",
        "post_prep": "of|at|for",
        "direct": "(?: the)?",
        "list_join": ", | and |, and ",
        "clause_cut": r"[;:—]|, (?:which|while|after)\b|\b(?:when|after|while) ",
        "cues": {
            "destination": {"before": r"\b(?:leaves|left|joins)[^«»;]{0,20}\b(?:for|to|joins) $"},
            "comparison": {"before": r"\b(?:like|unlike) $", "unless": r"\bmodels like $"},
            "plaintiff": {"after": r"^ (?:sues|sued)\b"},
            "taker": {"after": r"^ (?:hires|hired|poached)\b"},
            "former": {"before": r"\b(?:former|ex)[- ]$"},
        },
        "vouching": {"before": r"\bbans $", "after": r"^ (?:is )?fined\b", "unless": r"\bnobody bans $"},
        "self_speech": "said|announced|confirmed",
        "credit": "(?:according to|reported by) (?:the )?«S»|«S» (?:reported|said)",
        "byline": r"\((?:[^()]{1,80}/)?«S»\)$|^(?:[^:/]{1,80} / )?«S»: ",
        "retelling": r"^(?:why|inside)\b",
        "presupposes": r"\bafter (?:the )?(?:[a-z]+ ){0,2}",
        "fresh": "today|on friday",
        "ahead": "will",
        "past": "fell|was|resigned",
        "own_words": r"\baccording to «S»",
        "company_words": "lawsuit|court|funding|model|engineers",
        "boilerplate_line": "^read more.*$",
        "boilerplate_tail": "^related articles$",
        "bullet": r"^ *(?:[-•]|\d\.) ",
        "approx": "nearly|about",
        "horizon": "this year|since june",
        "market_index": "nasdaq|hang seng",
        "person_verbs": "said|denied|resigned|left|stepped|announced|who",
        "person_before": r"\b(?:fires|names|hires) $",
        "person_after": "^ (?:to lead|joins|leaves)\\b",
    },
}
MODIFIERS: dict[str, Any] = {
    "lang": "en",
    "precedence": ["denied", "hypothetical", "background", "rumoured", "reported", "confirmed"],
    "terminate": r"\b(?:but|however)\b|;",
    "modifiers": [
        {"id": "neg.deny", "sets": "denied", "direction": "forward", "max_scope": 14, "pattern": r"\b(?:denied|not)\b"},
        {"id": "pseudo.neg", "sets": "none", "direction": "pseudo", "pattern": r"\bnot only\b"},
        {"id": "pseudo.primary", "sets": "none", "direction": "pseudo", "pattern": r"\baccording to the company\b"},
        {"id": "hyp.if", "sets": "hypothetical", "direction": "forward", "max_scope": 25, "pattern": r"\bif\b"},
        {"id": "hyp.q", "sets": "hypothetical", "direction": "backward", "max_scope": 60, "pattern": r"\?\s*$"},
        {"id": "hist.year", "sets": "background", "direction": "both", "max_scope": 30,
         "when": {"older_than_item_years": 1}, "pattern": r"\bin (?:march )?(?:19|20)\d\d\b"},
        {"id": "hist.month", "sets": "background", "direction": "both", "max_scope": 30,
         "when": {"older_than_item_months": 2}, "pattern": r"\bin (?:january|march|may|june|december)\b"},
        {"id": "hist.analogy", "sets": "background", "direction": "both", "max_scope": 40, "vendors": "not_focus",
         "pattern": r"\bmirrors\b"},
        {"id": "rum.modal", "sets": "rumoured", "direction": "forward", "max_scope": 8, "pattern": r"\b(?:may|could)\b"},
        {"id": "att.adverb", "sets": "reported", "direction": "both", "max_scope": 40, "inside": True,
         "pattern": r"\b(?:reportedly|according to)\b"},
        {"id": "att.source", "sets": "reported", "direction": "forward", "max_scope": 40,
         "pattern": r"\breports that\b"},
    ],
}  # fmt: skip
EXIT: dict[str, Any] = {
    "id": "leadership_exit.named", "title": "Somebody leaves", "event": "leadership_exit", "lifecycle": "stable",
    "level": "high", "version": 1,
    "detect": {
        "prefilter": r"\b(?:{hint}|fires|hires)\b",
        "any": {
            "subject": r"(?P<who>{PERSONS}|{ROLE}){GAP:70}\b(?P<t>{leave})\b",
            "noun": r"(?P<who>{PERSONS}|{ROLE})(?:[’']s)?{GAP:30}\b(?P<t>departure)\b",
            "ousted": r"\b(?P<t>fires) {GAP:20}(?P<who>{PERSON}|{ROLE})",
            "hired": r"(?P<taker>{ORG}) (?P<t>hires|hired) (?P<from>{VENDOR})(?:[’']s)? {GAP:20}(?P<who>{PERSON}|{ROLE})",
        },
        "not": {"questions": "left {COUNT} questions|left many questions"},
    },
    "vendor": {"from": ["slot", "from_prep", "apposition", "employer", "subject", "focus"],
               "never": ["destination", "comparison", "taker", "former"]},
    "capture": {"person": "who", "role": "role_near", "destination": "dest", "effective_on": "date_near",
                "forced": {"true": "fired|fires"}},
}  # fmt: skip
EXODUS: dict[str, Any] = {
    "id": "talent_exodus.group", "title": "Many leave", "event": "talent_exodus", "lifecycle": "test",
    "level": "high", "version": 1,
    "detect": {
        "prefilter": r"\b(?:{hint}|poached)\b",
        "any": {
            "leave": r"(?:(?P<count>{COUNT}) )?(?:senior )?(?P<who>{staff}){GAP:40}\b(?P<t>leaving|left)\b",
            "poached": r"(?P<taker>{ORG}) (?P<t>poached) (?P<count>{COUNT}) {GAP:30}from (?P<from>{VENDOR})",
        },
    },
    "vendor": {"from": ["slot", "from_prep", "apposition", "subject", "focus"], "never": ["destination", "taker"]},
    "capture": {"count": "count"},
}  # fmt: skip
DROP: dict[str, Any] = {
    "id": "share_drop.percent", "title": "Shares fall", "event": "share_drop", "lifecycle": "stable",
    "level": "medium", "version": 1,
    "detect": {
        "prefilter": r"\b{share}\b",
        "any": {"fell": r"\b(?P<n>{share})\b{GAP:45}\b(?P<t>{fell})\b(?: (?:nearly|about))?(?: (?P<pct>{PCT}))?"},
    },
    "assertion": {"ignore": {"ids": ["att.*"], "when": "percent"}},
    "vendor": {"from": ["apposition", "subject", "focus"], "never": ["comparison"]},
    "capture": {"percent": "pct", "horizon": "horizon_near"},
}  # fmt: skip
SUIT: dict[str, Any] = {
    "id": "lawsuit.filed", "title": "Somebody sues", "event": "lawsuit", "lifecycle": "stable", "level": "medium",
    "version": 1,
    "detect": {
        "prefilter": r"\b(?:sues|sued|lawsuit)\b",
        "any": {
            "sued": r"\b(?P<t>sues|sued) {GAP:40}(?P<v>{VENDOR}(?:(?:, | and ){VENDOR})*)",
            "against": r"\b(?P<t>lawsuit) against (?P<v>{VENDOR})",
        },
    },
    "assertion": {"set": {"background": {"known": r"\bthe lawsuit"}}, "unless": r"\bfiled\b"},
    "vendor": {"from": ["slot"], "never": ["plaintiff"]},
    "capture": {"plaintiff": "plaintiff", "amount": "money_near", "claim": "=copyright"},
}  # fmt: skip
VENDORS: tuple[dict[str, Any], ...] = (
    {"id": "alibaba", "name": "Alibaba", "names": ["Alibaba", "Alibaba Cloud"],
     "lines": {"qwen": {"name": "Qwen", "names": ["Qwen"], "products": ["Qwen Max"]}},
     "people": [
         {"name": "Mei Tan", "family": "Tan", "aliases": ["Tan Mei"], "role": "technical lead", "line": "qwen",
          "to": "2026-03"},
         {"name": "Bo Ruan", "family": "Ruan", "role": "code lead", "line": "qwen", "key": True,
          "to": "2025-06"},
         {"name": "Ty Orr", "family": "Orr", "role": "contributor", "line": "qwen"},
     ]},
    {"id": "openai", "name": "OpenAI", "names": ["OpenAI"], "people": [
        {"name": "Ada Quill", "family": "Quill", "role": "CEO"}]},
    {"id": "meta", "name": "Meta", "names": [
        {"text": "Meta", "ambiguous": True, "usual": True, "context": ["llama", "facebook"], "not_before": ["analysis"]}]},
    {"id": "cohere", "name": "Cohere", "names": ["Cohere"], "lines": {"command": {"name": "Command", "names": [
        {"text": "Command", "ambiguous": True, "context": ["cohere"], "requires": "[RA]"}]}}},
    {"id": "_canary", "name": "Canaria", "watched": False, "names": ["Canaria"]},
)  # fmt: skip


def _event(name: str, factor: Factor, attributes: dict[str, str]) -> EventType:
    return EventType(name, factor, Direction.ADVERSE, name, attributes, 30)


TAXONOMY = {
    event.id: event
    for event in (
        _event("leadership_exit", Factor.LEADERSHIP, {
            "person": "person", "role": "role", "destination": "vendor", "forced": "bool", "effective_on": "date"}),
        _event("talent_exodus", Factor.LEADERSHIP, {"count": "count", "count_exact": "bool", "destination": "vendor"}),
        _event("share_drop", Factor.FINANCIAL, {
            "percent": "percent", "approx": "text", "horizon": "text", "market_percent": "percent"}),
        _event("lawsuit", Factor.LEGAL, {"plaintiff": "org", "amount": "money", "claim": "text"}),
    )
}  # fmt: skip


def a_ruleset(*rules: dict[str, Any]) -> Ruleset:
    return compile_ruleset(
        [Rule.model_validate(rule) for rule in rules or (EXIT, EXODUS, DROP, SUIT)],
        taxonomy=TAXONOMY,
        languages=[Language(Lexicon.model_validate(LEXICON), Modifiers.model_validate(MODIFIERS))],
        vendors=[Vendor.model_validate(vendor) for vendor in VENDORS],
        blockers=Blockers.model_validate(
            {"blockers": [{"name": "Broadcom"}], "suffixes": ["Inc", "Capital"]}
        ),
        publishers=[
            Publisher(name="Morning Wire", family="wire", tier="1"),
            Publisher(name="Evening Post", family="post", tier="2"),
            Publisher(name="Daily Links", family="links", tier="4", aggregator=True, curated=True),
        ],
    )


@cache
def shared() -> Ruleset:
    return a_ruleset()


def an_article(text: str, *, title: str | None = None, day: str = "2026-03-05", **fields: Any) -> Article:
    at = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
    values: dict[str, Any] = {
        "source_id": "test", "guid": "1", "title": title, "text": text, "url": None, "published_at": at, "lang": "en",
        "publisher": "Test", "family": "test", "tier": "3", "id": "a1", "first_seen_at": at, "text_key": "k",
    }  # fmt: skip
    return Article(**(values | fields))
