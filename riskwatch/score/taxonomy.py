"""Whether methodology and taxonomy speak of the same types, factors, attributes and values."""

from __future__ import annotations

from collections.abc import Iterator

from riskwatch.model import Direction, EventType, Taxonomy
from riskwatch.score.magnitude import Table
from riskwatch.score.methodology import Methodology

_LIST = "one_of["


def disagreements(methodology: Methodology, taxonomy: Taxonomy) -> tuple[str, ...]:
    """Return one sentence for each point on which the two files disagree; empty when they agree."""
    return (
        *_types(methodology, taxonomy),
        *_magnitudes(methodology, taxonomy),
        *_attributes(methodology, taxonomy),
    )


def _types(methodology: Methodology, taxonomy: Taxonomy) -> Iterator[str]:
    adverse = {name for name, of in taxonomy.items() if of.direction is Direction.ADVERSE}
    others = taxonomy.keys() - adverse
    for section, weighed, named in (
        ("types", methodology.types.keys(), adverse),
        ("mitigations.types", methodology.mitigations.types.keys(), others),
    ):
        for name in sorted(named - weighed):
            yield f"{section} lacks {name}, which the taxonomy names"
        for name in sorted(weighed - named):
            yield f"{section}.{name} is not such a type of the taxonomy"
    for name, rule in methodology.types.items():
        if name in taxonomy and taxonomy[name].factor is not rule.factor:
            yield f"types.{name}.factor is {rule.factor}, in the taxonomy {taxonomy[name].factor}"


def _magnitudes(methodology: Methodology, taxonomy: Taxonomy) -> Iterator[str]:
    for name, rule in methodology.types.items():
        if name not in taxonomy:
            continue
        magnitude = methodology.magnitudes[rule.magnitude]
        for attribute in magnitude.attributes:
            if attribute not in taxonomy[name].attributes:
                yield f"magnitude {rule.magnitude} reads {attribute}, which {name} does not have"
        if isinstance(magnitude, Table):
            yield from _values(name, magnitude, taxonomy[name])


def _values(name: str, table: Table, of: EventType) -> Iterator[str]:
    kind = of.attributes.get(table.attr, "")
    if kind == "bool":
        listed = {"true", "false"}
    elif kind.startswith(_LIST):
        listed = {value.strip() for value in kind[len(_LIST) : -1].split(",")}
    else:
        return  # an open list such as the roles of the lexicon
    for value in sorted(table.values.keys() - listed):
        yield f"{table.attr} of {name} cannot be {value}"


def _attributes(methodology: Methodology, taxonomy: Taxonomy) -> Iterator[str]:
    for name, rule in methodology.mitigations.attributes.items():
        if rule.acts_on in taxonomy and rule.attr not in taxonomy[rule.acts_on].attributes:
            yield f"mitigations.attributes.{name} reads {rule.attr}, which {rule.acts_on} does not have"
