"""Cells of a table of one's own: text turned into what its column holds, or a problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from smo_research.datasets.cells import in_microseconds
from smo_research.problems import Problem, shown
from smo_research.tables import SCHEMAS, TableName

FLAGS = {"true": True, "1": True, "false": False, "0": False}
LONGEST_TYPE, MOST_TYPES = 40, 50
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
                done[name] = in_microseconds(values)
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
    if "post_type" in frame and table == "posts":
        problems += _free_text(frame["post_type"], source)
    return frame, problems


def _free_text(types: pd.Series, source: str) -> list[Problem]:
    """Find types of posts that are no names of types but texts, addresses or accounts."""
    said = types.dropna().astype(str)
    free = said[(said.str.len() > LONGEST_TYPE) | said.str.contains("@|//|\n")]
    remedy = f"name types in at most {LONGEST_TYPE} characters, or leave the column out"
    problems = [
        Problem(source, row + 1, "post_type", f"{shown(text)} is no type of post", remedy)
        for row, text in free.items()
    ]
    if not problems and said.nunique() > MOST_TYPES:
        many = f"there are {said.nunique():,} types of posts"
        problems = [Problem(source, None, "post_type", many, f"make at most {MOST_TYPES} of them")]
    return problems


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
