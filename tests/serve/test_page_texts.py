"""Where the text of an article is from, and why not from its page: the API and the page of an event."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from riskwatch import pipeline
from riskwatch.model import PageState
from riskwatch.store import PageText
from tests.serve.installation import Installation, Reader
from tests.store.builders import an_article

QUOTED = "The company confirmed on Tuesday that nobody will follow. " * 6


def _article(reader: Reader) -> tuple[str, dict[str, Any]]:
    events = reader.json("/v1/vendors/alibaba/lines/qwen/events")["items"]
    event = next(e for e in events if e["type"] == "leadership_exit")
    return event["id"], reader.json(f"/v1/articles/{event['claims'][0]['article']}")


def test_an_article_without_a_wanted_page_says_so(reader: Reader) -> None:
    _, article = _article(reader)

    assert article["page"] is None
    assert article["text_origin"] in ("feed", "title")


def test_an_article_tells_what_came_of_its_page(own_installation: Installation) -> None:
    reader = Reader(own_installation.flask().test_client(), own_installation.keys["read"])
    _, article = _article(reader)
    now = own_installation.clock()
    state = PageState(article["id"], "news.example", now, revision=1)
    later = now + timedelta(hours=1)
    with own_installation.app.store.begin() as unit:
        unit.pages.add_pages([state])
        asked = replace(state, attempts=1, outcome="too_slow", reason="the answer took too long")
        unit.pages.replace_page(state, replace(asked, asked_at=now, due_at=later))

    _, told = _article(reader)

    assert told["page"] == {
        "outcome": "too_slow",
        "reason": "the answer took too long",
        "url": None,
        "asked_at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "next_ask_at": f"{later:%Y-%m-%dT%H:%M:%SZ}",
    }


def test_an_event_says_that_it_was_read_from_the_page_itself(own_installation: Installation) -> None:
    reader = Reader(own_installation.flask().test_client(), own_installation.keys["read"])
    event, article = _article(reader)
    before = reader.get(f"/events/{event}").get_data(as_text=True)
    with own_installation.app.store.begin() as unit:
        text = PageText(QUOTED, "key of the page")
        unit.pages.add_text(article["id"], text, now=own_installation.clock())
    pipeline.absorb(own_installation.app.parts)

    after = reader.get(f"/events/{event}").get_data(as_text=True)

    _, told = _article(reader)
    assert told["text_origin"] == "page"
    assert [one["text_origin"] for one in told["revisions"]][-2:] == [article["text_origin"], "page"]
    assert "Read from the page itself" not in before
    assert "Read from the page itself" in after


def test_another_business_is_told_on_the_page_of_its_vendor(own_installation: Installation) -> None:
    app, now = own_installation.app, own_installation.clock()
    title = "Microsoft discontinues the Xbox Series S"
    pipeline.ingest(app.parts, [an_article("xbox", title=title, text="", published_at=now, text_key="xbox")])
    pipeline.absorb(app.parts)
    with app.store.begin(write=False) as unit:
        (event,) = unit.events.events_of("microsoft")
    client = own_installation.flask(anonymous_read=True).test_client()

    one, listed = (client.get(path).get_data(as_text=True) for path in (f"/events/{event.id}", "/events"))

    assert '<a class="quiet" href="/vendors/microsoft">Microsoft: Xbox and games</a>' in one
    assert '<a class="quiet" href="/vendors/microsoft">Microsoft: Xbox and games</a>' in listed
    assert "<dt>Counts in part</dt><dd>× 0.40</dd>" in one  # noqa: RUF001 - the sign of a product
    assert "Other businesses" in client.get("/vendors/microsoft").get_data(as_text=True)
