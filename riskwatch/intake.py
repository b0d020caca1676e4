"""Bytes from outside → Articles: saved files, answers of Sources; and whose voice each of them is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from riskwatch.collect.due import host_of
from riskwatch.decode import Decoded, Origin, decode
from riskwatch.model import Publisher
from riskwatch.progress import Bar

if TYPE_CHECKING:
    from riskwatch.collect import Source
    from riskwatch.decode.saved import Saved


class Given(TypedDict, total=False):
    """What the caller knows of saved files that they do not say themselves."""

    published: datetime | None
    publisher: str | None
    url: str | None


class Intake:
    """Decodes what is saved in files, with the register of outlets at hand."""

    def __init__(self, publishers: Sequence[Publisher], *, now: Callable[[], datetime]) -> None:
        self._listed, self._now = publishers, now

    @cached_property
    def _publishers(self) -> Mapping[str, Publisher]:
        """Publishers by lower-case name and by domain."""
        made: dict[str, Publisher] = {}
        for publisher in self._listed:
            for key in (publisher.name, *publisher.domains):
                made.setdefault(key.lower(), publisher)
        return made

    def resolve(self, publisher: str | None, url: str | None) -> Publisher | None:
        """Return the register's entry of an outlet, by name, else by the domain of the address."""
        for key in ((publisher or "").lower(), *_domains_of(url), *_domains_of(f"https://{publisher}/")):
            if key in self._publishers:
                return self._publishers[key]
        return None

    def saved(self, paths: Sequence[Path], *, given: Given, bar: Bar | None = None) -> Iterator[Saved]:
        """Decode saved files (folders are read whole), one result a file, sorted by path."""
        from riskwatch.decode.saved import Known, Saved, SavedError, decode_saved  # noqa: PLC0415 - loads lxml

        known = Known(given.get("published"), given.get("publisher"), given.get("url"))
        found = (file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path]))
        files = [file for file in found if file.is_file()]
        with bar(len(files), "reading") if bar else nullcontext() as moving:
            for file in files:
                try:
                    body = file.read_bytes()
                except OSError as error:
                    yield Saved((), (SavedError(str(file), None, f"cannot be read: {error.strerror}"),))
                    continue
                yield decode_saved(str(file), body, resolve=self.resolve, now=self._now(), known=known)
                if moving is not None:
                    moving.update(1)


def decoded(body: bytes, *, content_type: str | None, source: Source, url: str, now: datetime) -> Decoded:
    """Decode the bytes of a Source."""
    origin = Origin(
        source_id=source.id,
        url=url or None,
        publisher=source.title or source.publisher,
        family=source.publisher,
        tier=source.tier,
        source_class=source.source_class,
        lang=source.lang,
        covers=source.vendors,
        digest=source.digest,
        identity=source.identity,
    )
    return decode(body, content_type=content_type, origin=origin, now=now)


def _domains_of(url: str | None) -> Iterator[str]:
    """Give the host of an address and the domains above it, longest first."""
    labels = host_of(url or "").removeprefix("www.").split(".")
    for start in range(len(labels) - 1):
        yield ".".join(labels[start:])
