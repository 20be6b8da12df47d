"""How far apart were conversation and tweaks, and how far would they have had to be? (H4)."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from smo_research.errors import DataError
from smo_research.evidence.contributions import CONTRAST
from smo_research.report.rows import require
from smo_research.report.style import CONVERSATION, INK, NEUTRAL, QUIET, TWEAK, look
from smo_research.report.words import MINUS, count, wrap

_NEEDED = ["hypothesis", "dataset", "model", "term", "estimate", "ci_low", "ci_high", "n_obs"]
_NUMBERS = ["estimate", "ci_low", "ci_high"]
# A two-sided 5 % test finds this many standard errors in 80 of 100 samples; 3.92 make an interval.
_FOUND = 2.8 / 3.92
_SMALL = 0.01
_TITLE_WIDTH = 78


def detectable_margins(table: pd.DataFrame) -> pd.DataFrame:
    """List each contest's margin with the smallest one that it would have found.

    Parameters
    ----------
    table
        Tidy evidence with contests (H4) of any data sets, decided or described.

    Returns
    -------
    pandas.DataFrame
        One row a contest: dataset, model, estimate (conversation minus tweaks), ci_low, ci_high,
        detectable (the smallest true margin that 80 of 100 such samples would tell from none, by
        the width of the interval; nats a row), n_obs.

    Examples
    --------
    >>> row = {"hypothesis": "H4", "dataset": "d", "model": "contest", "term": CONTRAST,
    ...        "estimate": 0.1, "ci_low": -0.292, "ci_high": 0.5, "n_obs": 60}
    >>> detectable_margins(pd.DataFrame([row]))["detectable"].round(3).tolist()
    [0.566]
    """
    require(table, _NEEDED, "table")
    rows = table[(table["hypothesis"] == "H4") & (table["term"] == CONTRAST)]
    rows = rows.dropna(subset="estimate")
    found = rows.assign(detectable=_FOUND * (rows["ci_high"] - rows["ci_low"]))
    columns = ["dataset", "model", *_NUMBERS, "detectable", "n_obs"]
    return found[columns].reset_index(drop=True)


@look()
def margins(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the margin of conversation over tweaks against what each contest would have found.

    Parameters
    ----------
    table
        As for `detectable_margins`.
    ax
        Axes to draw on; new ones by default.

    Returns
    -------
    matplotlib.axes.Axes
        One line a contest, in its own unit: 1 is the smallest margin that 80 of 100 such samples
        would tell from none. The brackets stand there; the numbers in nats stand at the right.

    Raises
    ------
    DataError
        When a column is missing, or there is no contest with an estimate.
    """
    rows = detectable_margins(table)
    if rows.empty:
        raise DataError("table must hold a contest with an estimate, but holds none.")
    if ax is None:
        height = 2.2 + 0.62 * len(rows)
        figure, ax = plt.subplots(figsize=(9.2, height))
        below, above = 0.8 / height, 1.0 / height
        figure.subplots_adjust(left=0.2, right=0.7, bottom=below, top=1 - above)
    units = rows[_NUMBERS].div(rows["detectable"], axis=0)
    reach = 1.12 * max(1.0, float(units.abs().max(axis=None)))
    ax.axvline(0, color="#8a8a8a", lw=1, zorder=1)
    lines = zip(rows.to_dict("records"), units.itertuples(index=False), strict=True)
    for place, (row, unit) in enumerate(lines):
        ax.plot([unit.ci_low, unit.ci_high], [place, place], color=INK, lw=1.8)
        ax.plot(unit.estimate, place, "o", color=INK, ms=7)
        for at, bracket in ((-1, "]"), (1, "[")):
            ax.annotate(bracket, (at, place), color=NEUTRAL, size=15, ha="center", va="center")
        ax.annotate(
            _numbers(row), (1, place), (10, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", va="center", size=9.5,
        )  # fmt: skip
    ax.set(xlim=(-reach, reach), ylim=(len(rows) - 0.4, -0.75))
    ax.set_xticks([-1, 0, 1], ["1", "0", "1"])
    ax.set_yticks(range(len(rows)), [_name(row) for row in rows.to_dict("records")])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    for words, at, side, colour in (
        ("tweaks predict better", 0, "left", TWEAK),
        ("conversation predicts better", 1, "right", CONVERSATION),
    ):
        ax.annotate(words, (at, 1), (0, -2), xycoords="axes fraction", textcoords="offset points",
                    ha=side, size=9.5, color=colour, weight="bold")  # fmt: skip
    ax.set_xlabel(
        "margin with 95 % interval; each contest in its own unit:\n"
        "at the brackets, 80 of 100 such samples would tell it from none",
        color=QUIET,
    )
    ax.set_title(wrap(_finding(rows), _TITLE_WIDTH), x=-0.4, fontsize=11, pad=20)
    return ax


def _name(row: dict) -> str:
    return row["dataset"] + "\n(described only)" * (row["model"] == "described")


def _numbers(row: dict) -> str:
    values = [row[name] for name in (*_NUMBERS, "detectable")]
    small = max(abs(value) for value in values) < _SMALL
    shown = [f"{value * (1000 if small else 1):.2f}".replace("-", MINUS) for value in values]
    unit = "thousandths of a nat" if small else "nats"
    return f"{shown[0]} [{shown[1]}, {shown[2]}] {unit} a row\nwould find {shown[3]} or more"


def _finding(rows: pd.DataFrame) -> str:
    off = int(np.sign(rows["ci_low"]).eq(np.sign(rows["ci_high"])).sum())
    return (
        f"Of {count(len(rows), 'contest')} {off or 'none'} {'tell' if off > 1 else 'tells'} "
        "conversation from tweaks; only margins beyond the brackets would mostly be found"
    )
