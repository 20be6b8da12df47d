"""The commands: thin, each one call into the package."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from smo_research.errors import DataError, SmoError
from smo_research.importing import KINDS, TEMPLATES
from smo_research.leaving import leaving
from smo_research.options import (
    CORES,
    Days,
    KeepIds,
    LogFile,
    LogFormat,
    Mirror,
    OwnFolder,
    PostsFile,
    Results,
    Tables,
    Workers,
)
from smo_research.output import check_ending, check_folder, write_table

app = typer.Typer(
    help="Do technical tweaks or genuine conversation predict lasting audience growth?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

CHANGED = (
    "The hypotheses file differs from the committed one: these verdicts rest on other claims, "
    "contrasts, bounds or rules than the published ones."
)


def main() -> None:
    """Run a command; an error of ours is one message and exit status 2."""
    with leaving():
        app()


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@app.command()
def datasets() -> None:
    """List the catalogue: what each data set is, its licence, whether it is here, what it tests."""
    from smo_research.report.terminal import print_catalogue

    print_catalogue()


@app.command()
def fetch(
    names: Annotated[list[str] | None, typer.Argument(help="Data sets of the catalogue.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All data sets.")] = False,
    mirror: Mirror = None,
) -> None:
    """Download, verify and cache data sets."""
    from smo_research.datasets.catalog import catalog
    from smo_research.datasets.fetch import fetch as fetch_files

    if bool(names) == everything:
        raise DataError("Name the data sets to fetch, or give --all; `smo datasets` lists them.")
    problems = []
    for name in names or catalog():
        try:
            for path in fetch_files(name, mirror=mirror):
                print(path)
        except SmoError as error:
            problems.append(str(error))
    if problems:
        raise SmoError("\n".join(problems))


@app.command()
def study(
    names: Annotated[
        list[str] | None, typer.Argument(help="By default all that can be had.")
    ] = None,
    output: Results = Path("results"),
    data: OwnFolder = None,
    mirror: Mirror = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer draws; the report says.")] = False,
    workers: Workers = CORES,
) -> None:
    """Run the study: evidence, verdicts, figures and a report."""
    from smo_research.report.answer import answer_paragraph
    from smo_research.report.terminal import print_verdicts
    from smo_research.study import study as run_study
    from smo_research.study import write

    check_folder(output)
    done = run_study(names, data=data, mirror=mirror, quick=quick, workers=workers, tell=_tell)
    placed = write(done, output)
    if not done.manifest["hypotheses_as_committed"]:
        _tell(CHANGED)
    print_verdicts(done.verdicts)
    for name, reason in done.passed_over.items():
        print(f"passed over {reason if reason.startswith(name) else f'{name}: {reason}'}")
    print(f"\n{answer_paragraph(done.verdicts)}\n")
    print(f"Report: {output / 'report.html'} ({len(placed)} files in {output})")


@app.command()
def figures(
    folder: Annotated[Path, typer.Argument(help="Where they are or go.")] = Path("figures"),
    output: Annotated[Path | None, typer.Option("-o", "--output", help="The same.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Compare with a new make.")] = False,
    mirror: Mirror = None,
    workers: Workers = CORES,
) -> None:
    """Make every figure of record, or verify those there: numbers first, then pixels."""
    from smo_research.record import run_figures

    print(run_figures(output or folder, verify=verify, mirror=mirror, workers=workers, tell=_tell))


@app.command()
def validate(
    folder: Annotated[Path, typer.Argument(help="Tables of one's own: posts.csv and so on.")],
    json: Annotated[bool, typer.Option("--json", help="Every problem, for a program.")] = False,
) -> None:
    """Check a folder of canonical tables, and say what they can test; exit status 2 if wrong."""
    from smo_research.datasets.folder import inspect_folder
    from smo_research.problems import as_json, told
    from smo_research.report.terminal import print_own

    own, problems = inspect_folder(folder)
    if json:
        print(as_json(problems))
    elif own is not None:
        print_own(own)
    else:
        raise DataError(told(problems))
    if problems:
        raise typer.Exit(2)


@app.command("import")
def bring(
    kind: Annotated[str, typer.Argument(help=f"{', '.join(KINDS)}.")],
    path: Annotated[Path, typer.Argument(help="The archive, export, graph or log.")],
    output: Tables,
    parquet: Annotated[bool, typer.Option("--parquet", help="Parquet in place of CSV.")] = False,
    act: Annotated[
        str | None, typer.Option(help="Kind of each act of a log: message, reply, ...")
    ] = None,
) -> None:
    """Bring an archive, export, graph or log of one's own into tables that can be studied."""
    from smo_research.importing import import_tables
    from smo_research.report.terminal import print_own

    done = import_tables(kind, path, output, parquet=parquet, act=act)
    print(done.summary())
    print_own(done.own)
    print(f"\nNow: smo study --data {quote(str(output))}")


