"""Which data set can answer which question, and what it answered."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from smo_research.report.rows import require, require_verdicts
from smo_research.report.style import QUIET, VERDICT_COLOURS, look
from smo_research.report.words import (
    SHORT_NAMES,
    VERDICT_WORDS,
    count,
    effect,
    is_ratio,
    text,
    wrap,
)

_NEEDED = ["hypothesis", "dataset", "verdict"]


@look()
def testability(matrix: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw data sets by hypotheses, each cell with its verdict in colour and in words.

    Parameters
    ----------
    matrix
        A verdicts table, one row a hypothesis and data set, with columns hypothesis, dataset
        and verdict, and grade, estimate, ci_low, ci_high, unit where known. A pair without a
        row was not run.
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
    datasets = sorted(set(matrix["dataset"]))
    cells = {(row["dataset"], row["hypothesis"]): row for row in matrix.to_dict("records")}
    if ax is None:
        size = (2.2 + 1.35 * max(len(hypotheses), 3), 1.9 + 0.55 * max(len(datasets), 1))
        ax = plt.subplots(figsize=size)[1]
    for down, dataset in enumerate(datasets):
        for across, hypothesis in enumerate(hypotheses):
            _cell(ax, across, down, cells.get((dataset, hypothesis)))
    ax.set(xlim=(0, max(len(hypotheses), 1)), ylim=(max(len(datasets), 1), 0))
    heads = [f"{name}\n{wrap(SHORT_NAMES.get(name, ''), 16)}" for name in hypotheses]
    ax.set_xticks([place + 0.5 for place in range(len(heads))], heads, va="bottom", size=9)
    ax.set_yticks([place + 0.5 for place in range(len(datasets))], datasets, size=9.5)
    ax.tick_params(length=0, labeltop=True, labelbottom=False)
    ax.spines[:].set_visible(False)
    ax.set_title(wrap(_title(matrix), 84), x=0, pad=14)
    return ax


def _cell(ax: Axes, across: int, down: int, row: dict | None) -> None:
    verdict = text(row["verdict"]) if row else ""
    face, ink = VERDICT_COLOURS.get(verdict, ("#ffffff", QUIET))
    box = Rectangle((across + 0.02, down + 0.04), 0.96, 0.92, facecolor=face, edgecolor="#c4c7cb")
    ax.add_patch(box)
    words = VERDICT_WORDS.get(verdict, "not run")
    weight = "normal" if ink == QUIET else "bold"
    numbers = _numbers(row) if row else ""
    lift = 0.16 if numbers else 0
    middle = (across + 0.5, down + 0.5 - lift)
    ax.text(*middle, words, ha="center", va="center", color=ink, size=9, weight=weight)
    if numbers:
        below = (across + 0.5, down + 0.5 + 0.2)
        ax.text(*below, numbers, ha="center", va="center", color=ink, size=8.5)


def _numbers(row: dict) -> str:
    """Ratio without its interval, where it is one, and the grade."""
    missing = float("nan")
    number, grade = "", text(row.get("grade"))
    if is_ratio(row.get("unit")) and text(row.get("estimate")):
        number = "ratio " + effect(row["estimate"], missing, missing, "ln ratio")
        return f"{number} ({grade})" if grade else number
    return f"grade {grade}" if grade else ""


def _title(matrix: pd.DataFrame) -> str:
    verdicts = matrix["verdict"].value_counts()
    answered = [
        f"{verdicts[word]} {word}"
        for word in ("supported", "negligible", "contradicted")
        if verdicts.get(word, 0)
    ]
    decided = sum(verdicts.get(word, 0) for word in ("supported", "negligible", "contradicted"))
    detail = f" ({', '.join(answered)})" if answered else ""
    return (
        f"Of {count(len(matrix), 'question')} put to the data, {decided} got an answer{detail}; "
        f"{verdicts.get('inconclusive', 0)} stayed open and {verdicts.get('untestable', 0)} "
        "could not be tested"
    )
