"""The first log-in as its user has it: serve, a one-time password, a kill, a person who must go."""

import re
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import Popen
from typing import Any

import pytest
import requests

from riskwatch.app import utc_now
from tests.scenarios.conftest import CommandLine
from tests.serve.provider import CLIENT, SECRET, providing

pytestmark = pytest.mark.slow
PASSWORD = "a long sentence of ours"


@dataclass
class Served:
    """A service that runs, and what it printed before it listened."""

    process: Popen[str]
    address: str
    said: str

    def post(self, session: requests.Session, path: str, **fields: str) -> requests.Response:
        page = session.get(f"{self.address}{path}", timeout=60).text
        (token,) = set(re.findall(r'name="csrf" value="([0-9a-f]{64})"', page))
        return session.post(f"{self.address}{path}", data={"csrf": token, **fields}, timeout=60)

    def is_open(self, session: requests.Session) -> bool:
        answer = session.get(f"{self.address}/sources", timeout=60)
        return answer.url.endswith("/sources") and answer.status_code == 200


@contextmanager
def served(riskwatch: CommandLine, port: str) -> Iterator[Served]:
    process = riskwatch.start("serve", "--no-worker", "--port", port)
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith("riskwatch listens on "):
            break
    try:
        yield Served(process, said.split()[-1], said)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)


def test_the_first_log_in_survives_a_kill_and_ends_when_the_person_is_disabled(
    command_line: Callable[..., CommandLine],
) -> None:
    riskwatch = command_line()
    browser = requests.Session()
    browser.headers["Accept"] = "text/html"
    with served(riskwatch, "0") as first:
        (one_time,) = re.findall(r"made admin, whose one-time password is shown this once: (\S+)", first.said)
        led = first.post(browser, "/login", name="admin", password=one_time)
        assert led.url.startswith(f"{first.address}/password")
        first.post(browser, "/password", present=one_time, new=PASSWORD, again=PASSWORD)
        assert first.is_open(browser)
        port = first.address.rpartition(":")[2]

    with served(riskwatch, port) as second:
        assert "one-time" not in second.said
        assert second.is_open(browser)

        riskwatch.run("user", "disable", "admin")
        assert not second.is_open(browser)
        riskwatch.run("user", "enable", "admin")
        assert not second.is_open(browser)
        second.post(browser, "/login", name="admin", password=PASSWORD)
        assert second.is_open(browser)
    assert "whole" in riskwatch.run("audit", "verify")


def test_people_are_made_listed_and_refused_in_sentences(command_line: Callable[..., CommandLine]) -> None:
    riskwatch = command_line()

    def refused(*arguments: str, status: int = 1) -> str:
        process = riskwatch.begin(*arguments)
        _out, err = process.communicate()
        assert process.returncode == status
        assert "Traceback" not in err
        return err

    assert "Nobody." in riskwatch.run("user", "list")
    one_time = riskwatch.run("user", "add", "Ann@example.com", "--scope", "review").strip()
    riskwatch.run("user", "disable", "ann@example.com")
    rows: list[dict[str, Any]] = riskwatch.json("user", "list")["items"]

    assert len(one_time) == 19
    assert [(row["name"], row["scope"], row["state"]) for row in rows] == [
        ("ann@example.com", "review", "disabled")
    ]
    assert not {"password_hash", "password"} & set(rows[0])
    assert "disabled" in riskwatch.run("user", "list")
    assert "is taken; `riskwatch user list`" in refused("user", "add", "ann@example.com")
    assert "name: write 1 to 64" in refused("user", "add", "<script>")
    assert "`riskwatch user list` shows all" in refused("user", "password", "nobody")
    assert "'all' is not one of" in refused("user", "add", "ben", "--scope", "all", status=2)


def test_the_server_believes_no_header_that_only_the_settings_may_make_it_believe(
    command_line: Callable[..., CommandLine],
) -> None:
    forged = {"X-Forwarded-Proto": "https"}
    with served(command_line(), "0") as direct:
        answer = requests.get(f"{direct.address}/livez", headers=forged, timeout=60)
    with served(command_line(RISKWATCH_TRUSTED_PROXIES="1"), "0") as behind:
        proxied = requests.get(f"{behind.address}/livez", headers=forged, timeout=60)

    assert "Strict-Transport-Security" not in answer.headers
    assert "Strict-Transport-Security" in proxied.headers


def test_an_identity_provider_alone_lets_people_in(command_line: Callable[..., CommandLine]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    with providing(utc_now) as provider:
        settings = {
            "RISKWATCH_BASE_URL": f"http://127.0.0.1:{port}",
            "RISKWATCH_OIDC_ISSUER": provider.url,
            "RISKWATCH_OIDC_CLIENT_ID": CLIENT,
            "RISKWATCH_OIDC_CLIENT_SECRET": SECRET,
            "RISKWATCH_OIDC_READ_GROUPS": "risk-desk",
            "RISKWATCH_LOCAL_LOGIN": "false",
            "RISKWATCH_ALLOW_CIDRS": "127.0.0.0/8",
        }
        riskwatch, browser = command_line(**settings), requests.Session()
        browser.headers["Accept"] = "text/html"
        with served(riskwatch, port) as service:
            form = browser.get(f"{service.address}/sources", timeout=60)
            led = browser.get(f"{service.address}/login/sso?next=/sources", timeout=60)
            known = riskwatch.run("user", "list")
            riskwatch.run("user", "disable", "ann@example.com")
            is_open = service.is_open(browser)

    assert "one-time" not in service.said
    assert "Log in with single sign-on" in form.text
    assert "password" not in form.text
    assert led.url == f"{service.address}/sources"
    assert "ann@example.com" in led.text
    assert ["provider" in line for line in known.splitlines()] == [True]
    assert not is_open
