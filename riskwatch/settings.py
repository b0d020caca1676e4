"""config/ -> Config: every YAML file is read and validated here, once, and nowhere else.

Every mistake of a run is collected and told together, with file, line, key and what to write instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from riskwatch.collect.source import Source
from riskwatch.config_folder import Reader, config_files
from riskwatch.detect.rules import Blockers, Lexicon, Modifiers, Rates, Rule
from riskwatch.environment import Settings, read_settings
from riskwatch.errors import ConfigError, ConfigErrors
from riskwatch.merge import CommonWords
from riskwatch.model import Dependency, Direction, EventType, Factor, Person, Publisher, Retention, Vendor
from riskwatch.model.vendor import Alias
from riskwatch.score import Methodology, disagreements
from riskwatch.send.playbook import Playbooks, lacking
from riskwatch.send.rule import AlertsFile
from riskwatch.settings_alerts import alerts_of, portfolio_of
from riskwatch.strict_yaml import told, validate

_Model = TypeVar("_Model", bound=BaseModel)


# -------------------------------------------------------------------------------- shapes of files
class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TaxonomyEntry(_Strict):
    """One event type of config/rules/taxonomy.yaml."""

    factor: Factor
    direction: Direction
    definition: str
    positive: tuple[str, ...] = Field(min_length=1)
    negative: str
    attributes: dict[str, str]
    merge_window_days: int = Field(gt=0, le=365, description="days the event stays open for further signals")
    heading: tuple[str, ...] = Field(
        min_length=1, description="templates; the first whose fields are known is used"
    )
    yields_to: tuple[str, ...] = Field(
        default=(),
        description="types; where a sentence tells one of them of the vendor, this type is background",
    )


class TaxonomyFile(_Strict):
    """config/rules/taxonomy.yaml."""

    version: int
    assertions: tuple[str, ...]
    factors: tuple[Factor, ...]
    types: dict[str, TaxonomyEntry]


class PublishersFile(_Strict):
    """config/publishers.yaml."""

    publishers: tuple[Publisher, ...]


class VendorOverride(_Strict):
    """What an installation adds to one vendor."""

    names: tuple[str | Alias, ...] = ()
    people: tuple[Person, ...] = ()
    watched: bool | None = None


class OverridesFile(_Strict):
    """overrides.yaml of an installation: adds aliases, people and blockers, switches frames off."""

    vendors: dict[str, VendorOverride] = Field(default_factory=dict)
    blockers: tuple[str, ...] = ()
    frames_off: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="rule id -> names of frames"
    )


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that config/ and the environment say, validated."""

    settings: Settings
    vendors: Mapping[str, Vendor]
    publishers: tuple[Publisher, ...]
    sources: tuple[Source, ...]
    demo_sources: tuple[Source, ...]
    taxonomy: Mapping[str, EventType]
    rules: tuple[Rule, ...]
    lexicons: Mapping[str, Lexicon]
    modifiers: Mapping[str, Modifiers]
    blockers: Blockers
    sets: Mapping[str, tuple[str, ...]]
    methodology: Methodology
    methodology_text: str
    rates: Rates
    common_words: CommonWords
    quiet: tuple[str, ...]  # event-free sentences that no rule may fire on
    playbooks: Playbooks
    alerts: AlertsFile
    portfolio: tuple[Dependency, ...]
    retention: Retention
    files: Mapping[str, Path]  # relative path -> the file that counts
    warnings: tuple[str, ...] = ()


