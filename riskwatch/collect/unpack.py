"""Chunks from the wire → the body, unpacked in steps and cut at the limits."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

from riskwatch.errors import CollectError, TooLarge

_CHUNK_BYTES = 65_536
_RATIO_COUNTS_FROM_BYTES = 256 * 1024  # small documents may be as repetitive as they like


class CutOff(CollectError):
    """The connection broke before the answer was whole."""

    outcome = "cut_off"


class BadEncoding(CollectError):
    """The body is packed in a way that is not unpacked here."""

    outcome = "bad_encoding"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one exchange may cost."""

    connect_seconds: float = 5.0
    read_seconds: float = 15.0
    total_seconds: float = 60.0
    wire_bytes: int = 5_000_000
    body_bytes: int = 20_000_000
    ratio: int = 100
    hops: int = 5


class Unpacker:
    """Collects a body, unpacking it in steps and stopping at the limits."""

    def __init__(self, limits: Limits, *, is_packed: bool, source_id: str) -> None:
        self._limits, self._source_id = limits, source_id
        self._zip: Any = zlib.decompressobj(47) if is_packed else None  # 47: gzip or zlib, told by the head
        self._first = b""
        self._parts: list[bytes] = []
        self._wire_bytes = self._body_bytes = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes from the wire."""
        self._wire_bytes += len(chunk)
        if self._zip is None:
            self._keep(chunk)
            return
        try:
            self._unpack(chunk)
        except zlib.error:
            self._unpack_raw(chunk)

    def whole(self) -> bytes:
        """Return the body; raises CutOff where a packed one ends early."""
        if self._zip is not None and self._wire_bytes and not self._zip.eof:
            raise CutOff(self._source_id, "the packed body ends too early")
        return b"".join(self._parts)

    def _unpack(self, chunk: bytes) -> None:
        while chunk:
            self._keep(self._zip.decompress(chunk, _CHUNK_BYTES))
            chunk = self._zip.unconsumed_tail
            if self._zip.eof and self._zip.unused_data.startswith(b"\x1f\x8b"):  # a further gzip member
                chunk, self._zip = self._zip.unused_data, zlib.decompressobj(47)

    def _unpack_raw(self, chunk: bytes) -> None:
        """Take `deflate` without its zlib head, as some servers send it."""
        if self._body_bytes or self._wire_bytes != len(chunk):
            raise BadEncoding(self._source_id, "the packed body is damaged")
        self._zip = zlib.decompressobj(-15)
        try:
            self._unpack(chunk)
        except zlib.error:
            raise BadEncoding(self._source_id, "the packed body is damaged") from None

    def _keep(self, part: bytes) -> None:
        self._body_bytes += len(part)
        if self._body_bytes > self._limits.body_bytes:
            raise TooLarge(
                self._source_id, f"unpacked, the body is larger than {self._limits.body_bytes:,} bytes"
            )
        if self._body_bytes > max(_RATIO_COUNTS_FROM_BYTES, self._wire_bytes * self._limits.ratio):
            raise TooLarge(
                self._source_id, f"the body unpacks to more than {self._limits.ratio} times its size"
            )
        self._parts.append(part)


def unpacker(encoding: str, limits: Limits, *, source_id: str) -> Unpacker:
    """Return the collector for a Content-Encoding; raises BadEncoding where it is nested or unknown."""
    names = [
        name
        for name in (part.strip().lower() for part in encoding.split(","))
        if name not in ("", "identity")
    ]
    if len(names) > 1:
        raise BadEncoding(source_id, "nested content encodings are refused")
    if names and names[0] not in ("gzip", "x-gzip", "deflate"):
        raise BadEncoding(source_id, "the content encoding is none of gzip, deflate, identity")
    return Unpacker(limits, is_packed=bool(names), source_id=source_id)
