"""What the tests say of a simulated world, beside what was planted in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from smo_research.errors import DataError
from smo_research.report.intervals import BOUNDS
from smo_research.report.rows import require
from smo_research.report.style import BAND, INK, NEUTRAL, QUIET, colour_of, look
from smo_research.report.words import SHORT_NAMES, VERDICT_WORDS, effect, text, wrap

_NEEDED = ["test", "term", "estimate", "ci_low", "ci_high", "truth", "verdict", "reason"]
_TICKS = (0.05, 0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3, 5, 10, 20)
_FEWEST_TICKS_APART = 0.085
_ROOM = math.log(1.25)
_TITLE_WIDTH = 84
_INCHES_A_LINE = 0.27
_SECOND = 136
_LINE, _HEADER = 1.0, 1.35
_CHECKS = ("control", "placebo", "lead", "naive")
_LABELS = {
    "H5 control": "acting toward others (a check)",
    "H5 naive: ever answered": "careless: ever answered",
    "H5 naive: answered before returning": "careless: answered before being back",
    "H3 within": "the same account, other periods",
    "H3 lead": "answering only afterwards (a check)",
    "H3 placebo": "newcomers of long before (a check)",
    "H6 A": "posting more, where nobody is answered",
    "H6 B": "… and how that rises with answering",
}
_TERMS = {
    "has_hashtag": "a hashtag in the post",
    "has_link": "a link in the post",
    "has_media": "a picture in the post",
    "is_automated": "posted by a program",
    "hashtag_rate": "hashtags a post, +0.25",
    "link_rate": "links a post, +0.25",
    "media_share": "share with pictures, +0.25",
    "automated_share": "share automated, +0.25",
    "answering": "share answered, +0.25",
    "past_answering": "share answered before, +0.25",
    "answered": "answered in time",
}


@look()
def truth_plot(
    asked: pd.DataFrame,
    *,
    expected: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    bounds: tuple[float, float] = BOUNDS,
) -> Axes:
    """Draw each estimate with its interval, and a diamond where the planted effect is.

    Parameters
    ----------
    asked
        As `ask` of the simulation gives it, of one world: one row an estimate, in ln ratios;
        rows with a verdict and no estimate give the verdict of their hypothesis.
    expected
        Hypothesis to the verdict that somebody predicted, shown beside the test's.
    ax
        Axes to draw on; new ones by default.
    bounds
        Smallest ratios of interest, shaded.

    Returns
    -------
    matplotlib.axes.Axes
        Hollow: intervals that miss the planted effect. The title counts them.

    Raises
    ------
    DataError
        When a column is missing, or no test gave an estimate.

    Examples
    --------
    >>> row = {"test": "H5", "term": "answered", "estimate": 0.5, "ci_low": 0.4, "ci_high": 0.6}
    >>> asked = pd.DataFrame([row]).assign(truth=0.45, verdict=None, reason=None)
    >>> truth_plot(asked).get_title(loc="left")
    'The interval holds the planted effect'
    """
    require(asked, _NEEDED, "asked")
    drawn = asked.dropna(subset=["estimate"])
    if drawn.empty:
        reasons = "; ".join(asked["reason"].dropna().unique()) or "none was run"
        raise DataError(f"asked must hold an estimate, but holds none: {reasons}.")
    hypothesis = asked["test"].str.split(" ").str[0]
    verdicts = asked["verdict"].set_axis(hypothesis).dropna().to_dict()
    groups = [(name, rows) for name, rows in asked.groupby(hypothesis, sort=False)]
    shown = [(name, _shown(rows)) for name, rows in groups if len(_shown(rows))]
    height = sum(_HEADER + _LINE * len(rows) for _, rows in shown)
    if ax is None:
        inches = _INCHES_A_LINE * height + 1.6
        figure, ax = plt.subplots(figsize=(9.6, inches))
        figure.subplots_adjust(left=0.31, right=0.65, bottom=0.8 / inches, top=1 - 0.65 / inches)
    low, high = _ends(drawn)
    ax.set(xscale="log", xlim=(math.exp(low), math.exp(high)), ylim=(height + 0.2, 0))
    top = 0.0
    for name, rows in shown:
        _header(ax, name, verdicts.get(name), (expected or {}).get(name), top + 0.75)
        span = [top + _HEADER - 0.15, top + _HEADER + _LINE * len(rows) - 0.05]
        ax.fill_betweenx(span, *bounds, color=BAND, lw=0, zorder=0)
        ax.plot([1, 1], span, color="#8a8a8a", lw=1, zorder=1)
        for place, row in enumerate(rows.to_dict("records")):
            _line(ax, row, name, top + _HEADER + _LINE * (place + 0.4))
        top += _HEADER + _LINE * len(rows)
    _axis(ax, low, high)
    ax.set_title(wrap(_finding(drawn), _TITLE_WIDTH), x=-0.9, fontsize=11)
    return ax


def _shown(rows: pd.DataFrame) -> pd.DataFrame:
    """Estimates, and tests that could not be run; not what has only a p-value or a verdict."""
    return rows[rows["estimate"].notna() | rows["reason"].notna()]


def _ends(drawn: pd.DataFrame) -> tuple[float, float]:
    """Ends of the log axis: all there is, with room for it on both sides of no effect."""
    columns = drawn[["estimate", "ci_low", "ci_high", "truth"]]
    low = min(float(columns.min(axis=None)), -_ROOM)
    high = max(float(columns.max(axis=None)), _ROOM)
    return low - 0.05 * (high - low), high + 0.05 * (high - low)


def _missed(row: Mapping[str, float]) -> bool:
    return not row["ci_low"] <= row["truth"] <= row["ci_high"]


def _line(ax: Axes, row: dict, hypothesis: str, y: float) -> None:
    term = text(row["term"])
    label = _LABELS.get(row["test"], _TERMS.get(term, term.replace("_", " ")))
    beside: dict[str, Any] = {"textcoords": "offset points", "va": "center", "size": 9.5}
    if pd.isna(row["estimate"]):
        ax.annotate(f"not tested: {row['reason']}", (0, y), (4, 0),
                    xycoords=("axes fraction", "data"), color=QUIET, **beside)  # fmt: skip
        return
    check = any(word in row["test"] for word in _CHECKS)
    colour = NEUTRAL if check else colour_of(hypothesis)
    middle, low, high, truth = (
        math.exp(row[name]) for name in ("estimate", "ci_low", "ci_high", "truth")
    )
    ax.plot([low, high], [y, y], color=colour, solid_capstyle="butt")
    ax.plot(middle, y, "o", color=colour, mfc="white" if _missed(row) else colour, mew=1.6, ms=6.5)
    ax.plot(truth, y + 0.31, "D", color=INK, ms=5, clip_on=False, zorder=3)
    ax.annotate(label, (0, y), (-8, 0), xycoords=("axes fraction", "data"), ha="right", **beside)
    words = effect(row["estimate"], row["ci_low"], row["ci_high"], "ln ratio")
    ax.annotate(words, (1, y), (10, 0), xycoords=("axes fraction", "data"), **beside)
    planted = f"planted {truth:.2f}" + (", missed" if _missed(row) else "")
    ax.annotate(planted, (1, y), (_SECOND, 0), xycoords=("axes fraction", "data"),
                weight="bold" if _missed(row) else "normal", **beside)  # fmt: skip


def _header(ax: Axes, name: str, verdict: str | None, expected: str | None, y: float) -> None:
    """The claim, and at its right the verdict with what was expected."""
    beside: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"),
        "va": "center",
        "size": 10,
        "weight": "bold",
    }
    ax.annotate(f"{name}  {SHORT_NAMES[name]}", (-0.9, y), **beside)
    said = {10: f"test: {VERDICT_WORDS[verdict]}" if verdict else ""}
    said[_SECOND] = f"you: {VERDICT_WORDS.get(expected, expected)}" if expected else ""
    for points, words in said.items():
        ax.annotate(words, (1, y), (points, 0), textcoords="offset points", **beside)


def _axis(ax: Axes, low: float, high: float) -> None:
    """Ticks that do not touch each other, from 1 outwards."""
    apart = (high - low) * _FEWEST_TICKS_APART
    inside = [tick for tick in _TICKS if low <= math.log(tick) <= high]
    kept = [1.0]
    for side in ([t for t in inside if t > 1], [t for t in inside if t < 1][::-1]):
        last = 1.0
        for tick in side:
            if abs(math.log(tick / last)) >= apart:
                kept.append(tick)
                last = tick
    ax.xaxis.set_major_locator(FixedLocator(kept))
    ax.xaxis.set_major_formatter(FixedFormatter([f"{tick:g}" for tick in kept]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(
        "ratio with 95 % interval, log scale; diamond: planted\nshaded: too small to matter"
    )


def _finding(drawn: pd.DataFrame) -> str:
    missed = int(np.sum([_missed(row) for row in drawn.to_dict("records")]))
    if len(drawn) == 1:
        return f"The interval {'misses' if missed else 'holds'} the planted effect"
    if not missed:
        return f"All {len(drawn)} intervals hold the planted effect"
    miss = "misses" if missed == 1 else "miss"
    return (
        f"{len(drawn) - missed} of {len(drawn)} intervals hold the planted effect, "
        f"{missed} {miss} it"
    )
