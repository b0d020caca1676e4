"""Commands of the database: migrate, backup, restore, export, import, retention, health."""

from __future__ import annotations

from pathlib import Path

import click

from riskwatch.cli_app import FAULTS, app_of, as_json_option, bar, bare_app_of, print_json

_FILE = click.Path(path_type=Path, dir_okay=False)
_THERE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command()
@click.pass_context
def migrate(ctx: click.Context) -> None:
    """Bring the database to this version's schema (a SQLite file is backed up first)."""
    click.echo("migrated" if app_of(ctx).keeping.migrate() else "the schema is already at this version")


@click.command()
@click.argument("file", type=_FILE)
@click.pass_context
def backup(ctx: click.Context, file: Path) -> None:
    """Copy the SQLite database to FILE while it is in use."""
    click.echo(app_of(ctx).keeping.backup(file))


@click.command()
@click.argument("file", type=_FILE)
@click.pass_context
def restore(ctx: click.Context, file: Path) -> None:
    """Put FILE, made by backup, in place of the SQLite database; stop serve and worker first."""
    for line in bare_app_of(ctx).restore(file):
        click.echo(line)


@click.command()
@click.argument("file", type=_FILE)
@click.pass_context
def export(ctx: click.Context, file: Path) -> None:
    """Write every row to FILE as JSON Lines, compressed where the name ends in .gz."""
    click.echo(app_of(ctx).keeping.export(file, bar=bar))


@click.command("import")
@click.argument("file", type=_THERE)
@click.pass_context
def import_(ctx: click.Context, file: Path) -> None:
    """Take FILE, made by export, into an empty database: from SQLite to PostgreSQL, or back."""
    for line in bare_app_of(ctx).keeping.import_(file, bar=bar):
        click.echo(line)


@click.command()
@click.option("--dry-run", is_flag=True, help="Count what would go; delete nothing.")
@click.option("--force", is_flag=True, help="Delete also more at once than most_percent allows.")
@as_json_option
@click.pass_context
def retention(ctx: click.Context, dry_run: bool, force: bool, as_json: bool) -> None:
    """Delete what is older than config/retention.yaml allows, as serve and worker do daily."""
    from riskwatch.retention import check, forget

    app = app_of(ctx)
    found = forget(app.parts, app.config.retention, is_dry_run=True)
    if not (dry_run or force):
        check(app.parts, app.config.retention, found)
    if not dry_run:
        with bar(found.total, "deleting") as moving:
            found = forget(app.parts, app.config.retention, progress=moving.update)
    if as_json:
        print_json({"dry_run": dry_run, **found.counts()})
        return
    for name, number in found.counts().items():
        verb = "" if name == "kept_as_evidence" else " would go" if dry_run else " deleted"
        click.echo(f"{name.replace('_', ' ')}: {number}{verb}")


@click.command()
@click.pass_context
def health(ctx: click.Context) -> None:
    """Ask the running service whether it lives; exit status 0 or 1."""
    alive, told = app_of(ctx).health()
    click.echo(told)
    if not alive:
        ctx.exit(FAULTS)


COMMANDS = (migrate, backup, restore, export, import_, retention, health)
