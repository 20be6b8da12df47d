"""Draw how often the tests say what is so, over simulated worlds."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MultipleLocator, PercentFormatter

from smo_research.report.save import save_figure
from smo_research.report.style import BAND, INK, NEUTRAL, colour_of, look
from smo_research.simulation.sizes import ALLOWED

NOMINAL = 0.05
_LINE = 0.27


@look()
def sizes(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how often each test rejects where what it tests against holds.

    Parameters
    ----------
    table
        One row a test: label, hypothesis, accounts, worlds, rate, low and high (0 to 1).
    ax
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(7.1, 0.32 * len(table) + 1.5))
    place = range(len(table) - 1, -1, -1)
    ax.axvspan(*ALLOWED, color=BAND, lw=0)
    ax.axvline(NOMINAL, color=NEUTRAL, lw=0.8)
    for y, one in zip(place, table.itertuples(), strict=True):
        _interval(ax, y, one)
    ax.set_yticks(list(place), table["label"])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_xlim(0, max(0.1, float(table["high"].max()) * 1.05))
    ax.xaxis.set_major_locator(MultipleLocator(0.02))
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    ax.set_xlabel("of worlds in which the test rejects a null that holds; 95 % interval")
    ax.annotate(
        "a 5 % test, give or take 1.5",
        (NOMINAL, 1),
        xycoords=("data", "axes fraction"),
        ha="center",
        va="bottom",
        color=INK,
        fontsize=9,
    )
    ax.set_title("How often the tests cry wolf", pad=24)
    return ax


@look()
def powers(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how often each test finds what is there, by the number of accounts.

    Parameters
    ----------
    table
        One row a test and number of accounts: label, hypothesis, accounts, rate, low, high.
    ax
        Where to draw; by default a new figure.
    """
    labels: list[str] = []
    if ax is None:
        _, ax = plt.subplots(figsize=(7.1, _LINE * _lines(table) + 1.2))
    for label, mine in table.groupby("label", sort=False):
        labels.append(str(label))
        for one in mine.sort_values("accounts").itertuples():
            _interval(ax, len(labels), one)
            labels.append(f"{one.accounts:,} accounts")
    ax.set_yticks(range(len(labels)), labels)
    for head in set(table["label"]):
        ax.get_yticklabels()[labels.index(str(head))].set_fontweight("bold")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set(ylim=(len(labels) - 0.4, -0.6), xlim=(0, 1.01))
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    ax.set_xlabel("of worlds, watched for 26 weeks, in which it is found; 95 % interval")
    ax.set_title("How often the tests find what is there")
    return ax


def _interval(ax: Axes, y: float, one: Any) -> None:
    colour = colour_of(str(one.hypothesis))
    ax.plot([one.low, one.high], [y, y], color=colour, lw=1.8, solid_capstyle="butt")
    ax.plot(one.rate, y, "o", color=colour, ms=5)


def _lines(table: pd.DataFrame) -> int:
    return len(table) + table["label"].nunique()


@look()
def calibration_plot(short: pd.DataFrame, found: pd.DataFrame) -> Figure:
    """Draw sizes above powers.

    Parameters
    ----------
    short, found
        As `smo_research.simulation.sizes` gives them: `sizes(table)` and `powers(table)`.
    """
    heights = [_LINE * len(short) + 0.5, _LINE * _lines(found)]
    figure, (above, below) = plt.subplots(
        2,
        1,
        figsize=(7.1, sum(heights) + 1.9),
        height_ratios=heights,
        layout=ConstrainedLayoutEngine(hspace=0.06),
    )
    sizes(short, ax=above)
    powers(found, ax=below)
    return figure


def draw(short: pd.DataFrame, found: pd.DataFrame, folder: Path) -> list[Path]:
    """Save the figure as SVG and PNG; gives their paths."""
    figure = calibration_plot(short, found)
    paths = save_figure(
        figure, folder / "calibration", provenance={"smo_research": version("smo_research")}
    )
    plt.close(figure)
    return paths
