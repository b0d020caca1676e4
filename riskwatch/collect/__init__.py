"""*Source that is due → Polled*: its Articles, its new state, one poll row."""

from riskwatch.collect.poll import Polled, Tools, poll
from riskwatch.collect.source import Source

__all__ = ["Polled", "Source", "Tools", "poll"]
