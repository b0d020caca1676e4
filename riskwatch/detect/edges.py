"""Edges of words that no text has: a masked token is no word, so an edge right beside one never matches."""

from __future__ import annotations

from dataclasses import dataclass, field

from riskwatch.detect.patterns import compile_pattern

AROUND = 24  # characters shown on either side of the edge
EDGE, TOKEN_BEGINS, TOKEN_ENDS = r"\b", "«", "»"
# parts of a pattern: escapes, classes, beginnings of groups, their ends with a repeat, plain text, signs
_PIECE = compile_pattern(
    r"\\[pP]\{[A-Za-z]+\}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?P<[A-Za-z_0-9]+>|\?[a-zU-]*:)?"
    r"|\)(?:[*+?]|\{[0-9,]+\})?|[^\\\[()|«»]+|.",
    case_sensitive=True,
)


@dataclass(frozen=True, slots=True)
class _Behind:
    """What stands right behind a place in the pattern, in one branch at least."""

    edge: bool = False
    token: bool = False

    def __or__(self, other: _Behind) -> _Behind:
        return _Behind(self.edge or other.edge, self.token or other.token)


_NOTHING = _Behind()


@dataclass(slots=True)
class _Group:
    """An open group: what stands before it, what ends its branches so far, and what was found in it."""

    before: _Behind = _NOTHING
    ends: _Behind = _NOTHING
    found: list[str] = field(default_factory=list)


def edges_at_tokens(pattern: str) -> tuple[str, ...]:
    r"""Return the surroundings of each edge of a word with a token right beside it, in an expanded pattern.

    An edge may stand outside the group with the token: `\b(?:one|«V[0-9]+»)` matches before "one" only.
    Groups that repeat may be left out, or begin and end in another branch: what stands in them is let be.
    """
    behind, groups = _NOTHING, [_Group()]
    for piece in _PIECE.finditer(pattern):
        sign = piece.group()
        if (sign == EDGE and behind.token) or (sign == TOKEN_BEGINS and behind.edge):
            groups[-1].found.append(pattern[max(0, piece.start() - AROUND) : piece.end() + AROUND])
        if sign.startswith("("):
            groups.append(_Group(behind))
        elif sign == "|":
            groups[-1].ends |= behind
            behind = groups[-1].before
        elif sign.startswith(")") and len(groups) > 1:
            group, is_once = groups.pop(), sign == ")"
            groups[-1].found += group.found if is_once else ()
            behind = behind | group.ends if is_once else _NOTHING
        else:
            behind = _Behind(edge=sign == EDGE, token=sign == TOKEN_ENDS)
    return tuple(groups[0].found)
