"""Are people who were answered back more often? Shares of first contacts over time."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from smo_research.errors import DataError
from smo_research.report.rows import require
from smo_research.report.style import CONVERSATION, NEUTRAL, look
from smo_research.report.words import count, percent, wrap

_NEEDED = ["dataset", "answered", "days", "back", "ci_low", "ci_high", "n_contacts"]
_LABEL_GAP = 0.14
_COLUMNS = 2
_DAYS = "days since the landmark (the end of the time to answer)"


@look()
def return_curve(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share of first contacts who are back, of answered and of unanswered ones.

    Parameters
    ----------
    table
        One data set; one row an arm and day, with columns dataset, answered (bool), days
        (since the landmark), back (share, 0 to 1), ci_low, ci_high, n_contacts.
    ax
        Axes to draw on; new ones by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DataError
        When a column is missing or there is more than one data set.

    Examples
    --------
    >>> import smo_research as smo
    >>> village = smo.scenario("conversation").turned(accounts=60, periods=20, turns=0.3)
    >>> log = smo.simulate(village, seed=1).interactions
    >>> contacts = smo.first_contacts(log, windows=village.windows)
    >>> rows = smo.return_curve_table(contacts, windows=village.windows, dataset="village")
    >>> from matplotlib.figure import Figure
    >>> smo.return_curve(rows, ax=Figure().subplots()).get_ylabel()
    'share who are back'
    """
    require(table, _NEEDED, "table")
    names = table["dataset"].unique()
    if len(names) > 1:
        raise DataError(
            f"table must hold one data set, but holds {', '.join(map(str, names))}; "
            "return_curves draws several."
        )
    if ax is None:
        ax = plt.subplots(figsize=(7.5, 4.4))[1]
    highest = float(table[["back", "ci_high"]].max().max()) if len(table) else 1.0
    ax.set_ylim(0, 1.08 * (highest or 1.0))
    ends = {}
    for answered, arm in table.groupby("answered"):
        arm = arm.sort_values("days")
        colour = CONVERSATION if answered else NEUTRAL
        ax.fill_between(
            arm["days"], arm["ci_low"], arm["ci_high"], step="post", color=colour, alpha=0.18, lw=0
        )
        ax.step(arm["days"], arm["back"], where="post", color=colour, lw=2.2)
        ends[bool(answered)] = arm.iloc[-1]
    _label_ends(ax, ends)
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=_decimals(ax), symbol=" %"))
    ax.set(xlabel=_DAYS, ylabel="share who are back")
    if len(table):
        first = table["days"].min()
        ax.set_xlim(first, table["days"].max())
        ax.set_xlabel(f"{_DAYS};\nto be back counts from day {first:.0f}" if first > 0 else _DAYS)
    name = f"{names[0]}: " if len(names) else ""
    ax.set_title(wrap(name + _finding(ends), 56), fontsize=11)
    return ax


@look()
def return_curves(table: pd.DataFrame) -> Figure:
    """Draw `return_curve` of each data set, side by side.

    Parameters
    ----------
    table
        As for `return_curve`, of one or more data sets.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        When a column is missing or there is no row.
    """
    require(table, _NEEDED, "table")
    if table.empty:
        raise DataError("table has no rows; give return_curves at least one data set.")
    groups = list(table.groupby("dataset", sort=True))
    columns = min(_COLUMNS, len(groups))
    lines = -(-len(groups) // columns)
    height = 4.1 * lines + 0.5
    figure, grid = plt.subplots(lines, columns, figsize=(6 * columns, height), squeeze=False)
    figure.subplots_adjust(
        left=0.4 / columns * 0.3, right=1 - 0.13 / columns * 1.5, wspace=0.52, hspace=0.5,
        bottom=0.5 / height, top=1 - 1.3 / height,
    )  # fmt: skip
    for ax, (_, rows) in zip(grid.flat, groups, strict=False):
        return_curve(rows, ax=ax)
    for ax in grid.flat[len(groups) :]:
        ax.set_axis_off()
    more, less = (sum(_compare(_ends(rows)) == way for _, rows in groups) for way in (1, -1))
    figure.suptitle(
        f"At the end of the window, answered people are back more often in {more} of "
        f"{count(len(groups), 'data set')}, less often in {less}, and too close to tell in "
        f"{len(groups) - more - less}",
        x=0.01, ha="left", weight="bold", size=12, wrap=True,
    )  # fmt: skip
    return figure


def _decimals(ax: Axes) -> int:
    """Decimals that tell one tick of the axis of shares from the next, in percent."""
    ticks = ax.get_yticks()
    step = 100 * float(ticks[1] - ticks[0])
    return next(
        (places for places in range(3) if round(step, places + 4) == round(step, places)), 3
    )


def _ends(table: pd.DataFrame) -> dict[bool, pd.Series]:
    last = table.sort_values("days").groupby("answered").tail(1)
    return {bool(row["answered"]): row for _, row in last.iterrows()}


def _compare(ends: dict[bool, pd.Series]) -> int:
    """1 where the answered are back more often, -1 less often, 0 where intervals overlap."""
    if len(ends) < 2:
        return 0
    answered, not_answered = ends[True], ends[False]
    above = answered["ci_low"] > not_answered["ci_high"]
    return int(above) - int(answered["ci_high"] < not_answered["ci_low"])


def _finding(ends: dict[bool, pd.Series]) -> str:
    if len(ends) < 2:
        return "only one arm has contacts to show, so nothing can be compared"
    words = {
        1: "people who were answered are back more often",
        -1: "people who were answered are back less often",
        0: "answered and unanswered people are too close to tell apart",
    }
    shares = f"{percent(ends[True]['back'])} against {percent(ends[False]['back'])}"
    return f"{words[_compare(ends)]}, {shares}"


def _label_ends(ax: Axes, ends: dict[bool, pd.Series]) -> None:
    """Name the lines at their ends, pushed apart where they would overlap."""
    gap = _LABEL_GAP * ax.get_ylim()[1]
    heights = {arm: float(row["back"]) for arm, row in ends.items()}
    if len(heights) == 2 and abs(heights[True] - heights[False]) < gap:
        upper = heights[True] >= heights[False]
        middle = max(sum(heights.values()) / 2, gap / 2)
        heights = {upper: middle + gap / 2, not upper: middle - gap / 2}
    for arm, row in ends.items():
        name = "answered" if arm else "not answered"
        ax.annotate(
            f"{name}\n{percent(row['back'])} of {int(row['n_contacts']):,}",
            (row["days"], heights[arm]), (6, 0), textcoords="offset points", va="center",
            color=CONVERSATION if arm else NEUTRAL, size=9.5, weight="bold",
            annotation_clip=False,
        )  # fmt: skip
