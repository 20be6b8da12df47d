from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from smo_research.errors import DataError, FitError
from smo_research.evidence.dyads import dyad_matrices
from smo_research.evidence.few import seed_for
from smo_research.evidence.mrqap import mrqap
from smo_research.evidence.result import VOCABULARY

REFERENCE = Path(__file__).with_name("reference") / "mrqap.csv"


def apart(n):
    return ~np.eye(n, dtype=bool)


def random_matrix(rng, n, *, spread=1.0):
    """Noise, with effects of the account of the row and of the column."""
    effects = rng.normal(size=(2, n)) * spread
    return effects[0][:, None] + effects[1] + rng.normal(size=(n, n))


def three_predictors(n=12, seed=3):
    rng = np.random.default_rng(seed)
    x = {name: random_matrix(rng, n) for name in ("a", "b", "c")}
    x["c"] += x["a"]
    return 0.2 * x["a"] + random_matrix(rng, n), x


def least_squares(y, x):
    off = apart(len(y))
    design = np.column_stack([np.ones(off.sum()), *(one[off] for one in x.values())])
    return sm.OLS(y[off], design).fit()


def t_of(result):
    return result.table["estimate"] / result.table["std_error"]


FOUR = np.array([[9, 3, 5, 3], [0, 9, 5, 3], [2, 0, 9, 5], [2, 0, 2, 9]])


def test_four_accounts_by_eye():
    """Upward pairs have 3 and 5, downward ones 0 and 2, each three times: means 4 and 1.

    So RSS = 12 x 1, on 10 degrees of freedom, and the error is sqrt(1.2 x (1/6 + 1/6)).
    """
    result = mrqap(FOUR, {"upward": np.triu(np.ones((4, 4)))}, n_permutations=99, seed=1)
    rows = result.table.set_index("term")
    assert list(rows.index) == ["intercept", "upward"]
    assert rows["estimate"].tolist() == pytest.approx([1, 3])
    assert rows.loc["upward", "std_error"] == pytest.approx(np.sqrt(0.4))
    assert rows["n_obs"].tolist() == [12, 12]
    assert rows["n_accounts"].tolist() == [4, 4]


def test_p_is_the_share_of_orders_as_extreme():
    """Of 24 orders of four accounts two are: as they are, and turned about, where t is -t."""
    upward = np.triu(np.ones((4, 4)))
    observed = abs(least_squares(FOUR, {"x": upward}).tvalues[1])
    orders = [list(order) for order in permutations(range(4))]
    t = [least_squares(FOUR, {"x": upward[np.ix_(one, one)]}).tvalues[1] for one in orders]
    assert (np.abs(t) >= observed - 1e-9).sum() == 2
    result = mrqap(FOUR, {"upward": upward}, n_permutations=20_000, seed=1)
    assert result.table["p_value"].iloc[1] == pytest.approx(2 / 24, abs=0.006)


def test_coefficients_and_errors_are_those_of_least_squares():
    y, x = three_predictors()
    rows = mrqap(y, x, n_permutations=9, seed=1).table
    fit = least_squares(y, x)
    np.testing.assert_allclose(rows["estimate"], fit.params, atol=1e-12)
    np.testing.assert_allclose(rows["std_error"], fit.bse, atol=1e-12)


def test_p_equals_refitting_each_permutation():
    """Dekker, Krackhardt and Snijders' steps one by one, by statsmodels, in the same orders."""
    y, x = three_predictors()
    n, draws = len(y), 99
    orders = seed_for(5, "mrqap").permuted(np.tile(np.arange(n), (draws, 1)), axis=1)
    off = apart(n)
    design = np.column_stack([np.ones(off.sum()), *(one[off] for one in x.values())])
    observed = np.abs(sm.OLS(y[off], design).fit().tvalues)
    counted = np.zeros(4)
    for place in range(4):
        others = np.delete(design, place, axis=1)
        rest = np.zeros((n, n))
        rest[off] = sm.OLS(design[:, place], others).fit().resid
        for order in orders:
            again = np.column_stack([others, rest[np.ix_(order, order)][off]])
            counted[place] += abs(sm.OLS(y[off], again).fit().tvalues[-1]) >= observed[place]
    p = mrqap(y, x, n_permutations=draws, seed=5).table["p_value"]
    assert p.tolist() == pytest.approx((1 + counted) / (1 + draws))
    assert counted.min() > 0 and counted.max() < draws


