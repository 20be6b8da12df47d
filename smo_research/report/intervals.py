"""Drawing of estimates with their intervals, one line each, with the numbers beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from smo_research.report.style import BAND, INK, QUIET
from smo_research.report.words import effect, is_ratio, wrap

# Smallest ratios of interest; the rule of the verdicts says the same.
BOUNDS = (0.9, 1 / 0.9)
LABEL_WIDTH = 34
NOTE_WIDTH = 94
_WIDEST, _NARROWEST = math.log(10), math.log(1.3)
_USUAL = 0.85
_TICKS = (
    (math.log(1.45), (0.7, 0.8, 0.9, 1, 1.11, 1.25, 1.43)),
    (math.log(2.6), (0.4, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 2.5)),
    (math.log(4.5), (0.25, 0.33, 0.5, 0.67, 1, 1.5, 2, 3, 4)),
    (math.inf, (0.1, 0.2, 0.33, 0.5, 1, 2, 3, 5, 10)),
)
_POINTS_A_CHARACTER = 5.5
_LOGS = ("ln", "log_")


@dataclass(frozen=True)
class Line:
    """One line of the figure: a header, an estimate, or a note where there is no estimate."""

    label: str
    header: bool = False
    estimate: float = math.nan
    ci_low: float = math.nan
    ci_high: float = math.nan
    unit: str = ""
    colour: str = INK
    marker: str = "o"
    filled: bool = True
    verdict: str = ""
    note: str = ""

    @property
    def drawn(self) -> bool:
        """Whether there is an estimate to draw."""
        return math.isfinite(self.estimate)

    @property
    def height(self) -> float:
        """Height in lines of text."""
        if self.header:
            return 1.25
        texts = [wrap(self.label, LABEL_WIDTH), "" if self.drawn else wrap(self.note, NOTE_WIDTH)]
        return 0.35 + 0.65 * max(part.count("\n") + 1 for part in texts)


def draw(ax: Axes, lines: list[Line], bounds: tuple[float, float]) -> None:
    """Draw lines from the top down, ratios on a log axis, with the band of negligible effects.

    Other differences of logarithms share that axis, without the band; estimates in any other
    unit keep a scale of their own, with no effect on the line of no effect. Their numbers stand
    beside them.
    """
    ratios = any(line.drawn and is_ratio(line.unit) for line in lines)
    units = {line.unit for line in lines if line.drawn and not is_ratio(line.unit)}
    reach = _reach([line for line in lines if is_ratio(line.unit)])
    plain = not ratios and len(units) == 1
    # A difference of logarithms has the length of its ratio on a log axis; other units have none.
    scales = {
        unit: 1.0 if plain or unit.startswith(_LOGS) else 0.8 * reach / _largest(lines, unit)
        for unit in units
    }
    limit = 1.15 * _largest(lines, *units) if plain else reach

    tops = [sum(line.height for line in lines[:place]) for place in range(len(lines))]
    ax.set(ylim=(sum(line.height for line in lines) + 0.1, 0), yticks=[])
    ax.spines["left"].set_visible(False)
    _null_line(ax, lines, tops, bounds, ratios)
    margin = 8 + _POINTS_A_CHARACTER * max(
        (len(_numbers(line)) for line in lines if line.drawn), default=0
    )
    for line, top in zip(lines, tops, strict=True):
        middle = top + line.height / 2
        _words(ax, line, middle, margin)
        if line.drawn:
            scale = scales.get(line.unit, 1.0)
            at = [value * scale for value in (line.estimate, line.ci_low, line.ci_high)]
            _interval(ax, line, middle, at, limit, logs=ratios)
    _axis(ax, limit, ratios=ratios, plain=plain, unit=next(iter(units), ""))
    if ratios:
        low, high = bounds
        notes = ["ratio with 95 % interval, log scale; 1 = no effect"]
        notes.append(f"shaded: too small to matter ({low:.2f} to {high:.2f})")
        notes += ["not shaded: another unit (nats on a scale of their own)"] if units else []
        ax.set_xlabel("\n".join(notes))


def _reach(lines: list[Line]) -> float:
    """Half the width of the log axis: all points and most intervals, within reason.

    One very wide interval would squeeze all others to dots; it gets arrows instead.
    """
    points = [abs(line.estimate) for line in lines if line.drawn]
    ends = sorted(
        max(abs(line.ci_low), abs(line.ci_high))
        for line in lines
        if math.isfinite(line.ci_low + line.ci_high)
    )
    usual = ends[int(_USUAL * (len(ends) - 1))] if ends else 0.0
    usual = ends[-1] if ends and ends[-1] < 2 * usual else usual
    return min(max(1.1 * max([usual, *points]), _NARROWEST), _WIDEST)


def _largest(lines: list[Line], *units: str) -> float:
    ends = [
        abs(end)
        for line in lines
        if line.unit in units
        for end in (line.estimate, line.ci_low, line.ci_high)
        if math.isfinite(end)
    ]
    return max(ends, default=0.0) or 1.0


def _null_line(
    ax: Axes, lines: list[Line], tops: list[float], bounds: tuple[float, float], ratios: bool
) -> None:
    """No effect, and the band around it, behind the lines that have an estimate."""

    def kind(pair: tuple[Line, float]) -> tuple[bool, bool]:
        return pair[0].drawn, pair[0].drawn and is_ratio(pair[0].unit)

    none = 1.0 if ratios else 0.0
    for (drawn, banded), run in groupby(zip(lines, tops, strict=True), kind):
        members = list(run)
        start, (last, top) = members[0][1], members[-1]
        end = top + last.height
        if banded:
            corner, width = (bounds[0], start), bounds[1] - bounds[0]
            ax.add_patch(Rectangle(corner, width, end - start, facecolor=BAND, linewidth=0))
        if drawn:
            ax.plot([none, none], [start, end], color="#8a8a8a", linewidth=1, zorder=1.5)


def _numbers(line: Line) -> str:
    unit = line.unit.replace("log_followers_per_day", "ln(1 + followers a day)")
    return effect(line.estimate, line.ci_low, line.ci_high, unit)


def _words(ax: Axes, line: Line, middle: float, margin: float) -> None:
    if line.header:
        _beside(ax, line.label, 0, middle, -2, size=10.5, weight="bold")
        return
    colour = INK if line.drawn else QUIET
    label = wrap(line.label, LABEL_WIDTH)
    _beside(ax, label, 0, middle, -8, size=9.5, color=colour, ha="right")
    if line.drawn:
        _beside(ax, _numbers(line), 1, middle, 8, size=9.5)
        _beside(ax, line.verdict, 1, middle, 8 + margin, size=9.5)
    else:
        _beside(ax, wrap(line.note, NOTE_WIDTH), 0, middle, 4, size=9.5, color=colour)


def _beside(ax: Axes, words: str, edge: int, middle: float, points: float, **look: Any) -> None:
    """Write some points off the left (0) or right (1) edge of the axes."""
    ax.annotate(
        words,
        (edge, middle),
        (points, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        **look,
    )


def _interval(
    ax: Axes, line: Line, middle: float, at: list[float], limit: float, *, logs: bool
) -> None:
    """Point and interval; an arrow where an end lies beyond the axis."""
    place = [min(max(value, -limit), limit) for value in at]
    point, low, high = (math.exp(value) if logs else value for value in place)
    if not math.isnan(low) and not math.isnan(high):
        ax.plot([low, high], [middle, middle], color=line.colour, solid_capstyle="butt")
        for end, value, arrow in ((low, at[1], "<"), (high, at[2], ">")):
            if abs(value) > limit:
                ax.plot(end, middle, arrow, color=line.colour, markersize=6, clip_on=False)
    if abs(at[0]) <= limit:
        face = line.colour if line.filled else "white"
        ax.plot(point, middle, line.marker, color=line.colour, mfc=face, mew=1.6, markersize=7)


def _axis(ax: Axes, limit: float, *, ratios: bool, plain: bool, unit: str) -> None:
    if ratios:
        ax.set(xscale="log", xlim=(math.exp(-limit), math.exp(limit)))
        ticks = next(values for most, values in _TICKS if limit <= most)
        inside = [tick for tick in ticks if abs(math.log(tick)) <= limit]
        ax.xaxis.set_major_locator(FixedLocator(inside))
        ax.xaxis.set_major_formatter(FixedFormatter([f"{tick:g}" for tick in inside]))
        ax.xaxis.set_minor_locator(NullLocator())
        return
    ax.set_xlim(-limit, limit)
    ax.set_xlabel(f"{unit}, with 95 % interval" if plain else "each unit on its own scale")
    if not plain:
        ax.set_xticks([])