@app.command()
def template(
    kind: Annotated[str, typer.Argument(help=f"{', '.join(TEMPLATES)}.")],
    output: Tables,
) -> None:
    """Write a small made-up example of a kind of archive, export, graph or log."""
    from smo_research.example import write_template

    print(write_template(kind, output))


@app.command()
def reproduce(
    names: Annotated[list[str] | None, typer.Argument(help="By default all.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A .csv to write.")] = None,
    mirror: Mirror = None,
) -> None:
    """Check every published figure; exit status 1 where one differs without a known reason."""
    from smo_research.evidence.published import reproduce as run_checks
    from smo_research.evidence.published import summary, unexplained
    from smo_research.report.terminal import print_checks

    if output is not None:
        check_ending(output)
    board = run_checks(names, mirror=mirror)
    print_checks(board)
    if output is not None:
        write_table(board.astype({"published": "str", "measured": "str"}), output)
    for name, reason in board.attrs["passed_over"].items():
        print(f"passed over {reason if reason.startswith(name) else f'{name}: {reason}'}")
    print(summary(board))
    if len(unexplained(board)):
        raise typer.Exit(1)


@app.command()
def panel(
    name: Annotated[str | None, typer.Argument(help="A data set of the catalogue.")] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Where to write: .parquet or .csv.")
    ] = Path("panel.parquet"),
    interactions: LogFile = None,
    posts: PostsFile = None,
    format: LogFormat = None,
    keep_ids: KeepIds = False,
    period: Days = None,
    gap: Days = None,
    horizon: Days = None,
    engine: Annotated[str, typer.Option(help="duckdb, or spark (needs the extra).")] = "duckdb",
    mirror: Mirror = None,
) -> None:
    """Build the panel, one row an account and period, of a data set or of any timed edge list."""
    from smo_research.one_log import write_panel

    told = write_panel(
        name,
        output,
        interactions=interactions,
        posts=posts,
        format=format,
        keep_ids=keep_ids,
        days={"period": period, "gap": gap, "horizon": horizon},
        engine=engine,
        mirror=mirror,
    )
    print(told)


@app.command()
def graph(
    name: Annotated[str | None, typer.Argument(help="A data set of the catalogue.")] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Where to write: .parquet or .csv.")
    ] = Path("nodes.parquet"),
    interactions: LogFile = None,
    format: LogFormat = None,
    keep_ids: KeepIds = False,
    mirror: Mirror = None,
) -> None:
    """Measure the graph, one row an account, of a data set or of any timed edge list."""
    from smo_research.one_log import write_graph

    told = write_graph(
        name, output, interactions=interactions, format=format, keep_ids=keep_ids, mirror=mirror
    )
    print(told)


@app.command()
def simulate(
    scenario: Annotated[str, typer.Option(help="Name of a world; see the README.")] = "workshop",
    accounts: Annotated[int | None, typer.Option(min=1, help="Accounts under study.")] = None,
    periods: Annotated[int | None, typer.Option(min=1, help="Periods, by default weeks.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 1,
    knob: Annotated[
        list[str] | None, typer.Option("--set", help="A knob and its value, as talent=0.9.")
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the tables.")] = Path(
        "world"
    ),
) -> None:
    """Simulate a world whose truth is known, and write its canonical tables and truth.json."""
    from smo_research.simulation.scenarios import scenario as find
    from smo_research.simulation.simulated import write
    from smo_research.simulation.worlds import read_knobs

    check_folder(output)
    sizes = {"accounts": accounts, "periods": periods}
    knobs = {name: value for name, value in sizes.items() if value is not None}
    paths, acts = write(find(scenario).turned(**knobs, **read_knobs(knob or [])), output, seed=seed)
    for path in paths:
        print(path)
    print(f"{acts:,} acts")


@app.command()
def calibrate(
    output: Results = Path("results"),
    worlds: Annotated[
        int, typer.Option(min=1, help="At most so many worlds of each kind; 1,000 are the most.")
    ] = 1_000,
    keep: Annotated[
        Path, typer.Option(help="Folder of what is done; a run that was stopped goes on from it.")
    ] = Path("data/calibration"),
    workers: Workers = CORES,
) -> None:
    """Find out on simulated worlds how often the tests are right; takes up to two hours."""
    from smo_research.calibrate import run_calibration

    check_folder(output)
    for line in run_calibration(output, worlds=worlds, keep=keep, workers=workers):
        print(line)


if __name__ == "__main__":
    main()
