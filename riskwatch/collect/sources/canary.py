"""Kind `canary`: a feed of our own with one item, whose id is renewed each hour; nobody is asked for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from riskwatch.collect.source import PollInterval, Source, SourceKind
from riskwatch.model import CANARY, CANARY_VENDOR

_EVERY = timedelta(minutes=30)  # half of an item's hour: no item is missed
SOURCE = Source(
    id=CANARY,
    kind=SourceKind.CANARY,
    url="canary",
    publisher=CANARY,
    tier="primary",
    covers=(CANARY,),
    interval=PollInterval(default=_EVERY, min=_EVERY, max=_EVERY),
    full_text="never",
)


def document(now: datetime) -> bytes:
    """Return the feed of an hour: the same news under another id."""
    hour, name = now.replace(minute=0, second=0, microsecond=0), CANARY_VENDOR.name
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Canary</title><item>'
        f"<guid>{hour.isoformat()}</guid><pubDate>{hour:%d %b %Y %H:%M:%S} GMT</pubDate>"
        f"<title>{name} releases Zeisig 2</title>"
        f"<description>{name} has released Zeisig 2, its new language model.</description>"
        "</item></channel></rss>"
    ).encode()
