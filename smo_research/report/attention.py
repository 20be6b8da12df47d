"""How fast does a counter stop? Share of its final count that an item has, by hours."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator, PercentFormatter

from smo_research.report.rows import require
from smo_research.report.style import BAND, INK, NEUTRAL, look
from smo_research.report.words import DASH, count, percent, wrap

_NEEDED = ["platform", "hours_since", "mean", "n_items"]
_MARKED = (0.5, 0.9)
_BANDS = {("ci_low", "ci_high"): "95 % interval", ("p10", "p90"): "8 of 10 items"}
_WIDTH, _PANEL, _ABOVE, _BELOW = 7.2, 1.7, 0.75, 0.55


@look()
def attention(table: pd.DataFrame) -> Figure:
    """Draw the mean share of the final count that items have by each hour, a panel a platform.

    Curves that look alike would hide each other in one panel; below each other their hours can
    be compared.

    Parameters
    ----------
    table
        One row a platform and reading time, with columns platform, hours_since, mean (share of
        the final count, 0 to 1), n_items. With ci_low and ci_high the interval of the mean is
        shaded, else with p10 and p90 where most items lie.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a column is missing.
    """
    require(table, _NEEDED, "table")
    panels = list(table.groupby("platform", sort=False))
    height = _PANEL * max(len(panels), 1) + _ABOVE + _BELOW
    figure, grid = plt.subplots(
        max(len(panels), 1), 1, sharex=True, squeeze=False, figsize=(_WIDTH, height)
    )
    figure.subplots_adjust(
        left=0.14, right=0.98, top=1 - _ABOVE / height, bottom=_BELOW / height, hspace=0.3
    )
    axes = list(grid.flat)
    band = next((pair for pair in _BANDS if set(pair) <= set(table)), None)
    last = float(table["hours_since"].max()) if len(table) else 1.0
    reached = [
        _panel(ax, str(platform), rows.sort_values("hours_since"), band)
        for ax, (platform, rows) in zip(axes, panels, strict=False)
    ]
    axes[-1].xaxis.set_major_locator(MultipleLocator(max(1, round(last / 8))))
    shaded = f"; shaded: {_BANDS[band]}" if band else ""
    axes[-1].set(xlim=(0, last), xlabel=f"hours since the item was published{shaded}")
    figure.suptitle(
        wrap(_finding(reached, last), 66), x=0.02, y=0.99, ha="left", va="top", size=12,
        weight="bold",
    )  # fmt: skip
    return figure


def _panel(
    ax: Axes, platform: str, rows: pd.DataFrame, band: tuple[str, str] | None
) -> list[float]:
    """Draw one platform; give the hours by which the marked shares are there."""
    hours = [_first(rows, share) for share in _MARKED]
    if band:
        ax.fill_between(rows["hours_since"], *(rows[end] for end in band), color=BAND, lw=0)
    ax.plot(rows["hours_since"], rows["mean"], color=INK, lw=2)
    for share, hour in zip(_MARKED, hours, strict=True):
        ax.plot([0, hour, hour], [share, share, 0], color=NEUTRAL, lw=0.8, ls=(0, (3, 3)))
        ax.plot(hour, share, "o", color=INK, ms=6)
        named = "half" if share == _MARKED[0] else percent(share)
        ax.annotate(
            f"{named} by {_whole(hour)} h", (hour, share), (7, -6), textcoords="offset points",
            va="top", size=10.5, weight="bold",
        )  # fmt: skip
    ax.set(ylim=(0, 1.05), yticks=[0, *_MARKED], ylabel="share of the\nfinal count")
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    items = count(int(rows["n_items"].iloc[-1]), "item")
    ax.set_title(f"{platform}: mean of {items}", size=10.5, pad=4)
    return hours


def _first(rows: pd.DataFrame, share: float) -> float:
    return float(rows.loc[rows["mean"] >= share - 1e-12, "hours_since"].min())


def _finding(reached: list[list[float]], last: float) -> str:
    if not reached:
        return "No item has a final count above 0, so there is no curve"
    half, most = (_span(list(hours)) for hours in zip(*reached, strict=True))
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
