"""A ruleset has a name before it is compiled, and is compiled once for all that have the same."""

from dataclasses import replace

from riskwatch import settings
from riskwatch.compiling import compile_rules, digest_of
from riskwatch.settings import Config


def read() -> Config:
    config = settings.load(environ={})
    return replace(config, rules=tuple(rule for rule in config.rules if rule.event == "share_drop"))


def test_the_name_is_known_before_the_rules_are_compiled() -> None:
    config = read()

    assert compile_rules(config).digest == digest_of(config) != digest_of(replace(config, rules=()))


def test_a_configuration_that_is_read_again_gives_the_same_ruleset() -> None:
    assert compile_rules(read()) is compile_rules(read())


def test_rules_that_differ_in_their_tests_alone_keep_the_name_and_are_compiled_apart() -> None:
    config = read()
    first, *others = config.rules
    bare = replace(config, rules=(first.model_copy(update={"tests": first.tests[:1]}), *others))

    assert digest_of(bare) == digest_of(config)
    assert compile_rules(bare).rules == bare.rules != compile_rules(config).rules
