"""What comes from outside can be printed anywhere; figures and dates look the same in every message."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskwatch.send import text
from riskwatch.send.text import NOT_PRINTABLE, SafeText

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates included


@pytest.mark.parametrize(
    ("given_", "printed"),
    [
        ("Shares\r\nBcc: all@example.com", "Shares Bcc: all@example.com"),
        ("a\u2028b\u2029c\x0bd\x85e", "a b c d e"),
        ("nul\x00 and \x1b[31mred\x9b", "nul and [31mred"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("half \ud800 a pair", "half a pair"),
        ("  much \t room  ", "much room"),
        ("通义千问 负责人离职", "通义千问 负责人离职"),
        ("\x00\u202e", NOT_PRINTABLE),
        ("", NOT_PRINTABLE),
    ],
)
def test_what_cannot_be_printed_is_taken_out(given_: str, printed: str) -> None:
    assert SafeText(given_) == printed


@given(ANY_TEXT)
def test_safe_text_is_one_short_line_that_can_be_encoded(outside: str) -> None:
    safe = SafeText(outside)

    assert 0 < len(safe) <= 300
    assert len(safe.splitlines()) == 1
    assert safe.encode("utf-8")
    assert SafeText(safe) == safe


def test_a_headline_of_a_hundred_kilobytes_is_cut_at_a_word() -> None:
    safe = SafeText("word " * 20_000)

    assert len(safe) <= 300
    assert safe.endswith("word…")


@given(ANY_TEXT)
def test_slack_reads_no_mark_of_its_own_in_outside_text(outside: str) -> None:
    shown = text.slack(SafeText(outside))

    assert not set("<>`*_~") & set(shown)


def test_slack_shows_a_mention_and_a_link_as_they_stand() -> None:
    assert text.slack("<!channel> *x*") == "&lt;!channel&gt; \u2217x\u2217"


@pytest.mark.parametrize(
    ("points", "printed"),
    [(-16.45, f"{text.MINUS}16.4"), (0.7, "+0.7"), (-0.04, "±0.0"), (0.0, "±0.0"), (None, "—")],
)
def test_points_moved_have_a_sign_and_one_decimal(points: float | None, printed: str) -> None:
    assert text.signed(points) == printed


def test_a_score_has_one_decimal_and_none_in_a_subject_line() -> None:
    assert text.tenths(52.55) == "52.5"
    assert text.tenths(None) == "—"
    assert text.whole(52.6) == "53"
    assert text.whole(None) == "not rated"


def test_dates_are_written_in_words_whatever_the_locale() -> None:
    at = datetime(2026, 3, 5, tzinfo=UTC)

    assert text.day(at) == "5 Mar 2026"
    assert text.instant(at) == "5 Mar 2026 00:00 UTC"
    assert text.instant(at, "Europe/Berlin") == "5 Mar 2026 01:00 CET (00:00 UTC)"


def test_a_zone_without_a_short_name_is_written_in_full() -> None:
    at = datetime(2026, 3, 5, 10, tzinfo=UTC)

    assert text.instant(at, "Asia/Dubai") == "5 Mar 2026 14:00 Asia/Dubai (10:00 UTC)"


def test_counts_and_lists_read_as_words() -> None:
    assert text.count(1, "outlet") == "1 outlet"
    assert text.count(2, "outlet") == "2 outlets"
    assert text.count(2, "entry", "entries") == "2 entries"
    assert text.listed(["a"]) == "a"
    assert text.listed(["a", "b", "c"]) == "a, b and c"
    assert text.listed([]) == ""
    assert text.in_words(3) == "three"
    assert text.in_words(312) == "312"
