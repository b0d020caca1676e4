"""Feeds that fall silent, and a portfolio that hangs on few."""

from datetime import timedelta

import pytest

from riskwatch.model import Dependency, Incident, IncidentState, Line, Spend, Vendor
from riskwatch.send.concentration import concentration
from riskwatch.send.conditions import Reach
from riskwatch.send.decide import (
    ALL_SOURCES,
    PORTFOLIO,
    Decided,
    Watch,
    decide,
    decide_portfolio,
    decide_watches,
)
from riskwatch.send.decide import told as with_told_at
from tests.send.makers import BORDERS, T0, World, a_rule, at, below, of, seen

RULE = a_rule({"kind": "staleness", "subject": "source", "older_than": "48h"}, severity="info")


class Watching(World):
    def look(self, hours: float, ages: dict[str, float | None], kind: str = "source") -> Decided:
        watches = [Watch(name, kind, None if age is None else at(hours - age)) for name, age in ages.items()]
        decided = decide_watches(
            self.rules, watches, incidents=self.incidents, now=at(hours), new_id=self.new_id
        )
        self.keep(decided)
        return decided


def subjects(decided: Decided) -> list[str]:
    return [one.subject for one in decided.incidents]


def test_a_source_that_is_silent_for_two_days_is_told() -> None:
    world = Watching((RULE,))

    assert subjects(world.look(0, {"a": 48, "b": 1})) == []
    decided = world.look(1, {"a": 49, "b": 1})
    assert (subjects(decided), world.steps) == (["a"], ["opened"])
    world.look(2, {"a": 0, "b": 1})
    world.look(8, {"a": 0, "b": 1})
    assert world.steps == ["opened", "resolved"]


def test_when_nothing_comes_in_any_more_that_is_one_alert() -> None:
    world = Watching((RULE,))
    ages = {f"s{i}": 24.1 + i for i in range(40)}

    for hour in range(72):
        world.look(hour, {name: age + hour for name, age in ages.items()})

    assert world.steps == ["opened"]
    assert [one.subject for one in world.incidents.values()] == [ALL_SOURCES]


def test_when_all_came_back_but_some_only_these_are_told_and_not_at_once() -> None:
    world = Watching((RULE,))
    world.look(0, {"a": 60, "b": 60, "c": 60})

    world.look(1, {"a": 0, "b": 61, "c": 61})
    world.look(6, {"a": 0, "b": 66, "c": 0})
    assert world.steps == ["opened"]
    world.look(7, {"a": 0, "b": 67, "c": 0})
    assert world.steps == ["opened", "resolved", "opened"]
    firing = [one.subject for one in world.incidents.values() if one.state is IncidentState.FIRING]
    assert firing == ["b"]


def test_a_source_that_never_answered_counts_from_when_it_was_first_asked() -> None:
    world = Watching((RULE,))
    rules = world.rules

    def look(since: float | None) -> list[str]:
        watch = Watch("new", "source", None, None if since is None else at(since))
        return subjects(decide_watches(rules, [watch], incidents={}, now=T0, new_id=world.new_id))

    assert look(None) == []
    assert look(-47) == []
    assert look(-49) == ["new"]


def test_each_rule_looks_at_its_own_kind() -> None:
    rule = a_rule({"kind": "staleness", "subject": "scoring_run", "older_than": "10m"})
    world = Watching((rule, below(id="other"), RULE.model_copy(update={"id": "off", "enabled": False})))

    assert subjects(world.look(0, {"scoring": 1}, kind="scoring_run")) == ["scoring"]
    assert subjects(world.look(0, {"a": 100}, kind="source")) == []
    assert decide([rule], [seen(10)], incidents={}, now=T0, new_id=world.new_id, borders=BORDERS) == Decided()


# -------------------------------------------------------------------------------- portfolio
def uses(*parts: tuple[str, int, float | None], cloud: str | None = None) -> list[Dependency]:
    return [
        Dependency(
            use_case=f"u{i}", subject=subject, criticality=criticality, cloud=cloud,
            spend=None if amount is None else Spend(amount=amount, currency="EUR"),
        )
        for i, (subject, criticality, amount) in enumerate(parts)
    ]  # fmt: skip


