"""Whatever is wrong with a request is told as problem+json that says what to do."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from werkzeug.test import TestResponse

from riskwatch.serve.answers import Problem
from riskwatch.serve.query import cursor_of
from tests.serve.installation import Installation, Reader

QWEN = "/v1/vendors/alibaba/lines/qwen"


def told(answer: TestResponse, status: int) -> Mapping[str, Any]:
    """Return the problem, after checking what all problems have in common."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    body: Mapping[str, Any] = json.loads(answer.get_data())
    Problem.model_validate(body, strict=True)
    assert body["status"] == status
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert len(body["detail"]) > 10
    return body


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/v1/vendors/nobody", "'nobody'"),
        ("/v1/vendors/nobody/score", "'nobody'"),
        ("/v1/vendors/alibaba/lines/nothing", "'alibaba/nothing'"),
        ("/v1/vendors/ALIBABA", "'ALIBABA'"),
        ("/v1/vendors/a%00b", "vendor"),
        ("/v1/vendors/%ff%fe", "vendor"),
        ("/v1/scores?subject=nobody", "'nobody'"),
        ("/v1/events?subject=alibaba/nothing", "'alibaba/nothing'"),
        ("/v1/events/none", "'none'"),
        ("/v1/events/none/explain", "'none'"),
        ("/v1/stories/none", "'none'"),
        ("/v1/articles/none", "'none'"),
        ("/v1/sources/none", "'none'"),
        ("/v1/sources/none/polls", "'none'"),
        ("/v1/nothing", "/docs"),
    ],
)
def test_what_is_not_there_is_named(reader: Reader, path: str, named: str) -> None:
    assert named in told(reader.get(path), 404)["detail"]


@pytest.mark.parametrize(
    ("path", "field", "advice"),
    [
        (f"{QWEN}/score?as_of=0", "as_of", "2026-03-05"),
        (f"{QWEN}/score?as_of=1772000000", "as_of", "2026-03-05"),
        (f"{QWEN}/score?as_of=2026-02-30", "as_of", "no such day"),
        (f"{QWEN}/score?as_of=2026-03-05T12:00:00", "as_of", "T12:00:00Z"),
        (f"{QWEN}/score?as_of=2026-03-05T12:00:00%2B99:00", "as_of", "T12:00:00Z"),
        (f"{QWEN}/score?as_of=2026-03-05%0A", "as_of", "2026-03-05"),
        (f"{QWEN}/score?as_of=", "as_of", "2026-03-05"),
        (f"{QWEN}/score?as_of=2026-03-05&as_of=2026-03-06", "as_of", "once"),
        (f"{QWEN}/score?color=red", "color", "/docs"),
        (f"{QWEN}/history?step=hour", "step", "'day'"),
        (f"{QWEN}/history?from=2026-03-05&to=2026-03-01", "from", "after"),
        (f"{QWEN}/history?from=2010-01-01&to=2020-01-01", "from", "shorter"),
        (f"{QWEN}/compare", "from", "needed"),
        (f"{QWEN}/compare?from=2026-03-05&to=2026-03-01", "from", "after"),
        ("/v1/vendors?limit=0", "limit", "1"),
        ("/v1/vendors?limit=201", "limit", "200"),
        ("/v1/vendors?limit=many", "limit", "integer"),
        ("/v1/vendors?limit=5&limit=6", "limit", "once"),
        ("/v1/vendors?country=china", "country", "/docs"),
        ("/v1/events?type=earthquake", "type", "/v1/event-types"),
        ("/v1/articles?q=%00", "q", "/docs"),
        ("/v1/scores?below=nan", "below", "finite"),
        ("/v1/scores?grade=E", "grade.0", "'A'"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named_with_what_to_write(
    reader: Reader, path: str, field: str, advice: str
) -> None:
    problem = told(reader.get(path), 422)

    assert [e["field"] for e in problem["errors"]] == [field]
    assert advice in problem["errors"][0]["message"]


def _cursors(reader: Reader) -> dict[str, str]:
    return {
        name: reader.json(f"/v1/{name}?limit=1")["next_cursor"]
        for name in ("vendors", "scores", "events", "articles")
    }


@pytest.mark.parametrize("listing", ["vendors", "scores", "events", "articles"])
def test_a_cursor_of_anything_else_is_refused(reader: Reader, listing: str) -> None:
    cursors = _cursors(reader)
    own = cursors.pop(listing)
    bad = [
        *cursors.values(),
        own[:-3],
        "AAAAAAAAAAAA",
        cursor_of(listing, ("0001-01-01T00:00:00+23:59", "x\x00")),
    ]

    for cursor in bad:
        problem = told(reader.get(f"/v1/{listing}?cursor={cursor}"), 422)
        assert problem["errors"][0]["field"] == "cursor"


def test_an_instant_out_of_range_in_a_cursor_is_refused(reader: Reader) -> None:
    for at in ("0001-01-01T00:00:00+23:59", "yesterday", ""):
        told(reader.get(f"/v1/events?cursor={cursor_of('events', (at, 'x'))}"), 422)


@pytest.mark.parametrize(
    ("given", "status", "advice"),
    [
        ({"data": b"{", "content_type": "application/json"}, 400, "syntax"),
        ({"data": b'{"subject": NaN}', "content_type": "application/json"}, 400, "syntax"),
        ({"data": b"[" * 100_000, "content_type": "application/json"}, 400, "syntax"),
        ({"data": b"\xff\xfe", "content_type": "application/json"}, 400, "syntax"),
        ({"data": b"subject=alibaba", "content_type": "text/plain"}, 415, "application/json"),
        ({"data": b'{"subject": "alibaba"}'}, 415, "application/json"),
        ({"data": b" " * 1_000_001, "content_type": "application/json"}, 413, "1 MB"),
        ({"json": {}}, 422, "subject"),
        ({"json": []}, 422, "body"),
        ({"json": {"subject": "alibaba", "as_of": 0}}, 422, "as_of"),
        ({"json": {"subject": "alibaba", "color": 1}}, 422, "color"),
        ({"json": {"subject": "nobody"}}, 404, "nobody"),
        ({"json": {"subject": "alibaba", "drop_events": ["none"]}}, 422, "none"),
        ({"json": {"subject": "alibaba", "add_events": [{"type": "earthquake"}]}}, 422, "event-types"),
        ({"json": {"subject": "alibaba", "add_events": [{"type": "lawsuit", "tier": "9"}]}}, 422, "tier"),
    ],
)
def test_a_body_that_cannot_be_used_is_told(
    reader: Reader, given: dict[str, Any], status: int, advice: str
) -> None:
    assert advice in told(reader.ask("POST", "/v1/what-if", **given), status)["detail"]


def test_a_wrong_method_is_told_with_the_right_ones(reader: Reader) -> None:
    answer = reader.ask("DELETE", "/v1/vendors")

    told(answer, 405)
    assert "GET" in answer.headers["Allow"]


def test_a_mistake_of_ours_tells_only_the_id_under_which_the_log_has_it(installation: Installation) -> None:
    app = installation.flask()

    def broken(*_arguments: object) -> None:
        raise RuntimeError("the secret of the inside")

    app.view_functions["list_vendors"] = broken  # type: ignore[assignment] # it never returns
    answer = Reader(app.test_client(), installation.keys["read"]).get(
        "/v1/vendors", headers={"X-Request-ID": "mine-1"}
    )

    assert told(answer, 500)["request_id"] == "mine-1"
    assert b"secret of the inside" not in answer.get_data()
