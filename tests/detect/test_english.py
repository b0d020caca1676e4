"""How the shipped English pack reads the times and the certainty of events. All happenings are invented."""

from datetime import UTC, datetime

import pytest

from riskwatch import settings
from riskwatch.compiling import compile_rules
from riskwatch.detect import Ruleset, detect
from riskwatch.model import Article, Signal


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    return compile_rules(settings.load())


def told(ruleset: Ruleset, title: str, text: str = "") -> tuple[Signal, ...]:
    at = datetime(2026, 8, 15, tzinfo=UTC)
    article = Article("feed", "1", title, text, None, at, "en", "Blatt", "blatt", "3", id="a1")
    return detect(article, ruleset).signals


def test_what_has_not_yet_happened_is_denied(ruleset: Ruleset) -> None:
    for title in ("OpenAI hasn't yet laid off 300 employees", "OpenAI has not yet laid off 300 employees"):
        assert [signal.assertion for signal in told(ruleset, title)] == ["denied"]


@pytest.mark.parametrize(
    ("title", "assertion"),
    [
        ("OpenAI sued by a bakery", "confirmed"),
        ("A bakery sues OpenAI for allegedly copying bread", "confirmed"),
        ("OpenAI was sued by a bakery in 2024", "background"),
        ("OpenAI was sued by a bakery in March", "background"),
        ("OpenAI was sued by a bakery in July", "confirmed"),
        ("OpenAI was sued by a bakery in October", "background"),
        ("In March, OpenAI was sued by a bakery", "background"),
        ("OpenAI was sued by a bakery in March 2026", "background"),
        ("OpenAI, which was sued by a bakery, opens in Ghent", "background"),
        ("Bakers debate the recent lawsuit against OpenAI", "background"),
        ("A bakery's flour lawsuit against OpenAI rests", "background"),
        ("OpenAI sued by a bakery that opened in 2024", "confirmed"),
        ("OpenAI sued by a bakery, down from two in March", "confirmed"),
        ("Two years ago, OpenAI was sued by a bakery", "background"),
        ("Days after its party, OpenAI is sued by a bakery", "confirmed"),
        ("Amid a party, OpenAI is sued by a bakery", "confirmed"),
        ("Bakers stay calm days after a lawsuit against OpenAI", "background"),
        ("A bakery announces a new lawsuit against OpenAI", "confirmed"),
        ("OpenAI opens in Ghent after being sued by a bakery", "background"),
        ("OpenAI bakers hear how Apple sued OpenAI", "background"),
        ("Everything we know about the lawsuit against OpenAI", "background"),
        ("Bakers suing OpenAI: a running list", "background"),
        ("Apple sues OpenAI over flour (2019)", "background"),
        ("Apple sues OpenAI over flour (2025)", "confirmed"),
    ],
)
def test_what_happened_before_is_background(ruleset: Ruleset, title: str, assertion: str) -> None:
    assert [str(s.assertion) for s in told(ruleset, title) if s.type == "lawsuit"] == [assertion]


@pytest.mark.parametrize(
    ("title", "assertion", "day"),
    [
        ("OpenAI will shut down Codex in March", "confirmed", "2027-03"),
        ("OpenAI is shutting down Codex in March", "confirmed", "2027-03"),
        ("OpenAI shuts down Codex in October", "confirmed", "2026-10"),
        ("OpenAI discontinued Codex in March", "background", "2026-03"),
        ("OpenAI will shut down Codex on January 10", "confirmed", "2027-01-10"),
        ("OpenAI discontinued Codex on December 10", "confirmed", "2025-12-10"),
        ("OpenAI discontinues Codex on December 10", "confirmed", "2026-12-10"),
        ("OpenAI discontinued Codex on August 16", "confirmed", "2026-08-16"),
    ],
)
def test_a_time_without_a_year_lies_where_the_wording_puts_it(
    ruleset: Ruleset, title: str, assertion: str, day: str | None
) -> None:
    found = [s for s in told(ruleset, title) if s.type == "deprecation"]
    assert [(str(s.assertion), s.attributes.get("effective_on")) for s in found] == [(assertion, day)]


