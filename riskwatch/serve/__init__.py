"""*Stores and callables of other stages → a Flask app*: /v1, pages, health."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskwatch.serve.context import Actions, HistoryRow, Now, Reading, ServeConfig, SourceCard

if TYPE_CHECKING:
    from flask import Flask

    from riskwatch.serve.alert_actions import AlertActions
    from riskwatch.store import Store

__all__ = ["Actions", "HistoryRow", "Reading", "ServeConfig", "SourceCard", "create_app"]


def create_app(
    *, store: Store, actions: Actions, config: ServeConfig, now: Now, alerts: AlertActions | None = None
) -> Flask:
    """Return the web app; see factory. Flask loads here, so that the command line can present without it."""
    from riskwatch.serve import factory  # noqa: PLC0415 - 0.3 s

    return factory.create_app(store=store, actions=actions, config=config, now=now, alerts=alerts)
