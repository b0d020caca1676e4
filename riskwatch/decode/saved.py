"""Saved articles and archives → Articles, with the mistakes of each line beside them.

Plain text, HTML page, feed XML (RSS, Atom), JSON Feed, JSON Lines with the keys id, title, summary or text,
published, publisher, url and lang.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from riskwatch.decode import charset
from riskwatch.decode.build import article_of
from riskwatch.decode.dates import DATE_UNREADABLE, parse_date
from riskwatch.decode.feed import read_feed
from riskwatch.decode.links import canonical, host_of
from riskwatch.decode.origin import Origin, RawItem
from riskwatch.decode.page import page
from riskwatch.decode.text import looks_html, plain, sound, tidy
from riskwatch.errors import DecodeError
from riskwatch.model import Article, Publisher

if TYPE_CHECKING:
    from datetime import datetime

SOURCE_ID = "ingest"
MAX_TITLE_CHARS = 200
_SENTENCE_ENDS = (".", "!", ";", ":", ",", "。", "；", "，")  # noqa: RUF001  # Chinese full stops are meant
_SECOND_LEVELS = frozenset("co com net org gov edu ac or ne go gob".split())  # noqa: SIM905  # a list of words

Resolve = Callable[[str | None, str | None], Publisher | None]


@dataclass(frozen=True, slots=True)
class Known:
    """What the caller knows of a file; it fills only what the file does not say itself."""

    published_at: datetime | None = None
    publisher: str | None = None
    url: str | None = None
    lang: str | None = None


@dataclass(frozen=True, slots=True)
class SavedError:
    """One part of a file that could not be read."""

    name: str
    line: int | None  # from 1; None where the whole file is meant
    reason: str

    def __str__(self) -> str:
        return f"{self.name}:{self.line}: {self.reason}" if self.line else f"{self.name}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Saved:
    """Articles of one file, in its order, and what could not be read."""

    articles: tuple[Article, ...]
    errors: tuple[SavedError, ...] = ()


def decode_saved(
    name: str,
    body: bytes,
    *,
    resolve: Resolve | None = None,
    now: datetime,
    known: Known | None = None,
    source_id: str = SOURCE_ID,
) -> Saved:
    """Return the Articles of one saved file; a bad line costs itself only.

    Args:
        name: File name, for the errors and the identity of a text that has no link.
        body: Its bytes.
        resolve: (publisher, url) -> Publisher; none or no answer: an unlisted tier 4 outlet, its own family.
        now: Aware UTC; dates more than 24 hours later are dropped and flagged.
        known: Fills what the file does not say.
        source_id: Source that the Articles belong to.
    """
    desk = _Desk(name, resolve or (lambda _publisher, _url: None), now, known or Known(), source_id)
    try:
        saved = desk.read(body)
        return (
            saved
            if saved.articles or saved.errors
            else Saved((), (SavedError(name, None, "no article in it"),))
        )
    except DecodeError as error:
        return Saved((), (SavedError(name, None, error.reason),))


def unlisted(publisher: str | None, url: str | None) -> Publisher:
    """Return an outlet that no register knows: tier 4, its own family, named by its registrable domain."""
    host = host_of(url)
    domain = registrable(host) if host else None
    label = publisher or domain or "unknown"
    family = domain or tidy(label).lower().replace(" ", "-")
    return Publisher(name=label, domains=(domain,) if domain else (), family=family, tier="4")


def registrable(host: str) -> str:
    """Return the registrable domain by the shape of the labels (news.example.co.uk gives example.co.uk)."""
    labels = host.split(".")
    if len(labels) < 3 or labels[-1].isdigit():  # noqa: PLR2004  # an address, or already bare
        return host
    keep = 3 if len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS else 2  # noqa: PLR2004  # country code
    return ".".join(labels[-keep:])


@dataclass(frozen=True, slots=True)
class _Desk:
    name: str
    resolve: Resolve
    now: datetime
    known: Known
    source_id: str

    def read(self, body: bytes) -> Saved:
        text = charset.decode_text(body).text.lstrip("\ufeff")
        if _is_binary(text):
            raise DecodeError("this is no text; text, HTML, feed XML, JSON Feed and JSON Lines are read")
        start = text.lstrip()[:2_000]
        lowered = start.lower()
        if not start:
            raise DecodeError("the file is empty")
        if start[0] in "{[":
            return self._json(text, body)
        if lowered.startswith(("<!doctype html", "<html", "<head", "<body")):
            return Saved((self._page(body),))
        if start.startswith("<") and (
            "<rss" in lowered or "<feed" in lowered or "<rdf" in lowered or "<?xml" in lowered
        ):
            return self._feed(body)
        return Saved((self._text(text),))

    def _json(self, text: str, body: bytes) -> Saved:
        first = text.lstrip().partition("\n")[0]
        if "jsonfeed.org/version" in text[:2_000] and not _is_record(first):
            return self._feed(body)
        whole = _json_value(text) if text.lstrip()[0] == "[" else None
        if isinstance(whole, list):
            return self._records(enumerate(whole, start=1), label="entry")
        lines = ((number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip())
        return self._records(((number, _json_value(line)) for number, line in lines), label="line")

    def _records(self, records: object, *, label: str) -> Saved:
        articles: dict[str, Article] = {}
        errors = []
        for number, record in records:  # type: ignore[attr-defined]  # pairs from _json
            try:
                article = self._record(record)
            except DecodeError as error:
                errors.append(SavedError(self.name, number, error.reason))
                continue
            if article.guid in articles:
                errors.append(
                    SavedError(self.name, number, f"the id {article.guid!r} stands in an earlier {label} too")
                )
                continue
            articles[article.guid] = article
        return Saved(tuple(articles.values()), tuple(errors))

    def _record(self, record: object) -> Article:
        if not isinstance(record, Mapping):
            raise DecodeError("no JSON object" if record is not _BAD else "JSON that cannot be read")
        words = {
            key: _word(record, key)
            for key in ("id", "title", "text", "summary", "published", "publisher", "url", "lang")
        }
        body = words["text"] or words["summary"] or ""
        if not words["title"] and not body:
            raise DecodeError("neither title nor text")
        item = RawItem(
            guid=words["id"] or words["url"] or _digest(f"{words['title']}\n{body}"),
            link=words["url"] or self.known.url,
            title=words["title"],
            body=body,
            body_is_html=looks_html(body),
            published=words["published"],
            lang=words["lang"],
        )
        return self._article(item, publisher=words["publisher"])

    def _feed(self, body: bytes) -> Saved:
        feed = read_feed(body)
        found = [
            self._article(item, publisher=None) for item in feed.items if item.title or item.body.strip()
        ]
        errors = tuple(SavedError(self.name, None, flag.replace("_", " ")) for flag in feed.flags)
        return Saved(tuple({article.guid: article for article in reversed(found)}.values())[::-1], errors)

    def _page(self, body: bytes) -> Article:
        try:
            found = page(body, url=self.known.url, now=self.now, min_chars=1)
        except DecodeError as error:
            if error.outcome == "too_large":
                raise
            text = plain(charset.decode_text(body).text)
            if not text:
                raise
            return self._text(text)
        link = found.url or self.known.url
        item = RawItem(
            guid=link or _digest(found.text),
            link=link,
            title=found.title,
            body=found.text,
            title_is_html=False,
            body_is_html=False,
            published_at=found.published_at,
            lang=found.lang,
        )
        return replace(self._article(item, publisher=found.site), text_origin="page")

    def _text(self, text: str) -> Article:
        title, body = split_title(text)
        item = RawItem(
            guid=self.known.url or _digest(tidy(text)),
            link=self.known.url,
            title=title,
            body=body,
            title_is_html=False,
            body_is_html=looks_html(body) and "</" in body,
        )
        return self._article(item, publisher=None)

    def _article(self, item: RawItem, *, publisher: str | None) -> Article:
        if item.published and parse_date(item.published) is None and item.parsed is None:
            unreadable, item.published = True, None
        else:
            unreadable = False
        if not (item.published or item.parsed or item.published_at):
            item.published_at = self.known.published_at
        publisher = publisher or self.known.publisher
        link = canonical(item.link)
        outlet = self.resolve(publisher, link) or unlisted(publisher, link)
        origin = Origin(
            source_id=self.source_id,
            url=self.known.url,
            publisher=outlet.name,
            family=outlet.family,
            tier=outlet.tier,
            source_class=outlet.source_class,
            lang=self.known.lang or outlet.lang or "en",
            covers=outlet.covers,
        )
        article = article_of(item, origin=origin, now=self.now)
        if article is None:
            raise DecodeError("no words")
        return replace(article, flags=(*article.flags, DATE_UNREADABLE)) if unreadable else article


def _is_binary(text: str) -> bool:
    """Return whether it is no text: more than 1 in 100 characters are controls or undecodable."""
    sample = text[:20_000]
    odd = sum(c == "\ufffd" or (c < "\xa0" and not c.isprintable() and not c.isspace()) for c in sample)
    return odd * 100 > len(sample)


def split_title(text: str) -> tuple[str | None, str]:
    """Return title and body of a plain text; the first line is a title only where it looks like a heading."""
    first, _, rest = text.strip().partition("\n")
    first = first.strip()
    if first.startswith("# "):
        return first[2:].strip(), rest.strip()
    is_heading = bool(first) and len(first) <= MAX_TITLE_CHARS and not first.endswith(_SENTENCE_ENDS)
    if not is_heading or not rest.strip() or "://" in first:
        return None, text.strip()
    return first, rest.strip()


_BAD = object()


def _json_value(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _BAD


def _is_record(line: str) -> bool:
    value = _json_value(line)
    return isinstance(value, dict) and "items" not in value


def _word(record: Mapping[str, object], key: str) -> str | None:
    value = record.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return sound(value).strip() or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise DecodeError(f"{key} must be text")


def _digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
