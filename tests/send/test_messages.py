"""What every channel says: the same facts, inside every budget, as the golden files show it."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from riskwatch.model import Step
from riskwatch.send.message import Links, Mail, Message
from riskwatch.send.render import view
from riskwatch.send.render_mail import mail
from riskwatch.send.render_slack import slack
from riskwatch.send.render_webhook import webhook
from riskwatch.send.templates import read
from riskwatch.send.webhook_body import WebhookBody
from tests.send.messages import (
    AS_OF,
    DELIVERY,
    EVERY_KIND,
    HEADER_BREAKS,
    HOSTILE,
    LINKS,
    TEMPLATES,
    a_digest,
    a_line,
    an_alert,
    many_events,
    overflow,
    quiet_digest,
    several,
    told,
)

GOLDEN = Path(__file__).parent.parent / "golden" / "send"
KINDS = sorted(EVERY_KIND)
LONG = "Ω<&>\"' " * 16_000


def mailed(message: Message, links: Links = LINKS) -> Mail:
    return mail(message, links=links, recipient="procurement@example.com", templates=TEMPLATES)


def slacked(message: Message, *, plain: bool = False) -> dict[str, Any]:
    return slack(message, links=LINKS, delivery_id=DELIVERY, plain=plain)


def posted(message: Message) -> dict[str, Any]:
    return webhook(message, links=LINKS, at=AS_OF)


class Reader(HTMLParser):
    """What a person sees of a page, the addresses it leads to, and its tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words, self.links, self.tags = list[str](), list[str](), set[str]()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name == "href" and value]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def seen(self) -> str:
        return " ".join(" ".join(self.words).split())


# ------------------------------------------------------------------------------------------- golden files
def compare(name: str, made: str, *, update: bool) -> None:
    path = GOLDEN / name
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made, encoding="utf-8")
    assert made == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_a_mail_is_as_the_golden_file_shows(kind: str, update_golden: bool) -> None:
    made = mailed(EVERY_KIND[kind])

    compare(f"{kind}.mail.txt", f"Subject: {made.subject}\n\n{made.text}", update=update_golden)
    compare(f"{kind}.mail.html", made.html, update=update_golden)


@pytest.mark.parametrize("kind", KINDS)
def test_a_slack_message_is_as_the_golden_file_shows(kind: str, update_golden: bool) -> None:
    made = json.dumps(slacked(EVERY_KIND[kind]), indent=2, ensure_ascii=False) + "\n"

    compare(f"{kind}.slack.json", made, update=update_golden)


@pytest.mark.parametrize("kind", KINDS)
def test_a_webhook_body_is_as_the_golden_file_shows(kind: str, update_golden: bool) -> None:
    made = json.dumps(posted(EVERY_KIND[kind]), indent=2, ensure_ascii=False) + "\n"

    compare(f"{kind}.webhook.json", made, update=update_golden)


# ------------------------------------------------------------------------------------------- the same facts
@pytest.mark.parametrize("kind", KINDS)
def test_both_parts_of_a_mail_state_the_same_facts(kind: str) -> None:
    made = mailed(EVERY_KIND[kind])
    page = Reader(made.html)
    written = re.sub(r"https?://\S+", "", made.text)
    labels = {"Score", "--"}  # words that only the form of the text part needs
    seen = page.seen.replace("( ", "(")

    missing = [word for word in re.findall(r"[\w.,%\u2212+±—-]{2,}", written) if word not in seen]
    assert not [word for word in missing if word.strip(".,") not in labels | set(page.seen.split())]
    assert set(page.links) == set(re.findall(r"https?://\S+", made.text))


@pytest.mark.parametrize(
    "points", ["\u221216.5", "\u22129.5", "\u22128.8", "\u22126.5", "\u22122.1", "\u22121.7", "+0.7"]
)
def test_every_channel_states_the_points_of_every_event(points: str) -> None:
    body = posted(told())["data"]
    moved = [reason["points"] for reason in body["contributions"]] + [body["baseline_points"]]

    assert points in mailed(told()).text
    assert points in Reader(mailed(told()).html).seen
    assert points in json.dumps(slacked(told()), ensure_ascii=False)
    assert float(points.replace("\u2212", "-")) in moved
    assert round(sum(moved), 1) == round(body["score"]["to"] - body["score"]["from"], 1)


