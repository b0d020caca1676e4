"""The five seed articles as they are, through detect and merge; left out where the shared data is absent."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from riskwatch import settings
from riskwatch.compiling import compile_rules
from riskwatch.detect import detect
from riskwatch.merge import Merged, merge, sketch
from riskwatch.model import Article, ArticleBrief, EventState
from tests.merge.makers import WEIGHTS, ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskwatch.model import Event, Signal

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.slow


def _articles() -> Iterator[Article]:
    folder = os.environ.get("SHARED_DATA", ROOT.parent / "shared")
    path = Path(folder) / "seeds" / "seeds.jsonl"
    if not path.is_file():
        pytest.skip("the shared real data is not here")
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        at = datetime.fromisoformat(row["published"])
        yield Article(
            source_id="seeds",
            guid=row["id"],
            title=row["title"],
            text=row["text"],
            url=None,
            published_at=at,
            lang="en",
            publisher=row["publisher"],
            family=row["publisher"],
            tier="3",
            text_key=row["id"],
            id=row["id"],
            first_seen_at=at,
            recorded_at=at,
        )


@pytest.fixture(scope="module")
def told() -> Merged:
    config = settings.load(environ={})
    ruleset = compile_rules(config)
    signals: list[Signal] = []
    briefs: dict[str, ArticleBrief] = {}
    for one in _articles():
        signals += detect(one, ruleset).signals
        marks = sketch(one.title, one.text)
        briefs[one.id] = ArticleBrief(
            one.id, one.text_key, one.family, one.tier, one.published_at, one.first_seen_at, marks
        )
    return merge(
        signals,
        vendor="alibaba",
        types=sorted(config.taxonomy),
        known=[],
        briefs=briefs,
        taxonomy=config.taxonomy,
        new_id=ids(),
        weights=WEIGHTS,
        words=config.common_words,
    )


def _exit_of_lin(told: Merged) -> Event:
    (event,) = [e for e in told.events if e.type == "leadership_exit" and e.object == "Junyang Lin"]
    return event


def test_five_families_tell_the_exit_of_the_technical_lead_once(told: Merged) -> None:
    exit_ = _exit_of_lin(told)

    assert exit_.corroboration == 5
    assert exit_.home == "alibaba/qwen"
    assert exit_.attributes["role"] == "technical_lead"


def test_the_exit_is_dated_by_the_majority_and_the_wrong_date_is_shown(told: Merged) -> None:
    exit_ = _exit_of_lin(told)

    assert exit_.occurred_at == datetime(2026, 3, 3, tzinfo=UTC)
    assert [c.claimed_at.date().isoformat() for c in exit_.date_conflicts] == ["2025-06-09"]


def test_the_team_leaves_once_and_the_shares_fall_once(told: Merged) -> None:
    types = [e.type for e in told.events]

    assert types.count("talent_exodus") == 1
    assert types.count("share_drop") == 1


def test_it_is_one_story(told: Merged) -> None:
    live = {e.id for e in told.events if e.state is EventState.LIVE}

    assert [set(story.event_ids) for story in told.stories] == [live]
