"""Builders of feeds for the tests of decoding."""

from datetime import UTC, datetime

from riskwatch.decode import Decoded, Origin, decode

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
ITEM = (
    "<item><title>Lin resigns from Qwen</title><link>http://x.example/1</link><guid>1</guid>"
    "<pubDate>Tue, 03 Mar 2026 10:00:00 GMT</pubDate><description>d</description></item>"
)
ORIGIN = Origin("s", url="https://x.example/feed", publisher="x", family="x", tier="2", lang="en")


def rss(items: str = ITEM, *, head: str = HEAD, before_root: str = "") -> str:
    return f'{head}{before_root}<rss version="2.0"><channel><title>T</title><link>http://x.example/</link>{items}</channel></rss>'


def an_item(**parts: str) -> str:
    values = {"title": "A title", "link": "http://x.example/1", "guid": "1", **parts}
    return (
        "<item>" + "".join(f"<{name}>{value}</{name}>" for name, value in values.items() if value) + "</item>"
    )


def decoded(body: bytes | str, *, origin: Origin = ORIGIN, content_type: str | None = None) -> Decoded:
    raw = body if isinstance(body, bytes) else body.encode()
    return decode(raw, content_type=content_type, origin=origin, now=NOW)
