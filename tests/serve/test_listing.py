"""Pages of a listing follow each other; kept bytes are never older than the data."""

from datetime import timedelta

import pytest

from riskwatch.model import Snapshot, SourceState
from riskwatch.serve.board import LOOK_SECONDS, moved_since, value_at
from riskwatch.serve.present import source_state
from riskwatch.serve.route import Kept, Listings
from tests.serve.installation import DAY, NOW, Installation, Reader
from tests.store.builders import a_score, a_snapshot, an_article, an_event


@pytest.mark.parametrize(
    "path", ["/v1/vendors", "/v1/scores", "/v1/events", "/v1/articles", "/v1/vendors?tag=china"]
)
@pytest.mark.parametrize("limit", [1, 3, 7])
def test_pages_leave_no_gap_and_show_nothing_twice(reader: Reader, path: str, limit: int) -> None:
    if limit == 1 and path in ("/v1/vendors", "/v1/scores"):
        limit = 11  # a page a row takes long over hundreds of rows
    whole = [row for page in reader.pages(path, 200) for row in page]

    pages = list(reader.pages(path, limit))

    assert [row for page in pages for row in page] == whole
    assert all(len(page) == limit for page in pages[:-1])


def test_a_row_that_vanishes_between_two_pages_breaks_nothing(own_installation: Installation) -> None:
    reader = Reader(own_installation.flask().test_client(), own_installation.keys["read"])
    path = "/v1/scores?grade=B"
    whole = [row["subject"] for row in reader.json(f"{path}&limit=200")["items"]]
    first = reader.json(f"{path}&limit=2")
    with own_installation.app.store.begin() as unit:
        unit.scores.add_snapshots(
            [a_snapshot("n", subject=whole[1], as_of=NOW + DAY, known_at=NOW, points=10.0, grade="F")]
        )
    fresh = Reader(own_installation.flask().test_client(), own_installation.keys["read"])

    second = fresh.json(f"{path}&limit=200&cursor={first['next_cursor']}")

    assert [row["subject"] for row in second["items"]] == whole[2:]


def test_events_and_articles_that_arrive_between_two_pages_shift_nothing(
    own_installation: Installation,
) -> None:
    reader = Reader(own_installation.flask().test_client(), own_installation.keys["read"])
    wholes = {
        path: [row["id"] for row in reader.json(path)["items"]] for path in ("/v1/events", "/v1/articles")
    }
    firsts = {path: reader.json(f"{path}?limit=2") for path in wholes}
    with own_installation.app.store.begin() as unit:
        unit.events.save_events([an_event("01NEW", type="lawsuit", occurred_at=NOW)], now=NOW)
        unit.articles.add_articles([an_article("new")], now=NOW)

    for path, whole in wholes.items():
        rest = reader.json(f"{path}?cursor={firsts[path]['next_cursor']}")
        assert [row["id"] for row in rest["items"]] == whole[2:]


def test_a_kept_listing_equals_a_fresh_one_after_the_data_changed(
    own_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = [1_000.0]
    monkeypatch.setattr("riskwatch.serve.board.time.monotonic", lambda: at[0])
    kept = Reader(own_installation.flask().test_client(), own_installation.keys["read"])
    paths = (
        "/v1/vendors?limit=200",
        "/v1/scores?limit=200",
        "/v1/vendors/alibaba/lines/qwen",
        "/v1/coverage",
    )
    before = {path: kept.get(path) for path in paths}

    with own_installation.app.store.begin() as unit:
        changed = a_score("alibaba/qwen", points=12.5, grade="F", as_of=NOW + DAY, known_at=NOW)
        unit.scores.add_snapshots([Snapshot("late", changed, "change", NOW)])
    assert all(kept.get(path).get_data() == before[path].get_data() for path in paths), (
        "asked once a second at most"
    )
    at[0] += LOOK_SECONDS

    fresh = Reader(own_installation.flask().test_client(), own_installation.keys["read"])
    for path in paths:
        assert kept.get(path).get_data() == fresh.get(path).get_data()
    row = kept.json("/v1/vendors/alibaba/lines/qwen")["score"]
    assert row["score"] == 12.5
    assert kept.get(paths[0]).headers["ETag"] != before[paths[0]].headers["ETag"]


def test_kept_answers_are_bounded_in_bytes() -> None:
    listings = Listings(max_bytes=100)
    for number in range(50):
        listings.keep(1, ("/v1/vendors", str(number)), Kept(b"x" * 40, "tag", "read"))

    held = [n for n in range(50) if listings.held(1, ("/v1/vendors", str(n)))]

    assert held
    assert len(held) <= 2
    assert listings.held(2, ("/v1/vendors", "49")) is None


def test_a_trend_is_told_only_where_both_ends_are_rated() -> None:
    score = a_score(points=70.0, as_of=NOW)
    points = [(NOW - timedelta(days=40), 90.0), (NOW - timedelta(days=8), None)]

    assert moved_since(score, points, 30) == -20.0
    assert moved_since(score, points, 7) is None
    assert moved_since(score, points, 90) is None
    assert moved_since(a_score(points=None, as_of=NOW), points, 30) is None
    assert value_at([], NOW) is None


def test_a_source_that_brings_nothing_is_silent_and_a_late_one_stale() -> None:
    silent = SourceState("s", last_outcome="silent")

    assert source_state(silent, NOW, sla_hours=1, now=NOW) == "silent"
    assert source_state(silent, NOW - DAY, sla_hours=1, now=NOW) == "stale"
    assert source_state(SourceState("s", last_outcome="ok"), NOW, sla_hours=1, now=NOW) == "fresh"
