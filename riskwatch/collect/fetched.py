"""Question and answer of one request, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Validators:
    """What an earlier answer gave for asking again; it belongs to one URL only."""

    url: str | None = None
    etag: str | None = None
    last_modified: str | None = None

    def headers_for(self, url: str) -> dict[str, str]:
        """Return the conditional headers for a request to this URL; none for any other."""
        if self.url != url:
            return {}
        pairs = (("If-None-Match", self.etag), ("If-Modified-Since", self.last_modified))
        return {name: value for name, value in pairs if value}


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: the bytes, headers and final URL."""

    url: str
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes = b""
    wire_bytes: int = 0
    permanent_url: str | None = None  # where an unbroken run of 301 and 308 led to
    hops: int = 0
