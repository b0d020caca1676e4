"""OPML: feeds with their lines; hostile files never reach a parser; what is written is read again."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskwatch.decode.opml import MAX_FEEDS, Outline, read_opml, write_opml
from riskwatch.errors import DecodeError

LIST = b"""<?xml version="1.0" encoding="UTF-8"?>
<opml version="1.1"><head><title>mine</title></head><body>
  <outline text="AI">
    <outline type="rss" text="Example AI" xmlUrl="https://example.com/ai.xml" htmlUrl="https://example.com/"/>
    <outline text="b" title="B &amp; C" xmlurl=" https://b.example/feed " language="de-DE"/>
  </outline>
  <outline text="a note without an address"/>
</body></opml>"""


def test_feeds_are_read_at_any_depth_with_their_lines_and_folders_passed_over() -> None:
    assert read_opml(LIST) == (
        Outline("Example AI", "https://example.com/ai.xml", "https://example.com/", "", 4),
        Outline("B & C", "https://b.example/feed", "", "de-DE", 5),
    )


def test_another_charset_is_read() -> None:
    body = '<?xml version="1.0" encoding="utf-16"?><opml><outline text="机器之心" xmlUrl="https://j.example/"/></opml>'

    assert [one.title for one in read_opml(body.encode("utf-16"))] == ["机器之心"]


BOMB = (
    '<!DOCTYPE opml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    '<opml><outline text="&b;" xmlUrl="x"/></opml>'
)
FILE = (
    '<!DOCTYPE opml [<!ENTITY f SYSTEM "file:///etc/passwd">]><opml><outline xmlUrl="https://e/?&f;"/></opml>'
)


@pytest.mark.parametrize("text", [BOMB, FILE])
@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
def test_a_file_that_declares_entities_is_refused_before_any_parser_sees_it(text: str, charset: str) -> None:
    with pytest.raises(DecodeError) as told:
        read_opml(text.encode(charset))

    assert told.value.outcome == "dtd_refused"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<opml>\n<body>\n<outline>\n</body></opml>", "line 4: mismatched tag"),
        (b"", "line 1: no element found"),
        (b"not xml", "line 1: syntax error"),
        (b"<rss><channel/></rss>", "the root is <rss> where <opml> is due"),
        (b"<opml><body><outline text='x'/></body></opml>", "it lists no feed"),
        (b"<opml>" + b"<outline xmlUrl='u'/>\n" * (MAX_FEEDS + 1) + b"</opml>", "line 5001: more than 5000"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_the_line(body: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        read_opml(body)


@given(st.binary(max_size=400))
def test_any_bytes_give_feeds_or_a_decode_error(body: bytes) -> None:
    with contextlib.suppress(DecodeError):
        read_opml(b"<opml>" + body + b"</opml>")


_WORDS = st.text(st.characters(blacklist_categories=("C", "Z")), min_size=1, max_size=40)


@given(st.lists(st.tuples(_WORDS, _WORDS), min_size=1, max_size=5))
def test_what_is_written_is_read_again(pairs: list[tuple[str, str]]) -> None:
    outlines = [Outline(title, f"https://{path}", lang="en") for title, path in pairs]

    assert [(one.title, one.url, one.lang) for one in read_opml(write_opml(outlines))] == [
        (one.title, one.url, "en") for one in outlines
    ]
