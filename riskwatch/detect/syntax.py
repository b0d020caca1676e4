"""Patterns of RE2, taken apart as far as their words can be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import re2

EDGE = "\0"  # stands for the edge of a word in a text
VENDOR = "«v»"  # stands for the name of a vendor, as a word of its own
BEGIN, FINISH = "\1", "\2"  # stand for the two ends of a text, as words of their own
MAX_CLASS_CHARS = 6  # characters of a class that is spelled out
_VENDOR_TOKEN = re2.compile(r"^[Vv](?:\[0-9\]|\\d)\+»$")  # behind its «
_ESCAPED_SIGN = re2.compile(r"\\([\"'.,:;!?()$&/+])")
_CLASSES = "dDwWsSnrtfv"
_FLAGS = "isU-"  # not m: ^ stands for the beginning of the text
_REPEATS = frozenset("*+?{")


@dataclass(frozen=True, slots=True, eq=False)
class Exact:
    """A part that matches these texts, in lower case."""

    texts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A part that matches texts that are not told."""


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Parts one after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Either:
    """Parts of which one matches."""

    branches: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Repeated:
    """A part that stands there several times."""

    part: Node
    is_needed: bool  # at least once


Node = Exact | Unknown | Joined | Either | Repeated
EMPTY = Exact(frozenset({""}))
UNKNOWN = Unknown()
_VENDOR = Exact(frozenset({EDGE + VENDOR + EDGE}))
_FIRST, _LAST = f"{EDGE}{BEGIN} ", f" {FINISH}{EDGE}"
_AT_EDGE = Exact(frozenset({EDGE}))
_ENDS = {
    sign: Exact(frozenset({text}))
    for sign, text in (("^", _FIRST), ("A", _FIRST), ("$", _LAST), ("z", _LAST))
}


def parse(pattern: str, known: dict[str, Node] | None = None) -> Node:
    """Take a pattern apart; raises ValueError or IndexError on syntax that is not known here.

    A vendor's token («V0») is a word of its own; others are unknown: what the text says in their place is.

    Args:
        pattern: Of RE2, without macros.
        known: Text of a group -> its node. Groups that are met are added; patterns made of the same macros
            share them, and their nodes are the same objects.
    """
    reader = _Reader(pattern, {} if known is None else known)
    node = reader.alternatives()
    if reader.at < len(pattern):
        raise ValueError("a bracket too many")
    return node


