"""Is an effect shown to be too small to matter, and could this data have shown it?"""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from smo_research.errors import DataError
from smo_research.report.rows import require
from smo_research.report.style import BAND, INK, NEUTRAL, QUIET, colour_of, look
from smo_research.report.words import count, text, wrap

_NEEDED = [
    *["hypothesis", "dataset", "term", "estimate", "ci_low", "ci_high", "unit"],
    *["low_90", "high_90", "bound", "detectable", "times_the_accounts"],
]
_TICKS = (0.25, 0.33, 0.5, 0.67, 0.8, 0.9, 1, 1.11, 1.25, 1.5, 2, 3, 4)
_TITLE_WIDTH = 96


@look()
def bounds_and_power(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw effects with the bounds, and the smallest effect that each data set would have found.

    Parameters
    ----------
    table
        As `power` of the evidence gives it; ratios only.
    ax
        Axes to draw on; new ones by default.

    Returns
    -------
    matplotlib.axes.Axes
        Shaded: too small to matter. Thick: the 90 % interval, which must lie in the shaded band
        for an effect to be negligible; thin: the 95 % interval. Grey brackets: a true effect at or
        beyond them would be found in 80 of 100 samples like this.

    Raises
    ------
    DataError
        When a column is missing, there is no effect, or one is no ratio.
    """
    require(table, _NEEDED, "table")
    if table.empty or not table["unit"].str.startswith("ln ratio").all():
        raise DataError("table must hold effects that are ratios (unit 'ln ratio ...').")
    if ax is None:
        height = 2.1 + 0.55 * len(table)
        figure, ax = plt.subplots(figsize=(9.2, height))
        below, above = 0.95 / height, 0.85 / height
        figure.subplots_adjust(left=0.19, right=0.68, bottom=below, top=1 - above)
    bound = math.exp(float(table["bound"].max()))
    ax.axvspan(1 / bound, bound, color=BAND, lw=0, zorder=0)
    ax.axvline(1, color="#8a8a8a", lw=1, zorder=1)
    for place, row in enumerate(table.to_dict("records")):
        _draw(ax, row, place)
    columns = table[["estimate", "ci_low", "ci_high", "detectable"]]
    reach = 1.08 * float(columns.abs().max(axis=None))
    ax.set(xscale="log", xlim=(math.exp(-reach), math.exp(reach)), ylim=(len(table) - 0.4, -0.6))
    inside = [tick for tick in _TICKS if abs(math.log(tick)) <= reach]
    ax.xaxis.set_major_locator(FixedLocator(inside))
    ax.xaxis.set_major_formatter(FixedFormatter([f"{tick:g}" for tick in inside]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_yticks(range(len(table)), [_name(row) for row in table.to_dict("records")])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(
        "ratio, log scale; thick: 90 % interval, thin: 95 %; shaded: too small to matter\n"
        "brackets: effects from here on would be found in 80 of 100 such samples"
    )
    ax.set_title(wrap(_finding(table), _TITLE_WIDTH), x=-0.38, fontsize=11)
    return ax


def _draw(ax: Axes, row: dict, place: int) -> None:
    colour = colour_of(row["hypothesis"])
    ratio = {name: math.exp(row[name]) for name in ("estimate", "low_90", "high_90")}
    ends = [math.exp(row["ci_low"]), math.exp(row["ci_high"])]
    ax.plot(ends, [place, place], color=colour, lw=1.4)
    ax.plot([ratio["low_90"], ratio["high_90"]], [place, place], color=colour, lw=4.5, alpha=0.55,
            solid_capstyle="butt")  # fmt: skip
    ax.plot(ratio["estimate"], place, "o", color=colour, ms=7)
    found = math.exp(row["detectable"])
    for at, bracket in ((found, "["), (1 / found, "]")):
        ax.annotate(bracket, (at, place), color=NEUTRAL, size=15, ha="center", va="center")
    times = row["times_the_accounts"]
    more = f"to show none: {_times(times)} times the accounts"
    need = more if times > 1 else "enough to show none"
    ax.annotate(
        f"would find {found:.2f} or {1 / found:.2f}\n{need}",
        (1, place), (10, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
        va="center", size=9.5, color=INK if times > 1 else QUIET,
    )  # fmt: skip


def _times(value: float) -> str:
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def _name(row: dict) -> str:
    return f"{row['dataset']}\n{text(row['term']).replace('_', ' ')}"


def _finding(table: pd.DataFrame) -> str:
    inside = (table["low_90"] > -table["bound"]) & (table["high_90"] < table["bound"])
    off = (table["ci_low"] > 0) | (table["ci_high"] < 0)
    unit = text(table["unit"].iloc[0]).removeprefix("ln ratio").strip()
    left = len(table) - int((inside | off).sum())
    return (
        f"Of {count(len(table), 'effect')} ({unit}): {int(inside.sum())} shown to be too small to "
        f"matter, {int((off & ~inside).sum())} off no effect, {left} left open"
    )
