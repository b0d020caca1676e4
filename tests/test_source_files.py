"""OPML to sources and back: ids of their own, known feeds passed over, every mistake with its line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskwatch.collect import Source
from riskwatch.decode.opml import Outline, write_opml
from riskwatch.errors import ConfigErrors
from riskwatch.intake import Intake
from riskwatch.model import Publisher
from riskwatch.settings import load
from riskwatch.source_files import as_opml, as_yaml, sources_of
from riskwatch.strict_yaml import read_yaml

WIRED = Publisher.model_validate(
    {"name": "Wired", "domains": ["wired.com"], "family": "conde-nast", "tier": "2", "class": "press"}
)


def resolve(_name: str | None, url: str | None) -> Publisher | None:
    return WIRED if "wired.com" in (url or "") else None


def read(*outlines: Outline, known: Sequence[Source] = ()) -> tuple[list[Source], list[str]]:
    return sources_of(write_opml(outlines), name="mine.opml", known=known, resolve=resolve)


def a_source(**values: Any) -> Source:
    return Source.model_validate({"id": "s", "url": "https://s.example/", "publisher": "p", **values})


def test_ids_come_from_titles_and_are_unique() -> None:
    made, _ = read(
        Outline("Wired: AI!", "https://wired.com/1"), Outline("wired ai", "https://wired.com/2"),
        Outline("Café Über", "https://c.example/"), Outline("机器之心", "https://www.jiqizhixin.com/rss"),
        Outline("机器", "https://jiqizhixin.com/2"), Outline("", "https://[::1]/feed"),
        known=[a_source(id="cafe-uber")],
    )  # fmt: skip

    ids = [source.id for source in made]
    assert ids == ["wired-ai", "wired-ai-2", "cafe-uber-2", "jiqizhixin-com", "jiqizhixin-com-2", "1"]


def test_an_outlet_of_the_register_brings_its_family_and_tier() -> None:
    (wired, other), _ = read(
        Outline("W", "https://www.wired.com/feed", lang="en-us"),
        Outline("O", "https://www.o.example/", lang="de"),
    )

    assert (wired.publisher, wired.tier, wired.lang) == ("conde-nast", "2", "en")
    assert (other.publisher, other.tier, other.lang) == ("o.example", "4", "de")


@pytest.mark.parametrize(
    ("title", "url", "site", "family"),
    [
        ("Wired", "https://blog.acme.example/rss", "", "acme"),
        ("Wired", "https://feeds.example/1", "https://acme.example/", "acme"),
        ("Wired", "https://acme.example/rss", "https://wired.com/", "acme"),
        ("wired", "https://feeds.example/1", "https://feeds.example/", "conde-nast"),
        ("Somebody", "https://feeds.example/1", "", "feeds.example"),
    ],
)
def test_the_host_says_whose_feed_it_is_and_the_title_only_where_the_host_is_unknown(
    title: str, url: str, site: str, family: str
) -> None:
    acme = Publisher.model_validate(
        {"name": "Acme", "domains": ["acme.example"], "family": "acme", "tier": "4", "class": "press"}
    )
    intake = Intake((WIRED, acme), now=lambda: datetime(2026, 3, 1, tzinfo=UTC))
    body = f'<opml><body><outline text="{title}" xmlUrl="{url}" htmlUrl="{site}"/></body></opml>'

    (made,), _ = sources_of(body.encode(), name="m", known=(), resolve=intake.resolve)

    assert made.publisher == family


def test_a_language_that_is_no_code_is_that_of_the_outlet_or_english() -> None:
    given = ("unknown", "English", "zh-CN", "pt_BR", "FRA", "")
    made, _ = read(*(Outline("", f"https://{n}.example/", lang=lang) for n, lang in enumerate(given)))

    assert [source.lang for source in made] == ["en", "en", "zh", "pt", "fra", "en"]


def test_the_feed_of_a_vendor_covers_that_vendor_alone() -> None:
    own = Publisher.model_validate(
        {"name": "Acme", "family": "acme", "tier": "primary", "class": "vendor_channel", "covers": ["acme"]}
    )
    body = write_opml([Outline("Acme", "https://acme.example/rss")])
    made, _ = sources_of(body, name="m", known=(), resolve=lambda _name, _url: own)

    (entry,) = read_yaml(as_yaml(made), "sources.yaml").value
    assert made[0].covers == ("acme",)
    assert [Source.model_validate(entry)] == made


def test_a_feed_that_is_there_already_is_passed_over_and_named() -> None:
    made, told = read(
        Outline("Again", "https://s.example/"), Outline("New", "https://n.example/"),
        Outline("Twice", "https://n.example/"), known=[a_source()],
    )  # fmt: skip

    assert [source.id for source in made] == ["new"]
    assert told == [
        "mine.opml:5: https://s.example/ is the source s already",
        "mine.opml:7: https://n.example/ is the source new already",
    ]


def test_every_address_that_cannot_be_polled_is_told_with_its_line() -> None:
    with pytest.raises(ConfigErrors) as told:
        read(Outline("a", "feed://a.example/"), Outline("b", "https://b.example/"), Outline("c", "x" * 3000))

    assert [(error.path, error.line) for error in told.value.errors] == [("mine.opml", 5), ("mine.opml", 7)]
    assert "url must begin with https://" in str(told.value.errors[0])


def test_the_shipped_feeds_survive_the_round_trip() -> None:
    feeds = [source for source in load(environ={}).sources if source.kind == "feed"]

    made, told = sources_of(as_opml(feeds), name="all.opml", known=(), resolve=resolve)

    assert told == []
    assert len(made) == len(feeds) > 50
    assert [(one.url, one.lang, one.title) for one in made] == [
        (one.url, one.lang, one.title or one.id) for one in feeds
    ]
    untitled = [(old.id, new.id) for old, new in zip(feeds, made, strict=True) if old.title is None]
    assert all(old == new for old, new in untitled if "_" not in old)


def test_what_is_no_feed_is_not_exported() -> None:
    assert b"outline" not in as_opml([a_source(kind="file", url="news")])


@given(st.lists(st.text(max_size=30), min_size=1, max_size=4))
def test_the_written_file_reads_as_the_sources_that_it_was_made_of(titles: list[str]) -> None:
    outlines = [Outline("".join(t.split()), f"https://e.example/{n}") for n, t in enumerate(titles)]
    body = write_opml([o if o.title.isprintable() else Outline("1e5", o.url) for o in outlines])
    made, _ = sources_of(body, name="m", known=(), resolve=resolve)

    document = read_yaml(as_yaml(made), "sources.yaml")

    assert [Source.model_validate(entry) for entry in document.value] == made
