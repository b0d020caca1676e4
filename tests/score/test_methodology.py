"""The methodology file: what is refused, what its digest covers, and law 26."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from riskwatch.model import Direction, EventType, Factor
from riskwatch.score import Methodology, disagreements
from tests.score.builders import ROOT, methodology, scoring_yaml


def taxonomy() -> dict[str, EventType]:
    loaded = yaml.safe_load((ROOT / "config" / "rules" / "taxonomy.yaml").read_text("utf-8"))
    return {name: an_entry(name, fields) for name, fields in loaded["types"].items()}


def an_entry(name: str, fields: dict[str, Any]) -> EventType:
    return EventType(
        id=name, factor=Factor(fields["factor"]), direction=Direction(fields["direction"]),
        definition=fields["definition"], attributes=fields.get("attributes", {}),
        merge_window_days=fields["merge_window_days"],
    )  # fmt: skip


def test_law_26_methodology_and_taxonomy_name_the_same_things() -> None:
    assert disagreements(methodology(), taxonomy()) == ()


def test_law_26_every_kind_of_disagreement_is_told() -> None:
    changed = taxonomy()
    del changed["outage"]
    changed["tsunami"] = an_entry("tsunami", {**ENTRY, "direction": "adverse"})
    changed["sunshine"] = an_entry("sunshine", {**ENTRY, "direction": "mitigating"})
    changed["lawsuit"] = an_entry("lawsuit", {**ENTRY, "direction": "adverse", "factor": "adoption"})
    changed["layoffs"] = an_entry("layoffs", {**ENTRY, "direction": "adverse", "factor": "leadership"})
    changed["safety_incident"] = an_entry(
        "safety_incident",
        {
            **ENTRY,
            "direction": "adverse",
            "factor": "operations",
            "attributes": {"kind": "one_of[alleged, demonstrated]"},
        },
    )
    changed["access_suspension"] = an_entry(
        "access_suspension", {**ENTRY, "direction": "adverse", "factor": "continuity"}
    )

    assert set(disagreements(methodology(), changed)) == {
        "types lacks tsunami, which the taxonomy names",
        "types.outage is not such a type of the taxonomy",
        "mitigations.types lacks sunshine, which the taxonomy names",
        "types.lawsuit.factor is legal, in the taxonomy adoption",
        "magnitude staff_percent reads percent, which layoffs does not have",
        "kind of safety_incident cannot be established",
        "mitigations.attributes.access_restored reads resolved, which access_suspension does not have",
    }


ENTRY: dict[str, Any] = {"factor": "operations", "definition": "", "merge_window_days": 1}


def put(path: str, value: object) -> dict[str, Any]:
    changed: dict[str, Any] = copy.deepcopy(scoring_yaml())
    *parents, last = path.split("/")
    place: Any = changed
    for name in parents:
        place = place[name]
    place[last] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("surprise", 1, "surprise"),
        ("factors/legal/coverage_weight", 0.2, "must sum to 1"),
        ("grades", [{"grade": "B", "from": 70}, {"grade": "A", "from": 85}], "descend"),
        ("grades", [{"grade": "A", "from": 85}], "descend to 0"),
        ("types/outage/magnitude", "nothing", "nothing is not in magnitudes"),
        ("types/outage/open_floor", 0.5, "go together"),
        ("types/funding", {"factor": "financial", "severity": 0.1, "half_life_days": 1, "plateau_days": 0,
                           "open_floor": 0, "magnitude": "one"}, "adverse type too"),
        ("mitigations/types/funding/relieves", ["rain"], "rain is not in types"),
        ("mitigations/attributes/outage_resolved/acts_on", "rain", "rain is not in types"),
        ("portfolio/lens/api", {"types": {"rain": 0.5}}, "rain is not in types"),
        ("credibility/tiers/2", 0.9, "must fall"),
        ("credibility/status_weight/rumoured", 0.9, "must rise"),
        ("credibility/status_cap", {"confirmed": 1.0}, "must name"),
        ("credibility/tiers", {"primary": 0.9}, "must name"),
        ("confidence/sla_hours", {"wire": 6}, "sla_hours lacks"),
        ("confidence/required_classes", {"legal": ["wire"]}, "every factor"),
        ("confidence/labels", [{"label": "low", "from": 0.3}, {"label": "high", "from": 0.7}], "descend"),
        ("magnitudes/notice/points", [[30, 1.0], [0, 1.4]], "ascend"),
        ("relevance/line_to_vendor", {"only": 1.0}, "line_to_vendor"),
        ("structural/base_loss", {"mega": 0.1}, "base_loss must name"),
        ("structural/classes", {"small": {"value_from": 0, "revenue_from": 0},
                                "mega": {"value_from": 9, "revenue_from": 9}}, "largest"),
        ("score/x_max", 1.0, "x_max"),
        ("factors/legal/floor_k", float("nan"), "floor_k"),
    ],
)  # fmt: skip
def test_a_methodology_that_contradicts_itself_is_refused(path: Any, value: Any, told: Any) -> None:
    with pytest.raises(ValidationError, match=told):
        Methodology.model_validate(put(path, value))


def test_a_missing_factor_is_refused() -> None:
    changed: dict[str, Any] = copy.deepcopy(scoring_yaml())
    del changed["factors"]["legal"]

    with pytest.raises(ValidationError, match="factors must name"):
        Methodology.model_validate(changed)


def test_the_digest_names_the_values_and_not_the_order_of_the_file() -> None:
    turned = dict(reversed(scoring_yaml().items()))

    assert methodology().digest.startswith("sha256:")
    assert Methodology.model_validate(turned).digest == methodology().digest
    assert Methodology.model_validate(put("types/outage/severity", 0.13)).digest != methodology().digest


def test_a_copy_has_its_own_digest() -> None:
    assert methodology().model_copy(update={"version": 2}).digest != methodology().digest


def test_every_field_says_what_it_is() -> None:
    schema = Methodology.model_json_schema()
    models = [schema, *schema["$defs"].values()]
    silent = [
        f"{model.get('title')}.{name}"
        for model in models
        for name, of in model.get("properties", {}).items()
        if "description" not in of and name != "kind"
    ]

    assert silent == []
