"""How often a rule fires on a pool of news: the signal of a pattern that grew too wide."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from riskwatch.detect.compiled import Ruleset
from riskwatch.detect.detection import detect
from riskwatch.detect.lint import Finding
from riskwatch.detect.rules import Lifecycle, Rates
from riskwatch.model import Article

EXAMPLES = 2


def too_frequent(articles: Sequence[Article], ruleset: Ruleset, rates: Rates) -> Iterable[Finding]:
    """Yield the rules that fire on more than their share of the articles, and rates of no rule."""
    fired: Counter[str] = Counter()
    quotes: dict[str, list[str]] = defaultdict(list)
    for article in articles:
        live = [signal for signal in detect(article, ruleset).signals if signal.assertion.is_live]
        told = {signal.rule.split("@")[0]: signal.evidence.quote for signal in live}
        fired.update(told.keys())
        for id_, quote in told.items():
            quotes[id_] += [quote] if len(quotes[id_]) < EXAMPLES else []
    for id_, count in sorted(fired.items()):
        allowed, rate = rates.rules.get(id_, rates.default), 1000 * count / len(articles)
        if rate > allowed:
            message = f"fires on {rate:.2f} of 1,000 articles, {allowed:g} allowed: {' | '.join(quotes[id_])}"
            yield Finding("R10", id_, message, path="rates.yaml")
    running = {rule.id for rule in ruleset.rules if rule.lifecycle is not Lifecycle.DEPRECATED}
    for id_ in sorted(rates.rules.keys() - running):
        yield Finding("R10", id_, "no rule of this id runs", path="rates.yaml", key=id_)
