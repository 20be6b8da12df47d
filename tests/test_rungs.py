"""Rung by rung: the numbers of the test itself, and where the naive ones go wrong."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from test_evidence_lasting import WINDOWS, world

from smo_research.errors import DataError
from smo_research.evidence.lasting import lasting_growth
from smo_research.evidence.rungs import growth_rungs
from smo_research.report.rungs import rung_by_rung
from smo_research.report.style import CONVERSATION, NEUTRAL

PLACE = ["model", "block", "term"]
NUMBERS = ["estimate", "std_error", "p_value", "n_obs", "n_accounts"]


@pytest.fixture(scope="module")
def confounded():
    """Answering adds a half to the ln rate of newcomers; who has acted more answers more."""
    return world(3, discovery=0.5, confounded=0.8)


@pytest.mark.parametrize("hypothesis", ["H2", "H3", "H7"])
def test_the_rungs_that_decide_have_the_numbers_of_the_test(confounded, hypothesis):
    about = {"windows": WINDOWS, "dataset": "planted"}
    test = lasting_growth(confounded, hypothesis, **about)
    looked = growth_rungs(confounded, hypothesis, **about)
    both = looked.table.merge(test.table, on=PLACE, suffixes=("", "_test"))
    assert len(both) == 8 * test.table["term"].nunique()
    for name in NUMBERS:
        np.testing.assert_allclose(both[name], both[f"{name}_test"], rtol=1e-5, atol=1e-8)


def test_the_naive_rung_is_further_from_the_truth(confounded):
    effects = growth_rungs(confounded, "H3", windows=WINDOWS, dataset="planted").effects
    truth = 0.5 * 0.25
    naive, within = (effects[model, "total", "answering"] for model in ("nothing held", "within"))
    assert naive.interval()[0] > truth
    assert abs(within.estimate - truth) < 3 * within.std_error


def test_what_was_filled_in_is_told_and_no_part_of_the_naive_rung(confounded):
    result = growth_rungs(confounded, "H2", windows=WINDOWS, dataset="planted")
    table = result.table.query("term == 'schedule_focus' and block == 'total'").set_index("model")
    known = confounded.loc[confounded["own_acts"] > 0, "schedule_focus"].notna()
    assert table.loc["nothing held", "n_obs"] == known.sum()
    assert table.loc["nothing held", "measured"] == 1
    assert table.loc["between", "measured"] == pytest.approx(known.mean(), abs=0.01)
    assert (table.loc["between", "n_obs"], table.loc["within", "n_obs"]) > (known.sum(), 0)


def test_too_little_is_a_reason_and_no_number():
    rows = world(1, accounts=10, periods=3)
    result = growth_rungs(rows, "H3", windows=WINDOWS, dataset="small")
    assert "at least" in result.reason
    assert result.table["estimate"].isna().all()


def test_a_figure_has_a_line_a_rung_and_says_which_decides(confounded):
    table = growth_rungs(confounded, "H3", windows=WINDOWS, dataset="planted").table
    ax = rung_by_rung(table)
    drawn = ax.figure
    said = [text.get_text() for text in ax.texts]
    assert sum("[" in one for one in said) == 9 - 1
    assert said.count("decides") == 1
    assert sum(one.startswith("check: ") for one in said) == 2
    naive = np.exp(table["estimate"].iloc[0])
    assert f"planted, answering: {naive:.2f} times naively" in ax.get_title(loc="left")
    colours = [to_hex(line.get_color()) for line in ax.lines if line.get_marker() in "os"]
    assert colours[:2] == [NEUTRAL] * 2
    assert colours[2] == CONVERSATION
    plt.close(drawn)


def test_a_rung_without_a_number_says_why_and_two_hypotheses_are_refused(confounded):
    table = growth_rungs(confounded, "H3", windows=WINDOWS, dataset="planted").table
    blank = table.assign(reason="").copy()
    blank.loc[0, ["estimate", "ci_low", "ci_high"]] = np.nan
    blank.loc[0, "reason"] = "it is too rare"
    ax = rung_by_rung(blank)
    assert any("it is too rare" in text.get_text() for text in ax.texts)
    assert "cannot tell" in ax.get_title(loc="left")
    plt.close(ax.figure)
    with pytest.raises(DataError, match="one hypothesis"):
        rung_by_rung(pd.concat([table, table.assign(hypothesis="H2")]))