def test_the_points_of_reasons_that_are_not_spelt_out_still_add_up() -> None:
    shown = view(an_alert(reasons=many_events(30)), LINKS, rows=10)

    assert shown.rest is not None
    assert (shown.rest.number, shown.rest.points, shown.rest.each) == (20, "\u22122.0", ())


def test_scores_are_whole_in_a_subject_line_and_have_a_decimal_in_the_body() -> None:
    made = mailed(told())

    assert made.subject == "[riskwatch] Alibaba/Qwen 97 → 53 (A → D): Junyang Lin leaves"
    assert "97.0 to 52.6" in made.text
    assert slacked(told())["text"] == "Alibaba/Qwen 97 → 53 (A → D): Junyang Lin leaves"


def test_a_long_name_gives_way_to_the_headline() -> None:
    named = an_alert(subject_name="Mistral Large, Medium and Small", headline="Terms of Codestral tightened")

    assert mailed(told(named)).subject == (
        "[riskwatch] Mistral Large, Medium… 97 → 53 (A → D): Terms of Codestral…"
    )


def test_a_movement_below_a_point_shows_no_arrow_between_equal_numbers() -> None:
    made = mailed(told(an_alert(score_from=52.9, grade_from="D")))

    assert made.subject == "[riskwatch] Alibaba/Qwen 53 (D): Junyang Lin leaves"


@pytest.mark.parametrize(
    ("step", "prefix"),
    [
        (Step.OPENED, ""),
        (Step.UPDATE, "Update: "),
        (Step.CORRECTION, "Correction: "),
        (Step.RESOLVED, "Resolved: "),
    ],
)
def test_a_subject_line_says_which_step_it_is(step: Step, prefix: str) -> None:
    assert mailed(told(an_alert(step=step))).subject.startswith(f"[riskwatch] {prefix}Alibaba/Qwen 97 → 53")


def test_what_is_unknown_is_a_dash_and_never_a_zero() -> None:
    made = mailed(EVERY_KIND["unrated"])

    assert "Score — (NR)" in made.text
    assert "not rated" in made.subject
    assert not re.search(r"\b0\.0\b", made.text)


def test_without_an_address_of_our_own_there_is_no_link_at_all() -> None:
    made = mailed(told(), Links(base_url=""))

    assert "http" not in made.text
    assert not Reader(made.html).links
    assert not [
        b for b in slack(told(), links=Links(""), delivery_id="x")["blocks"] if b["type"] == "actions"
    ]


def test_an_empty_digest_says_how_well_the_period_was_watched() -> None:
    made = mailed(quiet_digest())

    assert made.subject == "[riskwatch] Daily digest: no changes"
    assert "12 of 12 vendors scored; 41 of 43 sources fresh; 2 stale: techcrunch-ai, status-xai." in made.text
    assert "Europe/Berlin" in made.text
    assert made.unsubscribe == LINKS.unsubscribe


def test_a_digest_on_stale_input_never_says_that_all_is_quiet() -> None:
    made = mailed(quiet_digest(sources_fresh=0))

    assert "no changes" not in (made.subject + made.text).lower()
    assert "Nothing can be said: no source is fresh" in made.text


def test_an_alert_about_no_vendor_leads_to_the_page_that_explains_it() -> None:
    about = {"stale": "sources", "portfolio": "portfolio", "opened": "vendors/alibaba/qwen"}
    portfolio = an_alert(rule_kind="concentration", subject="portfolio", subject_name="Portfolio")
    messages = {**EVERY_KIND, "portfolio": told(portfolio)}

    for kind, page in about.items():
        assert f"https://riskwatch.example.com/{page}" in Reader(mailed(messages[kind]).html).links


def test_only_digests_can_be_unsubscribed_from() -> None:
    assert [kind for kind in KINDS if mailed(EVERY_KIND[kind]).unsubscribe] == ["digest", "digest-empty"]


