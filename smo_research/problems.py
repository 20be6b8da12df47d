"""What is wrong in files: a problem is a sentence with its place, and many are told at once."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

MAX_PROBLEMS_SHOWN = 20
MOST_DIGITS = 4
MOST_SAID = 300
# These are quoted; anything else may be an id, a name or what somebody wrote.
NUMBER = re.compile(rf"[-+]?\d{{1,{MOST_DIGITS}}}([.]\d{{0,{MOST_DIGITS}}})?", re.ASCII)
WORDS = {"inf", "-inf", "nan", "null", "none", "true", "false", "now"}
DATE = re.compile(
    r"(\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.]\d{4})"
    r"([T ]\d\d?:\d\d(:\d\d([.]\d{1,6})?)?)?(Z|[-+]\d\d:?\d\d)?",
    re.ASCII,
)


@dataclass(frozen=True)
class Problem:
    """What is wrong in a file, and what to do about it.

    Attributes
    ----------
    file, row, column
        Where: rows count from 1, the header not counted; None where it is not one row or column.
    wrong, remedy
        The two halves of the sentence.
    """

    file: str
    row: int | None
    column: str | None
    wrong: str
    remedy: str

    def __str__(self) -> str:
        row = "" if self.row is None else f", row {self.row}"
        column = "" if self.column is None else f", column '{self.column}'"
        wrong = self.wrong if len(self.wrong) <= MOST_SAID else f"{self.wrong[:MOST_SAID]}..."
        return printable(f"{self.file}{row}{column}: {wrong}; {self.remedy}.")


def printable(text: str) -> str:
    r"""Return a text in one line, with what would break or turn it written as in Python.

    Parameters
    ----------
    text
        What names of columns and files may be part of.

    Examples
    --------
    >>> print(printable("one\x1b[2J\n"))
    one\x1b[2J\n
    """
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def told(problems: Sequence[Problem]) -> str:
    """Say what is wrong, one line a problem, at most 20 of them and then how many more."""
    lines = [str(problem) for problem in problems[:MAX_PROBLEMS_SHOWN]]
    if len(problems) > MAX_PROBLEMS_SHOWN:
        lines.append(f"... and {len(problems) - MAX_PROBLEMS_SHOWN} more problems.")
    return "\n".join(lines)


def as_json(problems: Sequence[Problem]) -> str:
    """Every problem as a JSON list of objects with file, row, column, wrong and remedy."""
    return json.dumps([asdict(problem) for problem in problems], indent=2, ensure_ascii=False)


def shown(value: Any) -> str:
    """Say what a cell holds without quoting it, for it may hold a name or what somebody wrote.

    Parameters
    ----------
    value
        The cell; missing is None, or what is not equal to itself.

    Examples
    --------
    >>> [shown(one) for one in ("zoe@home.example", "2020-13-01", 1082040961, -3, None)]
    ['a text of 16 characters', "'2020-13-01'", 'a number of 10 digits', '-3', 'a missing value']
    """
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return "a missing value"
    text = str(value)
    harmless = len(text.strip()) < 2 or text.lower() in WORDS
    if harmless or NUMBER.fullmatch(text) or DATE.fullmatch(text):
        return repr(text) if isinstance(value, str) else text
    digits = text.lstrip("-+")
    if digits.isdecimal():
        return f"a number of {len(digits)} digits"
    return f"a text of {len(text)} characters"
