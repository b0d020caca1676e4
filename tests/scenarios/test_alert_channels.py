"""Failing channels of a whole installation: who hears of it, and that no secret gets out."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner

from riskwatch import telemetry
from riskwatch.cli import main
from riskwatch.model import DeliveryState, Purpose
from riskwatch.send.receivers.slack import SlackReceiver
from tests.collect.test_tls import a_certificate, an_authority
from tests.scenarios.flow import (
    HOOK,
    MAIL,
    MATERIAL,
    SLACK,
    START,
    Flow,
    Hand,
    bankruptcies,
    configured,
    surroundings,
)
from tests.send.deliveries import HOOK_PATH, PASSWORD, SIGNING
from tests.send.peers import Hook, Relay, Talk, answer, relaying

pytestmark = pytest.mark.slow
TOKEN = HOOK_PATH.rsplit("/", 1)[1]
EVERYONE = {"rules": [dict(MATERIAL)], "receivers": [dict(MAIL), dict(SLACK), dict(HOOK)]}
PEOPLE = {"rules": [dict(MATERIAL)], "receivers": [dict(MAIL), dict(SLACK)]}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return an_authority(tmp_path_factory.mktemp("authority"), "relay-authority")


@pytest.fixture
def relay(authority: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with relaying(a_certificate(authority, "relay")) as made:
        yield made


@pytest.fixture
def environ(relay: Relay, hook: Hook) -> dict[str, str]:
    return {
        "TEST_HOOK": f"{hook.url}/x",
        "RISKWATCH_SMTP_HOST": "127.0.0.1",
        "RISKWATCH_SMTP_PORT": str(relay.port),
        "RISKWATCH_SMTP_FROM": "riskwatch@corp.example",
        "RISKWATCH_SMTP_USER": "u",
        "RISKWATCH_SMTP_PASSWORD": PASSWORD,
        "RISKWATCH_RECEIVER_SECRET_SLACK_PATH": hook.url + HOOK_PATH,
        "RISKWATCH_LOG_LEVEL": "DEBUG",
    }


Make = Callable[[dict[str, Any]], Flow]


@pytest.fixture
def make(tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Make installations whose hours pass faster than Slack's pace of a message a second."""
    monkeypatch.setattr(SlackReceiver, "pace_seconds", 0.0)
    flows: list[Flow] = []

    def made(alerts: dict[str, Any]) -> Flow:
        flows.append(Flow(configured(tmp_path, alerts, environ=environ), Hand(START)))
        return flows[-1]

    yield made
    for one in flows:
        one.close()


def subjects(relay: Relay) -> list[str]:
    lines = [line for _, content in relay.mails for line in content.decode().splitlines()]
    return [line for line in lines if line.startswith("Subject:")]


# -------------------------------------------------------------------------------- 38
@pytest.mark.parametrize("said", [answer(404, b"no_service"), answer(500, b"rollup_error")])
def test_38_people_hear_by_mail_that_slack_fails_and_no_loop_comes_of_it(
    make: Make, relay: Relay, hook: Hook, said: bytes
) -> None:
    hook.says(HOOK_PATH, said)
    flow = make(PEOPLE).start()
    flow.ingest(*bankruptcies(3, at=START))

    for _ in range(14):
        flow.later(minutes=30).tick()

    system = flow.deliveries(purpose="system")
    assert {row.receiver_id for row in system} == {"mail"}
    assert 1 <= len(system) <= 2  # once in six hours
    assert all(row.state is DeliveryState.DELIVERED for row in system)
    assert sum("slack" in subject for subject in subjects(relay)) == len(system)
    assert len([row for row in flow.deliveries("delivered") if row.purpose is Purpose.ALERT]) == 3


def test_38_where_both_fail_neither_news_makes_news(make: Make, relay: Relay, hook: Hook) -> None:
    hook.says(HOOK_PATH, answer(500, b"rollup_error"))
    relay.says("AUTH", *[b"535 no\r\n"] * 900)
    flow = make(PEOPLE).start()
    flow.ingest(*bankruptcies(3, at=START))

    for _ in range(14):
        flow.later(minutes=30).tick()

    assert len(flow.deliveries(purpose="system")) <= 4
    assert relay.mails == []


# -------------------------------------------------------------------------------- 44
def test_44_no_secret_is_in_logs_tries_answers_pages_or_settings_when_all_fails_at_debug(
    make: Make,
    relay: Relay,
    hook: Hook,
    tmp_path: Path,
    environ: dict[str, str],
    capfd: pytest.CaptureFixture[str],
) -> None:
    def echo(talk: Talk) -> bytes:
        return f"535 {PASSWORD} {talk.relay.heard[-1]}\r\n".encode()

    relay.says("AUTH", *[echo] * 99)
    told = f"{hook.url}{HOOK_PATH} {HOOK_PATH} {TOKEN}".encode()
    hook.says(HOOK_PATH, answer(500, told), answer(301, told, Location=hook.url + HOOK_PATH), lambda _: None)
    hook.says("/x", answer(503, SIGNING.encode()), lambda _: None, answer(403, SIGNING.encode()))
    flow = make(EVERYONE)
    root, level, handler = logging.getLogger(), logging.getLogger().level, logging.StreamHandler()
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    telemetry.set_up_logging(form="json", level="DEBUG", secrets=flow.config.settings.secrets())
    flow.app.log = structlog.get_logger("riskwatch")
    try:
        flow.start().ingest(*bankruptcies(3, at=START))
        for _ in range(8):
            flow.later(minutes=40).tick()
        key = {"X-API-Key": flow.app.add_key("admin", scopes=("read", "review", "admin"))}
        client = flow.app.web().test_client()
        row = flow.deliveries()[0].id
        paths = (
            "/v1/deliveries?limit=200", f"/v1/deliveries/{row}", "/v1/receivers", "/v1/audit",
            "/v1/incidents",
            "/readyz/alerting", "/metrics", "/alerts", "/incidents/none", "/v1/deliveries/none", "/a/none",
        )  # fmt: skip
        answers = {path: client.get(path, headers=key).get_data(as_text=True) for path in paths}
        tests = [
            client.post(f"/v1/receivers/{id_}/test", headers=key).get_data(as_text=True)
            for id_ in ("mail", "slack", "grc")
        ]
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        structlog.reset_defaults()
    printed = "".join(capfd.readouterr())
    shown = CliRunner().invoke(
        main,
        ["--config", str(tmp_path / "overlay"), "settings", "show"],
        env={**surroundings(tmp_path), **environ},
    )

    attempts = flow.attempts()
    assert Counter(str(one.outcome) for one in attempts)["ok"] == 0
    assert len(attempts) > 6
    assert "delivery_tried" in printed
    assert shown.exit_code == 0, shown.output
    assert row in answers[f"/v1/deliveries/{row}"]
    with flow.app.store.begin(write=False) as unit:
        states = repr(unit.outbox.receiver_states())
    everything = {
        "log": printed,
        "tries": repr(attempts),
        "states": states,
        "settings": shown.output,
        "tests": repr(tests),
    }
    for place, text in {**everything, **answers}.items():
        for secret in (
            TOKEN,
            SIGNING,
            SIGNING.removeprefix("whsec_"),
            PASSWORD,
            "AHUAY29ycmVjdC1ob3JzZS1iYXR0ZXJ5",
        ):
            assert secret not in text, place
