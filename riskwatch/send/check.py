"""What one model cannot see: whether the parts of config/alerts.yaml, or of portfolio.yaml, fit together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches

from riskwatch.model import Dependency
from riskwatch.send.conditions import members
from riskwatch.send.rule import AlertRule, AlertsFile, Route

_UNREACHED = (
    "this rule reaches no enabled receiver; add a route that takes it, enable a receiver, "
    "or write enabled: false"
)
Problem = tuple[str, str]  # what is wrong and what to write; key such as rules.0.condition.types


def problems(
    file: AlertsFile,
    *,
    types: Collection[str],
    subjects: Collection[str] | None = None,
    tags: Collection[str] | None = None,
    playbooks: Collection[str] | None = None,
) -> list[Problem]:
    """Return every mistake that lies between the parts of the file.

    Args:
        file: As validated by itself.
        types: Known event types.
        subjects: Known vendors and lines; None leaves scopes unchecked.
        tags: Known vendor tags; None leaves them unchecked.
        playbooks: Known keys of playbooks; None leaves them unchecked.
    """
    found: list[Problem] = []
    for name in ("rules", "routes", "receivers", "digests"):
        found += _doubled(name, [part.id for part in getattr(file, name)])
    for i, rule in enumerate(file.rules):
        at = f"rules.{i}"
        for one, key in _conditions(rule, at):
            found += _unknown(set(getattr(one, "types", ())) - {"*"}, types, "event type", f"{key}.types")
        found += _unknown(rule.scope.vendors, subjects, "vendor or line", f"{at}.scope.vendors")
        found += _unknown(rule.scope.tags, tags, "vendor tag", f"{at}.scope.tags")
        found += _unknown([rule.playbook] if rule.playbook else (), playbooks, "playbook", f"{at}.playbook")
    found += _unreached(file)
    receivers = [one.id for one in file.receivers]
    for i, route in enumerate(file.routes):
        found += _unknown(route.receivers, receivers, "receiver", f"routes.{i}.receivers")
        found += _unknown(
            [route.match.tag] if route.match.tag else (), tags, "vendor tag", f"routes.{i}.match.tag"
        )
    for i, digest in enumerate(file.digests):
        found += _unknown([digest.receiver], receivers, "receiver", f"digests.{i}.receiver")
    for i, receiver in enumerate(file.receivers):
        if receiver.kind == "webhook" and not receiver.url.startswith("https://"):
            found.append(("write https://; alerts are not sent in clear text", f"receivers.{i}.url"))
    return found


def warnings(file: AlertsFile) -> list[str]:
    """Return what is allowed but hardly meant."""
    if file.rules and not file.receivers:
        return ["alerts.yaml: no receiver is named, so nobody is told; incidents are only shown on the page"]
    return []


def portfolio_problems(
    dependencies: Sequence[Dependency], *, subjects: Collection[str] | None = None
) -> list[Problem]:
    """Return every mistake between the entries of config/portfolio.yaml."""
    found: list[Problem] = []
    currency = None
    for i, one in enumerate(dependencies):
        at = f"dependencies.{i}"
        found += _unknown([one.subject], subjects, "vendor or line", f"{at}.subject")
        if one.spend is None:
            continue
        currency = currency or one.spend.currency
        if one.spend.currency != currency:
            found.append(
                (
                    f"write {currency} as in the first entry: shares of spend need one currency",
                    f"{at}.spend.currency",
                )
            )
    return found


def _doubled(name: str, ids: Sequence[str | None]) -> Iterator[Problem]:
    for i, id_ in enumerate(ids):
        if id_ is not None and id_ in ids[:i]:
            yield f"the id {id_} is taken by an earlier entry; choose another", f"{name}.{i}.id"


def _conditions(rule: AlertRule, at: str) -> Iterator[tuple[object, str]]:
    parts = members(rule.condition)
    for i, one in enumerate(parts):
        yield one, f"{at}.condition" if one is rule.condition else f"{at}.condition.of.{i}"


def _unknown(
    names: Iterable[str] | None, known: Collection[str] | None, what: str, key: str
) -> Iterator[Problem]:
    if known is None:
        return
    for name in sorted(set(names or ()) - set(known)):
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        yield f"there is no {what} {name}{hint}", key


def _unreached(file: AlertsFile) -> Iterator[Problem]:
    if not file.receivers:
        return
    enabled = {one.id for one in file.receivers if one.enabled}
    for i, rule in enumerate(file.rules):
        if rule.enabled and not _reaches(rule, file.routes, enabled):
            yield _UNREACHED, f"rules.{i}.id"


def _reaches(rule: AlertRule, routes: Sequence[Route], enabled: set[str]) -> bool:
    if not routes:
        return bool(enabled)
    for route in routes:
        if not _may_match(rule, route):
            continue
        if enabled.intersection(route.receivers):
            return True
        match = route.match
        if not route.continue_ and (match.tag, match.criticality, match.factor) == (None, None, None):
            return False  # it takes the alert for certain and tells nobody
    return False


def _may_match(rule: AlertRule, route: Route) -> bool:
    """Whether a route can take the rule's alerts, as far as can be said without a subject."""
    match = route.match
    return (
        match.severity in (None, rule.severity)
        and match.owner in (None, rule.owner)
        and (match.factor is None or rule.factor in (None, match.factor))
    )
