"""The words of HTML."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskwatch.decode.markup import HEAD_END, POINT, words
from riskwatch.decode.text import tidy

TEXTS = "word| |&amp;|—|\x00|\x01|>|<!--|-->"
TAGS = "<p>|</p>|<b>|</b>|<li>|<br/>|<h2>|</h2>|<script>|</script>|<head>|<object>|</object>|<svg|</html>"
pieces = st.sampled_from(f"{TEXTS}|{TAGS}".split("|"))


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<div>" * 3_000 + "deep", "deep"),
        ("<p>a\x01b</p><script>evil()</script>", "ab"),
        ("<html><p>inside</p></html>after", "inside\nafter"),
        ("<p>a<object><p>hidden<script>evil()</script></object>b", "ab"),
        ("<svg>to the end is silent<p>also this", ""),
        ("<!-- never closed <p>a", ""),
    ],
)
def test_odd_html_keeps_the_words_that_a_reader_would_see(html: str, text: str) -> None:
    assert tidy(words(html, marks=False)) == text


def test_headings_and_list_points_are_marked_where_asked_for() -> None:
    marked = words("<h2>One</h2>text<ul><li>Two</ul>", marks=True)

    assert tidy(marked.replace(POINT, "*").replace(HEAD_END, ":")) == "*\nOne:\ntext\n*\nTwo"


@given(st.lists(pieces, max_size=30).map("".join))
def test_no_document_leaves_anything_for_the_next(html: str) -> None:
    words(html, marks=False)

    assert words("<p>next</p>", marks=False).strip() == "next"


def test_documents_read_side_by_side_keep_their_words_apart() -> None:
    documents = [f"<p>{n}<b>{n}</b></p>" * 200 for n in range(50)]
    expected = [tidy(f"\n{n}{n}\n" * 200) for n in range(50)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda html: tidy(words(html, marks=False)), documents))

    assert found == expected
