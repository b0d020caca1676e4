"""README and docs say what is there, and all of it."""

import re
from pathlib import Path

import click
import pytest

from riskwatch.cli import main
from riskwatch.collect import Source
from riskwatch.config_folder import config_files
from riskwatch.environment import PREFIX, Settings
from riskwatch.model import Vendor
from riskwatch.settings import load
from riskwatch.strict_yaml import read_yaml, validate

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = README + "".join(p.read_text(encoding="utf-8") for p in sorted((ROOT / "docs").rglob("*.md")))


def commands(group: click.Group, before: str = "") -> list[str]:
    found = []
    for name, command in group.commands.items():
        if command.hidden:
            continue
        if isinstance(command, click.Group):
            found += commands(command, f"{before}{name} ")
        else:
            found.append(f"{before}{name}")
    return found


@pytest.mark.parametrize("command", commands(main))
def test_every_command_is_in_the_readme(command: str) -> None:
    assert re.search(rf"`(riskwatch )?{re.escape(command)}\b|, `?{re.escape(command)}\b", README)


def test_every_command_in_the_readme_exists() -> None:
    known = set(commands(main))
    first_words = {c.split()[0] for c in known}

    for line in re.findall(r"riskwatch ([a-z-]+(?: [a-z]+)?)", README):
        words = line.split()
        if words[0] in first_words:
            assert words[0] in known or line in known, line


@pytest.mark.parametrize("name", [f"{PREFIX}{field.upper()}" for field in Settings.model_fields])
def test_every_setting_is_in_the_readme(name: str) -> None:
    assert name in README


def test_every_setting_in_the_docs_exists() -> None:
    known = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}

    named = re.sub(r"(RISKWATCH_RECEIVER_SECRET)_[A-Z0-9_]+", r"\1", DOCS)  # each receiver has its own
    assert {n.removesuffix("_FILE") for n in re.findall(r"RISKWATCH_[A-Z_]+[A-Z]", named)} <= known


def test_every_path_in_the_readme_is_there() -> None:
    for path in re.findall(
        r"`((?:config|docs|tests)/[a-z_./]+)`|\]\(((?:docs|CHANGELOG)[a-z_./A-Z]*)\)", README
    ):
        name = path[0] or path[1]
        if "acme" not in name and "mine" not in name:
            assert (ROOT / name).exists(), name


def yaml_blocks() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)


def test_the_readme_s_vendor_is_valid() -> None:
    document = read_yaml(yaml_blocks()[0], "README.md")

    assert validate(Vendor, document.value, document).id == "acme"


def test_the_readme_s_source_is_valid() -> None:
    document = read_yaml(yaml_blocks()[1], "README.md")

    assert validate(Source, document.value[0], document, (0,)).covers == ("acme",)


def test_the_set_up_lines_are_the_promised_ones() -> None:
    start = "python3 -m venv .venv && .venv/bin/pip install -e '.[dev]' && .venv/bin/"

    assert f"{start}riskwatch demo\n" in README
    assert f"{start}pytest\n" in README


def test_the_readme_counts_the_event_types() -> None:
    (count,) = re.findall(r": (\d+) types\)", README)

    assert int(count) == len(load(environ={}).taxonomy)


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda p: p.stem[:4])
def test_a_decision_is_short_and_whole(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert len(text.splitlines()) <= 60
    assert all(f"**{part}.**" in text for part in ("Context", "Decision", "Consequences", "Enforced by"))


def test_every_config_folder_is_in_the_readme() -> None:
    folders = {name.split("/")[0] for name in config_files() if "/" in name} - {"quiet", "demo"}

    assert all(f"config/{folder}/" in README for folder in folders)
