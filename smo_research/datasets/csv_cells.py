"""Published tables of comma-separated cells: read as text, then typed with a check of each cell."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from smo_research.datasets.cells import Refuse, refuser
from smo_research.datasets.text_files import csv_rows, read_text
from smo_research.errors import DataError

AGAIN = "download the file again"


def read_cells(
    path: Path, columns: Sequence[str], *, missing: Sequence[str] = ()
) -> tuple[pd.DataFrame, Refuse]:
    """Read some columns of a table as text, with the check that names the line of a wrong cell.

    Parameters
    ----------
    path
        The file, with the names of its columns in the first line.
    columns
        The columns that are wanted.
    missing
        What a cell holds where the publisher knows nothing.

    Raises
    ------
    DataError
        When the file cannot be read as a table, or lacks a column.
    """
    data = read_text(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            cells = pd.read_csv(
                io.BytesIO(data),
                dtype=str,
                index_col=False,
                keep_default_na=False,
                na_values=list(missing),
            )
    except (ValueError, pd.errors.ParserWarning) as error:
        raise DataError(f"{path.name} is no whole table ({str(error).strip()}); {AGAIN}.") from None
    absent = [column for column in columns if column not in cells]
    if absent:
        raise DataError(f"{path.name} has no column {', '.join(absent)}; {AGAIN}.")
    return cells[list(columns)], refuser(path, lambda row: _line_of(data, row))


def counts(text: pd.Series, refuse: Refuse) -> pd.Series:
    """Return whole numbers from 0; a missing one stays missing."""
    refuse(text.notna() & ~text.str.fullmatch("[0-9]+", na=False), text, f"is no count; {AGAIN}")
    return pd.to_numeric(text).astype("Int64")


def flags(text: pd.Series, refuse: Refuse, *, yes: str = "1", no: str = "0") -> pd.Series:
    """Return True for `yes` and False for `no`; a missing one stays missing."""
    wrong = text.notna() & ~text.isin([yes, no])
    refuse(wrong, text, f"is neither {yes} nor {no}; {AGAIN}")
    return (text == yes).astype("boolean").mask(text.isna())


def times(text: pd.Series, refuse: Refuse, *, format: str) -> pd.Series:
    """Return UTC times of text in one form; a time that names no zone is taken as UTC."""
    parsed = pd.to_datetime(text, format=format, utc=True, errors="coerce")
    refuse(parsed.isna(), text, f"is no time of the form {format}; {AGAIN}")
    return parsed.dt.as_unit("us")


def _line_of(data: bytes, row: int) -> int:
    """Return the line that a row ends in; a quoted text may run over several."""
    rows = (end for _, end, _ in csv_rows(data))
    return next(line for number, line in enumerate(rows) if number == row + 1)
