"""Feeds as they are in the wild: dirty, hostile, odd."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskwatch.decode import Origin
from riskwatch.errors import DecodeError
from tests.decode.makers import HEAD, ITEM, an_item, decoded, rss

TITLE = "Lin resigns from Qwen"
RDF = (
    '<?xml version="1.0"?>'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    'xmlns="http://purl.org/rss/1.0/">'
    '<channel rdf:about="http://x/"><title>T</title></channel><item rdf:about="http://x/1">'
    "<title>Lin resigns from Qwen</title><link>http://x/1</link></item></rdf:RDF>"
)
XHTML_TITLE = (
    '<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><id>f</id><updated>2026-03-03T10:00:00Z</updated>'
    '<entry><id>1</id><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">'
    "Lin <b>resigns</b> from Qwen</div></title>"
    '<updated>2026-03-03T10:00:00Z</updated><link href="http://x/1"/></entry></feed>'
)
DIRTY = {
    "clean": (rss().encode(), TITLE),
    "byte order mark": (b"\xef\xbb\xbf" + rss().encode(), TITLE),
    "leading blanks": (b"\n\n  " + rss().encode(), TITLE),
    "HTML entity": (rss(ITEM.replace("resigns", "resigns&nbsp;now")).encode(), "Lin resigns now from Qwen"),
    "bare ampersand": (rss(ITEM.replace("Qwen", "Q&A")).encode(), "Lin resigns from Q&A"),
    "control character": (rss(ITEM.replace("Qwen", "Qw\x0ben")).encode(), TITLE),
    "Latin-1 labelled UTF-8": (
        rss(ITEM.replace("Lin", "Jos\u00e9")).encode("latin1"),
        "José resigns from Qwen",
    ),
    "declared cp1252": (
        rss(ITEM.replace("Lin", "\u201cLin\u201d"), head=HEAD.replace("UTF-8", "windows-1252")).encode(
            "cp1252"
        ),
        "\u201cLin\u201d resigns from Qwen",
    ),
    "declared GBK": (
        rss(ITEM.replace("Lin", "林俊旭"), head=HEAD.replace("UTF-8", "GBK")).encode("gbk"),
        "林俊旭 resigns from Qwen",
    ),
    "UTF-16": (rss(head=HEAD.replace("UTF-8", "UTF-16")).encode("utf-16"), TITLE),
    "truncated": (rss(ITEM + ITEM.replace(">1<", ">2<").replace("/1", "/2"))[:-80].encode(), TITLE),
    "mismatched tag": (rss(ITEM.replace("<description>d", "<description><b>d")).encode(), TITLE),
    "no guid, no date": (rss(f"<item><title>{TITLE}</title><link>http://x/1</link></item>").encode(), TITLE),
    "undeclared name space": (
        rss(ITEM.replace("<guid>", "<dc:creator>a</dc:creator><guid>")).encode(),
        TITLE,
    ),
    "RDF": (RDF.encode(), TITLE),
    "XHTML title": (XHTML_TITLE.encode(), TITLE),
    "RSS 0.91 with a bare DOCTYPE": (
        rss(
            before_root='<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://my.netscape.com/rss-0.91.dtd">'
        ).encode(),
        TITLE,
    ),
}
BOMB = (
    '<!DOCTYPE rss [<!ENTITY a "' + "x" * 50 + '">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(9)) + "]>"
)  # fmt: skip
DTDS = {
    "external entity": rss(
        ITEM.replace("Lin", "&x;"), before_root='<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    ),
    "entity bomb": rss(ITEM.replace("Lin", "&j;"), before_root=BOMB),
    "internal subset without entity": rss(before_root="<!DOCTYPE rss [<!ELEMENT rss ANY>]>"),
    "lower case": rss(before_root='<!doctype rss [<!entity x "y">]>'),
    "late entity": rss() + '<!ENTITY x "y">',
}


@pytest.mark.parametrize("name", DIRTY)
def test_a_dirty_feed_keeps_its_title(name: str) -> None:
    body, title = DIRTY[name]

    articles = decoded(body).articles

    assert articles[0].title == title


@pytest.mark.parametrize("name", DTDS)
@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "utf-16-le", "utf-32"])
def test_a_document_with_a_dtd_meets_no_parser(name: str, charset: str) -> None:
    body = DTDS[name].replace("UTF-8", charset).encode(charset)

    with pytest.raises(DecodeError) as caught:
        decoded(body)

    assert caught.value.outcome == "dtd_refused"


def test_a_doctype_quoted_in_an_item_is_only_text() -> None:
    body = rss(an_item(description="<![CDATA[<p>Write <!DOCTYPE html> first, then <!ENTITY x> never</p>]]>"))

    assert decoded(body).articles[0].title == "A title"


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"", "not_a_feed"),
        (b"  \n", "not_a_feed"),
        (
            b"<!doctype html><html><head><title>403</title></head><body>Nothing here</body></html>",
            "not_a_feed",
        ),
        (b"<html><body>Just a moment...</body></html>", "challenge_page"),
        (b'{"version": "1", "items": []}', "not_a_feed"),
        (b"[1, 2", "not_a_feed"),
        (b"plain words", "not_a_feed"),
        (b"<opml><body/></opml>", "not_a_feed"),
    ],
)
def test_what_is_no_feed_is_named(body: bytes, outcome: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decoded(body)

    assert caught.value.outcome == outcome
    assert caught.value.reason


def test_the_title_of_a_page_is_part_of_the_reason() -> None:
    with pytest.raises(DecodeError, match="Moved"):
        decoded(b"<html><head><title>Moved</title></head><body></body></html>")


@pytest.mark.parametrize("version", ["1", "1.1"])
def test_a_json_feed_gives_its_items(version: str) -> None:
    feed = {
        "version": f"https://jsonfeed.org/version/{version}",
        "title": "T",
        "language": "de",
        "items": [
            {"id": 7, "title": "A < B", "content_html": "<p>One</p><p>Two</p>", "url": "https://x/7",
             "date_published": "2026-03-03T10:00:00+01:00"},
            {"id": "8", "content_text": "a <b> c", "external_url": "https://y/8"},
            "no item",
        ],
    }  # fmt: skip

    found = decoded(json.dumps(feed))

    assert [(a.guid, a.title, a.text, a.url, a.lang) for a in found.articles] == [
        ("7", "A < B", "One\nTwo", "https://x/7", "de"),
        ("8", None, "a <b> c", "https://y/8", "de"),
    ]
    assert found.articles[0].published_at == datetime(2026, 3, 3, 9, tzinfo=UTC)
    assert found.flags == ("bad_items_left_out",)


def test_more_items_than_the_limit_are_left_and_said() -> None:
    body = rss("".join(an_item(guid=str(number), title=f"t{number}") for number in range(2_005)))

    found = decoded(body)

    assert len(found.articles) == 2_000
    assert found.flags == ("too_many_items",)


def test_a_text_over_64_kilobytes_is_cut_and_flagged() -> None:
    article = decoded(rss(an_item(description="wörd " * 30_000))).articles[0]

    assert len(article.text.encode()) <= 65_536
    assert article.flags == ("truncated",)


def test_a_title_that_lost_its_characters_is_garbled() -> None:
    assert decoded(rss(an_item(title="Qw\ufffdn team"))).articles[0].garbled
    assert not decoded(rss(an_item(title="Qwen team"))).articles[0].garbled


@pytest.mark.parametrize(
    ("date", "expected", "flags"),
    [
        ("Thu, 05 Mar 2026 13:00:00 GMT", "2026-03-05T13:00:00+00:00", ()),
        ("Fri, 01 Jan 2099 00:00:00 GMT", None, ("date_in_future",)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None, ("date_implausible",)),
        ("yesterday, perhaps", None, ()),
        ("", None, ()),
    ],
)
def test_a_date_that_cannot_be_is_none_and_never_now(
    date: str, expected: str | None, flags: tuple[str, ...]
) -> None:
    article = decoded(rss(an_item(pubDate=date))).articles[0]

    assert (article.published_at.isoformat() if article.published_at else None) == expected
    assert article.flags == flags
    assert article.first_seen_at is None


def test_identity_is_the_guid_then_the_link_then_a_hash() -> None:
    items = (
        an_item(guid="g")
        + an_item(guid="", link="http://X.example/a?utm_source=y")
        + "<item><title>Only</title></item>"
    )

    guids = [article.guid for article in decoded(rss(items)).articles]

    assert guids[:2] == ["g", "http://x.example/a"]
    assert guids[2].startswith("sha256:")
    assert guids == [article.guid for article in decoded(rss(items)).articles]


def test_a_source_may_be_told_by_its_links() -> None:
    origin = Origin("s", identity="link")

    assert decoded(rss(), origin=origin).articles[0].guid == "http://x.example/1"


def test_copies_under_one_guid_count_once_and_different_items_are_kept() -> None:
    old = an_item(pubDate="Mon, 02 Mar 2026 10:00:00 GMT", description="patch fixes")
    new = an_item(pubDate="Tue, 03 Mar 2026 10:00:00 GMT", description="deprecation notice")

    articles = decoded(rss(new + new + old)).articles

    assert {article.guid: article.text for article in articles} == {
        "1": "patch fixes",
        "1|2026-03-03 10:00:00+00:00": "deprecation notice",
    }


def test_a_relative_link_is_read_against_the_feed() -> None:
    assert decoded(rss(an_item(link="/news/7"))).articles[0].url == "https://x.example/news/7"


def test_a_guid_that_is_a_permalink_stands_in_for_the_link() -> None:
    article = decoded(rss(an_item(link="", guid="https://x.example/p/1"))).articles[0]

    assert article.url == "https://x.example/p/1"


def test_the_fuller_of_content_and_description_is_taken() -> None:
    item = (
        '<item xmlns:content="http://purl.org/rss/1.0/modules/content/"><title>t</title><guid>1</guid><description>short'
        "</description><content:encoded>the whole story</content:encoded></item>"
    )

    assert decoded(rss(item)).articles[0].text == "the whole story"


def test_the_script_of_an_item_overrules_english() -> None:
    articles = decoded(
        rss(an_item(title="阿里巴巴千问负责人林俊旸离职") + an_item(guid="2", title="Lin resigns"))
    ).articles

    assert [article.lang for article in articles] == ["zh", "en"]


def test_how_often_the_publisher_wants_to_be_asked_is_handed_on() -> None:
    assert decoded(rss("<ttl>60</ttl>" + ITEM)).ttl_seconds == 3_600


def test_an_article_carries_what_its_source_is() -> None:
    article = decoded(rss()).articles[0]

    assert (article.source_id, article.publisher, article.family, article.tier) == ("s", "x", "x", "2")
    assert article.text_key
    assert article.text_origin == "feed"


def test_atom_texts_as_xhtml_keep_their_lines() -> None:
    body = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><title>t</title><link rel="self" href="http://x/s"/>'
        '<link href="http://x/1"/><published>2026-03-03T10:00:00Z</published><content type="xhtml">'
        '<div xmlns="http://www.w3.org/1999/xhtml"><p>One &lt; two</p><script>no()</script>tail'
        "<p>Three</p></div></content></entry></feed>"
    )

    article = decoded(body).articles[0]

    assert article.text == "One < two\ntail\nThree"
    assert article.url == "http://x/1"


@pytest.mark.parametrize(
    "charset", ["zip", "zlib_codec", "rot13", "utf-7", "punycode", "nonsense", "unicode_escape", "hex"]
)
def test_a_charset_that_is_none_is_not_followed(charset: str) -> None:
    assert decoded(rss(head=HEAD.replace("UTF-8", charset))).articles[0].title == TITLE


def test_markup_hidden_in_utf_7_stays_text() -> None:
    hidden = rss(an_item(title="+ADwAIQ-ENTITY x +ACI-y+ACIAPg-"), head=HEAD.replace("UTF-8", "utf-7"))

    assert decoded(hidden).articles[0].title == "+ADwAIQ-ENTITY x +ACI-y+ACIAPg-"


def test_the_charset_of_the_header_counts_where_the_document_is_silent() -> None:
    body = rss(an_item(title="Женщина"), head="").encode("koi8-r")

    assert decoded(body, content_type="application/xml; charset=koi8-r").articles[0].title == "Женщина"


@pytest.mark.parametrize("charset", ["utf-8", "gb2312"])
def test_one_damaged_byte_does_not_garble_the_whole_feed(charset: str) -> None:
    text = rss(an_item(title="阿里巴巴千问负责人林俊旸离职"), head=HEAD.replace("UTF-8", charset))
    body = text.encode("utf-8" if charset == "utf-8" else "gb18030")

    damaged = body.replace(b"</channel>", b"\xff</channel>")

    assert decoded(damaged).articles[0].title == "阿里巴巴千问负责人林俊旸离职"


def test_lone_surrogates_do_not_reach_the_store() -> None:
    escaped = '{"id": "\\ud800", "title": "a\\ud800b", "content_html": "<p>\\udfff</p>", "url": "https://x/\\ud800"}'
    body = (
        f'{{"version": "https://jsonfeed.org/version/1", "items": [{escaped}, {{"id": "2", "title": "ok"}}]}}'
    )

    articles = decoded(body).articles

    assert [article.title for article in articles] == ["a?b", "ok"]
    assert repr(articles).encode()


def reason_of(body: bytes) -> str | None:
    """Return why bytes are refused, None where they give articles; any other exception fails the test."""
    try:
        decoded(body)
    except DecodeError as error:
        return error.reason
    return None


def test_deep_nesting_is_no_way_to_crash() -> None:
    deep = "<b>" * 50_000 + "x" + "</b>" * 50_000

    assert reason_of(rss(an_item(description=deep)).encode()) != ""


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_end_in_a_decode_error_or_in_articles(body: bytes) -> None:
    for start in (
        b"",
        b"<rss><channel><item><title>",
        b'{"version": "https://jsonfeed.org/version/1", "items": [',
    ):
        assert reason_of(start + body) != ""


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_feed_with_broken_bytes_ends_in_a_decode_error_or_in_articles(data: st.DataObject) -> None:
    body = bytearray(rss(ITEM * 2).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))

    assert reason_of(bytes(body)) != ""
