"""The command line: each command is a thin call into app; long imports wait for their command."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from riskwatch import (
    __version__,
    cli_alerts,
    cli_keys,
    cli_read,
    cli_rules,
    cli_sources,
    cli_store,
    cli_users,
)
from riskwatch.cli_app import FAULTS, INSTANT, app_of, as_json_option, bar, print_json, warn
from riskwatch.errors import ConfigErrors, RiskwatchError

if TYPE_CHECKING:
    from riskwatch import benchmark as benchmarks
    from riskwatch import evaluate as evaluation
    from riskwatch.app import App

    _Measured = tuple[evaluation.Report | benchmarks.Report, str, list[str]]

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Group(click.Group):
    """A group whose commands end with a sentence, not a traceback, on errors raised on purpose."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        try:
            return super().invoke(ctx)
        except ConfigErrors as errors:
            for error in errors.errors:
                click.echo(f"error: {error}", err=True)
            ctx.exit(FAULTS)
        except RiskwatchError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(FAULTS)


@click.group(cls=_Group, context_settings=_CONTEXT)
@click.version_option(__version__, prog_name="riskwatch")
@click.option(
    "--config",
    "config_dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder laid over the shipped config: a file there stands for the shipped one of the same path.",
)
@click.pass_context
def main(ctx: click.Context, config_dir: Path | None) -> None:
    """How stable each of your AI-model vendors is, why, and what changed since yesterday."""
    ctx.obj = config_dir


# -------------------------------------------------------------------------------- run
@main.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.  [default: 8470]"
)
@click.option("--no-browser", is_flag=True, help="Do not open the overview in a browser.")
@click.option("--build-only", is_flag=True, help="Replay the history and stop, without serving it.")
@click.pass_context
def demo(ctx: click.Context, port: int | None, no_browser: bool, build_only: bool) -> None:
    """Replay the bundled history of AI-vendor events and open the service on it, without any network."""
    from riskwatch import demo as replayed
    from riskwatch.serve import server

    app = app_of(ctx)
    listening = (
        None if build_only else server.listen("127.0.0.1", app.config.settings.port if port is None else port)
    )
    prepared = replayed.prepare(app, bar=bar, say=click.echo)
    if listening is None:
        return
    address = server.address_of(listening)
    served = replayed.installation(app.config, prepared)
    key = served.add_key("demo", scopes=("read",))
    served.close()
    click.echo(
        f"riskwatch demo listens on {address}/; its clock stands at the end of {replayed.day_of(prepared)}."
    )
    click.echo(f"curl -s -H 'X-API-Key: {key}' {address}/v1/vendors/alibaba/lines/qwen/score")
    click.echo("Stop it with Ctrl-C.")
    if not no_browser:
        click.launch(f"{address}/")
    told = ["--demo-dir", str(prepared.folder), "--clock", prepared.clock.isoformat(), "--base-url", address]
    server.become(listening, [*_same_config(ctx), "web-process", *told])


def _same_config(ctx: click.Context) -> list[str]:
    return [] if ctx.obj is None else ["--config", str(ctx.obj)]


@main.command()
@click.option("--host", help="Address to listen on.  [default: RISKWATCH_HOST or 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on.  [default: RISKWATCH_PORT or 8470]"
)
@click.option("--no-worker", is_flag=True, help="Web only: another process polls, detects and scores.")
@click.option("--migrate", is_flag=True, help="Bring a PostgreSQL schema to this version first.")
@click.pass_context
def serve(ctx: click.Context, host: str | None, port: int | None, no_worker: bool, migrate: bool) -> None:
    """Run the web server and the worker in one process."""
    from riskwatch import web
    from riskwatch.serve import server

    app = app_of(ctx)
    warn(app.config.warnings)
    web.check_sso(app.config.settings)
    if migrate:
        app.keeping.migrate()
    chosen = app.config.settings
    listening = server.listen(host or chosen.host, chosen.port if port is None else port)
    address = server.address_of(listening)
    warn(server.exposures(listening.getsockname()[0], chosen.base_url))
    first, password = app.first_key(), app.people.first_admin() if chosen.local_login else None
    app.close()
    if first:
        click.echo(f"No API key yet: made an admin key, shown this once: {first}")
    if password:
        click.echo(
            f"Nobody can log in yet: made admin, whose one-time password is shown this once: {password}"
        )
    click.echo(f"riskwatch listens on {address}")
    told = ["--base-url", chosen.base_url or address, *(["--no-worker"] if no_worker else [])]
    server.become(listening, [*_same_config(ctx), "web-process", *told])


@main.command("web-process", hidden=True)
@click.option("--socket", "descriptor", type=int, required=True)
@click.option("--base-url", required=True)
@click.option("--no-worker", is_flag=True)
@click.option("--demo-dir", type=click.Path(path_type=Path))
@click.option("--clock", type=INSTANT)
@click.pass_context
def web_process(
    ctx: click.Context,
    descriptor: int,
    base_url: str,
    no_worker: bool,
    demo_dir: Path | None,
    clock: datetime | None,
) -> None:
    """Serve a socket that `serve` or `demo` has opened; the app is made after the fork."""
    from riskwatch.serve import server

    made: list[App] = []

    def make_app() -> Any:  # noqa: ANN401 - a WSGI callable
        from riskwatch import demo as replayed

        app = app_of(ctx)
        if demo_dir is None or clock is None:
            made.append(app)
            return app.web(base_url=base_url)
        prepared = replayed.Prepared(demo_dir, clock)
        made.append(replayed.installation(app.config, prepared))
        return made[0].web(base_url=base_url, anonymous_read=True, demo_day=replayed.day_of(prepared))

    def started() -> Callable[[], None]:
        return made[0].close if no_worker or demo_dir is not None else made[0].start_ticks()

    server.run(server.inherited(descriptor), make_app, started=started)


