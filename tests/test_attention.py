"""How fast counters stop and whether they agree across platforms, on counts one can check."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from smo_research.errors import DataError
from smo_research.evidence.attention import (
    _spearman,
    attention_curve,
    carries_over,
    hours_to_reach,
)
from smo_research.report.attention import attention
from smo_research.tables import validate

NAN = np.nan


def counters(**platforms):
    """Counts by platform, item and hour (1, 2, ...); a missing one is no row."""
    rows = [
        (item, platform, float(hour), count)
        for platform, items in platforms.items()
        for item, counts in items.items()
        for hour, count in enumerate(counts, 1)
        if not np.isnan(count)
    ]
    frame = pd.DataFrame(rows, columns=["item_id", "platform", "hours_since", "count"])
    return validate(frame, "counters", source="test")


FACEBOOK = {
    "a": [1, 2, 4],
    "b": [0, 10, 10],
    "zero": [0, 0, 0],
    "late": [NAN, 1, 2],
    "lost": [3, 6, NAN],
}


def test_curve_is_the_share_of_the_final_count():
    curve = attention_curve(counters(facebook=FACEBOOK))
    assert curve["platform"].unique().tolist() == ["facebook"]
    assert curve["hours_since"].tolist() == [1, 2, 3]
    assert curve["mean"].tolist() == [0.125, 0.75, 1]
    assert curve["median"].tolist() == [0.125, 0.75, 1]
    assert curve["p10"].tolist() == pytest.approx([0.025, 0.55, 1])
    assert curve["p90"].tolist() == pytest.approx([0.225, 0.95, 1])
    assert curve["n_items"].tolist() == [2, 2, 2]


def test_curve_of_all_items_takes_the_late_one_from_its_first_reading_on():
    curve = attention_curve(counters(facebook=FACEBOOK), whole=False)
    assert curve["n_items"].tolist() == [2, 3, 3]
    assert curve["mean"].tolist() == pytest.approx([0.125, 2 / 3, 1])
    assert curve["median"].tolist() == pytest.approx([0.125, 0.5, 1])


def test_hours_are_the_first_at_which_the_share_is_there():
    curve = attention_curve(counters(facebook={"a": [1, 2, 4, 4], "b": [0, 2, 2, 4]}))
    hours = hours_to_reach(curve, shares=[0.5, 0.9])
    assert hours["share"].tolist() == [0.5, 0.9]
    assert hours["hours_mean"].tolist() == [2, 4]
    assert hours["hours_median"].tolist() == [2, 4]
    assert hours["n_items"].tolist() == [2, 2]


def test_platform_on_which_nothing_spread_has_no_curve():
    both = attention_curve(counters(facebook=FACEBOOK, linkedin={"a": [0, 0], "b": [0, 0]}))
    assert both["platform"].unique().tolist() == ["facebook"]
    none = attention_curve(counters(linkedin={"a": [0, 0]}))
    assert none.empty
    assert hours_to_reach(none).empty


def test_two_counts_of_an_item_at_one_time_are_refused():
    twice = counters(facebook=FACEBOOK)
    twice = pd.concat([twice, twice.head(1)], ignore_index=True)
    for function in (attention_curve, carries_over):
        with pytest.raises(DataError, match="an item on facebook has two counts at one time"):
            function(twice)


def random_counters(n=200, seed=3):
    rng = np.random.default_rng(seed)
    x = rng.poisson(2, n)
    y = rng.poisson(0.5 + 0.5 * x)
    return counters(
        one={f"i{i}": [0, c] for i, c in enumerate(x)},
        other={f"i{i}": [0, c] for i, c in enumerate(y)} | {"only here": [0, 9]},
    ), (x, y)


def test_correlation_and_shares_are_those_of_the_final_counts():
    table, (x, y) = random_counters()
    (row,) = carries_over(table).to_dict("records")
    assert (row["platform"], row["other"], row["n_items"]) == ("one", "other", 200)
    assert row["spearman"] == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)
    assert row["above_zero"] == (x > 0).mean()
    assert row["above_zero_other"] == (y > 0).mean()
    assert row["above_zero_both"] == ((x > 0) & (y > 0)).mean()
    assert row["reason"] == ""


def test_weighted_cells_are_as_good_as_the_items_themselves():
    rng = np.random.default_rng(1)
    x, y = np.array([0, 0, 1, 2, 2, 3]), np.array([1, 0, 0, 0, 2, 2])
    weights = rng.multinomial(40, np.full(6, 1 / 6), size=20)
    expected = [spearmanr(np.repeat(x, w), np.repeat(y, w)).statistic for w in weights]
    assert _spearman(weights, x, y).tolist() == pytest.approx(expected, abs=1e-12)


def test_interval_is_that_of_drawing_items():
    table, (x, y) = random_counters()
    (row,) = carries_over(table, seed=5).to_dict("records")
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, 200, 200) for _ in range(1500)]
    drawn = [spearmanr(x[items], y[items]).statistic for items in draws]
    assert [row["ci_low"], row["ci_high"]] == pytest.approx(
        np.quantile(drawn, [0.025, 0.975]), abs=0.015
    )


def test_same_seed_gives_the_same_interval():
    table, _ = random_counters()
    pd.testing.assert_frame_equal(carries_over(table, seed=5), carries_over(table, seed=5))
    assert not carries_over(table, seed=5).equals(carries_over(table, seed=6))


def test_each_pair_of_platforms_is_a_row():
    items = {f"i{i}": [i] for i in range(12)}
    back = {f"i{i}": [11 - i] for i in range(12)}
    pairs = carries_over(counters(a=items, b=items, c=back))
    assert pairs[["platform", "other"]].to_numpy().tolist() == [["a", "b"], ["a", "c"], ["b", "c"]]
    assert pairs["spearman"].tolist() == pytest.approx([1, -1, -1])


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({f"i{i}": [0] for i in range(12)}, "every item has the same count"),
        ({f"i{i}": [i] for i in range(9)}, "under 10 items are on both"),
    ],
)
def test_what_cannot_be_correlated_has_a_reason_and_no_number(other, reason):
    items = {f"i{i}": [i] for i in range(12)}
    (row,) = carries_over(counters(a=items, b=other)).to_dict("records")
    assert reason in row["reason"]
    assert np.isnan([row["spearman"], row["ci_low"], row["ci_high"]]).all()


def test_one_platform_is_refused():
    with pytest.raises(DataError, match="at least two platforms, but hold facebook only"):
        carries_over(counters(facebook=FACEBOOK))


def test_plot_draws_a_panel_a_platform_and_says_what_it_shows():
    table = attention_curve(counters(x={"a": [1, 2, 4, 4]}, y={"a": [2, 2, 2, 4]}))
    before = table.copy(deep=True)
    figure = attention(table)
    pd.testing.assert_frame_equal(table, before)
    title = figure.get_suptitle().replace("\n", " ")
    assert "after 4 hours is there by hour 1–2, 90 % by hour 3–4" in title  # noqa: RUF001
    assert [ax.get_title("left") for ax in figure.axes] == [
        "x: mean of 1 item",
        "y: mean of 1 item",
    ]
    texts = [[text.get_text() for text in ax.texts] for ax in figure.axes]
    assert texts == [["half by 2 h", "90 % by 3 h"], ["half by 1 h", "90 % by 4 h"]]
    assert figure.axes[-1].get_xlabel().endswith("shaded: 8 of 10 items")
    plt.close("all")


def test_plot_without_rows_or_columns():
    table = attention_curve(counters(x={"a": [1, 2]}))
    figure = attention(table.head(0))
    assert "No item" in figure.get_suptitle()
    with pytest.raises(DataError, match="lacks platform"):
        attention(table.drop(columns="platform"))
    plt.close("all")


@pytest.mark.data
def test_news_counts_stop_within_two_days_and_carry_over(real):
    table = real("news-attention").counters
    hours = hours_to_reach(attention_curve(table))
    assert hours.loc[hours["share"] == 0.5, "hours_mean"].between(6, 10).all()
    assert hours.loc[hours["share"] == 0.5, "n_items"].tolist() == [1_695, 900, 438]
    pairs = carries_over(table)
    assert pairs["n_items"].tolist() == [7_522, 7_522, 7_593]
    assert (pairs["ci_low"] > 0.3).all()
