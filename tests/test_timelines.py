"""First contacts as lines: who is called answered, and the time in which they cannot be back."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from smo_research.errors import DataError
from smo_research.report.style import CONVERSATION, NEUTRAL
from smo_research.report.timelines import timelines

TIMES = pd.DataFrame(
    {
        "answer_days": [3.0, 5.0, np.nan, 9.0, np.nan, 80.0],
        "back_days": [8.0, np.nan, 2.0, 4.0, np.nan, np.nan],
    },
    index=list("abcdef"),
)


def thick(ax):
    return [line for line in ax.lines if line.get_linewidth() == 5]


def test_what_came_first_gives_the_colour():
    ax = timelines(TIMES, landmark=2, horizon=42)
    ends = {
        (round(float(line.get_xdata()[-1]), 3), to_hex(line.get_color()))
        for line in ax.lines
        if line.get_linewidth() == 1.2
    }
    # a and b were answered first, c and d were back first; e and f are neither.
    blue, grey = CONVERSATION, NEUTRAL
    assert ends == {(8.0, blue), (42.0, blue), (2.0, grey), (4.0, grey)}
    assert sorted(line.get_xdata()[1] for line in thick(ax)) == [3.0, 5.0]
    plt.close(ax.figure)


def test_no_more_lines_than_asked_and_the_same_for_a_seed():
    rng = np.random.default_rng(1)
    many = pd.DataFrame(rng.uniform(0, 40, (300, 2)), columns=list(TIMES))
    drawn = []
    for _ in range(2):
        ax = timelines(many, landmark=2, horizon=42, lines=10, seed=4)
        drawn.append([line.get_xdata().tolist() for line in thick(ax)])
        assert len(drawn[-1]) == 5
        plt.close(ax.figure)
    assert drawn[0] == drawn[1]


def test_nobody_answered_or_back_is_refused():
    with pytest.raises(DataError, match="answered or back"):
        timelines(TIMES.loc[["e", "f"]], landmark=2, horizon=42)
    with pytest.raises(DataError, match="answer_days"):
        timelines(TIMES[["back_days"]], landmark=2, horizon=42)
