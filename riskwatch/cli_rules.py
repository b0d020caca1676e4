"""Commands of the detection rules: lint, test, and what a pool of news says of names."""

from __future__ import annotations

from pathlib import Path

import click

from riskwatch.cli_app import FAULTS, app_of

CORPUS = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def rules() -> None:
    """Check the detection rules."""


@rules.command("lint")
@click.option(
    "--corpus",
    type=CORPUS,
    help="Hold the rules to the rates of rates.yaml on this pool of news (JSON Lines, .gz too).",
)
@click.pass_context
def rules_lint(ctx: click.Context, corpus: Path | None) -> None:
    """Check every rule against the checks R01 to R10."""
    measuring = app_of(ctx).measuring
    findings = measuring.lint() if corpus is None else measuring.rates(corpus)
    for finding in findings:
        click.echo(finding)
    click.echo(f"{len(findings)} finding{'' if len(findings) == 1 else 's'}")
    if findings:
        ctx.exit(FAULTS)


@rules.command("test")
@click.option("--rule", "only", multiple=True, metavar="ID", help="Test this rule only; may be repeated.")
@click.pass_context
def rules_test(ctx: click.Context, only: tuple[str, ...]) -> None:
    """Run the tests inside the rules."""
    lines, failed = app_of(ctx).measuring.run_tests(only)
    for line in lines:
        click.echo(line)
    if failed:
        ctx.exit(FAULTS)


@click.group()
def curate() -> None:
    """Propose what the register lacks; nothing is changed."""


@curate.command("aliases")
@click.argument("corpus", type=CORPUS)
@click.option(
    "--least",
    default=5,
    show_default=True,
    type=click.IntRange(1),
    help="Articles that must hold a name.",
)
@click.pass_context
def curate_aliases(ctx: click.Context, corpus: Path, least: int) -> None:
    """Print names of a pool of news (JSON Lines, .gz too) that vendors and blockers lack, as YAML."""
    for line in app_of(ctx).measuring.propose_names(corpus, least=least):
        click.echo(line)


COMMANDS = (rules, curate)