def test_a_test_is_marked_as_one_everywhere() -> None:
    assert "TEST" in mailed(EVERY_KIND["test"]).subject
    assert "TEST" in slacked(EVERY_KIND["test"])["text"]
    assert posted(EVERY_KIND["test"])["data"]["is_test"] is True


def test_a_mail_belongs_to_the_threads_of_its_incidents() -> None:
    assert mailed(several(2)).references == ("01KJX0000", "01KJX0001")


def test_a_channel_is_called_only_where_the_rule_asks_for_it() -> None:
    called = slacked(told(an_alert(mention_channel=True)))

    assert called["text"].startswith("<!channel> ")
    assert called["blocks"][1] == {"type": "section", "text": {"type": "mrkdwn", "text": "<!channel>"}}
    assert "<!channel>" not in json.dumps(slacked(told()))


# ------------------------------------------------------------------------------------------- fault 40, 41
@pytest.mark.parametrize("field", ["headline", "subject_name", "rule_name", "owner", "note"])
def test_a_line_break_in_any_field_stays_inside_one_subject_line(field: str) -> None:
    made = mailed(told(an_alert(**{field: HEADER_BREAKS})))

    assert len(made.subject.splitlines()) == 1
    assert len(made.subject) <= 78
    assert (made.subject + made.text + made.html).encode("utf-8")
    assert "\nBcc" not in made.text


def hostile() -> Message:
    bad = tuple(
        r.model_copy(update={"heading": HOSTILE, "relieved_by": (HOSTILE,)}) for r in an_alert().reasons
    )
    passed = tuple(n.model_copy(update={"heading": HOSTILE}) for n in an_alert().not_counted)
    return told(
        an_alert(
            headline=HOSTILE,
            subject_name=HOSTILE,
            rule_name=HOSTILE,
            owner=HOSTILE,
            note=HOSTILE,
            exposure=(HOSTILE,),
            next_steps=(HOSTILE,),
            reasons=bad,
            not_counted=passed,
        )
    )


def test_a_hostile_headline_is_literal_in_both_parts_of_a_mail() -> None:
    made = mailed(hostile())
    page = Reader(made.html)

    assert HOSTILE in made.text
    assert HOSTILE in page.seen
    assert "script" not in page.tags
    assert all(link.startswith("https://riskwatch.example.com/") for link in page.links)


