"""Frozen dataclass → JSON text, and back without loss.

The shape is read from the type hints once per class, and what JSON tells by itself is not looked at again.
Instants become ISO text in UTC with microseconds, enums their value, tuples lists. A key that a stored text
lacks takes the field's default, so an optional field may be added to a value later; unknown keys are ignored.
Strings that no database takes are mended by `clean`; everything else comes back equal, int and float kept
apart.
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
from operator import attrgetter, itemgetter
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

Value = TypeVar("Value")
Coder = Callable[[Any], Any]
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
    return written(_record_out(kind, without)(value))


def written(plain: Any) -> str:
    """Return plain values (dicts, lists, tuples, strings, numbers) as JSON text that both databases take."""
    text = _dumps(plain)
    if _NUL not in text and (text.isascii() or clean(text) is text):
        return text
    return _dumps(_cleaned(plain))


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


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {_cleaned(name): _cleaned(item) for name, item in value.items()}
    return [_cleaned(item) for item in value] if isinstance(value, list | tuple) else value


_NUL = "\\u0000"  # as JSON writes it
_PLAIN = (str, int, float, bool)
_OUT: dict[Any, Coder] = {**dict.fromkeys((*_PLAIN, Any), _as_is), datetime: _instant_out}
_IN: dict[Any, Coder] = {**_OUT, float: float, datetime: datetime.fromisoformat}


class _Members(dict[Any, Enum]):
    """Value -> member of one enum."""

    def __init__(self, kind: type[Enum]) -> None:
        super().__init__((member.value, member) for member in kind)
        self._kind = kind

    def __missing__(self, value: object) -> Enum:
        return self._kind(value)


@cache
def _encoder(kind: Any) -> Coder:
    simple = _OUT.get(kind)
    if simple is not None:
        return simple
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _as_is if issubclass(kind, str) else lambda value: kind(value).value
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
        return _Members(kind).__getitem__
    return _record_in(kind) if is_dataclass(kind) else _composed(kind, _decoder, out=False)


def _composed(kind: Any, coder: Callable[[Any], Coder], *, out: bool) -> Coder:
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _union(args, coder)
    if origin is tuple:
        return _sequence(args, coder, out=out)
    if origin is Mapping or (isinstance(origin, type) and issubclass(origin, Mapping)):
        key, value = coder(args[0]), coder(args[1])
        if key is _as_is and value is _as_is:
            return dict if out else _as_is
        return lambda items: {key(name): value(item) for name, item in items.items()}
    raise TypeError(f"no JSON shape for {kind!r}")


def _union(args: tuple[Any, ...], coder: Callable[[Any], Coder]) -> Coder:
    members = tuple(arg for arg in args if arg is not type(None))
    if len(members) == 1:
        inner = coder(members[0])
        return _as_is if inner is _as_is else lambda value: None if value is None else inner(value)
    if not all(member in _PLAIN for member in members):
        raise TypeError(f"a union of {members} cannot be told apart in JSON")
    return _as_is


def _sequence(args: tuple[Any, ...], coder: Callable[[Any], Coder], *, out: bool) -> Coder:
    if len(args) == 2 and args[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...]
        inner = coder(args[0])
        if inner is _as_is:
            return _as_is if out else tuple
        return lambda items: tuple([inner(item) for item in items])
    coders = tuple(coder(arg) for arg in args)
    return lambda items: tuple([code(item) for code, item in zip(coders, items, strict=True)])


def _steps(kind: Any, names: list[str], coder: Callable[[Any], Coder]) -> list[tuple[int, Coder]]:
    """Return the places among `names` whose values need a step, with the step."""
    hints = get_type_hints(kind)
    steps = ((place, coder(hints[name])) for place, name in enumerate(names))
    return [(place, code) for place, code in steps if code is not _as_is]


@cache
def _record_out(kind: Any, without: tuple[str, ...] = ()) -> Coder:
    names = [field.name for field in fields(kind) if field.name not in without]
    steps = _steps(kind, names, _encoder)
    read = _getter(attrgetter, names)

    def record(value: Any) -> dict[str, Any]:
        values = list(read(value))
        for place, code in steps:
            if values[place] is not None:
                values[place] = code(values[place])
        return dict(zip(names, values, strict=True))

    return record


def _getter(getter: Callable[..., Any], names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        read: Callable[[Any], tuple[Any, ...]] = getter(*names)
        return read
    one = tuple(getter(name) for name in names)
    return lambda value: tuple(get(value) for get in one)


def _record_in(kind: Any) -> Callable[..., Any]:
    names = [field.name for field in fields(kind)]
    steps = _steps(kind, names, _decoder)
    read = _getter(itemgetter, names)

    def record(coded: dict[str, Any], **stored: object) -> Any:
        try:
            values = list(read({**coded, **dict.fromkeys(stored)} if stored else coded))
        except KeyError:
            return _sparse(kind, {names[place]: code for place, code in steps}, coded, stored)
        for place, code in steps:
            if values[place] is not None:
                values[place] = code(values[place])
        for name, value in stored.items():
            values[names.index(name)] = value
        return kind(*values)

    return record


def _sparse(
    kind: Any, steps: Mapping[str, Coder], coded: Mapping[str, Any], stored: Mapping[str, object]
) -> Any:
    """Return a record of which some keys were not stored: they take their defaults."""
    known = [field for field in fields(kind) if field.name in coded or field.name in stored]
    needed = (f for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING)
    missing = sorted(field.name for field in needed if field not in known)
    if missing:
        raise ValueError(f"a stored {kind.__name__} lacks {', '.join(missing)}")
    values = {field.name: coded[field.name] for field in known if field.name not in stored}
    done = {n: steps.get(n, _as_is)(value) if value is not None else None for n, value in values.items()}
    return kind(**done, **stored)
