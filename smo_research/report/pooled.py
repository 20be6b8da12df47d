"""The forest plot of record: each data set's estimate, and what they say taken together."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from smo_research.evidence.synthesis import ALL, MEAN, PREDICTION
from smo_research.evidence.verdicts import MODELS
from smo_research.report.intervals import BOUNDS
from smo_research.report.rows import require
from smo_research.report.style import BAND, INK, QUIET, colour_of, look
from smo_research.report.words import SHORT_NAMES, count, effect, is_ratio, text, wrap

_NEEDED = [
    *["hypothesis", "dataset", "model", "block", "term", "estimate", "ci_low", "ci_high"],
    *["unit", "n_accounts"],
]
_NARROW_INCHES = 6.0
_WIDEST, _NARROWEST = math.log(10), math.log(1.3)
_USUAL = 0.85
_OF_ALL = "mean of all sets"
_COARSE, _FINE = (0.1, 0.2, 0.5, 1, 2, 5, 10), (0.5, 0.67, 0.8, 1, 1.25, 1.5, 2)


@dataclass(frozen=True)
class _Line:
    """One line: a head or note in words, or a set, mean or prediction interval to draw."""

    kind: str
    words: str
    numbers: str = ""
    accounts: str = ""
    span: tuple[float, float, float] = (math.nan, math.nan, math.nan)
    colour: str = INK
    filled: bool = True
    ratio: bool = False

    @property
    def drawn(self) -> bool:
        return self.kind not in ("head", "note")


@dataclass(frozen=True)
class _Layout:
    """Where words go and how large they are; on a narrow figure above the intervals."""

    narrow: bool

    @property
    def size(self) -> float:
        """Of letters, in points."""
        return 7.0 if self.narrow else 9.5

    @property
    def inches(self) -> float:
        """Height of a line."""
        return 0.145 if self.narrow else 0.27

    def words(self, line: _Line) -> str:
        if not self.narrow:
            return wrap(line.words, 34 if line.drawn else 96)
        numbers = ", ".join(filter(None, [line.numbers, line.accounts]))
        return wrap(
            "  ".join(filter(None, [line.words, numbers])), 54 if line.kind == "head" else 64
        )

    def height(self, line: _Line) -> float:
        rows = self.words(line).count("\n") + 1
        if line.kind == "head":
            return 0.6 + 0.85 * rows
        return 0.25 + 0.75 * rows + (1.0 if self.narrow and line.drawn else 0.0)


@look()
def pooled_forest(
    evidence: pd.DataFrame,
    pooled: pd.DataFrame,
    *,
    exploratory: Collection[str] = (),
    ax: Axes | None = None,
    width: float = 9.4,
    bounds: tuple[float, float] = BOUNDS,
) -> Axes:
    """Draw each effect that two or more data sets measure, set by set and taken together.

    Parameters
    ----------
    evidence
        A tidy evidence table (design, section 7); what decides is drawn, ratios as exp(estimate).
    pooled
        The tables of `smo_research.evidence.synthesis.pool`, one below the other.
    exploratory
        Names of the data sets that were looked at before the hypotheses were written down; their
        markers are hollow.
    ax
        Axes to draw on; new ones by default. On a figure under 6 inches wide the words stand above
        the intervals, else beside them.
    width
        Of the new figure, in inches.
    bounds
        Smallest ratios of interest; the band between them is shaded.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DataError
        When a column is missing.
    """
    require(evidence, _NEEDED, "evidence")
    require(pooled, [*_NEEDED, "reason"], "pooled")
    in_logs = evidence["unit"].astype(str).str.startswith("ln")
    decides = evidence["model"].isin(MODELS) & (evidence["block"] == "total") & in_logs
    same = ["hypothesis", "term", "unit"]
    together = dict(list(pooled.groupby(same)))
    lines: list[_Line] = []
    alone = 0
    for key, sets in evidence[decides & evidence["estimate"].notna()].groupby(same):
        if len(sets) > 1 and key in together:
            lines += _block(sets.sort_values("dataset"), together[key], exploratory)
        else:
            alone += 1
    if alone and lines:
        said = "more effect is" if alone == 1 else "more effects are"
        lines.append(_Line("note", f"{alone} {said} measured in one data set only"))
    if ax is None:
        ax = _room_for(lines, width)
    figure = ax.get_figure(root=True)
    layout = _Layout(figure is not None and figure.get_figwidth() < _NARROW_INCHES)
    size, letters = (8.5, 46) if layout.narrow else (12.0, 68)
    ax.set_title(wrap(_title(lines), letters), size=size, pad=8)
    if lines:
        _draw(ax, lines, bounds, layout)
    else:
        ax.set_axis_off()
    return ax


def _block(sets: pd.DataFrame, together: pd.DataFrame, exploratory: Collection[str]) -> list[_Line]:
    """Head, data sets, means or why there is none."""
    first = sets.iloc[0]
    hypothesis, unit = str(first["hypothesis"]), str(first["unit"])
    about: dict[str, Any] = {"colour": colour_of(hypothesis), "ratio": is_ratio(unit)}
    term = text(first["term"]).removeprefix("log_").replace("_", " ")
    contrast = unit.replace("ln ratio", "ratio")
    contrast = contrast if contrast.endswith(term) else f"{term}, {contrast}"
    lines = [_Line("head", f"{hypothesis}  {SHORT_NAMES.get(hypothesis, '')}: {contrast}")]
    for row in sets.to_dict("records"):
        explored = row["dataset"] in exploratory
        name = f"{row['dataset']} (exploratory)" if explored else row["dataset"]
        accounts = count(int(row["n_accounts"]), "account")
        span, numbers = _span(row, unit)
        lines.append(_Line("set", name, numbers, accounts, span, filled=not explored, **about))
    untold = True
    for row in together.to_dict("records"):
        everything, reason = row["block"] == ALL, text(row["reason"])
        span, numbers = _span(row, unit)
        if reason:
            # With too few sets in all, that there are too few without some goes without saying.
            if everything or not untold:
                lines.append(_Line("note", reason if everything else f"{row['block']}, {reason}"))
        elif row["model"] == MEAN:
            untold = False
            name = _OF_ALL if everything else f"mean {row['block']}"
            lines.append(_Line("mean", name, numbers, span=span, **about))
        elif row["model"] == PREDICTION:
            lines.append(_Line("prediction", "one more set", numbers, span=span, **about))
    return lines


def _span(row: dict, unit: str) -> tuple[tuple[float, float, float], str]:
    """Estimate and interval, as numbers and in words."""
    estimate, low, high = (float(row[name]) for name in ("estimate", "ci_low", "ci_high"))
    if math.isnan(estimate) and not math.isnan(low):
        ends = (math.exp(low), math.exp(high)) if is_ratio(unit) else (low, high)
        return (estimate, low, high), f"{ends[0]:.2f} to {ends[1]:.2f}"
    return (estimate, low, high), effect(estimate, low, high, "ln ratio" if is_ratio(unit) else "")


def _title(lines: list[_Line]) -> str:
    effects = sum(line.kind == "head" for line in lines)
    if not effects:
        return "No effect is measured in more than one data set, so there is nothing to pool"
    means = [line for line in lines if (line.kind, line.words) == ("mean", _OF_ALL)]
    off = sum(line.span[1] > 0 or line.span[2] < 0 for line in means)
    said = f"Of {count(effects, 'effect')} measured in two or more data sets, "
    if not means:
        return f"{said}none is in enough for a mean"
    are, differ = ("is" if len(means) == 1 else "are"), ("differs" if off < 2 else "differ")
    found = count(off, "mean") if off else "no mean"
    return f"{said}{len(means)} {are} in enough for a mean, and {found} {differ} from no effect"


def _room_for(lines: list[_Line], width: float) -> Axes:
    """Axes with room for the words."""
    layout = _Layout(width < _NARROW_INCHES)
    inches = layout.inches * max(sum(layout.height(line) for line in lines), 2)
    above, below = (0.75, 0.85) if layout.narrow else (0.8, 1.1)
    tall = inches + above + below
    figure, ax = plt.subplots(figsize=(width, tall))
    left, right = (0.04, 0.96) if layout.narrow else (0.26, 0.69)
    figure.subplots_adjust(left=left, right=right, bottom=below / tall, top=1 - above / tall)
    return ax


def _draw(ax: Axes, lines: list[_Line], bounds: tuple[float, float], layout: _Layout) -> None:
    """Draw the lines from the top down on a log axis."""
    limit = _reach([line for line in lines if line.drawn])
    top = 0.0
    for line in lines:
        height = layout.height(line)
        if line.drawn:
            strip = (top + height - 1, 1.0) if layout.narrow else (top, height)
            if line.ratio:
                _band(ax, top, height, bounds)
            ax.plot([1, 1], [strip[0], sum(strip)], color="#8a8a8a", linewidth=1, zorder=1.5)
            _interval(ax, line, strip[0] + strip[1] / 2, limit)
        _words(ax, line, top, height, layout)
        top += height
    ax.set(ylim=(top + 0.2, 0), yticks=[], xscale="log")
    ax.set_xlim(math.exp(-limit), math.exp(limit))
    marks = _COARSE if limit > math.log(2.5) else _FINE
    ticks = [mark for mark in marks if abs(math.log(mark)) <= limit]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_major_formatter(FixedFormatter([f"{tick:g}" for tick in ticks]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.tick_params(labelsize=layout.size)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("\n".join(_key(lines, bounds)), size=layout.size, loc="left")


def _key(lines: list[_Line], bounds: tuple[float, float]) -> list[str]:
    """What the signs mean, for the signs that are there."""
    low, high = bounds
    said = [
        "ratio with 95 % interval, log scale; 1 = no effect",
        f"shaded: too small to matter ({low:.2f} to {high:.2f})",
    ]
    if any(line.drawn and not line.ratio for line in lines):
        said.append("not shaded: differences of logarithms, at the ratios they amount to")
    kinds = {line.kind for line in lines}
    if any(line.kind == "set" and not line.filled for line in lines):
        said.append("hollow: looked at before the hypotheses were written down")
    if "mean" in kinds:
        said.append("diamond: mean over data sets, as wide as its interval")
    if "prediction" in kinds:
        said.append("thin: where the effect in one more data set would lie")
    return said


def _reach(lines: list[_Line]) -> float:
    """Half the width of the axis: all points and most intervals; the others get arrows."""
    points = [abs(line.span[0]) for line in lines if math.isfinite(line.span[0])]
    ends = sorted(max(abs(end) for end in line.span[1:]) for line in lines)
    usual = ends[int(_USUAL * (len(ends) - 1))]
    usual = ends[-1] if ends[-1] < 2 * usual else usual
    return min(max(1.1 * max([usual, *points]), _NARROWEST), _WIDEST)


def _band(ax: Axes, top: float, height: float, bounds: tuple[float, float]) -> None:
    low, high = bounds
    band = Rectangle((low, top), high - low, height, facecolor=BAND, linewidth=0)
    band.set_antialiased(False)
    ax.add_patch(band)


def _interval(ax: Axes, line: _Line, middle: float, limit: float) -> None:
    """Point and interval, diamond, or thin line; an arrow where an end lies beyond the axis."""
    at, low, high = (math.exp(min(max(value, -limit), limit)) for value in line.span)
    if line.kind == "mean":
        corners = [(low, middle), (at, middle - 0.33), (high, middle), (at, middle + 0.33)]
        ax.add_patch(Polygon(corners, facecolor=line.colour, edgecolor=line.colour, zorder=3))
    else:
        thin = line.kind == "prediction"
        ax.plot([low, high], [middle] * 2, color=line.colour, linewidth=0.9 if thin else 1.8)
    if line.kind == "set":
        face = line.colour if line.filled else "white"
        ax.plot(at, middle, "o", color=line.colour, mfc=face, mew=1.4, markersize=6, zorder=3)
    for end, value, arrow in ((low, line.span[1], "<"), (high, line.span[2], ">")):
        if abs(value) > limit:
            ax.plot(end, middle, arrow, color=line.colour, markersize=5, clip_on=False)


def _words(ax: Axes, line: _Line, top: float, height: float, layout: _Layout) -> None:
    """Words and numbers of a line: beside the interval, on a narrow figure above it."""
    look_of = {"size": layout.size, "color": QUIET if line.kind == "note" else INK}
    if line.kind == "head":
        look_of |= {"weight": "bold", "size": layout.size + 0.5}
    said = layout.words(line)
    if layout.narrow:
        start = 0.6 if line.kind == "head" else 0.15
        _beside(ax, said, 0, top + start, 0, va="top", **look_of)
        return
    middle = top + (height / 2 if line.kind != "head" else height - 0.6)
    if not line.drawn:
        _beside(ax, said, 0, middle, -170 if line.kind == "head" else 4, **look_of)
        return
    _beside(ax, said, 0, middle, -8, ha="right", **look_of)
    _beside(ax, line.numbers, 1, middle, 8, **look_of)
    _beside(ax, line.accounts, 1, middle, 118, **look_of | {"color": QUIET})


def _beside(ax: Axes, words: str, edge: int, middle: float, points: float, **look_of: Any) -> None:
    """Write some points off the left (0) or right (1) edge of the axes."""
    ax.annotate(
        words,
        (edge, middle),
        (points, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        **{"va": "center", **look_of},
    )
