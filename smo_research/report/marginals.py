"""Draw logs side by side as they look from outside: activity, gaps, returns, reciprocity."""

from __future__ import annotations

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from smo_research.report.style import CONVERSATION, NEUTRAL, TWEAK, look

COLOURS = (NEUTRAL, CONVERSATION, TWEAK)
SCALES = {"accounts with": ("log", "log"), "gaps between": ("log", "linear")}


@look()
def side_by_side(table: pd.DataFrame) -> Figure:
    """Draw every measure of `smo_research.simulation.marginals.marginals` in a panel of its own.

    Parameters
    ----------
    table
        log, measure, x and y, of one log or several; the first is drawn in grey.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = plt.subplots(2, 2, figsize=(7.1, 5.6), layout="constrained")
    logs = list(dict.fromkeys(table["log"]))
    colours = dict(zip(logs, COLOURS, strict=False))
    for ax, (measure, part) in zip(axes.flat, table.groupby("measure", sort=False), strict=True):
        if part["x"].max() == 0:
            _bars(ax, part, colours)
        else:
            _lines(ax, part, colours, next((s for k, s in SCALES.items() if k in str(measure)),
                                           ("log", "linear")))  # fmt: skip
        ax.set_title(textwrap.fill(str(measure), 36), fontsize=9.5)
    for number, (name, colour) in enumerate(colours.items()):
        axes[0, 0].annotate(
            name, (0.04, 0.06 + 0.1 * number), xycoords="axes fraction", color=colour,
            fontweight="bold", fontsize=9,
        )  # fmt: skip
    return figure


def _lines(ax: Axes, part: pd.DataFrame, colours: dict[str, str], scales: tuple[str, str]) -> None:
    for name, mine in part.groupby("log", sort=False):
        drawn = mine[mine["y"] > 0] if scales[1] == "log" else mine
        ax.plot(drawn["x"], drawn["y"], color=colours[str(name)])
    ax.set_xscale(scales[0])
    ax.set_yscale(scales[1])
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}%")


def _bars(ax: Axes, part: pd.DataFrame, colours: dict[str, str]) -> None:
    place = np.arange(len(part))[::-1]
    ax.barh(place, part["y"], color=[colours[name] for name in part["log"]], height=0.6)
    for y, value in zip(place, part["y"], strict=True):
        ax.annotate(f" {value:.0%}", (value, y), va="center", fontsize=9)
    ax.set_yticks(place, part["log"])
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
