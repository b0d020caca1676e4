"""Feeds that nobody wrote for riskwatch; left out where the shared data are absent."""

import gzip
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from riskwatch.decode import decode
from riskwatch.decode.feed import read_feed
from riskwatch.decode.saved import decode_saved
from riskwatch.errors import DecodeError
from tests.decode.makers import NOW, ORIGIN

HERE = Path(__file__).resolve()
SHARED = Path(os.environ.get("SHARED_DATA") or HERE.parents[3] / "shared")  # a test's own switch
FEEDS = SHARED / "data" / "feeds"
NASTY = SHARED / "data" / "nasty"

LATER = NOW.replace(year=2027)  # after every item

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FEEDS.is_dir(), reason="the shared data are not on this machine"),
]


def body_of(path: Path) -> bytes:
    raw = path.read_bytes()
    return gzip.decompress(raw) if path.suffix == ".gz" and raw.startswith(b"\x1f\x8b") else raw


def test_every_real_feed_gives_its_items() -> None:
    rows = [json.loads(line) for line in (FEEDS / "FEEDCHECK.jsonl").read_text().splitlines()]
    rows = [row for row in rows if (FEEDS / row["path"]).is_file() and row["version"] and not row["exc"]]
    differing = []
    for row in [row for row in rows if row["path"].startswith("heads")] + rows[::7]:
        body = body_of(FEEDS / row["path"])
        articles = decode(body, content_type=None, origin=ORIGIN, now=LATER).articles
        dated = sum(article.published_at is not None for article in articles)
        copies = len(read_feed(body).items) - len(articles)
        if len(articles) + copies != row["entries"] or (not copies and dated != row["dated"]):
            differing.append((row["path"], row["entries"], len(articles), dated))

    assert differing == []
    assert len(rows) > 100


def test_every_hostile_file_gives_items_or_a_readable_reason() -> None:
    seen = Counter[str]()
    for path in sorted(NASTY.rglob("*")):
        if not path.is_file():
            continue
        reason = None
        try:
            seen[decode(body_of(path), content_type=None, origin=ORIGIN, now=NOW).parser] += 1
        except DecodeError as error:
            reason = error.reason
            seen["refused"] += 1
        assert reason != ""

    assert seen["feedparser"] > 1_000
    assert seen["expat"] > 500


def test_every_hostile_file_may_be_given_as_a_saved_article() -> None:
    for path in sorted(NASTY.rglob("*"))[::5]:
        if path.is_file():
            saved = decode_saved(path.name, body_of(path), now=NOW)
            assert saved.articles or saved.errors
