"""What must not become many alerts: many articles, silent feeds, new rules, old news."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from riskwatch.collect.source import Source
from riskwatch.model import Actor, DeliveryState, Step
from tests.collect.sites import Site, serving
from tests.scenarios.flow import (
    MATERIAL,
    SLACK,
    START,
    Flow,
    Hand,
    an_article,
    bankruptcies,
    configured,
    to_hook,
)
from tests.send.deliveries import a_client
from tests.send.peers import Hook, answer

CONFIG = Path(__file__).parent.parent.parent / "config"
SHIPPED = yaml.safe_load((CONFIG / "alerts.yaml").read_text(encoding="utf-8"))["rules"]
DAILY: Mapping[str, Any] = {"id": "daily", "receiver": "grc", "tz": "UTC", "at": "12:00"}
HAPPENED = ("laid off 900 people", "filed for bankruptcy")
ADMIN = Actor("admin", may_all=True)
Make = Callable[..., Flow]


@pytest.fixture
def make(tmp_path: Path, hook: Hook) -> Iterator[Make]:
    flows: list[Flow] = []
    hook.says("/x", answer(204))
    environ = {
        "TEST_HOOK": f"{hook.url}/x",
        "RISKWATCH_RECEIVER_SECRET_SLACK_PATH": hook.says("/s", answer(200, b"ok")),
    }

    def made(alerts: Mapping[str, Any], *, sources: tuple[Source, ...] = (), **overlay: str) -> Flow:
        files = {f"{name}.yaml": text for name, text in overlay.items()}
        flows.append(
            Flow(configured(tmp_path, alerts, environ=environ, overlay=files), Hand(START), sources=sources)
        )
        return flows[-1]

    yield made
    for one in flows:
        one.close()


def told(hook: Hook) -> list[dict[str, Any]]:
    return [json.loads(one.body) for one in hook.asked_at("/x")]


def kinds(hook: Hook) -> Counter[str]:
    return Counter(one["type"].removeprefix("riskwatch.") for one in told(hook))


# -------------------------------------------------------------------------------- 34
def test_34_five_articles_on_one_resignation_are_one_alert_and_updates(make: Make, hook: Hook) -> None:
    flow = make(to_hook()).start()
    reports = (
        ("unheard-of.example", "Mistral AI CEO Arthur Mensch resigns",
         "So a reader tells us. Nobody answered our mail."),
        ("Reuters", "Mistral AI chief executive Arthur Mensch resigned on Tuesday",
         "PARIS, March 3 - Mistral AI chief executive Arthur Mensch resigned on Tuesday, a filing said."),
        ("Bloomberg", "Arthur Mensch, chief executive of Mistral AI, has stepped down",
         "The co-founder told staff in the morning. Shares of its European peers did not move."),
        ("The Guardian", "Mistral AI co-founder and CEO Arthur Mensch resigns",
         "It is the latest of several exits in Europe, and comes two weeks before a summit."),
        ("other.example", "Mistral AI CEO Arthur Mensch resigned on February 24",
         "Mistral AI CEO Arthur Mensch resigned on February 24, 2026, a café near the office hears."),
    )  # fmt: skip
    opened_after = []
    for number, (outlet, title, said) in enumerate(reports):
        flow.ingest(an_article(number, title, said, at=flow.clock(), outlet=outlet))
        flow.told().later(minutes=20)
        opened_after.append(kinds(hook)["incident.opened"])

    assert opened_after == [0, 1, 1, 1, 1]
    assert set(kinds(hook)) <= {"incident.opened", "incident.updated"}
    assert len(flow.incidents()) == 1
    assert len({one["data"]["incident_id"] for one in told(hook)}) == 1


# -------------------------------------------------------------------------------- 35
@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as made:
        yield made


def test_35_when_all_sources_fall_silent_one_alert_says_so_and_nothing_is_resolved(
    make: Make, hook: Hook, site: Site
) -> None:
    item = "<item><title>A library opens</title><guid>1</guid></item>"
    feed = f"<rss version='2.0'><channel><title>t</title>{item}</channel></rss>".encode()
    rows = [
        {"id": f"feed-{n}", "kind": "feed", "url": f"{site.url}/{n}.xml", "publisher": f"outlet-{n}",
         "class": "press", "tier": "2", "lang": "en", "covers": ("all",),
         "interval": {"default": "1h", "min": "30m", "max": "2h"}}
        for n in range(3)
    ]  # fmt: skip
    rules = [
        {**LOW, "clear_for": "0s"},
        *(one for one in SHIPPED if one["id"] in ("rating-lost", "source-silent", "event-material")),
    ]
    flow = make(to_hook(DAILY, rules=rules), sources=tuple(Source.model_validate(row) for row in rows))
    for n in range(3):
        site.says(f"/{n}.xml", body=feed, Content_Type="application/rss+xml")
    flow.app.__dict__["client"] = a_client()  # as the application's own, without its pauses
    flow.start()
    flow.app.poll_due()
    flow.ingest(*bankruptcies(2, at=START))
    flow.told()
    before = kinds(hook)
    assert before["incident.opened"] >= 2
    for n in range(3):
        site.says(f"/{n}.xml", "503 Service Unavailable")

    for _ in range(4 * 4):
        flow.later(hours=6)
        flow.app.poll_due()
        flow.app.daily()
        flow.tick()

    silent = flow.incidents("source-silent")
    assert [(one.subject, str(one.state)) for one in silent] == [("all", "firing")]
    assert kinds(hook)["incident.opened"] == before["incident.opened"] + 1
    assert kinds(hook)["incident.resolved"] == 0
    last = [one["data"] for one in told(hook) if one["type"] == "riskwatch.digest"][-1]
    assert last["sources_fresh"] == 0
    assert set(last["stale_sources"]) == {"feed-0", "feed-1", "feed-2"}


# -------------------------------------------------------------------------------- 36
LOW: Mapping[str, Any] = {
    "id": "low", "severity": "warning", "scope": {"all": True}, "for_evaluations": 1, "min_confidence": 0,
    "condition": {"kind": "score_below", "threshold": 70},
}  # fmt: skip


def both(*rules: Mapping[str, Any]) -> dict[str, Any]:
    return {"rules": [dict(one) for one in rules], "receivers": [*to_hook()["receivers"], dict(SLACK)]}


def held_summaries(flow: Flow, hook: Hook) -> None:
    """Nothing was said; one summary for each Receiver waits for a person, and goes out when released."""
    assert hook.asked == []
    assert {step.cause for step in flow.transitions() if step.step is Step.OPENED} == {"rescore"}
    rows = flow.deliveries()
    assert sorted((row.receiver_id, str(row.state)) for row in rows) == [("grc", "held"), ("slack", "held")]
    assert {row.payload["kind"] for row in rows} == {"system"}
    flow.app.desk.move_deliveries([row.id for row in rows], "release", actor=ADMIN)
    flow.later(minutes=1).tick("dispatch").later(minutes=1).tick()
    assert [row.state for row in flow.deliveries()] == [DeliveryState.DELIVERED] * 2
    assert len(hook.asked) == 2


def test_36_scores_that_a_new_method_moved_are_one_held_summary_a_receiver(make: Make, hook: Hook) -> None:
    shipped = (CONFIG / "scoring.yaml").read_text(encoding="utf-8")
    distress = next(one for one in shipped.splitlines() if one.strip().startswith("financial_distress:"))
    old = shipped.replace(distress, re.sub(r"severity: [0-9.]+", "severity: 0.02", distress))
    assert old != shipped
    flow = make(both(LOW), scoring=old).start()
    flow.ingest(*bankruptcies(4, at=START))
    flow.told()
    assert (flow.incidents(), hook.asked) == ([], [])
    at = flow.clock()
    flow.close()

    flow = make(both(LOW), scoring=shipped)
    flow.clock.at = at
    flow.start()
    flow.later(days=1).app.daily()
    flow.told()

    assert {one.subject for one in flow.incidents()} >= {"mistral", "cohere"}
    held_summaries(flow, hook)


@pytest.mark.slow
def test_36_events_that_new_rules_read_in_old_articles_are_one_held_summary_a_receiver(
    make: Make, hook: Hook
) -> None:
    flow = make(both(MATERIAL), overrides="blockers: [filed for bankruptcy, files for bankruptcy]\n")
    flow.start().ingest(*bankruptcies(4, at=START))
    flow.told()
    assert (flow.incidents(), hook.asked) == ([], [])
    at = flow.clock()
    flow.close()

    flow = make(both(MATERIAL), overrides="{}\n")
    flow.clock.at = at
    flow.start().app.absorb_due()
    flow.told()

    assert {one.subject for one in flow.incidents()} >= {"mistral", "cohere"}
    held_summaries(flow, hook)


# -------------------------------------------------------------------------------- 37
def test_37_two_years_of_old_news_raise_no_immediate_alert(make: Make, hook: Hook) -> None:
    flow = make(to_hook(rules=SHIPPED)).start()
    flow.app.daily()
    years = [
        {**one, "id": f"{one['id']}-{days}", "published": (START - timedelta(days=days)).isoformat(),
         "text": one["text"].replace("filed for bankruptcy", HAPPENED[days % 2])}
        for days in range(730, 4, -45)
        for one in bankruptcies(8, at=START)
    ]  # fmt: skip
    half = len(years) // 2

    for batch in (years[:half], years[half:]):
        flow.ingest(*batch)
        flow.told().later(hours=1).tick()
    flow.later(days=1).app.daily()
    flow.told()

    with flow.app.store.begin(write=False) as unit:
        assert len(unit.events.events_of("mistral")) > 2
    assert hook.asked == []
