"""The pages of alerting, and what the links of messages do."""

import json
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from riskwatch import signing
from riskwatch.app import App
from riskwatch.model import Incident
from riskwatch.serve.pages import frame
from riskwatch.store import IncidentFilter
from tests.serve import alerting
from tests.serve.installation import NOW, PEPPER, Installation, config_of
from tests.serve.test_pages import checked, fetched

ADDRESS = "buyer@example.com"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture(scope="module")
def client(installation: Installation) -> FlaskClient:
    return installation.flask(anonymous_read=True).test_client()


@pytest.fixture
def stranger(own_installation: Installation) -> FlaskClient:
    """Somebody with a mail program and no key."""
    return own_installation.flask().test_client()


def material(app: App) -> Incident:
    with app.store.begin(write=False) as unit:
        return unit.incidents.incidents(IncidentFilter(rule_id="event-material"))[0]


def token(app: App, purpose: str, object_: str, *, key: bytes | None = None, days: int = 0) -> str:
    return signing.sign(
        purpose, ADDRESS, object_, now=app.now() - timedelta(days=days), key=key or link_key(app)
    )


def link_key(app: App) -> bytes:
    return app.alerts.words.key


def rows_of(app: App) -> tuple[object, ...]:
    with app.store.begin(write=False) as unit:
        return (
            tuple(unit.incidents.open_incidents()),
            tuple(unit.incidents.silences()),
            tuple(unit.outbox.schedules()),
            tuple(unit.access.audit()),
        )


# -------------------------------------------------------------------------------- pages
def test_the_page_shows_what_is_open_lost_sent_and_who_is_told(
    installation: Installation, client: FlaskClient
) -> None:
    text = fetched(client, "/alerts")

    checked(text)
    assert "Three incidents are open, one message was not delivered" in text
    assert "b…@example.com" in text
    assert ADDRESS not in text
    assert "an event that is confirmed or reported takes 3 points or more" in text
    assert "not proved: only tests are sent" in text
    assert "known since last week" in text
    assert f"/incidents/{material(installation.app).id}" in text
    assert "Show the last 180 days" in text


def test_the_days_on_which_a_rule_would_have_fired_are_drawn_when_asked_for(client: FlaskClient) -> None:
    plain, asked = fetched(client, "/alerts"), fetched(client, "/alerts?strips=1")

    checked(asked)
    told = json.loads(client.get("/v1/alert-rules/qwen-low?backtest=true").data)["backtest"]
    assert "Last 180 days" not in plain
    assert told["sentence"] in unescape(asked)


def test_incidents_are_narrowed_to_a_severity(client: FlaskClient) -> None:
    assert "No critical incident is open" in fetched(client, "/alerts?severity=critical")
    fetched(client, "/alerts?severity=loud", 422)


def test_an_incident_shows_its_course_its_messages_and_what_to_do(
    installation: Installation, client: FlaskClient
) -> None:
    found = material(installation.app)
    api = json.loads(client.get(f"/v1/incidents/{found.id}").data)
    text = fetched(client, f"/incidents/{found.id}")

    checked(text)
    alert = api["transitions"][0]["alert"]
    assert unescape(text).count(alert["headline"]) >= 2
    assert all(step[1:] in unescape(text) for step in alert["next_steps"])
    assert all(f"/v1/deliveries/{row['id']}" in text for row in api["deliveries"])
    fetched(client, "/incidents/none", 404)


def test_an_installation_without_receivers_says_that_nobody_is_told(tmp_path: Path) -> None:
    app = App(config_of(tmp_path), now=lambda: NOW)
    try:
        text = fetched(app.web(anonymous_read=True).test_client(), "/alerts")
    finally:
        app.close()

    checked(text)
    assert "No incident is open" in text
    assert "told to nobody" in text
    assert "Nothing is muted" in text


def test_event_and_vendor_pages_name_the_next_steps_of_the_playbooks(
    installation: Installation, client: FlaskClient
) -> None:
    event = json.loads(client.get("/v1/vendors/alibaba/lines/qwen/explain").data)["contributions"][0]["event"]
    steps = json.loads(client.get(f"/v1/events/{event}").data)["playbook"]

    assert steps == list(installation.app.config.playbooks.types["leadership_exit"])
    assert all(step[1:] in unescape(fetched(client, f"/events/{event}")) for step in steps)
    assert steps[0][1:] in unescape(fetched(client, "/vendors/alibaba/qwen"))


def test_every_page_says_when_messages_are_late(own_installation: Installation) -> None:
    client = own_installation.flask(anonymous_read=True).test_client()
    assert "Messages are late" not in fetched(client, "/sources")

    own_installation.clock.move(own_installation.clock() + timedelta(hours=2))
    late = own_installation.flask(anonymous_read=True).test_client()

    for path in ("/", "/alerts", "/events", "/vendors/alibaba/qwen"):
        assert "Messages are late" in fetched(late, path)
    stranger = own_installation.flask().test_client()
    assert "Messages are late" not in stranger.get("/", headers={"Accept": "text/html"}).get_data(
        as_text=True
    )


