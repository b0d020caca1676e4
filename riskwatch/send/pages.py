"""Addresses of our own pages, as messages lead to them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from riskwatch.send.message import Alert


@dataclass(frozen=True, slots=True)
class Pages:
    """Addresses of our own pages; empty where no base address is set."""

    base_url: str

    def of(self, *parts: str) -> str:
        """Return the address of a page."""
        path = "/".join(quote(part, safe="") for part in parts)
        return f"{self.base_url}/{path}" if self.base_url else ""

    def subject(self, alert: Alert) -> str:
        """Return the page where the subject of an Alert is explained."""
        if alert.rule_kind == "staleness":
            return self.of("sources")
        if alert.rule_kind == "concentration":
            return self.of("portfolio")
        return self.of("vendors", *alert.subject.split("/"))
