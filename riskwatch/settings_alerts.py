"""config/alerts.yaml and config/portfolio.yaml -> rules and receivers, what the buyer depends on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from pydantic import BaseModel

from riskwatch.config_folder import Reader
from riskwatch.errors import ConfigError, ConfigErrors
from riskwatch.model import Dependency, Taxonomy, Vendor, subjects_of
from riskwatch.send.check import Problem, portfolio_problems, problems, warnings
from riskwatch.send.playbook import Playbooks
from riskwatch.send.rule import AlertsFile, PortfolioFile
from riskwatch.strict_yaml import Document, validate

_Model = TypeVar("_Model", bound=BaseModel)


def alerts_of(
    reader: Reader, vendors: Mapping[str, Vendor], taxonomy: Taxonomy, playbooks: Playbooks | None
) -> tuple[AlertsFile, tuple[str, ...]]:
    """Return the file, checked against the register and the taxonomy, and what is hardly meant."""
    file, document = _read(reader, "alerts.yaml", AlertsFile)
    if document is None:
        return file, ()
    found = problems(
        file,
        types=taxonomy,
        subjects=_subjects(vendors),
        tags={tag for vendor in vendors.values() for tag in vendor.tags},
        playbooks=None if playbooks is None else {*playbooks.types, *playbooks.conditions},
    )
    _tell(reader, document, found)
    return file, tuple(warnings(file))


def portfolio_of(reader: Reader, vendors: Mapping[str, Vendor]) -> tuple[Dependency, ...]:
    """Return what the buyer depends on; empty without the file."""
    file, document = _read(reader, "portfolio.yaml", PortfolioFile)
    if document is not None:
        _tell(reader, document, portfolio_problems(file.dependencies, subjects=_subjects(vendors)))
    return file.dependencies


def _read(reader: Reader, name: str, model: type[_Model]) -> tuple[_Model, Document | None]:
    """Return a file and where its keys stand; one that is absent, empty or wrong counts as empty."""
    document = reader.document(name, needed=False)
    if document is None or document.value is None:
        return model(), document
    try:
        return validate(model, document.value, document), document
    except ConfigErrors as error:
        reader.errors.extend(error.errors)
        return model(), None


def _subjects(vendors: Mapping[str, Vendor]) -> set[str]:
    return {subject for vendor in vendors.values() for subject in subjects_of(vendor)}


def _tell(reader: Reader, document: Document, found: Iterable[Problem]) -> None:
    for message, key in found:
        loc = [int(part) if part.isdigit() else part for part in key.split(".")]
        reader.errors.append(ConfigError(message, path=document.path, line=document.line_at(loc), key=key))
