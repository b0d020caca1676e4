# ruff: noqa: E501, RUF001 - example sentences stay whole; typographic marks are meant
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from riskwatch.detect import detect
from riskwatch.errors import ConfigErrors
from riskwatch.model import Assertion, Signal
from tests.detect.makers import DROP, EXIT, SUIT, a_ruleset, an_article, shared


def signals(text: str, **fields: Any) -> tuple[Signal, ...]:
    return detect(an_article(text, **fields), shared()).signals


def only(text: str, **fields: Any) -> Signal:
    found = signals(text, **fields)
    assert len(found) == 1, [(s.type, s.vendor, s.route) for s in found]
    return found[0]


# ---------------------------------------------------------------- vendor routes
@pytest.mark.parametrize(
    ("text", "vendor", "route"),
    [
        ("Dana Ortiz resigned from OpenAI.", "openai", "from_prep"),
        ("Dana Ortiz leaves OpenAI.", "openai", "from_prep"),
        ("OpenAI CTO Dana Ortiz resigned.", "openai", "apposition"),
        ("Dana Ortiz, the CTO of OpenAI, resigned.", "openai", "apposition"),
        ("The CTO for OpenAI resigned.", "openai", "apposition"),
        ("Mei Tan resigned.", "alibaba", "employer"),
        ("Alibaba shares dropped 5%.", "alibaba", "apposition"),
        ("Alibaba told all of its investors again that its shares dropped 5%.", "alibaba", "subject"),
        ("Broadcom sues OpenAI.", "openai", "slot"),
    ],
)
def test_a_vendor_is_found_by_its_route(text: Any, vendor: Any, route: Any) -> None:
    signal = only(text)

    assert (signal.vendor, signal.route) == (vendor, route)


def test_the_hirer_is_not_the_one_who_loses() -> None:
    signal = only("Meta hires OpenAI's Dana Ortiz.")

    assert (signal.vendor, signal.attributes["destination"]) == ("openai", "meta")


def test_the_destination_does_not_carry_the_event() -> None:
    assert only("OpenAI CTO Dana Ortiz leaves for Alibaba.").vendor == "openai"
    assert signals("The CTO left for Alibaba.") == ()


def test_the_new_employer_of_a_known_person_is_a_destination() -> None:
    assert [s.vendor for s in signals("The laureate Ada Quill left for OpenAI.")] == []


def test_one_sentence_may_give_two_vendors_an_event_each() -> None:
    found = signals("Alibaba shares fell when OpenAI CEO Ada Quill resigned.")

    assert {(s.type, s.vendor) for s in found} == {("share_drop", "alibaba"), ("leadership_exit", "openai")}


def test_a_company_that_is_not_watched_keeps_its_own_fall() -> None:
    found = detect(an_article("Alibaba sent Broadcom shares sharply lower as they fell 5%."), shared())

    assert found.signals == ()
    assert [block.by for block in found.blocked] == ["unwatched_owner"]


def test_a_list_of_defendants_gives_each_a_signal() -> None:
    assert {s.vendor for s in signals("Broadcom sues OpenAI and Cohere.")} == {"openai", "cohere"}


def test_coordinated_persons_are_signals_of_their_own() -> None:
    found = signals(
        "Mei Tan, the technical lead, and Bo Ruan, the code lead, have vacated their roles at Alibaba."
    )

    assert [(s.attributes["person"], s.attributes["role"]) for s in found] == [
        ("Mei Tan", "technical_lead"),
        ("Bo Ruan", "other"),
    ]


def test_a_person_who_left_long_ago_is_no_employee() -> None:
    assert signals("Bo Ruan resigned.") == ()


def test_a_person_shares_the_vendor_of_the_list_that_he_stands_in() -> None:
    found = signals("Mei Tan and Bo Ruan resigned.")

    assert [(s.vendor, s.line) for s in found] == [("alibaba", "qwen"), ("alibaba", "qwen")]


def test_a_family_name_stands_for_the_person_named_before() -> None:
    found = signals("Mei Tan spoke at length. Then Tan resigned.")

    assert [s.attributes["person"] for s in found] == ["Mei Tan"]


def test_another_person_of_the_same_family_name_is_somebody_else() -> None:
    assert signals("Mei Tan spoke at length. Then Omar Tan resigned.") == ()


