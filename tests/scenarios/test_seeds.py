"""The five articles on the Qwen departures, through the command line: five tellings, one story."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import CommandLine

pytestmark = pytest.mark.slow
Make = Callable[..., CommandLine]
BYSTANDERS = ("meta", "google", "openai", "deepseek", "bytedance", "xai")


def told(events: list[dict[str, Any]]) -> list[str]:
    """Return events without ids and clock times, comparable between runs."""
    hidden = ("id", "story", "closes", "recorded_at", "first_recorded_at")
    return sorted(json.dumps({k: v for k, v in e.items() if k not in hidden}, sort_keys=True) for e in events)


@pytest.fixture(scope="module")
def events(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    riskwatch = CommandLine(tmp_path_factory.mktemp("seeds"))
    riskwatch.run("ingest", str(shared / "seeds" / "seeds.jsonl"))
    found: list[dict[str, Any]] = riskwatch.json("events", "--limit", "1000")["items"]
    return found


def live(events: list[dict[str, Any]], type_: str) -> list[dict[str, Any]]:
    return [e for e in events if e["type"] == type_ and e["state"] == "live"]


@pytest.mark.parametrize(
    ("type_", "object_", "assertion"),
    [
        ("leadership_exit", "Junyang Lin", ("confirmed",)),
        ("leadership_exit", "Yu Bowen", ("reported", "confirmed")),
        ("leadership_exit", "Binyuan Hui", ("confirmed",)),
        ("talent_exodus", None, ("confirmed",)),
        ("share_drop", None, ("confirmed",)),
        ("licence_restriction", None, ("rumoured",)),
        ("leadership_appointment", "Hao Zhou", ("confirmed",)),
        ("reorganization", None, ("confirmed",)),
    ],
)
def test_each_happening_is_one_event(
    events: list[dict[str, Any]], type_: str, object_: str | None, assertion: tuple[str, ...]
) -> None:
    found = [
        e for e in live(events, type_) if object_ is None or object_ in str(e["attributes"].get("person"))
    ]

    assert len(found) == 1, [(e["type"], e["object"], e["assertion"]) for e in live(events, type_)]
    assert found[0]["assertion"] in assertion
    assert found[0]["vendor"] == "alibaba"


def test_five_outlets_support_the_exit_and_the_wrong_date_is_shown(events: list[dict[str, Any]]) -> None:
    exit_ = next(e for e in live(events, "leadership_exit") if e["attributes"].get("person") == "Junyang Lin")

    assert exit_["corroboration"] == 5
    assert exit_["occurred_at"].startswith("2026-03-03")
    assert [c["claimed_at"][:10] for c in exit_["date_conflicts"]] == ["2025-06-09"]
    assert exit_["attributes"]["role"] == "technical_lead"
    assert exit_["subject"] == "alibaba/qwen"


def test_the_shares_fell_by_nearly_five_percent_at_the_group(events: list[dict[str, Any]]) -> None:
    (drop,) = live(events, "share_drop")

    assert drop["subject"] == "alibaba"
    assert drop["attributes"]["percent"] == 5.0


def test_at_least_three_people_left_with_him(events: list[dict[str, Any]]) -> None:
    (exodus,) = live(events, "talent_exodus")

    assert exodus["attributes"]["count"] >= 3


def test_no_bystander_gets_an_event(events: list[dict[str, Any]]) -> None:
    assert [
        (e["vendor"], e["type"]) for e in events if e["state"] == "live" and e["vendor"] in BYSTANDERS
    ] == []


def test_only_expected_kinds_of_event_are_live(events: list[dict[str, Any]]) -> None:
    expected = {
        "leadership_exit", "talent_exodus", "reorganization", "share_drop", "licence_restriction",
        "leadership_appointment", "product_release", "adoption_milestone",
    }  # fmt: skip

    assert {e["type"] for e in events if e["state"] == "live"} <= expected


def test_no_other_leader_is_said_to_leave(events: list[dict[str, Any]]) -> None:
    named = sorted(str(e["attributes"].get("person")) for e in live(events, "leadership_exit"))

    assert named == ["Binyuan Hui", "Junyang Lin", "Yu Bowen"]


def test_all_events_are_one_story(events: list[dict[str, Any]]) -> None:
    serious = [
        e
        for e in events
        if e["state"] == "live" and e["type"] not in ("product_release", "adoption_milestone")
    ]

    assert len({e["story"] for e in serious}) == 1


def test_ingesting_again_changes_nothing(
    shared: Path, command_line: Make, events: list[dict[str, Any]]
) -> None:
    riskwatch = command_line()
    seeds = str(shared / "seeds" / "seeds.jsonl")
    riskwatch.run("ingest", seeds)
    first = riskwatch.json("events", "--limit", "1000")

    report = riskwatch.json("ingest", seeds)

    assert (report["new"], report["changed"], report["unchanged"]) == (0, 0, 5)
    assert riskwatch.json("events", "--limit", "1000") == first
    assert told(first["items"]) == told(events)


@pytest.mark.parametrize("seed", [1, 2])
def test_any_order_and_one_file_at_a_time_gives_the_same(
    shared: Path, command_line: Make, events: list[dict[str, Any]], tmp_path: Path, seed: int
) -> None:
    lines = (shared / "seeds" / "seeds.jsonl").read_text(encoding="utf-8").splitlines()
    random.Random(seed).shuffle(lines)
    riskwatch = command_line()
    for i, line in enumerate(lines):
        file = tmp_path / f"{i}.jsonl"
        file.write_text(line + "\n", encoding="utf-8")
        riskwatch.run("ingest", str(file))

    assert told(riskwatch.json("events", "--limit", "1000")["items"]) == told(events)
