"""Polling beside lemon24/reader: riskwatch's adapter for the benchmark that polls 200 local feeds.

`Adapter` stores only, `FullAdapter` also detects, merges and scores. How to run it: README.md in this folder.
"""

from __future__ import annotations

import gc
import itertools
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from riskwatch import pipeline, polling
from riskwatch.collect import Source, Tools
from riskwatch.collect.guard import Guard
from riskwatch.collect.http import HttpClient
from riskwatch.intake import decoded
from riskwatch.merge import CommonWords
from riskwatch.store.sql import SqlStore

NOW = datetime(2026, 3, 21, tzinfo=UTC)  # a day after the newest item of the benchmark's feeds


class Adapter:
    """Storage only: fetch, decode, store; loopback admitted, no politeness, no schedule."""

    def __init__(self, db: str, urls: list[str], workers: int) -> None:
        """Make a fresh database and one Source a URL."""
        self.workers = max(1, workers)
        self.store = SqlStore(f"sqlite:///{db}")
        self.store.migrate()
        self.client = HttpClient(
            user_agent="riskwatch/bench", guard=Guard(["127.0.0.0/8"]), host_pause_seconds=0
        )
        ids = itertools.count()
        self.tools = Tools(
            fetch=self.client.fetch,
            decode=decoded,
            now=lambda: NOW,
            new_id=lambda: f"{next(ids):026d}",
            jitter=lambda: 0.5,
        )
        sources = tuple(
            Source.model_validate(
                {"id": f"bench-{n:03d}", "url": url, "publisher": f"site-{n:03d}", "tier": "2"}
            )
            for n, url in enumerate(urls)
        )
        self.parts = self.made_parts(sources)
        gc.freeze()  # as the program does before it polls

    def made_parts(self, sources: tuple[Source, ...]) -> pipeline.Parts:
        """Return the parts that polling uses; detection and scoring have none here."""
        nothing = cast("Any", None)
        return pipeline.Parts(
            store=self.store,
            ruleset_digest="",
            compiled=lambda: nothing,
            vendors={},
            taxonomy={},
            methodology=nothing,
            sets={},
            words=CommonWords(),
            sources=sources,
            now=self.tools.now,
            new_id=self.tools.new_id,
            count=lambda *_args, **_labels: None,
        )

    def poll(self) -> int:
        """Poll every Source once; return how many failed."""
        choice = polling.Choice(everything=True, workers=self.workers)
        rows = polling.poll_sources(self.parts, self.tools, choice)
        return sum(not row.is_ok for row in rows)

    def count(self) -> int:
        """Return how many Articles are stored and wait for detection."""
        with self.store.begin(write=False) as unit:
            return unit.articles.count_pending()

    def close(self) -> None:
        """Give connections back."""
        self.client.close()
        self.store.close()


class FullAdapter(Adapter):
    """The same with detection, merging and scoring after each round."""

    def made_parts(self, sources: tuple[Source, ...]) -> pipeline.Parts:
        """Return the parts of a whole installation, from the repository's own configuration."""
        from riskwatch import settings  # the storage benchmark does not pay for it
        from riskwatch.compiling import compile_rules

        config = settings.load(Path(__file__).resolve().parents[2] / "config", environ={})
        self.seen = 0
        ruleset = compile_rules(config)
        return pipeline.Parts(
            store=self.store,
            ruleset_digest=ruleset.digest,
            compiled=lambda: ruleset,
            vendors=config.vendors,
            taxonomy=config.taxonomy,
            methodology=config.methodology,
            sets=config.sets,
            words=config.common_words,
            sources=sources,
            now=self.tools.now,
            new_id=self.tools.new_id,
            count=lambda *_args, **_labels: None,
        )

    def poll(self) -> int:
        """Poll, then detect, merge and score what came."""
        failed = super().poll()
        self.seen += pipeline.absorb(self.parts).articles
        return failed

    def count(self) -> int:
        """Return how many Articles went through all stages."""
        return self.seen