def test_every_state_of_a_message_and_a_receiver_has_its_mark() -> None:
    assert frame.glyph("dead") == "bad"
    assert frame.glyph("delivered") == "ok"
    assert frame.glyph("collapsed") == "na"


# -------------------------------------------------------------------------------- links (fault 43)
@pytest.mark.parametrize("purpose", ["acknowledge", "silence", "unsubscribe"])
def test_fault_43_looking_at_a_link_changes_nothing(
    own_installation: Installation, stranger: FlaskClient, purpose: str
) -> None:
    app = own_installation.app
    path = f"/a/{token(app, purpose, _object(app, purpose))}"
    before = rows_of(app)

    texts = [fetched(stranger, path) for _ in range(10)]
    stranger.head(path)

    assert rows_of(app) == before
    assert checked(texts[0]).of("form")[-1]["method"] == "post"
    assert ADDRESS not in texts[0]


def _object(app: App, purpose: str) -> str:
    return alerting.DIGEST["id"] if purpose == "unsubscribe" else material(app).id


@pytest.mark.parametrize(
    ("purpose", "said"),
    [("acknowledge", "Acknowledged"), ("silence", "Silenced until"), ("unsubscribe", "Unsubscribed")],
)
def test_fault_43_the_button_works_once(
    own_installation: Installation, stranger: FlaskClient, purpose: str, said: str
) -> None:
    app = own_installation.app
    path = f"/a/{token(app, purpose, _object(app, purpose))}"
    before = rows_of(app)

    first = stranger.post(path)
    after = rows_of(app)
    second = stranger.post(path)

    assert first.status_code == second.status_code == 200
    assert said in first.get_data(as_text=True)
    assert after != before
    assert rows_of(app) == after  # whoever presses twice changes nothing more
    assert app.verify_audit() is None


def test_fault_43_a_mail_program_unsubscribes_in_one_click_without_a_page(
    own_installation: Installation, stranger: FlaskClient
) -> None:
    app = own_installation.app

    answer = stranger.post(f"/a/{token(app, 'unsubscribe', 'mondays')}", data=ONE_CLICK)

    assert (answer.status_code, answer.get_data()) == (200, b"")
    with app.store.begin(write=False) as unit:
        assert unit.outbox.schedules()[0].unsubscribed == (ADDRESS,)


def _bad_tokens(app: App) -> Iterator[str]:
    id_ = material(app).id
    good = token(app, "acknowledge", id_)
    yield good[:-2] + ("AA" if good[-2:] != "AA" else "BB")  # forged
    yield token(app, "acknowledge", id_, key=PEPPER.encode()[::-1])  # of another installation
    yield token(app, "acknowledge", id_, days=15)  # expired
    yield token(app, "nothing", id_)  # for something else
    yield token(app, "acknowledge", "nothing")  # of nothing
    yield token(app, "unsubscribe", id_)  # a purpose that does not fit its object
    other = token(app, "silence", id_)
    yield good.split(".")[0] + "." + other.split(".")[1]  # another purpose's signature
    yield "x"
    yield "%00" * 400


def test_fault_43_forged_expired_and_foreign_links_tell_nothing(
    own_installation: Installation, stranger: FlaskClient
) -> None:
    app = own_installation.app
    before = rows_of(app)

    for bad in _bad_tokens(app):
        for method in ("GET", "POST", "HEAD"):
            answer = stranger.open(f"/a/{bad}", method=method, headers={"Accept": "text/html"})
            assert 400 <= answer.status_code < 500, (bad, method)
            assert ADDRESS not in answer.get_data(as_text=True)
            assert not answer.headers.get("ETag")

    assert rows_of(app) == before


def test_an_acknowledgement_by_link_shows_no_whole_address(
    own_installation: Installation, stranger: FlaskClient
) -> None:
    app = own_installation.app
    found = material(app)
    stranger.post(f"/a/{token(app, 'acknowledge', found.id)}")
    reader = own_installation.flask(anonymous_read=True).test_client()

    texts = [fetched(reader, "/alerts"), reader.get(f"/v1/incidents/{found.id}").get_data(as_text=True)]

    assert all("link:b…@example.com" in text for text in texts)
    assert not [text for text in texts if ADDRESS in text]


def test_links_are_counted_by_address(own_installation: Installation) -> None:
    app = own_installation.app
    path = f"/a/{token(app, 'acknowledge', material(app).id)}"
    client = own_installation.flask(per_minute=3).test_client()

    assert [client.get(path).status_code for _ in range(4)] == [200, 200, 200, 429]


def test_the_gravest_incidents_come_first_and_all_are_counted(
    own_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riskwatch.serve.pages.alerts.MOST_OPEN", 2)
    client = own_installation.flask(anonymous_read=True).test_client()

    text = fetched(client, "/alerts")

    assert "Three incidents are open" in text
    assert "The gravest 2 of 3" in text
    assert "Source silent</td>" not in text.replace("\n", "")
