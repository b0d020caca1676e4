"""From log-losses of events to the loss of a factor, and to points."""

from __future__ import annotations

import math
from collections.abc import Iterable


def power_sum(losses: Iterable[float], p: float) -> float:
    """Return the sum of the p-th powers of log-losses; the same bits in any order."""
    return math.fsum(loss**p for loss in losses)


def load(total: float, p: float) -> float:
    """Return the load of a factor from the sum of p-th powers."""
    return math.pow(max(total, 0.0), 1.0 / p)


def factor_loss(load: float, floor_k: float) -> float:
    """Return the log-loss of a factor, 0 to floor_k."""
    return -floor_k * math.expm1(-load / floor_k)


def points_left(losses: Iterable[float], scale: float) -> float:
    """Return the points, 0 to scale, that a sum of log-losses leaves."""
    return scale * math.exp(-math.fsum(losses))
