"""Which good news softens which harm, and by how much."""

from __future__ import annotations

from typing import Any

import pytest

from riskwatch.score import evaluate
from tests.score.builders import a_claim, an_event, some_inputs

WIRE = 0.85


def reliefs(*events: Any, at: float = 100.0) -> Any:
    return {c.event_id: c.relief for c in evaluate(some_inputs(*events, at=at)).contributions}


def suit(id_: Any, plaintiff: str | None = None, on: float = 0.0, **fields: Any) -> Any:
    attributes = {} if plaintiff is None else {"plaintiff": plaintiff}
    return an_event(id_, "lawsuit", on=on, attributes=attributes, **fields)


def settled(party: str | None = None, on: float = 10.0, **fields: Any) -> Any:
    attributes = {} if party is None else {"counterparty": party}
    return an_event("m", "legal_resolution", on=on, attributes=attributes, **fields)


def test_a_settlement_with_one_plaintiff_leaves_the_other_suits_alone() -> None:
    found = reliefs(suit("a", "The Times"), suit("b", "Getty"), settled("the times"))

    assert found == pytest.approx({"a": 0.6 * WIRE, "b": 0.0})


def test_a_settlement_without_a_name_needs_the_one_candidate() -> None:
    assert reliefs(suit("a", "X"), settled()) == pytest.approx({"a": 0.6 * WIRE})
    assert reliefs(suit("a", "X"), suit("b", "Y"), settled()) == {"a": 0.0, "b": 0.0}


def test_one_story_links_across_homes() -> None:
    harm = an_event("a", "share_drop", home="alibaba", story_id="s")

    assert reliefs(harm, an_event("m", "share_gain", on=3, story_id="s"))["a"] == pytest.approx(0.2 * WIRE)
    assert reliefs(harm, an_event("m", "share_gain", on=3, story_id="t"))["a"] == 0


def test_old_harm_is_out_of_reach_unless_its_state_is_open() -> None:
    late = settled("X", on=500)
    action = an_event("b", "regulatory_action", attributes={"authority": "X"})

    found = reliefs(suit("a", "X"), action, late, at=600)
    assert found["a"] > 0
    assert found["b"] == 0


def test_news_from_before_the_harm_or_after_the_instant_judged_relieves_nothing() -> None:
    assert reliefs(suit("a", "X", on=20), settled("X", on=10)) == {"a": 0}
    assert reliefs(suit("a", "X"), settled("X", on=200)) == {"a": 0}


def test_relief_is_capped_and_a_resolution_lifts_the_cap() -> None:
    several = tuple(
        an_event(f"m{n}", "legal_resolution", on=5, attributes={"counterparty": "X"}) for n in range(6)
    )
    lifted = an_event("m", "restriction_lifted", on=5, attributes={"country": "IT"})
    ban = an_event("a", "government_ban", attributes={"country": "IT"})

    assert reliefs(suit("a", "X"), *several)["a"] == pytest.approx(0.6)
    assert reliefs(ban, lifted)["a"] == pytest.approx(0.9 * WIRE)


@pytest.mark.parametrize(
    ("attributes", "g"),
    [
        ({}, 0.35),
        ({"interim": True}, 0.20),
        ({"internal": True}, 0.45),
        ({"person": "Junyang Lin"}, 0.90),
        ({"person": "Hao Zhou"}, 0.35),
    ],
)
def test_a_successor_relieves_by_how_the_post_is_filled(attributes: Any, g: Any) -> None:
    left = an_event("a", "leadership_exit", attributes={"person": "Junyang Lin", "role": "cto"})
    came = an_event("m", "leadership_appointment", attributes={"role": "cto", **attributes})

    assert reliefs(left, came, at=1)["a"] == pytest.approx(g * WIRE)


def test_an_internal_successor_of_a_later_day_counts_as_any_other() -> None:
    left = an_event("a", "leadership_exit", attributes={"role": "cto"})
    came = an_event("m", "leadership_appointment", on=3, attributes={"role": "cto", "internal": True})

    assert reliefs(left, came)["a"] == pytest.approx(0.35 * WIRE)


def test_different_objects_without_attributes_do_not_agree() -> None:
    drop = an_event("a", "adoption_decline", object="Qwen")

    assert reliefs(drop, an_event("m", "adoption_milestone", on=3, object="qwen"))["a"] > 0
    assert reliefs(drop, an_event("m", "adoption_milestone", on=3, object="Wan"))["a"] == 0


@pytest.mark.parametrize(("type_", "g"), [("outage", 0.6), ("access_suspension", 0.9)])
def test_a_stated_end_relieves_the_harm_itself(type_: Any, g: Any) -> None:
    harm = an_event("a", type_, attributes={"resolved": True})

    assert reliefs(harm, at=1) == pytest.approx({"a": g})


def test_good_news_without_harm_changes_nothing() -> None:
    funded = an_event("m", "funding", claims=(a_claim(),))

    assert evaluate(some_inputs(funded)).internal_points == evaluate(some_inputs()).internal_points
