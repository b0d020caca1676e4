"""The application of one call of the command line, and what its commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from riskwatch.app import App

FAULTS, WRONG_USE = 1, 2


class Instant(click.ParamType[datetime]):
    """YYYY-MM-DD (its last moment, UTC) or an RFC 3339 instant with a zone."""

    name = "date"

    def convert(
        self,
        value: str | datetime,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> datetime:
        """Return the instant, aware, UTC."""
        if isinstance(value, datetime):
            return value
        try:
            if len(value) == len("2026-03-05"):
                day = datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC)
                return day.replace(hour=23, minute=59, second=59)
            instant = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no date; write 2026-03-05 or 2026-03-05T12:00:00Z", param, ctx)
        if instant.tzinfo is None:
            self.fail(f"{value!r} has no zone; add Z or +01:00", param, ctx)
        return instant.astimezone(UTC)


INSTANT = Instant()


def app_of(ctx: click.Context) -> App:
    """Return the application of a call, and set up its logs."""
    from riskwatch import demo

    app = bare_app_of(ctx)
    prepared = demo.prepared_in(app.config) if app.config.settings.database_url is None else None
    return app if prepared is None else demo.installation(app.config, prepared)


def bare_app_of(ctx: click.Context) -> App:
    """Return the application as the settings say, without a look into its database: that may be damaged."""
    from riskwatch import settings, telemetry
    from riskwatch.app import App

    config = settings.load(ctx.find_root().obj)
    chosen = config.settings
    telemetry.set_up_logging(form=chosen.log_format, level=chosen.log_level, secrets=chosen.secrets())
    return App(config)


def bar(length: int, label: str) -> Any:  # noqa: ANN401 - click does not export the type
    """Return a progress bar on stderr; none in a pipe."""
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())


def warn(warnings: Iterable[str]) -> None:
    """Print what is allowed but hardly meant."""
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)


def as_json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --json to a command."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(function)


def print_json(value: object) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))
