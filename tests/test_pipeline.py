"""The jobs on a real store: attention is frozen by the quarter, daily scores come once a day."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from riskwatch import pipeline, settings
from riskwatch.app import App
from riskwatch.compiling import compile_rules
from riskwatch.model import Article
from riskwatch.replay import Clock

CONFIG = settings.load(environ={})
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> Iterator[App]:
    chosen = CONFIG.settings.model_copy(update={"data_dir": tmp_path})
    made = App(replace(CONFIG, settings=chosen), now=clock)
    yield made
    made.close()


def an_article(number: int, text: str, at: datetime) -> Article:
    return Article(
        "ingest",
        f"g{number}",
        text,
        "",
        None,
        at,
        "en",
        f"Outlet {number}",
        f"outlet{number}",
        "1",
        text_key=f"k{number}",
    )


def told(app: App, clock: Clock, number: int, text: str) -> None:
    pipeline.ingest(app.parts, [an_article(number, text, clock.at)])
    pipeline.absorb(app.parts)


def attention(app: App, as_of: datetime) -> dict[str, float]:
    with app.store.begin(write=False) as unit:
        inputs = pipeline.Reader(app.parts, unit).inputs("openai", as_of=as_of, known_at=as_of)
    return dict(inputs.attention)


def test_attention_is_that_of_the_quarter_s_first_instant(app: App, clock: Clock) -> None:
    told(app, clock, 1, "OpenAI laid off 300 employees on Monday, the company said.")
    assert attention(app, clock.at) == {}

    clock.move(datetime(2026, 4, 2, tzinfo=UTC))
    told(app, clock, 2, "OpenAI shares plunged and a class action was filed in California against OpenAI.")

    assert attention(app, clock.at)["openai"] == 1
    assert attention(app, datetime(2026, 7, 1, tzinfo=UTC))["openai"] > 1


def test_daily_scores_are_stored_once_a_day(app: App, clock: Clock) -> None:
    first, again = pipeline.daily(app.parts), pipeline.daily(app.parts)
    clock.move(START + timedelta(days=1))
    next_day = pipeline.daily(app.parts)

    subjects = len(pipeline.affected(app.parts, CONFIG.vendors))
    assert (first, again, next_day) == (subjects, 0, subjects)
    with app.store.begin(write=False) as unit:
        as_of = [row.score.as_of for row in unit.scores.history("openai", since=START, until=clock.at)]
    assert as_of == [START, datetime(2026, 1, 6, tzinfo=UTC)]


def test_absorbing_twice_changes_nothing(app: App, clock: Clock) -> None:
    told(app, clock, 1, "OpenAI laid off 300 employees on Monday, the company said.")
    with app.store.begin(write=False) as unit:
        before = unit.scores.data_version(), unit.events.events_of("openai")

    assert pipeline.absorb(app.parts) == pipeline.Absorbed()

    with app.store.begin(write=False) as unit:
        assert (unit.scores.data_version(), unit.events.events_of("openai")) == before


def test_events_are_merged_and_scored_after_the_last_batch_and_none_is_forgotten(
    app: App, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "BATCH", 1)
    texts = ("OpenAI laid off 300 employees on Monday.", "Anthropic laid off 40 employees on Monday.")
    pipeline.ingest(app.parts, [an_article(n, text, clock.at) for n, text in enumerate(texts)])

    first = pipeline.absorb(app.parts, limit=1)  # as if killed after the first batch
    second = pipeline.absorb(app.parts)

    with app.store.begin(write=False) as unit:
        scored = set(unit.scores.latest_all())
        owed = unit.access.setting(pipeline.OWED)
    assert (first.signals, first.events, first.snapshots, second.events) == (1, 0, 0, 2)
    assert {"openai", "anthropic"} <= scored
    assert second.snapshots == len(scored)
    assert owed == ""


def test_new_rules_read_the_stored_articles_again_and_correct_what_they_said(
    app: App, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "REDETECTED_TOGETHER", 1)
    told(app, clock, 1, "OpenAI laid off 300 employees on Monday, the company said.")
    told(app, clock, 2, "Anthropic raised $900 million in a new funding round.")
    clock.move(clock.at + timedelta(hours=1))
    fewer = replace(CONFIG, rules=tuple(rule for rule in CONFIG.rules if rule.event != "layoffs"))
    ruleset = compile_rules(fewer)
    later = replace(app.parts, ruleset_digest=ruleset.digest, compiled=lambda: ruleset)

    done, again = pipeline.redetect(later), pipeline.redetect(later)

    assert (done.articles, again) == (2, pipeline.Absorbed())
    with app.store.begin(write=False) as unit:
        (event,) = unit.events.events_of("openai")
        earlier = unit.events.event(event.id, known_at=clock.at - timedelta(minutes=30))
        newest = unit.scores.latest("openai")
        (untouched,) = unit.events.event_versions(unit.events.events_of("anthropic")[0].id)
        correcting = unit.access.setting(pipeline.CORRECTING)
    assert (earlier.state, event.state, untouched.state) == ("live", "withdrawn", "live")
    assert newest is not None
    assert (newest.cause, newest.score.contributions, correcting) == ("corrections", (), "")


def test_a_worker_reads_the_stored_articles_again_when_it_starts_under_new_rules(
    app: App, clock: Clock
) -> None:
    told(app, clock, 1, "OpenAI laid off 300 employees on Monday, the company said.")
    fewer = replace(
        app.config,
        rules=tuple(rule for rule in CONFIG.rules if rule.event != "layoffs"),
        settings=app.config.settings,
    )
    restarted = App(fewer, now=clock)

    restarted.absorb_due()

    with restarted.store.begin(write=False) as unit:
        (event,) = unit.events.events_of("openai")
    restarted.close()
    assert event.state == "withdrawn"


def test_a_revision_that_drops_the_sentence_withdraws_the_event(app: App, clock: Clock) -> None:
    told(app, clock, 1, "OpenAI laid off 300 employees on Monday, the company said.")
    clock.move(clock.at + timedelta(hours=1))
    corrected = replace(an_article(1, "Correction: an earlier text was wrong.", START), text_key="other")

    pipeline.ingest(app.parts, [corrected])
    pipeline.absorb(app.parts)

    with app.store.begin(write=False) as unit:
        (event,) = unit.events.events_of("openai")
        earlier = unit.events.event(event.id, known_at=clock.at - timedelta(minutes=30))
    assert (earlier.state, event.state) == ("live", "withdrawn")


def test_a_rejected_event_costs_nothing_and_stays_on_record(app: App, clock: Clock) -> None:
    told(app, clock, 1, "OpenAI laid off 300 employees on Monday, the company said.")
    with app.store.begin(write=False) as unit:
        (event,) = unit.events.events_of("openai")
    clock.move(clock.at + timedelta(hours=1))

    judged = app.questions.judge(
        event.id, "reject", author="Dana Ortiz", reason="a rumour of another firm", values={}
    )

    clock.move(clock.at + timedelta(hours=1))
    with app.store.begin(write=False) as unit:
        reader = pipeline.Reader(app.parts, unit)
        then = reader.score("openai", as_of=START, known_at=START)
        now = reader.score("openai", as_of=clock.at, known_at=clock.at)
    assert judged["state"] == "rejected"
    assert [c.type for c in then.contributions] == ["layoffs"]
    assert now.contributions == ()
