"""Servers in front: what they tell of a request counts where they are trusted, and only what they tell."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from riskwatch.app import App
from riskwatch.serve.login import LOGINS_PER_MINUTE
from riskwatch.serve.sessions import MOST_TRIES
from riskwatch.settings import load
from tests.serve.installation import Installation
from tests.serve.people import Browser, add_user, cheap_hashes

ANN, BOB, FORGED = "192.0.2.1", "192.0.2.2", "198.51.100.9"
VENDORS = "/v1/vendors"


def asked(flask: Flask, path: str = VENDORS, *, by: str = "127.0.0.1", **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return flask.test_client().get(path, headers=named, environ_base={"REMOTE_ADDR": by})


def statuses(flask: Flask, told: str, times: int = 3) -> list[int]:
    return [asked(flask, X_Forwarded_For=told).status_code for _ in range(times)]


def test_without_trusted_proxies_a_forged_header_changes_nothing(installation: Installation) -> None:
    flask = installation.flask(anonymous_per_minute=2)

    each_forged = [asked(flask, X_Forwarded_For=f"192.0.2.{n}").status_code for n in range(3)]
    answer = asked(flask, "/login", X_Forwarded_Proto="https")

    assert each_forged == [401, 401, 429]
    assert "Strict-Transport-Security" not in answer.headers
    assert "Secure" not in answer.headers["Set-Cookie"]


def test_two_clients_behind_one_proxy_have_limits_of_their_own(installation: Installation) -> None:
    flask = installation.flask(anonymous_per_minute=2, trusted_proxies=1)

    assert statuses(flask, ANN) == [401, 401, 429]
    assert statuses(flask, BOB) == [401, 401, 429]


def test_an_entry_that_the_client_forged_does_not_count(installation: Installation) -> None:
    flask = installation.flask(anonymous_per_minute=2, trusted_proxies=1)

    given = [asked(flask, X_Forwarded_For=f"198.51.100.{n}, {ANN}").status_code for n in range(3)]

    assert given == [401, 401, 429]
    assert statuses(flask, BOB, 1) == [401]


def test_behind_two_proxies_the_second_entry_from_the_end_counts(installation: Installation) -> None:
    flask = installation.flask(anonymous_per_minute=2, trusted_proxies=2)

    assert statuses(flask, f"{FORGED}, {ANN}, 10.0.0.1") == [401, 401, 429]
    assert statuses(flask, f"{ANN}, 10.0.0.2", 1) == [429]
    assert statuses(flask, f"{ANN}, {BOB}, 10.0.0.1", 1) == [401]


@pytest.mark.parametrize(
    ("told", "is_secure"), [("https", True), ("http", False), ("https, http", False), ("http, https", True)]
)
def test_the_scheme_is_what_the_last_proxy_saw(
    installation: Installation, told: str, is_secure: bool
) -> None:
    answer = asked(installation.flask(trusted_proxies=1), "/login", X_Forwarded_Proto=told)

    assert ("Strict-Transport-Security" in answer.headers) is is_secure
    assert ("Secure" in answer.headers["Set-Cookie"]) is is_secure


def test_no_proxy_names_the_host(installation: Installation) -> None:
    answer = asked(
        installation.flask(trusted_proxies=1), "/", X_Forwarded_Host="evil.example", Accept="text/html"
    )

    assert answer.headers["Location"] == "/login?next=%2F"


@pytest.mark.parametrize("proxies", [0, 1, 2])
@pytest.mark.parametrize(
    "headers",
    [
        {"X_Forwarded_For": "127.0.0.1"},
        {"X_Forwarded_For": "127.0.0.1, 127.0.0.1"},
        {"X_Forwarded_For": "127.0.0.1", "X_Forwarded_Host": "localhost"},
        {"X_Forwarded_For": ""},
        {"X_Forwarded_Proto": "http"},
    ],
)
def test_no_header_makes_a_request_one_of_this_machine(
    installation: Installation, proxies: int, headers: Mapping[str, str]
) -> None:
    flask = installation.flask(anonymous_read=True, trusted_proxies=proxies)

    for by in ("127.0.0.1", "10.1.2.3"):
        assert asked(flask, by=by, **headers).status_code == 401


def test_behind_a_proxy_that_tells_nothing_nobody_reads_anonymously(installation: Installation) -> None:
    assert asked(installation.flask(anonymous_read=True, trusted_proxies=1)).status_code == 401
    assert asked(installation.flask(anonymous_read=True)).status_code == 200


def test_log_ins_are_limited_and_noted_by_the_address_that_the_proxy_told(
    own_installation: Installation,
) -> None:
    flask = own_installation.flask(trusted_proxies=1)
    add_user(own_installation.app, "ann")
    with cheap_hashes():
        browser = Browser(flask)
        token = browser.token("/login")

        def tried(name: str, address: str) -> int:
            fields = {"csrf": token, "name": name, "password": "x"}
            return browser.client.post(
                "/login", data=fields, headers={"X-Forwarded-For": f"{FORGED}, {address}"}
            ).status_code

        given = [tried(f"n{n}", ANN) for n in range(LOGINS_PER_MINUTE + 1)]
        locked = [tried("ann", BOB) for _ in range(MOST_TRIES)]

    assert given == [401] * LOGINS_PER_MINUTE + [429]
    assert locked == [401] * MOST_TRIES
    with own_installation.app.store.begin(write=False) as unit:
        last = unit.access.audit()[-1]
    assert (last.action, last.object, last.after) == ("login.locked", "ann", {"address": BOB})


def test_the_setting_reaches_the_web_app(own_installation: Installation) -> None:
    settings = {"RISKWATCH_DATA_DIR": str(own_installation.folder), "RISKWATCH_SECRET_KEY": "k" * 32}
    app = App(load(environ={**settings, "RISKWATCH_TRUSTED_PROXIES": "1"}))
    try:
        answer = asked(app.web(), "/livez", X_Forwarded_Proto="https")
    finally:
        app.close()

    assert "Strict-Transport-Security" in answer.headers
