import pytest
from sqlalchemy import text as sql

from riskwatch.model import Detection
from riskwatch.store import ArticleFilter
from riskwatch.store.sql import SqlStore
from riskwatch.store.sql.engine import make_engine
from tests.store.builders import NOON, an_article

TEXTS = {
    "zh": "阿里巴巴通义千问负责人离职",
    "en": "The Qwen lead resigns at once",
    "fr": "Mistral à l'École: ÉLAN",
    "odd": '100% "quoted" snake_case \\ AND NEAR( * -x',
    "both": "Resigns: a title word",
}


@pytest.fixture(params=["before", "after"])
def filled(store: SqlStore, request: pytest.FixtureRequest) -> SqlStore:
    """Articles not yet in the index, and in it."""
    with store.begin() as unit:
        articles = [an_article(guid, title="Note", text=text) for guid, text in TEXTS.items()]
        new = unit.articles.add_articles(articles, now=NOON).new
        if request.param == "after":
            unit.articles.mark_detected({(id_, 1): Detection((), ()) for id_ in new}, ruleset="r", now=NOON)
    return store


@pytest.mark.parametrize(
    ("query", "guids"),
    [
        ("千问", {"zh"}),
        ("通义千问", {"zh"}),
        ("RESIGNS", {"en", "both"}),
        ("resigns qwen", {"en"}),
        ("resigns  q", {"en"}),
        ("élan", {"fr"}),
        ("É", {"fr"}),
        ("100%", {"odd"}),
        ("%", {"odd"}),
        ("_", {"odd"}),
        ("snake_case", {"odd"}),
        ("snakeXcase", set()),
        ('"quoted"', {"odd"}),
        ("NEAR(", {"odd"}),
        ("\\", {"odd"}),
        ("note", set(TEXTS)),
        ("  ", set(TEXTS)),
        ("\0", set()),
        ("x' OR '1'='1", set()),
    ],
)
def test_words_are_found_in_any_language_case_and_length(
    filled: SqlStore, query: str, guids: set[str]
) -> None:
    with filled.begin(write=False) as unit:
        found = unit.articles.articles(ArticleFilter(query=query))

    assert {article.guid for article in found} == guids


def test_only_the_newest_revision_is_searched(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.articles.add_articles([an_article(text="old wording")], now=NOON)
        unit.articles.add_articles([an_article(text="fresh wording")], now=NOON)

        assert len(unit.articles.articles(ArticleFilter(query="fresh"))) == 1
        assert unit.articles.articles(ArticleFilter(query="old wor")) == ()


@pytest.mark.parametrize("database", ["sqlite"])
def test_the_index_follows_texts_that_are_dropped_or_emptied(store: SqlStore, url: str) -> None:
    with store.begin() as unit:
        new = unit.articles.add_articles(
            [an_article(name, text=f"{name} wording") for name in "ab"], now=NOON
        ).new
        unit.articles.mark_detected({(id_, 1): Detection((), ()) for id_ in new}, ruleset="r", now=NOON)
        unit.articles.add_articles([an_article("c", text="c wording")], now=NOON)
    engine = make_engine(url)

    with engine.begin() as connection:
        connection.execute(
            sql("UPDATE article_revision SET text = 'gone' WHERE text IN ('a wording', 'c wording')")
        )
        connection.execute(sql("DELETE FROM article_revision WHERE text = 'b wording'"))
        check = "INSERT INTO article_search (article_search, rank) VALUES ('integrity-check', 0)"
        connection.execute(sql(check))
    engine.dispose()

    with store.begin() as unit:
        assert unit.articles.articles(ArticleFilter(query="wording")) == ()
        assert len(unit.articles.articles(ArticleFilter(query="gone"))) == 2
