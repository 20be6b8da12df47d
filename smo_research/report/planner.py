"""Draw what power more accounts or periods would give."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from smo_research.report.style import INK, NEUTRAL, QUIET, look
from smo_research.report.words import count

TARGET = 0.8
STYLES = ("-", "--", ":", "-.")
SHADES = (QUIET, "#4a4a4a", INK)
ROOM = 0.085


@look()
def planned_power(planned: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the power against the number of accounts, one line a number of periods.

    Parameters
    ----------
    planned
        As `smo_research.plan` returns it.
    ax
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> planned = pd.DataFrame({"accounts": [50, 100], "periods": 26, "power": [0.4, 0.7]})
    >>> len(planned_power(planned).lines)
    2
    """
    if ax is None:
        figure, ax = plt.subplots(figsize=(7.2, 3.8))
        figure.subplots_adjust(right=0.8)
    ax.axhline(TARGET, color=NEUTRAL, lw=0.8)
    ends = {}
    for number, (periods, mine) in enumerate(planned.groupby("periods")):
        colour, style = SHADES[number % len(SHADES)], STYLES[number % len(STYLES)]
        ax.plot(mine["accounts"], mine["power"], style, color=colour, marker="o", ms=4.5)
        ends[float(mine["power"].iloc[-1]), int(str(periods))] = colour
    above = 1 + ROOM
    # The lines end nearly on each other: their names below each other, in their order.
    for (power, periods), colour in sorted(ends.items(), reverse=True):
        above = min(power, above - ROOM)
        ax.annotate(
            count(periods, "period"), (1, above), (8, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", va="center", color=colour, size=10, weight="bold",
        )  # fmt: skip
    ax.set_xscale("log")
    ticks = sorted(planned["accounts"].unique())
    ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    ax.minorticks_off()
    ax.set_ylim(0, 1.02)
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    ax.set_xlabel("accounts")
    ax.set_ylabel("studies that would find it (power)")
    ax.set_title("How many accounts would it take?")
    return ax
