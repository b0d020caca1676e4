"""Run the tests that rules carry, and look for rules that fire on the tests of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time

from riskwatch.detect.compiled import Ruleset
from riskwatch.detect.detection import detect
from riskwatch.detect.rules import Expectation, Lifecycle, Rule, RuleTest
from riskwatch.model import Article, Detection, Signal

TOLERANCE = 1e-6  # between numbers that an expectation compares


@dataclass(frozen=True, slots=True)
class TestResult:
    """Outcome of one in-rule test."""

    __test__ = False  # not for pytest

    rule: str
    number: int  # from 1
    text: str
    passed: bool
    is_todo: bool
    problems: tuple[str, ...]
    detection: Detection

    @property
    def is_failure(self) -> bool:
        """Whether it must stop the build: a test that fails, or a known miss that no longer is one."""
        return self.passed if self.is_todo else not self.passed


@dataclass(frozen=True, slots=True)
class CrossFire:
    """A live signal of an event type that the test of another rule does not list."""

    rule: str  # whose test it is
    number: int
    text: str
    fired: str  # rule that fired
    event: str
    vendor: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Results of all in-rule tests and the cross-fire on their texts."""

    results: tuple[TestResult, ...]
    cross_fire: tuple[CrossFire, ...]

    @property
    def failures(self) -> tuple[TestResult, ...]:
        """Tests that must stop the build."""
        return tuple(result for result in self.results if result.is_failure)


def run_tests(ruleset: Ruleset) -> CheckReport:
    """Run every in-rule test of the ruleset, in order of rule id."""
    results: list[TestResult] = []
    cross: list[CrossFire] = []
    events = {rule.id: rule.event for rule in ruleset.rules}
    for rule in sorted(ruleset.rules, key=lambda entry: entry.id):
        if rule.lifecycle == Lifecycle.DEPRECATED:
            continue
        for number, test in enumerate(rule.tests, start=1):
            found = detect(article_of(rule, test, number), ruleset, focus=test.focus, is_traced=True)
            problems = _problems(rule, test, found)
            results.append(TestResult(rule.id, number, test.text, not problems, test.todo, problems, found))
            cross += _cross_fire(rule, test, number, found, events)
    return CheckReport(tuple(results), tuple(cross))


def article_of(rule: Rule, test: RuleTest, number: int) -> Article:
    """Return the test as an Article of noon on its date."""
    at = datetime.combine(test.date, time(12), UTC)
    return Article(
        source_id="rule-test",
        guid=f"{rule.id}#{number}",
        title=test.title,
        text=test.text,
        url=None,
        published_at=at,
        lang=test.lang or rule.scope.langs[0],
        publisher="rule test",
        family="rule-test",
        tier="3",
        source_class=test.source_class,
        covers=test.covers,
        id=f"test-{rule.id}-{number}",
        first_seen_at=at,
        recorded_at=at,
    )


def _problems(rule: Rule, test: RuleTest, found: Detection) -> tuple[str, ...]:
    signals = [signal for signal in found.signals if signal.type == rule.event]
    problems: list[str] = []
    if test.expect is None and test.expect_live is None:
        problems.append("expects nothing: neither expect nor expect_live")
    if test.expect is not None:
        problems += _compare(test.expect, signals, own=rule.reference)
    if test.expect_live is not None:
        live = [signal for signal in signals if signal.assertion.is_live]
        problems += _compare(test.expect_live, live, own=rule.reference)
    if test.is_positive and not any(signal.rule == rule.reference for signal in signals):
        problems.append("no signal of this rule")
    return tuple(problems)


def _compare(expected: Sequence[Expectation], signals: Sequence[Signal], *, own: str) -> list[str]:
    problems: list[str] = []
    for entry in expected:
        close = [signal for signal in signals if signal.vendor == entry.vendor]
        if not any(not _differences(entry, signal) for signal in close):
            told = "; ".join(_differences(entry, close[0])) if close else f"have {_listed(signals)}"
            problems.append(f"{entry.vendor}: {told}")
    wanted = {entry.vendor for entry in expected}
    # where something is expected, another rule of the event may see another vendor rightly
    strays = [signal for signal in signals if signal.rule == own or not expected]
    problems += [f"unexpected {_listed([signal])}" for signal in strays if signal.vendor not in wanted]
    return problems


def _differences(entry: Expectation, signal: Signal) -> list[str]:
    differences = [
        f"{name} {have!r} is not {want!r}"
        for name, want, have in (
            ("line", entry.line, signal.line),
            ("assertion", entry.assertion, signal.assertion),
            ("route", entry.route, signal.route),
            ("primary", entry.primary, signal.primary),
            ("claimed", entry.claimed, signal.claimed_at.date() if signal.claimed_at else None),
        )
        if want is not None and want != have
    ]
    for name, want in entry.attrs.items():
        have = signal.attributes.get(name)
        if not _same(want, have):
            differences.append(f"{name} {have!r} is not {want!r}")
    return differences


def _same(want: object, have: object) -> bool:
    if isinstance(want, (int, float)) and isinstance(have, (int, float)):
        return isinstance(want, bool) == isinstance(have, bool) and abs(want - have) < TOLERANCE
    return want == have


def _listed(signals: Sequence[Signal]) -> str:
    return ", ".join(f"{s.vendor} {s.assertion} by {s.rule} ({s.route})" for s in signals) or "no signal"


def _cross_fire(
    rule: Rule, test: RuleTest, number: int, found: Detection, events: dict[str, str]
) -> list[CrossFire]:
    allowed = {rule.event, *test.allow}
    return [
        CrossFire(rule.id, number, test.text, signal.rule.split("@")[0], signal.type, signal.vendor)
        for signal in found.signals
        if signal.assertion.is_live and events[signal.rule.split("@")[0]] not in allowed
    ]