@pytest.mark.data
@pytest.mark.parametrize("accounts", [60, 170])
def test_equal_to_sna(real, accounts):
    """R, mrqap.R.

    netlm(later, x, nullhyp = "qapspp", test.statistic = "t-value", reps = 1000) of sna; its p is
    the share of permutations, without a one added to each side.
    """
    expected = pd.read_csv(REFERENCE, comment="#").query("n_accounts == @accounts")
    dyads = dyad_matrices(real("collegemsg").interactions, accounts=accounts)
    result = mrqap(dyads.outcome, dyads.predictors, n_permutations=2000, seed=1)
    assert result.table["term"].tolist() == expected["term"].tolist()
    np.testing.assert_allclose(result.table["estimate"], expected["estimate"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(t_of(result), expected["t"], rtol=0, atol=1e-8)
    p = expected["p_value"].to_numpy()
    monte_carlo = np.sqrt(p * (1 - p) * (1 / 1000 + 1 / 2000))
    assert (np.abs(result.table["p_value"] - p) <= 1 / 1000 + 4 * monte_carlo).all()


def test_the_size_is_held_where_accounts_differ():
    """No effect, effects of accounts on both sides: least squares rejects far too often."""
    rng = np.random.default_rng(7)
    runs, rejected, naive = 200, 0, 0
    for run in range(runs):
        b = random_matrix(rng, 25)
        x = {"a": random_matrix(rng, 25) + 0.7 * b, "b": b}
        y = random_matrix(rng, 25) + 0.5 * b
        result = mrqap(y, x, n_permutations=199, seed=run)
        rejected += result.table["p_value"].iloc[1] <= 0.05
        naive += abs(t_of(result).iloc[1]) > 1.96
    assert naive / runs > 0.25
    assert 0.01 <= rejected / runs <= 0.09


def test_a_planted_effect_is_found():
    rng = np.random.default_rng(2)
    x = {"a": random_matrix(rng, 60), "b": random_matrix(rng, 60)}
    y = 0.3 * x["a"] + random_matrix(rng, 60)
    rows = mrqap(y, x, n_permutations=499, seed=1).table.set_index("term")
    assert rows.loc["a", "p_value"] == pytest.approx(1 / 500)
    assert rows.loc["a", "ci_low"] < 0.3 < rows.loc["a", "ci_high"]
    assert rows.loc["b", "p_value"] > 0.05


@pytest.mark.parametrize("draws", [19, 99, 250])
def test_the_interval_leaves_out_0_where_p_is_at_most_5_percent(draws):
    for seed in range(8):
        y, x = three_predictors(n=10, seed=seed)
        rows = mrqap(y, x, n_permutations=draws, seed=seed).table
        outside = (rows["ci_low"] > 0) | (rows["ci_high"] < 0)
        assert outside.tolist() == (rows["p_value"] <= 0.05).tolist()


def test_too_few_permutations_to_reject_give_an_interval_without_end():
    rows = mrqap(*three_predictors(), n_permutations=18, seed=1).table
    assert np.isneginf(rows["ci_low"]).all()
    assert np.isposinf(rows["ci_high"]).all()


def test_the_diagonal_is_ignored_and_the_input_kept():
    y, x = three_predictors()
    expected = mrqap(y, x, n_permutations=49, seed=1).table
    for matrix in (y, *x.values()):
        np.fill_diagonal(matrix, np.nan)
    before = {name: one.copy() for name, one in {"y": y, **x}.items()}
    again = mrqap(y, x, n_permutations=49, seed=1).table
    pd.testing.assert_frame_equal(again, expected)
    for name, one in {"y": y, **x}.items():
        np.testing.assert_array_equal(one, before[name])


def test_the_seed_decides_and_the_order_of_predictors_does_not():
    y, x = three_predictors()
    once, again, other = (mrqap(y, x, n_permutations=199, seed=seed).table for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(once, again, check_exact=True)
    assert once["p_value"].tolist() != other["p_value"].tolist()
    turned = mrqap(y, dict(reversed(x.items())), n_permutations=199, seed=1).table
    assert turned["term"].tolist() == ["intercept", "c", "b", "a"]
    turned = turned.set_index("term").loc[once["term"]].reset_index()
    pd.testing.assert_frame_equal(turned[once.columns], once)


@pytest.mark.parametrize("dyads", [50, 500])
def test_steps_change_nothing(monkeypatch, dyads):
    y, x = three_predictors()
    expected = mrqap(y, x, n_permutations=49, seed=1).table
    monkeypatch.setattr("smo_research.evidence.mrqap.DYADS_PER_STEP", dyads)
    pd.testing.assert_frame_equal(mrqap(y, x, n_permutations=49, seed=1).table, expected)


def test_the_scale_of_a_predictor_is_its_own():
    y, x = three_predictors()
    rows = mrqap(y, x, n_permutations=49, seed=1).table
    scaled = mrqap(y, x | {"b": 1000 * x["b"] + 5}, n_permutations=49, seed=1).table
    assert scaled["estimate"].iloc[2] == pytest.approx(rows["estimate"].iloc[2] / 1000)
    assert scaled["p_value"].tolist()[1:] == rows["p_value"].tolist()[1:]


def test_prints_plots_and_displays():
    y, x = three_predictors()
    result = mrqap(y, x, n_permutations=99, seed=1)
    assert list(result.table) == VOCABULARY
    assert set(result.table["model"]) == {"mrqap"}
    assert "99 permutations" in result.summary()
    assert "<table" in result._repr_html_()
    for draws in (9, 99):
        axes = mrqap(y, x, n_permutations=draws, seed=1).plot()
        assert "MRQAP on matrices as given" in axes.get_title(loc="left")
    named = mrqap(y, x, n_permutations=9, seed=1, dataset="d", hypothesis="H5").table
    assert set(named["dataset"]) == {"d"} and set(named["hypothesis"]) == {"H5"}


HOLE = np.where(np.arange(36).reshape(6, 6) == 9, np.nan, np.arange(36).reshape(6, 6) % 5)
WHOLE = np.arange(36.0).reshape(6, 6) % 7
OTHER = np.arange(36.0).reshape(6, 6) ** 2 % 11


@pytest.mark.parametrize(
    ("y", "x", "options", "error", "message"),
    [
        (WHOLE[:4], {"a": OTHER}, {}, DataError, "y must be square, but is 4 by 6"),
        (WHOLE, {"a": OTHER[:5, :5]}, {}, DataError, r"x\['a'\] must be 6 by 6, as y is, but is 5"),
        (WHOLE, {"a": OTHER[0]}, {}, DataError, r"x\['a'\] must be 6 by 6, as y is, but is 6"),
        (WHOLE, {"a": [["much"]]}, {}, DataError, r"x\['a'\] must be a matrix of numbers"),
        (WHOLE, {"a": HOLE}, {}, DataError, r"x\['a'\] is missing .* in 1 entr.* row 1, column 3"),
        (HOLE, {"a": OTHER}, {}, DataError, "y is missing or infinite in 1 entr"),
        (WHOLE + np.inf, {"a": OTHER}, {}, DataError, "in 30 entries"),
        (WHOLE, {}, {}, DataError, "x must hold at least one predictor"),
        (WHOLE, {"intercept": OTHER}, {}, DataError, "none named 'intercept'"),
        (WHOLE[:3, :3], {"a": OTHER[:3, :3]}, {}, DataError, "at least 4 accounts .* but has 3"),
        (WHOLE, {"a": OTHER}, {"n_permutations": 0}, DataError, "whole number from 1, but is 0"),
        (WHOLE, {"a": OTHER}, {"n_permutations": 9.5}, DataError, "whole number from 1, but is 9"),
        (np.eye(6), {"a": OTHER}, {}, FitError, "y is the same for every pair"),
        (WHOLE, {"a": 2 * np.ones((6, 6))}, {}, FitError, "a is the same for every pair"),
        (WHOLE, {"a": OTHER, "b": 1 - OTHER}, {}, FitError, "b repeats the intercept or"),
        (2 * OTHER + 1, {"a": OTHER}, {}, FitError, "without any error"),
    ],
)
def test_what_is_refused(y, x, options, error, message):
    with pytest.raises(error, match=message):
        mrqap(y, x, seed=1, **options)


@pytest.mark.slow
def test_three_thousand_accounts_fit_in_4_gib():
    import tracemalloc

    rng = np.random.default_rng(1)
    y, *x = (rng.poisson(0.05, size=(3000, 3000)) for _ in range(4))
    tracemalloc.start()
    result = mrqap(y, dict(zip("abc", x, strict=True)), n_permutations=2, seed=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert result.table["n_obs"].iloc[0] == 3000 * 2999
    assert peak < 4 * 2**30
