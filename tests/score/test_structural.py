"""Size, attention, and which events count for which subject."""

from __future__ import annotations

from typing import Any

import pytest

from riskwatch.model import Factor, Line, RegisterEntry, SizeClass, Vendor
from riskwatch.score import evaluate
from riskwatch.score.structural import relevance, structure
from tests.score.builders import a_claim, alibaba, an_event, day, methodology, some_inputs

SETS = {"cn": frozenset({"alibaba"})}


@pytest.mark.parametrize(
    ("home", "subject", "factor", "share"),
    [
        ("alibaba/qwen", "alibaba/qwen", Factor.LEGAL, 1.0),
        ("alibaba", "alibaba", Factor.LEGAL, 1.0),
        ("alibaba", "alibaba/qwen", Factor.LEGAL, 0.6),
        ("alibaba", "alibaba/qwen", Factor.CONTINUITY, 1.0),
        ("alibaba/wan", "alibaba/qwen", Factor.LEGAL, 0.4),
        ("alibaba/-retail", "alibaba/qwen", Factor.LEGAL, 0.4),
        ("alibaba/-retail", "alibaba", Factor.LEGAL, 0.4),
        ("alibaba/qwen", "alibaba", Factor.LEGAL, 0.8),
        ("alibaba/wan", "alibaba", Factor.LEGAL, 0.5),
        ("cn", "alibaba", Factor.LEGAL, 0.25),
        ("cn", "alibaba/qwen", Factor.LEGAL, 0.25),
        ("openai", "alibaba", Factor.LEGAL, None),
        ("openai/gpt", "alibaba/qwen", Factor.LEGAL, None),
        ("eu", "alibaba", Factor.LEGAL, None),
    ],
)
def test_relevance_follows_the_table_one_hop_only(home: Any, subject: Any, factor: Any, share: Any) -> None:
    found = relevance(home, subject, factor=factor, vendor=alibaba(), sets=SETS, methodology=methodology())

    assert found == share


def test_the_only_line_of_a_vendor_counts_in_full() -> None:
    vendor = Vendor(id="solo", name="Solo", names=("Solo",), lines={"one": Line(name="One")})

    found = relevance(
        "solo/one", "solo", factor=Factor.LEGAL, vendor=vendor, sets={}, methodology=methodology()
    )
    assert found == 1.0


def sized(*entries: RegisterEntry, subject: str = "alibaba", own: SizeClass = SizeClass.UNKNOWN) -> Any:
    vendor = alibaba().model_copy(update={"size_class": own, "register_": entries})
    return structure(subject, vendor, methodology(), as_of=day(0), known_at=day(0))


def entry(valid: str = "2026-01-01", recorded: str = "2026-01-01", **money: float) -> RegisterEntry:
    return RegisterEntry(valid_from=valid, recorded_at=recorded, **money)  # type: ignore[arg-type] # money by name


@pytest.mark.parametrize(
    ("entries", "size"),
    [
        ((), "small"),
        ((entry(valuation_usd=2e11),), "mega"),
        ((entry(valuation_usd=1e9, revenue_usd=6e8),), "large"),
        ((entry(revenue_usd=6e7),), "mid"),
        ((entry(valuation_usd=0),), "small"),
        ((entry(valuation_usd=2e11, runway_months=6),), "large"),
        ((entry(valuation_usd=2e11, runway_months=12),), "mega"),
        ((entry(runway_months=6),), "small"),
        ((entry(valuation_usd=2e11), entry("2026-02-01", "2026-02-01", valuation_usd=1e9)), "mid"),
        ((entry(valuation_usd=2e11), entry("2026-04-01", "2026-01-01", valuation_usd=1e9)), "mega"),
        ((entry(valuation_usd=2e11), entry("2026-02-01", "2026-04-01", valuation_usd=1e9)), "mega"),
    ],
)
def test_size_comes_from_the_latest_entry_known_and_valid(entries: Any, size: Any) -> None:
    assert sized(*entries, own=SizeClass.SMALL).size == size


def test_a_line_has_the_baseline_of_its_vendor_and_its_own_bench() -> None:
    line = sized(subject="alibaba/qwen", own=SizeClass.SMALL)

    assert (line.base_loss, line.damping) == (0.40, 1.0)


def test_an_old_register_entry_is_flagged_and_kept() -> None:
    old = alibaba().model_copy(update={"register_": (entry("2024-01-01", "2024-01-01", valuation_usd=2e11),)})
    score = evaluate(some_inputs(subject="alibaba", vendor=old))

    assert (score.size_class, score.reasons) == ("mega", ("structural_stale",))


def taken(type_: Any, subject: str = "alibaba", **fields: Any) -> Any:
    home = fields.pop("home", subject)
    event = an_event("e", type_, home=home, attributes=fields.pop("attributes", {}), claims=(a_claim(),))
    return evaluate(some_inputs(event, subject=subject, **fields)).contributions[0]


def test_size_damps_people_and_minor_outages_only() -> None:
    assert taken("leadership_exit").damping == 0.45
    assert taken("outage").damping == 0.45
    assert taken("security_breach").damping == 1.0
    assert taken("lawsuit").damping == 1.0
    assert taken("leadership_exit", subject="alibaba/qwen").damping == 1.0


def test_a_small_vendor_never_makes_a_minor_outage_worse_than_a_major_one() -> None:
    small = alibaba().model_copy(update={"size_class": SizeClass.SMALL})

    assert taken("outage", vendor=small).damping == 1.0
    assert taken("leadership_exit", vendor=small).damping == 1.2


def test_attention_softens_minor_events_of_a_much_reported_vendor_only() -> None:
    table = {"alibaba": 160.0, "openai": 10.0, "xai": 10.0}

    assert taken("outage", attention=table).attention == pytest.approx((10 / 160) ** 0.25)
    assert taken("security_breach", attention=table).attention == 1.0
    assert taken("outage", attention={"alibaba": 0.0, "openai": 10.0}).attention == 1.0
    assert taken("outage", attention={"alibaba": 1.0, "openai": 100.0}).attention == 1.0
    assert taken("outage", attention={"alibaba": 1e9}, panel_median=1.0).attention == 0.5


def test_a_lens_weakens_what_does_not_touch_the_use() -> None:
    assert taken("outage", lens="self_hosted_weights").loss < taken("outage", lens="api").loss
    assert taken("outage", lens="api") == taken("outage")


def test_law_18_a_register_entry_recorded_later_has_no_effect() -> None:
    later = alibaba().model_copy(
        update={"register_": (entry("2026-01-01", "2026-04-01", valuation_usd=1.0),)}
    )

    assert evaluate(some_inputs(vendor=later)) == evaluate(some_inputs())


def test_another_panel_is_another_input() -> None:
    panels = ({"alibaba/qwen": 9.0, "x": 1.0}, {"alibaba/qwen": 9.0, "x": 2.0})
    digests = {evaluate(some_inputs(attention=panel)).inputs_digest for panel in panels}

    assert len(digests) == 2
