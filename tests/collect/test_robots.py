"""What robots.txt allows: the longest rule that fits, as RFC 9309 has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskwatch.collect.robots import is_allowed


def allowed(robots: str, path: str) -> bool:
    return is_allowed(robots, f"https://x.example{path}", agent="riskwatch")


@pytest.mark.parametrize(
    ("robots", "path", "expected"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow:", "/a", True),
        ("User-agent: *\nDisallow: /private", "/private/x", False),
        ("User-agent: *\nDisallow: /private", "/public", True),
        ("User-agent: *\nDisallow: /\nAllow: /news/", "/news/1", True),
        ("User-agent: *\nAllow: /\nDisallow: /news/", "/news/1", False),
        ("User-agent: *\nAllow: /news\nDisallow: /news", "/news/1", True),
        ("User-agent: *\nDisallow: /*?print", "/news/1?print=1", False),
        ("User-agent: *\nDisallow: /*?print", "/news/1", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf/html", True),
        ("User-agent: *\nDisallow: /%7Ejoe", "/~joe/1", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: RiskWatch\nDisallow: /cgi", "/a", True),
        ("User-agent: *\nDisallow:\n\nUser-agent: riskwatch\nDisallow: /", "/a", False),
        ("User-agent: riskwatch\nDisallow:\n\nUser-agent: *\nDisallow: /", "/a", True),
        ("User-agent: riskwatch-other\nDisallow: /", "/a", True),
        ("User-agent: one\nUser-agent: riskwatch\nDisallow: /", "/a", False),
        ("User-agent: riskwatch\nDisallow: /a\nUser-agent: riskwatch\nDisallow: /b", "/b", False),
        ("\ufeffuser-AGENT : * # all\r\nDISALLOW : /a # but not this", "/a", False),
        ("<html><body>Not here: at all</body></html>", "/a", True),
        ("Disallow: /", "/a", True),
    ],
)
def test_the_longest_rule_of_the_own_group_decides(robots: str, path: str, expected: bool) -> None:
    assert allowed(robots, path) is expected


@pytest.mark.parametrize(
    ("rule", "path", "expected"),
    [
        ("/a" + "a*" * 200_000, "/aaa", True),
        ("/" + "ab*" * 50_000 + "$", "/" + "ab" * 1_000, True),
        ("/" + "*" * 400_000 + "b", "/a/b", False),
        ("/*ab$", "/ab", False),
        ("/ab*ab$", "/ab", True),
    ],
)
def test_no_rule_is_too_long_to_be_read(rule: str, path: str, expected: bool) -> None:
    assert allowed(f"User-agent: *\nDisallow: {rule}", path) is expected


@given(st.text())
def test_any_text_is_read_without_a_fault(text: str) -> None:
    assert allowed("user-agent: *\n" + text, "/a") in (True, False)


@given(st.text(alphabet="/ab*$%", min_size=1, max_size=8), st.text(alphabet="/ab", max_size=8))
def test_whoever_may_go_nowhere_goes_nowhere(rule: str, path: str) -> None:
    robots = f"User-agent: *\nDisallow: /\nDisallow: {rule}"

    assert not allowed(robots, f"/{path}")
