"""A ruleset has a name before it is compiled, and is compiled once for all that have the same."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from riskwatch import detect, settings
from riskwatch.compiling import compile_rules, digest_of
from riskwatch.detect.needs import name_of
from riskwatch.settings import Config


def read(event: str = "share_drop", **environ: str) -> Config:
    config = settings.load(environ=environ)
    return replace(config, rules=tuple(rule for rule in config.rules if rule.event == event))


def kept_in(folder: Path) -> dict[str, object]:
    (file,) = folder.iterdir()
    return dict(detect.loaded(file.read_bytes()) or {})


def frames_of(ruleset: detect.Ruleset) -> set[str]:
    frames = [frame for rule in ruleset.languages["en"].rules for frame in rule.frames]
    return {name_of(str(frame.pattern.pattern), is_spaced=True) for frame in frames}


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


def test_what_is_told_of_patterns_is_kept_for_later_processes(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    first = compile_rules(read("share_gain", RISKWATCH_CACHE_DIR=str(folder)))

    assert frames_of(first) <= kept_in(folder).keys()

    second = compile_rules(read("layoffs", RISKWATCH_CACHE_DIR=str(folder)))

    assert frames_of(first) | frames_of(second) <= kept_in(folder).keys()  # other rules may ask again


@pytest.mark.parametrize(
    ("data", "events"),
    [(b"", ("funding", "acquisition")), (b"no such thing", ("lawsuit", "adverse_ruling"))],
)
def test_a_file_that_is_not_whole_is_written_anew(
    tmp_path: Path, data: bytes, events: tuple[str, str]
) -> None:
    compile_rules(read(events[0], RISKWATCH_CACHE_DIR=str(tmp_path)))
    (file,) = tmp_path.iterdir()
    file.write_bytes(data)

    again = compile_rules(read(events[1], RISKWATCH_CACHE_DIR=str(tmp_path)))

    assert frames_of(again) <= kept_in(tmp_path).keys()


def test_rules_compile_where_nothing_can_be_kept(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("in the way")
    config = read("outage", RISKWATCH_CACHE_DIR=str(place))

    assert compile_rules(config).digest == digest_of(config)
    assert place.read_text() == "in the way"


def test_the_cache_is_the_users_own_where_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "XDG_CACHE_HOME", "/somewhere")
    assert settings.load(environ={}).settings.cache == Path("/somewhere/riskwatch")

    monkeypatch.delitem(os.environ, "XDG_CACHE_HOME")
    monkeypatch.setitem(os.environ, "HOME", "/home/ada")
    assert settings.load(environ={}).settings.cache == Path("/home/ada/.cache/riskwatch")
