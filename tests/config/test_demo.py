"""The bundled history of the demo: whole, dated, and from sources that are declared."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from riskwatch.collect import Source
from riskwatch.model import Publisher, SourceClass
from riskwatch.strict_yaml import read_yaml

CONFIG = Path(__file__).resolve().parents[2] / "config"
DEMO = CONFIG / "demo"
FIRST = datetime(2022, 11, 1, tzinfo=UTC)
LAST = datetime(2026, 8, 31, 23, 59, tzinfo=UTC)


def _value(path: Path) -> Any:
    return read_yaml(path.read_text(encoding="utf-8"), path.name).value


SOURCES = tuple(Source.model_validate(entry) for entry in _value(DEMO / "sources.yaml"))
FEEDS = {path.name: ET.parse(path).getroot() for path in sorted(DEMO.glob("*.xml"))}  # noqa: S314 - our own files


def _texts(tag: str) -> list[str]:
    return [node.text or "" for root in FEEDS.values() for node in root.iterfind(f"./channel/item/{tag}")]


def test_each_source_reads_a_file_that_is_there_and_each_file_has_a_source() -> None:
    assert sorted(source.url for source in SOURCES) == sorted(FEEDS)
    assert {str(source.kind) for source in SOURCES} == {"file"}


def test_every_source_class_answers() -> None:
    assert {source.source_class for source in SOURCES} == set(SourceClass)


def test_every_publisher_of_the_demo_is_listed() -> None:
    listed = {Publisher.model_validate(e).family for e in _value(CONFIG / "publishers.yaml")["publishers"]}
    assert {source.publisher for source in SOURCES} - listed == set()


def test_the_history_has_some_hundred_items_each_with_a_key_of_its_own() -> None:
    guids = _texts("guid")
    assert 600 <= len(guids) <= 1000
    assert [guid for guid, n in Counter(guids).items() if n > 1] == []


def test_every_item_says_something_and_links_to_a_page() -> None:
    assert all(text.strip() for text in (*_texts("title"), *_texts("description")))
    assert all(link.startswith(("https://", "http://")) and ".example" not in link for link in _texts("link"))


def test_every_item_is_dated_within_the_history() -> None:
    dates = [parsedate_to_datetime(text) for text in _texts("pubDate")]
    assert min(dates) >= FIRST
    assert max(dates) <= LAST


def test_the_last_half_year_is_told_most_densely() -> None:
    dates = [parsedate_to_datetime(text) for text in _texts("pubDate")]
    recent = sum(1 for date in dates if (LAST - date).days <= 180)
    assert recent >= 200
