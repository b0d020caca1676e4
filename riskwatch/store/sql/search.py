"""Words of a reader → conditions on the text of an Article's newest revision.

Every word must occur in title or text, letters of either case. SQLite narrows words of three characters and
more by a trigram index (FTS5) and then looks into the text; texts not yet indexed, and shorter words (Chinese
ones of two among them), are scanned. PostgreSQL goes by ILIKE, which pg_trgm speeds up where it is installed.
The index is fed in bulk behind the newest revisions: indexing within each poll cost six times as much.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Integer, column, func, or_, select, table, text

from riskwatch.store.sql.codec import clean
from riskwatch.store.sql.session import Session
from riskwatch.store.sql.tables import article_revision

MARK = "search_mark"  # setting: the last revision in the index
MAX_WORDS = 8
MAX_WORD_CHARS = 60
_TRIGRAM = 3
_INDEX = table("article_search", column("rowid", Integer))
_MARK = text("SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'search_mark'")
_FEED = (
    """INSERT INTO article_search (rowid, title, text)
       SELECT seq, title, text FROM article_revision WHERE seq > :mark""",
    """UPDATE setting SET value = (SELECT COALESCE(MAX(seq), 0) FROM article_revision)
       WHERE name = 'search_mark'""",
)


def matches(query: str, session: Session) -> Sequence[ColumnElement[bool]]:
    """Return the conditions of a query; none for one of blanks only."""
    words = [word[:MAX_WORD_CHARS] for word in clean(query).split()[:MAX_WORDS]]
    seen = [_seen(word, session) for word in words]
    long = [word for word in words if len(word) >= _TRIGRAM]
    mark = _mark(session) if long else None
    if mark is None:
        return seen
    found = select(_INDEX.c.rowid).where(
        column("article_search", is_literal=True).op("MATCH")(_trigrams(long))
    )
    return [or_(article_revision.c.seq.in_(found), article_revision.c.seq > mark), *seen]


def feed_index(session: Session) -> None:
    """Index the revisions that came since the last time."""
    mark = _mark(session)
    if mark is not None:
        for statement in _FEED:
            session.run(text(statement), {"mark": mark} if ":mark" in statement else None)


def _mark(session: Session) -> int | None:
    """Last revision in the index; None where there is no index (PostgreSQL, or a SQLite without FTS5)."""
    mark: int | None = session.read(_MARK).scalar() if session.is_sqlite else None
    return mark


def _trigrams(words: Sequence[str]) -> str:
    parts = {word[at : at + _TRIGRAM] for word in words for at in range(len(word) - _TRIGRAM + 1)}
    return " AND ".join('"' + part.replace('"', '""') + '"' for part in sorted(parts))


def _seen(word: str, session: Session) -> ColumnElement[bool]:
    columns = (article_revision.c.title, article_revision.c.text)
    if session.is_sqlite and any(not char.isascii() and char.lower() != char.upper() for char in word):
        # LIKE of SQLite knows the two cases of ASCII letters only.
        return or_(*(func.instr(func.folded(part), word.casefold()) > 0 for part in columns))
    return or_(*(_like(part, word, session) for part in columns))


def _like(part: ColumnElement[str], word: str, session: Session) -> ColumnElement[bool]:
    pattern = "%" + word.replace("/", "//").replace("%", "/%").replace("_", "/_") + "%"
    return part.like(pattern, escape="/") if session.is_sqlite else part.ilike(pattern, escape="/")