def test_a_line_goes_with_its_vendor() -> None:
    signal = only("Dana Ortiz resigned from Alibaba's Qwen team.")

    assert signal.subject == "alibaba/qwen"


def test_a_hidden_vendor_is_scored_like_any_other() -> None:
    assert only("Dana Ortiz resigned from Canaria.").vendor == "_canary"


# ---------------------------------------------------------------- focus
LEAD = "Alibaba reported results. Alibaba hired many. Alibaba grew fast this year. "


def test_the_focus_stands_in_behind_its_fence() -> None:
    signal = only(LEAD + "Then three senior engineers left the division.", title="Alibaba in trouble")

    assert (signal.vendor, signal.route, signal.confidence) == ("alibaba", "focus", 0.4)


@pytest.mark.parametrize(
    "text",
    [
        LEAD + "Then three senior engineers left for good.",
        LEAD + "Then three senior engineers left the division that Umbrella built.",
        LEAD + "OpenAI grew. OpenAI won. Then three senior engineers left the division.",
        "Alibaba grew. Then three senior engineers left the division.",
    ],
    ids=["no anaphor", "unknown name", "strong rival", "passing mention"],
)
def test_the_fence_keeps_the_focus_out(text: Any) -> None:
    assert signals(text) == ()


def test_an_entry_of_a_digest_has_no_focus() -> None:
    text = "- OpenAI grew its sales in spring\n- Cohere opened a new office\n- Alibaba: three engineers left the division"

    assert signals(text, title="Alibaba Alibaba Alibaba") == ()


def test_a_headline_that_lists_others_is_read_clause_by_clause() -> None:
    title = "Robots Learn To Dance, Broadcom Sues OpenAI, and Banks Weigh New Rules"

    assert only("The item says more.", title=title).evidence.quote == "Broadcom Sues OpenAI"


def test_a_headline_with_commas_that_is_one_sentence_stays_whole() -> None:
    title = "Broadcom Sues OpenAI, Its Rival, and Asks For Money"

    assert only("The item says more.", title=title).evidence.quote == title


def test_a_vendors_own_channel_speaks_of_itself() -> None:
    signal = only("The CTO resigned.", covers=("cohere",), source_class="vendor_channel")

    assert (signal.vendor, signal.route, signal.primary) == ("cohere", "structured", True)


# ---------------------------------------------------------------- names
def test_an_ambiguous_name_needs_somebody_to_vouch() -> None:
    assert signals("Broadcom sues Meta.") == ()
    assert only("Broadcom sues Meta over Llama.").vendor == "meta"
    assert only("Broadcom sues Meta, a court filing on a model says.").vendor == "meta"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("The word Meta is overused.", False),
        ("Meta is fined in the capital.", True),
        ("The town bans Meta.", True),
        ("And nobody bans Meta.", False),
        ("Command is fined in the capital.", False),  # not a usual name
        ("OpenAI would rather talk with Meta than wait.", True),  # another vendor beside it
        ("OpenAI would rather talk with Meta Corner than wait.", False),
        ("OpenAI rests. The word Meta is overused.", False),
        ("Nothing between Meta and Command R is settled.", True),  # two doubtful vendors in one list
    ],
)
def test_a_doubtful_name_is_taken_by_what_stands_right_beside_it(text: str, named: bool) -> None:
    mentions = detect(an_article(text), shared()).mentions

    assert any(mention.subject in ("meta", "cohere/command") for mention in mentions) is named


def test_words_right_after_a_name_make_it_somebody_else() -> None:
    assert signals("Broadcom sues Meta analysis authors over Llama in court.") == ()


def test_a_required_suffix_is_asked_for() -> None:
    mentioned = detect(an_article("Cohere has Command R and a Command post."), shared()).mentions

    assert [mention.subject for mention in mentioned] == ["cohere", "cohere/command"]


def test_mentions_are_told_without_any_event() -> None:
    found = detect(an_article("Qwen3.5-Max is a model of Alibaba."), shared())

    assert found.signals == ()
    assert [(m.subject, m.start, m.end) for m in found.mentions] == [
        ("alibaba/qwen", 0, 11),
        ("alibaba", 26, 33),
    ]


