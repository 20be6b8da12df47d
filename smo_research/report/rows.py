"""Which rows of a tidy table a figure shows."""

from __future__ import annotations

import pandas as pd

from smo_research.errors import DataError
from smo_research.evidence.verdicts import MODELS
from smo_research.report.words import VERDICTS

PARTS = ("total", "discovery", "retention")
_PRIMARY = {"between": 0, "landmark": 0, "": 2}


def require(table: pd.DataFrame, columns: list[str], parameter: str) -> None:
    """Raise where a table lacks columns that a figure needs.

    Raises
    ------
    DataError
        Naming the parameter, the missing columns and those that came.
    """
    missing = [name for name in columns if name not in table]
    if missing:
        raise DataError(
            f"{parameter} must have the columns {', '.join(columns)}, but lacks "
            f"{', '.join(missing)}; it has {', '.join(map(str, table.columns)) or 'none'}."
        )


def require_verdicts(table: pd.DataFrame, parameter: str) -> None:
    """Raise where a verdict is none of the five words."""
    odd = set(table["verdict"].dropna()) - set(VERDICTS) - {""}
    if odd:
        raise DataError(
            f"{parameter}: the verdicts are {', '.join(VERDICTS)}, but came {sorted(odd)}."
        )


def deciding(evidence: pd.DataFrame) -> pd.DataFrame:
    """Rows of the model that a verdict rests on, one model a hypothesis and data set.

    Checks (placebo, negative control, lead, naive codings) are never shown as evidence.
    Rows without a model are terms that could not be tested, and stay.

    Parameters
    ----------
    evidence
        A tidy evidence table.

    Returns
    -------
    pandas.DataFrame
        A part of its rows, by hypothesis and data set, otherwise in the order they came.
    """
    evidence = evidence.reset_index(drop=True)
    model = evidence["model"].fillna("").astype(str)
    rows = evidence[model.isin(["", *MODELS]) & (evidence["block"] != "by delay")]
    rank = model.map(_PRIMARY).fillna(1)
    chosen = []
    for _, group in rows.groupby(["hypothesis", "dataset"], sort=True):
        best = model[rank[group.index].idxmin()]
        chosen.append(group[model[group.index].isin([best, ""])])
    return pd.concat(chosen) if chosen else rows


def totals(evidence: pd.DataFrame) -> pd.DataFrame:
    """Deciding rows without their parts, discovery and retention."""
    rows = deciding(evidence)
    return rows[~rows["block"].isin(PARTS[1:])]
