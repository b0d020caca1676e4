"""The rules held against texts: their own tests, lint, a pool of news, labelled items, outside benchmarks."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from riskwatch import benchmark, keywords, reports
from riskwatch import evaluate as evaluation
from riskwatch.compiling import digest_of
from riskwatch.detect import detect, for_vendors
from riskwatch.errors import Invalid, NotFound
from riskwatch.merge import common_words
from riskwatch.model import Publisher
from riskwatch.progress import Bar
from riskwatch.serve import present
from riskwatch.settings import Config

if TYPE_CHECKING:
    from riskwatch.detect import Ruleset
    from riskwatch.model import Article, Detection

LEAD_CHARS = 400  # of a text of the pool: quotes are taken from leads
Resolve = Callable[[str | None, str | None], Publisher | None]


class Measuring:
    """Measures the rules of one configuration; nothing is stored."""

    def __init__(
        self,
        config: Config,
        *,
        compiled: Callable[[], Ruleset],
        resolve: Resolve,
        now: Callable[[], datetime],
    ) -> None:
        """Take what is measured.

        Args:
            config: The configuration.
            compiled: Gives its rules, compiled.
            resolve: Outlet and address of an article -> the register's entry of the outlet.
            now: The clock.
        """
        self._config, self._compiled, self._resolve, self._now = config, compiled, resolve, now

    @cached_property
    def _ruleset(self) -> Ruleset:
        return self._compiled()

    def lint(self) -> list[str]:
        """Return the findings of the checks R01 to R09, a line each."""
        from riskwatch.detect.lint import lint  # noqa: PLC0415 - loads RE2

        return [str(finding) for finding in lint(self._config.rules, self._ruleset, quiet=self._config.quiet)]

    def rates(self, corpus: Path) -> list[str]:
        """Return the findings of the check R10 on a pool of news, a line each."""
        from riskwatch.detect.rates import too_frequent  # noqa: PLC0415 - loads RE2

        found = too_frequent(self._pool(corpus), self._ruleset, self._config.rates)
        return [str(finding) for finding in found]

    def propose_names(self, corpus: Path, *, least: int) -> list[str]:
        """Return YAML lines of names that at least so many articles of a pool of news hold."""
        from riskwatch.detect.curate import propose  # noqa: PLC0415 - loads RE2

        return reports.proposed_names(propose(self._pool(corpus), self._ruleset, least=least))

    def common_words(self, corpus: Path) -> dict[int, str]:
        """Return the common words of a pool of news by what they say in bits."""
        texts = {f"{article.title} {article.text[:LEAD_CHARS]}" for article in self._pool(corpus)}
        return common_words(texts)

    def _pool(self, path: Path) -> tuple[Article, ...]:
        from riskwatch.decode.saved import decode_saved  # noqa: PLC0415 - loads lxml

        body = path.read_bytes()
        body = gzip.decompress(body) if path.suffix == ".gz" else body
        articles = decode_saved("pool.jsonl", body, resolve=self._resolve, now=self._now()).articles
        if not articles:
            raise Invalid("corpus", f"no article can be read in {path}")
        return articles

    def run_tests(self, only: Sequence[str]) -> tuple[list[str], bool]:
        """Run the tests inside the rules; return lines to print and whether one failed."""
        from riskwatch.detect.check import run_tests  # noqa: PLC0415 - loads RE2

        known = {rule.id for rule in self._config.rules}
        for id_ in only:
            if id_ not in known:
                raise NotFound("rule", id_)
        results = run_tests(self._ruleset).results
        return reports.rule_tests([r for r in results if not only or r.rule in only])

    def evaluate(
        self, paths: Sequence[Path], *, title_only: bool, baseline: str | None = None, bar: Bar
    ) -> tuple[evaluation.Report, list[str]]:
        """Measure detection on labelled items (JSON Lines); return the report and the bad lines."""
        items, errors = self._labelled(paths, title_only=title_only)
        with bar(len(items), "evaluating") as moving:
            report = evaluation.evaluate(
                items,
                _stage(self._ruleset, baseline),
                taxonomy=self._config.taxonomy,
                ruleset=digest_of(self._config),
                progress=moving.update,
            )
        return report, errors

    def benchmark(
        self, name: str, path: Path, *, part: str, baseline: str | None = None, bar: Bar
    ) -> benchmark.Report:
        """Measure detection on an outside benchmark, every company of its texts a vendor."""
        documents = benchmark.read(name, path, self._ruleset, part=part)
        vendors = benchmark.companies(documents, self._ruleset)
        blockers = self._config.blockers.model_copy(update={"blockers": ()})
        ruleset = for_vendors(self._ruleset, tuple(vendors.values()), blockers)
        with bar(len(documents), f"reading {name}") as moving:
            report = benchmark.measure(
                name, documents, _stage(ruleset, baseline), part=part, progress=moving.update
            )
        return replace(report, ruleset=baseline or digest_of(self._config))

    def _labelled(
        self, paths: Sequence[Path], *, title_only: bool
    ) -> tuple[list[evaluation.Item], list[str]]:
        names = {
            name.lower(): vendor.id
            for vendor in self._config.vendors.values()
            for name in (*present.names((*vendor.brands, *vendor.names)), vendor.name, vendor.id)
        }
        items, errors = list[evaluation.Item](), list[str]()
        for path in paths:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                try:
                    items.append(self._item(line, names, title_only=title_only))
                except (ValueError, KeyError, TypeError, Invalid) as error:
                    errors.append(f"{path}:{number}: {error}")
        return items, errors

    def _item(self, line: str, names: Mapping[str, str], *, title_only: bool) -> evaluation.Item:
        from riskwatch.decode.saved import decode_saved  # noqa: PLC0415 - loads lxml

        row = json.loads(line)
        kept = {k: v for k, v in row.items() if k != "labels"}
        if title_only:
            kept = {k: v for k, v in kept.items() if k not in ("summary", "lead", "text")}
        kept.setdefault("summary", kept.pop("lead", None))
        saved = decode_saved("item.jsonl", json.dumps(kept).encode(), resolve=self._resolve, now=self._now())
        if not saved.articles:
            raise ValueError(saved.errors[0].reason)
        article = replace(saved.articles[0], id=str(row.get("id", "")), first_seen_at=self._now())
        labels = tuple(evaluation.label_of(label, names, self._config.taxonomy) for label in row["labels"])
        return evaluation.Item(article, labels, str(row.get("story") or row.get("id")))


def _stage(ruleset: Ruleset, baseline: str | None) -> Callable[[Article], Detection]:
    """Return the detection stage to measure: the rules, or the words that they are compared with."""
    return keywords.keyword_reader(ruleset) if baseline else lambda article: detect(article, ruleset)
