"""Events → Score: 0 to 100 points, 100 most stable, with every reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from riskwatch.model import CoverageFact, Event, Score, Vendor, Verdict
from riskwatch.score.delta import by_cause, by_event, delta
from riskwatch.score.engine import SeriesPoint, evaluate
from riskwatch.score.engine import course as series
from riskwatch.score.grade import grade_of
from riskwatch.score.inputs import Inputs
from riskwatch.score.loss import credibility
from riskwatch.score.methodology import Methodology
from riskwatch.score.taxonomy import disagreements
from riskwatch.score.what_if import Added, Change, Setting, what_if

__all__ = [
    "Added", "Change", "Inputs", "Methodology", "SeriesPoint", "Setting",
    "by_cause", "by_event", "credibility", "delta", "disagreements", "evaluate", "grade_of",
    "score", "series", "what_if",
]  # fmt: skip


def score(  # noqa: PLR0913 -- the stage's one door takes everything that a score rests on, by name
    subject: str,
    *,
    events: Iterable[Event],
    vendor: Vendor,
    methodology: Methodology,
    as_of: datetime,
    known_at: datetime,
    verdicts: Sequence[Verdict] = (),
    coverage: Sequence[CoverageFact] = (),
    articles: int = 0,
    recent_articles: int | None = None,
    families: int | None = None,
    attention: Mapping[str, float] | None = None,
    panel_median: float | None = None,
    sets: Mapping[str, Collection[str]] | None = None,
    lens: str | None = None,
    ruleset_digest: str = "",
) -> Score:
    """Return the Score of a Subject at as_of from what was recorded by known_at; see Inputs."""
    return evaluate(
        Inputs(
            subject=subject, as_of=as_of, known_at=known_at, methodology=methodology, vendor=vendor,
            events=tuple(events), verdicts=tuple(verdicts), coverage=tuple(coverage), articles=articles,
            recent_articles=recent_articles, families=families, attention=attention or {},
            panel_median=panel_median, sets=sets or {}, lens=lens, ruleset_digest=ruleset_digest,
        )
    )  # fmt: skip
