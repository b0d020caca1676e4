"""The measuring of detection is itself measured: hand-made items with known figures."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from riskwatch import evaluate
from riskwatch.errors import Invalid
from riskwatch.evaluate import Item, label_of
from riskwatch.model import Article, Assertion, Detection, Evidence, Signal
from riskwatch.reports import quality
from riskwatch.settings import load

TAXONOMY = load(environ={}).taxonomy
NAMES = {"openai": "openai", "alphabet": "google"}


def an_article(id_: str) -> Article:
    return Article("t", id_, id_, "", None, datetime(2026, 3, 5, tzinfo=UTC), "en", "p", "p", "4", id=id_)


def a_signal(
    vendor: str, type_: str, assertion: Assertion = Assertion.CONFIRMED, **attributes: object
) -> Signal:
    return Signal(
        id=f"s{vendor}{type_}{assertion}", article_id="a", revision=1, vendor=vendor, line=None, type=type_,
        assertion=assertion, confidence=1.0, route="slot", attributes=attributes,  # type: ignore[arg-type] # free
        evidence=Evidence("title", 0, 1, "x"), rule="r@1",
    )  # fmt: skip


def an_item(id_: str, *labels: dict[str, object]) -> Item:
    rows = tuple(label_of({"status": "confirmed", **label}, NAMES, TAXONOMY) for label in labels)
    return Item(an_article(id_), rows, id_)


def measured(items: list[Item], found: Mapping[str, tuple[Signal, ...]]) -> evaluate.Report:
    return evaluate.evaluate(
        items, lambda a: Detection(found.get(a.id, ()), ()), taxonomy=TAXONOMY, ruleset="sha256:x"
    )


def test_a_hit_a_miss_and_a_false_alarm_are_counted() -> None:
    items = [
        an_item("hit", {"vendor": "OpenAI", "type": "lawsuit"}),
        an_item("miss", {"vendor": "Alphabet", "type": "outage"}),
        an_item("alarm"),
    ]

    report = measured(
        items, {"hit": (a_signal("openai", "lawsuit"),), "alarm": (a_signal("openai", "layoffs"),)}
    )

    figures = report.tallies["adverse_strict"].figures()
    assert (figures["precision"], figures["recall"], figures["f1"]) == (0.5, 0.5, 0.5)
    assert report.false_alerts_per_1000 == pytest.approx(1000 / 3)
    assert [(e["kind"], e["id"]) for e in report.errors] == [("miss", "miss"), ("false hit", "alarm")]


def test_close_types_count_in_the_lenient_figures_only() -> None:
    items = [an_item("i", {"vendor": "OpenAI", "type": "regulatory_action"})]

    report = measured(items, {"i": (a_signal("openai", "government_ban"),)})

    assert report.tallies["adverse_lenient"].figures()["f1"] == 1.0
    assert report.tallies["adverse_strict"].figures()["f1"] == 0.0


def test_an_adverse_find_close_to_a_harmless_label_counts_neither_way() -> None:
    items = [an_item("i", {"vendor": "OpenAI", "type": "leadership_appointment"})]

    report = measured(items, {"i": (a_signal("openai", "leadership_exit"),)})

    assert report.tallies["adverse_lenient"].figures()["found"] == 0
    assert report.tallies["adverse_strict"].figures()["found"] == 1


def test_a_background_find_is_no_alert() -> None:
    report = measured([an_item("i")], {"i": (a_signal("openai", "lawsuit", Assertion.BACKGROUND),)})

    assert report.tallies["live_strict"].figures()["found"] == 0


def test_assertion_attribution_and_attributes_are_judged() -> None:
    items = [
        an_item(
            "i", {"vendor": "OpenAI", "type": "share_drop", "status": "reported", "attrs": {"percent": "5 %"}}
        )
    ]

    report = measured(
        items,
        {"i": (a_signal("openai", "share_drop", percent=5.0), a_signal("google", "share_drop", percent=5.0))},
    )

    assert report.assertion == (0, 1)
    assert report.attribution == (1, 2)
    assert report.attributes == {"percent": (1, 1)}


def test_a_vendor_that_the_register_lacks_is_a_miss_and_is_listed() -> None:
    report = measured([an_item("i", {"vendor": "Initech", "type": "outage"})], {})

    assert report.unknown_vendors == ("Initech",)
    assert report.tallies["adverse_lenient"].figures()["recall"] == 0.0


def test_a_type_outside_the_taxonomy_is_an_error() -> None:
    with pytest.raises(Invalid, match="no event type"):
        an_item("i", {"vendor": "OpenAI", "type": "party"})


def test_an_attribute_that_the_type_lacks_is_listed_and_not_judged() -> None:
    report = measured(
        [an_item("i", {"vendor": "OpenAI", "type": "outage", "attrs": {"person": "Dana Ortiz"}})],
        {"i": (a_signal("openai", "outage"),)},
    )

    assert report.unjudged_attributes == ("outage.person",)
    assert report.attributes == {}


def test_intervals_are_the_same_in_every_run_and_hold_the_figure() -> None:
    items = [an_item(f"i{n}", {"vendor": "OpenAI", "type": "lawsuit"}) for n in range(20)]
    found = {f"i{n}": (a_signal("openai", "lawsuit"),) for n in range(12)}

    first, second = measured(items, found), measured(items, found)

    low, high = first.intervals["adverse_strict"]["recall"]
    assert first.intervals == second.intervals
    assert low <= 0.6 <= high
    assert low < high


def test_the_table_shows_a_saved_run_beside() -> None:
    report = measured(
        [an_item("i", {"vendor": "OpenAI", "type": "lawsuit"})], {"i": (a_signal("openai", "lawsuit"),)}
    )

    assert "1.00 (1.00 to 1.00), was 1.00" in quality(report, report.as_json())
