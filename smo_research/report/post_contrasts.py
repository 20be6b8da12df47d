"""What goes with more reactions to a post? Raw contrasts beside those with all else held (H1)."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from smo_research.evidence.few import FEW
from smo_research.report.intervals import BOUNDS, Line, draw
from smo_research.report.rows import require
from smo_research.report.style import NEUTRAL, TWEAK, look
from smo_research.report.words import count, text, wrap

_NEEDED = [
    *["dataset", "model", "term", "estimate", "ci_low", "ci_high", "unit", "reason"],
    *["n_accounts", "clusters"],
]
_TITLE_WIDTH = 76
_INCHES_A_LINE = 0.27


@look()
def raw_and_held(
    table: pd.DataFrame, *, ax: Axes | None = None, bounds: tuple[float, float] = BOUNDS
) -> Axes:
    """Draw each tweak of posts: hollow and grey the raw ratio, filled the one with all else held.

    Parameters
    ----------
    table
        As `post_contrasts` of the evidence gives it, of any data sets.
    ax
        Axes to draw on; new ones by default.
    bounds
        Smallest ratios of interest, shaded.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DataError
        When a column is missing.
    """
    require(table, _NEEDED, "table")
    lines: list[Line] = []
    places: list[tuple[int, float]] = []
    for dataset, rows in table.groupby("dataset", sort=False):
        lines.append(Line(f"{dataset} ({_size(rows)})", header=True))
        raw = rows[rows["model"] == "nothing held"].set_index("term")["estimate"]
        for row in rows[rows["model"] != "nothing held"].to_dict("records"):
            if row["term"] in raw.index:
                places.append((len(lines), float(raw[row["term"]])))
            lines.append(_line(row))
    if ax is None:
        inches = _INCHES_A_LINE * max(sum(line.height for line in lines), 2)
        figure, ax = plt.subplots(figsize=(9.2, inches + 1.9))
        below, above = 0.95 / (inches + 1.9), 0.85 / (inches + 1.9)
        figure.subplots_adjust(left=0.22, right=0.72, bottom=below, top=1 - above)
    draw(ax, lines, bounds)
    tops = [sum(line.height for line in lines[:place]) for place in range(len(lines))]
    low, high = ax.get_xlim()
    for place, estimate in places:
        middle = tops[place] + lines[place].height / 2
        at = min(max(math.exp(estimate), low), high)
        ax.plot(at, middle, "o", mfc="white", mec=NEUTRAL, mew=1.3, ms=6, zorder=1.8)
    ax.set_xlabel(ax.get_xlabel() + "\nhollow: the raw ratio, nothing held")
    ax.set_title(wrap(_finding(table), _TITLE_WIDTH), x=-0.42, fontsize=11)
    return ax


def _size(rows: pd.DataFrame) -> str:
    """Accounts, and a warning where the intervals rest on few clusters."""
    held = rows.loc[rows["model"] == "posts", "n_accounts"]
    accounts = count(int(held.max()), "account")
    few = rows["clusters"].iloc[0] < FEW
    return f"{accounts}; so few that intervals are too narrow" if few else accounts


def _line(row: dict) -> Line:
    words = text(row["term"]).removeprefix("log_").replace("_", " ")
    doubling = text(row["unit"]).endswith("per doubling")
    return Line(
        label=f"{words} (doubling)" if doubling else words,
        estimate=float(row["estimate"]),
        ci_low=float(row["ci_low"]),
        ci_high=float(row["ci_high"]),
        unit="ln ratio",
        colour=TWEAK,
        note=f"cannot tell: {text(row['reason'])}",
    )


def _finding(table: pd.DataFrame) -> str:
    held = table[(table["model"] == "posts") & table["estimate"].notna()]
    raw = table[table["model"] == "nothing held"].set_index(["dataset", "term"])["estimate"]
    if held.empty:
        return "These posts cannot tell: there is no estimate to show"
    more, less = int((held["ci_low"] > 0).sum()), int((held["ci_high"] < 0).sum())
    before = raw.reindex(pd.MultiIndex.from_frame(held[["dataset", "term"]])).to_numpy()
    closer = int((held["estimate"].abs().to_numpy() < abs(before)).sum())
    return (
        f"Of {count(len(held), 'tweak')}, {more} go with more engagement and {less} with less; "
        f"{closer} are nearer to no effect than the raw ratio says"
    )
