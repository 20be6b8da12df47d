"""Tables in a terminal: what can be tested, the verdicts, the published figures."""

from __future__ import annotations

import sys

import pandas as pd
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from smo_research.evidence.published import cell
from smo_research.report.words import effect


def console(width: int = 118) -> Console:
    """As wide as the terminal, or of a fixed width where there is none."""
    return Console(width=None if sys.stdout.isatty() else width, highlight=False, markup=False)


def marks(matrix: pd.DataFrame) -> Table:
    """Data sets down, hypotheses across, "yes" where the one can test the other."""
    table = Table("can test", *matrix["hypothesis"].unique(), box=SIMPLE)
    for name, rows in matrix.groupby("dataset", sort=False):
        table.add_row(str(name), *("yes" if testable else "-" for testable in rows["testable"]))
    return table


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
