"""What does each block add? The contest of conversation and tweaks, block by block (H4)."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from smo_research.errors import DataError
from smo_research.evidence.contributions import CONTRAST
from smo_research.report.rows import require
from smo_research.report.style import INK, colour_of, look
from smo_research.report.words import MINUS, wrap

_NEEDED = ["hypothesis", "dataset", "model", "block", "term", "estimate", "ci_low", "ci_high"]
_NUMBERS = ["estimate", "ci_low", "ci_high"]
_SMALL = 0.01
_TITLE_WIDTH = 70


@look()
def contest_bars(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw what each block of predictors contributes out of sample, negative ones too.

    Parameters
    ----------
    table
        A tidy evidence table with the contest (H4) of one data set, decided or described; other
        hypotheses are left out.
    ax
        Axes to draw on; new ones by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DataError
        When a column is missing, or there is not one contest with an estimate.
    """
    require(table, _NEEDED, "table")
    rows = table[(table["hypothesis"] == "H4") & table["estimate"].notna()]
    contests = rows[["dataset", "model"]].drop_duplicates()
    if len(contests) != 1:
        raise DataError(f"table must hold one contest with estimates, but holds {len(contests)}.")
    bars = rows[rows["block"] == rows["term"]].iloc[::-1]
    if ax is None:
        figure, ax = plt.subplots(figsize=(8.6, 1.9 + 0.5 * len(bars)))
        figure.subplots_adjust(left=0.15, right=0.72, bottom=0.29, top=0.83)
    small = bars[_NUMBERS].abs().max(axis=None) < _SMALL
    unit = "thousandths of a nat per row" if small else "nats per row"
    values = bars[_NUMBERS] * (1000 if small else 1)
    colours = [colour_of("H4", block) for block in bars["block"]]
    ax.barh(bars["block"], values["estimate"], height=0.62, color=colours, alpha=0.85)
    for place, (low, high) in enumerate(zip(values["ci_low"], values["ci_high"], strict=True)):
        ax.plot([low, high], [place, place], color=INK, lw=1.4, solid_capstyle="butt")
    ax.axvline(0, color=INK, lw=0.8)
    places = 2 if small else 3
    for place, numbers in enumerate(values.itertuples(index=False)):
        estimate, low, high = (f"{value:.{places}f}".replace("-", MINUS) for value in numbers)
        ax.annotate(
            f"{estimate} [{low}, {high}]", (1, place), (10, 0),
            xycoords=("axes fraction", "data"), textcoords="offset points", va="center", size=9.5,
        )  # fmt: skip
    for label, colour in zip(ax.get_yticklabels(), colours, strict=True):
        label.set(color=colour, weight="bold")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(
        f"fall in the error of prediction of held-out rows, {unit}, 95 % interval\n"
        "left of 0: held-out rows are predicted worse with it than without"
    )
    ax.set_title(wrap(_finding(rows), _TITLE_WIDTH))
    return ax


def _finding(rows: pd.DataFrame) -> str:
    margin = rows[rows["term"] == CONTRAST].iloc[0]
    said = "conversation and tweaks are too close to tell apart"
    if margin["ci_low"] > 0:
        said = "conversation predicts later growth better than tweaks do"
    if margin["ci_high"] < 0:
        said = "tweaks predict later growth better than conversation does"
    only = " (described only, no verdict)" if margin["model"] == "described" else ""
    return f"{margin['dataset']}: {said}{only}"
