"""Items that hold many stories."""

from html import escape

from riskwatch.decode import Origin
from tests.decode.makers import an_item, decoded, rss

ORIGIN = Origin("letter", tier="3", digest=True, lang="en")
LETTER = escape(
    "<p>Good morning.</p><h2>Qwen lead resigns</h2><p>Lin left Alibaba.</p><h3>Mistral</h3>"
    "<p>Raised money.</p><p>Much.</p><ul><li>OpenAI cut prices.</li><li>xAI had an outage.</li></ul>"
)


def children(description: str) -> list[tuple[str, str | None, str]]:
    articles = decoded(
        rss(an_item(title="Weekly", guid="w", description=description)), origin=ORIGIN
    ).articles
    return [(article.guid, article.title, article.text) for article in articles]


def test_headings_and_list_points_become_children_with_their_own_words_only() -> None:
    assert children(LETTER) == [
        ("w#0", "Weekly", "Good morning."),
        ("w#1", "Qwen lead resigns", "Lin left Alibaba."),
        ("w#2", "Mistral", "Raised money.\nMuch."),
        ("w#3", None, "OpenAI cut prices."),
        ("w#4", None, "xAI had an outage."),
    ]


def test_a_plain_letter_is_split_at_its_bullets() -> None:
    assert children("Today:\n- OpenAI cut prices.\n• xAI had an outage.") == [
        ("w#0", "Weekly", "Today:"),
        ("w#1", None, "OpenAI cut prices."),
        ("w#2", None, "xAI had an outage."),
    ]


def test_an_item_without_points_stays_whole() -> None:
    assert children("One story, told &lt;b&gt;once&lt;/b&gt;.") == [("w", "Weekly", "One story, told once.")]


def test_children_say_that_they_are_points_and_have_keys_of_their_own() -> None:
    articles = decoded(rss(an_item(guid="w", description=LETTER)), origin=ORIGIN).articles

    assert all("digest_point" in article.flags for article in articles)
    assert len({article.text_key for article in articles}) == len(articles)


def test_a_source_that_is_no_digest_is_never_split() -> None:
    assert len(decoded(rss(an_item(description=LETTER))).articles) == 1
