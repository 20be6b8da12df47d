"""What the catalogue says of a data set and what of it is here, for a notebook to show."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from smo_research.datasets.catalog import Dataset
from smo_research.datasets.load import TABLES, load
from smo_research.errors import FetchError
from smo_research.report.words import count
from smo_research.tables import SCHEMAS, Tables

_ROWS = {
    "accounts": "account",
    "posts": "post",
    "interactions": "interaction",
    "followers": "follower count",
    "edges": "pair",
    "counters": "counter reading",
}
_NOT_HAD = "Its files cannot be had here; `smo fetch {}` says what was tried."


@dataclass(frozen=True, eq=False)
class Card:
    """What the catalogue says of a data set, and the rows that it has here."""

    entry: Dataset
    tables: Tables | None

    def _repr_markdown_(self) -> str:
        entry = self.entry
        lines = [
            f"**{entry.title}**",
            f"*By whom*: {entry.collected}",
            f"*Rows here*: {self._rows()}",
            f"*Limits*: {entry.limits}",
            f"*Licence*: {entry.licence}. *Cite*: {entry.citation}",
        ]
        return "\n\n".join(lines)

    def _rows(self) -> str:
        if self.tables is None:
            return _NOT_HAD.format(self.entry.name)
        held = {noun: getattr(self.tables, name) for name, noun in _ROWS.items()}
        return ", ".join(count(len(rows), noun) for noun, rows in held.items() if rows is not None)


def show(entry: Dataset, plot: Callable[[Tables], Axes]) -> Card:
    """Draw a data set's picture and give its card; without its files, the card alone.

    Parameters
    ----------
    entry
        Of the catalogue.
    plot
        Draws the picture from the tables.
    """
    tables = _load(entry.name)
    if tables is not None:
        plot(tables)
    return Card(entry, tables)


def at_hand(names: Iterable[str]) -> list[Tables]:
    """Load the data sets that can be had, and say in a line which cannot."""
    loaded = {name: _load(name) for name in names}
    absent = [name for name, tables in loaded.items() if tables is None]
    if absent:
        print(f"Cannot be had here: {', '.join(absent)}; `smo fetch` says what was tried.")
    return [tables for tables in loaded.values() if tables is not None]


def _load(name: str) -> Tables | None:
    try:
        return load(name)
    except FetchError:
        return None


def missing(held: Iterable[Tables]) -> pd.DataFrame:
    """Share of missing values in each column that each data set could have.

    Returns
    -------
    pandas.DataFrame
        One row a data set, table it has and column of that table's schema: dataset, table,
        column, missing (0 to 1; 1 also where the column is absent).

    Examples
    --------
    >>> posts = pd.DataFrame({"post_id": ["p", "q"], "links": [1, None]})
    >>> found = missing([Tables("mine", posts=posts)]).set_index("column")["missing"]
    >>> found[["post_id", "links", "hashtags"]].tolist()
    [0.0, 0.5, 1.0]
    """
    found = []
    for tables in held:
        for name in TABLES:
            rows = getattr(tables, name)
            if rows is None:
                continue
            for column in SCHEMAS[name].to_schema().columns:
                share = float(rows[column].isna().mean()) if column in rows else 1.0
                found.append((tables.name, name, column, share))
    return pd.DataFrame(found, columns=["dataset", "table", "column", "missing"])
