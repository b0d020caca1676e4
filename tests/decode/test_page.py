"""Pages: the article and nothing beside it."""

import pytest

from riskwatch.decode.page import MAX_PAGE_BYTES, page
from riskwatch.errors import DecodeError
from tests.decode.makers import NOW

STORY = "Lin Junyang, who led Qwen, has left Alibaba, the company said on Tuesday. He gave no reason for it. "
PAGE = f"""<!doctype html><html lang="en"><head><title>Qwen lead resigns</title>
<meta property="article:published_time" content="2026-03-03T10:00:00Z"></head><body><nav>Home News</nav>
<article><h1>Qwen lead resigns</h1><p>{STORY * 3}</p><p>{STORY * 2}</p></article>
<aside><h3>Related stories</h3><ul><li><a href="/1">Mistral founder resigns</a></li></ul></aside>
<footer>All rights reserved</footer></body></html>"""


def test_a_page_gives_title_text_and_date() -> None:
    found = page(PAGE.encode(), url="https://x.example/1", now=NOW)

    assert found.title == "Qwen lead resigns"
    assert found.text.count("has left Alibaba") == 5
    assert found.text.startswith("Lin Junyang, who led Qwen")
    assert str(found.published_at).startswith("2026-03-03 ")


def test_the_related_stories_stay_outside() -> None:
    assert "Mistral" not in page(PAGE.encode(), now=NOW).text


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"", "no_article"),
        (b"<html><body>We value your privacy. Accept all cookies?</body></html>", "no_article"),
        (b"\x00\xff\xfe" * 100, "no_article"),
        (b"x" * (MAX_PAGE_BYTES + 1), "too_large"),
    ],
)
def test_what_is_no_article_is_named(body: bytes, outcome: str) -> None:
    with pytest.raises(DecodeError) as caught:
        page(body, now=NOW)

    assert caught.value.outcome == outcome
