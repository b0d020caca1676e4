"""Status pages: what they report is found; announced work and others' services are no outage of theirs."""

import csv
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from riskwatch import settings
from riskwatch.compiling import compile_rules
from riskwatch.detect import Ruleset, detect
from riskwatch.model import Article, Signal, SourceClass

SHARED = Path(os.environ.get("SHARED_DATA", Path(__file__).parents[3] / "shared"))
HISTORIES = SHARED / "data" / "status" / "icpe25_llm_incidents"
VENDORS = {"openai": "openai", "anthropic": "anthropic", "characterai": "character"}


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    return compile_rules(settings.load(environ={}))


def told(ruleset: Ruleset, vendor: str, title: str, text: str = "") -> tuple[Signal, ...]:
    at = datetime(2026, 8, 15, tzinfo=UTC)
    page = Article("status", "1", title, text, None, at, "en", vendor, vendor, "primary",
                   source_class=SourceClass.STATUS_PAGE, covers=(vendor,), id="a1")  # fmt: skip
    return detect(page, ruleset).signals


def live(signals: tuple[Signal, ...]) -> set[tuple[str, str]]:
    return {(signal.vendor, signal.type) for signal in signals if signal.assertion.is_live}


@pytest.mark.parametrize(
    "title",
    [
        "Elevated errors",
        "Claude Opus unavailable in Copilot",
        "Actions runs are delayed",
        "Incident with Azure",
    ],
)
def test_an_entry_tells_of_the_page_s_own_services_whatever_it_names(ruleset: Ruleset, title: str) -> None:
    assert live(told(ruleset, "github", title)) == {("github", "outage")}


def test_announced_work_is_no_outage(ruleset: Ruleset) -> None:
    text = "During this time users may see degraded performance. Investigating - We are investigating errors."

    assert live(told(ruleset, "github", "Scheduled maintenance of the importer", text)) == set()


def test_a_page_tells_of_no_partners_and_no_suspensions(ruleset: Ruleset) -> None:
    text = "GitHub partners with Microsoft on this. GitHub was forced to shut down the importer."

    assert live(told(ruleset, "github", "Elevated errors", text)) == {("github", "outage")}


def test_an_update_says_that_it_is_over(ruleset: Ruleset) -> None:
    signals = told(ruleset, "openai", "Elevated errors", "Resolved - This incident has been resolved.")

    assert [signal.attributes.get("resolved") for signal in signals] == [None, True]


@pytest.mark.parametrize(
    ("updates", "hours"),
    [
        ("Aug 21, 00:37 UTC\nResolved - Over.\nAug 20, 20:37 UTC\nUpdate - Delayed by one hour.", 4.0),
        ("Posted Aug 28, 2024 - 13:36 PDT\nPosted Aug 28, 2024 - 12:51 PDT", 0.75),
        ("Jan 1, 01:00 UTC\nResolved.\nDec 31, 22:00 UTC\nInvestigating.", 3.0),
        ("Aug 28 , 1:33 AM UTC\nResolved.\nAug 28 , 12:03 AM UTC", 1.5),
        ("Aug 28, 10:33 UTC\nInvestigating.", None),
        ("Aug 28, 10:33 UTC\nA note added late.\nMay 2, 10:00 UTC", None),
        ("Feb 31, 10:00 UTC\nFeb 1, 10:00 UTC", None),
        ("", None),
    ],
)
def test_the_times_of_the_updates_tell_how_long_it_took(
    ruleset: Ruleset, updates: str, hours: float | None
) -> None:
    (first, *_) = told(ruleset, "openai", "Elevated errors", updates)

    assert first.attributes.get("duration") == hours


def histories() -> Iterator[tuple[str, str, str, bool]]:
    """Yield vendor, title, updates and whether the work was announced, of every entry."""
    csv.field_size_limit(10**8)
    for path in sorted(HISTORIES.glob("raw_incident_*.csv")):
        vendor = VENDORS[path.name.split("_")[3]]
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                updates = json.loads(row["Updates"] or "[]")
                text = "\n".join(f"{one['Update_Title']} - {one['Update_Body']}" for one in updates)
                yield vendor, row["Incident_Title"], text, row["Incident_Impact"] == "impact-maintenance"


def test_nearly_every_incident_of_real_histories_is_found_and_no_maintenance(ruleset: Ruleset) -> None:
    if not HISTORIES.is_dir():
        pytest.skip("the shared real data is not here")
    found = {True: [0, 0], False: [0, 0]}

    for vendor, title, text, is_planned in histories():
        found[is_planned][(vendor, "outage") in live(told(ruleset, vendor, title, text))] += 1

    missed, hit = found[False]
    assert hit > 500
    assert missed <= 0.03 * hit
    assert found[True][1] == 0
