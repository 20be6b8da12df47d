"""Does being answered bring people back? What decides, beside what misleads (H5)."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from smo_research.errors import DataError
from smo_research.report.intervals import BOUNDS, Line, draw
from smo_research.report.rows import require
from smo_research.report.style import CONVERSATION, NEUTRAL, look
from smo_research.report.words import text, wrap

_NEEDED = [
    *["hypothesis", "dataset", "model", "block", "term"],
    *["estimate", "ci_low", "ci_high", "unit", "reason"],
]
_TITLE_WIDTH = 74
_COLUMNS = 2
_INCHES_A_LINE = 0.27
_NAIVE = ("naive: ever answered", "naive: answered before returning")
# Header of a group: its models and blocks, colour, filled.
_GROUPS: dict[str, tuple[list[tuple[str, str | None]], str, bool]] = {
    "Misleading: codings that look ahead": ([(name, None) for name in _NAIVE], NEUTRAL, False),
    "What decides: answered by the landmark": ([("landmark", "total")], CONVERSATION, True),
    "What should show nothing": ([("negative control", "total")], NEUTRAL, True),
    "Time since the answer (hazard of the next act)": (
        [("time-varying Cox", "since the answer")],
        CONVERSATION,
        False,
    ),
    "By how soon the answer came": ([("landmark", "by delay")], CONVERSATION, True),
}
_LABELS = {
    _NAIVE[0]: "ever answered",
    _NAIVE[1]: "answered before returning",
    "landmark": "back weeks later",
    "negative control": "acting toward others weeks later",
    "answered_28_days_on": "after day 28",
    "answer_delay": "each doubling of the wait",
}


@look()
def return_models(
    evidence: pd.DataFrame, *, ax: Axes | None = None, bounds: tuple[float, float] = BOUNDS
) -> Axes:
    """Draw every coding of "answered" side by side, as ratios against not answered.

    Parameters
    ----------
    evidence
        A tidy evidence table with H5 as `return_models` of the evidence gives it; other
        hypotheses are left out.
    ax
        Axes to draw one data set on; new ones by default, a panel a data set.
    bounds
        Smallest ratios of interest, shaded.

    Returns
    -------
    matplotlib.axes.Axes
        Those of the first data set.

    Raises
    ------
    DataError
        When a column is missing, no row is H5's, or several data sets are to go on one `ax`.
    """
    require(evidence, _NEEDED, "evidence")
    rows = evidence[evidence["hypothesis"] == "H5"]
    panels = {str(name): _lines(group) for name, group in rows.groupby("dataset", sort=True)}
    if not panels:
        raise DataError("evidence must hold rows of H5, but holds none.")
    if ax is not None and len(panels) > 1:
        raise DataError(
            f"ax takes one data set, but evidence holds {', '.join(panels)}; choose one, or "
            "leave ax out for a panel each."
        )
    places = [ax] if ax is not None else _places(panels)
    for (name, lines), place in zip(panels.items(), places, strict=True):
        draw(place, lines, bounds)
        title = f"{name}: {_finding(rows[rows['dataset'] == name])}"
        place.set_title(wrap(title, _TITLE_WIDTH), x=-0.5, fontsize=11)
    return places[0]


def _lines(rows: pd.DataFrame) -> list[Line]:
    """One line a model and term, under the headers of their groups."""
    found = rows.to_dict("records")
    if not any(text(row["model"]) for row in found):
        return [Line("not tested", note=text(row["reason"])) for row in found]
    lines: list[Line] = []
    for header, (members, colour, filled) in _GROUPS.items():
        mine = [
            _line(row, colour, filled)
            for model, block in members
            for row in found
            if row["model"] == model and block in (None, row["block"])
        ]
        lines += [Line(header, header=True), *mine] if mine else []
    return lines


def _line(row: dict, colour: str, filled: bool) -> Line:
    reason = text(row["reason"]).replace(row["term"], "an answer then")
    return Line(
        label=_label(row),
        estimate=float(row["estimate"]),
        ci_low=float(row["ci_low"]),
        ci_high=float(row["ci_high"]),
        # Ratios of hazards and of risks share the axis.
        unit="ln ratio",
        colour=colour,
        filled=filled,
        note=f"no estimate: {reason}",
    )


def _label(row: dict) -> str:
    """Words for a line: by its model where it has one term, else by the term."""
    model, term = row["model"], row["term"]
    if term == "answered":
        return _LABELS[model]
    if term in _LABELS:
        return _LABELS[term]
    words = term.removeprefix("answered_").split("_")
    if model == "time-varying Cox" and len(words) == 3:
        return "first day" if words[0] == "0" else f"day {words[0]} to {words[1]}"
    return f"{words[0]} to {words[1]} {words[2]}" if words[0].isdigit() else " ".join(words)


def _finding(rows: pd.DataFrame) -> str:
    """What the deciding model says, and what the naive codings would have said."""
    by_model = rows[rows["block"] != "by delay"].drop_duplicates("model").set_index("model")
    if "landmark" not in by_model.index or pd.isna(by_model.loc["landmark", "estimate"]):
        return "cannot tell whether those who are answered come back"
    decides = by_model.loc["landmark"]
    said = f"{math.exp(decides['estimate']):.2f} times"
    if decides["ci_low"] > 0 or decides["ci_high"] < 0:
        found = f"answered first contacts are back weeks later {said} as often as unanswered ones"
    else:
        found = f"whether answered first contacts are back weeks later more often is open ({said})"
    naive = by_model["estimate"].reindex(_NAIVE).dropna()
    if naive.empty:
        return found
    ratios = " and ".join(f"{math.exp(estimate):.2f}" for estimate in naive)
    return f"{found}; careless codings say {ratios}"


def _places(panels: dict[str, list[Line]]) -> list[Axes]:
    """Axes for each data set, with room for the labels left and the numbers right of it."""
    columns = min(_COLUMNS, len(panels))
    down = -(-len(panels) // columns)
    inches = _INCHES_A_LINE * max(sum(line.height for line in part) for part in panels.values())
    height = down * (inches + 1.75)
    figure, grid = plt.subplots(down, columns, figsize=(8.8 * columns, height), squeeze=False)
    figure.subplots_adjust(
        left=0.33 / columns, right=1 - 0.22 / columns, wspace=1.22, hspace=1.75 / inches,
        bottom=0.65 / height, top=1 - 1.0 / height,
    )  # fmt: skip
    for spare in grid.flat[len(panels) :]:
        spare.set_axis_off()
    return list(grid.flat[: len(panels)])
