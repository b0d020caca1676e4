"""Check rules, lexicon and vendor files; all findings are collected, none raised."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from riskwatch.detect.check import CheckReport, run_tests
from riskwatch.detect.compiled import Ruleset
from riskwatch.detect.detection import detect
from riskwatch.detect.edges import edges_at_tokens
from riskwatch.detect.onebyte import mixed_up
from riskwatch.detect.packs import Pack
from riskwatch.detect.patterns import PatternError, compile_pattern
from riskwatch.detect.rules import Lifecycle, Rule
from riskwatch.model import Alias, Article, Vendor

MIN_TESTS = 3  # of either polarity
MAX_REPEAT = 200
QUIET_AT = datetime(2026, 3, 5, 12, tzinfo=UTC)  # date of a bare sentence, that of in-rule tests
_INLINE_FLAG = compile_pattern(r"\(\?-?[imsU]+[:)]|\(\?[imsU]+-", case_sensitive=True)
_NARROW = ("detect.any.", "detect.not.")  # of a language that is read with one byte a character
_REPEAT = compile_pattern(r"\{([0-9]+)(?:,([0-9]*))?\}")
_WIDE_EDGE = compile_pattern(r"\\b(?:\(\?:)?[^\x00-\x7F]|[^\x00-\x7F]\)?\\b")
# what makes a Set slow: an open or bounded repeat of a class between words
_GAPPY = compile_pattern(r"(?:\.|\\[wdsWDS]|[^\\]\])(?:[*+]|\{[0-9]*,?[0-9]*\})")


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark of the linter."""

    code: str  # R01 to R10
    rule: str  # rule id or vendor id
    message: str
    path: str | None = None
    key: str | None = None

    def __str__(self) -> str:
        place = "".join(f" {part}" for part in (self.path, self.key) if part)
        return f"{self.code} {self.rule}{place}: {self.message}"


def lint(
    rules: Sequence[Rule],
    ruleset: Ruleset,
    *,
    quiet: Sequence[Article | str] = (),
    retired: Collection[str] = (),
    report: CheckReport | None = None,
) -> tuple[Finding, ...]:
    """Return all findings, sorted.

    Args:
        rules: As read, deprecated ones included.
        ruleset: The same rules compiled; what does not compile has stopped there (R02, R03).
        quiet: Articles, or bare sentences in the first language, without watched events.
        retired: Rule ids that may not be used again.
        report: Results of the in-rule tests; they are run when not given.
    """
    checked = report if report is not None else run_tests(ruleset)
    findings = [*_ids(rules, retired)]
    for rule in rules:
        if rule.lifecycle != Lifecycle.DEPRECATED:
            for lang in rule.scope.langs:
                findings += _patterns(rule, ruleset.languages[lang].pack, ruleset)
            findings += _tests(rule, ruleset)
    findings += _exercised(rules, checked)
    findings += _quiet(rules, ruleset, quiet)
    findings += [
        Finding(
            "R08",
            cross.rule,
            f"test {cross.number} fires {cross.fired} ({cross.event} of {cross.vendor}): {cross.text}",
        )
        for cross in checked.cross_fire
    ]
    findings += _vendors(tuple(ruleset.gazetteer.vendors.values()))
    return tuple(sorted(findings, key=lambda f: (f.code, f.rule, f.key or "", f.message)))


def _ids(rules: Sequence[Rule], retired: Collection[str]) -> Iterable[Finding]:
    for rule_id, times in Counter(rule.id for rule in rules).items():
        if times > 1:
            yield Finding("R01", rule_id, f"id is used {times} times", key="id")
        if rule_id in retired:
            yield Finding("R01", rule_id, "id is retired and may not be used again", key="id")
    for rule in rules:
        if not rule.id.startswith(f"{rule.event}."):
            yield Finding("R01", rule.id, f"id does not begin with its event {rule.event}", key="id")


def patterns_of(rule: Rule) -> dict[str, str]:
    """Return every pattern of a rule by its key."""
    found = {"detect.prefilter": rule.detect.prefilter}
    found |= {f"detect.any.{name}": text for name, text in rule.detect.any_.items()}
    found |= {f"detect.not.{name}": text for name, text in rule.detect.not_.items()}
    for assertion, patterns in rule.assertion.set_.items():
        found |= {f"assertion.set.{assertion}.{name}": text for name, text in patterns.items()}
    if rule.assertion.unless:
        found["assertion.unless"] = rule.assertion.unless
    for name, source in rule.capture.items():
        if isinstance(source, dict):
            found |= {f"capture.{name}.{value}": text for value, text in source.items()}
    return found


def _patterns(rule: Rule, pack: Pack, ruleset: Ruleset) -> Iterable[Finding]:
    for key, text in patterns_of(rule).items():
        if _INLINE_FLAG.hits(text):
            yield Finding("R02", rule.id, "inline flags are not allowed", key=key)
        if _WIDE_EDGE.hits(text):
            yield Finding("R02", rule.id, r"\b beside a letter that is not ASCII never matches", key=key)
        try:
            expanded = pack.expander.expand(text)
        except PatternError as error:
            yield Finding("R03", rule.id, str(error), key=key)
            continue
        lost = mixed_up(expanded) if pack.is_narrow and key.startswith(_NARROW) else None
        if lost:
            message = rf"{lost} loses its meaning: beyond Latin-1 only kinds are told apart; write \p{{L}}"
            yield Finding("R02", rule.id, message, path=_file(rule, ruleset), key=key)
        if any(
            int(part) > MAX_REPEAT
            for found in _REPEAT.finditer(expanded)
            for part in (found.group(1), found.group(2))
            if part
        ):
            yield Finding("R02", rule.id, f"repeats more than {MAX_REPEAT} times", key=key)
        for place in edges_at_tokens(expanded):
            message = rf"\b right beside a masked token never matches; move it to the words: {place}"
            yield Finding("R02", rule.id, message, path=_file(rule, ruleset), key=key)
    yield from _prefilter(rule, pack)


