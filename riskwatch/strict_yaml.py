"""Strict YAML: text -> plain values with the line of every key; mistakes are told with file, line, key."""

from __future__ import annotations

import json
import re  # noqa: TID251 - four patterns of ours on our own config
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from riskwatch.errors import ConfigError, ConfigErrors

_Model = TypeVar("_Model", bound=BaseModel)


class _StrictLoader(yaml.CSafeLoader):
    """YAML 1.2 core scalars only: `NO`, `yes`, `12:30` and dates stay text."""


_StrictLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", r"^(?:true|false)$", "tf"),
    ("tag:yaml.org,2002:null", r"^(?:null|~|)$", "n~\0"),
    ("tag:yaml.org,2002:int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"^[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$", "-+0123456789"),
):
    for _char in [*_first, *([""] if "\0" in _first else [])]:
        _StrictLoader.yaml_implicit_resolvers.setdefault(_char, []).append((_tag, re.compile(_pattern)))

_SCALARS: Mapping[str, Callable[[str], object]] = {
    "tag:yaml.org,2002:bool": lambda text: text == "true",
    "tag:yaml.org,2002:null": lambda _text: None,
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:str": str,
}
Lines = dict[tuple[str | int, ...], int]


@dataclass(slots=True)
class Document:
    """One YAML document as plain values, with the line of every key."""

    path: str
    value: Any
    lines: Lines = field(default_factory=dict)

    def line_at(self, loc: Sequence[str | int]) -> int:
        """Return the line of the deepest known part of a location; unknown parts are passed over."""
        found = self.lines.get((), 1)
        at: tuple[str | int, ...] = ()
        for part in loc:
            nearer: tuple[str | int, ...] = (*at, part)
            if nearer in self.lines:
                found, at = self.lines[nearer], nearer
        return found


def read_yaml(text: str, path: str) -> Document:
    """Return one strict YAML document. Raises ConfigErrors: syntax, duplicate keys, other tags."""
    try:
        node = yaml.compose(text, Loader=_StrictLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigErrors(
            (ConfigError(problem, path=path, line=mark.line + 1 if mark else None),)
        ) from error
    document, errors = Document(path, None), list[ConfigError]()
    document.value = None if node is None else _plain(node, (), document, errors)
    if errors:
        raise ConfigErrors(tuple(errors))
    return document


def _plain(
    node: yaml.Node, at: tuple[str | int, ...], document: Document, errors: list[ConfigError]
) -> object:
    line = node.start_mark.line + 1
    document.lines.setdefault(at, line)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*at, i), document, errors) for i, child in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, at, document, errors)
    made = _SCALARS.get(node.tag)
    if made is None:
        errors.append(ConfigError(f"the tag {node.tag} is not allowed", path=document.path, line=line))
        return None
    return made(node.value)


def _mapping(
    node: yaml.MappingNode, at: tuple[str | int, ...], document: Document, errors: list[ConfigError]
) -> dict[str, object]:
    made: dict[str, object] = {}
    for key_node, value_node in node.value:
        line, key = key_node.start_mark.line + 1, str(key_node.value)
        where = ".".join(str(part) for part in (*at, key))
        if (
            key_node.tag != "tag:yaml.org,2002:str"
            and key_node.style is None
            and key_node.tag not in _SCALARS
        ):
            errors.append(ConfigError("a key must be plain text", path=document.path, line=line, key=where))
            continue
        if key in made:
            first = document.lines[(*at, key)]
            errors.append(
                ConfigError(
                    f"the key stands twice, first in line {first}; keep one",
                    path=document.path,
                    line=line,
                    key=where,
                )
            )
            continue
        document.lines[(*at, key)] = line
        made[key] = _plain(value_node, (*at, key), document, errors)
    return made


def validate(
    model: type[_Model], value: object, document: Document, at: tuple[str | int, ...] = ()
) -> _Model:
    """Return value as a model, strictly typed. Raises ConfigErrors with the line of each wrong key."""
    try:
        return model.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        raise ConfigErrors(tuple(told(problem, document, at) for problem in error.errors())) from error


def told(problem: Mapping[str, Any], document: Document, at: tuple[str | int, ...]) -> ConfigError:
    """Return one mistake that pydantic found, with its line and what to write instead."""
    loc = (*at, *problem["loc"])
    text = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        text = "unknown key; remove it or correct its spelling"
    elif problem["type"] == "missing":
        text = "this key is missing"
    elif problem["type"] == "bool_type" and str(problem["input"]).lower() in ("yes", "no", "on", "off"):
        text = f"write true or false, not {problem['input']}"
    elif problem["type"] == "union_tag_invalid":
        kinds = problem["ctx"]["expected_tags"].replace("'", "")
        text = f"{problem['ctx']['tag']} is no kind; write kind: and one of {kinds}"
    elif problem["type"] == "union_tag_not_found":
        text = "write kind: first"
    key = ".".join(str(part) for part in loc) or None
    return ConfigError(text, path=document.path, line=document.line_at(loc), key=key)