@pytest.mark.parametrize(
    ("title", "assertion"),
    [
        ("OpenAI sued by a bakery, sources say", "rumoured"),
        ("OpenAI sued by a bakery, say two people briefed on the matter", "rumoured"),
        ("OpenAI sued by a bakery, court papers show", "reported"),
        ("OpenAI sued by a bakery, staff say", "reported"),
        ("OpenAI sued by a bakery, Backblatt reports", "reported"),
        ("OpenAI sued by a bakery, reports Bloomberg", "reported"),
        ("OpenAI sued by a bakery, the company says", "confirmed"),
        (
            "Ann Bo / Blatt: Source: OpenAI is sued by a bakery — The bakery sues OpenAI over bread",
            "reported",
        ),
        ("A bakery seeks damages from OpenAI in a lawsuit", "confirmed"),
        ("Sources: a bakery sues OpenAI yet again over bread", "reported"),
    ],
)
def test_whom_a_headline_names_decides_how_sure_it_is(ruleset: Ruleset, title: str, assertion: str) -> None:
    assert {str(s.assertion) for s in told(ruleset, title) if s.type == "lawsuit"} == {assertion}


@pytest.mark.parametrize(
    ("title", "assertion"),
    [
        ("OpenAI said to be shutting down Codex", "rumoured"),
        ("OpenAI, he said to reporters, discontinues Codex", "confirmed"),
        ("OpenAI discontinues Codex two months before its party", "confirmed"),
        ("OpenAI discontinued Codex two months earlier", "background"),
        ("OpenAI, once the head of a choir, discontinues Codex", "confirmed"),
        ("OpenAI discontinues Codex since it can't bake", "confirmed"),
        ("OpenAI discontinues Codex at more cost than last year", "confirmed"),
        ("OpenAI discontinues Codex, an always-on agent", "confirmed"),
        ("OpenAI always discontinues Codex", "hypothetical"),
    ],
)
def test_look_alikes_of_doubt_and_of_the_past_are_told_apart(
    ruleset: Ruleset, title: str, assertion: str
) -> None:
    assert {str(s.assertion) for s in told(ruleset, title) if s.type == "deprecation"} == {assertion}


@pytest.mark.parametrize(
    ("title", "assertion"),
    [
        ("OpenAI's finance chief leaves after four years", "confirmed"),
        ("Not a month goes by without OpenAI's finance chief resigning", "confirmed"),
        ("A year without OpenAI's finance chief resigning", "denied"),
        ("OpenAI's finance chief on leaving OpenAI", "background"),
        ("Dana Ortiz, who left OpenAI as finance chief, bakes bread", "background"),
    ],
)
def test_who_speaks_of_having_left_does_not_leave_again(ruleset: Ruleset, title: str, assertion: str) -> None:
    assert {str(s.assertion) for s in told(ruleset, title) if s.type == "leadership_exit"} == {assertion}


@pytest.mark.parametrize(
    ("title", "vendors"),
    [
        ("OpenAI rival Zanzo shuts down its Pibble chatbot", set()),
        ("Microsoft partner Zanzo suffers an outage", set()),
        ("OpenAI's biggest rival Zanzo hit by data breach", set()),
        ("Google rival OpenAI loses its chief scientist", {"openai"}),
        ("Italy tells Mistral's rival iGenius to cease using a logo", set()),
        ("Microsoft customer data exposed in breach", {"microsoft"}),
        ("Google suspended major customer Zanzo, causing an outage", {"google"}),
    ],
)
def test_a_company_that_names_another_carries_none_of_its_news(
    ruleset: Ruleset, title: str, vendors: set[str]
) -> None:
    assert {s.vendor for s in told(ruleset, title)} == vendors


def test_what_a_suit_says_is_reported_but_the_suit_is_sure(ruleset: Ruleset) -> None:
    found = told(ruleset, "Meta used AI to illegally fire bakers, lawsuit alleges")

    assert {(s.type, str(s.assertion)) for s in found} == {
        ("safety_incident", "reported"),
        ("lawsuit", "confirmed"),
    }


@pytest.mark.parametrize(
    "title", ["Meta fined in Norway", "Norway fines Meta over ads", "Meta, Apple fined in Norway"]
)
def test_a_usual_name_needs_one_word_of_business(ruleset: Ruleset, title: str) -> None:
    assert "meta" in {s.vendor for s in told(ruleset, title) if s.type == "regulatory_action"}