def _file(rule: Rule, ruleset: Ruleset) -> str:
    """Return the file of a rule, as seen from the folder of the rules."""
    event = ruleset.taxonomy.get(rule.event)
    return f"{event.factor}/{rule.id}.yaml" if event else f"{rule.id}.yaml"


def _prefilter(rule: Rule, pack: Pack) -> Iterable[Finding]:
    key = "detect.prefilter"
    if "{GAP" in rule.detect.prefilter:
        yield Finding("R04", rule.id, "a prefilter is gap-free", key=key)
        return
    expanded = pack.expander.expand(rule.detect.prefilter)
    gappy = _GAPPY.search(expanded)
    if gappy:
        yield Finding("R04", rule.id, f"a prefilter is gap-free: {gappy.group()!r}", key=key)
    if compile_pattern(expanded).hits(""):
        yield Finding("R04", rule.id, "prefilter matches the empty string", key=key)


def _tests(rule: Rule, ruleset: Ruleset) -> Iterable[Finding]:
    positive = sum(test.is_positive for test in rule.tests)
    if positive < MIN_TESTS or len(rule.tests) - positive < MIN_TESTS:
        negative = len(rule.tests) - positive
        message = f"{positive} positive and {negative} negative tests; {MIN_TESTS} of each are needed"
        yield Finding("R06", rule.id, message, key="tests")
    for lang in rule.scope.langs:
        language = ruleset.languages[lang]
        hint = compile_pattern(language.pack.expander.expand(rule.detect.prefilter))
        for number, test in enumerate(rule.tests, start=1):
            fits = (test.lang or rule.scope.langs[0]) == lang
            if fits and test.is_positive and not hint.hits(f"{test.title or ''}\n{test.text}"):
                yield Finding(
                    "R05", rule.id, f"prefilter misses test {number}: {test.text}", key="detect.prefilter"
                )


def _exercised(rules: Sequence[Rule], report: CheckReport) -> Iterable[Finding]:
    fired = {
        (result.rule, str(trace["frame"]))
        for result in report.results
        for trace in result.detection.trace
        if str(trace["rule"]).split("@")[0] == result.rule
    }
    blocked = {
        (result.rule, block.by)
        for result in report.results
        for block in result.detection.blocked
        if block.rule.split("@")[0] == result.rule
    }
    for rule in rules:
        if rule.lifecycle == Lifecycle.DEPRECATED:
            continue
        idle = [f"any.{name}" for name in rule.detect.any_ if (rule.id, name) not in fired]
        idle += [f"not.{name}" for name in rule.detect.not_ if (rule.id, name) not in blocked]
        for name in idle:
            yield Finding("R06", rule.id, "no test exercises this", key=f"detect.{name}")


def _quiet(rules: Sequence[Rule], ruleset: Ruleset, quiet: Sequence[Article | str]) -> Iterable[Finding]:
    fires: Counter[str] = Counter()
    example: dict[str, str] = {}
    lang = next(iter(ruleset.languages), "und")
    for number, entry in enumerate(quiet, start=1):
        article = _sentence(entry, number, lang) if isinstance(entry, str) else entry
        for signal in detect(article, ruleset).signals:
            if signal.assertion.is_live:
                rule_id = signal.rule.split("@")[0]
                fires[rule_id] += 1
                example.setdefault(rule_id, signal.evidence.quote)
    for rule in rules:
        if fires[rule.id] > rule.quiet:
            message = (
                f"{fires[rule.id]} live signals on the quiet corpus, {rule.quiet} allowed: {example[rule.id]}"
            )
            yield Finding("R07", rule.id, message, key="quiet")


def _sentence(text: str, number: int, lang: str) -> Article:
    return Article(
        source_id="quiet",
        guid=str(number),
        title=None,
        text=text,
        url=None,
        published_at=QUIET_AT,
        lang=lang,
        publisher="quiet corpus",
        family="quiet",
        tier="4",
        id=f"quiet-{number}",
    )


def _vendors(vendors: Sequence[Vendor]) -> Iterable[Finding]:
    owners: dict[str, list[str]] = defaultdict(list)
    for vendor in vendors:
        for alias in aliases_of(vendor):
            owners[alias.text].append(vendor.id)
            if alias.ambiguous and not alias.context and alias.requires is None:
                yield Finding("R09", vendor.id, f"ambiguous alias {alias.text} has no context", key="names")
        yield from _people(vendor)
    for text, ids in owners.items():
        if len(set(ids)) > 1:
            yield Finding(
                "R09", ids[0], f"alias {text} is claimed by {', '.join(sorted(set(ids)))}", key="names"
            )


def _people(vendor: Vendor) -> Iterable[Finding]:
    for person in vendor.people:
        first, last = person.valid_from, person.valid_to
        if first and last and first[: len(last)] > last[: len(first)]:
            yield Finding("R09", vendor.id, f"{person.name} leaves before coming", key="people")
        if person.line is not None and person.line not in vendor.lines:
            yield Finding("R09", vendor.id, f"{person.name} belongs to no line {person.line}", key="people")


def aliases_of(vendor: Vendor) -> tuple[Alias, ...]:
    """Return all aliases of a vendor, its brands and its lines."""
    entries = [*vendor.names, *vendor.brands]
    for line in vendor.lines.values():
        entries += [*line.names, *line.products]
    return tuple(entry if isinstance(entry, Alias) else Alias(text=entry) for entry in entries)
