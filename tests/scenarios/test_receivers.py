"""Receivers made at run time: what may not be reached is refused when it is saved, without a socket."""

import json
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from riskwatch import settings
from riskwatch.alert_receivers import bound_to
from riskwatch.app import App
from riskwatch.errors import Invalid, NotFound
from riskwatch.model import Actor, Purpose, ReceiverState
from riskwatch.send.rule import ReceiverConfig
from riskwatch.signing import Grant, sign
from tests.send.deliveries import a_client
from tests.send.peers import answer, hooking

ME = Actor("me")
HOSTS = (
    "169.254.169.254", "2852039166", "0xA9FEA9FE", "0251.0376.0251.0376", "169.254.43518", "①②⑦.0.0.1",
    "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[::1]", "localhost", "0.0.0.0", "100.64.0.1",  # noqa: S104 - refused, not bound
    "[::169.254.169.254]", "[fec0::1]", "10.0.0.1", "no-such-name.invalid",
)  # fmt: skip


@pytest.fixture
def app(tmp_path: Path) -> App:
    config = settings.load(
        None,
        {
            "RISKWATCH_DATA_DIR": str(tmp_path),
            "RISKWATCH_RECEIVER_SECRET_GRC": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        },
    )
    return App(config)


def a_webhook(url: str) -> dict[str, object]:
    return {"id": "grc", "kind": "webhook", "url": url, "secret": "grc"}


