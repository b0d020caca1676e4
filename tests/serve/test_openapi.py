"""The description of the API is golden, complete, and what the answers keep to."""

import json
from pathlib import Path

import pytest
from flask import Flask

from riskwatch.serve.api import ROUTES
from riskwatch.serve.openapi import openapi
from riskwatch.serve.route import Route
from tests.serve import alerting
from tests.serve.installation import Installation, Reader

GOLDEN = Path(__file__).parents[1] / "golden" / "openapi.json"
OPEN = {
    "/livez", "/readyz", "/readyz/alerting", "/openapi.json", "/docs", "/static/<path:filename>",
    "/a/<token>", "/login",
}  # fmt: skip


def test_the_description_of_the_api_is_the_golden_one(update_golden: bool) -> None:
    text = json.dumps(openapi(ROUTES, version="0"), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if update_golden:
        GOLDEN.write_text(text, encoding="utf-8")

    assert text == GOLDEN.read_text(encoding="utf-8"), "see the difference, then run with --update-golden"


def test_the_served_description_names_every_operation_once(reader: Reader) -> None:
    told = reader.json("/openapi.json")

    ids = [operation["operationId"] for path in told["paths"].values() for operation in path.values()]

    assert sorted(ids) == sorted(route.name for route in ROUTES)
    assert len(set(ids)) == len(ids)


def test_every_route_asks_for_a_key_or_a_log_in_but_those_meant_to_be_open(
    installation: Installation,
) -> None:
    app = installation.flask(anonymous_per_minute=10_000)
    client = app.test_client()

    for rule in app.url_map.iter_rules():
        if rule.rule in OPEN:
            continue
        path = rule.build(dict.fromkeys(rule.arguments, "x"))
        assert path is not None
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            answer = client.open(path[1], method=method)
            is_page = not path[1].startswith(("/v1", "/metrics"))
            assert answer.status_code == (303 if is_page else 401), rule.rule
            assert not is_page or answer.headers["Location"].startswith("/login"), rule.rule
    assert client.get("/livez").status_code == 200


def test_every_operation_declares_a_scope(installation: Installation) -> None:
    assert {route.scope for route in ROUTES} <= {"read", "review", "admin"}
    described = _served(installation.flask(), installation)
    assert all(o["x-scope"] for path in described["paths"].values() for o in path.values())


def _served(app: Flask, installation: Installation) -> dict[str, dict[str, dict[str, dict[str, str]]]]:
    served: dict[str, dict[str, dict[str, dict[str, str]]]] = Reader(
        app.test_client(), installation.keys["read"]
    ).json("/openapi.json")
    return served


READING = [route for route in ROUTES if not route.is_change]


@pytest.mark.parametrize("route", READING, ids=lambda route: route.name)
def test_every_answer_keeps_to_its_model(route: Route, reader: Reader, installation: Installation) -> None:
    event = reader.json("/v1/vendors/alibaba/events")["items"][0]
    ids = {
        "vendor": "alibaba",
        "line": "qwen",
        "event": event["id"],
        "story": event["story"] or "",
        "article": event["claims"][0]["article"],
        "source": reader.json("/v1/sources")["items"][0]["id"],
        "incident": reader.json("/v1/incidents")["items"][0]["id"],
        "delivery": reader.json("/v1/deliveries")["items"][0]["id"],
        "alert_rule": "week-fall",
        "receiver": "buyers",
        "digest": "mondays",
    }
    path = route.path
    for name, id_ in ids.items():
        path = path.replace(f"<{name}>", id_)
    if route.query.model_fields.get("from_") is not None:
        path += "?from=2026-03-05"

    body = {"subject": "alibaba/qwen", "add_events": [{"type": "lawsuit"}], "drop_events": [event["id"]]}
    bodies = {"backtest_alert_rule": alerting.RULE, "preview_silence": {"matchers": {"vendor": "alibaba"}}}
    asked = Reader(reader.client, installation.keys["admin"])
    answer = asked.ask(route.method, path, json=bodies.get(route.name, body) if route.body else None)

    assert answer.status_code == 200, answer.get_data(as_text=True)
    route.answer.model_validate_json(answer.get_data(), strict=True)