# ---------------------------------------------------------------- assertions
@pytest.mark.parametrize(
    ("text", "assertion"),
    [
        ("Mei Tan resigned.", "confirmed"),
        ("Mei Tan denied that she resigned.", "denied"),
        ("Mei Tan not only resigned, she thanked all.", "confirmed"),
        ("If Mei Tan leaves, work stops.", "hypothetical"),
        ("Has Mei Tan resigned?", "hypothetical"),
        ("Mei Tan resigned in 2019.", "background"),
        ("Mei Tan resigned in March 2026.", "confirmed"),
        ("Mei Tan may have resigned.", "rumoured"),
        ("Mei Tan was reportedly fired.", "reported"),
        ("Reports that Mei Tan resigned spread.", "reported"),
        ("Mei Tan resigned after reports that sales fell short.", "confirmed"),
        ("Ada Quill may stay but Mei Tan resigned.", "confirmed"),
    ],
)
def test_the_text_decides_how_sure_it_is(text: Any, assertion: Any) -> None:
    assert {s.assertion for s in signals(text) if s.attributes["person"] == "Mei Tan"} == {
        Assertion(assertion)
    }


def test_an_attribution_is_ignored_beside_a_number() -> None:
    assert only("According to a broker Alibaba shares dropped nearly 5%.").assertion == Assertion.CONFIRMED


def test_a_rule_may_know_an_old_case() -> None:
    assert only("The lawsuit against OpenAI goes on.").assertion == Assertion.BACKGROUND
    assert only("A lawsuit against OpenAI goes on.").assertion == Assertion.CONFIRMED
    assert only("The lawsuit against OpenAI was filed today.").assertion == Assertion.CONFIRMED


def test_an_analogy_acts_on_others_than_the_focus() -> None:
    text = LEAD + "This mirrors the day when OpenAI CEO Ada Quill resigned."

    assert only(text, title="Alibaba").assertion == Assertion.BACKGROUND


@pytest.mark.parametrize(
    ("text", "fields", "primary"),
    [
        ("Mei Tan announced she resigned.", {}, True),
        ("According to Alibaba, Mei Tan resigned.", {}, True),
        ("Mei Tan resigned, according to the company.", {}, True),
        ("Mei Tan resigned.", {"source_class": "filing"}, True),
        ("Mei Tan resigned.", {}, False),
    ],
)
def test_who_speaks_for_itself_is_primary(text: Any, fields: Any, primary: Any) -> None:
    signal = only(text, **fields)

    assert (signal.primary, signal.assertion) == (primary, Assertion.CONFIRMED)


# ---------------------------------------------------------------- attributes
def test_share_falls_carry_percent_approximation_horizon_and_market() -> None:
    signal = only("Alibaba shares dropped nearly 5% this year, while the Nasdaq fell 1.8%.")

    assert signal.attributes == {
        "percent": 5.0,
        "approx": "nearly",
        "horizon": "this year",
        "market_percent": 1.8,
    }


def test_money_has_amount_and_currency() -> None:
    signal = only("Broadcom sues OpenAI for $1.5 billion.")

    assert signal.attributes["amount"] == 1.5e9
    assert signal.attributes["currency"] == "USD"
    assert (signal.attributes["plaintiff"], signal.attributes["claim"]) == ("Broadcom", "copyright")


def test_a_vague_number_is_a_lower_bound() -> None:
    assert only("OpenAI poached several engineers from Alibaba.").attributes["count"] == 3
    assert only("Several senior engineers left Alibaba.").attributes["count"] == 3


@pytest.mark.parametrize(("words", "is_exact"), [("Three", True), ("About three", False), ("Several", False)])
def test_only_a_plain_number_is_exact(words: str, is_exact: bool) -> None:
    assert only(f"{words} engineers left Alibaba.").attributes["count_exact"] is is_exact


def test_a_known_person_without_a_post_that_matters_is_no_leader() -> None:
    found = detect(an_article("Mei Tan and Ty Orr resigned."), shared(), is_traced=True)

    assert [s.attributes["person"] for s in found.signals] == ["Mei Tan"]
    assert [trace["notes"] for trace in found.trace] == [[], ["the register knows the person as no leader"]]


def test_an_unnamed_holder_of_any_post_is_told_with_less_confidence() -> None:
    vague, clear = only("Alibaba's head resigned."), only("Alibaba's CEO resigned.")

    assert vague.confidence < 0.6 < clear.confidence


