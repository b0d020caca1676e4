"""Each harmful happening has steps that a buyer can take, and a message shows few of them."""

import pytest

from riskwatch.model import Direction
from riskwatch.send.playbook import MAX_STEPS, Playbooks, lacking, next_steps
from riskwatch.settings import load

CONFIG = load(environ={})
SOME = Playbooks.model_validate(
    {
        "version": 1,
        "types": {
            "leadership_exit": ["ask who leads", "archive the weights", "check the exit clause"],
            "share_drop": ["read the statement", "compare the market"],
            "talent_exodus": ["archive the weights", "test a second model"],
        },
        "conditions": {"score_below": ["read the reasons", "review the exit plan"]},
    }
)


@pytest.mark.parametrize(
    "type_", [t.id for t in CONFIG.taxonomy.values() if t.direction is Direction.ADVERSE]
)
def test_every_harmful_type_has_steps(type_: str) -> None:
    assert len(CONFIG.playbooks.types[type_]) >= 2


def test_no_two_types_open_with_the_same_step() -> None:
    first = [steps[0] for steps in CONFIG.playbooks.types.values()]

    assert len(set(first)) == len(first)


def test_a_type_that_lacks_steps_or_does_not_exist_is_told() -> None:
    taxonomy = {id_: CONFIG.taxonomy[id_] for id_ in ("leadership_exit", "outage", "share_drop")}

    assert list(lacking(SOME, taxonomy)) == [
        ("outage is harmful and has no steps", "types"),
        ("talent_exodus is no type of rules/taxonomy.yaml", "types.talent_exodus"),
    ]


def test_the_gravest_reason_gives_most_steps_and_none_is_said_twice() -> None:
    steps = next_steps(SOME, ["leadership_exit", "talent_exodus", "share_drop"], condition="score_below")

    assert steps == ("ask who leads", "archive the weights", "read the statement", "check the exit clause")
    assert len(steps) <= MAX_STEPS


def test_the_condition_speaks_where_no_event_does() -> None:
    assert next_steps(SOME, ["funding"], condition="score_below") == (
        "read the reasons",
        "review the exit plan",
    )
    assert next_steps(SOME, [], condition="staleness") == ()


def test_a_rule_may_name_its_own_playbook() -> None:
    steps = next_steps(SOME, ["leadership_exit"], condition="score_below", playbook="share_drop")

    assert steps == ("read the statement", "compare the market")
