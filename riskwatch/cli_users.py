"""Commands of the people who log in: user add, list, password, disable, enable."""

from __future__ import annotations

import click

from riskwatch.cli_app import app_of, as_json_option, print_json
from riskwatch.model import SCOPES


@click.group()
def user() -> None:
    """Make, list, renew and disable the people who log in to the pages."""


@user.command()
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice(SCOPES),
    default="read",
    show_default=True,
    help="What the person may do; each holds those before it.",
)
@click.pass_context
def add(ctx: click.Context, name: str, scope: str) -> None:
    """Make a person, NAME or name@example.com, and print a one-time password, this once."""
    click.echo(app_of(ctx).people.add(name, scope=scope))


@user.command("list")
@as_json_option
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """List the people, without their passwords."""
    from riskwatch import reports

    rows = [reports.user(one) for one in app_of(ctx).people.all()]
    if as_json:
        print_json({"items": rows})
        return
    for row in rows:
        seen = f"last here {row['last_login_at'][:10]}" if row["last_login_at"] else "never here"
        click.echo(f"{row['name']:<32} {row['scope']:<7} {row['state']:<18} {row['logs_in_by']:<9} {seen}")
    if not rows:
        click.echo("Nobody. `riskwatch user add NAME` makes one; the first `riskwatch serve` makes admin.")


@user.command()
@click.argument("name")
@click.pass_context
def password(ctx: click.Context, name: str) -> None:
    """Print a new one-time password of NAME, this once; the old one and all sessions end."""
    click.echo(app_of(ctx).people.renew(name))


@user.command()
@click.argument("name")
@click.pass_context
def disable(ctx: click.Context, name: str) -> None:
    """Let NAME log in no more, and end all sessions of that name."""
    app_of(ctx).people.disable(name)
    click.echo(f"{name} is disabled; `riskwatch user enable {name}` takes it back")


@user.command()
@click.argument("name")
@click.pass_context
def enable(ctx: click.Context, name: str) -> None:
    """Let NAME log in again, with the password as it was."""
    app_of(ctx).people.enable(name)
    click.echo(f"{name} may log in again")


COMMANDS = (user,)
