"""Draw what power more accounts or periods would give."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from smo_research.report.style import INK, NEUTRAL, look

TARGET = 0.8
STYLES = ("-", "--", ":", "-.")


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
        _, ax = plt.subplots(figsize=(7.1, 3.4))
    ax.axhline(TARGET, color=NEUTRAL, lw=0.8)
    for style, (_, mine) in zip(STYLES, planned.groupby("periods"), strict=False):
        ax.plot(mine["accounts"], mine["power"], style, color=INK, marker="o", ms=3.5)
    handles = [f"{periods} periods" for periods in sorted(planned["periods"].unique())]
    ax.legend(ax.lines[1:], handles, loc="lower right", frameon=False, fontsize=9)
    ax.set_xscale("log")
    ticks = sorted(planned["accounts"].unique())
    ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    ax.minorticks_off()
    ax.set_ylim(0, 1.02)
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.set_xlabel("accounts")
    ax.set_ylabel("power")
    ax.set_title("How many would it take?")
    return ax
