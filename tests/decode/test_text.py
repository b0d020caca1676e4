"""Plain text that detection can point into."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskwatch.decode.text import (
    is_garbled,
    plain,
    plain_title,
    script_lang,
    text_key,
    tidy,
    tidy_text_key,
    truncated,
    without_bold,
)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two<br>Three</p>", "One\nTwo\nThree"),
        ("<P>One</P><UL><LI>a<LI>b</UL>", "One\na\nb"),
        ("no markup,  two\n lines", "no markup, two\nlines"),
        ("a &amp; b &lt;c&gt;", "a & b <c>"),
        ("<h2>Head</h2>text<script>evil()</script><style>p{}</style>", "Head\ntext"),
        ("<b>Q</b>wen", "Qwen"),
        ("<!-- hidden -->seen<p>", "seen"),
        ("<td>a</td><td>b</td>", "a\nb"),
        ("<p>line\nbreak in source</p>", "line break in source"),
        ("<", "<"),
        ("", ""),
    ],
)
def test_html_becomes_one_line_a_block(html: str, text: str) -> None:
    assert plain(html) == text


def test_tokens_of_detection_cannot_be_forged() -> None:
    assert tidy("«V3» resigns") == "“V3” resigns"


def test_compatibility_forms_are_folded_and_trade_marks_leave_the_name_alone() -> None:
    assert tidy("\uff31\uff57\uff45\uff4e\uff13 \ufb01rst Qwen™ team") == "Qwen3 first Qwen team"


def test_invisible_characters_do_not_split_a_name() -> None:
    assert tidy("Q\u200bw\u00aden\ufeff") == "Qwen"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**OpenAI** launched the **o1** model.", "OpenAI launched the o1 model."),
        ("**Sora Turbo**: faster", "Sora Turbo: faster"),
        ("2**3 is 8 and 2 ** 4 is 16 ** not bold", "2**3 is 8 and 2 ** 4 is 16 ** not bold"),
        ("a **lone mark", "a **lone mark"),
        ("first **line\nsecond** line", "first **line\nsecond** line"),
    ],
)
def test_marks_of_bold_words_are_dropped_and_other_asterisks_stay(text: str, expected: str) -> None:
    assert without_bold(text) == expected


@given(st.text())
def test_tidying_twice_changes_nothing(text: str) -> None:
    once = tidy(text)

    assert tidy(once) == once
    assert unicodedata.is_normalized("NFKC", once)
    assert "«" not in once


spaced = st.text(alphabet="aÉΣ“\u0301 \u00a0\u3000\u1680\u2028\t\n\r\x0b\x1c\x00", max_size=40)


@given(st.one_of(st.text(), spaced))
def test_short_ways_of_tidying_lead_to_the_same_text(text: str) -> None:
    assert tidy(text) == tidy(text + "\x00")  # a control character takes the long way


def test_a_printable_text_holds_no_white_space_but_the_blank() -> None:
    assert [char for char in map(chr, range(0x110000)) if char.isspace() and char.isprintable()] == [" "]


@given(st.one_of(st.none(), st.text(max_size=20), spaced), st.one_of(st.text(), spaced))
def test_the_key_of_tidy_words_needs_no_second_tidying(title: str | None, text: str) -> None:
    title = tidy(title).replace("\n", " ") if title else None
    text, _ = truncated(tidy(text), max_bytes=60)

    assert tidy_text_key(title, text) == text_key(title, text)


@given(st.text())
def test_any_text_may_be_read_as_html(text: str) -> None:
    assert "«" not in plain(f"<p>{text}</p>")


@given(st.text(max_size=300), st.integers(4, 200))
def test_a_cut_text_is_a_beginning_within_the_limit(text: str, limit: int) -> None:
    cut, was_cut = truncated(text, max_bytes=limit)

    assert len(cut.encode("utf-8", "replace")) <= limit
    assert was_cut or cut == text
    assert text.startswith(cut)


def test_a_title_is_markup_only_where_it_looks_like_it() -> None:
    assert plain_title("LLMs < humans & more", is_html=True) == "LLMs < humans & more"
    assert plain_title("<b>Qwen</b> &amp; co", is_html=True) == "Qwen & co"
    assert plain_title("use <b> tags", is_html=False) == "use <b> tags"


def test_the_key_of_a_text_ignores_case_and_white_space() -> None:
    long = "Alibaba said on Tuesday that its lead had left. " * 8

    assert text_key("A", long) == text_key("B", long.upper().replace(" ", "  "))
    assert text_key("A", "read more") != text_key("B", "read more")


def test_one_percent_of_lost_characters_is_garbled() -> None:
    assert is_garbled("Qw\ufffdn")
    assert not is_garbled("x" * 200 + "\ufffd")
    assert not is_garbled(None)


@pytest.mark.parametrize(
    ("text", "default", "lang"),
    [
        ("林俊旸宣布离职", "en", "zh"),
        ("アリババのリーダーが辞任", "und", "ja"),
        ("알리바바 연구원 사임", "en", "ko"),
        ("Руководитель ушёл", "en", "ru"),
        ("“Quoted” — résumé of the week", "en", "en"),
        ("林俊旸宣布离职", "ja", "ja"),
        ("Plain", "de", "de"),
        ("①②③④", "en", "en"),
    ],
)
def test_the_script_tells_the_language(text: str, default: str, lang: str) -> None:
    assert script_lang(text, default=default) == lang
