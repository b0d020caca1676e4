"""Commands that ask: events, score, explain, history; and verdict, a person's answer to an event."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from riskwatch.cli_app import INSTANT, app_of, as_json_option, print_json


@click.command()
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


@click.command()
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


@click.command()
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


@click.command()
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


@click.command()
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


COMMANDS = (events, score, explain, history, verdict)
