"""What the answers say: points add up, what is not rated shows no number, text from outside stays text."""

import json
from typing import Any

import pytest

from riskwatch.model import Grade, Snapshot
from tests.serve.installation import HOSTILE, NOW, Installation, Reader
from tests.store.builders import a_score

QWEN = "/v1/vendors/alibaba/lines/qwen"


@pytest.mark.parametrize(
    "path",
    [
        f"{QWEN}/explain",
        f"{QWEN}/explain?as_of=2026-03-06",
        "/v1/vendors/alibaba/explain",
        "/v1/vendors/mistral/explain",
    ],
)
def test_the_reasons_add_up_to_what_is_lost(reader: Reader, path: str) -> None:
    told = reader.json(path)
    parts = [told["structural"], *told["contributions"]]

    assert told["contributions"]
    assert sum(p["points"] for p in parts) == pytest.approx(100 - told["score"], abs=1e-9)
    printed = sum(round(10 * p["printed_points"]) for p in parts)
    assert printed == 1000 - round(10 * round(told["score"], 1))


def test_a_score_can_be_judged_as_of_a_day_and_as_known_then(reader: Reader) -> None:
    now = reader.json(f"{QWEN}/score")
    before = reader.json(f"{QWEN}/score?as_of=2026-03-04&known_at=2026-03-04")
    hindsight = reader.json(f"{QWEN}/score?as_of=2026-03-04")

    assert before["score"] > hindsight["score"]
    assert before["known_at"] == "2026-03-04T23:59:59Z"
    assert hindsight["as_of"] == "2026-03-04T23:59:59Z"
    assert now["as_of"] == "2026-03-10T12:00:00Z"


def test_the_same_question_has_one_answer_wherever_it_is_asked(reader: Reader) -> None:
    score = reader.json(f"{QWEN}/score")
    listed = {row["subject"]: row for row in reader.json("/v1/scores?limit=200")["items"]}["alibaba/qwen"]
    profile = reader.json(QWEN)["score"]

    assert listed == profile
    assert {k: score[k] for k in listed} == listed


def test_points_moved_are_the_difference_of_the_scores(reader: Reader) -> None:
    told = reader.json(f"{QWEN}/compare?from=2026-03-04&to=2026-03-08")
    moved = told["to_score"] - told["from_score"]

    assert moved < 0
    assert sum(row["points"] for row in told["by_event"]) == pytest.approx(moved, abs=1e-6)
    assert sum(told["by_cause"].values()) == pytest.approx(moved, abs=1e-6)


def test_what_if_changes_nothing_that_is_stored(reader: Reader) -> None:
    before = reader.json(f"{QWEN}/score")
    id_ = reader.json(f"{QWEN}/explain")["contributions"][0]["event"]

    answer = reader.ask("POST", "/v1/what-if", json={"subject": "alibaba/qwen", "drop_events": [id_]})

    told = json.loads(answer.get_data())
    assert told["after"]["score"] > told["before"]["score"] == pytest.approx(before["score"], abs=0.01)
    assert id_ not in [c["event"] for c in told["after"]["contributions"]]
    assert reader.json(f"{QWEN}/score") == before


def test_an_event_tells_its_quote_and_how_it_was_found(reader: Reader) -> None:
    event = next(e for e in reader.json(f"{QWEN}/events")["items"] if e["type"] == "leadership_exit")
    trace = reader.json(f"/v1/events/{event['id']}/explain")["signals"][0]
    article = reader.json(f"/v1/articles/{event['claims'][0]['article']}")

    assert "resign" in event["claims"][0]["quote"]
    assert trace["trace"][0]["frame"]
    assert [step["signal"] for step in trace["trace"]] == [trace["signal"]]
    assert event["claims"][0]["signal"] in [signal["id"] for signal in article["signals"]]


def test_an_event_was_not_known_before_it_was_recorded(reader: Reader) -> None:
    id_ = reader.json("/v1/vendors/alibaba/events")["items"][0]["id"]

    assert reader.get(f"/v1/events/{id_}?known_at=2026-03-06").status_code == 200
    assert reader.get(f"/v1/events/{id_}?known_at=2026-03-01").status_code == 404


