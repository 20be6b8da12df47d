"""Cells whose type says already that they are not what their column holds, such as lists."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from smo_research.datasets.cells import BREAKS, IDS, spoiled
from smo_research.problems import Problem, shown
from smo_research.tables import SCHEMAS, TableName

TIMES = (datetime.date, datetime.datetime, pd.Timestamp)
# What a column of each kind takes: kinds of numpy, types of single values, and what to do.
TAKES: dict[str, tuple[str, tuple[type, ...], str]] = {
    "str": ("iu", (str, int), "write text"),
    "datetime64": ("M", (str, *TIMES), "write times in UTC"),
    "boolean": ("biuf", (str, bool, int, float, Decimal), "write true or false"),
    "Int64": ("iuf", (str, int, float, Decimal), "write whole numbers"),
    "int64": ("iuf", (str, int, float, Decimal), "write whole numbers"),
    "float64": ("iuf", (str, int, float, Decimal), "write numbers"),
}


def misfits(cells: pd.DataFrame, table: TableName, *, source: str) -> list[Problem]:
    """List the cells that their type bars from their column, and ids that hold a line break.

    Parameters
    ----------
    cells
        Columns by the names of the table. Only Parquet has types; a CSV file is all text.
    table
        Which table it is.
    source
        The file, for the problems.

    Examples
    --------
    >>> [problem] = misfits(pd.DataFrame({"seq": [[1, 2]]}), "interactions", source="log.parquet")
    >>> str(problem)
    "log.parquet, row 1, column 'seq': a value of type list is not allowed; write whole numbers."
    """
    problems = []
    for name, column in SCHEMAS[table].to_schema().columns.items():
        if name in cells:
            kind = next(kind for kind in TAKES if str(column.dtype).startswith(kind))
            problems += _of_column(cells[name], kind, name, source)
    return problems


def _of_column(values: pd.Series, kind: str, name: str, source: str) -> list[Problem]:
    kinds, types, remedy = TAKES[kind]
    if values.isna().all():
        return []
    if pd.api.types.is_string_dtype(values):
        broken = values.str.contains(BREAKS, na=False).to_numpy(dtype=bool) & (kind == "str")
        wrong, remedy = "the cell holds a line break or a NUL", "look for a stray quote before it"
        problems = [Problem(source, row + 1, name, wrong, remedy) for row in _rows(broken)]
        for marks, wrong, remedy in spoiled(values) if name in IDS else ():
            problems += [
                Problem(source, row + 1, name, f"{shown(values.iloc[row])} {wrong}", remedy)
                for row in _rows(marks.to_numpy(dtype=bool))
            ]
        return problems
    if values.dtype == object:
        odd = np.array([not _is_one_of(value, types) for value in values], dtype=bool)
        return [
            Problem(source, row + 1, name, _said(values.iloc[row]), remedy) for row in _rows(odd)
        ]
    if values.dtype.kind in kinds:
        return []
    return [Problem(source, None, name, f"its type is {values.dtype}", remedy)]


def _rows(marks: np.ndarray) -> list[int]:
    return [int(row) for row in np.flatnonzero(marks)]


def _is_one_of(value: Any, types: tuple[type, ...]) -> bool:
    missing = value is None or value is pd.NA or value is pd.NaT
    return missing or type(value) in types or (isinstance(value, float) and np.isnan(value))


def _said(value: Any) -> str:
    return f"a value of type {type(value).__name__} is not allowed"
