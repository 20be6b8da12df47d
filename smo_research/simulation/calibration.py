"""Are the tests right? Many worlds, the tests in each, and how often they say what is so."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import as_completed
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from smo_research.errors import DataError
from smo_research.evidence.processes import processes
from smo_research.simulation.simulated import simulate
from smo_research.simulation.trials import Observed, ask, observe
from smo_research.simulation.worlds import World

BATCH = 10
CODE = ("measures", "evidence", "simulation")
# These lay out and read a calibration, and make none of its numbers.
READ_ONLY = ("cells.py", "marginals.py", "planner.py", "scenarios.py", "sizes.py")
SMALL = 1_000
ON_PANELS = ("H2", "H3", "H3 checked", "H4", "H6", "H7", "verdicts")
SUMMARY = [
    *["cell", "test", "term", "worlds", "not_run", "truth", "estimate", "bias", "bias_error"],
    *["spread", "std_error", "rejects", "rejects_low", "rejects_high"],
    *["equivalent", "equivalent_low", "equivalent_high", "covers", "covers_low", "covers_high"],
    *["right", "right_low", "right_high"],
]


@dataclass(frozen=True)
class Cell:
    """Worlds of one kind and what is asked of each.

    Attributes
    ----------
    name
        Of the cell; worlds are numbered within it.
    world
        The knobs.
    trials
        Tests, by their names in `trials.TRIALS`.
    worlds
        How many.
    right
        Verdict that is right, by test, where verdicts are asked; several are separated by |.
    """

    name: str
    world: World
    trials: tuple[str, ...]
    worlds: int
    right: tuple[tuple[str, str], ...] = ()


def run_cells(
    cells: Iterable[Cell],
    *,
    folder: str | Path,
    workers: int = 1,
    tell: Callable[[int, int], None] = lambda done, of: None,
) -> pd.DataFrame:
    """Run all worlds of all cells, from where an earlier run was stopped.

    Parameters
    ----------
    cells
        What to run; names differ.
    folder
        Each finished batch of worlds is a Parquet file here; those that are there are not run
        again. They are used for the same knobs, tests and code only, as their names say.
    workers
        Processes; the numbers are the same with any number.
    tell
        Is told how many batches are done, and of how many.

    Returns
    -------
    pandas.DataFrame
        One row a world, test and term: cell, world, and the columns of `trials.ask`.
    """
    cells = list(cells)
    if len({cell.name for cell in cells}) < len(cells):
        raise DataError("Each cell needs a name of its own.")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    batches = [
        (cell, first, folder / f"{cell.name}-{_mark(cell)}-{first:05d}.parquet")
        for cell in cells
        for first in range(0, cell.worlds, BATCH)
    ]
    missing = [batch for batch in batches if not batch[2].exists()]
    there = len(batches) - len(missing)
    tell(there, len(batches))
    for new, _ in enumerate(_run_batches(missing, workers), 1):
        tell(there + new, len(batches))
    found = pd.concat([pd.read_parquet(path) for _, _, path in batches], ignore_index=True)
    limit = {cell.name: cell.worlds for cell in cells}
    return found[found["world"] < found["cell"].map(limit)]


def _run_batches(batches: list[tuple[Cell, int, Path]], workers: int) -> Iterator[Path]:
    """Run batches, and give the file of each when it is done."""
    if workers == 1:
        yield from (_run_batch(*batch) for batch in batches)
        return
    with processes(workers) as pool:
        running = [pool.submit(_run_batch, *batch) for batch in batches]
        yield from (one.result() for one in as_completed(running))


def _mark(cell: Cell) -> str:
    """A short name of what the cell's worlds are, what is asked of them, and by which code."""
    asked = repr((cell.world, cell.trials)).encode()
    return f"{zlib.crc32(asked, _code()):08x}"