@main.command()
@click.pass_context
def worker(ctx: click.Context) -> None:
    """Poll, detect and score without a web server, until stopped."""
    app = app_of(ctx)
    warn(app.config.warnings)
    app.work(say=click.echo)


@main.command()
@click.option("--once", is_flag=True, required=True, help="Poll every source that is due, once.")
@click.option("--all", "everything", is_flag=True, help="Poll all sources, due or not.")
@click.option("--source", "only", multiple=True, metavar="ID", help="Poll this source only; may be repeated.")
@as_json_option
@click.pass_context
def poll(ctx: click.Context, once: bool, everything: bool, only: tuple[str, ...], as_json: bool) -> None:
    """Ask the sources for news; store, detect, merge and score what they bring."""
    assert once  # noqa: S101 - required by the option
    report = app_of(ctx).poll(only=only, everything=everything or bool(only), bar=bar)
    if as_json:
        print_json(report.as_json())
        return
    for line in report.lines():
        click.echo(line)
    click.echo(report.summary())
    if report.polls and not any(row.is_ok for row in report.polls):
        ctx.exit(FAULTS)  # nothing at all answered: that is a fault on our side


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--published", type=INSTANT, help="Publication date for files that do not say it.")
@click.option("--publisher", help="Outlet (name or domain) for files that do not say it.")
@click.option("--url", help="Address for files that do not say it.")
@as_json_option
@click.pass_context
def ingest(
    ctx: click.Context,
    paths: tuple[Path, ...],
    published: datetime | None,
    publisher: str | None,
    url: str | None,
    as_json: bool,
) -> None:
    """Take in saved articles: text, HTML, feed XML, JSON Feed or JSON Lines; folders are read whole."""
    if url is not None and not url.startswith(("http://", "https://")):
        raise click.BadParameter("write an address that starts with https://", param_hint="--url")
    report = app_of(ctx).ingest(
        paths, given={"published": published, "publisher": publisher, "url": url}, bar=bar
    )
    for problem in report.errors:
        click.echo(f"error: {problem}", err=True)
    if as_json:
        print_json(report.as_json())
    else:
        click.echo(report.summary())
    if report.errors:
        ctx.exit(FAULTS)


@main.command()
@as_json_option
@click.pass_context
def redetect(ctx: click.Context, as_json: bool) -> None:
    """Read stored articles again that another ruleset has read; a worker does so by itself when it starts."""
    report = app_of(ctx).redetect(bar)
    if as_json:
        print_json(report.as_json())
    else:
        click.echo(report.summary())


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--explain", is_flag=True, help="Print how each signal came about, and what was blocked.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line per article.")
@click.pass_context
def detect(ctx: click.Context, paths: tuple[Path, ...], explain: bool, as_json: bool) -> None:
    """Run detection alone on saved articles; nothing is stored."""
    failed = False
    for line, is_error in app_of(ctx).detect(paths, explain=explain, as_json=as_json):
        click.echo(line, err=is_error)
        failed = failed or is_error
    if failed:
        ctx.exit(FAULTS)


# -------------------------------------------------------------------------------- read
# -------------------------------------------------------------------------------- config
@main.command("check-config")
@click.pass_context
def check_config(ctx: click.Context) -> None:
    """Check every file of config/ and every setting; print all mistakes with file and line."""
    from riskwatch import settings

    config = settings.load(ctx.obj)
    warn(config.warnings)
    lines = sum(len(vendor.lines) for vendor in config.vendors.values())
    click.echo(
        f"config is valid: {len(config.vendors)} vendors with {lines} lines, {len(config.sources)} sources, "
        f"{len(config.rules)} rules for {len(config.taxonomy)} event types, "
        f"{len(config.blockers.blockers)} blockers, {len(config.publishers)} publishers, "
        f"methodology {config.methodology.version}"
    )


@main.command()
@click.option(
    "--write", type=click.Path(path_type=Path, file_okay=False), help="Folder to write the schemas to."
)
def schema(write: Path | None) -> None:
    """Print (or write) the JSON Schemas of the config files, for editors."""
    from riskwatch.schema import schemas

    for name, text in schemas().items():
        if write is None:
            click.echo(text, nl=False)
            continue
        write.mkdir(parents=True, exist_ok=True)
        (write / name).write_text(text, encoding="utf-8")


@main.group("settings")
def settings_group() -> None:
    """Look at the settings."""


@settings_group.command("show")
def settings_show() -> None:
    """Print every setting; a secret prints as <secret>."""
    from riskwatch import environment

    read, _warnings = environment.read_settings()
    for name, value in environment.shown(read).items():
        click.echo(f"{environment.PREFIX}{name.upper()}={value}")


# -------------------------------------------------------------------------------- keys
@main.command()
@click.pass_context
def openapi(ctx: click.Context) -> None:
    """Print the OpenAPI 3.1 description of the API."""
    print_json(app_of(ctx).openapi())


for _command in (
    *cli_alerts.COMMANDS,
    *cli_keys.COMMANDS,
    *cli_read.COMMANDS,
    *cli_rules.COMMANDS,
    *cli_sources.COMMANDS,
    *cli_store.COMMANDS,
    *cli_users.COMMANDS,
):
    main.add_command(_command)
