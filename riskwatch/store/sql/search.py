"""Words of a reader → conditions on the text of an Article's newest revision.

Every word must occur in title or text, letters of any case. SQLite looks words of three characters and more up in a trigram index
(FTS5); shorter ones, Chinese words of two among them, and PostgreSQL go by LIKE, which pg_trgm speeds up where it is installed.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Integer, column, select, table, text

from riskwatch.store.sql.codec import clean
from riskwatch.store.sql.session import Session
from riskwatch.store.sql.tables import article_revision

MAX_WORDS = 8
MAX_WORD_CHARS = 100
_TRIGRAM = 3
_INDEX = table("article_search", column("rowid", Integer))


def matches(query: str, session: Session) -> Sequence[ColumnElement[bool]]:
    """Return the conditions of a query; none for one of blanks only."""
    words = [word[:MAX_WORD_CHARS] for word in clean(query).split()[:MAX_WORDS]]
    has_index = session.is_sqlite and bool(words) and _has_index(session)
    return [_indexed(word) if has_index and len(word) >= _TRIGRAM else _scanned(word) for word in words]


def _has_index(session: Session) -> bool:
    return session.read(text("SELECT 1 FROM sqlite_master WHERE name = 'article_search'")).first() is not None


def _indexed(word: str) -> ColumnElement[bool]:
    phrase = '"' + word.replace('"', '""') + '"'
    found = select(_INDEX.c.rowid).where(column("article_search", is_literal=True).op("MATCH")(phrase))
    return article_revision.c.seq.in_(found)


def _scanned(word: str) -> ColumnElement[bool]:
    columns = (article_revision.c.title, article_revision.c.text)
    title, body = (part.icontains(word, autoescape=True) for part in columns)
    return title | body