def load(config_dir: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Return the whole validated configuration. Raises ConfigErrors with every mistake of the run."""
    settings, warnings = read_settings(environ)
    files = config_files(config_dir or settings.config_dir)
    reader = Reader(files)
    _only_known_files(reader, config_dir or settings.config_dir)
    vendors = _vendors(reader)
    taxonomy = _taxonomy(reader, {vendor.id: vendor.name for vendor in vendors.values()})
    publishers = _publishers(reader, vendors)
    sources = _sources(reader, reader.under("sources"), vendors)
    demo = _sources(reader, [n for n in ("demo/sources.yaml",) if n in files], vendors)
    rules = _rules(reader, taxonomy)
    lexicons = _packs(reader, "lexicon", Lexicon)
    modifiers = _packs(reader, "modifiers", Modifiers)
    blockers = reader.model("blockers.yaml", Blockers)
    methodology = reader.model("scoring.yaml", Methodology)
    rates = reader.model("rates.yaml", Rates, needed=False) or Rates()
    common_words = reader.model("common_words.yaml", CommonWords, needed=False) or CommonWords()
    sets = _sets(reader, vendors)
    playbooks = _playbooks(reader, taxonomy)
    overrides = reader.model("overrides.yaml", OverridesFile, needed=False)
    if methodology is not None and taxonomy:
        _same_types(reader, methodology, taxonomy)
    if overrides is not None:
        vendors, rules, blockers = _overridden(reader, overrides, vendors, rules, blockers)
    quiet = _quiet(reader)
    alerts, told = alerts_of(reader, vendors, taxonomy, playbooks)
    portfolio = portfolio_of(reader, vendors)
    retention = reader.model("retention.yaml", Retention, needed=False) or Retention()
    if reader.errors or publishers is None or blockers is None or methodology is None or playbooks is None:
        raise ConfigErrors(tuple(reader.errors))
    return Config(
        settings=settings,
        vendors=vendors,
        publishers=publishers.publishers,
        sources=sources,
        demo_sources=demo,
        taxonomy=taxonomy,
        rules=rules,
        lexicons=lexicons,
        modifiers=modifiers,
        blockers=blockers,
        sets=sets,
        methodology=methodology,
        methodology_text=files["scoring.yaml"].read_text(encoding="utf-8"),
        rates=rates,
        common_words=common_words,
        quiet=quiet,
        playbooks=playbooks,
        alerts=alerts,
        portfolio=portfolio,
        retention=retention,
        files=files,
        warnings=(*warnings, *told),
    )


_PLACES = (
    "vendors/*.yaml", "sources/*.yaml", "rules/*.yaml", "rules/*/*.yaml", "quiet/*.jsonl", "demo/*.xml",
    "demo/*.yaml", "lexicon*.yaml", "modifiers*.yaml", "blockers.yaml", "publishers.yaml", "scoring.yaml",
    "playbooks.yaml", "rates.yaml", "common_words.yaml", "alerts.yaml", "portfolio.yaml",
    "retention.yaml", "sets.yaml", "overrides.yaml",
)  # fmt: skip


def _only_known_files(reader: Reader, overlay: Path | None) -> None:
    """A misspelt name in the overlay would be passed over in silence."""
    for name, path in reader.files.items():
        is_ours = overlay is not None and path.is_relative_to(overlay)
        if is_ours and not any(Path(name).match(place) for place in _PLACES):
            reader.wrong(f"no file of this name is read; there are {', '.join(_PLACES)}", name)


def _vendors(reader: Reader) -> dict[str, Vendor]:
    vendors: dict[str, Vendor] = {}
    for name in reader.under("vendors"):
        vendor = reader.model(name, Vendor)
        if vendor is None:
            continue
        if Path(name).stem != vendor.id:
            reader.wrong(f"the file must be named {vendor.id}.yaml after its id", name, "id")
        vendors[vendor.id] = vendor
    for vendor in vendors.values():
        for person in vendor.people:
            if person.line is not None and person.line not in vendor.lines:
                reader.wrong(
                    f"{person.name}: the vendor has no line {person.line}",
                    f"vendors/{vendor.id}.yaml",
                    "people",
                )
    return vendors


def _taxonomy(reader: Reader, names: Mapping[str, str]) -> dict[str, EventType]:
    file = reader.model("rules/taxonomy.yaml", TaxonomyFile)
    if file is None:
        return {}
    _check_yields(reader, file.types)
    return {
        id_: EventType(
            id=id_,
            factor=entry.factor,
            direction=entry.direction,
            definition=entry.definition,
            attributes=entry.attributes,
            merge_window_days=entry.merge_window_days,
            heading=entry.heading,
            positive=entry.positive,
            negative=entry.negative,
            names=names,
            yields_to=frozenset(entry.yields_to),
        )
        for id_, entry in file.types.items()
    }


def _check_yields(reader: Reader, types: Mapping[str, TaxonomyEntry]) -> None:
    for id_, entry in types.items():
        for other in entry.yields_to:
            if other not in types:
                wrong = f"{other} is no type of this file"
            elif id_ in types[other].yields_to:
                wrong = f"{id_} and {other} yield to each other: a sentence of both would tell neither"
            else:
                continue
            reader.wrong(wrong, "rules/taxonomy.yaml", f"types.{id_}.yields_to")


def _sources(reader: Reader, names: Sequence[str], vendors: Mapping[str, Vendor]) -> tuple[Source, ...]:
    made: dict[str, Source] = {}
    for name in names:
        document = reader.document(name)
        if document is None:
            continue
        entries = document.value if isinstance(document.value, list) else []
        if not isinstance(document.value, list):
            reader.wrong("a list of sources is expected", name)
        for i, entry in enumerate(entries):
            try:
                source = validate(Source, entry, document, (i,))
            except ConfigErrors as error:
                reader.errors.extend(error.errors)
                continue
            line = document.line_at((i,))
            if source.id in made:
                reader.errors.append(
                    ConfigError(f"the id {source.id} is taken", path=name, line=line, key="id")
                )
            for unknown in sorted(set(source.covers) - {"all"} - set(vendors)):
                reader.errors.append(
                    ConfigError(f"no vendor has the id {unknown}", path=name, line=line, key="covers")
                )
            made[source.id] = source
    return tuple(made.values())


def _publishers(reader: Reader, vendors: Mapping[str, Vendor]) -> PublishersFile | None:
    file = reader.model("publishers.yaml", PublishersFile)
    for publisher in file.publishers if file is not None else ():
        for unknown in sorted(set(publisher.covers) - set(vendors)):
            reader.wrong(f"{publisher.name}: no vendor has the id {unknown}", "publishers.yaml", "covers")
    return file


def _rules(reader: Reader, taxonomy: Mapping[str, EventType]) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for name in reader.under("rules", deep=True):
        if name == "rules/taxonomy.yaml":
            continue
        rule = reader.model(name, Rule)
        if rule is None:
            continue
        if Path(name).stem != rule.id:
            reader.wrong(f"the file must be named {rule.id}.yaml after its id", name, "id")
        if rule.event not in taxonomy:
            reader.wrong(f"{rule.event} is no type of rules/taxonomy.yaml", name, "event")
        rules[rule.id] = rule
    return tuple(rules[id_] for id_ in sorted(rules))


def _packs(reader: Reader, stem: str, model: type[_Model]) -> dict[str, _Model]:
    packs: dict[str, _Model] = {}
    for name in reader.files:
        if name == f"{stem}.yaml" or (
            name.startswith(f"{stem}.") and name.endswith(".yaml") and "/" not in name
        ):
            pack = reader.model(name, model)
            if pack is not None:
                packs[str(getattr(pack, "lang", "en"))] = pack
    return packs


_SETS: TypeAdapter[dict[str, tuple[str, ...]]] = TypeAdapter(dict[str, tuple[str, ...]])


def _sets(reader: Reader, vendors: Mapping[str, Vendor]) -> dict[str, tuple[str, ...]]:
    document = reader.document("sets.yaml", needed=False)
    if document is None or document.value is None:
        return {}
    value = document.value.get("sets", document.value) if isinstance(document.value, dict) else document.value
    try:
        sets = _SETS.validate_python(value)
    except ValidationError as error:
        reader.errors.extend(told(problem, document, ()) for problem in error.errors())
        return {}
    for id_, members in sets.items():
        for unknown in sorted(set(members) - set(vendors)):
            reader.wrong(f"no vendor has the id {unknown}", "sets.yaml", id_)
    return sets


def _same_types(reader: Reader, methodology: Methodology, taxonomy: Mapping[str, EventType]) -> None:
    for sentence in disagreements(methodology, taxonomy):
        reader.wrong(sentence, "scoring.yaml")


def _playbooks(reader: Reader, taxonomy: Mapping[str, EventType]) -> Playbooks | None:
    playbooks = reader.model("playbooks.yaml", Playbooks)
    if playbooks is not None and taxonomy:
        for sentence, key in lacking(playbooks, taxonomy):
            reader.wrong(sentence, "playbooks.yaml", key)
    return playbooks


def _overridden(
    reader: Reader,
    overrides: OverridesFile,
    vendors: dict[str, Vendor],
    rules: tuple[Rule, ...],
    blockers: Blockers | None,
) -> tuple[dict[str, Vendor], tuple[Rule, ...], Blockers | None]:
    made = dict(vendors)
    for id_, more in overrides.vendors.items():
        if id_ not in made:
            reader.wrong(f"no vendor has the id {id_}", "overrides.yaml", f"vendors.{id_}")
            continue
        old = made[id_]
        made[id_] = old.model_copy(
            update={
                "names": (*old.names, *more.names),
                "people": (*old.people, *more.people),
                "watched": old.watched if more.watched is None else more.watched,
            }
        )
    known = {rule.id: rule for rule in rules}
    for id_, frames in overrides.frames_off.items():
        rule = known.get(id_)
        unknown = sorted(set(frames) - set(rule.detect.any_)) if rule else [id_]
        if rule is None or unknown:
            reader.wrong(f"there is no {', '.join(unknown)}", "overrides.yaml", f"frames_off.{id_}")
            continue
        kept = {name: frame for name, frame in rule.detect.any_.items() if name not in frames}
        known[id_] = rule.model_copy(update={"detect": rule.detect.model_copy(update={"any_": kept})})
    if blockers is not None and overrides.blockers:
        extra = Blockers.model_validate({"blockers": [{"name": name} for name in overrides.blockers]})
        blockers = blockers.model_copy(update={"blockers": (*blockers.blockers, *extra.blockers)})
    return made, tuple(known[id_] for id_ in sorted(known)), blockers


def _quiet(reader: Reader) -> tuple[str, ...]:
    texts: list[str] = []
    for name, path in reader.files.items():
        if not (name.startswith("quiet/") and name.endswith(".jsonl")):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                texts.append(str(json.loads(line)["text"]))
            except (ValueError, KeyError, TypeError):
                reader.errors.append(ConfigError('write {"text": "..."}', path=name, line=number))
    return tuple(texts)
