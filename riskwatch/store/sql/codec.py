"""Frozen dataclass → JSON text, and back without loss.

The shape is read from the type hints once per class. Instants become ISO text in UTC with microseconds,
enums their value, tuples lists. A key that a stored text lacks takes the field's default, so an optional
field may be added to a value later; unknown keys are ignored. Strings that no database takes are mended by
`clean`; everything else comes back equal, int and float kept apart.
"""

# ruff: noqa: ANN401 - it codes values of any type, told apart by the hints of their class
from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

Value = TypeVar("Value")
Coder = Callable[[Any], Any]
_PLAIN = (str, int, float, bool)
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def clean(text: str) -> str:
    """Return the text with U+FFFD for each NUL and lone surrogate; offsets stay as they are."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    return text


def encode(value: Any, *, without: tuple[str, ...] = ()) -> str:
    """Return a dataclass value as JSON text, leaving out the fields named in `without`."""
    kind: Any = type(value)
    return _dumps(_record_out(kind, without)(value))


def decode(kind: type[Value], coded: str, /, **stored: object) -> Value:
    """Return the value of a stored JSON text; `stored` gives the fields that are kept beside it."""
    shape: Any = kind
    value: Value = _decoder(shape)(json.loads(coded), **stored)
    return value


def instant(value: datetime) -> datetime:
    """Return an aware instant in UTC; raises ValueError on a naive one."""
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        raise ValueError(f"an instant needs a time zone: {value.isoformat()}")
    return value.astimezone(UTC)


def _instant_out(value: datetime) -> str:
    return instant(value).isoformat()


def _as_is(value: Any) -> Any:
    return value


def _mixed_out(value: Any) -> Any:
    return clean(value) if isinstance(value, str) else value


_OUT: dict[Any, Coder] = {str: clean, int: _as_is, float: _as_is, bool: _as_is, datetime: _instant_out}
_IN: dict[Any, Coder] = {
    str: _as_is,
    int: _as_is,
    float: float,
    bool: _as_is,
    datetime: datetime.fromisoformat,
}


@cache
def _encoder(kind: Any) -> Coder:
    simple = _OUT.get(kind)
    if simple is not None:
        return simple
    if isinstance(kind, type) and issubclass(kind, Enum):
        return lambda value: kind(value).value
    if not is_dataclass(kind):
        return _composed(kind, _encoder, out=True)
    shape: Any = kind
    return _record_out(shape)


@cache
def _decoder(kind: Any) -> Callable[..., Any]:
    simple = _IN.get(kind)
    if simple is not None:
        return simple
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return _record_in(kind) if is_dataclass(kind) else _composed(kind, _decoder, out=False)


def _composed(kind: Any, coder: Callable[[Any], Coder], *, out: bool) -> Coder:
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _union(args, coder, out=out)
    if origin is tuple:
        return _sequence(args, coder, list if out else tuple)
    if origin is Mapping or (isinstance(origin, type) and issubclass(origin, Mapping)):
        key, value = coder(args[0]), coder(args[1])
        return lambda items: {key(name): value(item) for name, item in items.items()}
    raise TypeError(f"no JSON shape for {kind!r}")


def _union(args: tuple[Any, ...], coder: Callable[[Any], Coder], *, out: bool) -> Coder:
    members = tuple(arg for arg in args if arg is not type(None))
    if len(members) == 1:
        inner = coder(members[0])
        return lambda value: None if value is None else inner(value)
    if not all(member in _PLAIN for member in members):
        raise TypeError(f"a union of {members} cannot be told apart in JSON")
    return _mixed_out if out else _as_is


def _sequence(args: tuple[Any, ...], coder: Callable[[Any], Coder], made: Callable[[Any], Any]) -> Coder:
    if len(args) == 2 and args[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...]
        inner = coder(args[0])
        return made if inner is _as_is else lambda items: made([inner(item) for item in items])
    coders = tuple(coder(arg) for arg in args)
    return lambda items: made([code(item) for code, item in zip(coders, items, strict=True)])


@cache
def _record_out(kind: Any, without: tuple[str, ...] = ()) -> Coder:
    hints = get_type_hints(kind)
    kept = (field.name for field in fields(kind) if field.name not in without)
    parts = tuple((name, _encoder(hints[name])) for name in kept)
    return lambda value: {name: code(getattr(value, name)) for name, code in parts}


def _record_in(kind: Any) -> Callable[..., Any]:
    hints = get_type_hints(kind)
    parts = tuple((field.name, _decoder(hints[field.name])) for field in fields(kind))
    needed = {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}

    def record(coded: Mapping[str, Any], **stored: object) -> Any:
        values = {name: code(coded[name]) for name, code in parts if name in coded}
        missing = needed - values.keys() - stored.keys()
        if missing:
            raise ValueError(f"a stored {kind.__name__} lacks {', '.join(sorted(missing))}")
        return kind(**{**values, **stored})

    return record
