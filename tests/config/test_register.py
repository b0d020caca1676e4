"""The shipped register: every file is valid, names are owned once, references resolve."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import re2

from riskwatch.detect.rules import Blockers
from riskwatch.model import Alias, Publisher, SourceClass, Vendor
from riskwatch.strict_yaml import read_yaml

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config"
SHARED = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared"))
# fmt: off
COMMON_WORDS = frozenset(
    (
        "Command", "Scale", "Together", "Fireworks", "Step", "Nova", "Titan", "Atlas", "Operator",
        "Essential", "Imagine", "Writer", "Character", "Pi", "Yi", "Wan", "Phi", "Seed", "North", "Neon",
        "Genie", "Spark", "Marlin", "Windows", "Teams",
    )
)
NEED_CONTEXT = frozenset(
    (
        "Meta", "Apple", "Amazon", "Gemini", "Claude", "Cohere", "Mistral", "Perplexity", "Cursor", "Runway",
        "Oracle", "Intel", "Snowflake", "Suno", "Reka", "Adept", "Poolside", "Lovable", "Manus", "Kimi",
        "Grok", "Llama", "Sora", "Codex", "Copilot", "Bedrock", "o1", "o3", "Odyssey", "Humane",
    )
)
# fmt: on


def _value(path: Path) -> Any:
    return read_yaml(path.read_text(encoding="utf-8"), path.name).value


def _vendors() -> dict[str, Vendor]:
    files = sorted((CONFIG / "vendors").glob("*.yaml"))
    return {path.stem: Vendor.model_validate(_value(path)) for path in files}


VENDORS = _vendors()
BLOCKERS = Blockers.model_validate(_value(CONFIG / "blockers.yaml"))
PUBLISHERS = tuple(Publisher.model_validate(e) for e in _value(CONFIG / "publishers.yaml")["publishers"])
SOURCES: list[dict[str, Any]] = [
    entry for path in sorted((CONFIG / "sources").glob("*.yaml")) for entry in _value(path)
]


def _aliases(vendor: Vendor) -> Iterator[tuple[str, Alias]]:
    """Yield (subject, alias) of everything by which the vendor and its lines are found."""
    for entry in (*vendor.names, *vendor.brands):
        yield vendor.id, entry if isinstance(entry, Alias) else Alias(text=entry)
    for line_id, line in vendor.lines.items():
        for entry in (*line.names, *line.products):
            yield f"{vendor.id}/{line_id}", entry if isinstance(entry, Alias) else Alias(text=entry)


def _owners() -> dict[str, str]:
    return {alias.text: subject for vendor in VENDORS.values() for subject, alias in _aliases(vendor)}


def test_the_register_holds_at_least_ninety_vendors_each_in_a_file_of_its_id() -> None:
    assert len(VENDORS) >= 90
    assert [stem for stem, vendor in VENDORS.items() if vendor.id != stem] == []


def test_each_vendor_file_names_its_schema_on_the_first_line() -> None:
    wanted = "# yaml-language-server: $schema=../schema/vendor.schema.json"
    firsts = {p.read_text(encoding="utf-8").splitlines()[0] for p in (CONFIG / "vendors").glob("*.yaml")}
    assert firsts == {wanted}


def test_no_name_belongs_to_two_subjects() -> None:
    subjects = defaultdict(set)
    for vendor in VENDORS.values():
        for subject, alias in _aliases(vendor):
            subjects[alias.text].add(subject)
    assert {text: ids for text, ids in subjects.items() if len(ids) > 1} == {}


def test_no_name_stands_twice_in_one_vendor() -> None:
    for vendor in VENDORS.values():
        counts = Counter(alias.text for _, alias in _aliases(vendor))
        assert [text for text, n in counts.items() if n > 1] == [], vendor.id


def test_every_parent_and_every_line_of_a_person_exists() -> None:
    for vendor in VENDORS.values():
        assert vendor.parent is None or vendor.parent in VENDORS, vendor.id
        for person in vendor.people:
            assert person.line is None or person.line in vendor.lines, (vendor.id, person.name)


def test_a_person_is_never_known_by_a_bare_surname() -> None:
    for vendor in VENDORS.values():
        for person in vendor.people:
            for text in (person.name, *person.aliases):
                latin = text.isascii()
                assert not latin or " " in text, (vendor.id, text)
                assert text != person.family, (vendor.id, text)


def test_a_person_leaves_after_arriving() -> None:
    for vendor in VENDORS.values():
        for person in vendor.people:
            if person.valid_from and person.valid_to:
                shortest = min(len(person.valid_from), len(person.valid_to))
                assert person.valid_from[:shortest] <= person.valid_to[:shortest], (vendor.id, person.name)


def test_a_common_word_is_a_name_only_with_a_condition() -> None:
    for vendor in VENDORS.values():
        for subject, alias in _aliases(vendor):
            if alias.text in COMMON_WORDS:
                assert alias.requires, subject
            if alias.text in NEED_CONTEXT:
                assert alias.ambiguous, subject
                assert alias.context, subject


def test_every_ambiguous_name_has_something_that_vouches_for_it() -> None:
    for vendor in VENDORS.values():
        for subject, alias in _aliases(vendor):
            assert not alias.ambiguous or alias.context or alias.requires, (subject, alias.text)


def test_every_requirement_is_a_valid_pattern() -> None:
    for vendor in VENDORS.values():
        for _, alias in _aliases(vendor):
            if alias.requires:
                re2.compile(alias.requires)


def test_a_single_line_is_the_only_one_and_no_other_is() -> None:
    for vendor in VENDORS.values():
        classes = [line.line_class for line in vendor.lines.values()]
        assert ("only" in classes) == (len(classes) == 1), vendor.id


def test_the_lines_and_people_of_the_qwen_story_are_known() -> None:
    alibaba = VENDORS["alibaba"]
    people = {text for p in alibaba.people for text in (p.name, *p.aliases)}
    assert {
        "Junyang Lin",
        "Lin Junyang",
        "Yu Bowen",
        "Binyuan Hui",
        "Hao Zhou",
        "Zhou Jingren",
        "Wu Yongming",
    } <= people
    owners = _owners()
    assert {owners[name] for name in ("Qwen", "Tongyi", "Tongyi Lab", "通义千问")} == {"alibaba/qwen"}
    assert owners["Llama"] == "meta/llama"
    assert owners["Doubao"] == "bytedance/doubao"
    assert owners["Gemini"] == "google/gemini"


def test_there_are_at_least_three_hundred_blockers_and_none_is_a_vendor() -> None:
    assert len(BLOCKERS.blockers) >= 300
    names = [text for blocker in BLOCKERS.blockers for text in (blocker.name, *blocker.aliases)]
    assert [text for text, n in Counter(names).items() if n > 1] == []
    assert sorted(set(names) & set(_owners())) == []
    tickers = {t for v in VENDORS.values() for t in v.tickers}
    assert sorted({t for b in BLOCKERS.blockers for t in b.tickers} & tickers) == []


def test_each_publisher_has_a_known_class_and_no_domain_has_two() -> None:
    classes = {str(c) for c in SourceClass}
    assert {p.source_class for p in PUBLISHERS} <= classes
    domains = Counter(d for p in PUBLISHERS for d in p.domains)
    assert [d for d, n in domains.items() if n > 1] == []
    names = Counter(p.name for p in PUBLISHERS)
    assert [n for n, count in names.items() if count > 1] == []
    assert any("bitcoinworld.co.in" in p.domains for p in PUBLISHERS)


def test_an_aggregator_is_never_trusted_above_tier_three() -> None:
    assert [p.name for p in PUBLISHERS if p.aggregator and p.tier not in ("3", "4")] == []


def test_at_least_sixty_sources_with_ids_and_urls_of_their_own() -> None:
    assert len(SOURCES) >= 60
    for key in ("id", "url"):
        assert [v for v, n in Counter(s[key] for s in SOURCES).items() if n > 1] == []
    assert all(s["url"].startswith(("https://", "http://")) for s in SOURCES)


def test_sources_cover_known_vendors_and_come_from_known_publishers() -> None:
    covered = {vendor for source in SOURCES for vendor in source["covers"]}
    assert covered - {"all"} <= set(VENDORS)
    families = {p.family for p in PUBLISHERS}
    assert {s["publisher"] for s in SOURCES} <= families


def test_sources_are_valid_entries() -> None:
    collect = pytest.importorskip("riskwatch.collect")
    model = getattr(collect, "Source", None)
    if model is None:
        pytest.skip("the source model is not there")
    for entry in SOURCES:
        assert model.model_validate(entry).id == entry["id"]


def test_every_set_names_vendors() -> None:
    sets = cast("dict[str, list[str]]", _value(CONFIG / "sets.yaml")["sets"])
    assert "china_frontier_labs" in sets
    assert {member for members in sets.values() for member in members} <= set(VENDORS)


def test_every_company_of_the_labels_is_in_the_register() -> None:
    folder = SHARED / "data" / "labelled"
    if not folder.is_dir():
        pytest.skip("no labelled data here")
    names = {
        label["vendor"]
        for path in folder.glob("*.jsonl")
        for row in path.read_text(encoding="utf-8").splitlines()
        for label in json.loads(row)["labels"]
    }
    assert names
    owners = _owners()
    known = {vendor.name for vendor in VENDORS.values()} | set(owners)
    assert sorted(names - known) == []
