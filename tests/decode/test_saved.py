"""Saved articles and archives as people have them."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskwatch.decode.saved import Known, Saved, decode_saved, registrable, split_title, unlisted
from riskwatch.model import Publisher
from tests.decode.makers import NOW, an_item, rss

WIRE = Publisher(name="The Wire", domains=("wire.example",), family="wire", tier="1")


def resolve(publisher: str | None, url: str | None) -> Publisher | None:
    return WIRE if publisher == "The Wire" or (url and "wire.example" in url) else None


def read(body: str | bytes, *, known: Known | None = None) -> Saved:
    raw = body.encode() if isinstance(body, str) else body
    return decode_saved("file", raw, resolve=resolve, now=NOW, known=known)


def lines(*records: object) -> str:
    return "\n".join(record if isinstance(record, str) else json.dumps(record) for record in records)


def test_what_a_vendor_publishes_itself_speaks_for_it() -> None:
    own = Publisher(name="Acme", domains=("acme.example",), family="acme", tier="primary", covers=("acme",))
    body = lines({"title": "Now with more tools", "publisher": "Acme", "published": "2026-03-05"}).encode()

    saved = decode_saved("file.jsonl", body, resolve=lambda *_: own, now=NOW)

    assert [article.covers for article in saved.articles] == [("acme",)]


def test_the_first_line_of_a_text_is_its_title_where_it_looks_like_one() -> None:
    article = read("Qwen lead resigns\n\nLin Junyang left Alibaba on Tuesday.").articles[0]

    assert (article.title, article.text) == ("Qwen lead resigns", "Lin Junyang left Alibaba on Tuesday.")
    assert article.published_at is None
    assert article.source_id == "ingest"


@pytest.mark.parametrize(
    "text",
    [
        "Lin Junyang left Alibaba on Tuesday.\nThe team follows.",
        "One line alone",
        "https://x.example/a\nText",
        "x" * 300 + "\nText",
        "林俊旸宣布离职。\n团队跟随。",
    ],
)
def test_a_text_that_begins_with_a_sentence_has_no_title(text: str) -> None:
    assert split_title(text) == (None, text)


def test_a_markdown_heading_is_a_title() -> None:
    assert split_title("# Qwen lead resigns.\nText") == ("Qwen lead resigns.", "Text")


def test_the_caller_fills_what_the_file_does_not_say() -> None:
    known = Known(published_at=NOW, publisher="The Wire", url="https://a.example/1?utm_source=x", lang="de")

    article = read("Title\n\nText here.", known=known).articles[0]

    assert (article.published_at, article.publisher, article.family, article.tier) == (
        NOW,
        "The Wire",
        "wire",
        "1",
    )
    assert (article.url, article.guid, article.lang) == (
        "https://a.example/1",
        "https://a.example/1",
        "de",
    ) or (article.url == "https://a.example/1")


def test_what_the_file_says_is_not_overruled() -> None:
    line = lines(
        {
            "id": "1",
            "title": "t",
            "published": "2026-03-01",
            "publisher": "Other",
            "url": "https://o.example/1",
        }
    )

    article = read(line, known=Known(published_at=NOW, publisher="The Wire")).articles[0]

    assert article.published_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert (article.publisher, article.family, article.tier) == ("Other", "o.example", "4")


def test_json_lines_give_articles_and_a_bad_line_costs_itself_only() -> None:
    body = lines(
        {"id": "a", "title": None, "text": "Lin left.", "lang": "en", "vendors": ["ignored"]},
        "{broken",
        {"id": "b", "title": "T", "summary": "<p>S</p>", "published": "soon"},
        "",
        {"id": "c"},
        ["no", "object"],
        {"id": "a", "title": "twice"},
        {"id": "d", "title": {"no": "text"}},
    )

    saved = read(body)

    assert [(a.guid, a.title, a.text) for a in saved.articles] == [("a", None, "Lin left."), ("b", "T", "S")]
    assert [error.line for error in saved.errors] == [2, 5, 6, 7, 8]
    assert str(saved.errors[0]) == "file:2: JSON that cannot be read"
    assert saved.articles[1].published_at is None
    assert saved.articles[1].flags == ("date_unreadable",)


def test_one_record_or_an_array_is_as_good_as_lines() -> None:
    record = {"id": "a", "title": "T", "text": "x"}

    assert [a.guid for a in read(json.dumps(record)).articles] == ["a"]
    assert len(read(json.dumps([record, {"title": "U"}], indent=1)).articles) == 2


def test_feeds_are_read_in_all_their_kinds() -> None:
    json_feed = json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "title": "T"}]}, indent=1
    )
    atom = '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><title>T</title></entry></feed>'

    for body in (json_feed, atom, rss(an_item(title="T"))):
        assert [article.title for article in read(body).articles] == ["T"]


def test_a_page_gives_its_article() -> None:
    text = "Lin Junyang, who led the Qwen models, has left Alibaba, the company said on Tuesday. " * 6
    story = f"<article><h1>Qwen lead resigns</h1><p>{text}</p></article>"
    page = f"<!doctype html><html><head><title>Qwen lead resigns</title></head><body>{story}</body></html>"

    article = read(page, known=Known(url="https://wire.example/1")).articles[0]

    assert article.title == "Qwen lead resigns"
    assert "has left Alibaba" in article.text
    assert (article.text_origin, article.family) == ("page", "wire")


def test_a_page_with_few_words_is_still_read() -> None:
    assert "Lin left." in read("<html><body><p>Lin left.</p></body></html>").articles[0].text


@pytest.mark.parametrize("body", ["", "  \n ", '<?xml version="1.0"?><rss><!ENTITY x "y"></rss>', "[1"])
def test_what_holds_nothing_is_an_error_and_no_article(body: bytes) -> None:
    saved = read(body)

    assert saved.articles == ()
    assert saved.errors[0].reason


def test_an_unknown_outlet_is_a_family_of_its_own() -> None:
    assert unlisted(None, "https://news.example.co.uk/a").family == "example.co.uk"
    assert unlisted("My Blog", None).family == "my-blog"
    assert unlisted("My Blog", "https://my.blog.example/").name == "My Blog"
    assert unlisted(None, None).tier == "4"
    assert registrable("1.2.3.4") == "1.2.3.4"


def test_a_lone_surrogate_in_a_line_costs_nothing() -> None:
    saved = read('{"id": "\\ud800", "title": "t\\ud800", "text": "\\udc00"}\n{"id": "1", "title": "t"}')

    assert [article.title for article in saved.articles] == ["t?", "t"]


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_file_gives_articles_or_reasons(body: bytes) -> None:
    saved = read(body)

    assert saved.articles or saved.errors
