"""One item that holds many stories -> child Articles, one a heading or list point."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from riskwatch.decode.markup import HEAD_END, POINT
from riskwatch.decode.text import plain, text_key, tidy, truncated

if TYPE_CHECKING:
    from riskwatch.model import Article

_BULLETS = ("- ", "* ", "• ", "· ", "‣ ", "\u2013 ")
_MIN_POINTS = 2  # one point is no list
_MAX_POINTS = 200


def split(article: Article, body: str) -> tuple[Article, ...]:
    """Return child Articles `guid#n`, each with its own words; fewer than two points: the item stays whole.

    Args:
        article: The item as one Article.
        body: Its body as the feed gave it, HTML or plain.
    """
    intro, *points = _chunks(body)
    if len(points) < _MIN_POINTS:  # one point is no list
        return (article,)
    children = [_child(article, 0, article.title, intro)] if intro else []
    for number, chunk in enumerate(points[:_MAX_POINTS], start=1):
        head, found, rest = chunk.partition(HEAD_END)
        title, text = (tidy(head).replace("\n", " "), tidy(rest)) if found else (None, tidy(chunk))
        if title or text:
            children.append(_child(article, number, title or None, text))
    return tuple(children)


def _child(article: Article, number: int, title: str | None, text: str) -> Article:
    text, was_cut = truncated(text)
    flags = {flag for flag in article.flags if flag != "truncated"} | {"digest_point"}
    return replace(
        article,
        guid=f"{article.guid}#{number}",
        title=title,
        text=text,
        text_key=text_key(title, text),
        text_origin="feed" if text else "title",
        flags=tuple(sorted(flags | {"truncated"} if was_cut else flags)),
    )


def _chunks(body: str) -> list[str]:
    """Return the words before the first point, then each point; a heading in a point ends with HEAD_END."""
    text = plain(body, marks=True)
    if POINT not in text:
        lines = [POINT + line[2:] if line.startswith(_BULLETS) else line for line in text.split("\n")]
        text = "\n".join(lines)
    first, *points = text.split(POINT)
    return [tidy(first), *(point.strip() for point in points)]
