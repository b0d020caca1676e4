from typing import Any

import pytest

from riskwatch.detect.check import run_tests
from riskwatch.detect.lint import lint
from riskwatch.detect.rules import Rule
from tests.detect.makers import EXIT, EXODUS, SUIT, a_ruleset, an_article


def with_tests(rule: dict[str, Any], *tests: dict[str, Any]) -> dict[str, Any]:
    return rule | {"tests": list(tests)}


def suit_with(**parts: Any) -> dict[str, Any]:
    """The rule for suits that detects otherwise."""
    return SUIT | {"detect": SUIT["detect"] | parts}


def test_a_test_passes_when_the_signal_is_as_stated() -> None:
    expected = {"vendor": "alibaba", "line": "qwen", "route": "employer", "attrs": {"person": "Mei Tan"}}
    report = run_tests(a_ruleset(with_tests(EXIT, {"text": "Mei Tan resigned.", "expect": [expected]})))

    assert [result.passed for result in report.results] == [True]
    assert report.failures == ()


def test_a_failing_test_says_what_differs() -> None:
    expected = {"vendor": "alibaba", "assertion": "denied", "attrs": {"person": "Bo Ruan"}}
    report = run_tests(a_ruleset(with_tests(EXIT, {"text": "Mei Tan resigned.", "expect": [expected]})))

    assert "is not" in report.failures[0].problems[0]
    assert "Bo Ruan" in report.failures[0].problems[0]


def test_a_known_miss_fails_once_it_passes() -> None:
    missed = {"text": "Ms. Tan resigned.", "expect": [{"vendor": "alibaba"}], "todo": True}
    solved = {"text": "Mei Tan resigned.", "expect": [{"vendor": "alibaba"}], "todo": True}

    report = run_tests(a_ruleset(with_tests(EXIT, missed, solved)))

    assert [result.number for result in report.failures] == [2]


def test_rules_that_fire_on_the_tests_of_others_are_told() -> None:
    suit = with_tests(
        SUIT, {"text": "Broadcom sues OpenAI after Mei Tan resigned.", "expect": [{"vendor": "openai"}]}
    )

    report = run_tests(a_ruleset(suit, EXIT))

    assert [(cross.rule, cross.fired) for cross in report.cross_fire] == [
        ("lawsuit.filed", "leadership_exit.named")
    ]


def test_the_focus_of_a_test_vouches_for_its_name() -> None:
    text = {"text": "Broadcom sues Meta.", "focus": "meta", "expect": [{"vendor": "meta"}]}

    assert run_tests(a_ruleset(with_tests(SUIT, text))).failures == ()


def codes(*rules: dict[str, Any], **options: Any) -> set[tuple[str, str | None]]:
    models = [Rule.model_validate(rule) for rule in rules]
    return {(finding.code, finding.key) for finding in lint(models, a_ruleset(*rules), **options)}


def test_the_linter_asks_for_tests_of_both_polarities_and_of_every_frame() -> None:
    found = codes(EXODUS)

    assert {("R06", "tests"), ("R06", "detect.any.leave"), ("R06", "detect.any.poached")} <= found


def test_the_linter_sees_a_prefilter_that_drops_a_positive_test() -> None:
    rule = with_tests(EXIT, {"text": "The hiring of Mei Tan ended.", "expect": [{"vendor": "alibaba"}]})

    assert ("R05", "detect.prefilter") in codes(rule)


def test_the_linter_refuses_gaps_in_prefilters() -> None:
    gappy = suit_with(prefilter=r"\bsues \w+ ")

    assert ("R04", "detect.prefilter") in codes(gappy)


@pytest.mark.parametrize(
    "frame",
    [
        r"(?P<t>sues) (?:the firm|{VENDOR})\b",
        r"\b(?:the firm|{VENDOR}) (?P<t>sues)",
        r"(?P<t>sues) {VENDOR}\b",
        r"(?P<t>sues)(?: (?:the\b|a))?\b(?:firm|(?:maker|{COUNT} firms))",
    ],
)
def test_the_linter_refuses_an_edge_of_a_word_right_beside_a_token(frame: str) -> None:
    rule = suit_with(any={"sued": frame})

    (finding,) = lint([Rule.model_validate(rule)], a_ruleset(rule))[:1]

    assert str(finding).startswith("R02 lawsuit.filed legal/lawsuit.filed.yaml detect.any.sued: ")
    assert "move it to the words" in finding.message


@pytest.mark.parametrize(
    "frame",
    [
        r"(?P<t>sues) (?:the firm\b|{VENDOR})",
        r"\b(?P<t>sues) (?:[^«»;]|«n\d+»){0,9}?\b(?:makers|firms) of {VENDOR}",
        r"(?P<t>sues\b)[^«»]{0,9}{VENDOR}(?:'s)? \bshop",
        r"{VENDOR}(?: and {ORG})?(?:'s)? \b(?P<t>sues)",
    ],
)
def test_an_edge_of_a_word_beside_other_words_stands(frame: str) -> None:
    rule = suit_with(any={"sued": frame})

    assert ("R02", "detect.any.sued") not in codes(rule)


def test_the_linter_reads_the_quiet_corpus() -> None:
    assert ("R07", "quiet") in codes(EXIT, quiet=[an_article("Mei Tan resigned.")])
    assert ("R07", "quiet") in codes(EXIT, quiet=["Mei Tan resigned."])
    assert ("R07", "quiet") not in codes(EXIT | {"quiet": 1}, quiet=[an_article("Mei Tan resigned.")])


def test_the_linter_knows_retired_and_misnamed_ids() -> None:
    assert ("R01", "id") in codes(EXIT, retired={"leadership_exit.named"})
    assert ("R01", "id") in codes(EXIT | {"id": "quits.named"})


def test_the_linter_refuses_what_one_byte_a_character_cannot_tell_apart() -> None:
    rule = suit_with(any={"sued": r"[A-Za-zÀ-ž]+ (?P<t>sues) {VENDOR}"})

    (finding,) = [one for one in lint([Rule.model_validate(rule)], a_ruleset(rule)) if one.code == "R02"]

    assert str(finding).startswith("R02 lawsuit.filed legal/lawsuit.filed.yaml detect.any.sued: À-ž ")