def test_a_table_tells_a_value_from_the_words() -> None:
    assert only("OpenAI fires CTO Dana Ortiz.").attributes["forced"] is True


@pytest.mark.parametrize(
    ("words", "day", "is_relative"),
    [
        ("on March 3, 2026", date(2026, 3, 3), False),
        ("on March 3", date(2026, 3, 3), False),
        ("on December 30", date(2025, 12, 30), False),
        ("yesterday", date(2026, 3, 4), True),
        ("on Monday", date(2026, 3, 2), True),
        ("on June 1, 2026", None, False),
        ("on March 33, 2026", None, False),
    ],
)
def test_a_claimed_date_is_reckoned_from_the_items_date(words: Any, day: Any, is_relative: Any) -> None:
    signal = only(f"Mei Tan resigned {words}.")

    claimed = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
    assert (signal.claimed_at, signal.claim_relative) == (claimed, is_relative)


def test_one_outlet_that_is_credited_is_cited() -> None:
    assert only("Mei Tan resigned, according to the Morning Wire.").cited_family == "wire"
    assert (
        only("Mei Tan resigned, Evening Post reported, according to the Morning Wire.").cited_family is None
    )
    assert only("Mei Tan resigned, according to Morning Wire.", family="wire").cited_family is None


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Mei Tan resigned (Dana Ortiz/Morning Wire)", ""),
        ("Mei Tan resigned (Morning Wire)", ""),
        ("Mei Tan resigned", "Dana Ortiz / Morning Wire: Mei Tan resigned on Friday."),
        ("Morning Wire: Mei Tan resigned", ""),
    ],
)
def test_an_item_of_a_curated_aggregator_weighs_as_the_outlet_of_its_byline(title: str, text: str) -> None:
    for family, tier in (("links", "1"), ("forum", "4")):  # the other one is curated by nobody
        found = signals(text, title=title, family=family, tier="4")

        assert {(s.family, s.cited_family, s.tier) for s in found} == {(family, "wire", tier)}


def test_a_trace_names_the_signal_that_it_led_to() -> None:
    text = "Dana Ortiz said that OpenAI CEO Ada Quill left many questions. OpenAI shares fell."

    found = detect(an_article(text), shared(), is_traced=True)

    assert [trace.get("signal") for trace in found.trace] == [None, found.signals[0].id]


def test_an_outlets_own_byline_cites_nobody() -> None:
    found = signals("", title="Mei Tan resigned (Morning Wire)", family="wire", tier="1")

    assert [(s.cited_family, s.tier) for s in found] == [(None, "1")]


# ---------------------------------------------------------------- the article as a whole
def test_a_named_filter_cancels_and_says_so() -> None:
    found = detect(
        an_article("Dana Ortiz said that OpenAI CEO Ada Quill left many questions."), shared(), is_traced=True
    )

    assert found.signals == ()
    assert found.trace[0]["blocked"] == [
        {"rule": "leadership_exit.named@1", "frame": "subject", "by": "questions"}
    ]


@pytest.mark.parametrize(
    ("text", "is_hit"),
    [
        ("Qwen Max 2 left the drawer.", True),
        ("Qwen Max left the drawer.", False),  # which edition is not told
        ("Alibaba 2 left the drawer.", False),  # the company, no product of it
    ],
)
def test_a_frame_may_ask_for_an_edition_of_a_product(text: str, is_hit: bool) -> None:
    frame = r"(?P<v>(?P<edition>(?P<product>{VENDOR})(?: \w+| «N\d+»)?)) (?P<t>left)\b"
    rule = SUIT | {"detect": {"prefilter": r"\bleft\b", "any": {"moved": frame}}, "tests": []}

    assert bool(detect(an_article(text), a_ruleset(rule)).signals) is is_hit


@pytest.mark.parametrize(
    ("text", "is_kin", "is_other"),
    [("Alibaba moved Qwen Max 2.", True, False), ("Alibaba moved OpenAI.", False, True)],
)
def test_a_frame_may_ask_for_the_vendors_own_product_or_for_that_of_another(
    text: str, is_kin: bool, is_other: bool
) -> None:
    def is_hit(group: str) -> bool:
        frame = rf"(?P<v>{{VENDOR}}) (?P<t>moved) (?P<{group}>{{VENDOR}})"
        rule = SUIT | {"detect": {"prefilter": r"\bmoved\b", "any": {"moved": frame}}, "tests": []}
        return bool(detect(an_article(text), a_ruleset(rule)).signals)

    assert (is_hit("kin"), is_hit("party")) == (is_kin, is_other)


