"""Which data set can answer which question, and what it answered."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from smo_research.report.rows import require, require_verdicts
from smo_research.report.style import HYPOTHESIS_COLOURS, INK, QUIET, VERDICT_COLOURS, look
from smo_research.report.words import (
    DASH,
    SHORT_NAMES,
    VERDICT_WORDS,
    count,
    effect,
    is_ratio,
    text,
    wrap,
)

_NEEDED = ["hypothesis", "dataset", "verdict"]
_DECIDED = ("supported", "negligible", "contradicted")
# Decided by several terms together, so no one ratio is the answer.
_JOINT = ("H1", "H2", "H4", "H6")
_TRIED = "tried, too little"


@look()
def testability(
    matrix: pd.DataFrame, *, declared: pd.DataFrame | None = None, ax: Axes | None = None
) -> Axes:
    """Draw data sets by hypotheses, each cell with its verdict in colour and in words.

    Parameters
    ----------
    matrix
        A verdicts table, one row a hypothesis and data set, with columns hypothesis, dataset
        and verdict, and grade, estimate, ci_low, ci_high, unit where known. A pair without a
        row was not run.
    declared
        The catalogue's testability table: what it declares testable and turned out not to be is
        told from what the data does not hold.
    ax
        Axes to draw on; new ones by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DataError
        When a column is missing or a verdict is not one of the five.
    """
    require(matrix, _NEEDED, "matrix")
    require_verdicts(matrix, "matrix")
    hypotheses = sorted(set(matrix["hypothesis"]))
    datasets = _by_use(matrix)
    cells = {(row["dataset"], row["hypothesis"]): row for row in matrix.to_dict("records")}
    hoped = set() if declared is None else _pairs(declared[declared["testable"]])
    if ax is None:
        size = (2.4 + 1.35 * max(len(hypotheses), 3), 2.2 + 0.5 * max(len(datasets), 1))
        ax = plt.subplots(figsize=size)[1]
    for down, dataset in enumerate(datasets):
        for across, hypothesis in enumerate(hypotheses):
            pair = (dataset, hypothesis)
            _cell(ax, across, down, cells.get(pair), tried=pair in hoped)
    ax.set(xlim=(0, max(len(hypotheses), 1)), ylim=(max(len(datasets), 1), 0))
    heads = [f"{name}\n{wrap(SHORT_NAMES.get(name, ''), 17)}" for name in hypotheses]
    ax.set_xticks([place + 0.5 for place in range(len(heads))], heads, va="bottom", size=9)
    for tick, name in zip(ax.xaxis.get_major_ticks(), hypotheses, strict=True):
        tick.label2.set_color(HYPOTHESIS_COLOURS.get(name, INK))
    ax.set_yticks([place + 0.5 for place in range(len(datasets))], datasets, size=9.5)
    ax.tick_params(length=0, labeltop=True, labelbottom=False)
    ax.spines[:].set_visible(False)
    ax.set_xlabel(_key(hoped), loc="left", color=QUIET, size=9, labelpad=8)
    ax.set_title(wrap(_title(matrix), 84), x=0, pad=14)
    return ax


def _pairs(table: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(table["dataset"], table["hypothesis"], strict=True))


def _by_use(matrix: pd.DataFrame) -> list[str]:
    """Data sets by how much they can tell, so that the answers stand together."""
    tested = matrix[matrix["verdict"].isin([*_DECIDED, "inconclusive"])]
    tests = tested["dataset"].value_counts()
    return sorted(set(matrix["dataset"]), key=lambda name: (-tests.get(name, 0), name))


def _key(hoped: set[tuple[str, str]]) -> str:
    words = [f"{DASH}  this data cannot answer this question; the reasons are in the report"]
    words += [f"{_TRIED}: it could, but has too few rows or accounts"] if hoped else []
    words += ["A, B, C: grade of the evidence, A the strongest"]
    return "\n".join(words)


def _cell(ax: Axes, across: int, down: int, row: dict | None, *, tried: bool) -> None:
    verdict = text(row["verdict"]) if row else ""
    middle = (across + 0.5, down + 0.5)
    if verdict == "untestable" and not tried:
        ax.text(*middle, DASH, ha="center", va="center", color=QUIET, size=10)
        return
    face, ink = VERDICT_COLOURS.get(verdict, ("#ffffff", QUIET))
    box = Rectangle((across + 0.02, down + 0.04), 0.96, 0.92, facecolor=face, edgecolor="#c4c7cb")
    ax.add_patch(box)
    words = _TRIED if verdict == "untestable" else VERDICT_WORDS.get(verdict, "not run")
    weight = "normal" if ink == QUIET else "bold"
    numbers = _numbers(row) if row else ""
    lift = 0.16 if numbers else 0
    place = (middle[0], middle[1] - lift)
    ax.text(*place, words, ha="center", va="center", color=ink, size=9, weight=weight)
    if numbers:
        below = (middle[0], middle[1] + 0.22)
        ax.text(*below, numbers, ha="center", va="center", color=ink, size=8.5)


def _numbers(row: dict) -> str:
    """Ratio without its interval, where one alone decides, and the grade."""
    missing = float("nan")
    grade = text(row.get("grade"))
    alone = row["hypothesis"] not in _JOINT and is_ratio(row.get("unit"))
    if alone and text(row.get("estimate")):
        number = "ratio " + effect(row["estimate"], missing, missing, "ln ratio")
        return f"{number} ({grade})" if grade else number
    return f"grade {grade}" if grade else ""


def _title(matrix: pd.DataFrame) -> str:
    verdicts = matrix["verdict"].value_counts()
    answered = [f"{verdicts[word]} {word}" for word in _DECIDED if verdicts.get(word, 0)]
    decided = sum(verdicts.get(word, 0) for word in _DECIDED)
    detail = f" ({', '.join(answered)})" if answered else ""
    return (
        f"Of {count(len(matrix), 'pair')} of question and data set, {decided} got an answer"
        f"{detail}; {verdicts.get('inconclusive', 0)} stayed open and "
        f"{verdicts.get('untestable', 0)} could not be tested"
    )
