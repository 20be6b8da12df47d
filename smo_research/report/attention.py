"""How fast does a counter stop? Share of its final count that an item has, by hours."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator, PercentFormatter

from smo_research.report.rows import require
from smo_research.report.style import BAND, INK, NEUTRAL, look
from smo_research.report.words import DASH, count, wrap

_NEEDED = ["platform", "hours_since", "mean", "n_items"]
_MARKED = (0.5, 0.9)
# Platforms are neither tweaks nor conversation, so they take neither of those colours.
_LINES = [(INK, "-"), ("#8e4585", (0, (5, 2))), ("#117a65", (0, (1.5, 1.5))), (NEUTRAL, "-.")]
_LABEL_GAP = 0.17


@look()
def attention(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the mean share of the final count that items have by each hour, a line a platform.

    Parameters
    ----------
    table
        One row a platform and reading time, with columns platform, hours_since, mean (share of
        the final count, 0 to 1), n_items.
    ax
        Axes to draw on; new ones by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DataError
        When a column is missing.
    """
    require(table, _NEEDED, "table")
    if ax is None:
        figure, ax = plt.subplots(figsize=(8.4, 4.4))
        figure.subplots_adjust(right=0.72, top=0.82, bottom=0.13)
    reached: dict[float, list[float]] = {share: [] for share in _MARKED}
    for share in _MARKED:
        ax.axhline(share, color=BAND, lw=1.2, zorder=0)
    last = float(table["hours_since"].max()) if len(table) else 1.0
    for line, (platform, rows) in enumerate(table.groupby("platform", sort=False)):
        colour, dashes = _LINES[line % len(_LINES)]
        rows = rows.sort_values("hours_since")
        ax.plot(rows["hours_since"], rows["mean"], color=colour, ls=dashes, lw=2)
        hours = [_first(rows, share) for share in _MARKED]
        ax.plot(hours, _MARKED, "o", color=colour, ms=4.5)
        for share, hour in zip(_MARKED, hours, strict=True):
            reached[share].append(hour)
        ax.annotate(
            f"{platform}\nhalf by {_whole(hours[0])} h, 90 % by {_whole(hours[1])} h\n"
            + count(int(rows["n_items"].iloc[-1]), "item"),
            (last, 1 - _LABEL_GAP * line), (8, 0), textcoords="offset points", va="top",
            color=colour, size=9.5, weight="bold", annotation_clip=False,
        )  # fmt: skip
    ax.set(ylim=(0, 1.02), xlim=(0, last))
    ax.xaxis.set_major_locator(MultipleLocator(max(1, round(last / 8))))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    ax.set(xlabel="hours since the item was published", ylabel="mean share of the final count")
    ax.set_title(wrap(_finding(reached, last), 62))
    return ax


def _first(rows: pd.DataFrame, share: float) -> float:
    return float(rows.loc[rows["mean"] >= share - 1e-12, "hours_since"].min())


def _finding(reached: dict[float, list[float]], last: float) -> str:
    if not reached[_MARKED[0]]:
        return "No item has a final count above 0, so there is no curve"
    half, most = (_span(hours) for hours in reached.values())
    return (
        f"Half of the count an item has after {last:.0f} hours is there by hour {half}, "
        f"90 % by hour {most}"
    )


def _span(hours: list[float]) -> str:
    low, high = _whole(min(hours)), _whole(max(hours))
    return str(low) if low == high else f"{low}{DASH}{high}"


def _whole(hours: float) -> int:
    """Round up, since by the hour before it is not there yet."""
    return math.ceil(hours - 1e-9)
