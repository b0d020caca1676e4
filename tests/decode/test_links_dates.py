"""Canonical links and believable dates."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from riskwatch.decode.dates import from_parts, judged, parse_date
from riskwatch.decode.links import canonical, host_of

NOW = datetime(2026, 3, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("url", "link"),
    [
        (
            "HTTPS://Example.COM:443/a/../b/./c%7Ed?b=2&a=1&utm_source=x#top",
            "https://example.com/b/c~d?a=1&b=2",
        ),
        ("http://x.example", "http://x.example/"),
        ("http://x.example:8080/?fbclid=1", "http://x.example:8080/"),
        ("https://münchen.example/ü", "https://xn--mnchen-3ya.example/%C3%BC"),
        ("http://user:pass@x.example/", "http://x.example/"),
        ("https://x.example/a%2Fb", "https://x.example/a%2Fb"),
        ("http://[2001:DB8::1]/", "http://[2001:db8::1]/"),
        (" https://x.example/a \n", "https://x.example/a"),
        ("https://x.example/?q=a+b%20c", "https://x.example/?q=a+b+c"),
        ("javascript:alert(1)", None),
        ("mailto:a@b", None),
        ("//x.example/a", None),
        ("http://", None),
        ("http://x.example:port/", None),
        ("", None),
        (None, None),
        ("http://x/" + "a" * 3_000, None),
    ],
)
def test_a_link_has_one_form(url: str, link: str | None) -> None:
    assert canonical(url) == link


def test_a_relative_link_needs_its_base() -> None:
    assert canonical("../n/1", base="https://x.example/a/b/feed.xml") == "https://x.example/a/n/1"
    assert canonical("n/1") is None
    assert host_of("https://News.Example/x") == "news.example"


@given(st.text(max_size=60))
@example("a%25zz")
@example("?a=%2B&a&=b")
@example("/..;/x//.")
@example("%c3%28/%ff")
def test_the_canonical_form_is_its_own_canonical_form(tail: str) -> None:
    link = canonical(f"https://x.example/{tail}")

    assert link is not None
    assert canonical(link) == link
    assert link.isascii()


@given(st.text(alphabet="abAB.:/?#[]@%12é \\", max_size=30))
def test_any_text_is_a_canonical_link_or_none(text: str) -> None:
    link = canonical(f"http://{text}")

    assert link is None or canonical(link) == link


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Tue, 03 Mar 2026 10:00:00 GMT", "2026-03-03T10:00:00+00:00"),
        ("3 Mar 2026 10:00:00 +0800", "2026-03-03T02:00:00+00:00"),
        ("Tue, 3 Mar 26 10:00 EST", "2026-03-03T15:00:00+00:00"),
        ("2026-03-03T10:00:00Z", "2026-03-03T10:00:00+00:00"),
        ("2026-03-03T10:00:00.123-05:00", "2026-03-03T15:00:00.123000+00:00"),
        ("2026-03-03", "2026-03-03T00:00:00+00:00"),
        ("2026-03-03 10:00", "2026-03-03T10:00:00+00:00"),
        ("Tue, 03 Mar 2026 10:00:60 GMT", "2026-03-03T10:00:59+00:00"),
        ("31 Feb 2026 10:00:00 GMT", None),
        ("Tue, 03 Mar 2026 10:61:00 GMT", None),
        ("9999-12-31T23:59:59-23:00", None),
        ("soon", None),
        ("", None),
        ("x" * 200, None),
    ],
)
def test_a_date_text_is_an_instant_or_none(text: str, moment: str | None) -> None:
    found = parse_date(text)

    assert (found.isoformat() if found else None) == moment


@given(st.text(max_size=40))
def test_any_text_is_an_aware_date_or_none(text: str) -> None:
    found = parse_date(text)

    assert found is None or found.tzinfo is UTC


def test_parts_of_a_parser_are_checked() -> None:
    assert from_parts((2026, 3, 3, 10, 0, 61)) == datetime(2026, 3, 3, 10, 0, 59, tzinfo=UTC)
    assert from_parts((2026, 13, 3, 10, 0, 0)) is None
    assert from_parts((2026, 3)) is None


def test_a_date_a_day_ahead_is_a_time_zone_and_later_is_a_fault() -> None:
    assert judged(datetime(2026, 3, 5, 23, tzinfo=UTC), now=NOW)[0] is not None
    assert judged(datetime(2026, 3, 7, tzinfo=UTC), now=NOW) == (None, "date_in_future")
    assert judged(None, now=NOW) == (None, None)
