"""Tables in a terminal: what can be tested, the verdicts, the published figures."""

from __future__ import annotations

import sys
import textwrap

import pandas as pd
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from smo_research.datasets.catalog import catalog, testability
from smo_research.datasets.fetch import is_cached
from smo_research.datasets.folder import Own
from smo_research.evidence.hypotheses import hypotheses
from smo_research.evidence.published import cell
from smo_research.report.words import JOINTLY, effect
from smo_research.simulation.sizes import calibrated, false_positives


def console(width: int = 118) -> Console:
    """As wide as the terminal, or of a fixed width where there is none."""
    return Console(width=None if sys.stdout.isatty() else width, highlight=False, markup=False)


def marks(matrix: pd.DataFrame) -> Table:
    """Data sets down, hypotheses across, "yes" where the one can test the other."""
    table = Table("can test", *matrix["hypothesis"].unique(), box=SIMPLE)
    for name, rows in matrix.groupby("dataset", sort=False):
        table.add_row(str(name), *("yes" if testable else "-" for testable in rows["testable"]))
    return table


def print_catalogue() -> None:
    """Print what each data set is, its licence, whether it is here, and what it tests."""
    page = console(100)
    matrix = testability()
    page.print(marks(matrix))
    for name, hypothesis in hypotheses().items():
        page.print(f"{name}  {hypothesis.claim}")
    for entry in catalog().values():
        here = "cached" if is_cached(entry.name) else "not cached"
        page.print(f"\n{entry.name} ({here})", style="bold")
        reasons = pd.Series(entry.untestable)
        lines = [entry.title, f"licence: {entry.licence}", *_cannot(reasons)]
        for line in lines:
            page.print(textwrap.indent(textwrap.fill(line, page.width - 4), "    "))


def print_own(own: Own) -> None:
    """Print the tables of a folder, and what they can test."""
    page = console(100)
    for name, rows in own.rows.items():
        page.print(f"{name}: {rows:,} rows, nothing wrong")
    page.print(f"can test {', '.join(own.entry.testable) or 'no hypothesis'}")
    for line in _cannot(pd.Series(own.entry.untestable, dtype="str")):
        page.print(textwrap.fill(line, page.width))


def _cannot(reasons: pd.Series) -> list[str]:
    """One line a reason, with the hypotheses that it bars."""
    names = reasons.index.to_series().groupby(reasons.to_numpy(), sort=False).agg(", ".join)
    return [f"cannot test {names}: {reason}" for reason, names in names.items()]


def print_verdicts(verdicts: pd.DataFrame) -> None:
    """Print a line a verdict, and what each data set cannot tell."""
    page = console()
    table = Table(
        "", "data set", "verdict", "grade", "effect, 95 % interval", "p (Holm)", "of", box=SIMPLE
    )
    for row in verdicts[verdicts["verdict"] != "untestable"].itertuples():
        number = effect(row.estimate, row.ci_low, row.ci_high, row.unit)
        term = row.term.replace("_", " ")
        decided = f"{row.p_holm:.2g}"
        table.add_row(row.hypothesis, row.dataset, row.verdict, row.grade, number, decided, term)
    page.print(table)
    tested = set(verdicts.loc[verdicts["verdict"] != "untestable", "hypothesis"])
    if "H1" in tested:
        page.print(f"H1: {JOINTLY}; the effect is of the one that stands out most")
    for name, said in false_positives(calibrated()).items():
        if name in tested:
            page.print(f"{name}: {said}")
    untestable = verdicts[verdicts["verdict"] == "untestable"]
    for name, rows in untestable.groupby("dataset"):
        page.print(f"{name} cannot tell: {', '.join(rows['hypothesis'])}")


def print_checks(board: pd.DataFrame) -> None:
    """Print a line a published figure, and the reason where it differs."""
    page = console()
    table = Table("data set", "figure", "published", "here", "outcome", box=SIMPLE)
    for row in board.itertuples(index=False):
        table.add_row(*map(cell, row[:5]))
    page.print(table)
    for row in board[board["reason"] != ""].itertuples():
        page.print(f"{row.dataset}, {row.quantity}: {row.reason}")
