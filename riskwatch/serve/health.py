"""/livez, /readyz, /metrics, /openapi.json and /docs."""

from __future__ import annotations

import json

from flask import Flask, Response, render_template, request

from riskwatch.errors import StoreError
from riskwatch.serve import problem
from riskwatch.serve.access import Door
from riskwatch.serve.api import ROUTES
from riskwatch.serve.pages.frame import site_of
from riskwatch.serve.route import Desk


def install(app: Flask, desk: Desk, door: Door, description: bytes) -> None:
    """Add the operations outside /v1."""

    def livez() -> Response:
        return Response("ok\n", mimetype="text/plain")  # the process answers; nothing is touched

    def readyz() -> Response:
        try:
            schema = desk.store.check_schema()
        except StoreError as error:
            return problem.problem(503, "not-ready", str(error))
        if schema != "head":
            return problem.problem(
                503, "not-ready", "the database is being migrated, or `riskwatch migrate` is needed"
            )
        return Response("ready\n", mimetype="text/plain")

    def metrics() -> Response:
        door.caller(
            request.headers.get("X-API-Key"), address=request.remote_addr or "", now=desk.now()
        ).must_have("read" if desk.config.anonymous_read else "admin")
        return Response(_gauges(desk).encode() + desk.actions.metrics(), mimetype="text/plain; version=0.0.4")

    def openapi_json() -> Response:
        return Response(
            description, mimetype="application/json", headers={"Cache-Control": "public, max-age=300"}
        )

    def docs() -> str:
        return render_template("docs.html", site=site_of(desk), api=json.loads(description), routes=ROUTES)

    for path, view in (
        ("/livez", livez),
        ("/readyz", readyz),
        ("/metrics", metrics),
        ("/openapi.json", openapi_json),
        ("/docs", docs),
    ):
        app.add_url_rule(path, view.__name__, view, methods=["GET"])


def _gauges(desk: Desk) -> str:
    """Return the numbers of the state as it is in the database at this instant."""
    board = desk.boards.newest()
    lines = [
        "# HELP riskwatch_score Latest score of a subject, 0 to 100, 100 most stable.",
        "# TYPE riskwatch_score gauge",
    ]
    lines += [
        f'riskwatch_score{{subject="{s}"}} {row["score"]:.6g}'
        for s, row in board.summaries.items()
        if row["score"] is not None
    ]
    lines += [
        "# HELP riskwatch_score_confidence Confidence of the latest score, 0 to 1.",
        "# TYPE riskwatch_score_confidence gauge",
    ]
    lines += [
        f'riskwatch_score_confidence{{subject="{s}"}} {row["confidence"]:.6g}'
        for s, row in board.summaries.items()
    ]
    with desk.store.begin(write=False) as unit:
        polls, waiting = unit.articles.last_ok_polls(known_at=desk.now()), unit.articles.count_pending()
    lines += [
        "# HELP riskwatch_source_age_seconds Seconds since the last good poll.",
        "# TYPE riskwatch_source_age_seconds gauge",
    ]
    lines += [
        f'riskwatch_source_age_seconds{{source="{card.id}"}} {(desk.now() - polls[card.id]).total_seconds():.0f}'
        for card in desk.config.sources
        if card.id in polls
    ]
    lines += [
        "# HELP riskwatch_pending_articles Articles that wait for detection.",
        "# TYPE riskwatch_pending_articles gauge",
    ]
    lines += [f"riskwatch_pending_articles {waiting}"]
    lines += ["# HELP riskwatch_build_info What runs here.", "# TYPE riskwatch_build_info gauge"]
    lines += [
        f'riskwatch_build_info{{version="{desk.config.version}",ruleset="{desk.config.ruleset_digest[:19]}"}} 1',
        "",
    ]
    return "\n".join(lines)
