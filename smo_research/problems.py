"""What is wrong in files: a problem is a sentence with its place, and many are told at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

MAX_PROBLEMS_SHOWN = 20


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
        return f"{self.file}{row}{column}: {self.wrong}; {self.remedy}."


def told(problems: Sequence[Problem]) -> str:
    """Say what is wrong, one line a problem, at most 20 of them and then how many more."""
    lines = [str(problem) for problem in problems[:MAX_PROBLEMS_SHOWN]]
    if len(problems) > MAX_PROBLEMS_SHOWN:
        lines.append(f"... and {len(problems) - MAX_PROBLEMS_SHOWN} more problems.")
    return "\n".join(lines)


def as_json(problems: Sequence[Problem]) -> str:
    """Every problem as a JSON list of objects with file, row, column, wrong and remedy."""
    return json.dumps([asdict(problem) for problem in problems], indent=2, ensure_ascii=False)