def blocks_of(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every text object of a Slack message."""
    found = []
    for block in payload["blocks"]:
        found += [*block.get("fields", ()), *block.get("elements", ())]
        found += [block["text"]] if "text" in block else []
    return [part["text"] if part["type"] == "button" else part for part in found]


@pytest.mark.parametrize("message", [hostile(), a_digest(events=(a_line(HOSTILE),), name=HOSTILE)])
def test_a_hostile_headline_mentions_links_and_styles_nothing_in_slack(message: Message) -> None:
    payload = slacked(message)
    marked = [part["text"] for part in blocks_of(payload) if part["type"] == "mrkdwn"]

    assert HOSTILE in json.dumps([p["text"] for p in blocks_of(payload) if p["type"] == "plain_text"])
    for words in (payload["text"], slacked(message, plain=True)["text"]):
        assert not set("<>`_~") & set(words)
    for words in marked:
        assert not set("<>`_~") & set(words)
        assert words.count("*") == 2  # the name of the field


def test_a_hostile_headline_is_literal_in_a_webhook() -> None:
    assert posted(hostile())["data"]["headline"] == HOSTILE


@given(st.text(st.characters(exclude_categories=()), max_size=400))
@settings(max_examples=60, deadline=None)
def test_no_text_from_outside_makes_a_message_fail(outside: str) -> None:
    fields = dict.fromkeys(("headline", "subject_name", "rule_name", "owner", "note"), outside)
    alert = an_alert(**fields, reasons=many_events(2, outside), exposure=(outside,), next_steps=(outside,))
    digest = a_digest(events=(a_line(outside),), stale_sources=(outside,))

    for message in (told(alert), several(3, **fields), digest):
        assert len(mailed(message).subject.splitlines()) == 1
        assert mailed(message).html.encode("utf-8")
        assert json.dumps(slacked(message), ensure_ascii=False).encode("utf-8")
        assert json.dumps(posted(message), ensure_ascii=False).encode("utf-8")


def test_no_template_switches_the_escaping_off() -> None:
    for name, source in read().items():
        assert not re.search(r"\|\s*safe|autoescape|Markup", source), name


def test_a_mail_loads_nothing_from_outside() -> None:
    for kind in KINDS:
        html = mailed(EVERY_KIND[kind]).html
        assert not re.search(r"<(img|link|script|style|iframe)|url\(|@import", html), kind


# ------------------------------------------------------------------------------------------- fault 42
EXTREMES: dict[str, Message] = {
    "long headline": told(an_alert(headline=LONG, subject_name=LONG, rule_name=LONG, owner=LONG, note=LONG)),
    "one long word": told(
        an_alert(
            headline="W" * 999,
            subject_name="W" * 999,
            rule_name="W" * 999,
            owner="W" * 999,
            note="W" * 999,
            exposure=("W" * 999,),
            next_steps=("W" * 999,),
            reasons=many_events(12, "W" * 999),
        )
    ),
    "500 events": told(an_alert(reasons=many_events(500))),
    "500 long events": told(an_alert(reasons=many_events(500, LONG[:400]), headline=LONG)),
    "20 alerts of 500 long events": several(
        20,
        reasons=many_events(500, LONG[:400]),
        headline=LONG,
        subject_name=LONG,
        exposure=(LONG[:400],) * 50,
        next_steps=(LONG[:400],) * 4,
        note=LONG,
        rule_name=LONG,
        owner=LONG,
    ),
    "long digest": a_digest(
        events=(a_line(LONG, points=-1.0, event_id="01E"),) * 500,
        rumours=(a_line(LONG),) * 500,
        firing=(a_line(LONG),) * 500,
        grade_changes=(a_line(LONG),) * 500,
        expired=(a_line(LONG),) * 500,
        stale_sources=(LONG,) * 500,
    ),
    **EVERY_KIND,
}


@pytest.mark.parametrize("extreme", EXTREMES)
def test_a_mail_stays_inside_its_budgets(extreme: str) -> None:
    made = mailed(EXTREMES[extreme])

    assert 0 < len(made.subject) <= 78
    assert len(made.html.encode()) < 90_000
    assert len(made.text.encode()) < 90_000


@pytest.mark.parametrize("extreme", EXTREMES)
def test_a_slack_message_stays_inside_its_budgets(extreme: str) -> None:
    made = slacked(EXTREMES[extreme])

    assert len(made["blocks"]) <= 20
    assert len(json.dumps(made, ensure_ascii=False)) <= 10_000
    assert all(0 < len(part["text"]) <= 600 for part in blocks_of(made))
    assert all(len(b["text"]["text"]) <= 150 for b in made["blocks"] if b["type"] == "header")
    assert len(slacked(EXTREMES[extreme], plain=True)["text"]) <= 3_000


@pytest.mark.parametrize("extreme", EXTREMES)
def test_a_webhook_body_stays_inside_its_budget_and_fits_its_schema(extreme: str) -> None:
    made = posted(EXTREMES[extreme])

    assert len(json.dumps(made).encode()) < 20_000
    TypeAdapter(WebhookBody).validate_python(made)


def test_five_hundred_events_are_ten_and_490_more() -> None:
    message = told(an_alert(reasons=many_events(500)))
    made = mailed(message)

    assert "and 490 more" in made.text
    assert "and 490 more" in Reader(made.html).seen
    assert "And 497 more" in json.dumps(slacked(message))
    body = posted(message)["data"]
    assert body["contributions_left_out"] == 500 - len(body["contributions"])


def test_an_overflow_tells_the_ten_gravest_and_how_many_more() -> None:
    made = mailed(overflow())

    assert made.subject == "[riskwatch] 312 alerts over 41 vendors"
    assert "and 302 more" in made.text
    assert posted(overflow())["data"]["left_out"] == 302
