"""The canary: news of our own goes through the pipeline every hour, shown to nobody, and does not pile up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from riskwatch import pipeline, retention, web
from riskwatch.app import App
from riskwatch.collect.sources import canary
from riskwatch.errors import NotFound
from riskwatch.model import CANARY, Event, Incident, IncidentState
from riskwatch.replay import Clock
from riskwatch.send.rule import AlertsFile
from riskwatch.serve import create_app
from riskwatch.settings import load
from riskwatch.store import ArticleFilter, DeliveryFilter, EventFilter, IncidentFilter, Store

CONFIG = load(environ={})
START = datetime(2026, 1, 5, 9, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Watched:
    """An installation without a Source of its own, whose hours a test lets pass."""

    def __init__(self, folder: Path, url: str | None = None, alerts: AlertsFile = CONFIG.alerts) -> None:
        self.clock = Clock(START)
        given = {"data_dir": folder, "database_url": None if url is None else SecretStr(url)}
        chosen = CONFIG.settings.model_copy(update=given)
        self.app = App(replace(CONFIG, settings=chosen, alerts=alerts), now=self.clock, sources=())

    @property
    def store(self) -> Store:
        return self.app.store

    def hour(self, *, is_absorbed: bool = True) -> None:
        """Let half an hour pass twice, each with a poll and perhaps with detection; evaluate."""
        for _ in range(2):
            self.clock.move(self.clock.at + HOUR / 2)
            self.app.poll_due()
            if is_absorbed:
                self.app.absorb_due()
        self.app.alerts.alerting.turn()

    def hours(self, number: int, **how: bool) -> None:
        for _ in range(number):
            self.hour(**how)

    def events(self) -> list[Event]:
        with self.store.begin(write=False) as unit:
            return list(unit.events.events_of(CANARY))

    def age(self) -> timedelta:
        with self.store.begin(write=False) as unit:
            found_at = unit.events.last_recorded_at(CANARY)
        assert found_at is not None
        return self.clock.at - found_at

    def incidents(self) -> list[Incident]:
        with self.store.begin(write=False) as unit:
            return list(unit.incidents.incidents(IncidentFilter(rule_id="canary-lost")))

    def get(self, path: str) -> Any:
        config = web.serve_config(
            self.app.config, self.app.sources, ruleset_digest="r", pepper=b"p" * 32, anonymous_read=True
        )
        actions = web.WebActions(self.app.parts, self.app.counters.text)
        made = create_app(
            store=self.store, actions=actions, config=config, now=self.clock, alerts=self.app.desk
        )
        return made.test_client().get(path)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path)
    yield made
    made.app.close()


@pytest.fixture
def stored(url: str, tmp_path: Path) -> Iterator[Watched]:
    """One on each of the two databases."""
    made = Watched(tmp_path, url)
    yield made
    made.app.close()


# -------------------------------------------------------------------------------- it is found
def test_the_item_has_another_id_each_hour_and_the_same_within_one() -> None:
    hours = [canary.document(START + minutes * timedelta(minutes=1)) for minutes in (0, 39, 40, 99, 100)]

    assert hours[0] == hours[1] != hours[2] == hours[3] != hours[4]


def test_the_canary_s_news_becomes_one_event_that_every_hour_renews(watched: Watched) -> None:
    watched.hour()
    (first,) = watched.events()
    watched.hours(5)
    (later,) = watched.events()

    assert (later.id, later.type) == (first.id, "product_release")
    assert watched.age() <= HOUR
    assert watched.incidents() == []


def test_with_the_pipeline_stopped_after_decode_an_incident_opens_within_two_hours(watched: Watched) -> None:
    watched.hours(3)
    watched.hour(is_absorbed=False)
    assert watched.incidents() == []

    watched.hour(is_absorbed=False)
    (incident,) = watched.incidents()
    assert (incident.subject, incident.state) == ("canary", IncidentState.FIRING)
    with watched.store.begin(write=False) as unit:
        (told,) = unit.incidents.transitions(incident.id)
    assert told.alert is not None
    assert (told.alert["subject_name"], told.alert["headline"]) == ("The canary", "No fresh input")
    assert told.alert["next_steps"][0].startswith("look into the log of the worker")

    watched.hours(2)
    assert [one.state for one in watched.incidents()] == [IncidentState.OK]


def test_where_it_was_never_found_its_first_hours_count(watched: Watched) -> None:
    watched.hours(2, is_absorbed=False)
    assert watched.incidents() == []

    watched.hour(is_absorbed=False)
    assert [one.state for one in watched.incidents()] == [IncidentState.FIRING]


def test_after_a_night_switched_off_nothing_is_said_until_it_could_be_sent_out(watched: Watched) -> None:
    watched.hours(2)
    watched.clock.move(watched.clock.at + 9 * HOUR)
    watched.app.alerts.alerting.settle()
    watched.app.alerts.alerting.turn()
    watched.hours(2)

    assert watched.incidents() == []


def test_where_no_worker_sends_it_out_nobody_misses_it(watched: Watched) -> None:
    watched.app.alerts.alerting.turn()
    watched.clock.move(START + 9 * HOUR)
    watched.app.alerts.alerting.turn()

    assert watched.incidents() == []


# -------------------------------------------------------------------------------- it is hidden
def test_no_listing_count_or_look_up_of_the_store_has_it(stored: Watched) -> None:
    watched = stored
    watched.hours(2)
    (event,) = watched.events()
    articles = {claim.article_id for claim in event.claims}

    with watched.store.begin(write=False) as unit:
        assert not unit.events.list_events(EventFilter())
        assert not unit.events.list_events(EventFilter(vendor=CANARY))
        assert not unit.events.event_counts(since=START - HOUR, until=watched.clock.at + HOUR)
        assert not unit.articles.articles(ArticleFilter())
        assert not unit.articles.articles(ArticleFilter(source_id=CANARY))
        assert not unit.articles.mention_counts(since=START - HOUR, until=watched.clock.at + HOUR)
        for look_up in (unit.events.event, unit.events.event_versions):
            with pytest.raises(NotFound):
                look_up(event.id)
        for id_ in articles:
            assert not unit.events.events_of_article(id_)
            with pytest.raises(NotFound):
                unit.articles.article(id_)
            with pytest.raises(NotFound):
                unit.articles.revisions(id_)
        assert not unit.scores.latest_all()


@pytest.mark.slow
def test_no_page_and_no_answer_names_it(watched: Watched) -> None:
    watched.hours(2)
    (event,) = watched.events()
    article = event.claims[0].article_id
    pages = ("/", "/events", "/sources", "/methodology", "/alerts")
    lists = ("events", "articles", "sources", "vendors", "scores", "coverage", "incidents", "event-types")
    for path in (*pages, *(f"/v1/{name}" for name in lists)):
        answer = watched.get(path)
        assert answer.status_code == 200, path
        assert "Kanarienwerk" not in answer.text, path
        assert CANARY not in answer.text, path
    for path in (
        f"/events/{event.id}", f"/vendors/{CANARY}",
        f"/v1/events/{event.id}", f"/v1/events/{event.id}/explain",
        f"/v1/articles/{article}", f"/v1/vendors/{CANARY}", f"/v1/vendors/{CANARY}/score",
        f"/v1/events?subject={CANARY}", f"/v1/articles?subject={CANARY}", f"/v1/sources/{CANARY}",
        f"/v1/sources/{CANARY}/polls",
    ):  # fmt: skip
        assert watched.get(path).status_code == 404, path


def test_it_counts_for_no_score_and_no_coverage(watched: Watched) -> None:
    pipeline.daily(watched.app.parts)
    with watched.store.begin(write=False) as unit:
        before = {id_: replace(one, id="") for id_, one in unit.scores.latest_all().items()}
    watched.hours(2)
    with watched.store.begin(write=False) as unit:
        after = {id_: replace(one, id="") for id_, one in unit.scores.latest_all().items()}
        inputs = pipeline.Reader(watched.app.parts, unit).inputs(
            "openai", as_of=watched.clock.at, known_at=watched.clock.at
        )

    assert after == before
    assert (inputs.coverage, inputs.families) == ((), 0)
    assert b"product_release" not in watched.app.counters.text()


def test_no_digest_tells_of_it(tmp_path: Path) -> None:
    mail = {"id": "mail", "kind": "email", "to": ["buyer@example.com"]}
    daily = {"id": "daily", "receiver": "mail", "tz": "UTC", "at": "08:00"}
    watched = Watched(tmp_path, alerts=AlertsFile.model_validate({"receivers": [mail], "digests": [daily]}))
    watched.app.alerts.start()
    watched.hours(24)

    assert watched.app.alerts.digests.make() == 1

    with watched.store.begin(write=False) as unit:
        (digest,) = unit.outbox.deliveries(DeliveryFilter())
    assert len(watched.events()) == 1
    assert CANARY not in str(digest.payload)
    assert "Kanarienwerk" not in str(digest.payload)
    assert (digest.payload["sources_total"], digest.payload["events"]) == (0, [])
    watched.app.close()


def test_a_poll_by_hand_leaves_it_alone(watched: Watched) -> None:
    with pytest.raises(NotFound):
        watched.app.poll(only=[CANARY], everything=False, bar=_no_bar)


# -------------------------------------------------------------------------------- its age, and its end
def test_its_age_is_a_metric_and_stands_in_the_detail_of_readiness(watched: Watched) -> None:
    assert "canary" not in watched.get("/readyz").text
    assert "canary_age_seconds" not in watched.get("/metrics").text
    watched.hour()
    watched.clock.move(watched.clock.at + timedelta(minutes=12))

    assert "canary: found 42 minutes ago\n" in watched.get("/readyz").text
    assert "\nriskwatch_canary_age_seconds 2520\n" in watched.get("/metrics").text


@pytest.mark.slow
def test_its_rows_do_not_grow_however_long_it_runs(stored: Watched) -> None:
    watched, counts = stored, []
    for _ in range(3):
        watched.hours(26)
        retention.tidy(watched.app.parts, CONFIG.retention)
        counts.append(_rows(watched.app.keeping.url))
    (event,) = watched.events()

    assert counts[1] == counts[2]
    assert counts[2]["article"] <= 26
    assert len({claim.article_id for claim in event.claims}) <= 26 + 24


def test_after_days_of_silence_the_newest_event_is_kept_to_tell_its_age(watched: Watched) -> None:
    watched.hours(3)
    watched.clock.move(watched.clock.at + 100 * HOUR)
    retention.tidy(watched.app.parts, CONFIG.retention)

    assert watched.age() >= 100 * HOUR
    watched.hour()
    retention.tidy(watched.app.parts, CONFIG.retention)
    assert watched.age() <= HOUR


def _rows(url: str) -> dict[str, int]:
    from sqlalchemy import create_engine, func, select

    from riskwatch.store.sql.tables import metadata

    engine = create_engine(url)
    with engine.connect() as connection:
        counts = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }
    engine.dispose()
    return counts


def _no_bar(_length: int, _label: str) -> Any:
    raise AssertionError("nothing is polled")
