"""The config folder: which file counts for each name, and reading one as a model; mistakes are gathered."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from riskwatch.errors import ConfigError, ConfigErrors
from riskwatch.strict_yaml import Document, read_yaml, validate

_Model = TypeVar("_Model", bound=BaseModel)


def shipped_config() -> Path:
    """Return the folder of the shipped config: inside the wheel, or beside the package in a checkout."""
    package = Path(__file__).parent
    inside = package / "_config"
    return inside if inside.is_dir() else package.parent / "config"


def config_files(overlay: Path | None = None) -> dict[str, Path]:
    """Return relative path -> file; a file of the overlay stands for the shipped one of the same path."""
    files: dict[str, Path] = {}
    for root in (shipped_config(), overlay):
        if root is None:
            continue
        if not root.is_dir():
            raise ConfigErrors((ConfigError("there is no such folder", path=str(root)),))
        files.update(
            (path.relative_to(root).as_posix(), path)
            for path in sorted(root.rglob("*"))
            if path.is_file() and path.suffix in (".yaml", ".xml", ".jsonl")
        )
    return dict(sorted(files.items()))


class Reader:
    """Reads files and gathers the mistakes of all of them."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self.files, self.errors = files, list[ConfigError]()

    def under(self, folder: str, *, deep: bool = False) -> list[str]:
        """Return the YAML files of a folder, sorted."""
        return [
            name
            for name in self.files
            if name.startswith(folder + "/")
            and name.endswith(".yaml")
            and (deep or name.count("/") == folder.count("/") + 1)
        ]

    def document(self, name: str, *, needed: bool = True) -> Document | None:
        """Read one file; a mistake is gathered and gives None."""
        path = self.files.get(name)
        if path is None:
            if needed:
                self.errors.append(ConfigError("this file is missing", path=name))
            return None
        try:
            return read_yaml(path.read_text(encoding="utf-8"), name)
        except ConfigErrors as error:
            self.errors.extend(error.errors)
        except UnicodeDecodeError:
            self.errors.append(ConfigError("the file is not UTF-8", path=name))
        return None

    def model(self, name: str, model: type[_Model], *, needed: bool = True) -> _Model | None:
        """Read one file as a model."""
        document = self.document(name, needed=needed)
        if document is None:
            return None
        try:
            return validate(model, document.value, document)
        except ConfigErrors as error:
            self.errors.extend(error.errors)
            return None

    def wrong(self, message: str, path: str, key: str | None = None) -> None:
        """Gather one mistake."""
        self.errors.append(ConfigError(message, path=path, key=key))
