"""The command line: each command is a thin call into app; long imports wait for their command."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import click

from riskwatch import __version__, cli_alerts, cli_rules, cli_sources, cli_store, cli_users
from riskwatch.cli_app import FAULTS, app_of, as_json_option, bar, print_json, warn
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
    from riskwatch.serve import server

    app = app_of(ctx)
    warn(app.config.warnings)
    if migrate:
        app.keeping.migrate()
    chosen = app.config.settings
    listening = server.listen(host or chosen.host, chosen.port if port is None else port)
    address = server.address_of(listening)
    first, password = app.first_key(), app.people.first_admin()
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
@main.command()
@click.option("--vendor", metavar="ID", help="Events of this vendor (alibaba) or line (alibaba/qwen) only.")
@click.option(
    "--type", "types", multiple=True, metavar="TYPE", help="Events of this type only; may be repeated."
)
@click.option(
    "--limit", type=click.IntRange(1, 10000), default=200, show_default=True, help="How many at most."
)
@as_json_option
@click.pass_context
def events(ctx: click.Context, vendor: str | None, types: tuple[str, ...], limit: int, as_json: bool) -> None:
    """List the events, newest first."""
    found = app_of(ctx).questions.events(vendor=vendor, types=types, limit=limit)
    if as_json:
        print_json({"items": found})
        return
    if not found:
        click.echo("No event on record. `riskwatch poll --once` or `riskwatch ingest PATH` brings news in.")
    for event in found:
        flag = "  date disputed" if event["date_conflicts"] else ""
        outlets = f"{event['corroboration']} outlet{'' if event['corroboration'] == 1 else 's'}"
        click.echo(
            f"{event['occurred_at'][:10]}  {event['subject']:<24} {event['type']:<22} "
            f"{event['assertion']:<10} {outlets:<10} {event['heading']}{flag}"
        )


def _points(value: float | None) -> str:
    return "NR" if value is None else f"{value:.1f}"


@main.command()
@click.argument("subject", required=False)
@click.option("--as-of", type=INSTANT, help="Instant to judge.  [default: now]")
@click.option("--known-at", type=INSTANT, help="Only what was recorded by then.  [default: now]")
@as_json_option
@click.pass_context
def score(
    ctx: click.Context, subject: str | None, as_of: datetime | None, known_at: datetime | None, as_json: bool
) -> None:
    """Score a vendor (alibaba) or line (alibaba/qwen), or all of them."""
    scores = app_of(ctx).questions.scores(subject, as_of=as_of, known_at=known_at)
    if as_json:
        print_json(scores[0] if subject else {"items": scores})
        return
    for row in scores:
        points = "  NR" if row["score"] is None else f"{row['score']:5.1f}"
        between = (
            ""
            if row["interval"] is None
            else f"{row['interval']['low']:5.1f} to {row['interval']['high']:5.1f}"
        )
        click.echo(
            f"{row['subject']:<32} {points}  {row['grade']:<2}  {between:<16} "
            f"confidence {row['confidence']:.2f}"
        )


@main.command()
@click.argument("subject")
@click.option("--as-of", type=INSTANT, help="Instant to judge.  [default: now]")
@click.option("--known-at", type=INSTANT, help="Only what was recorded by then.  [default: now]")
@as_json_option
@click.pass_context
def explain(
    ctx: click.Context, subject: str, as_of: datetime | None, known_at: datetime | None, as_json: bool
) -> None:
    """Tell where every lost point of a vendor or line comes from."""
    told = app_of(ctx).questions.explain(subject, as_of=as_of, known_at=known_at)
    if as_json:
        print_json(told)
        return
    for line in _explained(told):
        click.echo(line)


def _explained(told: dict[str, Any]) -> list[str]:
    grade = f"grade {told['grade']}"
    if told["score"] is None:
        return [f"{told['subject']}: not rated ({', '.join(told['reasons']) or 'low confidence'})"]
    lines = [
        f"{told['subject']}: {told['score']:.1f}, {grade}, as of {told['as_of']}",
        f"{'100.0':>8}  opening",
    ]
    lines.append(
        f"{-told['structural']['printed_points']:8.1f}  size baseline ({told['structural']['size_class']})"
    )
    lines.extend(
        f"{-item['printed_points']:8.1f}  {item['heading']} ({item['assertion']}, "
        f"{item['occurred_at'][:10]}, credibility {item['credibility']:.3f}; "
        f"without it {item['score_without']:.1f})"
        for item in told["contributions"]
    )
    lines.append(f"{told['score']:8.1f}  score")
    lines.extend(
        f"          not counted: {item['heading']}: {item['reason']}" for item in told["not_counted"]
    )
    return lines


@main.command()
@click.argument("subject")
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True, help="How far back.")
@as_json_option
@click.pass_context
def history(ctx: click.Context, subject: str, days: int, as_json: bool) -> None:
    """Print the scores that were given, oldest first."""
    rows = app_of(ctx).questions.history(subject, days=days)
    if as_json:
        print_json({"items": rows})
        return
    if not rows:
        click.echo(f"No score of {subject} was stored in the last {days} days.")
    for row in rows:
        click.echo(f"{row['as_of']}  {_points(row['score']):>5}  {row['grade']}")


VERDICTS = ("confirm", "reject", "set_attributes", "re_date", "move_home", "set_magnitude", "close", "reopen")


def _pairs(_ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = dict(text.partition("=")[::2] for text in given)
    if not all(pairs.values()):
        raise click.BadParameter("write NAME=VALUE")
    return pairs


@main.command()
@click.argument("event")
@click.argument("kind", type=click.Choice(VERDICTS))
@click.option("--author", required=True, help="Who decides.")
@click.option("--reason", required=True, help="Why; it stays with the event for ever.")
@click.option(
    "--set",
    "values",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_pairs,
    help="Value of the verdict: occurred_at, home, closed_at, magnitude or an attribute; may be repeated.",
)
@as_json_option
@click.pass_context
def verdict(
    ctx: click.Context,
    event: str,
    kind: str,
    author: str,
    reason: str,
    values: dict[str, str],
    as_json: bool,
) -> None:
    """Judge an event: confirm or reject it, correct its date, home or attributes, close it."""
    told = app_of(ctx).questions.judge(event, kind, author=author, reason=reason, values=values)
    if as_json:
        print_json(told)
        return
    click.echo(f"{told['heading']}: {told['state']}, {told['assertion']}, {told['occurred_at'][:10]}")


# -------------------------------------------------------------------------------- config and rules
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


class _Measuring(TypedDict):
    benchmark: str | None
    part: str
    baseline: str | None
    title_only: bool
    errors: bool
    against: Path | None
    as_json: bool


def _on_labels(app: App, files: tuple[Path, ...], chosen: _Measuring) -> _Measured:
    from riskwatch import reports

    if any(file.is_dir() for file in files):
        raise click.UsageError("a folder is read with --benchmark only")
    against = chosen["against"]
    report, problems = app.measuring.evaluate(
        files, title_only=chosen["title_only"], baseline=chosen["baseline"], bar=bar
    )
    before = None if against is None else json.loads(against.read_text(encoding="utf-8"))
    return report, reports.quality(report, before), problems


def _on_benchmark(app: App, files: tuple[Path, ...], chosen: _Measuring) -> _Measured:
    from riskwatch import reports

    if len(files) > 1:
        raise click.UsageError("a benchmark is one path")
    name, part, baseline = str(chosen["benchmark"]), chosen["part"], chosen["baseline"]
    report = app.measuring.benchmark(name, files[0], part=part, baseline=baseline, bar=bar)
    return report, reports.benchmark(report), []


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--benchmark",
    type=click.Choice(["sentivent", "casie", "sentifm"]),
    help="Take the one path for an outside benchmark: the .tsv, the .json or the folder of it.",
)
@click.option(
    "--part",
    type=click.Choice(["aside", "read", "all"]),
    default="aside",
    help="Of a benchmark: the third set aside, by hash, the rest, or all.",
)
@click.option("--baseline", type=click.Choice(["keywords"]), help="Measure plain words instead of the rules.")
@click.option("--title-only", is_flag=True, help="Leave summaries and leads out.")
@click.option("--errors", is_flag=True, help="Print every miss and false hit, one JSON line each.")
@click.option(
    "--against",
    type=click.Path(path_type=Path, exists=True),
    help="A run saved with --json, to compare with.",
)
@as_json_option
@click.pass_context
def evaluate(ctx: click.Context, files: tuple[Path, ...], **chosen: Unpack[_Measuring]) -> None:
    """Measure detection on labelled items (JSON Lines) and print precision, recall and every error."""
    from riskwatch import reports

    measure = _on_labels if chosen["benchmark"] is None else _on_benchmark
    report, text, problems = measure(app_of(ctx), files, chosen)
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    if chosen["errors"]:
        for line in reports.error_lines(report):
            click.echo(line)
    if chosen["as_json"]:
        print_json(report.as_json())
    else:
        click.echo(text)
    if problems:
        ctx.exit(FAULTS)


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
@main.group()
def key() -> None:
    """Make, list and revoke API keys."""


@key.command("add")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["read", "review", "admin"]),
    default=("read",),
    show_default=True,
    help="What the key may do; may be repeated.",
)
@click.option("--expires", type=INSTANT, help="Last day on which the key works.")
@click.pass_context
def key_add(ctx: click.Context, name: str, scopes: tuple[str, ...], expires: datetime | None) -> None:
    """Make a key and print it, this once."""
    click.echo(app_of(ctx).add_key(name, scopes=scopes, expires_at=expires))


@key.command("list")
@as_json_option
@click.pass_context
def key_list(ctx: click.Context, as_json: bool) -> None:
    """List the keys, without their secrets."""
    rows = app_of(ctx).keys()
    if as_json:
        print_json({"items": rows})
        return
    for row in rows:
        click.echo(f"{row['id']}  {row['name']:<24} {','.join(row['scopes']):<18} {row['state']}")


@key.command("revoke")
@click.argument("key_id")
@click.pass_context
def key_revoke(ctx: click.Context, key_id: str) -> None:
    """End a key at once."""
    app_of(ctx).revoke_key(key_id)
    click.echo(f"{key_id} is revoked")


@main.command()
@click.pass_context
def openapi(ctx: click.Context) -> None:
    """Print the OpenAPI 3.1 description of the API."""
    print_json(app_of(ctx).openapi())


for _command in (
    *cli_alerts.COMMANDS,
    *cli_rules.COMMANDS,
    *cli_sources.COMMANDS,
    *cli_store.COMMANDS,
    *cli_users.COMMANDS,
):
    main.add_command(_command)
