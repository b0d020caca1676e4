"""robots.txt, URL → whether it may be asked for (RFC 9309); pure.

Python's own parser takes the first rule that fits instead of the longest, and reads `*` and `$` as letters.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

MAX_CHARS = 512_000


def is_allowed(robots: str, url: str, *, agent: str) -> bool:
    """Return whether rules let an agent ask for a URL: the longest that fits decides.

    Args:
        robots: Text of the file; "" allows all.
        url: Absolute address.
        agent: Product token, in lower case; without a group of its own the rules for `*` hold.
    """
    parts = urlsplit(url)
    path = unquote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    groups = list(_groups(robots[:MAX_CHARS]))
    own = [rules for agents, rules in groups if agent in agents]
    chosen = own or [rules for agents, rules in groups if "*" in agents]
    fitting = [(len(rule), lets) for rules in chosen for lets, rule in rules if _fits(rule, path)]
    return max(fitting, default=(0, True))[1]


def _groups(robots: str) -> Iterator[tuple[set[str], list[tuple[bool, str]]]]:
    """Give the agents and rules of each group; lines that say neither are passed over."""
    agents, rules = set[str](), list[tuple[bool, str]]()
    for line in robots.lstrip("\ufeff").splitlines():
        field, _, value = line.partition("#")[0].partition(":")
        field, value = field.strip().lower(), value.strip()
        if field == "user-agent":
            if rules:
                yield agents, rules
                agents, rules = set(), []
            agents.add(value.lower())
        elif field in ("allow", "disallow") and agents:
            rules.append((field == "allow" or not value, unquote(value)))  # an empty rule forbids nothing
    if rules:
        yield agents, rules


def _fits(rule: str, path: str) -> bool:
    """Return whether a rule fits, in one pass: a rule is a stranger's, too long for any pattern to hold."""
    first, *steps = rule.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at, is_whole = len(first), rule.endswith("$")
    if not steps:
        return not is_whole or at == len(path)
    for step in steps[:-1]:
        found = path.find(step, at)
        if found < 0:
            return False
        at = found + len(step)
    return path.endswith(steps[-1], at) if is_whole else path.find(steps[-1], at) >= 0