def test_evidence_is_the_sentence_at_its_place() -> None:
    article = an_article("First – ünïcode. Mei Tan resigned from Alibaba. Last.", title="Mei Tan resigned")
    texts = {"title": article.title or "", "body": article.text}

    for signal in detect(article, shared()).signals:
        assert (
            texts[signal.evidence.field][signal.evidence.start : signal.evidence.end] == signal.evidence.quote
        )


def test_boilerplate_is_not_read() -> None:
    assert signals("Alibaba grew.\nRead more: Mei Tan resigned\nEnd of it all here.") == ()
    assert signals("Alibaba grew a lot this year, all told.\nRelated articles\nMei Tan resigned.") == ()


def test_text_in_an_unread_language_gives_mentions_and_a_note() -> None:
    found = detect(an_article("Alibaba-Chefin Mei Tan resigned.", lang="de"), shared())

    assert (found.signals, found.notes) == ((), ("unread: de",))
    assert found.mentions


def test_a_ruleset_of_no_language_gives_mentions_and_a_note() -> None:
    mute = replace(a_ruleset(EXIT), languages={})

    for lang in ("en", "und"):
        found = detect(an_article("Alibaba grew; Mei Tan resigned.", lang=lang), mute)

        assert (found.signals, found.notes) == ((), (f"unread: {lang}",))
        assert [mention.subject for mention in found.mentions] == ["alibaba"]


def test_an_undated_article_gives_no_signals() -> None:
    found = detect(replace(an_article("Mei Tan resigned."), published_at=None, first_seen_at=None), shared())

    assert (found.signals, found.notes) == ((), ("undated: no signals",))


def test_signals_over_the_limit_are_counted_in_a_note() -> None:
    found = detect(an_article("Mei Tan resigned. " * 70), shared())

    assert len(found.signals) == 50
    assert found.notes == ("20 signals over 50 left out",)


def test_a_rule_on_trial_weighs_less_and_an_experimental_one_only_traces() -> None:
    trial = detect(an_article("Mei Tan resigned."), a_ruleset(EXIT | {"lifecycle": "test"}))
    tried = detect(
        an_article("Mei Tan resigned."), a_ruleset(EXIT | {"lifecycle": "experimental"}), is_traced=True
    )

    assert [s.confidence for s in trial.signals] == [0.72]
    assert (tried.signals, len(tried.trace)) == ((), 1)


def test_a_rule_may_be_kept_to_some_sources() -> None:
    ruleset = a_ruleset(EXIT | {"scope": {"sources": ["filing"]}})

    assert not detect(an_article("Mei Tan resigned."), ruleset).signals
    assert detect(an_article("Mei Tan resigned.", source_class="filing"), ruleset).signals


# ---------------------------------------------------------------- loading
def test_all_mistakes_of_a_ruleset_are_told_together() -> None:
    bad = DROP | {
        "event": "share_drop",
        "detect": {
            "prefilter": "{nothing}",
            "any": {"a": "(?P<x>shares)", "b": "(?=t)"},
            "not": {"c": "{GAP:999}"},
        },
        "capture": {"colour": "pct", "percent": "nowhere"},
    }

    with pytest.raises(ConfigErrors) as raised:
        a_ruleset(bad, SUIT | {"event": "unheard_of"}, EXIT | {"scope": {"langs": ["fr"]}})

    told = str(raised.value)
    for words in ("{nothing}", "no group t", "detect.any.b", "GAP needs", "no attribute colour", "nowhere",
                  "unheard_of", "no language pack fr"):  # fmt: skip
        assert words in told


def test_the_digest_changes_with_a_pattern_but_not_with_a_test() -> None:
    other = EXIT | {"tests": [{"text": "Mei Tan resigned.", "expect": []}]}
    changed = EXIT | {"vendor": {"from": ["employer"]}}

    assert a_ruleset(EXIT).digest == a_ruleset(other).digest != a_ruleset(changed).digest
