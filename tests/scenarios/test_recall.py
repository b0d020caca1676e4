"""The recall list: known events of the past that the rules must find again in the bundled history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from riskwatch import demo, pipeline, settings
from riskwatch.app import App
from riskwatch.model import Event, EventState
from riskwatch.replay import Clock
from riskwatch.strict_yaml import read_yaml

pytestmark = pytest.mark.slow
LIST = Path(__file__).with_name("known_events.yaml")
KNOWN: Sequence[Mapping[str, str]] = read_yaml(LIST.read_text(encoding="utf-8"), LIST.name).value
AFTER_ALL = datetime(2026, 9, 1, tzinfo=UTC)
NEAR = timedelta(days=5)  # a telling dates an event some days off


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Sequence[Event]]:
    """Live events by vendor, after the bundled history went through the pipeline."""
    config = settings.load(environ={})
    chosen = config.settings.model_copy(update={"data_dir": tmp_path_factory.mktemp("recall")})
    app = App(replace(config, settings=chosen), now=Clock(AFTER_ALL), sources=())
    pipeline.ingest(app.parts, demo.history(app))
    pipeline.absorb(app.parts)
    with app.store.begin(write=False) as unit:
        events = {vendor: unit.events.events_of(vendor) for vendor in config.vendors}
    app.close()
    return {id_: [e for e in some if e.state is EventState.LIVE] for id_, some in events.items()}


@pytest.mark.parametrize(
    "known", KNOWN, ids=lambda known: f"{known['vendor']}-{known['type']}-{known['day']}"
)
def test_a_known_event_is_found_again(found: Mapping[str, Sequence[Event]], known: Mapping[str, str]) -> None:
    day = datetime.fromisoformat(known["day"]).replace(tzinfo=UTC)
    near = [event.type for event in found[known["vendor"]] if abs(event.occurred_at - day) <= NEAR]

    assert known["type"] in near, f"{known['what']}: found only {near}"


def test_the_list_speaks_of_every_harmful_type() -> None:
    taxonomy = settings.load(environ={}).taxonomy

    harmful = {id_ for id_, type_ in taxonomy.items() if str(type_.direction) == "adverse"}
    assert harmful <= {known["type"] for known in KNOWN}
