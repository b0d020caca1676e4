"""Who may ask, how often, and what nobody gets to see."""

import logging
from typing import Any

import pytest
import structlog

from riskwatch.serve.access import hash_of, mint_key
from riskwatch.serve.board import LOOK_SECONDS
from riskwatch.telemetry import set_up_logging
from tests.serve.installation import DAY, PEPPER, Installation, Reader, shifted
from tests.serve.test_problems import told

VENDORS = "/v1/vendors?limit=1"


def test_no_key_no_answer_and_how_to_get_one(installation: Installation) -> None:
    answer = Reader(installation.flask().test_client(), None).get(VENDORS)

    assert "riskwatch key add" in told(answer, 401)["detail"]
    assert answer.headers["WWW-Authenticate"].startswith("ApiKey")


def test_wrong_keys_all_look_alike(installation: Installation) -> None:
    client = installation.flask().test_client()
    right = installation.keys["read"]
    wrong = [shifted(right), "rw_00000000_" + "A" * 43, "rw_", "", "é", "Bearer x", right + "A", " " + right]

    fresh = {told(Reader(client, key).get(VENDORS), 401)["detail"] for key in wrong}
    assert Reader(client, right).get(VENDORS).status_code == 200
    kept = {told(Reader(client, key).get(VENDORS), 401)["detail"] for key in wrong}

    assert len(fresh) == 1
    assert kept == fresh


def test_an_expired_key_opens_nothing(own_installation: Installation) -> None:
    app, clock = own_installation.app, own_installation.clock
    key = app.add_key("short", scopes=("read",), expires_at=clock() + DAY)
    short = Reader(own_installation.flask().test_client(), key)
    assert short.get(VENDORS).status_code == 200

    clock.move(clock() + DAY)

    told(short.get(VENDORS), 401)


def test_a_revoked_key_opens_nothing_once_the_data_was_looked_at(
    own_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = [1_000.0]
    monkeypatch.setattr("riskwatch.serve.board.time.monotonic", lambda: at[0])
    app = own_installation.app
    key = app.add_key("gone", scopes=("read",))
    gone = Reader(own_installation.flask().test_client(), key)
    assert gone.get(VENDORS).status_code == 200

    app.revoke_key(key[3:11])
    at[0] += LOOK_SECONDS

    told(gone.get(VENDORS), 401)


def test_the_last_use_of_a_key_is_noted(own_installation: Installation) -> None:
    key = own_installation.keys["review"]

    Reader(own_installation.flask().test_client(), key).get(VENDORS)

    with own_installation.app.store.begin(write=False) as unit:
        stored = unit.access.key(key[3:11])
    assert stored is not None
    assert stored.last_used_at == own_installation.clock()


def test_a_scope_holds_those_before_it_and_no_other(installation: Installation) -> None:
    client = installation.flask().test_client()
    statuses = {
        scope: Reader(client, key).get("/metrics").status_code for scope, key in installation.keys.items()
    }

    assert statuses == {"read": 403, "review": 403, "admin": 200}
    assert "admin" in told(Reader(client, installation.keys["read"]).get("/metrics"), 403)["detail"]
    assert Reader(client, installation.keys["admin"]).get(VENDORS).status_code == 200


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({}, 200),
        ({"environ_base": {"REMOTE_ADDR": "::1"}}, 200),
        ({"environ_base": {"REMOTE_ADDR": "127.8.8.8"}}, 200),
        ({"environ_base": {"REMOTE_ADDR": "10.1.2.3"}}, 401),
        ({"environ_base": {"REMOTE_ADDR": "10.1.2.3"}, "headers": {"X-Forwarded-For": "127.0.0.1"}}, 401),
        ({"environ_base": {"REMOTE_ADDR": "10.1.2.3"}, "headers": {"X-Real-IP": "127.0.0.1"}}, 401),
        ({"environ_base": {"REMOTE_ADDR": ""}}, 401),
        ({"headers": {"X-Forwarded-For": "10.1.2.3"}}, 401),  # a proxy on this machine stands between
        ({"headers": {"Forwarded": "for=10.1.2.3"}}, 401),
        ({"headers": {"Host": "rebound.example"}}, 401),
        ({"headers": {"Host": "[::1]:8470"}}, 200),
        ({"headers": {"Host": "127.0.0.1:8470"}}, 200),
    ],
)
def test_anonymous_reading_is_for_this_machine_alone(
    installation: Installation, given: dict[str, Any], status: int
) -> None:
    client = installation.flask(anonymous_read=True).test_client()

    assert Reader(client, None).get(VENDORS, **given).status_code == status


def test_anonymous_reading_waits_to_be_allowed(installation: Installation) -> None:
    told(Reader(installation.flask(anonymous_read=False).test_client(), None).get(VENDORS), 401)


def test_too_many_requests_are_told_when_to_come_back(installation: Installation) -> None:
    client = installation.flask(per_minute=3).test_client()
    mine, other = Reader(client, installation.keys["read"]), Reader(client, installation.keys["review"])

    statuses = [mine.get(VENDORS).status_code for _ in range(3)]
    answer = mine.get(VENDORS)

    assert statuses == [200, 200, 200]
    told(answer, 429)
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    assert other.get(VENDORS).status_code == 200


def test_guessing_keys_is_slow(installation: Installation) -> None:
    client = installation.flask(anonymous_per_minute=2).test_client()
    guess = Reader(client, shifted(installation.keys["read"]))

    assert [guess.get(VENDORS).status_code for _ in range(3)] == [401, 401, 429]
    assert Reader(client, installation.keys["read"]).get(VENDORS).status_code == 200


def test_a_key_is_stored_as_a_keyed_hash_only(installation: Installation) -> None:
    key, shown = mint_key("x", scopes=("read",), pepper=b"p", now=installation.clock())
    secret = shown.split("_", 2)[2]

    assert secret not in repr(key)
    assert key.secret_hash == hash_of(secret, b"p") != hash_of(secret, b"q")


def test_no_answer_and_no_log_holds_a_secret(
    installation: Installation,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    key = installation.keys["admin"]
    with installation.app.store.begin(write=False) as unit:
        stored = unit.access.key(key[3:11])
    assert stored is not None
    secrets = [PEPPER, key, key.split("_", 2)[2], stored.secret_hash]
    before = structlog.get_config()
    caplog.set_level(logging.DEBUG)
    try:
        set_up_logging(form="json", level="DEBUG")
        client = installation.flask().test_client()
        asked = [Reader(client, k) for k in (key, shifted(key), None)]
        paths = (
            VENDORS,
            "/metrics",
            "/v1/sources",
            "/openapi.json",
            "/v1/nothing",
            f"/v1/vendors?q={key[:40]}",
            "/readyz",
        )
        answers = [one.get(path) for one in asked for path in paths]
    finally:
        structlog.configure(**before)

    logged = capsys.readouterr()
    seen = [str(a.headers) + a.get_data(as_text=True) for a in answers] + [
        logged.out,
        logged.err,
        caplog.text,
    ]
    assert not [secret for secret in secrets for text in seen if secret in text]
    assert PEPPER not in repr(installation.config())
