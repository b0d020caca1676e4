"""Alerting through the command line, against a real relay and a real hook."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from riskwatch.app import utc_now
from tests.scenarios.conftest import CommandLine
from tests.scenarios.flow import bankruptcies, surroundings
from tests.scenarios.test_alert_channels import (  # noqa: F401 - fixtures
    PEOPLE,
    Make,
    authority,
    environ,
    make,
    relay,
    subjects,
)
from tests.send.deliveries import HOOK_PATH
from tests.send.peers import Hook, Relay, answer

pytestmark = pytest.mark.slow


def test_the_command_line_tests_lists_previews_replays_acknowledges_and_sends_again(
    make: Make,  # noqa: F811 - a fixture
    relay: Relay,  # noqa: F811 - a fixture
    hook: Hook,
    tmp_path: Path,
    environ: dict[str, str],  # noqa: F811 - a fixture
) -> None:
    hook.says(HOOK_PATH, answer(400, b"invalid_payload"))
    flow = make(PEOPLE)
    flow.clock.at = utc_now()
    flow.start().ingest(*bankruptcies(2, at=utc_now()))
    for _ in range(3):
        flow.later(minutes=2).tick()
    riskwatch = CommandLine(
        tmp_path / "data", **{**surroundings(tmp_path), **environ, "RISKWATCH_LOG_LEVEL": "ERROR"}
    )
    config = ("--config", str(tmp_path / "overlay"))

    assert "slack: permanent invalid_payload" in riskwatch.run(*config, "send-test", "slack", status=1)
    assert "mail: ok 250" in riskwatch.run(*config, "send-test", "mail")
    assert any("TEST" in subject for subject in subjects(relay))

    incidents = riskwatch.json(*config, "alerts", "list")
    assert {one["subject"] for one in incidents} == {"mistral", "cohere"}
    preview = riskwatch.run(*config, "alerts", "preview", incidents[0]["id"])
    assert preview.startswith("Subject: [riskwatch] ")
    assert json.loads(riskwatch.run(*config, "alerts", "preview", "--kind", "slack"))["blocks"]
    assert "fired" in riskwatch.run(*config, "alerts", "replay", "event-material")
    assert "acknowledged by command line" in riskwatch.run(
        *config, "alerts", "acknowledge", incidents[0]["id"], "--note", "seen"
    )

    dead = [row.id for row in flow.deliveries("dead")]
    assert dead
    hook.says(HOOK_PATH, answer(200, b"ok"))
    assert f"{len(dead)} of {len(dead)}" in riskwatch.run(*config, "deliveries", "redrive", *dead)
    assert "0 of 1" in riskwatch.run(*config, "deliveries", "redrive", dead[0], status=1)
    flow.later(hours=1).tick()
    assert flow.deliveries("dead") == []
