"""Compile rules, packs and registers into one Ruleset; every mistake of a run is reported together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from riskwatch.detect.assertion import OwnModifiers
from riskwatch.detect.gazetteer import Gazetteer, Outlets, build, build_outlets
from riskwatch.detect.needs import Known
from riskwatch.detect.packs import NEVER, Pack, compile_pack
from riskwatch.detect.patterns import (
    MAX_SET_MEMORY_BYTES,
    PatternError,
    compile_pattern,
    token_class,
)
from riskwatch.detect.regex import Regex
from riskwatch.detect.rules import Blockers, Lexicon, Lifecycle, Modifiers, Rule
from riskwatch.detect.selection import Finder
from riskwatch.detect.sentences import Splitter, build_splitter
from riskwatch.detect.settle import Kinds
from riskwatch.errors import ConfigError, ConfigErrors
from riskwatch.model import Direction, EventType, Factor, Publisher, Taxonomy, Vendor

FINDERS = frozenset(
    {
        "role_near",
        "product_near",
        "money_near",
        "date_near",
        "duration_near",
        "horizon_near",
        "percent_near",
        "count_near",
        "counted",
        "own_percent",
        "org_near",
        "person_near",
        "dest",
        "plaintiff",
        "counterparty",
        "country_near",
    }
)
OPERATIONS = "operations"  # factor of the types that tell how services run
EXTRA_ATTRIBUTES = frozenset({"role_text", "currency"})  # wording and unit that go with another attribute


@dataclass(frozen=True, slots=True)
class Frame:
    """One alternative of a rule."""

    name: str
    pattern: Regex
    groups: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Capture:
    """Where one attribute comes from: exactly one of the sources is set."""

    attribute: str
    kind: str  # of the taxonomy: person, count ...
    source: str = ""  # group or finder
    constant: str | None = None
    table: tuple[tuple[str, Regex], ...] = ()


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule ready to run."""

    spec: Rule
    event: EventType
    frames: tuple[Frame, ...]
    filters: tuple[tuple[str, Regex], ...]
    own: OwnModifiers
    captures: tuple[Capture, ...]
    needs_person: bool
    hint: Regex  # the prefilter, to show the words that hit
    uses_people: bool  # whether a frame has a place for persons


