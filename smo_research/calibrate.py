"""The calibration, from simulated worlds to a table and a figure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from smo_research.output import write_table
from smo_research.report.calibration import draw
from smo_research.simulation.calibration import run_cells, summarise
from smo_research.simulation.cells import fewer
from smo_research.simulation.sizes import powers, sizes


def run_calibration(output: Path, *, worlds: int, keep: Path, workers: int) -> Iterator[str]:
    """Run the calibration, write its table and figure, and say what came out, line by line.

    Parameters
    ----------
    output
        Folder for calibration.csv, calibration.svg and calibration.png.
    worlds
        At most so many of each kind.
    keep
        Folder of the worlds that are done; a run that was stopped goes on from there.
    workers
        Processes.
    """
    kinds = fewer(worlds)
    with tqdm(disable=None, unit="batch", desc="worlds, in tens") as bar:

        def tell(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        found = run_cells(kinds, folder=keep, workers=workers, tell=tell)
    table = summarise(found, kinds)
    output.mkdir(parents=True, exist_ok=True)
    write_table(table, output / "calibration.csv")
    yield str(output / "calibration.csv")
    short = sizes(table)
    yield from (str(path) for path in draw(short, powers(table), output))
    for one in short.itertuples():
        rate = f"{one.rate:.1%} [{one.low:.1%}, {one.high:.1%}]"
        yield f"{one.label:36} {rate:24} {one.worlds:5} worlds   holds: {one.holds}"
