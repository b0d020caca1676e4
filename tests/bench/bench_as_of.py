"""The as-of score of one vendor while the events of others grow from 1,000 to 100,000: the ratio stays flat.

.venv/bin/python tests/bench/bench_as_of.py
"""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from riskwatch import pipeline, settings
from riskwatch.app import App, new_id
from riskwatch.model import Assertion, Claim, Event, EventState

START = datetime(2024, 1, 1, tzinfo=UTC)


def events(vendor: str, types: list[str], count: int) -> Iterator[Event]:
    for number in range(count):
        at = START + timedelta(hours=5 * (number % 4000))
        claim = Claim(
            f"s{vendor}{number}",
            f"a{number}",
            "wire",
            "Wire",
            "1",
            Assertion.CONFIRMED,
            recorded_at=at,
            told_at=at,
        )
        yield Event(
            id=new_id(), type=types[number % len(types)], vendor=vendor, home=vendor, object=str(number),
            assertion=Assertion.CONFIRMED, state=EventState.LIVE, attributes={}, occurred_at=at,
            date_precision="day", claims=(claim,), corroboration=1,
            first_told_at=at, last_live_at=at, first_recorded_at=at,
        )  # fmt: skip


def read_seconds(app: App) -> float:
    taken = []
    as_of = datetime(2026, 1, 1, tzinfo=UTC)
    for _ in range(41):
        started = time.process_time()
        with app.store.begin(write=False) as unit:
            pipeline.Reader(app.parts, unit).score(
                "openai", as_of=as_of, known_at=as_of + timedelta(days=900)
            )
        taken.append(time.process_time() - started)
    return median(taken)


def main() -> None:
    config = settings.load(environ={})
    with tempfile.TemporaryDirectory() as folder:
        chosen = config.settings.model_copy(update={"data_dir": Path(folder)})
        app = App(replace(config, settings=chosen))
        types = sorted(config.methodology.types)
        others = [vendor for vendor in config.vendors if vendor != "openai"][:20]
        with app.store.begin() as unit:
            unit.events.save_events(list(events("openai", types, 300)), now=START)
        first, stored = 0.0, 0
        for target in (1_000, 10_000, 100_000):
            each = (target - stored) // len(others)
            for vendor in others:
                with app.store.begin() as unit:
                    unit.events.save_events(list(events(vendor, types, each)), now=START)
            stored = target
            taken = read_seconds(app)
            first = first or taken
            print(
                f"{stored:>7} events of other vendors: as-of score with 300 own events "
                f"{taken * 1000:.1f} ms CPU, {taken / first:.2f} x the first"
            )
        app.close()


if __name__ == "__main__":
    main()