def test_history_runs_forward_and_shows_the_events_beside_it(reader: Reader) -> None:
    told = reader.json(f"{QWEN}/history?from=2026-03-01&to=2026-03-10&step=change")
    times = [row["as_of"] for row in told["items"]]

    assert times == sorted(times)
    assert len(times) >= 9
    assert "Junyang Lin leaves" in [m["heading"] for m in told["markers"]]


def _numbers_of(value: object) -> list[str]:
    if isinstance(value, dict):
        return [key for k, v in value.items() for key in (k, *_numbers_of(v))]
    if isinstance(value, list):
        return [key for v in value for key in _numbers_of(v)]
    return []


def test_what_is_not_rated_shows_no_number_anywhere(own_installation: Installation) -> None:
    made = a_score(
        "alibaba/qwen", grade=Grade.NR, points=None, low=11.25, high=99.75, internal_points=42.4242,
        as_of=NOW, known_at=NOW, reasons=("no_coverage",),
    )  # fmt: skip
    with own_installation.app.store.begin() as unit:
        unit.scores.add_snapshots([Snapshot("nr2", made, "change", NOW)])
    reader = Reader(own_installation.flask().test_client(), own_installation.keys["admin"])
    with own_installation.app.store.begin(write=False) as unit:
        latest = unit.scores.latest("alibaba/qwen")
    assert latest is not None
    assert latest.score.grade is Grade.NR

    for path in ("score", "explain", "history", "history?step=change"):
        answer = reader.get(f"{QWEN}/{path}")
        assert b"internal" not in answer.get_data()
        assert b"42.42" not in answer.get_data()
    told: Any = reader.json(f"{QWEN}/explain")
    assert (told["score"], told["interval"], told["grade"], told["top_reason"]) == (None, None, "NR", None)
    assert told["contributions"] == told["factors"] == []
    assert told["structural"]["points"] == 0
    for path in ("/v1/vendors?limit=200", "/v1/scores?limit=200", QWEN, "/metrics", "/v1/coverage"):
        answer = reader.get(path)
        assert b"42.42" not in answer.get_data()
        assert b"99.75" not in answer.get_data()
    assert b'riskwatch_score{subject="alibaba/qwen"}' not in reader.get("/metrics").get_data()


def test_no_answer_has_a_field_of_the_inside(reader: Reader) -> None:
    paths = (
        "/v1/vendors",
        "/v1/scores",
        f"{QWEN}/explain",
        "/v1/events",
        "/v1/articles",
        "/v1/sources",
        "/v1/coverage",
    )
    names = {name for path in paths for name in _numbers_of(reader.json(path))}

    assert not names & {"internal_points", "secret_hash", "pepper", "sketch", "text_key"}


def test_a_comparison_with_a_day_that_was_not_rated_has_no_points(reader: Reader) -> None:
    told = reader.json("/v1/vendors/alibaba/compare?from=2026-01-01&to=2026-03-08")

    assert told["from_score"] is None
    assert told["by_event"] == []


def test_hostile_headlines_travel_as_json_and_nothing_else(reader: Reader) -> None:
    answer = reader.get("/v1/articles?q=harm")
    (found,) = json.loads(answer.get_data())["items"]

    assert found["title"] == HOSTILE
    assert answer.mimetype == "application/json"
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("tag=china&country=CN&q=qwen", ["alibaba"]),
        ("q=ALIBABA", ["alibaba"]),
        ("q=%25", []),
        ("country=ZZ", []),
    ],
)
def test_vendors_can_be_narrowed_down(reader: Reader, query: str, ids: list[str]) -> None:
    assert [row["id"] for row in reader.json(f"/v1/vendors?{query}")["items"]] == ids


def test_scores_below_a_number_leave_out_what_is_not_rated(reader: Reader) -> None:
    rows = reader.json("/v1/scores?below=75&limit=200")["items"]

    assert "alibaba/qwen" in [row["subject"] for row in rows]
    assert all(row["score"] < 75 for row in rows)


def test_sources_tell_how_they_stand(reader: Reader) -> None:
    rows = reader.json("/v1/sources?state=fresh&subject=alibaba")["items"]
    polls = reader.json(f"/v1/sources/{rows[0]['id']}/polls?limit=3")["items"]

    assert rows
    assert [row["started_at"] for row in polls] == [
        "2026-03-10T12:00:00Z",
        "2026-03-09T12:00:00Z",
        "2026-03-08T12:00:00Z",
    ]
    assert reader.json("/v1/sources?state=gone")["items"] == []
