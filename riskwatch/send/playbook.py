"""Next steps of a careful buyer, by type of event and by condition; config/playbooks.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from riskwatch.model import Direction, Taxonomy

MAX_STEPS = 4
_MAIN = 2  # steps that the first reason may give before the others are heard

NextStep = Annotated[
    str,
    Field(
        min_length=10,
        max_length=140,
        pattern=r"^[a-z].*[^.;]$",
        description="an order to the reader, small letter first, no full stop",
    ),
]
Steps = Annotated[tuple[NextStep, ...], Field(min_length=2, max_length=5)]


class Playbooks(BaseModel):
    """What to do next: by event type, and by kind of alert condition where no event speaks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int
    types: dict[str, Steps] = Field(description="event type -> steps, the most urgent first")
    conditions: dict[str, Steps] = Field(
        default_factory=dict, description="kind of an alert condition -> steps"
    )


def lacking(playbooks: Playbooks, taxonomy: Taxonomy) -> Iterator[tuple[str, str]]:
    """Yield (sentence, key) for each harmful type without steps and each type that does not exist."""
    for id_, event_type in taxonomy.items():
        if event_type.direction is Direction.ADVERSE and id_ not in playbooks.types:
            yield f"{id_} is harmful and has no steps", "types"
    for id_ in playbooks.types:
        if id_ not in taxonomy:
            yield f"{id_} is no type of rules/taxonomy.yaml", f"types.{id_}"


def next_steps(
    playbooks: Playbooks, types: Sequence[str], *, condition: str, playbook: str | None = None
) -> tuple[str, ...]:
    """Return at most four steps: those of the rule's own playbook, else of the events that moved most.

    Args:
        playbooks: The file.
        types: Event types of the reasons, largest movement first.
        condition: Kind of the rule's condition; speaks where no event does.
        playbook: An event type or condition that the rule names instead.
    """
    known: Mapping[str, tuple[str, ...]] = {**playbooks.conditions, **playbooks.types}
    if playbook is not None and playbook in known:
        return known[playbook][:MAX_STEPS]
    lists = [known[type_] for type_ in dict.fromkeys(types) if type_ in known]
    if not lists:
        return known.get(condition, ())[:MAX_STEPS]
    first, *others = lists
    ranked = (*first[:_MAIN], *(steps[0] for steps in others), *first[_MAIN:])
    return tuple(dict.fromkeys(ranked))[:MAX_STEPS]
