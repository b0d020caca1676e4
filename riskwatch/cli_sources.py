"""Commands of the sources: how each stands, and OPML in and out."""

from __future__ import annotations

from pathlib import Path

import click

from riskwatch.cli_app import app_of, as_json_option, print_json
from riskwatch.errors import Invalid

_FILE = click.Path(path_type=Path, dir_okay=False)
_THERE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group()
def sources() -> None:
    """What is polled: how it stands, OPML in and out."""


@sources.command("list")
@as_json_option
@click.pass_context
def sources_list(ctx: click.Context, as_json: bool) -> None:
    """List every source: its state, last good poll, when it is due next, and why it failed."""
    rows = app_of(ctx).questions.sources()
    if as_json:
        print_json({"items": rows})
        return
    for row in rows:
        last, due = row["last_ok_at"] or "never", row["next_due_at"] or "at once"
        reason = f"  ({row['reason']})" if row["reason"] else ""
        click.echo(f"{row['id']:28}{row['state']:14}last ok {last:22}next {due:22}{reason}".rstrip())


@sources.command("import")
@click.argument("file", type=_THERE)
@click.option("--write", "target", type=_FILE, help="A new sources file; without it the entries are printed.")
@click.pass_context
def sources_import(ctx: click.Context, file: Path, target: Path | None) -> None:
    """Make a sources file of the feeds that an OPML FILE lists."""
    from riskwatch.source_files import as_yaml, sources_of

    app = app_of(ctx)
    made, told = sources_of(
        file.read_bytes(), name=file.name, known=app.config.sources, resolve=app.intake.resolve
    )
    for sentence in told:
        click.echo(sentence, err=True)
    text = as_yaml(made)
    if target is None:
        click.echo(text, nl=False)
        return
    try:
        with target.open("x", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise _unwritten("--write", target, error) from None
    click.echo(f"{target} holds {len(made)} sources; in a folder sources/ of your config they are polled")


@sources.command("export")
@click.argument("file", type=_FILE, required=False)
@click.pass_context
def sources_export(ctx: click.Context, file: Path | None) -> None:
    """Write the configured feeds as OPML 2.0 to FILE, or print them."""
    from riskwatch.source_files import as_opml

    body = as_opml(app_of(ctx).config.sources)
    if file is None:
        click.echo(body.decode(), nl=False)
        return
    try:
        file.write_bytes(body)
    except OSError as error:
        raise _unwritten("file", file, error) from None
    click.echo(f"{file} holds {body.count(b'<outline ')} feeds")


def _unwritten(field: str, file: Path, error: OSError) -> Invalid:
    hint = (
        "choose a new name" if isinstance(error, FileExistsError) else "its folder must be there, and yours"
    )
    return Invalid(field, f"{file} cannot be made ({error.strerror}); {hint}")


COMMANDS = (sources,)