@pytest.mark.parametrize(
    ("title", "vendor"),
    [
        ("Amazon appears to be down for shoppers and sellers", "amazon"),
        ("Amazon targets as many as 9k corporate roles", "amazon"),
        ("Claude for Small Business arrives", "anthropic"),
        ("An old civilisation once flourished in the Amazon", None),
        ("Claude helped me mend a bicycle", None),
    ],
)
def test_a_usual_name_is_the_vendors_beside_what_companies_and_products_do(
    ruleset: Ruleset, title: str, vendor: str | None
) -> None:
    at = datetime(2026, 8, 15, tzinfo=UTC)
    article = Article("feed", "1", title, "", None, at, "en", "Blatt", "blatt", "3", id="a1")

    named = {mention.subject.split("/")[0] for mention in detect(article, ruleset).mentions}

    assert named == ({vendor} if vendor else set())


def test_what_excludes_a_name_is_a_whole_word(ruleset: Ruleset) -> None:
    assert {s.vendor for s in told(ruleset, "Perplexity offline for three hours")} == {"perplexity"}
    assert told(ruleset, "The perplexity of offline speech models") == ()


def test_partners_is_no_company_of_its_own(ruleset: Ruleset) -> None:
    found = told(ruleset, "Microsoft Partners With OpenAI On Search")

    assert {s.vendor for s in found if s.type == "partnership"} == {"microsoft", "openai"}


def test_a_summary_that_repeats_its_title_is_as_unsure_as_it(ruleset: Ruleset) -> None:
    title = "Sources: Cohere lays off 40 people (Jane Roe/Reuters)"
    found = told(
        ruleset, title, "Jane Roe / Reuters: Sources: Cohere lays off 40 people — Cohere lays off 40."
    )

    assert {(str(s.assertion), s.cited_family is not None) for s in found} == {("reported", True)}


@pytest.mark.parametrize(("speaker", "assertion"), [("openai", "confirmed"), ("github", "background")])
def test_a_vendor_that_offers_anothers_model_launches_none(
    ruleset: Ruleset, speaker: str, assertion: str
) -> None:
    at = datetime(2026, 8, 15, tzinfo=UTC)
    article = Article(
        *(
            "feed",
            "1",
            "GPT-5.5 is now available in the editor",
            "",
            None,
            at,
            "en",
            "Site",
            speaker,
            "primary",
        ),
        source_class="vendor_channel",
        covers=(speaker,),
        id="a1",
    )

    found = detect(article, ruleset).signals

    assert [(s.vendor, s.type, str(s.assertion)) for s in found] == [("openai", "product_release", assertion)]


def test_a_title_may_be_one_short_name(ruleset: Ruleset) -> None:
    assert [(s.vendor, s.type) for s in told(ruleset, "GPT-5.5")] == [("openai", "product_release")]


@pytest.mark.parametrize(
    ("title", "stated"),
    [
        (
            "Italy blocks DeepSeek over data protection",
            {"government_ban": "confirmed", "regulatory_action": "background"},
        ),
        ("A court rules that Google must pay a $2 billion fine", {"adverse_ruling": "confirmed"}),
        ("Google must pay a $2 billion fine, the watchdog says", {"regulatory_action": "reported"}),
        ("Meta sued by the FTC over its ads", {"lawsuit": "confirmed"}),
    ],
)
def test_one_sentence_tells_one_event(ruleset: Ruleset, title: str, stated: dict[str, str]) -> None:
    found = told(ruleset, title)

    assert {s.type: str(s.assertion) for s in found} == stated


@pytest.mark.parametrize(
    ("title", "vendor"),
    [
        ("Changes to GitHub Copilot plans", "github"),
        ("Changes to Microsoft 365 Copilot plans", "microsoft"),
        ("Changes to GitHub Copilot and Microsoft 365 Copilot plans", "microsoft"),
    ],
)
def test_a_short_name_means_the_product_that_is_named_in_full(
    ruleset: Ruleset, title: str, vendor: str
) -> None:
    found = told(ruleset, title, "Copilot raises its prices by 20%.")

    assert {signal.vendor for signal in found} == {vendor}
