"""A tick of polling on a real store: what a Source's silence, and its news, leave in its state."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from riskwatch import polling, settings
from riskwatch.app import App
from riskwatch.collect import Source
from riskwatch.model import SourceState
from riskwatch.replay import Clock

CONFIG = settings.load(environ={})
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
DAY = timedelta(days=1)


class Desk:
    """An installation with one Source whose document the test writes."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock(START)
        chosen = CONFIG.settings.model_copy(update={"data_dir": folder})
        source = Source.model_validate(
            {"id": "s", "kind": "file", "url": "news", "publisher": "p", "expected_silence": "36h"}
        )
        self.app = App(replace(CONFIG, settings=chosen), now=self.clock, sources=(source,))
        self.titles: list[str] = []
        ids = itertools.count()
        self.tools = replace(
            self.app.tools, read_files=lambda _name: [self.document()], new_id=lambda: f"{next(ids):026d}"
        )

    def document(self) -> bytes:
        """Return a feed with the titles told so far, one a day."""
        items = "".join(
            f"<item><guid>g{n}</guid><title>{title}</title><pubDate>{START + n * DAY:%d %b %Y %H:%M:%S} GMT"
            "</pubDate></item>"
            for n, title in enumerate(self.titles)
        )
        return f'<?xml version="1.0" encoding="utf-8"?><rss><channel>{items}</channel></rss>'.encode()

    def poll(self) -> SourceState:
        """Poll everything; return how the Source stands then."""
        (row,) = polling.poll_sources(self.app.parts, self.tools, polling.Choice(everything=True))
        assert row.is_ok
        with self.app.store.begin(write=False) as unit:
            return unit.articles.source_states()["s"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.app.close()


def test_a_source_that_answers_and_brings_nothing_for_too_long_is_silent_until_it_speaks(desk: Desk) -> None:
    desk.titles = ["one"]
    assert desk.poll().last_outcome == "ok"
    desk.clock.move(START + DAY)
    assert desk.poll().last_outcome == "not_modified"

    desk.clock.move(START + 2 * DAY)
    silent = desk.poll()
    desk.titles.append("two")
    speaking = desk.poll()

    assert silent.last_outcome == "silent"
    assert silent.last_reason == "it answers, but has brought nothing new since 2026-01-05"
    assert silent.consecutive_failures == 0
    assert speaking.last_outcome == "ok"
    assert speaking.last_reason == ""


def test_items_that_come_again_are_stored_once_and_counted_by_what_changed(desk: Desk) -> None:
    desk.titles = ["one", "two"]
    first = polling.poll_sources(desk.app.parts, desk.tools, polling.Choice(everything=True))
    desk.titles = ["one", "two, corrected", "three"]
    second = polling.poll_sources(desk.app.parts, desk.tools, polling.Choice(everything=True))

    assert [(row.new, row.changed) for row in (*first, *second)] == [(2, 0), (1, 1)]


def test_what_is_due_is_leased_once_and_free_again_after_its_poll(desk: Desk) -> None:
    desk.titles = ["one"]
    assert polling.count_due(desk.app.parts, polling.Choice()) == 1

    polls = [polling.poll_sources(desk.app.parts, desk.tools, polling.Choice()) for _ in range(2)]

    assert [len(rows) for rows in polls] == [1, 0]
    assert polling.count_due(desk.app.parts, polling.Choice()) == 0
    desk.clock.move(START + 2 * DAY)
    assert polling.count_due(desk.app.parts, polling.Choice()) == 1
