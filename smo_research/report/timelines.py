"""When was a first contact answered, and when was it back? A line each, and how it is coded."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from smo_research.errors import DataError
from smo_research.report.rows import require
from smo_research.report.style import BAND, CONVERSATION, INK, NEUTRAL, QUIET, look
from smo_research.report.words import wrap

_NEEDED = ["answer_days", "back_days"]
_LINES = 16
_TITLE_WIDTH = 74


@look()
def timelines(
    times: pd.DataFrame,
    *,
    landmark: float,
    horizon: float,
    lines: int = _LINES,
    seed: int = 1,
    ax: Axes | None = None,
) -> Axes:
    """Draw some first contacts from their first act on, and the time in which they cannot be back.

    Blue is "answered before being back", the coding that misleads: until its answer such a
    contact cannot have been back, or it would be grey. That stretch is drawn thick.

    Parameters
    ----------
    times
        One row a contact, in days since its first act, missing where it never happened:
        answer_days and back_days.
    landmark, horizon
        Days; the first is marked, lines end at the second.
    lines
        How many contacts to draw, half of them blue; those who were neither answered nor back
        are left out.
    seed
        Of the choice.
    ax
        Axes to draw on; new ones by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DataError
        When a column is missing, or nobody is answered or back within the horizon.
    """
    require(times, _NEEDED, "times")
    answer, back = (times[name].where(times[name] <= horizon) for name in _NEEDED)
    blue = answer.notna() & ~(back <= answer)
    chosen = _chosen(answer, back, blue, lines, seed)
    if not chosen:
        raise DataError("times must hold contacts who were answered or back within the horizon.")
    if ax is None:
        figure, ax = plt.subplots(figsize=(9.2, 1.9 + 0.24 * len(chosen)))
        figure.subplots_adjust(left=0.05, right=0.74, bottom=0.13, top=0.82)
    ax.axvspan(0, landmark, color=BAND, lw=0, zorder=0)
    for place, contact in enumerate(chosen):
        colour = CONVERSATION if blue[contact] else NEUTRAL
        end = back[contact] if back[contact] <= horizon else horizon
        ax.plot([0, end], [place, place], color=colour, lw=1.2, zorder=1)
        if blue[contact]:
            ax.plot([0, answer[contact]], [place, place], color=colour, lw=5, alpha=0.45,
                    solid_capstyle="butt")  # fmt: skip
        if answer[contact] <= horizon:
            ax.plot(answer[contact], place, "|", color=INK, ms=11, mew=1.8, zorder=3)
        if back[contact] <= horizon:
            ax.plot(back[contact], place, "o", color=colour, ms=6.5, zorder=2)
    ax.set(xlim=(0, horizon), ylim=(len(chosen) - 0.4, -0.8), yticks=[])
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("days since the first act; shaded: up to the landmark")
    _key(ax, chosen, blue)
    said = "Nobody in blue can have been back before the answer: the coding forbids it"
    ax.set_title(wrap(said, _TITLE_WIDTH), fontsize=11)
    return ax


def _chosen(
    answer: pd.Series, back: pd.Series, blue: pd.Series, lines: int, seed: int
) -> list[object]:
    """Contacts of both codings, blue ones first, by the time that decides their coding."""
    rng = np.random.default_rng(seed)
    # Answers within the hour are too near to 0 to be seen.
    seen = blue & (answer > 1)
    picked: list[object] = []
    for group, order in ((seen, answer), (~blue & back.notna(), back)):
        labels = group.index[group]
        drawn = rng.choice(len(labels), min(lines // 2, len(labels)), replace=False)
        picked += order[labels[drawn]].sort_values().index.tolist()
    return picked


def _key(ax: Axes, chosen: list[object], blue: pd.Series) -> None:
    split = int(blue[chosen].sum())
    parts = [
        (0, split, CONVERSATION, 'called "answered"\n| the answer\n● back\nthick: cannot be back'),
        (split, len(chosen), NEUTRAL, 'called "not answered"\n● back first\n| answered after that'),
    ]
    for start, stop, colour, words in parts:
        if stop > start:
            ax.annotate(
                words, (1, (start + stop - 1) / 2), (10, 0), xycoords=("axes fraction", "data"),
                textcoords="offset points", va="center", color=colour, size=9.5, weight="bold",
            )  # fmt: skip
    if 0 < split < len(chosen):
        ax.axhline(split - 0.5, color=QUIET, lw=0.8, ls=(0, (2, 3)))
