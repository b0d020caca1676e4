"""Laws of detection: unmasking restores, quotes stand at their offsets, same in same out, nothing raises."""
# ruff: noqa: E501, RUF001 - pieces of text, typographic marks are meant

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from riskwatch.detect import detect
from riskwatch.detect.mask import Token, mask
from tests.detect.makers import an_article, shared

PIECES = st.sampled_from(
    ["Alibaba", "Qwen", "OpenAI", "Mei Tan", "Tan", "resigned", "left", "shares", "fell", "5%", "nearly", "from", "for",
     "the company", "may", "if", "CEO", ",", ".", ";", "?", "\n", "- ", "«V0»", "«", "»", "$3 billion", "three",
     "engineers", "on March 3, 2026", "Broadcom", "sues", "’s", "ünï", "中文", "\U0001f600", "Meta", "Dana Ortiz",
     "reportedly", "according to", "Morning Wire"]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=400), st.lists(PIECES, max_size=60).map(" ".join))


@given(title=st.none() | TEXTS, text=TEXTS)
@settings(max_examples=300, deadline=None)
def test_any_text_gives_true_quotes_and_never_raises(title: Any, text: Any) -> None:
    article = an_article(text, title=title)
    fields = {"title": title or "", "body": text}

    found = detect(article, shared(), is_traced=True)

    for signal in found.signals:
        quote = signal.evidence
        assert fields[quote.field][quote.start : quote.end] == quote.quote
        assert 0 < signal.confidence <= 1
    for trace in json.loads(json.dumps(found.trace)):
        trigger = trace["trigger"]
        assert fields[trace["field"]][slice(*trigger["span"])] == trigger["text"]
        for entry in trace.get("assertion", {}).get("considered", ()):
            assert fields[trace["field"]][slice(*entry["span"])] == entry["text"]
    for mention in found.mentions:
        assert 0 <= mention.start < mention.end <= len(fields[mention.field])


@given(text=TEXTS)
@settings(max_examples=100, deadline=None)
def test_the_same_article_gives_identical_output(text: Any) -> None:
    article = an_article(text)

    one, other = (detect(article, shared(), is_traced=True) for _ in range(2))

    assert one == other
    assert detect(article, shared()) == replace(one, trace=())
    assert json.dumps(one.trace) == json.dumps(other.trace)


@given(text=TEXTS, spans=st.lists(st.tuples(st.integers(0, 400), st.integers(1, 12)), max_size=6))
@settings(max_examples=200, deadline=None)
def test_unmasking_restores_the_sentence(text: Any, spans: Any) -> None:
    tokens, last = [], 0
    for start, length in sorted(spans):
        if last <= start and start + length <= len(text):
            tokens.append(Token("V", start, start + length, text[start : start + length], vendor="x"))
            last = start + length

    masked = mask(text, tokens, pack=shared().languages["en"].pack)

    assert masked.unmask() == text
    for number, token in enumerate(masked.tokens):
        assert masked.span(masked.starts[number], masked.ends[number]) == (token.start, token.end)


def test_a_lone_surrogate_does_not_stop_detection() -> None:
    found = detect(an_article("\ud800 Mei Tan resigned.", title="\ud800 A farewell"), shared())

    assert [signal.vendor for signal in found.signals] == ["alibaba"]


def test_a_hostile_megabyte_is_cut_and_bounded() -> None:
    text = "Mei Tan resigned and " * 50_000 + "x" * 200_000 + "((((" * 10_000 + "«V0»" * 10_000

    found = detect(an_article(text), shared())

    assert "body cut at 65536 bytes" in found.notes
    assert len(found.signals) <= 50


def test_tokens_cannot_be_forged_by_the_text() -> None:
    assert detect(an_article("Alibaba grew. «P7» resigned from «V0»."), shared()).signals == ()
