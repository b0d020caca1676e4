"""Whose voice an article of a Source is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from riskwatch.collect import Source
from riskwatch.intake import decoded

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
FEED = b"""<rss version="2.0"><channel><item><guid>1</guid><title>Acme cuts jobs</title>
</item></channel></rss>"""


@pytest.mark.parametrize(
    ("source_class", "covers", "speak"),
    [
        ("vendor_channel", ["acme"], ("acme",)),
        ("status_page", ["acme"], ("acme",)),
        ("vendor_channel", ["all"], ()),
        ("press", ["acme"], ()),
        ("wire", ["acme"], ()),
    ],
)
def test_a_vendor_speaks_on_its_own_sites_never_in_the_press_that_follows_it_alone(
    source_class: str, covers: list[str], speak: tuple[str, ...]
) -> None:
    source = Source.model_validate(
        {"id": "s", "url": "https://s.example/", "publisher": "p", "class": source_class, "covers": covers}
    )

    (article,) = decoded(FEED, content_type=None, source=source, url="", now=NOW).articles

    assert source.watches("acme")
    assert article.covers == speak
