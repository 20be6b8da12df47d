"""Published figures as checks: what others counted in the data beside what is found in it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from smo_research.datasets.catalog import catalog, dataset
from smo_research.datasets.fetch import fetch
from smo_research.datasets.load import load
from smo_research.errors import FetchError
from smo_research.evidence.recount import recount
from smo_research.evidence.recount_tweets import Files, Number
from smo_research.tables import Tables

FIGURES = Path(__file__).with_name("published.toml")
Outcome = Literal["exact", "within rounding", "not reproducible"]
OUTCOMES: tuple[Outcome, ...] = ("exact", "within rounding", "not reproducible")


@dataclass(frozen=True)
class Check:
    """A published figure beside what the data say.

    Attributes
    ----------
    published, measured
        The figure, and what is found; None where nothing can be.
    outcome
        "exact"; "within rounding", when they agree to the decimals that were published; or
        "not reproducible".
    reason
        Why it is not reproducible. Empty where nothing explains the difference: then either the
        tables or the published figure are wrong.
    source
        Who published the figure, or that it was only counted.
    """

    dataset: str
    quantity: str
    published: Number
    measured: Number | None
    outcome: Outcome
    reason: str
    source: str


COLUMNS = [field.name for field in fields(Check)]


def reproduce(
    names: Iterable[str] | None = None, *, mirror: str | Path | None = None
) -> pd.DataFrame:
    """Check every published figure of the data sets against their tables.

    Parameters
    ----------
    names
        Data sets of the catalogue; by default all.
    mirror
        Folder with the published files, as in `fetch`.

    Returns
    -------
    pandas.DataFrame
        One row a figure: dataset, quantity, published, measured, outcome, reason, source. A data
        set that cannot be had has no rows; `.attrs["passed_over"]` gives the reason by name.

    Raises
    ------
    DataError, FetchError
        When a name is unknown, or none of the data sets can be had.

    Examples
    --------
    >>> import smo_research as smo
    >>> smo.reproduce(["collegemsg"])["outcome"].unique().tolist()  # doctest: +SKIP
    ['exact', 'within rounding']
    >>> smo.reproduce(["no-such-set"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    smo_research.errors.DataError: There is no data set 'no-such-set'; the known ones are ...
    """
    entries = [dataset(name) for name in dict.fromkeys(names or catalog())]
    checks: list[Check] = []
    passed_over = {}
    for entry in entries:
        try:
            tables = load(entry.name, mirror=mirror)
        except FetchError as error:
            passed_over[entry.name] = str(error)
            continue
        checks += check(entry.name, tables, partial(fetch, entry.name, mirror=mirror))
    if len(passed_over) == len(entries):
        raise FetchError("No data set could be obtained:\n" + "\n".join(passed_over.values()))
    board = scoreboard(checks)
    board.attrs["passed_over"] = passed_over
    return board


def check(name: str, tables: Tables, files: Files) -> list[Check]:
    """Check the published figures of one data set.

    Parameters
    ----------
    name
        A data set of the catalogue.
    tables
        Its canonical tables.
    files
        Gives its published files; called only where the tables do not keep what was counted.
    """
    blocks = _figures().get(name, [])
    found = recount(name, tables, files) if blocks else {}
    return [
        compare(name, quantity, published, found, block)
        for block in blocks
        for quantity, published in block["figures"].items()
    ]


def compare(
    name: str,
    quantity: str,
    published: Number,
    found: Mapping[str, Number],
    block: Mapping[str, Any],
) -> Check:
    """Compare one figure; a stated reason counts only for the difference that it explains."""
    measured = found.get(quantity)
    known = block.get("differs", {}).get(quantity, {})
    outcome: Outcome = "not reproducible"
    reason = ""
    if _same(measured, published):
        rounded = measured != published or block.get("rounded", False)
        outcome = "within rounding" if rounded else "exact"
    elif _same(measured, known.get("measured")):
        reason = known.get("reason", "")
    shown = round(measured, _decimals(published) + 2) if isinstance(measured, float) else measured
    return Check(name, quantity, published, shown, outcome, reason, block["source"])


def _same(measured: Number | None, published: Number | None) -> bool:
    """Say whether two figures agree to the decimals of the second."""
    if not isinstance(measured, int | float) or not isinstance(published, int | float):
        return measured == published
    return round(measured, _decimals(published)) == published


def _decimals(published: Number) -> int:
    return len(str(published).partition(".")[2]) if isinstance(published, float) else 0


def scoreboard(checks: Iterable[Check]) -> pd.DataFrame:
    """Return checks as a table, one row a check."""
    rows = [[getattr(one, name) for name in COLUMNS] for one in checks]
    return pd.DataFrame(rows, columns=COLUMNS, dtype=object)


def cell(figure: object) -> str:
    """Return a figure as it is printed; years are too small for a comma.

    Examples
    --------
    >>> cell(24818), cell(2012), cell(None)
    ('24,818', '2012', '-')
    """
    if isinstance(figure, int | float) and abs(figure) >= 10_000:
        return f"{figure:,}"
    return "-" if figure is None else str(figure)


def unexplained(board: pd.DataFrame) -> pd.DataFrame:
    """Return the checks that failed without a reason."""
    return board[(board["outcome"] == OUTCOMES[-1]) & (board["reason"] == "")]


def summary(board: pd.DataFrame) -> str:
    """Count the outcomes in a line.

    Examples
    --------
    >>> one = Check("tiny", "acts", 3, 3, "exact", "", "nobody")
    >>> summary(scoreboard([one]))
    '1 exact, 0 within rounding, 0 not reproducible (each with its reason)'
    """
    counts = board["outcome"].value_counts()
    line = ", ".join(f"{counts.get(outcome, 0)} {outcome}" for outcome in OUTCOMES)
    bad = len(unexplained(board))
    return f"{line} ({f'{bad} WITHOUT a reason' if bad else 'each with its reason'})"


@cache
def _figures() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(FIGURES.read_text(encoding="utf-8"))