@cache
def _code() -> int:
    """A number that changes with the code that makes worlds or tests them."""
    package = Path(__file__).parents[1]
    number = 0
    for path in sorted(path for name in CODE for path in (package / name).rglob("*.*")):
        if path.suffix in (".py", ".toml") and path.name not in READ_ONLY:
            number = zlib.crc32(path.read_bytes(), number)
    return number


def world_seed(cell: str, world: int) -> int:
    """The seed of a world: of its number and its cell's name alone.

    Examples
    --------
    >>> world_seed("null", 0) != world_seed("null", 1)
    True
    """
    return zlib.crc32(f"{cell} {world}".encode())


def _run_batch(cell: Cell, first: int, path: Path) -> Path:
    """Run up to ten worlds of a cell and keep what the tests said of them."""
    numbers = range(first, min(first + BATCH, cell.worlds))
    made = [simulate(cell.world, seed=world_seed(cell.name, number)) for number in numbers]
    small = cell.world.accounts <= SMALL and any(name in ON_PANELS for name in cell.trials)
    worlds = observe(made) if small else [Observed(one) for one in made]
    parts = [
        ask(one, cell.trials).assign(cell=cell.name, world=number)
        for number, one in zip(numbers, worlds, strict=True)
    ]
    done = pd.concat(parts, ignore_index=True)
    text = ["test", "term", "verdict", "reason", "cell"]
    done = done.astype(dict.fromkeys(text, "str"))
    part = path.with_suffix(".part")
    done.to_parquet(part, index=False)
    return part.replace(path)


def summarise(found: pd.DataFrame, cells: Iterable[Cell]) -> pd.DataFrame:
    """Rates over worlds, each with the interval that so many worlds leave open.

    Parameters
    ----------
    found
        As `run_cells` returns it.
    cells
        The same cells, for the right verdicts.

    Returns
    -------
    pandas.DataFrame
        One row a cell, test and term. bias is the mean estimate less the truth, bias_error its
        Monte Carlo standard error; spread is the SD of the estimates and std_error the mean of
        theirs; rejects is the share of two-sided p under 0.05, equivalent that of
        equivalence p under 0.05, covers that of 95 % intervals that hold the truth, right that
        of right verdicts; each with its 95 % interval (Clopper and Pearson 1934).
    """
    right = {(cell.name, test): words for cell in cells for test, words in cell.right}
    rows = []
    for (cell, test, term), mine in found.fillna({"term": "", "verdict": ""}).groupby(
        ["cell", "test", "term"], sort=False
    ):
        ran = mine[mine["reason"].isna()]
        line: dict[str, object] = {
            "cell": cell,
            "test": test,
            "term": term,
            "worlds": mine["world"].nunique(),
            "not_run": int(mine["reason"].notna().sum()),
        }
        known = ran[ran["estimate"].notna()]
        if len(known):
            error = known["estimate"] - known["truth"]
            line |= {
                "truth": known["truth"].mean(),
                "estimate": known["estimate"].mean(),
                "bias": error.mean(),
                "bias_error": error.std() / np.sqrt(len(error)),
                "spread": known["estimate"].std(),
                "std_error": known["std_error"].mean(),
            }
            inside = known["truth"].between(known["ci_low"], known["ci_high"])
            line |= _rate("covers", inside)
        for name, column in {"rejects": "p_difference", "equivalent": "p_equivalence"}.items():
            p = ran[column].dropna()
            if len(p):
                line |= _rate(name, p < 0.05)
        if (cell, test) in right:
            line |= _rate("right", ran["verdict"].isin(right[cell, test].split("|")))
        rows.append(line)
    return pd.DataFrame(rows).reindex(columns=SUMMARY)


def _rate(name: str, hits: pd.Series) -> dict[str, float]:
    found = stats.binomtest(int(hits.sum()), len(hits))
    low, high = found.proportion_ci(method="exact")
    return {name: found.statistic, f"{name}_low": float(low), f"{name}_high": float(high)}
