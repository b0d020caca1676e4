"""What is forgotten when its time is over."""

from __future__ import annotations

from datetime import timedelta

from riskwatch.pipeline import Parts

CANARY_KEPT = timedelta(days=1)


def tidy(parts: Parts) -> int:
    """Delete what the canary brought more than a day ago; return how many rows."""
    with parts.store.begin() as unit:
        unit.lock("absorb")
        return unit.retention.forget_canary(before=parts.now() - CANARY_KEPT)
