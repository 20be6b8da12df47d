"""Is it more than chance? What was observed, beside the range of random graphs."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from smo_research.errors import DataError
from smo_research.report.rows import require
from smo_research.report.style import CONVERSATION, INK, QUIET, look
from smo_research.report.words import listing, wrap

_NEEDED = ["dataset", "model", "term", "estimate", "ci_low", "ci_high"]
_LEAST_WIDTH = 0.004
_TITLE_WIDTH = 68


@look()
def against_null(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw each measure of a graph beside its range in random graphs, one line each.

    Parameters
    ----------
    table
        That of `against_rewired` or of `communities_against_rewired`, or several of them
        together: rows with model "observed" and "rewired", of measures between 0 and 1.
    ax
        Axes to draw on; new ones by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DataError
        When a column is missing, or a measure lacks one of the two rows.
    """
    require(table, _NEEDED, "table")
    rows = table[table["model"].isin(["observed", "rewired"])]
    keys = list(dict.fromkeys(zip(rows["dataset"], rows["term"], strict=True)))
    by_line = rows.set_index(["dataset", "term", "model"])[["estimate", "ci_low", "ci_high"]]
    lacking = [key for key in keys for model in ("observed", "rewired")
               if (*key, model) not in by_line.index]  # fmt: skip
    if lacking or not keys:
        raise DataError(
            "table must have a row observed and a row rewired for each measure, but lacks one of "
            f"{lacking[0] if lacking else 'any'}."
        )
    if ax is None:
        ax = plt.subplots(figsize=(7.6, 0.62 * len(keys) + 1.5))[1]
    several = rows["dataset"].nunique() > 1
    sides: dict[str, list[str]] = {"more": [], "less": []}
    reach = 0.0
    for place, (dataset, term) in enumerate(keys):
        seen = float(by_line.loc[(dataset, term, "observed"), "estimate"])
        low, high = by_line.loc[(dataset, term, "rewired"), ["ci_low", "ci_high"]].astype(float)
        thin = max(_LEAST_WIDTH - (high - low), 0) / 2
        ax.plot([low - thin, high + thin], [place, place], color="#9a9a9a", lw=9,
                solid_capstyle="butt", zorder=2)  # fmt: skip
        ax.plot(seen, place, "o", color=CONVERSATION, ms=9, zorder=3)
        ax.annotate(f"{seen:.2f}", (seen, place), (0, 8), textcoords="offset points", ha="center",
                    color=CONVERSATION, weight="bold", size=9.5)  # fmt: skip
        ax.annotate(f"{(low + high) / 2:.2f}", ((low + high) / 2, place), (0, -9), size=9,
                    textcoords="offset points", ha="center", va="top", color=QUIET)  # fmt: skip
        if not low <= seen <= high:
            sides["more" if seen > high else "less"].append(term)
        reach = max(reach, seen, high)
    names = [f"{dataset}:\n{term}" if several else wrap(term, 18) for dataset, term in keys]
    ax.set_yticks(range(len(keys)), names)
    ax.set(ylim=(len(keys) - 0.4, -0.75), xlim=(-0.05 * reach, min(1.2 * reach, 1.03)))
    ax.set_xlabel("dot: observed; grey: 95 % of random graphs, with their middle", color=INK)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color="#ececec", lw=0.8, zorder=0)
    ax.set_axisbelow(True)
    ax.set_title(wrap(_finding(sides), _TITLE_WIDTH), fontsize=11)
    return ax


def _finding(sides: dict[str, list[str]]) -> str:
    """Say which measures differ from chance, and which way."""
    said = [
        f"{way}: {listing(list(dict.fromkeys(terms)))}" for way, terms in sides.items() if terms
    ]
    if not said:
        return "Nothing here differs from what the numbers of contacts alone would give"
    first, *rest = said
    first = first.replace(":", " than the numbers of contacts alone would give:", 1)
    return "; ".join([first[0].upper() + first[1:], *rest])
