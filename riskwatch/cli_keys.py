"""Commands of API keys: key add, list, revoke."""

from __future__ import annotations

from datetime import datetime

import click

from riskwatch.cli_app import INSTANT, app_of, as_json_option, print_json
from riskwatch.model import SCOPES


@click.group()
def key() -> None:
    """Make, list and revoke API keys."""


@key.command("add")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
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


COMMANDS = (key,)
