"""Commands of the detection rules: lint, test, evaluate, and what a pool of news says of names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from riskwatch.cli_app import FAULTS, app_of, as_json_option, bar, print_json

if TYPE_CHECKING:
    from riskwatch import benchmark as benchmarks
    from riskwatch import evaluate as evaluation
    from riskwatch.app import App

    _Measured = tuple[evaluation.Report | benchmarks.Report, str, list[str]]

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
    """Propose what the configuration lacks; nothing is changed."""


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


@curate.command("words")
@click.argument("corpus", type=CORPUS)
@click.pass_context
def curate_words(ctx: click.Context, corpus: Path) -> None:
    """Print the common words of a pool of news, by what they say in bits, for config/common_words.yaml."""
    click.echo("words:")
    for bits, words in app_of(ctx).measuring.common_words(corpus).items():
        click.echo(f'  {bits}: "{words}"')


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


@click.command()
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


COMMANDS = (rules, curate, evaluate)
