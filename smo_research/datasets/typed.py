"""Cells of a table of one's own: text turned into what its column holds, or a problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from smo_research.datasets.cells import in_microseconds
from smo_research.problems import Problem, shown
from smo_research.tables import KINDS, SCHEMAS, TableName

FLAGS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
LONGEST_TYPE, MOST_TYPES = 40, 50
WORDS = 'or say what the file means: "{1}" = "{2}" under [table.{0}.words] in smo.toml'
DATED = r"\s*\d{4}-\d\d-\d\d"
SERIAL = "days since 1900"
# How a time that is not ISO 8601 may look, and what it then is.
FORMS = {
    "seconds": r"\d{9,10}(?:[.]\d+)?",
    "milliseconds": r"\d{12,13}",
    "%d/%m/%Y": r"\d\d?/\d\d?/\d{4}",
    "%d/%m/%Y %H:%M": r"\d\d?/\d\d?/\d{4} \d\d?:\d\d",
    "%d.%m.%Y": r"\d\d?[.]\d\d?[.]\d{4}",
    "%Y-%m-%d %H:%M:%S UTC": rf"{DATED} \d\d:\d\d:\d\d UTC",
    SERIAL: r"[2-5]\d{4}(?:[.,]\d+)?",
}


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
        made, bad, remedy = convert(values, table)
        done[name] = made
        problems += [
            Problem(source, row + 1, name, f"{shown(values[row])} is not allowed", remedy)
            for row in bad[bad].index
        ]
    frame = cells.assign(**done)
    if "post_type" in frame and table == "posts":
        problems += _free_text(frame["post_type"], source)
    if "kind" in frame:
        problems += _kinds(frame["kind"], table, source)
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


def _kinds(kinds: pd.Series, table: TableName, source: str) -> list[Problem]:
    odd = kinds[~kinds.isin(KINDS) & kinds.notna()]
    remedy = f"write one of {', '.join(KINDS)}, {WORDS.format(table, 'Antwort', 'reply')}"
    return [
        Problem(source, row + 1, "kind", f"{shown(kind)} is no kind of act", remedy)
        for row, kind in odd.items()
    ]


def _times(text: pd.Series, table: TableName) -> tuple[pd.Series, pd.Series, str]:
    # pandas would read "now" and "2004" as times too.
    dated = text.where(text.str.match(DATED, na=False))
    times = pd.to_datetime(dated, format="ISO8601", utc=True, errors="coerce")
    bad = text.notna() & times.isna()
    remedy = "give a UTC time such as 2004-04-15T14:56:01Z"
    forms = [form for form, like in FORMS.items() if text[bad].iloc[:1].str.fullmatch(like).any()]
    if forms == [SERIAL]:
        remedy += "; in the spreadsheet, give the cells the form yyyy-mm-dd hh:mm before exporting"
    else:
        form = (forms or ["%d.%m.%Y %H:%M"])[0]
        remedy += f', or say how the file writes it: times = "{form}" under [table.{table}]'
        remedy += " in smo.toml"
        remedy += ' ("%m/%d/%Y" where the month comes first)' if "/" in form else ""
    return times.astype("datetime64[us, UTC]"), bad, remedy


def _flags(text: pd.Series, table: TableName) -> tuple[pd.Series, pd.Series, str]:
    flags = text.str.strip().str.lower().map(FLAGS).astype("boolean")
    remedy = f"write true, false or nothing, {WORDS.format(table, 'yes', 'true')}"
    return flags, text.notna() & flags.isna(), remedy


def _counts(text: pd.Series, table: TableName) -> tuple[pd.Series, pd.Series, str]:
    # 3.0 is how a table writes whole numbers beside missing ones; 1.234 may be 1234 or none.
    text = text.str.strip()
    whole = text.str.fullmatch("[0-9]{1,18}([.]0)?").fillna(False).astype(bool)
    counts = pd.to_numeric(text.str.removesuffix(".0").where(whole)).astype("Int64")
    remedy = (
        "write a whole number from 0, with nothing between its digits, or nothing, "
        + WORDS.format(table, "NULL", "")
    )
    return counts, text.notna() & ~whole, remedy


def _reals(text: pd.Series, table: TableName) -> tuple[pd.Series, pd.Series, str]:
    reals = pd.to_numeric(text, errors="coerce").astype(float)
    return reals, text.notna() & reals.isna(), "write a number such as 0.5, or nothing"


CONVERT: dict[str, Callable[[pd.Series, TableName], tuple[Any, pd.Series, str]]] = {
    "datetime64": _times,
    "boolean": _flags,
    "Int64": _counts,
    "int64": _counts,
    "float64": _reals,
}
