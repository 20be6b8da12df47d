"""Checks and types of the cells of a log, naming the line of the first wrong one."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smo_research.errors import DataError
from smo_research.problems import shown

Refuse = Callable[[Any, pd.Series, str], None]
BREAKS = "[\n\r\0]"
# Columns that hold ids.
IDS = ("source_id", "target_id", "account_id", "post_id")
# What spreadsheets and data bases write where there is nothing, or something went wrong.
NOTHING = ("NULL", "NaN", "N/A", "#N/A", "#NV", "#REF!", "#VALUE!", "#NAME?", "<NA>", "\\N")
ROUNDED = r"[1-9](?:[.,]\d+)?E\+\d\d"
# Of a number with more digits than these a spreadsheet makes the rest zeros.
MOST_DIGITS = 15
PLAIN = (str, int, float, datetime.date, datetime.time, Decimal, np.generic, type(None))
# Times beyond these cannot be told as dates, and nothing was written then.
FIRST, LATEST = pd.Timestamp("0001-01-01", tz="UTC"), pd.Timestamp("9999-12-31", tz="UTC")


def refuser(path: Path, line_of: Callable[[int], int], *, quote: bool = True) -> Refuse:
    """Return a check `refuse(wrong, values, problem)` that raises on the first wrong row.

    Parameters
    ----------
    path
        The file, for the message.
    line_of
        Gives the line of the file, from 1, of a row, from 0.
    quote
        Whether the message may quote the value, as of a published file; else it says only what
        that is like, since it may be a name or a text.
    """

    def refuse(wrong: Any, values: pd.Series, problem: str) -> None:
        rows = np.flatnonzero(np.asarray(wrong, dtype=bool))
        if len(rows):
            more = f" ({len(rows)} such rows)" if len(rows) > 1 else ""
            value = values.iloc[rows[0]]
            said = repr(str(value)[:80]) if quote else _shown(value)
            raise DataError(f"{path.name}, row {line_of(int(rows[0]))}: {said} {problem}{more}.")

    return refuse


def _shown(value: Any) -> str:
    if isinstance(value, pd.Timestamp) and not 1 <= value.year <= LATEST.year:
        return f"a time in the year {value.year}"
    plain = isinstance(value, (*PLAIN, type(pd.NA)))
    return shown(value) if plain else f"a value of type {type(value).__name__}"


def odd(values: pd.Series) -> np.ndarray:
    """Tell which rows hold no single value but bytes, a list or the like."""
    if values.dtype != object:
        return np.zeros(len(values), dtype=bool)
    plain = (*PLAIN, type(pd.NA))
    return np.array([not isinstance(value, plain) for value in values], dtype=bool)


def as_text(ids: pd.Series, refuse: Refuse) -> pd.Series:
    """Return ids as text; floats are refused, since they no longer say what the id was."""
    known = pd.api.types.is_string_dtype(ids) or pd.api.types.is_integer_dtype(ids)
    refuse(np.full(len(ids), not known), ids, f"is not text; write {ids.name} as text")
    text = ids.astype("str")
    for wrong, problem, remedy in spoiled(text):
        refuse(wrong, text, f"{problem}; {remedy}")
    refuse(
        text.str.contains(BREAKS, na=False),
        text,
        f"holds a line break or a NUL, as no {ids.name} does; look for a stray quote before it",
    )
    return text.mask(text == "")


def spoiled(ids: pd.Series) -> list[tuple[pd.Series, str, str]]:
    """Tell which ids are none any more, each kind of them with what is wrong and the remedy.

    Parameters
    ----------
    ids
        Texts.

    Examples
    --------
    >>> [(wrong.sum(), problem) for wrong, problem, _ in spoiled(pd.Series(["7", "1.2E+18"]))]
    [(np.int64(1), 'is an id that a spreadsheet has rounded'), (np.int64(0), 'stands for no id')]
    """
    long = ids.drop_duplicates().pipe(lambda one: one[one.str.fullmatch(r"\d{17,}", na=False)])
    rounded = ids.str.fullmatch(ROUNDED, na=False)
    ends = ids.str.fullmatch(rf"\d{{{MOST_DIGITS}}}0{{2,}}", na=False)
    if len(long) > 1 and 2 * ends[long.index].sum() > len(long):
        rounded |= ends
    return [
        (
            rounded,
            "is an id that a spreadsheet has rounded",
            "export the file again and do not save it in a spreadsheet, or there as text",
        ),
        (ids.isin(NOTHING), "stands for no id", "leave the cell empty, or drop the row"),
    ]


def from_epoch(text: pd.Series, refuse: Refuse) -> pd.Series:
    """Return UTC times of seconds since 1970, to the microsecond."""
    # Doubles tell microseconds apart until the year 2255.
    seconds = pd.to_numeric(text, errors="coerce").astype("float64")
    refuse(~np.isfinite(seconds), text, "is no time; give seconds since 1970-01-01 UTC")
    refuse(seconds < 0, text, "lies before 1970; give seconds since 1970-01-01 UTC")
    late = seconds > time.time() + 86400
    refuse(late, text, "lies in the future; give seconds (not milliseconds?) since 1970-01-01 UTC")
    return pd.to_datetime((seconds * 1e6).round().astype("int64"), unit="us", utc=True)


def from_calendar(times: pd.Series, refuse: Refuse) -> pd.Series:
    """Return UTC times of dates and times, text or typed; without a zone they are UTC."""
    remedy = "give UTC, such as 2004-04-15T14:56:01Z"
    text = times
    if not pd.api.types.is_datetime64_any_dtype(times):
        text = times.astype("str")
        # pandas would read "now" and "2004" as times too.
        dated = text.where(text.str.match(r"\s*\d{4}-\d\d-\d\d", na=False))
        times = pd.to_datetime(dated, format="ISO8601", utc=True, errors="coerce")
    times = in_microseconds(times)
    refuse(times.isna(), text, f"is no time; {remedy}")
    refuse(times < pd.Timestamp(0, tz="UTC"), text, f"lies before 1970; {remedy}")
    late = times > pd.Timestamp.now(tz="UTC") + pd.Timedelta(days=1)
    refuse(late, text, f"lies in the future; {remedy}")
    return times


def in_microseconds(times: pd.Series) -> pd.Series:
    """Return typed times in UTC; one too far off to be told in microseconds is missing."""
    times = pd.to_datetime(times, utc=True)
    return times.where((times >= FIRST) & (times <= LATEST)).dt.as_unit("us")
