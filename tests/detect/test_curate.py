"""What a pool of news says of the rules and of the register."""

from riskwatch.detect.curate import propose
from riskwatch.detect.rates import too_frequent
from riskwatch.detect.rules import Rates
from riskwatch.model import Article
from tests.detect.makers import an_article, shared


def pool(*texts: str) -> list[Article]:
    return [an_article(text, guid=str(number), text_key=str(number)) for number, text in enumerate(texts)]


def test_a_rule_that_fires_on_more_than_its_share_is_found() -> None:
    articles = pool(
        "OpenAI shares fell.", "OpenAI shares fell again, said some.", "OpenAI sleeps.", "Nothing at all."
    )

    found = {f.rule: f.message for f in too_frequent(articles, shared(), Rates(default=499))}

    assert list(found) == ["share_drop.percent"]
    assert found["share_drop.percent"].startswith("fires on 500.00 of 1,000 articles, 499 allowed")


def test_a_listed_rate_counts_instead_of_the_default() -> None:
    articles = pool("OpenAI shares fell.")

    assert list(too_frequent(articles, shared(), Rates(default=1, rules={"share_drop.percent": 1000}))) == []


def test_what_is_background_is_no_hit() -> None:
    assert list(too_frequent(pool("OpenAI shares fell in 2019."), shared(), Rates(default=1))) == []


def test_a_rate_of_no_rule_is_found() -> None:
    found = list(too_frequent(pool("Nothing."), shared(), Rates(rules={"share_drop.gone": 3})))

    assert [(f.rule, f.message) for f in found] == [("share_drop.gone", "no rule of this id runs")]


def test_names_that_vendors_own_and_names_of_companies_are_proposed() -> None:
    articles = pool(
        "Yesterday OpenAI's Lantern was seen by all of us.",
        "They say that OpenAI's own Lantern is bright and loud.",
        "It is said that Tubbo raises a lot of money.",
        "We saw Tubbo, a Dutch start-up, at the fair.",
        "We saw Tubbo, a Dutch start-up, at the fair too. OpenAI's Once was there.",
    )

    found = [(p.vendor, p.text, len(p.articles)) for p in propose(articles, shared(), least=2)]

    assert found == [("openai", "Lantern", 2), (None, "Tubbo", 3)]


def test_known_names_and_headlines_propose_nothing() -> None:
    articles = pool("They say that OpenAI's Broadcom raises money.", "OpenAI's Lantern Was Seen By All")

    assert propose(articles, shared(), least=1) == ()
