"""The numbers of alerting as they are in the database at this instant, in the Prometheus text format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from math import ceil

from riskwatch.serve.route import Desk
from riskwatch.store import DeliveryFilter

_LAST = 200  # Deliveries from which the lag is read
_QUANTILES = (0.5, 0.95, 1.0)


def alert_gauges(desk: Desk) -> str:
    """Return the gauges of Incidents and Deliveries; none where alerting does not run here."""
    if desk.alerts is None:
        return ""
    now, told = desk.now(), desk.alerts.health()
    with desk.store.begin(write=False) as unit:
        incidents = Counter((str(one.state), str(one.severity)) for one in unit.incidents.open_incidents())
        counts = unit.outbox.delivery_health(now=now).counts
        sent = unit.outbox.deliveries(DeliveryFilter(states=("delivered",), limit=_LAST))
    lags = sorted((row.delivered_at - row.created_at).total_seconds() for row in sent if row.delivered_at)
    ticks = {"dispatch": told.dispatched_at, "evaluate": told.evaluated_at}
    lines = [
        *gauge("incidents", "Open incidents."),
        *(f'riskwatch_incidents{{state="{state}",severity="{severity}"}} {n}'
          for (state, severity), n in sorted(incidents.items())),
        *gauge("deliveries", "Messages in the outbox."),
        *(f'riskwatch_deliveries{{state="{state}",kind="{kind}"}} {n}'
          for (kind, state), n in sorted(counts.items())),
        *gauge("deliveries_dead", "Messages that were given up and wait for somebody."),
        f"riskwatch_deliveries_dead {told.dead}",
        *gauge("delivery_oldest_due_seconds", "How long the oldest message that is due has waited."),
        f"riskwatch_delivery_oldest_due_seconds {told.oldest_due_seconds or 0.0:.6g}",
        *gauge("delivery_lag_seconds", f"From commit to delivered, of the newest {_LAST}."),
        *(f'riskwatch_delivery_lag_seconds{{quantile="{q:g}"}} {_quantile(lags, q):.6g}'
          for q in _QUANTILES if lags),
        *gauge("tick_age_seconds", "Since a tick last ended."),
        *_ages(ticks.items(), now),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def gauge(name: str, text: str) -> tuple[str, str]:
    """Return the two lines that describe a gauge."""
    return f"# HELP riskwatch_{name} {text}", f"# TYPE riskwatch_{name} gauge"


def _ages(ticks: Iterable[tuple[str, datetime | None]], now: datetime) -> list[str]:
    return [
        f'riskwatch_tick_age_seconds{{tick="{tick}"}} {(now - at).total_seconds():.6g}'
        for tick, at in ticks
        if at is not None
    ]


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[max(0, ceil(share * len(ordered)) - 1)]
