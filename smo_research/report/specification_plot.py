"""Does the answer hang on how the question was asked? Estimates above, choices below."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from smo_research.errors import DataError
from smo_research.evidence.effects import Effect
from smo_research.evidence.hypotheses import rule
from smo_research.evidence.tried import read_choices
from smo_research.report.rows import require
from smo_research.report.style import BAND, INK, QUIET, VERDICT_COLOURS, colour_of, look
from smo_research.report.words import percent, wrap

_NEEDED = [
    *["hypothesis", "dataset", "block", "term"],
    *["estimate", "std_error", "ci_low", "ci_high", "p_value", "n_accounts"],
]
_RATIOS = (0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 0.9, 1, 1.11, 1.25, 1.5, 2, 3, 5, 10)
_OPEN = "#a8a8a8"
_USUAL = 0.98
# Of the height, between two names of ratios.
_ROOM = 0.07
_TITLE_WIDTH = 84


@look()
def specification_curve(table: pd.DataFrame) -> Figure:
    """Draw all specifications of one term in the order of their estimates, and their choices.

    Parameters
    ----------
    table
        That of a `SpecificationCurve`: one row a specification, the deciding one first, `block`
        its choices; estimates in ln ratios.

    Returns
    -------
    matplotlib.figure.Figure
        Above, ratios with 95 % intervals on a log scale, the band of negligible effects shaded
        and the deciding specification marked; below, one line a choice, with the share of its
        specifications that differ from no effect.

    Raises
    ------
    DataError
        When a column is missing, there is more than one data set or hypothesis, or no estimate.
    """
    require(table, _NEEDED, "table")
    for name in ("hypothesis", "dataset"):
        if table[name].nunique() != 1:
            came = ", ".join(map(str, table[name].unique())) or "none"
            raise DataError(f"table must hold one {name}, but holds {came}.")
    rows = table.assign(decides=np.arange(len(table)) == 0).dropna(subset="estimate")
    if rows.empty:
        raise DataError("table has no estimate to draw; its reason column says why.")
    rows = rows.sort_values("estimate", kind="stable", ignore_index=True)
    rows["colour"] = np.where(_differs(rows), _side_colours(rows), _OPEN)
    lines = _lines(table, rows)
    inches = 0.185 * len(lines) + 0.3
    height = 3.4 + inches
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(9.4, height), sharex=True, height_ratios=[2.6, inches]
    )
    figure.subplots_adjust(
        left=0.34, right=0.9, top=1 - 0.75 / height, bottom=0.1 / height, hspace=0.04
    )
    _estimates(above, rows)
    _choices(below, rows, lines)
    above.set_title(wrap(_finding(rows), _TITLE_WIDTH), x=-0.6)
    return figure


def _differs(rows: pd.DataFrame) -> pd.Series:
    return rows["p_value"] < rule().level


def _side_colours(rows: pd.DataFrame) -> np.ndarray:
    own = colour_of(str(rows["hypothesis"].iloc[0]))
    return np.where(rows["estimate"] > 0, own, VERDICT_COLOURS["contradicted"][0])


def _lines(table: pd.DataFrame, rows: pd.DataFrame) -> list[tuple[str, str, np.ndarray]]:
    """One line a choice of which there are several: its name, its value, who chose it."""
    every = pd.DataFrame([read_choices(block) for block in table["block"]])
    chosen = pd.DataFrame([read_choices(block) for block in rows["block"]])
    lines = []
    for name in every:
        values = list(dict.fromkeys(every[name].dropna()))
        if len(values) < 2 and not every[name].isna().any():
            continue
        for place, value in enumerate(sorted(values, key=_by_number)):
            shown = "" if place else name
            lines.append((shown, value, (chosen.get(name) == value).to_numpy()))
    return lines


def _by_number(value: str) -> tuple[float, str]:
    """Lengths by their length, words as they come."""
    first = value.split(" ", 1)[0]
    return (float(first), "") if first.replace(".", "", 1).isdigit() else (math.inf, "")


def _estimates(ax: Axes, rows: pd.DataFrame) -> None:
    at = np.arange(len(rows))
    bound = rule().bound
    ax.axhspan(-bound, bound, color=BAND, lw=0)
    ax.axhline(0, color="#8a8a8a", lw=1, zorder=1.5)
    ax.vlines(at, rows["ci_low"], rows["ci_high"], color=rows["colour"], lw=1, alpha=0.45)
    ax.scatter(at, rows["estimate"], s=7, color=rows["colour"], lw=0, zorder=3)
    decides = rows.index[rows["decides"]]
    for place in decides:
        ax.plot(place, rows["estimate"][place], "D", ms=6, mfc="white", mec=INK, mew=1.4, zorder=4)
        ax.annotate(
            "as it decides", (place, rows["ci_high"][place]), (0, 6), size=9, ha="center",
            textcoords="offset points", annotation_clip=False,
        )  # fmt: skip
    low = min(rows["ci_low"].quantile(1 - _USUAL), rows["estimate"].min(), -bound)
    high = max(rows["ci_high"].quantile(_USUAL), rows["estimate"].max(), bound)
    room = 0.06 * (high - low)
    ax.set(ylim=(low - room, high + 2 * room), xlim=(-1.5, len(rows) + 0.5))
    ticks = _ticks(low, high)
    ax.set_yticks([math.log(ratio) for ratio in ticks], [f"{ratio:g}" for ratio in ticks])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.tick_params(axis="x", length=0, labelbottom=False)
    ax.spines["bottom"].set_visible(False)
    ax.set_ylabel("ratio, with 95 % interval\n(shaded: too small to matter)", color=QUIET)


def _ticks(low: float, high: float) -> list[float]:
    """Ratios to name on the axis: 1, then away from it those with room for their name."""
    ticks = [1.0]
    for ratio in sorted(_RATIOS, key=lambda ratio: abs(math.log(ratio))):
        near = min(abs(math.log(ratio / tick)) for tick in ticks)
        if low <= math.log(ratio) <= high and near > _ROOM * (high - low):
            ticks.append(ratio)
    return ticks


def _choices(ax: Axes, rows: pd.DataFrame, lines: list[tuple[str, str, np.ndarray]]) -> None:
    differs = _differs(rows).to_numpy()
    top = 0.0
    for name, value, chosen in lines:
        top += 1.0 + 0.35 * bool(name)
        at = np.flatnonzero(chosen)
        ax.vlines(at, top - 0.36, top + 0.36, color=rows["colour"][at], lw=1.1)
        share = percent(float(differs[at].mean())) if len(at) else ""
        for words, edge, points, side in (
            (name, 0, -226, "left"), (value, 0, -8, "right"), (share, 1, 6, "left"),
        ):  # fmt: skip
            ax.annotate(
                words, (edge, top), (points, 0), xycoords=("axes fraction", "data"),
                textcoords="offset points", va="center", ha=side, size=9,
                weight="bold" if words is name else "normal",
            )  # fmt: skip
    ax.annotate(
        f"p < {rule().level:g}", (1, 0.35), (6, 0), xycoords=("axes fraction", "data"), size=8.5,
        textcoords="offset points", va="center", color=QUIET,
    )  # fmt: skip
    for place in rows.index[rows["decides"]]:
        ax.axvline(place, color=INK, lw=0.8, zorder=0)
    ax.set(ylim=(top + 0.6, 0), yticks=[])
    ax.tick_params(axis="x", length=0, labelbottom=False)
    ax.spines[["left", "bottom"]].set_visible(False)


def _finding(rows: pd.DataFrame) -> str:
    """Say how many ways of asking find more, how many less, of what."""
    hypothesis, dataset = rows.loc[0, ["hypothesis", "dataset"]]
    differs = _differs(rows)
    counts = {
        "more": int((differs & (rows["estimate"] > 0)).sum()),
        "fewer": int((differs & (rows["estimate"] < 0)).sum()),
    }
    most, least = sorted(counts, key=lambda side: -counts[side])
    decides = rows.loc[rows["decides"], "term"]
    term = str((decides if len(decides) else rows["term"]).iloc[0]).replace("_", " ")
    head, ways = f"{hypothesis} on {dataset}: ", f"of {len(rows)} ways of asking"
    if hypothesis == "H2":
        return (
            f"{head}{_negligible(rows)} {ways} show that what goes with {term} is too small to "
            f"matter; {counts[most]} find {most} lasting newcomers, {counts[least]} {least}"
        )
    if hypothesis == "H5":
        often = {"more": "more often", "fewer": "less often"}
        found, other = f"answered people back {often[most]}", often[least]
    else:
        found, other = f"{most} lasting newcomers with more {term}", least
    return (
        f"{head}{counts[most]} {ways} find {found}, {counts[least]} {other}; "
        f"{len(rows) - sum(counts.values())} cannot tell"
    )


def _negligible(rows: pd.DataFrame) -> int:
    """How many are shown to lie inside the bounds."""
    effects = [Effect(row.estimate, row.std_error, row.n_accounts - 1) for row in rows.itertuples()]
    return sum(effect.p_equivalence(rule().bound) < rule().level for effect in effects)
