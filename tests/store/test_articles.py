from dataclasses import replace
from datetime import UTC

import pytest

from riskwatch.errors import NotFound
from riskwatch.model import Detection, Mention
from riskwatch.store import Added, ArticleFilter
from riskwatch.store.sql import SqlStore
from tests.store.builders import HOUR, NOON, a_mention, an_article

NASTY = "\0 \ud800 \u202e \U0001d518 阿里巴巴 '; DROP TABLE article; -- \" % _ \\ \r\n \U0010ffff"


def _detected(*subjects: str, sketch: tuple[int, ...] = ()) -> Detection:
    return Detection((), tuple(Mention(subject, "title", 0, 4) for subject in subjects), sketch=sketch)


def test_a_new_article_comes_back_as_given_with_its_id_and_instants(store: SqlStore) -> None:
    with store.begin() as unit:
        added = unit.articles.add_articles([an_article()], now=NOON)

    with store.begin(write=False) as unit:
        article = unit.articles.article(added.new[0])
    assert article == replace(an_article(), id=added.new[0], first_seen_at=NOON, recorded_at=NOON)
    assert article.first_seen_at is not None
    assert article.first_seen_at.tzinfo is UTC


def test_the_same_article_again_changes_nothing(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.articles.add_articles([an_article()], now=NOON)
    with store.begin(write=False) as unit:
        before = unit.scores.data_version()

    with store.begin() as unit:
        again = unit.articles.add_articles([an_article(published_at=NOON)], now=NOON + HOUR)

    assert again == Added(new=(), changed=(), unchanged=1)
    with store.begin(write=False) as unit:
        assert unit.scores.data_version() == before


def test_another_text_is_a_revision_that_keeps_the_first_sight_and_waits_for_detection(
    store: SqlStore,
) -> None:
    with store.begin() as unit:
        (id_,) = unit.articles.add_articles([an_article()], now=NOON).new
        unit.articles.mark_detected({(id_, 1): _detected()}, ruleset="r1", now=NOON)

    with store.begin() as unit:
        added = unit.articles.add_articles([an_article(text="Lin stays.")], now=NOON + HOUR)

    assert added == Added(new=(), changed=(id_,), unchanged=0, by_source={"wire": (0, 1)})
    with store.begin(write=False) as unit:
        first, second = unit.articles.revisions(id_)
        assert (first.text, second.text) == ("Lin leaves Qwen.", "Lin stays.")
        assert (second.revision, second.first_seen_at, second.recorded_at) == (2, NOON, NOON + HOUR)
        assert unit.articles.pending(limit=9) == (second,)


def test_another_title_alone_is_a_revision(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.articles.add_articles([an_article(title=None)], now=NOON)
        assert len(unit.articles.add_articles([an_article(title="None")], now=NOON).changed) == 1


def test_past_24_revisions_an_article_is_flagged_and_left_alone(store: SqlStore) -> None:
    with store.begin() as unit:
        for number in range(24):
            unit.articles.add_articles([an_article(text=f"text {number}")], now=NOON)
        added = unit.articles.add_articles([an_article(text="one more")], now=NOON)

        assert len(added.flagged) == 1
        assert len(unit.articles.revisions(added.flagged[0])) == 24


def test_of_two_items_with_one_identity_in_a_batch_the_first_counts(store: SqlStore) -> None:
    with store.begin() as unit:
        added = unit.articles.add_articles([an_article(text="new"), an_article(text="old")], now=NOON)

        assert (len(added.new), added.unchanged) == (1, 1)
        assert unit.articles.article(added.new[0]).text == "new"


def test_text_that_no_database_takes_is_mended_and_never_lost(store: SqlStore) -> None:
    nasty = an_article(NASTY, title=NASTY, text=NASTY, url=NASTY, publisher=NASTY, text_key="")

    with store.begin() as unit:
        (id_,) = unit.articles.add_articles([nasty], now=NOON).new
        mended = NASTY.replace("\0", "\ufffd").replace("\ud800", "\ufffd")
        assert unit.articles.article(id_).text == mended
        assert unit.articles.article(id_).publisher == mended
        assert unit.articles.add_articles([nasty], now=NOON).unchanged == 1
        assert list(unit.articles.known_guids("wire", [NASTY])) == [NASTY]
        assert unit.articles.known_urls("wire", [NASTY]) == {NASTY: mended}


def test_a_guid_longer_than_any_index_entry_is_stored(store: SqlStore) -> None:
    long = "".join(chr(0x4E00 + number * 7 % 20_000) for number in range(9_000))

    with store.begin() as unit:
        unit.articles.add_articles([an_article(long, url=f"https://x.example/{long}")], now=NOON)
        assert list(unit.articles.known_guids("wire", [long, "other"])) == [long]


def test_the_same_guid_in_another_source_is_another_article(store: SqlStore) -> None:
    with store.begin() as unit:
        added = unit.articles.add_articles([an_article(), an_article(source_id="press")], now=NOON)

        assert len(added.new) == 2
        assert unit.articles.known_guids("press", ["g1"]) == {"g1": "https://news.example/g1"}


def test_pending_articles_come_oldest_first_and_leave_when_detected(store: SqlStore) -> None:
    with store.begin() as unit:
        late = unit.articles.add_articles([an_article("late")], now=NOON + HOUR).new[0]
        early = unit.articles.add_articles([an_article("early")], now=NOON).new[0]
        assert [article.id for article in unit.articles.pending(limit=5)] == [early, late]
        assert [article.id for article in unit.articles.pending(limit=1)] == [early]

        unit.articles.mark_detected({(early, 1): _detected()}, ruleset="r1", now=NOON)

        assert [article.id for article in unit.articles.pending(limit=5)] == [late]
        assert unit.articles.count_pending() == 1


def test_a_new_ruleset_puts_articles_back_on_the_list(store: SqlStore) -> None:
    with store.begin() as unit:
        (id_,) = unit.articles.add_articles([an_article()], now=NOON).new
        unit.articles.mark_detected({(id_, 1): _detected()}, ruleset="r1", now=NOON)

        assert unit.articles.redetect(ruleset="r1", limit=9) == 0
        assert unit.articles.count_outdated(ruleset="r2") == 1
        assert unit.articles.redetect(ruleset="r2", limit=9) == 1
        assert unit.articles.count_outdated(ruleset="r2") == 0
        assert unit.articles.count_pending() == 1


def test_the_newest_articles_are_put_back_first_and_never_more_than_asked_for(store: SqlStore) -> None:
    with store.begin() as unit:
        for hours in range(3):
            (id_,) = unit.articles.add_articles([an_article(str(hours))], now=NOON + hours * HOUR).new
            unit.articles.mark_detected({(id_, 1): _detected()}, ruleset="r1", now=NOON + 3 * HOUR)

        assert unit.articles.redetect(ruleset="r2", limit=2) == 2

        assert [article.guid for article in unit.articles.pending(limit=9)] == ["1", "2"]
        assert unit.articles.count_outdated(ruleset="r2") == 1


def test_an_article_that_changed_while_it_was_detected_stays_on_the_list(store: SqlStore) -> None:
    with store.begin() as unit:
        (id_,) = unit.articles.add_articles([an_article()], now=NOON).new
        unit.articles.add_articles([an_article(text="Corrected.")], now=NOON + HOUR)

        unit.articles.mark_detected({(id_, 1): _detected("alibaba")}, ruleset="r1", now=NOON + HOUR)

        assert [article.revision for article in unit.articles.pending(limit=5)] == [2]
        assert unit.articles.articles(ArticleFilter(subject="alibaba")) == ()


def test_detecting_an_unknown_article_is_an_error(store: SqlStore) -> None:
    with pytest.raises(NotFound), store.begin() as unit:
        unit.articles.mark_detected({("nobody", 1): _detected()}, ruleset="r", now=NOON)


def test_unknown_articles_are_not_found(store: SqlStore) -> None:
    with store.begin(write=False) as unit:
        with pytest.raises(NotFound):
            unit.articles.article("nobody")
        with pytest.raises(NotFound):
            unit.articles.revisions("nobody")


def test_a_brief_holds_the_sketch_and_when_it_was_told(store: SqlStore) -> None:
    sketch = (0, 1, 2**64 - 1)

    with store.begin() as unit:
        (id_,) = unit.articles.add_articles([an_article()], now=NOON).new
        found = _detected("openai", "alibaba/qwen", "alibaba", sketch=sketch)
        unit.articles.mark_detected({(id_, 1): found}, ruleset="r", now=NOON)
        brief = unit.articles.briefs([id_, "nobody", id_])[id_]

    assert brief.sketch == sketch
    assert (brief.text_key, brief.published_at) == ("key of Lin leaves Qwen.", NOON - HOUR)
    assert (brief.source_id, brief.first_seen_at) == (an_article().source_id, NOON)


def test_a_vendors_count_includes_articles_that_name_only_its_line(store: SqlStore) -> None:
    with store.begin() as unit:
        ids = unit.articles.add_articles([an_article("1"), an_article("2")], now=NOON).new
        found = {(ids[0], 1): _detected("alibaba", "alibaba/qwen"), (ids[1], 1): _detected("alibaba/qwen")}
        unit.articles.mark_detected(found, ruleset="r", now=NOON)

        counts = unit.articles.mention_counts(since=NOON - HOUR, until=NOON)

    assert counts == {"alibaba": 2, "alibaba/qwen": 2}


def test_counts_hold_only_what_was_told_and_recorded_in_the_span(store: SqlStore) -> None:
    with store.begin() as unit:
        (id_,) = unit.articles.add_articles([an_article()], now=NOON).new
        unit.articles.mark_detected({(id_, 1): _detected("alibaba")}, ruleset="r", now=NOON + HOUR)

        assert unit.articles.mention_counts(since=NOON - HOUR, until=NOON) == {}
        assert unit.articles.mention_counts(since=NOON, until=NOON + HOUR) == {}
        assert unit.articles.mention_counts(since=NOON - HOUR, until=NOON + HOUR) == {"alibaba": 1}


def test_a_mention_that_a_revision_drops_still_counts_as_known_before(store: SqlStore) -> None:
    with store.begin() as unit:
        (id_,) = unit.articles.add_articles([an_article()], now=NOON).new
        unit.articles.mark_detected({(id_, 1): _detected("alibaba")}, ruleset="r", now=NOON)
        unit.articles.add_articles([an_article(text="Corrected.")], now=NOON + HOUR)
        unit.articles.mark_detected({(id_, 2): _detected("openai")}, ruleset="r", now=NOON + HOUR)

        assert unit.articles.mention_counts(since=NOON - HOUR, until=NOON) == {"alibaba": 1}
        assert unit.articles.mention_counts(since=NOON - HOUR, until=NOON + HOUR) == {"openai": 1}
        assert unit.articles.mention_counts(since=NOON - HOUR, until=NOON, vendor="alibaba") == {"alibaba": 1}
        assert unit.articles.mention_counts(since=NOON - HOUR, until=NOON, vendor="openai") == {}
        assert unit.articles.articles(ArticleFilter(subject="alibaba")) == ()


def test_items_of_a_source_are_dated_by_their_publication(store: SqlStore) -> None:
    with store.begin() as unit:
        unit.articles.add_articles([an_article("1"), an_article("2", published_at=NOON - 2 * HOUR)], now=NOON)
        unit.articles.add_articles([an_article("3", source_id="press", published_at=None)], now=NOON)

        dates = unit.articles.item_dates(["wire", "press", "none"], since=NOON - 2 * HOUR)

        assert dates == {"wire": [NOON - 2 * HOUR, NOON - HOUR], "press": [NOON]}
        assert unit.articles.item_dates(["wire"], since=NOON) == {}


def test_pages_neither_repeat_nor_lose_a_row_while_articles_arrive(store: SqlStore) -> None:
    with store.begin() as unit:
        first = unit.articles.add_articles([an_article(str(number)) for number in range(7)], now=NOON)
    seen: list[str] = []
    where = ArticleFilter(limit=3)
    while True:
        with store.begin() as unit:
            page = unit.articles.articles(where)
            unit.articles.add_articles([an_article(f"late {len(seen)}")], now=NOON + HOUR)
        if not page:
            break
        seen += [article.id for article in page]
        last = page[-1]
        assert last.first_seen_at is not None
        where = replace(where, after=(last.first_seen_at, last.id))

    assert seen == sorted(first.new, reverse=True)


@pytest.mark.parametrize("value", ["' OR 1=1 --", "%", "\0", "wire' ; DROP TABLE article", "\ud800"])
def test_sql_in_a_filter_is_only_text(store: SqlStore, value: str) -> None:
    with store.begin() as unit:
        unit.articles.add_articles([an_article()], now=NOON)

        assert unit.articles.articles(ArticleFilter(source_id=value)) == ()
        assert unit.articles.articles(ArticleFilter(subject=value)) == ()
        assert unit.articles.count_pending() == 1


def test_articles_are_filtered_by_source_subject_and_time(store: SqlStore) -> None:
    with store.begin() as unit:
        one = unit.articles.add_articles([an_article("1")], now=NOON).new[0]
        two = unit.articles.add_articles([an_article("2", source_id="press")], now=NOON + HOUR).new[0]
        found = {(one, 1): _detected("alibaba/qwen"), (two, 1): Detection((), (a_mention("openai"),))}
        unit.articles.mark_detected(found, ruleset="r", now=NOON)

        def ids(**fields: object) -> list[str]:
            return [a.id for a in unit.articles.articles(ArticleFilter(**fields))]  # type: ignore[arg-type] # as given

        assert ids() == [two, one]
        assert ids(source_id="press") == [two]
        assert ids(subject="alibaba") == ids(subject="alibaba/qwen") == [one]
        assert ids(seen_from=NOON + HOUR) == [two]
        assert ids(seen_to=NOON) == [one]
