"""The locked versions are those that pyproject.toml asks for, each with its hashes, and name no host."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement  # pytest brings it
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
LOCKS = ROOT / ".ci" / "locks"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, EXTRAS = PYPROJECT["project"], PYPROJECT["project"]["optional-dependencies"]
WANTED: dict[str, list[str]] = {
    "requirements": [*PROJECT["dependencies"], *EXTRAS["postgres"], *EXTRAS["sso"]],
    "requirements-dev": [*PROJECT["dependencies"], *EXTRAS["test"], *EXTRAS["lint"]],
    "build-requirements": PYPROJECT["build-system"]["requires"],
}


def text_of(lock: str) -> str:
    return (LOCKS / f"{lock}.lock").read_text(encoding="utf-8")


def pins(lock: str) -> dict[str, set[Version]]:
    """Return the versions that each package has, under whatever marker."""
    found: dict[str, set[Version]] = {}
    for entry in text_of(lock).replace("\\\n", "").splitlines():
        name, _, version = entry.split()[0].partition("==")
        found.setdefault(canonicalize_name(name), set()).add(Version(version))
    return found


@pytest.mark.parametrize(
    ("lock", "wanted"), [(lock, wanted) for lock, all_of in WANTED.items() for wanted in all_of]
)
def test_what_is_asked_for_is_locked_in_a_version_that_fits(lock: str, wanted: str) -> None:
    requirement = Requirement(wanted)

    versions = pins(lock).get(canonicalize_name(requirement.name), set())

    assert versions, "run .ci/lock"
    assert all(version in requirement.specifier for version in versions), "run .ci/lock"


@pytest.mark.parametrize("lock", WANTED)
def test_every_locked_package_has_its_hashes_and_no_address(lock: str) -> None:
    entries = text_of(lock).replace("\\\n", "").splitlines()

    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text_of(lock)
    assert "--index" not in text_of(lock)


def test_what_is_tested_is_what_is_shipped() -> None:
    shipped, tested = pins("requirements"), pins("requirements-dev")

    assert {name: tested[name] for name in shipped.keys() & tested.keys()} == {
        name: shipped[name] for name in shipped.keys() & tested.keys()
    }


def test_the_container_installs_nothing_without_a_hash() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    commands = [part for part in dockerfile.replace("\n", "&&").split("&&") if "pip install" in part]

    assert len(commands) == 3
    assert all("--require-hashes" in part or "--no-deps" in part for part in commands)
