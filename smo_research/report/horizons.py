"""Does the answer move with gap and horizon? Estimates side by side."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from smo_research.errors import DataError
from smo_research.report.intervals import BOUNDS, Line, draw
from smo_research.report.retention import retention
from smo_research.report.rows import require
from smo_research.report.style import BAND, CONVERSATION, INK, NEUTRAL, QUIET, colour_of, look
from smo_research.report.words import SHORT_NAMES, count, text, wrap
from smo_research.tables import Windows

_NEEDED = [
    *["period", "gap", "horizon", "hypothesis", "dataset"],
    *["estimate", "ci_low", "ci_high", "unit", "reason"],
]
_RATIOS = (0.33, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3)
_MARKERS = "osD^v"
_SPREAD = 0.17
_ROOM = 0.075


@look()
def across_horizons(
    table: pd.DataFrame, *, windows: Windows | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the estimate and its 95 % interval at each horizon, a row of points a gap.

    Parameters
    ----------
    table
        As `across_windows` gives it, of one hypothesis and data set; estimates in ln ratios.
    windows
        Those that decide: their gap is drawn in colour, their horizon named.
    ax
        Axes to draw on; new ones by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DataError
        When a column is missing, or the table holds no estimate or more than one hypothesis or
        data set.
    """
    require(table, _NEEDED, "table")
    for name in ("hypothesis", "dataset"):
        if table[name].nunique() != 1:
            raise DataError(f"table must hold one {name}, but holds {table[name].nunique()}.")
    rows = table.dropna(subset="estimate")
    if rows.empty:
        raise DataError("table has no estimate to draw; its reason column says why.")
    if ax is None:
        ax = plt.subplots(figsize=(7.2, 4.0))[1]
    horizons, gaps = sorted(table["horizon"].unique()), sorted(rows["gap"].unique())
    own = next((gap for gap in gaps if windows and gap == windows.gap), gaps[0])
    ax.axhspan(*(math.log(bound) for bound in BOUNDS), color=BAND, lw=0, zorder=0)
    ax.axhline(0, color="#8a8a8a", lw=1, zorder=1)
    ends = {}
    for place, gap in enumerate(gaps):
        mine = rows[rows["gap"] == gap].sort_values("horizon")
        at = np.searchsorted(horizons, mine["horizon"]) + _SPREAD * (place - (len(gaps) - 1) / 2)
        colour = CONVERSATION if gap == own else NEUTRAL
        ax.vlines(at, mine["ci_low"], mine["ci_high"], color=colour, lw=1.6, alpha=0.7)
        ax.plot(at, mine["estimate"], _MARKERS[place % len(_MARKERS)], color=colour, ms=6.5,
                mfc=colour if gap == own else "white", mew=1.5, zorder=3)  # fmt: skip
        ends[gap] = float(mine["estimate"].iloc[-1])
    _scale(ax, rows)
    _name_gaps(ax, ends, own, gaps)
    decides = [f"{days}\n(decides)" if windows and days == windows.horizon else f"{days}"
               for days in horizons]  # fmt: skip
    ax.set_xticks(range(len(horizons)), decides)
    ax.set_xlim(-0.5, len(horizons) - 0.5)
    ax.set_xlabel("horizon, in days")
    unit = text(rows["unit"].iloc[0]).removeprefix("ln ratio").strip()
    ax.set_ylabel(f"ratio {unit}, 95 % interval\n(shaded: too small to matter)", color=QUIET)
    ax.set_title(wrap(_finding(rows), 64), fontsize=11)
    return ax