def vendor(id_: str, country: str | None, *, open_weights: bool | None = None) -> Vendor:
    return Vendor(
        id=id_,
        name=id_,
        names=(id_,),
        country=country,
        lines={"one": Line(name="One", open_weights=open_weights)},
    )


VENDORS = {
    "a": vendor("a", "US", open_weights=True),
    "b": vendor("b", "US", open_weights=False),
    "c": vendor("c", "CN"),
    "d": vendor("d", None, open_weights=True),
}


@pytest.mark.parametrize(
    ("over", "metric", "expected"),
    [
        (Reach.VENDOR, "share", 0.5),
        (Reach.VENDOR, "hhi", 0.5**2 + 0.25**2 + 0.25**2),
        (Reach.COUNTRY, "share", 0.75),
        (Reach.LICENCE_CLASS, "share", 0.5),
        (Reach.CLOUD, "hhi", 0.5**2 + 0.25**2 + 0.25**2),
    ],
)
def test_shares_are_of_spend_times_the_weight_of_criticality(
    over: Reach, metric: str, expected: float
) -> None:
    portfolio = uses(("a/one", 3, 600), ("b/one", 2, 100), ("c/one", 1, 100))

    assert concentration(portfolio, VENDORS, metric=metric, over=over) == pytest.approx(expected)


def test_without_every_spend_the_weight_alone_counts() -> None:
    assert concentration(
        uses(("a", 1, None), ("b", 4, 900)), VENDORS, metric="share", over=Reach.VENDOR
    ) == pytest.approx(0.75)
    assert concentration(
        uses(("a", 1, 0), ("b", 4, 900)), VENDORS, metric="share", over=Reach.VENDOR
    ) == pytest.approx(0.75)


def test_what_is_unknown_is_a_group_of_its_own() -> None:
    portfolio = uses(("d", 4, 100), ("d/one", 4, 100))

    assert concentration(portfolio, VENDORS, metric="share", over=Reach.COUNTRY) == pytest.approx(0.5)
    assert concentration(portfolio, VENDORS, metric="share", over=Reach.LICENCE_CLASS) == pytest.approx(0.5)
    assert concentration(uses(("z", 4, 1)), VENDORS, metric="share", over=Reach.COUNTRY) == 1
    assert (
        concentration(uses(("a", 4, 1), ("b", 4, 1), cloud="X"), VENDORS, metric="share", over=Reach.CLOUD)
        == 1
    )


def test_an_empty_portfolio_has_no_concentration() -> None:
    assert concentration([], VENDORS, metric="hhi", over=Reach.VENDOR) is None


def test_a_portfolio_that_hangs_on_one_vendor_is_told_and_resolved() -> None:
    rule = a_rule(
        {"kind": "concentration", "metric": "share", "over": "vendor", "above": 0.6}, clear_for="0s"
    )
    off = rule.model_copy(update={"id": "off", "enabled": False})
    incidents: dict[str, Incident] = {}
    world, steps = World((rule,)), []
    for hour, (mine, other) in enumerate(
        [(50, 50), (70, 30), (72, 28), (80, 20), (58, 42), (57, 43), (0, 1)]
    ):
        portfolio = uses(*([("a", 4, mine)] if mine else []), ("b", 4, other))
        decided = decide_portfolio(
            [rule, off, below(id="other")], portfolio, VENDORS,
            incidents=incidents, now=T0 + timedelta(hours=hour), new_id=world.new_id,
        )  # fmt: skip
        incidents |= {one.key: one for one in with_told_at(decided.incidents, decided.transitions)}
        steps.append([str(step) for step in of(decided)])

    assert steps == [[], ["opened"], [], ["update"], [], ["resolved"], ["opened"]]
    assert {one.subject for one in incidents.values()} == {PORTFOLIO}
    assert decide_portfolio([rule], [], VENDORS, incidents={}, now=T0, new_id=world.new_id) == Decided()
