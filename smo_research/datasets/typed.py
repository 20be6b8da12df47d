"""Cells of a table of one's own: text turned into what its column holds, or a problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from smo_research.problems import Problem, shown
from smo_research.tables import SCHEMAS, TableName

FLAGS = {"true": True, "1": True, "false": False, "0": False}
DATED = r"\s*\d{4}-\d\d-\d\d"


def typed(
    cells: pd.DataFrame, table: TableName, *, source: str
) -> tuple[pd.DataFrame, list[Problem]]:
    """Give text columns the types of a table; every cell that cannot have it is a problem.

    Parameters
    ----------
    cells
        Columns by the names of the table; text is converted, what is typed already stays.
    table
        Which table it is.
    source
        The file, for the problems.

    Returns
    -------
    tuple
        The table, in which a cell with a problem is missing, and the problems.
    """
    problems: list[Problem] = []
    done = {}
    for name, column in SCHEMAS[table].to_schema().columns.items():
        if name not in cells:
            continue
        values, kind = cells[name], str(column.dtype)
        convert = next((make for mark, make in CONVERT.items() if kind.startswith(mark)), None)
        if convert is None or not pd.api.types.is_string_dtype(values):
            if kind.startswith("datetime64") and pd.api.types.is_datetime64_any_dtype(values):
                done[name] = pd.to_datetime(values, utc=True).dt.as_unit("us")
            elif kind.startswith("str") and pd.api.types.is_integer_dtype(values):
                done[name] = values.astype("str")
            continue
        made, bad, remedy = convert(values)
        done[name] = made
        problems += [
            Problem(source, row + 1, name, f"{shown(values[row])} is not allowed", remedy)
            for row in bad[bad].index
        ]
    frame = cells.assign(**done)
    return frame, problems


def _times(text: pd.Series) -> tuple[pd.Series, pd.Series, str]:
    # pandas would read "now" and "2004" as times too.
    dated = text.where(text.str.match(DATED, na=False))
    times = pd.to_datetime(dated, format="ISO8601", utc=True, errors="coerce")
    remedy = "give a UTC time such as 2004-04-15T14:56:01Z"
    return times.astype("datetime64[us, UTC]"), text.notna() & times.isna(), remedy


def _flags(text: pd.Series) -> tuple[pd.Series, pd.Series, str]:
    flags = text.str.strip().str.lower().map(FLAGS).astype("boolean")
    return flags, text.notna() & flags.isna(), "write true, false or nothing"


def _counts(text: pd.Series) -> tuple[pd.Series, pd.Series, str]:
    whole = text.str.fullmatch("[0-9]{1,18}").fillna(False).astype(bool)
    counts = pd.to_numeric(text.where(whole)).astype("Int64")
    return counts, text.notna() & ~whole, "write a whole number from 0, or nothing"


def _reals(text: pd.Series) -> tuple[pd.Series, pd.Series, str]:
    reals = pd.to_numeric(text, errors="coerce").astype(float)
    return reals, text.notna() & reals.isna(), "write a number, or nothing"


CONVERT: dict[str, Callable[[pd.Series], tuple[Any, pd.Series, str]]] = {
    "datetime64": _times,
    "boolean": _flags,
    "Int64": _counts,
    "int64": _counts,
    "float64": _reals,
}