@pytest.mark.parametrize("host", HOSTS)
def test_39_an_address_that_is_not_public_is_refused_at_save_without_a_socket(
    app: App, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_connection(*_args: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", no_connection)

    with pytest.raises(Invalid) as caught:
        app.desk.save_receiver(a_webhook(f"https://{host}/hook"), actor=ME)

    assert str(caught.value) == "url: nothing can be sent to this address; use a public https address"
    assert list(app.desk.receivers()) == []


def test_39_clear_text_is_refused_at_save(app: App) -> None:
    with pytest.raises(Invalid, match="public https"):
        app.desk.save_receiver(a_webhook("http://93.184.215.14/hook"), actor=ME)


def test_a_public_address_is_saved_and_waits_for_proof(app: App) -> None:
    card = app.desk.save_receiver(a_webhook("https://93.184.215.14/hook"), actor=ME)

    assert (card.id, card.verified_at, card.owner) == ("grc", None, "me")
    with app.store.begin(write=False) as unit:
        assert app.alerts.alerting.receivers(unit) == {}  # not proved: only tests are sent


def test_a_receiver_that_was_switched_off_stays_off_until_a_test_reaches_it(app: App) -> None:
    app.desk.save_receiver(a_webhook("https://93.184.215.14/hook"), actor=ME)
    with app.store.begin() as unit:
        unit.outbox.save_receiver_state(ReceiverState("grc", disabled_reason="410"))

    (card,) = app.desk.receivers()

    assert card.state.disabled_reason == "410"


# -------------------------------------------------------------------------------- proof of ownership
def receivers(app: App) -> set[str]:
    with app.store.begin(write=False) as unit:
        return set(app.alerts.alerting.receivers(unit))


def a_link(app: App, purpose: str, recipient: str) -> Grant:
    (card,) = app.desk.receivers()
    config: ReceiverConfig = TypeAdapter(ReceiverConfig).validate_json(json.dumps(card.config))
    object_ = bound_to(config) if purpose == "verify" else "team"
    return app.desk.grant(sign(purpose, recipient, object_, now=app.now(), key=app.keeping.pepper))


def test_an_email_list_is_sent_to_once_every_address_has_confirmed(app: App) -> None:
    app.desk.save_receiver(
        {"id": "team", "kind": "email", "to": ["a@example.com", "b@example.com"]}, actor=ME
    )

    app.desk.use(a_link(app, "verify", "a@example.com"))
    after_one = receivers(app)
    said = app.desk.use(a_link(app, "verify", "b@example.com"))

    assert after_one == set()
    assert receivers(app) == {"team"}
    assert said == "Confirmed: alerts are sent here."


def test_a_changed_list_must_be_confirmed_anew(app: App) -> None:
    app.desk.save_receiver({"id": "team", "kind": "email", "to": ["a@example.com"]}, actor=ME)
    app.desk.use(a_link(app, "verify", "a@example.com"))

    app.desk.save_receiver({"id": "team", "kind": "email", "to": ["c@example.com"]}, actor=ME, id_="team")

    assert receivers(app) == set()
    with pytest.raises(Invalid, match="changed since"):
        app.desk.use(a_link(app, "verify", "a@example.com"))


def test_a_link_that_was_sent_before_a_change_proves_nothing_of_what_came_after(app: App) -> None:
    team = {"id": "team", "kind": "email", "to": ["a@example.com"]}
    app.desk.save_receiver(team, actor=ME)
    old = a_link(app, "verify", "a@example.com")
    app.desk.save_receiver(team | {"to": ["a@example.com", "c@example.com"]}, actor=ME, id_="team")

    with pytest.raises(Invalid, match="changed since"):
        app.desk.use(old)
    app.desk.use(a_link(app, "verify", "c@example.com"))

    assert receivers(app) == set()  # what a@ confirmed was another list
    app.desk.use(a_link(app, "verify", "a@example.com"))
    assert receivers(app) == {"team"}


# -------------------------------------------------------------------------------- silences
@pytest.mark.parametrize(
    ("author", "carrier"), [("link:b@example.com", "b@example.com"), ("key:somebody", "a@example.com")]
)
def test_a_day_before_its_end_the_author_of_a_silence_is_reminded_once(
    tmp_path: Path, author: str, carrier: str
) -> None:
    now = [datetime(2026, 3, 5, 9, tzinfo=UTC)]
    app = App(settings.load(None, {"RISKWATCH_DATA_DIR": str(tmp_path)}), now=lambda: now[0])
    for name in "ab":
        app.desk.save_receiver(
            {"id": f"team-{name}", "kind": "email", "to": [f"{name}@example.com"]}, actor=ME
        )
        with app.store.begin() as unit:
            held = next(row for row in unit.outbox.receivers() if row.id == f"team-{name}")
            unit.outbox.save_receiver(replace(held, verified_at=now[0]))
    ends_at = now[0] + timedelta(days=3)
    app.desk.silence(
        {"vendor": "alibaba"}, actor=Actor(author), starts_at=now[0], ends_at=ends_at, reason="a known move"
    )

    for hours in (0, 47, 48, 49, 71):
        now[0] = ends_at - timedelta(hours=72 - hours)
        app.alerts.alerting.turn()

    with app.store.begin(write=False) as unit:
        (row,) = unit.outbox.open_deliveries()
    assert (row.purpose, row.recipient) == (Purpose.SYSTEM, carrier)
    assert row.created_at == ends_at - timedelta(hours=24)
    assert row.payload["title"] == "A silence ends on 2026-03-08 09:00 UTC"
    assert row.payload["lines"][0] == "It mutes: vendor alibaba."
    assert "a known move" in row.payload["lines"][1]


@pytest.mark.parametrize("purpose", ["acknowledge", "silence", "unsubscribe", "nothing"])
def test_a_link_for_another_purpose_proves_nothing(app: App, purpose: str) -> None:
    app.desk.save_receiver({"id": "team", "kind": "email", "to": ["a@example.com"]}, actor=ME)

    with pytest.raises((Invalid, NotFound)):
        app.desk.use(a_link(app, purpose, "a@example.com"))

    assert receivers(app) == set()


@pytest.mark.parametrize("echoes", [True, False])
def test_a_webhook_is_proved_by_answering_with_the_challenge(app: App, echoes: bool) -> None:
    with hooking() as hook:

        def reply(connection: socket.socket) -> None:
            word = json.loads(hook.asked[-1].body)["data"]["challenge"]
            connection.sendall(answer(200, word.encode() if echoes else b"ok"))

        app.__dict__["client"] = a_client()
        app.desk.save_receiver(a_webhook(hook.says("/hooks", reply)), actor=ME)

        told = app.desk.test_send("grc", actor=ME)

    assert told.outcome == "ok"
    assert receivers(app) == ({"grc"} if echoes else set())
