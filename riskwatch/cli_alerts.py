"""Commands of alerting: alerts, deliveries, send-test, audit; each is a thin call into the desk."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click
from pydantic_core import to_jsonable_python

from riskwatch.cli_app import FAULTS, app_of, as_json_option, print_json
from riskwatch.model import Actor

if TYPE_CHECKING:
    from riskwatch.model import Delivery, Incident

OPERATOR = Actor("command line", may_all=True)


def _when(at: datetime | None) -> str:
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M}"


# -------------------------------------------------------------------------------- alerts
@click.group()
def alerts() -> None:
    """Incidents of the alert rules: list, preview, replay, acknowledge."""


@alerts.command("list")
@click.option("--all", "everything", is_flag=True, help="Closed ones too.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@as_json_option
@click.pass_context
def alerts_list(ctx: click.Context, everything: bool, limit: int, as_json: bool) -> None:
    """List incidents, newest first."""
    rows = app_of(ctx).alerts.incidents(everything=everything, limit=limit)
    if as_json:
        print_json(to_jsonable_python(rows))
        return
    for row in rows:
        click.echo(_incident(row))
    if not rows:
        click.echo("No incident. `riskwatch alerts replay` shows when each rule would have fired.")


@alerts.command()
@click.argument("incident", required=False)
@click.option(
    "--kind", type=click.Choice(["email", "html", "slack", "webhook"]), default="email", show_default=True
)
@click.pass_context
def preview(ctx: click.Context, incident: str | None, kind: str) -> None:
    """Render what was last said of an INCIDENT (default: the newest one); nothing is sent."""
    click.echo(app_of(ctx).alerts.preview(incident, kind))


@alerts.command()
@click.argument("rule", required=False)
@click.option("--days", default=180, show_default=True, type=click.IntRange(1, 3650))
@as_json_option
@click.pass_context
def replay(ctx: click.Context, rule: str | None, days: int, as_json: bool) -> None:
    """Tell when RULE (default: every rule) would have fired over the stored history."""
    told = app_of(ctx).alerts.replayed(rule, days=days)
    if as_json:
        print_json(to_jsonable_python(told))
        return
    for one in told:
        click.echo(one.sentence)


@alerts.command()
@click.argument("incident")
@click.option("--note", default="", help="Why, for those who read it later.")
@click.pass_context
def acknowledge(ctx: click.Context, incident: str, note: str) -> None:
    """Stop repeats of INCIDENT; worsening, corrections and its end are still told."""
    made = app_of(ctx).desk.acknowledge(incident, actor=OPERATOR, until=None, note=note)
    click.echo(_incident(made))


def _incident(row: Incident) -> str:
    acked = f"  acknowledged by {row.acked_by}" if row.acked_by else ""
    return (
        f"{row.id}  {_when(row.opened_at)}  {row.state:<10} {row.severity:<8} {row.rule_id:<18} "
        f"{row.subject}{acked}"
    )


# -------------------------------------------------------------------------------- deliveries
@click.group()
def deliveries() -> None:
    """Messages owed, sent, dead: list and redrive."""


@deliveries.command("list")
@click.option("--state", "states", multiple=True, help="pending, delivered, dead ...; repeatable.")
@click.option("--receiver", help="Id of a receiver.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@as_json_option
@click.pass_context
def deliveries_list(
    ctx: click.Context, states: tuple[str, ...], receiver: str | None, limit: int, as_json: bool
) -> None:
    """List deliveries, newest first."""
    rows = app_of(ctx).alerts.deliveries(states=states, receiver=receiver, limit=limit)
    if as_json:
        print_json(to_jsonable_python(rows))
        return
    for row in rows:
        click.echo(_delivery(row))
    if not rows:
        click.echo("No delivery.")


@deliveries.command()
@click.argument("ids", nargs=-1)
@click.option("--receiver", help="All dead ones of a receiver.")
@click.pass_context
def redrive(ctx: click.Context, ids: tuple[str, ...], receiver: str | None) -> None:
    """Send dead deliveries again, with the same id."""
    if bool(ids) == bool(receiver):
        raise click.UsageError("name deliveries, or --receiver")
    app = app_of(ctx)
    chosen = ids or tuple(row.id for row in app.alerts.deliveries(("dead",), receiver, limit=10_000))
    moved = app.desk.move_deliveries(chosen, "redrive", actor=OPERATOR)
    click.echo(f"{len(moved)} of {len(chosen)} will be sent again")
    if len(moved) < len(chosen):
        click.echo("error: only dead deliveries can be redriven", err=True)
        ctx.exit(FAULTS)


def _delivery(row: Delivery) -> str:
    last = f"  {row.last_outcome}" if row.last_outcome else ""
    return (
        f"{row.id}  {_when(row.created_at)}  {row.state:<10} {row.purpose:<10} {row.receiver_id} "
        f"-> {row.recipient}  tries {row.attempts}{last}"
    )


@click.command("send-test")
@click.argument("receiver")
@as_json_option
@click.pass_context
def send_test(ctx: click.Context, receiver: str, as_json: bool) -> None:
    """Send one message marked TEST to RECEIVER and tell how it went."""
    told = app_of(ctx).desk.test_send(receiver, actor=OPERATOR)
    if as_json:
        print_json(to_jsonable_python(told))
    else:
        click.echo(f"{receiver}: {told.outcome} {told.code} in {told.latency_ms} ms. {told.detail}")
    if told.outcome != "ok":
        ctx.exit(FAULTS)


@click.group()
def audit() -> None:
    """Who changed what: list and verify the log."""


@audit.command("list")
@click.option("--after", default=0, help="Number of the last line seen.")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 10_000))
@as_json_option
@click.pass_context
def audit_list(ctx: click.Context, after: int, limit: int, as_json: bool) -> None:
    """List the lines, oldest first."""
    rows = app_of(ctx).audit(after=after, limit=limit)
    if as_json:
        print_json(to_jsonable_python(rows))
        return
    for row in rows:
        click.echo(f"{row.seq:6d}  {_when(row.at)}  {row.actor}  {row.action}  {row.object}")


@audit.command()
@click.pass_context
def verify(ctx: click.Context) -> None:
    """Check that no line was changed, moved or taken out."""
    wrong = app_of(ctx).verify_audit()
    if wrong is None:
        click.echo("The audit log is whole.")
        return
    click.echo(f"error: the audit log does not fit from line {wrong} on", err=True)
    ctx.exit(FAULTS)


COMMANDS = (alerts, deliveries, send_test, audit)