@dataclass(slots=True)
class _Reader:
    """Reads a pattern from left to right."""

    pattern: str
    known: dict[str, Node]
    at: int = 0
    ends: Mapping[int, int] = field(init=False)

    def __post_init__(self) -> None:
        """Note where each group ends."""
        self.ends = _ends(self.pattern)

    def alternatives(self) -> Node:
        """Read up to the end of the group."""
        branches = [self._sequence()]
        while self._takes("|"):
            branches.append(self._sequence())
        return branches[0] if len(branches) == 1 else Either(tuple(branches))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            part = self._repeated(self._one())
            if parts and (word := _spelled_on(parts[-1], part)):
                parts[-1] = word
            else:
                parts += part.parts if isinstance(part, Joined) else (part,)
        return parts[0] if len(parts) == 1 else Joined(tuple(parts))

    def _takes(self, text: str) -> bool:
        found = self.pattern.startswith(text, self.at)
        self.at += len(text) if found else 0
        return found

    def _skip_to(self, sign: str) -> str:
        """Go behind the next such sign; return what stands before it."""
        start, self.at = self.at, self.pattern.index(sign, self.at) + 1
        return self.pattern[start : self.at - 1]

    def _token(self) -> Node:
        """Go behind a token, or what of it stands in this branch («m|...»)."""
        start = self.at
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|()":
            self.at += 1
            if self.pattern[self.at - 1] == "»":
                break
        return _VENDOR if _VENDOR_TOKEN.search(self.pattern[start : self.at]) else UNKNOWN

    def _one(self) -> Node:
        char = self.pattern[self.at]
        self.at += 1
        if char in "([\\«":
            return {"(": self._group, "[": self._class, "\\": self._escaped, "«": self._token}[char]()
        if char in _REPEATS:
            raise ValueError(f"{char} repeats nothing")
        if char in "^$":
            return _ENDS[char]
        return UNKNOWN if char == "." else self._literal()

    def _literal(self) -> Node:
        """Read on to the end of the word; a sign that is repeated stands for itself."""
        start, pattern, size = self.at - 1, self.pattern, len(self.pattern)
        if pattern[start].isalnum():
            while self.at < size and pattern[self.at].isalnum():
                self.at += 1
            if self.at - start > 1 and pattern[self.at : self.at + 1] in _REPEATS:
                self.at -= 1
        text = pattern[start : self.at]
        node = self.known.get(text)
        if node is None:
            node = self.known[text] = Exact(frozenset({text.lower()}))
        return node

    def _group(self) -> Node:
        start = self.at
        end = self.ends.get(start - 1)
        if end is None:
            raise ValueError("the group has no end")
        text = self.pattern[start:end]
        node = self.known.get(text)
        if node is None:
            node = self.known[text] = self._inside()
        self.at = end
        return node

    def _inside(self) -> Node:
        if self._takes("?P<"):
            self._skip_to(">")
        elif self._takes("?"):
            while self.pattern[self.at] in _FLAGS:
                self.at += 1
            if self._takes(")"):
                return EMPTY  # flags for what follows
            if not self._takes(":"):
                raise ValueError("a group of another kind")
        inner = self.alternatives()
        if not self._takes(")"):
            raise ValueError("the group has no end")
        return inner

    def _class(self) -> Node:
        start, self.at = self.at, _class_end(self.pattern, self.at - 1)
        inside = str(_ESCAPED_SIGN.sub(r"\1", self.pattern[start : self.at - 1]))
        is_plain = not any(sign in inside for sign in "^\\[]«»") and "-" not in inside[1:-1]
        is_told = is_plain and len(inside) <= MAX_CLASS_CHARS
        return Exact(frozenset(inside.lower())) if is_told else UNKNOWN

    def _escaped(self) -> Node:
        char = self.pattern[self.at]
        self.at += 1
        if char in "pP":
            if self._takes("{"):
                self._skip_to("}")
            else:
                self.at += 1
            return UNKNOWN
        if char in "bAz":
            return _ENDS.get(char, _AT_EDGE)
        if char.isalnum() and char not in _CLASSES:
            raise ValueError(f"\\{char} is not known")
        return UNKNOWN if char.isalnum() else Exact(frozenset({char.lower()}))

    def _repeated(self, part: Node) -> Node:
        sign = self.pattern[self.at : self.at + 1]
        if sign not in _REPEATS:
            return part
        self.at += 1
        least = int(self._skip_to("}").partition(",")[0]) if sign == "{" else int(sign == "+")
        self._takes("?")  # as few as possible
        if sign == "?":
            return Either((part, EMPTY))
        return Repeated(part, least > 0)


def _ends(pattern: str) -> dict[int, int]:
    """Return for each bracket that opens a group the place behind the one that closes it."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    at = 0
    while at < len(pattern):
        sign, start = pattern[at], at
        at = _class_end(pattern, at) if sign == "[" else at + 2 if sign == "\\" else at + 1
        if sign == "(":
            opened.append(start)
        elif sign == ")" and opened:
            ends[opened.pop()] = at
    return ends


def _class_end(pattern: str, at: int) -> int:
    """Return the place behind the class that begins here."""
    at += 2 if pattern.startswith("[^", at) else 1
    at += pattern.startswith("]", at)  # right here it is a character
    while pattern[at] != "]":
        at = pattern.index(":]", at) + 2 if pattern.startswith("[:", at) else at + 1 + (pattern[at] == "\\")
    return at + 1


def _spelled_on(before: Node, part: Node) -> Exact | None:
    """Return two parts of one word as one."""
    match before, part:
        case Exact(some), Exact(more) if len(some) == len(more) == 1:
            text = "".join((*some, *more))
            return Exact(frozenset({text})) if text.isalnum() else None
    return None
