"""Does posting more help where nobody is answered, and where people are? (H6)."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, PercentFormatter

from smo_research.errors import DataError
from smo_research.report.intervals import BOUNDS
from smo_research.report.rows import require
from smo_research.report.style import BAND, CONVERSATION, INK, QUIET, look
from smo_research.report.words import MINUS, is_ratio, wrap

_NEEDED = [
    *["hypothesis", "dataset", "model", "block", "term"],
    *["estimate", "ci_low", "ci_high", "unit"],
]
_AT = "at share "
_TITLE_WIDTH = 62


@look()
def marginal_effects(
    table: pd.DataFrame, *, ax: Axes | None = None, bounds: tuple[float, float] = BOUNDS
) -> Axes:
    """Draw the effect of a doubling of post volume over the share of people answered.

    Parameters
    ----------
    table
        A tidy evidence table with H6 of one data set: rows whose block is "at share ...", and
        the interaction, volume_times_replies. Other hypotheses are left out.
    ax
        Axes to draw on; new ones by default.
    bounds
        Smallest ratios of interest, shaded for counts; growth of followers has bounds of its own.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DataError
        When a column is missing, or there are not two shares of one data set.
    """
    require(table, _NEEDED, "table")
    rows = table[(table["hypothesis"] == "H6") & table["estimate"].notna()]
    curve = rows[rows["block"].str.startswith(_AT)]
    if curve["block"].nunique() < 2 or rows["dataset"].nunique() != 1:
        raise DataError(
            'table must hold H6 of one data set at two or more shares (block "at share ..."), but '
            f"holds {curve['block'].nunique()} of {rows['dataset'].nunique()}."
        )
    curve = curve.assign(share=curve["block"].str.removeprefix(_AT).astype(float))
    curve = curve.sort_values("share")
    if ax is None:
        figure, ax = plt.subplots(figsize=(8.4, 4.8))
        figure.subplots_adjust(left=0.15, right=0.81, bottom=0.13, top=0.82)
    counted = is_ratio(curve["unit"].iloc[0])
    change = {name: np.expm1(curve[name]) for name in ("estimate", "ci_low", "ci_high")}
    if counted:
        ax.axhspan(bounds[0] - 1, bounds[1] - 1, color=BAND, lw=0, zorder=0)
    ax.axhline(0, color=INK, lw=0.8, zorder=1)
    ax.fill_between(
        curve["share"], change["ci_low"], change["ci_high"], color=CONVERSATION, alpha=0.18, lw=0
    )
    ax.plot(curve["share"], change["estimate"], "o-", color=CONVERSATION, lw=2.2, markersize=5)
    if counted:
        ax.annotate(
            "too small to matter", (0, bounds[0] - 1), (4, 4), textcoords="offset points",
            color=QUIET, size=9,
        )  # fmt: skip
    last = change["estimate"].iloc[-1]
    ax.annotate(
        f"{_signed(last)} where\nall are answered", (1, last), (8, 0), textcoords="offset points",
        color=CONVERSATION, weight="bold", size=9.5, va="center", annotation_clip=False,
    )  # fmt: skip
    first, falls = change["estimate"].iloc[0], last < change["estimate"].iloc[0]
    ax.margins(y=0.16)
    ax.annotate(
        f"{_signed(first)} where nobody is", (0, change["ci_high" if falls else "ci_low"].iloc[0]),
        (6, 5 if falls else -5), textcoords="offset points",
        color=CONVERSATION, weight="bold", size=9.5, va="bottom" if falls else "top",
    )  # fmt: skip
    what = "lasting newcomers" if counted else "lasting followers"
    ax.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _signed(value)))
    ax.set(
        xlim=(0, 1),
        xlabel="share of people who were answered",
        ylabel=f"change in {what} with twice\nthe posts, 95 % interval",
    )
    ax.set_title(wrap(_finding(rows, curve.iloc[0], what), _TITLE_WIDTH))
    return ax


def _signed(share: float) -> str:
    """A change in percent, with its sign and as many decimals as tell it from none."""
    places = 0 if abs(share) >= 0.0995 or share == 0 else 1 if abs(share) >= 0.00995 else 2
    return f"{100 * share:+.{places}f} %".replace("-", MINUS).replace("+0 %", "0 %")


def _side(row: pd.Series) -> int:
    return int(row["ci_low"] > 0) - int(row["ci_high"] < 0)


def _finding(rows: pd.DataFrame, silent: pd.Series, what: str) -> str:
    """Say what posting more predicts where nobody is answered, and what answering changes."""
    together = rows[rows["term"] == "volume_times_replies"]
    alone = {1: "more", -1: "fewer", 0: "no clear change in"}[_side(silent)]
    beside = {
        1: ", and more the more people are answered",
        -1: ", and less the more people are answered",
        0: ", and no clear difference where people are",
    }
    said = beside[_side(together.iloc[0])] if len(together) else ""
    return (
        f"{silent['dataset']}: posting twice as much predicts {alone} {what} where nobody is "
        f"answered{said}"
    )
