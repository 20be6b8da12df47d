"""What lasting means: the share of newcomers who are back, by day, under each gap."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from smo_research.errors import DataError
from smo_research.report.rows import require
from smo_research.report.style import CONVERSATION, NEUTRAL, look
from smo_research.report.words import count, percent, wrap

_NEEDED = ["dataset", "gap", "days", "back", "ci_low", "ci_high", "n_newcomers"]
_LABEL_GAP = 0.075


@look()
def retention(table: pd.DataFrame, *, gap: int | None = None, ax: Axes | None = None) -> Axes:
    """Draw the share of newcomers who are back, a line a gap.

    Parameters
    ----------
    table
        As `retention_table` gives it, of one data set.
    gap
        The one that is drawn in colour; by default the shortest.
    ax
        Axes to draw on; new ones by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DataError
        When a column is missing, there is no row or more than one data set, or no such gap.
    """
    require(table, _NEEDED, "table")
    names = table["dataset"].unique()
    if len(names) != 1:
        raise DataError(f"table must hold one data set, but holds {', '.join(names) or 'none'}.")
    gaps = sorted(table["gap"].unique())
    gap = gaps[0] if gap is None else gap
    if gap not in gaps:
        raise DataError(f"gap must be one of {', '.join(map(str, gaps))}, but is {gap!r}.")
    if ax is None:
        ax = plt.subplots(figsize=(7.2, 4.0))[1]
    ends = {}
    for each, rows in table.groupby("gap"):
        rows = rows.sort_values("days")
        colour, width = (CONVERSATION, 2.4) if each == gap else (NEUTRAL, 1.5)
        ax.fill_between(rows["days"], rows["ci_low"], rows["ci_high"], color=colour, alpha=0.16,
                        lw=0, step="post")  # fmt: skip
        ax.step(rows["days"], rows["back"], where="post", color=colour, lw=width)
        ends[each] = rows.iloc[-1]
    horizon = int(table["days"].max())
    highest = float(table["ci_high"].max()) or 1.0
    ax.set(xlim=(0, horizon), ylim=(0, 1.06 * highest))
    _label_ends(ax, ends, gap)
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    ax.set(xlabel="days since their first act toward the account", ylabel="newcomers who are back")
    last = ends[gap]
    ax.set_title(
        wrap(
            f"{names[0]}: {percent(last['back'])} of {count(int(last['n_newcomers']), 'newcomer')} "
            f"act again between days {gap} and {horizon}",
            72,
        ),
        fontsize=11,
    )
    return ax


def _label_ends(ax: Axes, ends: dict, gap: int) -> None:
    """Name the lines at their ends, from the lowest up, each clear of the one below."""
    room = _LABEL_GAP * ax.get_ylim()[1]
    below = -room
    for each, row in sorted(ends.items(), key=lambda pair: pair[1]["back"]):
        height = max(float(row["back"]), below + room)
        below = height
        days = "a day" if each == 1 else f"{each} days"
        ax.annotate(
            f"{percent(row['back'])} after {days} or more", (row["days"], height), (6, 0),
            textcoords="offset points", va="center", size=9.5, annotation_clip=False,
            color=CONVERSATION if each == gap else NEUTRAL, weight="bold",
        )  # fmt: skip
