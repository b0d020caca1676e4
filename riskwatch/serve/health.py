"""/livez, /readyz, /metrics, /openapi.json and /docs."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

from flask import Flask, Response, render_template

from riskwatch.errors import StoreError
from riskwatch.model import CANARY
from riskwatch.serve import problem
from riskwatch.serve.api import ROUTES
from riskwatch.serve.gauges import alert_gauges, gauge
from riskwatch.serve.pages.frame import site_of
from riskwatch.serve.route import Desk


def install(app: Flask, desk: Desk, admit: Callable[[str], object], description: bytes) -> None:
    """Add the operations outside /v1."""

    def metrics() -> Response:
        admit("read" if desk.config.anonymous_read else "admin")
        gauges = _gauges(desk) + alert_gauges(desk)
        return Response(gauges.encode() + desk.actions.metrics(), mimetype="text/plain; version=0.0.4")

    def openapi_json() -> Response:
        return Response(
            description, mimetype="application/json", headers={"Cache-Control": "public, max-age=300"}
        )

    def docs() -> Response:
        text = render_template("docs.html", site=site_of(desk), api=json.loads(description), routes=ROUTES)
        return Response(text, mimetype="text/html", headers={"Cache-Control": "private, no-cache"})

    for path, view in (
        ("/livez", _livez),
        ("/readyz", partial(_readiness, desk)),
        ("/readyz/alerting", partial(_alerting_readiness, desk)),
        ("/metrics", metrics),
        ("/openapi.json", openapi_json),
        ("/docs", docs),
    ):
        app.add_url_rule(path, path.strip("/"), view, methods=["GET"])


def _livez() -> Response:
    return Response("ok\n", mimetype="text/plain")  # the process answers; nothing is touched


def _alerting_readiness(desk: Desk) -> Response:
    late = _lateness(desk)
    if late:
        return problem.problem(503, "alerts-are-late", " ".join(late))
    return Response("ready\n", mimetype="text/plain")


def _readiness(desk: Desk) -> Response:
    try:
        schema = desk.store.check_schema()
    except StoreError as error:
        return problem.problem(503, "not-ready", str(error))
    if schema != "head":
        advice = "the database is being migrated, or `riskwatch migrate` is needed"
        return problem.problem(503, "not-ready", advice)
    late = _lateness(desk)
    alerting = "".join(f"{sentence}\n" for sentence in late) or "alerting: on time\n"
    age = _canary_age_seconds(desk)
    canary = "" if age is None else f"canary: found {age // 60:.0f} minutes ago\n"
    detail = f"{alerting if desk.alerts else ''}{canary}"
    return Response(f"ready\n{detail}", mimetype="text/plain")


def _canary_age_seconds(desk: Desk) -> float | None:
    """Return how long ago the canary was last found; none where it never was."""
    with desk.store.begin(write=False) as unit:
        found_at = unit.events.last_recorded_at(CANARY)
    return None if found_at is None else (desk.now() - found_at).total_seconds()


def _lateness(desk: Desk) -> tuple[str, ...]:
    """Return why alerts are late; nothing where they are on time, or do not run here."""
    return () if desk.alerts is None else desk.alerts.health().reasons


def _gauges(desk: Desk) -> str:
    """Return the numbers of the state as it is in the database at this instant."""
    rows = desk.boards.newest().summaries
    now, config = desk.now(), desk.config
    with desk.store.begin(write=False) as unit:
        polls, waiting = unit.articles.last_ok_polls(known_at=now), unit.articles.count_pending()
    ages = {c.id: (now - polls[c.id]).total_seconds() for c in config.sources if c.id in polls}
    build = f'{{version="{config.version}",ruleset="{config.ruleset_digest[:19]}"}}'
    lines = [
        *gauge("score", "Latest score of a subject, 0 to 100, 100 most stable."),
        *(_row("score", "subject", s, row["score"]) for s, row in rows.items() if row["score"] is not None),
        *gauge("score_confidence", "Confidence of the latest score, 0 to 1."),
        *(_row("score_confidence", "subject", s, row["confidence"]) for s, row in rows.items()),
        *gauge("source_age_seconds", "Seconds since the last good poll."),
        *(_row("source_age_seconds", "source", id_, age) for id_, age in ages.items()),
        *gauge("pending_articles", "Articles that wait for detection."),
        f"riskwatch_pending_articles {waiting}",
        *_canary(desk),
        *gauge("build_info", "What runs here."),
        f"riskwatch_build_info{build} 1",
    ]
    return "\n".join(lines) + "\n"


def _canary(desk: Desk) -> tuple[str, ...]:
    age = _canary_age_seconds(desk)
    text = "Since the newest event of the canary: news of our own that the whole pipeline must find."
    return (
        () if age is None else (*gauge("canary_age_seconds", text), f"riskwatch_canary_age_seconds {age:.6g}")
    )


def _row(name: str, label: str, value: str, number: float) -> str:
    return f'riskwatch_{name}{{{label}="{value}"}} {number:.6g}'
