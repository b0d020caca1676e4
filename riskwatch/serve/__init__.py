"""*Stores and callables of other stages → a Flask app*: /v1, pages, health."""

from riskwatch.serve.context import Actions, HistoryRow, Reading, ServeConfig, SourceCard
from riskwatch.serve.factory import create_app

__all__ = ["Actions", "HistoryRow", "Reading", "ServeConfig", "SourceCard", "create_app"]
