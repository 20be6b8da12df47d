"""What smo.toml says of a table: which column is which, and how the file writes times and words."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from smo_research.datasets.cells import IDS
from smo_research.problems import Problem, shown

OF_A_TABLE = ("file", "separator", "encoding", "times", "columns", "words", "values")
TIMES = ("created_at", "observed_at")
# Seconds that a unit of a clock that counts from 1970 has.
UNITS = {"seconds": 1.0, "milliseconds": 1e-3}
# Nothing that is studied is older: milliseconds taken for seconds, or the other way, would be.
FIRST, DAY = pd.Timestamp("1990-01-01", tz="UTC"), 86_400


def _is_text(one: Any) -> bool:
    return isinstance(one, str) and one != ""


def _is_encoding(one: Any) -> bool:
    try:
        return _is_text(one) and b"a".decode(one, "ignore") is not None
    except (LookupError, ValueError):
        return False


def _is_pattern(one: Any) -> bool:
    if not _is_text(one) or (one not in UNITS and "%" not in one):
        return False
    try:
        return one in UNITS or pd.to_datetime(["x"], format=one, errors="coerce") is not None
    except ValueError:
        return False


def _is_mapping(one: Any) -> bool:
    return isinstance(one, dict) and all(isinstance(name, str) for name in one.values())


# What each may be, and what to do where it is not.
MUST_BE: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("file", _is_text, "name a file in quotes"),
    (
        "separator",
        lambda one: isinstance(one, str) and len(one) == 1 and one.isascii() and one not in '"\n\r',
        'name one character in quotes, such as ";"',
    ),
    ("encoding", _is_encoding, 'name one, such as "cp1252" or "utf-16"'),
    ("times", _is_pattern, 'write "%d.%m.%Y %H:%M" or the like, "seconds" or "milliseconds"'),
    ("columns", _is_mapping, 'write lines such as source_id = "From"'),
    ("words", _is_mapping, 'write lines such as yes = "true"'),
    (
        "values",
        lambda one: (
            isinstance(one, dict) and not any(isinstance(v, dict | list) for v in one.values())
        ),
        'write lines such as kind = "message"',
    ),
)


def reworded(cells: pd.DataFrame, words: Mapping[str, str]) -> pd.DataFrame:
    """Put the words of the tables in the place of those of a file.

    Parameters
    ----------
    cells
        Columns of text, by the names of the table. It is not changed.
    words
        What a whole cell says, and what that means; "" is missing. In ids only what is missing is
        replaced.

    Examples
    --------
    >>> cells = pd.DataFrame({"source_id": ["ja", "-"], "has_media": ["ja", "-"]})
    >>> reworded(cells, {"ja": "true", "-": ""}).values.tolist()
    [['ja', 'true'], [nan, nan]]
    """
    gone = [word for word, meant in words.items() if meant == ""]
    others = {word: meant for word, meant in words.items() if meant != ""}
    cells = cells.mask(cells.isin(gone))
    free = [column for column in cells if column not in IDS]
    return cells.assign(**{column: cells[column].replace(others) for column in free})


def timed(cells: pd.DataFrame, form: str, *, source: str) -> tuple[pd.DataFrame, list[Problem]]:
    """Read the times of a table in the form that its file has them in.

    Parameters
    ----------
    cells
        Columns of text, by the names of the table. It is not changed.
    form
        "seconds" or "milliseconds" since 1970, or a pattern as of `datetime.strptime`; a time
        that names no zone is UTC.
    source
        The file, for the problems.

    Examples
    --------
    >>> cells = pd.DataFrame({"created_at": ["31.12.2020 23:59"]})
    >>> str(timed(cells, "%d.%m.%Y %H:%M", source="log.csv")[0]["created_at"][0])
    '2020-12-31 23:59:00+00:00'
    """
    problems = []
    for name in TIMES:
        if name not in cells or not pd.api.types.is_string_dtype(cells[name]):
            continue
        text = cells[name].str.strip()
        if form in UNITS:
            seconds = pd.to_numeric(text, errors="coerce").astype("float64") * UNITS[form]
            known = seconds.where(seconds.between(FIRST.timestamp(), time.time() + DAY))
            times = pd.to_datetime((known * 1e6).round(), unit="us", utc=True)
        else:
            times = pd.to_datetime(text, format=form, utc=True, errors="coerce")
        wrong = text.notna() & times.isna()
        cells = cells.assign(**{name: times.astype("datetime64[us, UTC]")})
        problems += [
            Problem(
                source,
                row + 1,
                name,
                f"{shown(text[row])} is no time of the form {form}",
                "correct the cell, or times in smo.toml",
            )
            for row in wrong[wrong].index
        ]
    return cells, problems
