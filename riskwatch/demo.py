"""The demo: the bundled history through the real pipeline, then the service, its clock at the last day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from riskwatch import replay
from riskwatch.app import App
from riskwatch.environment import Settings
from riskwatch.errors import Unavailable
from riskwatch.intake import decoded
from riskwatch.keeping import DATABASE
from riskwatch.model import Article
from riskwatch.pipeline import midnight_of
from riskwatch.progress import Bar
from riskwatch.settings import Config

FOLDER = Path("riskwatch-demo")
UNFINISHED = "unfinished"
MARK = "demo"  # setting that says which history and rules the stored replay was made with
WEEKLY_DAYS, DAILY_DAYS = 98, 10  # before the last day: snapshots of every subject each week, then each day
Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A replayed history, and the clock that its service stands at."""

    folder: Path
    clock: datetime


def prepare(app: App, *, bar: Bar, say: Say) -> Prepared:
    """Replay the history where that was not done yet."""
    is_default = app.config.settings.data_dir == Settings.model_fields["data_dir"].default
    folder = FOLDER if is_default else app.config.settings.data_dir
    articles = history(app)
    last = max(article.published_at for article in articles if article.published_at)
    end = midnight_of(last) + timedelta(days=1)
    build(app, folder, articles, end, bar=bar, say=say)
    return Prepared(folder, end)


def prepared_in(config: Config) -> Prepared | None:
    """Return the replay that the data folder holds, or none where it holds something else."""
    folder = config.settings.data_dir
    if not (folder / DATABASE).is_file():
        return None
    app = App(config, demo_dir=folder)
    with app.store.begin(write=False) as unit:
        mark = unit.access.setting(MARK)
    app.close()
    return (
        None
        if mark is None or mark == UNFINISHED
        else Prepared(folder, datetime.fromisoformat(mark.split()[-1]))
    )


def installation(config: Config, prepared: Prepared) -> App:
    """Return the installation that the demo serves: its own folder, sources and clock."""
    return App(config, now=lambda: prepared.clock, sources=config.demo_sources, demo_dir=prepared.folder)


def day_of(prepared: Prepared) -> date:
    """Return the last day of the history."""
    return (prepared.clock - timedelta(days=1)).date()


def history(app: App) -> list[Article]:
    """Return the Articles of the bundled history, decoded as any feed is."""
    now = datetime.max.replace(tzinfo=UTC) - timedelta(days=2)  # no item of the past lies in this future
    return [
        article
        for source in app.config.demo_sources
        for body in app.config_bytes(f"demo/{source.url.removeprefix('demo/')}")
        for article in decoded(body, content_type=None, source=source, url="", now=now).articles
    ]


def build(app: App, folder: Path, articles: list[Article], end: datetime, *, bar: Bar, say: Say) -> None:
    """Replay the history into the folder, unless the same history and rules were replayed there before."""
    clock = replay.Clock(datetime(2000, 1, 1, tzinfo=UTC))
    target = App(app.config, now=clock, sources=app.config.demo_sources, demo_dir=folder)
    mark = f"{app.ruleset_digest} {app.config.methodology.digest} {len(articles)} {end.isoformat()}"
    with target.store.begin(write=False) as unit:
        done, is_used = (
            unit.access.setting(MARK),
            unit.articles.count_pending() + bool(unit.articles.source_states()),
        )
    if done == mark:
        target.close()
        return
    if done is None and is_used:
        target.close()
        raise Unavailable(
            f"{folder} holds data that is not the demo's; set RISKWATCH_DATA_DIR to another folder"
        )
    target.close()
    for ending in ("", "-wal", "-shm"):
        (folder / f"{DATABASE}{ending}").unlink(missing_ok=True)
    target = App(app.config, now=clock, sources=app.config.demo_sources, demo_dir=folder)
    with target.store.begin() as unit:
        unit.access.save_setting(MARK, UNFINISHED)
    span = replay.Span(end, end - timedelta(days=WEEKLY_DAYS), end - timedelta(days=DAILY_DAYS))
    with bar(len(articles), "replaying the history") as moving:
        total = replay.replay(target.parts, articles, clock, span, progress=moving.update)
    with target.store.begin() as unit:
        unit.access.save_setting(MARK, mark)
    target.close()
    say(f"replayed {total.articles} articles: {total.signals} signals, {total.events} versions of events")
