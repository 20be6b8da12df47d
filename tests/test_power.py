"""What could have been found, and what it would take to show that nothing is there."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from scipy import stats

from smo_research.errors import DataError
from smo_research.evidence.effects import Effect
from smo_research.evidence.power import power
from smo_research.evidence.result import Result, effect_row
from smo_research.report.power import bounds_and_power

BOUND = -math.log(0.9)


def result(estimate=0.05, error=0.06, *, hypothesis="H2", unit="ln ratio per +0.25"):
    effect = Effect(estimate, error, 5_000)
    keys = [("between", "total", "burstiness"), ("placebo", "total", "burstiness")]
    lines = [
        effect_row(effect, hypothesis=hypothesis, dataset="d", model=m, block=b, term=t, unit=unit)
        for m, b, t in keys
    ]
    return Result(hypothesis, "d", pd.DataFrame(lines), "none", effects=dict.fromkeys(keys, effect))


def test_only_what_decides_is_told():
    assert power(result())["model"].tolist() == ["between"]


def test_so_many_accounts_show_no_effect_in_80_of_100_samples():
    """Two one-sided z tests reject together where |estimate| < bound - 1.645 errors."""
    row = power(result()).iloc[0]
    error = 0.06 / math.sqrt(row["times_the_accounts"])
    reach = (BOUND - stats.norm.ppf(0.95) * error) / error
    assert 2 * stats.norm.cdf(reach) - 1 == pytest.approx(0.8)


def test_an_effect_of_the_detectable_size_is_found_in_80_of_100_samples():
    row = power(result()).iloc[0]
    power_there = stats.norm.sf(stats.norm.ppf(0.975) - row["detectable"] / 0.06)
    assert power_there == pytest.approx(0.8, abs=0.001)


@pytest.mark.parametrize(
    ("estimate", "error", "word"),
    [(0.0, 0.03, "negligible"), (0.05, 0.06, "inconclusive"), (0.4, 0.06, "contradicted")],
)
def test_the_word_is_that_of_the_rule(estimate, error, word):
    row = power(result(estimate, error)).iloc[0]
    assert row["alone"] == word
    inside = row["low_90"] > -BOUND and row["high_90"] < BOUND
    assert bool(inside) == (word == "negligible")


def test_the_figure_counts_and_draws_the_brackets():
    table = pd.concat([power(result(0.0, 0.03)), power(result(0.4, 0.06)), power(result())])
    ax = bounds_and_power(table)
    title = ax.get_title(loc="left").replace("\n", " ")
    assert "1 shown to be too small to matter, 1 off no effect, 1 left open" in title
    brackets = [text for text in ax.texts if text.get_text() in "[]"]
    found = sorted(text.xy[0] for text in brackets if text.xy[1] == 0)
    expected = math.exp(table["detectable"].iloc[0])
    assert found == pytest.approx([1 / expected, expected])
    assert any("enough to show none" in text.get_text() for text in ax.texts)
    plt.close(ax.figure)


def test_other_units_are_refused():
    with pytest.raises(DataError, match="ratios"):
        bounds_and_power(power(result(unit="ln followers per +0.25")))
