"""The commands: thin, each one call into the package."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from smo_research.errors import DataError, SmoError
from smo_research.leaving import leaving
from smo_research.output import check_ending, check_folder, place_file, write_table

if TYPE_CHECKING:
    from smo_research.datasets.edgelist import Format

app = typer.Typer(
    help="Do technical tweaks or genuine conversation predict lasting audience growth?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Mirror = Annotated[
    Path | None,
    typer.Option(
        help="Folder with the published files, one sub-folder a data set.",
        show_default="SMO_MIRROR",
    ),
]
CORES = min(os.cpu_count() or 1, 4)
Workers = Annotated[
    int, typer.Option(min=1, help="Data sets tested side by side; the numbers are the same.")
]
Results = Annotated[Path, typer.Option("-o", "--output", help="Folder for the results.")]
OwnFolder = Annotated[Path | None, typer.Option(help="A folder of tables of one's own.")]
LogFile = Annotated[Path | None, typer.Option(help="A file of timed acts of one's own.")]
PostsFile = Annotated[Path | None, typer.Option(help="The posts beside it: .csv or .parquet.")]
KeepIds = Annotated[
    bool, typer.Option("--keep-ids", help="As written: of organisations, public figures, or a1.")
]
LogFormat = Annotated[
    str | None, typer.Option(help="snap, konect, csv or parquet; by default by the ending.")
]
NAME_OR_FILE = (
    "Give either the name of a data set, or --interactions FILE and, if need be, --format."
)
MOST_DAYS = 36_525
Days = Annotated[
    int | None, typer.Option(max=MOST_DAYS, help="Days; 7, 7 and 42 for a file of one's own.")
]
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
    from ibis.expr.types import Table

    from smo_research.datasets.catalog import dataset
    from smo_research.datasets.edgelist import format_of
    from smo_research.datasets.load import interactions_of
    from smo_research.datasets.own import open_log, read_posts
    from smo_research.datasets.pseudonyms import under_pseudonyms
    from smo_research.measures.acts import connect
    from smo_research.measures.panel import panel as build_panel
    from smo_research.measures.panel import panel_table
    from smo_research.tables import Windows

    check_ending(output)
    if interactions is not None and name is None:
        base: Windows | None = Windows(period=7, gap=7, horizon=42)
        log_format = cast("Format", format) if format else format_of(interactions)
    elif name is not None and (interactions, posts, format) == (None, None, None):
        base = dataset(name).windows
    else:
        raise DataError(NAME_OR_FILE)
    if base is None:
        raise DataError(f"{name} has no interactions with times, so it has no panel.")
    asked = {"period": period, "gap": gap, "horizon": horizon}
    given: dict[str, Any] = {key: days for key, days in asked.items() if days is not None}
    windows = replace(base, **given)
    made = None if posts is None else read_posts(posts)
    backend = connect(engine, progress=sys.stderr.isatty())
    try:
        if interactions is not None:
            log = open_log(interactions, backend, format=log_format)
            if not keep_ids:
                log, made = under_pseudonyms(log, made, backend)
        else:
            log = interactions_of(str(name), mirror)
        if isinstance(log, Table) and output.suffix == ".parquet":
            table = panel_table(log, made, windows=windows, backend=backend)
            place_file(output, lambda part: backend.to_parquet(table, part))
            written = backend.read_parquet(str(output))
            rows, accounts = backend.execute(
                written.aggregate(rows=written.count(), accounts=written.account_id.nunique())
            ).iloc[0]
        else:
            frame = build_panel(log, made, windows=windows, backend=backend)
            write_table(frame, output)
            rows, accounts = len(frame), frame["account_id"].nunique()
    except DataError as error:
        raise DataError(f"{interactions or name}: {error}") from None
    print(f"{output}: {rows:,} rows, {accounts:,} accounts")


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
    from smo_research.datasets.edgelist import format_of, read_edgelist
    from smo_research.datasets.load import load
    from smo_research.datasets.pseudonyms import under_pseudonyms
    from smo_research.measures.graph import edges
    from smo_research.measures.position import graph_measures

    check_ending(output)
    if interactions is not None and name is None:
        log_format = cast("Format", format) if format else format_of(interactions)
        log = read_edgelist(interactions, format=log_format)
        pairs = edges(log if keep_ids else under_pseudonyms(log)[0])
    elif name is not None and interactions is None and format is None:
        tables = load(name, mirror=mirror)
        if tables.interactions is not None:
            pairs = edges(tables.interactions)
        elif tables.edges is not None:
            pairs = tables.edges
        else:
            raise DataError(f"{name} has neither interactions nor edges, so it has no graph.")
    else:
        raise DataError(NAME_OR_FILE)
    try:
        nodes = graph_measures(pairs)
    except DataError as error:
        raise DataError(f"{interactions or name}: {error}") from None
    write_table(nodes, output)
    print(f"{output}: {len(nodes):,} accounts, {nodes['out_degree'].sum():,} pairs")


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
