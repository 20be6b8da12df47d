"""The plain picture of any result table: a line a row, with its 95 % interval."""

from __future__ import annotations

import math
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RATIO = "ln ratio"
INK, GREY, BAND = "0.15", "0.6", "0.93"
WIDE = 8.0


def draw_estimates(
    table: pd.DataFrame, *, title: str, reason: str, bound: float, ax: Axes | None = None
) -> Axes:
    """Draw the estimates of a result, and where there are none the reason.

    One axis takes one kind of unit, that of the first row; rows in others (ln likelihood beside
    ratios, say) stay in the table. Differences of ln rates are labelled as ratios.

    Parameters
    ----------
    table
        In the columns of `VOCABULARY`.
    title
        The first line above the picture.
    reason
        Why there is no verdict, where there is none; written below the title.
    bound
        Effects from minus to plus this are negligible, shown as a band where it applies: for
        ratios and ln followers.
    ax
        Where to draw; a new figure where not given.
    """
    import matplotlib.pyplot as plt

    drawn = table[table["ci_low"].notna() & table["ci_high"].notna()]
    kinds = drawn["unit"].map(kind)
    drawn = drawn[kinds == kinds.iloc[0]].iloc[::-1] if len(drawn) else drawn
    if ax is None:
        size = (7.5, 1.4 + 0.36 * max(len(drawn), 2))
        _, ax = plt.subplots(figsize=size, layout="constrained")
    if drawn.empty:
        return _write(ax, title, reason or "; ".join(dict.fromkeys(table["reason"])))
    labels, shared = row_labels(drawn)
    what = kinds.iloc[0]
    at = np.arange(len(drawn))
    low, high = _within_reach(drawn)
    band = bool(bound and what in (RATIO, "ln followers") and not reason)
    if band:
        ax.axvspan(-bound, bound, color=BAND, zorder=0, lw=0)
    ax.axvline(0, color=GREY, lw=1, zorder=1)
    ax.hlines(at, low, high, color=INK, lw=1.5, zorder=2)
    ax.plot(drawn["estimate"].astype(float), at, "o", color=INK, ms=5, zorder=3)
    for place, row in zip(
        at, drawn[["estimate", "ci_low", "ci_high"]].to_numpy(float), strict=True
    ):
        ax.annotate(
            _numbers(np.exp(row) if what == RATIO else row), (1, place), (6, 0), va="center",
            xycoords=("axes fraction", "data"), textcoords="offset points", size="medium",
        )  # fmt: skip
    ax.set_yticks(at, [_plain(fill(label.replace("_", " "), 40)) for label in labels])
    ax.set_ylim(-0.6, len(drawn) - 0.4)
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)
    units = list(dict.fromkeys(drawn["unit"].iloc[::-1]))
    unit = " / ".join(units) if len(units) < 3 else f"{what}, each per its own contrast"
    if what == RATIO:
        unit = unit.replace(RATIO, "ratio")
        _ratio_ticks(ax)
    shaded = "; shaded: too small to matter" if band else ""
    ax.set_xlabel(f"{_plain(fill(unit, 80))}\n95 % interval{shaded}")
    head = title + (f": {shared}" if shared else "")
    lines = [fill(head, 68), *([fill(f"No verdict: {reason}", 78)] if reason else [])]
    ax.set_title(_plain("\n".join(lines)), loc="left", fontsize="medium")
    return ax


def kind(unit: str) -> str:
    """What an axis measures, without the contrast.

    Examples
    --------
    >>> kind("ln ratio if answered"), kind("ln followers per +0.25")
    ('ln ratio', 'ln followers')
    """
    return RATIO if unit.startswith(RATIO) else unit.split(" per ")[0]


def row_labels(rows: pd.DataFrame) -> tuple[list[str], str]:
    """Name each row by what differs between rows, and say once what they share."""
    parts = rows[["model", "block", "term"]].fillna("")
    varies = [name for name in parts if len(rows) == 1 or parts[name].nunique() > 1]
    shared = [parts[name].iloc[0] for name in parts if name not in varies]
    labels = [", ".join(filter(None, row)) for row in parts[varies].to_numpy().tolist()]
    return labels, ", ".join(filter(None, shared))


def _numbers(row: np.ndarray) -> str:
    """An estimate and its interval.

    Examples
    --------
    >>> _numbers(np.array([1.2345, 1.01, 1.5]))
    '1.23 [1.01, 1.50]'
    """
    middle, low, high = (f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.2g}" for value in row)
    return f"{middle} [{low}, {high}]"


def _plain(text: str) -> str:
    """A name from the data is never read as mathematics."""
    return text.replace("$", r"\$")


def _write(ax: Axes, title: str, reason: str) -> Axes:
    ax.set_axis_off()
    ax.set_title(_plain(title), loc="left", fontsize="medium")
    said = _plain(fill(f"Not tested: {reason}" if reason else "Nothing to draw", 70))
    ax.text(0.0, 0.95, said, transform=ax.transAxes, va="top", ha="left")
    return ax


def _within_reach(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The intervals, with ends that are infinite drawn as far as the others reach."""
    ends = rows[["ci_low", "ci_high"]].to_numpy(float)
    points = np.append(ends, rows["estimate"].to_numpy(float))
    finite = points[np.isfinite(points)]
    far = 1.5 * np.abs(finite).max(initial=1.0)
    ends = np.clip(ends, -far, far)
    return ends[:, 0], ends[:, 1]


def _ratio_ticks(ax: Axes) -> None:
    """Mark an axis of ln ratios with ratios."""
    from matplotlib.ticker import MaxNLocator

    low, high = (float(np.exp(np.clip(end, -30, 30))) for end in ax.get_xlim())
    if high / low > WIDE:
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        marks = [step * 10.0**power for power in decades for step in (1, 3)]
    else:
        marks = list(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
    marks = [mark for mark in marks if low <= mark <= high]
    limits = ax.get_xlim()
    ax.set_xticks(np.log(marks), [f"{mark:.4g}" for mark in marks])
    ax.set_xlim(limits)
