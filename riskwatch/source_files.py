"""OPML ↔ sources: what other readers follow becomes a sources file, the configured feeds an OPML file."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Sequence

import re2
from pydantic import ValidationError

from riskwatch.collect import Source
from riskwatch.collect.due import host_of
from riskwatch.collect.source import SourceKind
from riskwatch.decode.opml import Outline, read_opml, write_opml
from riskwatch.errors import ConfigError, ConfigErrors, DecodeError
from riskwatch.model import Publisher

Resolve = Callable[[str | None, str | None], Publisher | None]
_LANG = re2.compile(r"^([a-z]{2,3})(?:[-_]|$)")  # other readers write "unknown" and "English" too
_MAX_ID, _MAX_TITLE = 50, 200
_WRITTEN = ("id", "kind", "url", "publisher", "title", "class", "tier", "lang", "covers")


def sources_of(
    body: bytes, *, name: str, known: Sequence[Source], resolve: Resolve
) -> tuple[list[Source], list[str]]:
    """Return the Sources that an OPML file lists, and a sentence for each feed that is passed over.

    Args:
        body: The file.
        name: Its name, for messages.
        known: Sources that are configured: their ids are taken, their addresses need no second Source.
        resolve: (outlet's name, address) -> its entry in the register of publishers.

    Raises:
        ConfigErrors: Every mistake, with the line.
    """
    try:
        outlines = read_opml(body)
    except DecodeError as error:
        raise ConfigErrors((ConfigError(error.reason, path=name),)) from None
    taken, by_url = {source.id for source in known}, {source.url: source.id for source in known}
    made, told, errors = list[Source](), list[str](), list[ConfigError]()
    for outline in outlines:
        if outline.url in by_url:
            told.append(f"{name}:{outline.line}: {outline.url} is the source {by_url[outline.url]} already")
            continue
        try:
            source = _source(outline, taken, resolve)
        except ValidationError as error:
            reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
            errors.append(ConfigError(reason, path=name, line=outline.line, key="xmlUrl"))
            continue
        taken.add(source.id)
        by_url[source.url] = source.id
        made.append(source)
    if errors:
        raise ConfigErrors(tuple(errors))
    return made, told


def _source(outline: Outline, taken: set[str], resolve: Resolve) -> Source:
    host = (host_of(outline.site) or host_of(outline.url)).removeprefix("www.")
    outlet = resolve(None, outline.url) or resolve(None, outline.site) or resolve(outline.title, None)
    lang = _LANG.search(outline.lang.lower())
    values: dict[str, object] = {
        "id": _free_id(outline.title, host, taken),
        "url": outline.url,
        "publisher": outlet.family if outlet else host or "unknown",
        "title": outline.title[:_MAX_TITLE] or None,
        "class": outlet.source_class if outlet else "press",
        "tier": outlet.tier if outlet else "4",
        "lang": lang.group(1) if lang else (outlet and outlet.lang) or "en",
        "covers": (outlet and outlet.covers) or ("all",),
    }
    return Source.model_validate(values)


def _free_id(title: str, host: str, taken: set[str]) -> str:
    """Return an id of the title's Latin letters, else of the host's, with a number where it is taken."""
    base = _slug(title) or _slug(host) or "feed"
    number = 1
    while (id_ := base if number == 1 else f"{base}-{number}") in taken:
        number += 1
    return id_


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = "".join(char if char.isalnum() else " " for char in plain).split()
    return "-".join(words)[:_MAX_ID].strip("-")


def as_yaml(sources: Iterable[Source]) -> str:
    """Return a file for config/sources; every text is quoted as JSON, which YAML reads as it is."""
    lines = ["# Feeds of an OPML file. Look over publisher (one voice), class, tier and covers of each."]
    for source in sources:
        values = source.model_dump(mode="json", by_alias=True, include={*_WRITTEN, "source_class"})
        given = [(key, values[key]) for key in _WRITTEN if values[key] is not None]
        for number, (key, value) in enumerate(given):
            lines.append(f"{'- ' if number == 0 else '  '}{key}: {json.dumps(value, ensure_ascii=False)}")
    return "\n".join([*lines, ""])


def as_opml(sources: Iterable[Source]) -> bytes:
    """Return the feeds among the Sources as OPML 2.0."""
    feeds = [source for source in sources if source.kind is SourceKind.FEED]
    return write_opml(Outline(one.title or one.id, one.url, lang=one.lang) for one in feeds)