@dataclass(frozen=True, slots=True)
class LanguageRules:
    """The rules of one language with their prefilter."""

    pack: Pack
    splitter: Splitter
    rules: tuple[CompiledRule, ...]
    hint: Regex  # the prefilters together of all rules that look everywhere
    people_hint: Regex  # of those among them that ask for persons
    is_spaced: bool  # whether words stand apart
    frames: Finder  # of the frames of each rule, in order
    filters: Finder  # of the named filters of each rule, in order
    modifiers: Finder  # of the modifiers of the pack, each a group of its own
    limited: frozenset[int]  # numbers of the rules that do not look everywhere
    kinds: Kinds


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All rules of one moment, named by a digest."""

    digest: str
    taxonomy: Taxonomy
    languages: Mapping[str, LanguageRules]
    gazetteer: Gazetteer
    outlets: Outlets
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Language:
    """Lexicon and modifiers of one language, as read from config/."""

    lexicon: Lexicon
    modifiers: Modifiers


def compile_ruleset(  # noqa: PLR0913 - all that a ruleset is made of
    rules: Sequence[Rule],
    *,
    taxonomy: Taxonomy,
    languages: Sequence[Language],
    vendors: Sequence[Vendor],
    blockers: Blockers,
    publishers: Sequence[Publisher] = (),
    known: Known | None = None,
) -> Ruleset:
    """Compile everything or raise ConfigErrors with all mistakes.

    Args:
        rules: Those of all languages; deprecated ones are left out.
        taxonomy: The types of events that they tell.
        languages: Lexicon and modifiers of each.
        vendors: Those watched.
        blockers: Companies that are seen and never blamed.
        publishers: Outlets that a byline may name.
        known: What was told of patterns before; what is told of these is added.
    """
    errors: list[ConfigError] = []
    packs = {language.lexicon.lang: _pack(language, blockers, errors) for language in languages}
    compiled: dict[str, list[CompiledRule]] = {lang: [] for lang in packs}
    for rule in sorted(rules, key=lambda entry: entry.id):
        if rule.lifecycle == Lifecycle.DEPRECATED:
            continue
        for lang in rule.scope.langs:
            pack = packs.get(lang)
            if lang not in packs:
                errors.append(ConfigError(f"no language pack {lang}", path=rule.id, key="scope.langs"))
            elif pack is not None:
                made = _rule(rule, taxonomy, pack, errors)
                compiled[lang] += [made] if made else []
    gazetteer = _gazetteer(vendors, blockers, errors)
    if errors:
        raise ConfigErrors(tuple(errors))
    return Ruleset(
        digest=digest_of(rules, languages, vendors=vendors, blockers=blockers, publishers=publishers),
        taxonomy=taxonomy,
        languages={
            lang: _language(pack, compiled[lang], known or Known())
            for lang, pack in packs.items()
            if pack is not None
        },
        gazetteer=gazetteer,
        outlets=build_outlets(publishers),
        rules=tuple(rules),
    )


def for_vendors(ruleset: Ruleset, vendors: Sequence[Vendor], blockers: Blockers) -> Ruleset:
    """Return the same rules, under the same name, that know other vendors; raises ConfigErrors."""
    errors: list[ConfigError] = []
    gazetteer = _gazetteer(vendors, blockers, errors)
    if errors:
        raise ConfigErrors(tuple(errors))
    return replace(ruleset, gazetteer=gazetteer)


def _pack(language: Language, blockers: Blockers, errors: list[ConfigError]) -> Pack | None:
    try:
        return compile_pack(language.lexicon, language.modifiers, suffixes=blockers.suffixes)
    except PatternError as error:
        errors.append(ConfigError(str(error), path=f"lexicon or modifiers of {language.lexicon.lang}"))
        return None


def _gazetteer(vendors: Sequence[Vendor], blockers: Blockers, errors: list[ConfigError]) -> Gazetteer:
    try:
        return build(vendors, blockers)
    except PatternError as error:
        errors.append(ConfigError(str(error), path="vendors"))
        return build((), Blockers())


def _language(pack: Pack, compiled: Sequence[CompiledRule], known: Known) -> LanguageRules:
    open_ = [rule for rule in compiled if not rule.spec.scope.is_limited]
    is_spaced = pack.grammar.unit == "words"
    frames = [[str(frame.pattern.pattern) for frame in rule.frames] for rule in compiled]
    filters = [[str(pattern.pattern) for _, pattern in rule.filters] for rule in compiled]
    modifiers = [[str(modifier.pattern.pattern)] for modifier in pack.assertions.modifiers]
    finder = partial(Finder, is_spaced=is_spaced, known=known)
    return LanguageRules(
        pack=pack,
        splitter=build_splitter(pack.grammar.sentence_end, pack.grammar.abbreviations, is_spaced=is_spaced),
        rules=tuple(compiled),
        hint=_together(open_),
        people_hint=_together([rule for rule in open_ if rule.uses_people]),
        is_spaced=is_spaced,
        frames=finder(frames, hints=[str(rule.hint.pattern) for rule in compiled]),
        filters=finder(filters),
        modifiers=finder(modifiers),
        limited=frozenset(number for number, rule in enumerate(compiled) if rule.spec.scope.is_limited),
        kinds=Kinds(
            hints={rule.spec.reference: rule.hint for rule in compiled},
            adverse=_types(compiled, Direction.ADVERSE),
            neutral=_types(compiled, Direction.NEUTRAL),
            running=frozenset(rule.event.id for rule in compiled if rule.event.factor == OPERATIONS),
            doings=frozenset(rule.event.id for rule in compiled if rule.event.factor is Factor.LICENSING),
            yields_to={rule.event.id: rule.event.yields_to for rule in compiled if rule.event.yields_to},
        ),
    )


def _types(compiled: Sequence[CompiledRule], direction: Direction) -> frozenset[str]:
    return frozenset(rule.event.id for rule in compiled if rule.event.direction is direction)


def _together(rules: Sequence[CompiledRule]) -> Regex:
    """Return the prefilters of the rules as one pattern."""
    patterns = [f"(?:{rule.hint.pattern!s})" for rule in rules]
    return compile_pattern("|".join(patterns), memory_bytes=MAX_SET_MEMORY_BYTES) if patterns else NEVER


class _Collector:
    """Compiles the patterns of one rule and notes what does not compile."""

    def __init__(self, rule: Rule, pack: Pack, errors: list[ConfigError]) -> None:
        self.rule, self.pack, self.errors = rule, pack, errors
        self.before = len(errors)

    def error(self, message: str, key: str) -> None:
        self.errors.append(ConfigError(message, path=self.rule.id, key=key))

    def compile(self, pattern: str, key: str, *, is_narrow: bool = False) -> Regex | None:
        try:
            return self.pack.expander.compile(pattern, is_narrow=is_narrow)
        except PatternError as error:
            self.error(str(error), key)
            return None

    @property
    def failed(self) -> bool:
        return len(self.errors) > self.before


def _rule(rule: Rule, taxonomy: Taxonomy, pack: Pack, errors: list[ConfigError]) -> CompiledRule | None:
    collect = _Collector(rule, pack, errors)
    event = taxonomy.get(rule.event)
    if event is None:
        collect.error(f"{rule.event} is no event type of the taxonomy", "event")
        return None
    hint = collect.compile(rule.detect.prefilter, "detect.prefilter")
    frames = tuple(_frames(rule, collect))
    filters = [
        (name, collect.compile(text, f"detect.not.{name}", is_narrow=pack.is_narrow))
        for name, text in rule.detect.not_.items()
    ]
    own = _own(rule, collect)
    captures = tuple(_captures(rule, event, frames, collect))
    if collect.failed or hint is None:
        return None
    return CompiledRule(
        spec=rule,
        event=event,
        frames=frames,
        filters=tuple((name, pattern) for name, pattern in filters if pattern is not None),
        own=own,
        captures=captures,
        needs_person="person" in event.attributes,
        hint=hint,
        uses_people=any(token_class("P") in frame.pattern.pattern for frame in frames),
    )


def _frames(rule: Rule, collect: _Collector) -> Iterable[Frame]:
    for name, text in rule.detect.any_.items():
        pattern = collect.compile(text, f"detect.any.{name}", is_narrow=collect.pack.is_narrow)
        if pattern is None:
            continue
        groups = dict(pattern.groupindex)
        if "t" not in groups:
            collect.error("has no group t, the trigger", f"detect.any.{name}")
            continue
        yield Frame(name, pattern, groups)


def _own(rule: Rule, collect: _Collector) -> OwnModifiers:
    sets = [
        (assertion, name, collect.compile(text, f"assertion.set.{assertion}.{name}"))
        for assertion, patterns in rule.assertion.set_.items()
        for name, text in patterns.items()
    ]
    ignore = rule.assertion.ignore
    return OwnModifiers(
        ignore_ids=ignore.ids if ignore else (),
        ignore_when=ignore.when if ignore else None,
        sets=tuple((assertion, name, pattern) for assertion, name, pattern in sets if pattern is not None),
        unless=collect.compile(rule.assertion.unless, "assertion.unless") if rule.assertion.unless else None,
    )


def _captures(
    rule: Rule, event: EventType, frames: Sequence[Frame], collect: _Collector
) -> Iterable[Capture]:
    groups = {group for frame in frames for group in frame.groups}
    for attribute, source in rule.capture.items():
        key = f"capture.{attribute}"
        kind = event.attributes.get(attribute)
        if kind is None:
            collect.error(f"{event.id} has no attribute {attribute}", key)
        elif isinstance(source, dict):
            table = [(value, collect.compile(text, key)) for value, text in source.items()]
            _check_values(source, kind, key, collect)
            yield Capture(attribute, kind, table=tuple((v, p) for v, p in table if p is not None))
        elif source.startswith("="):
            _check_values((source[1:],), kind, key, collect)
            yield Capture(attribute, kind, constant=source[1:])
        else:
            yield from _sources(Capture(attribute, kind), source, groups, key, collect)


def _sources(
    capture: Capture, sources: str, groups: Collection[str], key: str, collect: _Collector
) -> Iterable[Capture]:
    for source in (part.strip() for part in sources.split("|")):
        if source in groups or source in FINDERS:
            yield replace(capture, source=source)
        else:
            collect.error(f"{source} is neither a group of a frame nor a finder", key)


def _check_values(values: Iterable[str], kind: str, key: str, collect: _Collector) -> None:
    allowed = allowed_values(kind)
    for value in values:
        if allowed is not None and value not in allowed:
            collect.error(f"{value} is none of {', '.join(sorted(allowed))}", key)


def allowed_values(kind: str) -> frozenset[str] | None:
    """Return the values that an attribute of the kind may take; none means any."""
    if kind == "bool":
        return frozenset({"true", "false"})
    if kind.startswith("one_of["):
        return frozenset(value.strip() for value in kind.removeprefix("one_of[").removesuffix("]").split(","))
    return None


def digest_of(
    rules: Sequence[Rule],
    languages: Sequence[Language],
    *,
    vendors: Sequence[Vendor],
    blockers: Blockers,
    publishers: Sequence[Publisher] = (),
) -> str:
    """Return the name of the ruleset that these make, without compiling it: "sha256:" and 64 hex digits."""
    parts: list[object] = [
        [
            rule.model_dump(mode="json", exclude={"tests"})
            for rule in sorted(rules, key=lambda entry: entry.id)
        ],
        [
            [entry.lexicon.model_dump(mode="json"), entry.modifiers.model_dump(mode="json")]
            for entry in sorted(languages, key=lambda entry: entry.lexicon.lang)
        ],
        [vendor.model_dump(mode="json") for vendor in sorted(vendors, key=lambda entry: entry.id)],
        blockers.model_dump(mode="json"),
        sorted([entry.name, entry.family, entry.tier, entry.curated] for entry in publishers),
    ]
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
