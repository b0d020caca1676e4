"""What is deleted when its time is over: texts, polls, tries, payloads; never what a score rests on."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from riskwatch import pipeline, retention, web
from riskwatch.app import App
from riskwatch.collect import Source
from riskwatch.errors import TooMuch
from riskwatch.model import Article, Poll, Retention, Score, Signal, Verdict, VerdictKind
from riskwatch.replay import Clock
from riskwatch.settings import load
from riskwatch.store import ArticleFilter, EventFilter, Past
from tests.scenarios.test_kill import HAPPENINGS

CONFIG = load(environ={})
FIRST = datetime(2022, 1, 10, 9, tzinfo=UTC)
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
KEPT = Retention()
SUBJECTS = ("openai", "anthropic", "mistral", "alibaba", "alibaba/qwen")
NAMES = ("OpenAI", "Anthropic", "Mistral AI", "Alibaba")
SOURCE = Source.model_validate({"id": "s", "kind": "file", "url": "news", "publisher": "p"})


class Archive:
    """An installation that has run for four years."""

    def __init__(self, folder: Path, url: str) -> None:
        given = {"data_dir": folder, "database_url": SecretStr(url)}
        self.clock = Clock(FIRST)
        config = replace(
            CONFIG,
            settings=CONFIG.settings.model_copy(update=given),
            alerts=CONFIG.alerts.model_copy(update={"rules": ()}),
        )
        self.app = App(config, now=self.clock, sources=(SOURCE,))

    @property
    def parts(self) -> pipeline.Parts:
        return self.app.parts

    def live(self, seed: int, articles: int = 60) -> None:
        """Let four years pass with news, some of it told in texts only, two polls a week and a verdict."""
        chance = random.Random(seed)
        hours = sorted(chance.sample(range(int((NOW - FIRST) / timedelta(hours=1))), articles))
        for number, hour in enumerate(hours):
            self.clock.move(FIRST + hour * timedelta(hours=1))
            text = chance.choice(HAPPENINGS).format(
                v=chance.choice(NAMES), n=chance.randint(20, 900), p=chance.randint(2, 9)
            )
            self.tell(number, text, title=chance.choice((text, f"Notes of day {number}")))
        self.poll(FIRST + n * DAY / 2 for n in range(0, 2 * (NOW - FIRST).days, 7))
        with self.app.store.begin(write=False) as unit:
            judged = chance.choice(unit.events.list_events(EventFilter(limit=200)))
        pipeline.judge(self.parts, Verdict("v", judged.id, VerdictKind.REJECT, "me", "no", {}))
        self.clock.move(NOW)
        pipeline.daily(self.parts)

    def tell(self, number: int, text: str, *, title: str) -> None:
        told = Article(
            "s", f"g{number}", title, text, None, self.clock.at, "en", f"Outlet {number % 5}",
            f"o{number % 5}", "1", text_key=f"k{number}",
        )  # fmt: skip
        pipeline.ingest(self.parts, [told])
        pipeline.absorb(self.parts)

    def poll(self, instants: Iterator[datetime] | Sequence[datetime]) -> None:
        polls = [
            Poll(f"p{n}", "s", at, 1, "ok" if n % 3 else "bad_status", "", None, 0, 0, 0)
            for n, at in enumerate(instants)
        ]
        with self.app.store.begin() as unit:
            unit.articles.add_polls(polls)

    def poll_days(self, first: int, end: int) -> None:
        """Poll six times on each of these days after the first."""
        polls = [
            Poll(f"d{n}", "s", FIRST + n * DAY / 6, 1, "ok", "", None, 0, 0, 0)
            for n in range(6 * first, 6 * end)
        ]
        with self.app.store.begin() as unit:
            unit.articles.add_polls(polls)

    def scores(self) -> list[Score]:
        """Return Scores as of the end of many days, as known then and as known now."""
        ends = [FIRST.replace(hour=23, minute=59, second=59) + n * 23 * DAY for n in range(66)]
        with self.app.store.begin(write=False) as unit:
            reader = pipeline.Reader(self.parts, unit)
            return [
                reader.score(subject, as_of=at, known_at=known_at)
                for subject in SUBJECTS
                for at in ends
                for known_at in (at, NOW)
            ]

    def told(self) -> list[Any]:
        with self.app.store.begin(write=False) as unit:
            return [
                (
                    vendor,
                    unit.events.signals(vendor),
                    unit.events.versions_of(vendor),
                    unit.events.stories(vendor),
                )
                for vendor in ("openai", "anthropic", "mistral", "alibaba")
            ]

    def texts(self) -> dict[str, str]:
        with self.app.store.begin(write=False) as unit:
            return {a.guid: a.text for a in unit.articles.articles(ArticleFilter(limit=1000))}

    def forget(self, **how: Any) -> retention.Forgotten:
        return retention.forget(self.parts, KEPT, **how)


@pytest.fixture
def archive(url: str, tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path, url)
    yield made
    made.app.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_deleting_changes_no_score_as_of_or_as_known_any_day(archive: Archive, seed: int) -> None:
    archive.live(seed)
    scores, told, texts = archive.scores(), archive.told(), archive.texts()

    gone = archive.forget()

    assert gone.article_texts > 10
    assert gone.past[Past.POLLS] > 50
    assert sum(text == "" for text in archive.texts().values()) == gone.article_texts
    assert texts.keys() == archive.texts().keys()
    assert archive.told() == told
    assert archive.scores() == scores


@pytest.mark.slow
def test_new_rules_read_what_has_a_text_and_carry_over_the_rest(archive: Archive) -> None:
    archive.live(1)
    archive.forget()
    told, scores = archive.told(), archive.scores()
    parts = replace(archive.parts, ruleset_digest="another")

    done = pipeline.redetect(parts)

    assert done.articles == sum(bool(text) for text in archive.texts().values())
    assert archive.told() == told
    assert archive.scores() == scores
    with archive.app.store.begin(write=False) as unit:
        assert unit.articles.count_outdated(ruleset="another") == 0


def test_a_text_that_comes_again_is_no_revision_and_a_changed_one_is_read(archive: Archive) -> None:
    archive.tell(1, "OpenAI laid off 300 employees on Monday, the company said.", title="Notes")
    archive.clock.move(NOW)
    pipeline.daily(archive.parts)
    archive.forget()
    signals = _signals(archive)

    archive.tell(1, "OpenAI laid off 300 employees on Monday, the company said.", title="Notes")
    assert (archive.texts(), _signals(archive)) == ({"g1": ""}, signals)

    told = Article(
        "s", "g1", "Notes", "Nothing happened.", None, FIRST, "en", "O", "o", "1", text_key="other"
    )
    pipeline.ingest(archive.parts, [told])
    pipeline.absorb(archive.parts)
    assert (archive.texts(), _signals(archive)) == ({"g1": "Nothing happened."}, [])


def test_the_text_behind_an_event_that_still_counts_is_kept(archive: Archive) -> None:
    archive.tell(1, "Mistral AI shuts down and closes for good.", title="Mistral AI shuts down")
    archive.tell(2, "Nothing is told of anybody.", title="Notes")
    archive.clock.move(NOW)
    pipeline.daily(archive.parts)
    with archive.app.store.begin(write=False) as unit:
        newest = unit.scores.latest("mistral")
    assert newest is not None

    counts = set(retention.counting(newest.score))
    gone = archive.forget()

    assert counts
    assert (gone.article_texts, gone.kept_as_evidence) == (1, 1)
    assert archive.texts() == {"g1": "Mistral AI shuts down and closes for good.", "g2": ""}


def test_where_the_text_is_gone_search_is_silent_and_the_trace_shows_the_quote(archive: Archive) -> None:
    archive.tell(1, "OpenAI laid off 300 employees on Monday, the company said.", title="Notes")
    archive.clock.move(NOW)
    pipeline.daily(archive.parts)
    archive.forget()

    with archive.app.store.begin(write=False) as unit:
        assert not unit.articles.articles(ArticleFilter(query="employees"))
        assert [a.guid for a in unit.articles.articles(ArticleFilter(query="notes"))] == ["g1"]
        (event,) = unit.events.events_of("openai")
    (signal,) = web.WebActions(archive.parts, lambda: b"").trace(event.id)
    assert (signal["quote"][:23], signal["trace"]) == ("OpenAI laid off 300 emp", [])


def test_what_waits_for_detection_is_kept(archive: Archive) -> None:
    told = Article("s", "g", "Notes", "Text.", None, FIRST, "en", "O", "o", "1", text_key="k")
    pipeline.ingest(archive.parts, [told])
    archive.clock.move(NOW)

    assert archive.forget().article_texts == 0
    assert archive.texts() == {"g": "Text."}


@pytest.mark.slow
def test_a_dry_run_counts_what_then_goes_and_deletes_nothing(archive: Archive) -> None:
    archive.live(2)
    texts = archive.texts()

    counted = archive.forget(is_dry_run=True)
    assert archive.texts() == texts

    seen: list[int] = []
    assert archive.forget(progress=seen.append) == counted
    assert sum(seen) == counted.total > 0
    assert archive.forget().total == 0


@pytest.mark.slow
def test_a_run_that_was_stopped_in_the_middle_is_finished_by_the_next(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.live(0)
    counted = archive.forget(is_dry_run=True)
    monkeypatch.setattr(retention, "TEXTS_BATCH", 7)
    monkeypatch.setattr(retention, "BATCH", 11)
    gone: list[int] = []

    def stop(went: int) -> None:
        gone.append(went)
        if len(gone) < 40:
            raise KeyboardInterrupt

    for _ in range(39):
        with pytest.raises(KeyboardInterrupt):
            archive.forget(progress=stop)
    archive.forget(progress=gone.append)

    assert sum(gone) == counted.total
    assert archive.forget(is_dry_run=True).total == 0


def test_every_old_day_keeps_the_last_good_poll_of_each_source(archive: Archive) -> None:
    archive.clock.move(NOW)
    old = datetime(2025, 6, 1, tzinfo=UTC)
    archive.poll(
        [old + hours * timedelta(hours=1) for hours in (0, 1, 5, 22, 24, 25, 40, 48)]
    )  # p0, p3, p6 bad
    recent = [NOW - 89 * DAY + hours * timedelta(hours=1) for hours in (0, 1, 2)]
    with archive.app.store.begin() as unit:
        unit.articles.add_polls(
            [Poll(f"r{n}", "s", at, 1, "ok", "", None, 0, 0, 0) for n, at in enumerate(recent)]
        )

    archive.forget()

    with archive.app.store.begin(write=False) as unit:
        assert sorted(row.id for row in unit.articles.polls("s")) == ["p2", "p5", "p7", "r0", "r1", "r2"]


def test_the_daily_job_runs_once_a_day(archive: Archive) -> None:
    archive.clock.move(NOW)
    counted: list[str] = []
    parts = replace(archive.parts, log=lambda event, **_values: counted.append(event))
    for hours in (0, 1, 14, 16):
        archive.clock.move(NOW + hours * timedelta(hours=1))
        retention.tidy(parts, KEPT)

    assert counted == ["forgot", "forgot"]


# -------------------------------------------------------------------------------- a clock that is wrong
def test_a_clock_that_jumps_ten_years_ahead_deletes_nothing_and_says_so_once_a_day(archive: Archive) -> None:
    logged: list[tuple[str, Any]] = []
    parts = replace(archive.parts, log=lambda event, **values: logged.append((event, values.get("reason"))))
    archive.tell(1, "Mistral AI hired people.", title="Notes")
    archive.poll(FIRST + n * DAY / 2 for n in range(20))

    archive.clock.move(datetime(2036, 1, 1, 9, 30, tzinfo=UTC))
    for _ in range(3):
        retention.tidy(parts, KEPT)

    ((event, reason),) = logged
    assert event == "retention_refused"
    assert reason == (
        "nothing was deleted: 1 of 1 texts would go at once, more than the 50 % that most_percent of "
        "config/retention.yaml allows. Is the clock right? It says 2036-01-01 09:30 UTC. If it is: "
        "`riskwatch retention --force`"
    )
    assert (archive.texts(), _polls(archive)) == ({"g1": "Mistral AI hired people."}, 20)
    archive.clock.at = FIRST + 20 * DAY
    retention.tidy(parts, KEPT)
    assert logged[1:] == [("forgot", None)]


def test_polls_alone_are_reason_enough_to_refuse(archive: Archive) -> None:
    archive.poll(FIRST + n * DAY / 8 for n in range(80))
    archive.clock.move(FIRST + 200 * DAY)

    with pytest.raises(TooMuch, match="of 80 polls would go at once"):
        retention.check(archive.parts, KEPT, archive.forget(is_dry_run=True))


@pytest.mark.parametrize(("old", "percent", "is_refused"), [(2, 50, False), (3, 50, True), (3, 75, False)])
def test_as_much_as_is_allowed_goes_and_no_more(
    archive: Archive, old: int, percent: int, is_refused: bool
) -> None:
    for number in range(4):
        if number == old:
            archive.clock.move(NOW)
        archive.tell(number, "Mistral AI hired people.", title="Notes")
    archive.clock.move(NOW)
    kept = Retention(most_percent=percent)

    counted = archive.forget(is_dry_run=True)

    assert counted.article_texts == old
    with pytest.raises(TooMuch) if is_refused else nullcontext():
        retention.check(archive.parts, kept, counted)


def test_an_installation_that_runs_or_rests_for_a_month_is_never_refused(archive: Archive) -> None:
    refused: list[str] = []
    parts = replace(archive.parts, log=lambda event, **_values: refused.append(event))
    pauses = [1] * 30 + [30] + [1] * 5
    for day in itertools.accumulate([120, *pauses]):
        archive.clock.move(FIRST + day * DAY)
        archive.poll_days(day - 1 if day > 120 else 0, day)
        retention.tidy(parts, KEPT)

    assert refused == ["forgot"] * 37


@pytest.mark.parametrize("days", [29, 0, -1, 36_501])
def test_nothing_is_kept_for_less_than_a_month(days: int) -> None:
    with pytest.raises(ValidationError, match="article_text_days"):
        Retention(article_text_days=days)


def _polls(archive: Archive) -> int:
    with archive.app.store.begin(write=False) as unit:
        return unit.retention.count_polls()


def _signals(archive: Archive) -> list[Signal]:
    with archive.app.store.begin(write=False) as unit:
        return list(unit.events.signals("openai"))