@look()
def lasting_under(curve: pd.DataFrame, effects: pd.DataFrame, *, windows: Windows) -> Figure:
    """Draw what one choice of windows makes of newcomers, and of the answers.

    Parameters
    ----------
    curve
        As `retention_table` gives it, for the gap and horizon.
    effects
        As `across_windows` gives it, one row a hypothesis.
    windows
        Period, gap and horizon, for the title.

    Returns
    -------
    matplotlib.figure.Figure
        Above the share of newcomers who are back, below the effects with 95 % intervals.

    Raises
    ------
    DataError
        When a column is missing.
    """
    require(effects, _NEEDED, "effects")
    figure, (above, below) = plt.subplots(2, 1, figsize=(7.4, 6.4), height_ratios=[1.15, 1])
    figure.subplots_adjust(left=0.14, right=0.68, top=0.86, bottom=0.1, hspace=0.5)
    retention(curve, gap=windows.gap, ax=above)
    newcomers = count(int(curve["n_newcomers"].max()), "newcomer")
    above.set_title(f"How many of {newcomers} last?", fontsize=12)
    draw(below, [line for row in effects.to_dict("records") for line in _lines(row)], BOUNDS)
    below.set_title("What does answering predict?", fontsize=12)
    figure.suptitle(
        f"Period {windows.period}, gap {windows.gap}, horizon {windows.horizon} days: "
        f"{_said(effects)}",
        x=0.01, ha="left", size=12, weight="bold",
    )  # fmt: skip
    return figure


def _lines(row: dict) -> list[Line]:
    name = SHORT_NAMES.get(row["hypothesis"], "")
    head = Line(f"{row['hypothesis']}  {name}".strip(), header=True)
    about = Line(
        label=text(row["term"]).replace("_", " "),
        estimate=float(row["estimate"]),
        ci_low=float(row["ci_low"]),
        ci_high=float(row["ci_high"]),
        unit=text(row["unit"]),
        colour=colour_of(row["hypothesis"]),
        note=wrap(text(row["reason"]), 44),
    )
    return [head, about]


def _said(effects: pd.DataFrame) -> str:
    """How many of the estimates lie off no effect."""
    found = effects.dropna(subset="estimate")
    off = int(((found["ci_low"] > 0) | (found["ci_high"] < 0)).sum())
    return f"{off} of {count(len(effects), 'interval')} exclude 1"


def _scale(ax: Axes, rows: pd.DataFrame) -> None:
    low = min(rows["ci_low"].min(), math.log(BOUNDS[0]))
    high = max(rows["ci_high"].max(), math.log(BOUNDS[1]))
    room = 0.06 * (high - low)
    ax.set_ylim(low - room, high + room)
    ticks = [ratio for ratio in _RATIOS if low - room <= math.log(ratio) <= high + room]
    ax.yaxis.set_major_locator(FixedLocator([math.log(ratio) for ratio in ticks]))
    ax.yaxis.set_major_formatter(FixedFormatter([f"{ratio:g}" for ratio in ticks]))
    ax.yaxis.set_minor_locator(NullLocator())


def _name_gaps(ax: Axes, ends: dict[int, float], own: int, gaps: list[int]) -> None:
    """Name the gaps right of their last points, from the lowest up."""
    low, high = ax.get_ylim()
    room, below = _ROOM * (high - low), -math.inf
    for gap, estimate in sorted(ends.items(), key=lambda pair: pair[1]):
        height = max(estimate, below + room)
        below = height
        words = f"gap {count(int(gap), 'day')}" + (" (decides)" if gap == own else "")
        ax.annotate(
            words, (1, height), (12, 0), xycoords=("axes fraction", "data"), va="center", size=9.5,
            textcoords="offset points", color=CONVERSATION if gap == own else INK,
            weight="bold" if gap == own else "normal",
        )  # fmt: skip
        marker = _MARKERS[gaps.index(gap) % len(_MARKERS)]
        ax.plot([1.012], [height], marker, transform=ax.get_yaxis_transform(), clip_on=False,
                color=CONVERSATION if gap == own else NEUTRAL, ms=5,
                mfc=CONVERSATION if gap == own else "white")  # fmt: skip


def _finding(rows: pd.DataFrame) -> str:
    above = int((rows["ci_low"] > 0).sum())
    below = int((rows["ci_high"] < 0).sum())
    hypothesis, dataset = rows.iloc[0][["hypothesis", "dataset"]]
    return (
        f"{hypothesis} on {dataset}: the interval lies above 1 in {above} of {len(rows)} choices "
        f"of gap and horizon, below 1 in {below}, and holds 1 in {len(rows) - above - below}"
    )
