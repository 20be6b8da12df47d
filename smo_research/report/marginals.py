"""Draw logs side by side as they look from outside: activity, gaps, returns, reciprocity."""

from __future__ import annotations

import textwrap
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from smo_research.report.rows import require
from smo_research.report.style import INK, NEUTRAL, look
from smo_research.simulation.marginals import ACTIVITY, GAPS, RETENTION


class Pen(NamedTuple):
    """How a log is drawn: told apart in grey print too."""

    colour: str
    style: str


# Not the colours of tweaks and conversation, which neither of these is.
PENS = (Pen(NEUTRAL, "-"), Pen(INK, "--"), Pen("#009e73", "-"))
UNITS = {ACTIVITY: "acts", GAPS: "hours", RETENTION: "days"}


@look()
def side_by_side(table: pd.DataFrame) -> Figure:
    """Draw every measure of `smo_research.simulation.marginals.marginals` in a panel of its own.

    Parameters
    ----------
    table
        log, measure, x and y, of one log or up to three.

    Returns
    -------
    matplotlib.figure.Figure
    """
    require(table, ["log", "measure", "x", "y"], "table")
    spaced = ConstrainedLayoutEngine(h_pad=0.12, w_pad=0.1)
    figure, axes = plt.subplots(2, 2, figsize=(7.4, 6.2), layout=spaced)
    logs = [str(name) for name in dict.fromkeys(table["log"])]
    pens = dict(zip(logs, PENS, strict=False))
    for ax, (measure, part) in zip(axes.flat, table.groupby("measure", sort=False), strict=True):
        title = str(measure)
        draw = _lines if title in UNITS else _bars
        draw(ax, part, pens)
        ax.set_xlabel(UNITS.get(title, ""))
        ax.set_title(textwrap.fill(title[0].upper() + title[1:], 34), fontsize=10)
    for number, name in enumerate(reversed(logs)):
        axes[0, 0].annotate(
            name, (0.04, 0.05 + 0.1 * number), xycoords="axes fraction", color=pens[name].colour,
            fontweight="bold", fontsize=9,
        )  # fmt: skip
    return figure


def _lines(ax: Axes, part: pd.DataFrame, pens: dict[str, Pen]) -> None:
    """Shares by number; of activity, which has a long tail, both in logarithms."""
    tail = part["measure"].iloc[0] == ACTIVITY
    for name, mine in part.groupby("log", sort=False):
        pen = pens[str(name)]
        drawn = mine[mine["y"] > 0] if tail else mine
        ax.plot(drawn["x"], drawn["y"], pen.style, color=pen.colour)
    ax.set_xscale("log")
    ax.set_yscale("log" if tail else "linear")
    if tail:
        ax.minorticks_off()
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}%")


def _bars(ax: Axes, part: pd.DataFrame, pens: dict[str, Pen]) -> None:
    place = np.arange(len(part))[::-1]
    ax.barh(place, part["y"], color=[pens[name].colour for name in part["log"]], height=0.6)
    for y, value in zip(place, part["y"], strict=True):
        ax.annotate(f" {value:.0%}", (value, y), va="center", fontsize=9)
    ax.set_yticks(place, [name.replace(", ", ",\n") for name in part["log"]])
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
