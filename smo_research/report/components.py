"""How a network grows together: the share of accounts in its largest pieces, over time."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import PercentFormatter

from smo_research.report.rows import require
from smo_research.report.style import CONVERSATION, NEUTRAL, look
from smo_research.report.words import wrap

_LINES = {
    "weak": (NEUTRAL, "joined by messages\nin either direction"),
    "strong": (CONVERSATION, "reach each other along\nmessages and back"),
}
_ROOM = 0.16


@look()
def giant_component(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share of accounts in the largest component as the log runs.

    Parameters
    ----------
    table
        As `components_over_time` gives it: at (UTC), accounts, weak and strong (0 to 1).
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
    require(table, ["at", "accounts", "weak", "strong"], "table")
    if ax is None:
        ax = plt.subplots(figsize=(7.2, 3.4))[1]
    last = table.iloc[-1]
    heights = {name: float(last[name]) for name in _LINES}
    if abs(heights["weak"] - heights["strong"]) < _ROOM:
        heights["strong"] = heights["weak"] - _ROOM
    for name, (colour, words) in _LINES.items():
        ax.plot(table["at"], table[name], color=colour, lw=2.2)
        ax.annotate(f"{_accounts(last, name)} {words}", (last["at"], heights[name]), (6, 0),
                    textcoords="offset points", va="center", color=colour, size=9.5,
                    weight="bold", annotation_clip=False)  # fmt: skip
    locator = AutoDateLocator(maxticks=8)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    ax.set(ylim=(0, 1.03), xlim=(table["at"].min(), last["at"]))
    ax.set_ylabel("accounts seen so far that are\nin the largest component")
    title = f"In the end {_accounts(last, 'weak')} of {last['accounts']:,} accounts are one piece"
    ax.set_title(wrap(title, 66), fontsize=11)
    return ax


def _accounts(row: pd.Series, name: str) -> str:
    return f"{round(row[name] * row['accounts']):,}"
