"""Alerting through /v1: who may change what, over the real desk and the real store."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from riskwatch import pipeline
from riskwatch.model import Actor
from riskwatch.serve import create_app
from riskwatch.serve.api import ROUTES
from riskwatch.web import WebActions
from tests.serve import alerting
from tests.serve.installation import Installation, Reader
from tests.serve.test_problems import told
from tests.store.builders import an_article

MINE = {**alerting.RULE, "id": "mine"}
MAIL = {**alerting.MAIL, "id": "mine"}
DIGEST = {**alerting.DIGEST, "id": "mine"}
FILE_RULE = {
    "id": "week-fall", "severity": "info", "scope": {"all": True},
    "condition": {"kind": "score_below", "threshold": 10},
}  # fmt: skip
CHANGES = [route for route in ROUTES if route.is_change]


@pytest.fixture
def asked(own_installation: Installation) -> Mapping[str, Reader]:
    """A reader, two reviewers and an admin, on one web app."""
    app = own_installation.app
    keys = {**own_installation.keys, "other": app.add_key("other", scopes=("review",))}
    client = own_installation.flask().test_client()
    return {name: Reader(client, key) for name, key in keys.items()}


def post(reader: Reader, path: str, body: object = None, method: str = "POST", **given: Any) -> TestResponse:
    return reader.ask(method, f"/v1/{path}", json=body, **given)


def done(answer: TestResponse, status: int = 200) -> Any:
    assert answer.status_code == status, answer.get_data(as_text=True)
    return json.loads(answer.get_data())


def own_id(key: str) -> str:
    return key[3:11]


# -------------------------------------------------------------------------------- every change
def test_every_change_answers_as_described_and_is_in_the_audit_log(
    own_installation: Installation, asked: Mapping[str, Reader]
) -> None:
    admin = asked["admin"]
    incident = admin.json("/v1/incidents?state=firing")["items"][0]["id"]
    silence = admin.json("/v1/silences")["items"][0]["id"]
    dead, held, waiting = (
        admin.json(f"/v1/deliveries?state={state}")["items"][0]["id"] for state in ("dead", "held", "pending")
    )
    ends_at = "2026-04-01"
    calls: dict[str, tuple[str, object]] = {
        "add_alert_rule": ("alert-rules", MINE),
        "put_alert_rule": ("alert-rules/mine", {**MINE, "severity": "critical"}),
        "delete_alert_rule": ("alert-rules/mine", None),
        "add_receiver": ("receivers", MAIL),
        "put_receiver": ("receivers/mine", {**MAIL, "enabled": False}),
        "add_digest": ("digests", DIGEST),
        "put_digest": ("digests/mine", {**DIGEST, "at": "09:00"}),
        "delete_digest": ("digests/mine", None),
        "delete_receiver": ("receivers/mine", None),
        "acknowledge_incident": (f"incidents/{incident}/acknowledge", {"until": ends_at, "reason": "seen"}),
        "assign_incident": (f"incidents/{incident}/assign", {"owner": "J. Doe"}),
        "add_silence": (
            "silences", {"matchers": {"vendor": "alibaba"}, "ends_at": ends_at, "reason": "moving house"},
        ),
        "end_silence": (f"silences/{silence}", None),
        "redrive_delivery": (f"deliveries/{dead}/redrive", None),
        "release_delivery": (f"deliveries/{held}/release", None),
        "cancel_delivery": (f"deliveries/{waiting}/cancel", None),
    }  # fmt: skip
    routes = {route.name: route for route in CHANGES}
    before = len(own_installation.app.audit(after=0, limit=1000))

    for name, (path, body) in calls.items():
        answer = post(admin, path, body, routes[name].method)
        assert answer.status_code == routes[name].status, (name, answer.get_data(as_text=True))
        routes[name].answer.model_validate_json(answer.get_data(), strict=True)

    assert {*calls, "send_receiver_test"} == set(routes)  # a test needs a mail server: see below
    assert len(own_installation.app.audit(after=0, limit=1000)) == before + len(calls)
    assert own_installation.app.verify_audit() is None


@pytest.mark.parametrize("route", CHANGES, ids=lambda route: route.name)
def test_a_read_key_changes_nothing(route: Any, reader: Reader) -> None:
    path = route.path.replace("<incident>", "x").replace("<delivery>", "x").replace("<silence>", "x")
    for name in ("alert_rule", "receiver", "digest"):
        path = path.replace(f"<{name}>", "x")

    assert route.scope in told(reader.ask(route.method, path, json={}), 403)["detail"]


# -------------------------------------------------------------------------------- rules
def test_a_rule_tells_when_it_would_have_fired_and_a_trial_stores_nothing(
    asked: Mapping[str, Reader],
) -> None:
    mine = asked["review"]
    trial = done(post(mine, "alert-rules/backtest", MINE))

    assert told(mine.get("/v1/alert-rules/mine"), 404)
    assert trial["days"] == 180
    assert {one["subject"] for one in trial["firings"]} == {"alibaba/qwen"}
    assert done(post(mine, "alert-rules", MINE), 201)["backtest"] == trial
    assert mine.json("/v1/alert-rules/mine")["backtest"] is None
    assert mine.json("/v1/alert-rules/mine?backtest=true")["backtest"] == trial


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"condition": {"kind": "score_below", "threshold": 400}}, "threshold"),
        ({"condition": {"kind": "nothing"}}, "condition"),
        ({"scope": {"vendors": ["nobody"]}}, "scope"),
        ({"sevrity": "info"}, "sevrity"),
        ({"name": "a\u0000b"}, "body"),
        ({"scope": {"a": [[[[[[[[[[[[[1]]]]]]]]]]]]]}}, "body"),
        ({"severity": "loud"}, "severity"),
    ],
)
def test_a_wrong_rule_is_told_what_is_wrong(
    asked: Mapping[str, Reader], wrong: Mapping[str, Any], field: str
) -> None:
    problem = told(post(asked["review"], "alert-rules", {**MINE, **wrong}), 422)

    assert field in problem["errors"][0]["field"]


def test_what_stands_in_the_file_is_read_only(asked: Mapping[str, Reader]) -> None:
    admin = asked["admin"]

    assert "read-only" in told(post(admin, "alert-rules/week-fall", FILE_RULE, "PUT"), 409)["detail"]
    assert "read-only" in told(post(admin, "alert-rules/week-fall", None, "DELETE"), 409)["detail"]
    assert "taken" in told(post(admin, "alert-rules", alerting.RULE), 409)["detail"]


def test_a_change_of_what_has_changed_since_is_refused(asked: Mapping[str, Reader]) -> None:
    mine = asked["review"]
    done(post(mine, "alert-rules", MINE), 201)
    tag = mine.get("/v1/alert-rules/mine").headers["ETag"]
    louder = {**MINE, "severity": "critical"}

    done(post(mine, "alert-rules/mine", louder, "PUT", headers={"If-Match": tag}))

    told(post(mine, "alert-rules/mine", MINE, "PUT", headers={"If-Match": tag}), 412)
    told(post(mine, "alert-rules/mine", None, "DELETE", headers={"If-Match": tag}), 412)
    assert mine.json("/v1/alert-rules/mine")["rule"]["severity"] == "critical"


# -------------------------------------------------------------------------------- owners (fault 45)
def test_fault_45_nobody_but_an_admin_touches_what_another_key_made(asked: Mapping[str, Reader]) -> None:
    mine, other, admin = asked["review"], asked["other"], asked["admin"]
    ends_at = {"ends_at": "2026-04-01", "reason": "known"}
    done(post(mine, "alert-rules", MINE), 201)
    done(post(mine, "digests", DIGEST), 201)
    silence = done(post(mine, "silences", {"matchers": {"vendor": "alibaba"}, **ends_at}), 201)["id"]
    calls = [
        ("alert-rules/mine", MINE, "PUT"),
        ("alert-rules/mine", None, "DELETE"),
        ("digests/mine", DIGEST, "PUT"),
        ("digests/mine", None, "DELETE"),
        (f"silences/{silence}", None, "DELETE"),
        ("receivers/buyers/test", None, "POST"),
    ]

    refused = [told(post(other, path, body, method), 403)["detail"] for path, body, method in calls]

    assert all("admin" in detail for detail in refused)
    assert mine.json("/v1/alert-rules/mine")["version"] == 1
    done(post(admin, "alert-rules/mine", MINE, "PUT"))
    done(post(admin, f"silences/{silence}", None, "DELETE"))
    assert mine.json("/v1/alert-rules/mine")["owner"] == own_id(str(mine.key))


def test_fault_45_messages_are_redriven_and_given_up_by_admins_alone(asked: Mapping[str, Reader]) -> None:
    dead = asked["admin"].json("/v1/deliveries?state=dead")["items"][0]["id"]

    for verb in ("redrive", "cancel"):
        told(post(asked["review"], f"deliveries/{dead}/{verb}"), 403)
    moved = done(post(asked["admin"], f"deliveries/{dead}/redrive"))

    assert (moved["state"], moved["series"], moved["tries"]) == ("pending", 2, 0)
    assert "pending" in told(post(asked["admin"], f"deliveries/{dead}/redrive"), 409)["detail"]


def test_receivers_and_their_addresses_are_for_admins(asked: Mapping[str, Reader]) -> None:
    for name in ("read", "review"):
        told(asked[name].get("/v1/receivers"), 403)
        told(asked[name].get("/v1/receivers/buyers"), 403)
        assert "buyer@" not in asked[name].get("/v1/deliveries").get_data(as_text=True)

    assert asked["admin"].json("/v1/receivers/buyers")["config"]["to"] == alerting.MAIL["to"]


# -------------------------------------------------------------------------------- test sends (fault 46)
def test_fault_46_a_sixth_test_within_a_minute_is_refused(asked: Mapping[str, Reader]) -> None:
    admin = asked["admin"]

    answers = [post(admin, "receivers/buyers/test") for _ in range(6)]

    problems = [told(answer, 422)["detail"] for answer in answers[:5]]
    assert all("RISKWATCH_SMTP_HOST" in detail for detail in problems)  # none is set, and each try counts
    assert told(answers[5], 429)
    assert 1 <= int(answers[5].headers["Retry-After"]) <= 61


# -------------------------------------------------------------------------------- incidents
def test_an_incident_shows_its_course_as_it_was_told(reader: Reader) -> None:
    row = reader.json("/v1/incidents?subject=alibaba/qwen&rule=event-material")["items"][0]
    found = reader.json(f"/v1/incidents/{row['id']}")

    steps = found["transitions"]
    assert row["subject_name"] == "Qwen"
    assert [step["seq"] for step in steps] == list(range(1, len(steps) + 1))
    spoken = [step for step in steps if step["step"] == "opened"]
    assert spoken[0]["alert"]["subject"] == "alibaba/qwen"
    assert spoken[0]["alert"]["reasons"][0]["points"] < 0


def test_incidents_come_in_pages_without_gap_or_repeat(reader: Reader) -> None:
    whole = [row["id"] for row in reader.json("/v1/incidents?limit=200")["items"]]

    paged = [row["id"] for page in reader.pages("/v1/incidents", 2) for row in page]

    assert paged == whole
    assert len(set(paged)) == len(paged) > 2


def test_an_acknowledged_incident_says_by_whom_and_until_when(asked: Mapping[str, Reader]) -> None:
    mine = asked["review"]
    id_ = mine.json("/v1/incidents?state=firing")["items"][0]["id"]

    shown = done(post(mine, f"incidents/{id_}/acknowledge", {"until": "2026-03-20", "reason": "seen"}))
    late = post(mine, f"incidents/{id_}/acknowledge", {"until": "2026-03-01"})

    assert shown["acknowledged"]["by"] == own_id(str(mine.key))
    assert shown["acknowledged"]["until"] == "2026-03-20T23:59:59Z"
    assert mine.json(f"/v1/incidents/{id_}")["acknowledged"] == shown["acknowledged"]
    assert told(late, 422)["errors"][0]["field"] == "until"


def test_a_silence_is_previewed_made_and_ended(
    own_installation: Installation, asked: Mapping[str, Reader]
) -> None:
    mine = asked["review"]
    matchers = {"matchers": {"subject": "alibaba/qwen"}}
    muted = done(post(mine, "silences/preview", matchers))["items"]
    body = {**matchers, "ends_at": "2026-03-20", "reason": "known"}

    made = done(post(mine, "silences", body), 201)
    far = post(mine, "silences", {**body, "ends_at": "2027-01-01"})
    own_installation.clock.move(own_installation.clock() + timedelta(hours=1))
    ended = done(post(mine, f"silences/{made['id']}", None, "DELETE"))

    assert {row["rule"] for row in muted} == {"event-material", "qwen-low"}
    assert made["state"] == "running"
    assert "90" in told(far, 422)["detail"]
    assert ended["state"] == "ended"
    assert made["id"] in [row["id"] for row in mine.json("/v1/silences?state=ended")["items"]]


def test_the_answer_to_a_listing_changes_with_an_incident(asked: Mapping[str, Reader]) -> None:
    mine = asked["review"]
    before = mine.get("/v1/incidents").headers["ETag"]
    id_ = mine.json("/v1/incidents?state=firing")["items"][0]["id"]
    assert mine.get("/v1/incidents", headers={"If-None-Match": before}).status_code == 304

    done(post(mine, f"incidents/{id_}/assign", {"owner": "J. Doe"}))

    assert mine.get("/v1/incidents", headers={"If-None-Match": before}).status_code == 200


# -------------------------------------------------------------------------------- messages
def test_a_delivery_shows_its_tries_and_masks_the_address(own_installation: Installation) -> None:
    admin = Reader(own_installation.flask().test_client(), own_installation.keys["read"])
    dead = admin.json("/v1/deliveries?state=dead&receiver=buyers&purpose=alert")["items"][0]
    shown = admin.json(f"/v1/deliveries/{dead['id']}")

    assert dead["recipient"] == "b…@example.com"
    assert shown["payload"]["kind"] == "alert"
    assert shown["attempts"] == []
    assert dead["title"].count(":") == 1


def test_a_digest_is_previewed_as_it_would_be_sent(reader: Reader) -> None:
    shown = reader.json("/v1/digests/mondays/preview")

    assert "[riskwatch]" in shown["subject"]
    assert "Qwen" in shown["text"]
    assert "because buyers is a receiver" in shown["text"]


def test_a_digest_tells_an_event_of_another_business_with_the_points_of_its_vendor(
    own_installation: Installation,
) -> None:
    app, now = own_installation.app, own_installation.clock()
    title = "Microsoft discontinues the Xbox Series S"
    pipeline.ingest(app.parts, [an_article("xbox", title=title, text="", published_at=now, text_key="xbox")])
    pipeline.absorb(app.parts)
    own_installation.clock.move(now + timedelta(minutes=1))
    reader = Reader(own_installation.flask().test_client(), own_installation.keys["read"])
    taken = next(
        one["points"]
        for one in reader.json("/v1/vendors/microsoft/explain")["contributions"]
        if one["subject"] == "microsoft/-xbox"
    )

    shown = reader.json("/v1/digests/mondays/preview")["text"]

    assert f"{taken:.1f}  Microsoft/Xbox and games" in shown
    assert taken > 0


def test_the_audit_log_is_for_admins_and_comes_in_pages(asked: Mapping[str, Reader]) -> None:
    told(asked["review"].get("/v1/audit"), 403)

    rows = [row for page in asked["admin"].pages("/v1/audit", 2) for row in page]

    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert "rule.save" in {row["action"] for row in rows}


# -------------------------------------------------------------------------------- health
def test_late_alerts_are_told_by_readiness_metrics_and_the_api(own_installation: Installation) -> None:
    app, clock = own_installation.app, own_installation.clock
    asked = Reader(own_installation.flask().test_client(), own_installation.keys["admin"])
    assert asked.get("/readyz/alerting").status_code == 200
    assert "on time" in asked.get("/readyz").get_data(as_text=True)

    clock.move(clock() + timedelta(hours=1, minutes=10))

    late = told(asked.get("/readyz/alerting"), 503)
    assert "waited for 10 minutes" in late["detail"]
    assert asked.get("/readyz").status_code == 200
    assert asked.json("/v1/alert-health")["well"] is False
    gauges = asked.get("/metrics").get_data(as_text=True)
    assert "riskwatch_delivery_oldest_due_seconds 600\n" in gauges
    assert 'riskwatch_deliveries{state="dead",kind="email"} 1\n' in gauges
    assert "riskwatch_deliveries_dead 1\n" in gauges
    assert 'riskwatch_delivery_lag_seconds{quantile="0.5"} 240\n' in gauges
    assert 'riskwatch_incidents{state="firing",severity="warning"} 2\n' in gauges
    app.alerts.alerting.turn()
    assert 'riskwatch_tick_age_seconds{tick="evaluate"} 0\n' in asked.get("/metrics").get_data(as_text=True)


def test_without_alerting_its_operations_say_so(installation: Installation) -> None:
    app = installation.app
    bare = create_app(
        store=app.store,
        actions=WebActions(app.parts, app.counters.text),
        config=installation.config(),
        now=installation.clock,
    )
    reader = Reader(bare.test_client(), installation.keys["admin"])

    for path in ("alert-rules", "incidents", "receivers", "digests", "alert-health"):
        assert "alerting does not run here" in told(reader.get(f"/v1/{path}"), 503)["detail"]
    assert reader.get("/readyz/alerting").status_code == 200
    assert reader.get("/v1/vendors").status_code == 200


def test_an_actor_of_the_command_line_may_change_what_keys_made(own_installation: Installation) -> None:
    own_installation.app.desk.delete_rule("qwen-low", actor=Actor("command line", may_all=True))

    with own_installation.app.store.begin(write=False) as unit:
        assert unit.incidents.rules() == ()
