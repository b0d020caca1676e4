"""Letters for points."""

from __future__ import annotations

from riskwatch.model import Grade
from riskwatch.score.methodology import Methodology


def grade_of(points: float, methodology: Methodology) -> Grade:
    """Return the letter of a rated score; points from 0 to 100, never rounded before."""
    return next(grade.grade for grade in methodology.grades if points >= grade.from_)
