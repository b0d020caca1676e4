"""Logs and counters: JSON lines to stderr, numbers for /metrics."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import structlog
from prometheus_client import CollectorRegistry, Counter, generate_latest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping

COUNTERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "source_polls": ("Polls of sources by outcome.", ("outcome",)),
    "articles": ("Articles stored, new ones and revisions.", ("kind",)),
    "pages": ("Pages of articles asked for, by outcome.", ("outcome",)),
    "signals": ("Signals by event type and assertion.", ("event_type", "assertion")),
    "events": ("Versions of events written, by event type.", ("event_type",)),
    "rule_hits": ("Signals by rule.", ("rule",)),
    "scores": ("Snapshots stored, by cause.", ("cause",)),
    "alerts": ("Steps of incidents, by what is said and why it is not.", ("step", "suppressed_by")),
    "delivery_attempts": ("Tries to deliver, by kind of receiver and outcome.", ("kind", "outcome")),
    "clock_jumps": ("Jumps of the wall clock between two ticks.", ()),
}
Count = "Callable[..., None]"
_MAX_TEXT = 512
_SHORTEST_SECRET = 8  # shorter values would mask ordinary words


class Counters:
    """The process's counters, off the global registry so that two apps in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters = {
            name: Counter(f"riskwatch_{name}", text, labels, registry=self.registry)
            for name, (text, labels) in COUNTERS.items()
        }

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add amount to a counter of COUNTERS."""
        counter = self._counters[name]
        (counter.labels(**labels) if labels else counter).inc(amount)

    def text(self) -> bytes:
        """Return the counters in the Prometheus text format."""
        return generate_latest(self.registry)


def set_up_logging(*, form: str, level: str, secrets: Iterable[str] = ()) -> None:
    """Send structured logs to stderr: known secret values masked, text from outside cut to 512 characters."""
    hidden = tuple(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET)

    def redact(_logger: object, _name: str, values: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for key, value in values.items():
            if isinstance(value, str):
                values[key] = _masked(value, hidden)
        return values

    renderer: Any = structlog.processors.JSONRenderer()
    if form == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # urllib3 writes whole URLs at DEBUG: they may hold a secret path
    logging.getLogger("urllib3").setLevel(logging.INFO)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # "still running" is no news


def _masked(text: str, hidden: tuple[str, ...]) -> str:
    for secret in hidden:
        text = text.replace(secret, "<secret>")
    return text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "…"
