"""The fast estimator: by hand, against pyfixest and statsmodels, and what it refuses."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from smo_research.errors import FitError
from smo_research.evidence import absorbed
from smo_research.evidence.absorbed import absorbed_poisson
from smo_research.evidence.groups import Groups
from smo_research.evidence.models import poisson

TWO_GROUPS = np.array([1, 2, 3, 2, 6, 2, 1]), np.array([[0.0, 0, 0, 0, 1, 1, 1]]).T
ONE = np.zeros(7, dtype=int)


def world(seed=0, *, n=600, accounts=60, periods=9):
    """Rows of accounts, and what is exposed, with effects of account and period."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "account_id": rng.integers(0, accounts, n),
            "contact_id": rng.integers(0, 2 * accounts, n),
            "period": rng.integers(0, periods, n),
            "x": rng.normal(size=n),
            "z": rng.normal(size=n),
            "flag": rng.integers(0, 2, n).astype(float),
            "size": rng.integers(1, 9, n),
        }
    )
    size = rng.normal(0, 0.5, accounts)[rows["account_id"]]
    rate = np.exp(0.3 * rows["x"] - 0.2 * rows["z"] + 0.1 * rows["period"] + size)
    return rows.assign(y=rng.poisson(rate), per_size=rng.poisson(rate * rows["size"]))


def arrays(rows, columns, *names):
    return (rows[columns].to_numpy(float), *(rows[name].to_numpy() for name in names))


def test_one_flag_is_the_ratio_of_means_and_its_error_that_of_the_residuals():
    # Means 2 and 3. Residuals squared sum to 2 over 4 rows, and to 14 over 3.
    y, x = TWO_GROUPS
    effect = absorbed_poisson(y, x, ONE).effect(0, np.arange(7))
    assert effect.estimate == pytest.approx(math.log(3 / 2), abs=1e-12)
    by_hand = (2 / (4 * 2) ** 2 + 14 / (3 * 3) ** 2) * 7 / (7 - 1) * (7 - 1) / (7 - 2)
    assert effect.std_error == pytest.approx(math.sqrt(by_hand), rel=1e-10)
    assert effect.df == 6


def test_accounts_are_compared_with_themselves():
    # Account 0: 1 without and 2 with; account 1: 10 and 20. Each doubles.
    y, x, account = np.array([1, 2, 10, 20]), np.array([[0.0, 1, 0, 1]]).T, np.array([0, 0, 1, 1])
    fit = absorbed_poisson(y, x, account)
    assert fit.coefficients[0] == pytest.approx(math.log(2), abs=1e-12)
    assert fit.means == pytest.approx(y)


def test_scores_by_hand():
    # Without x all means are 17 / 7; x less its mean of 3 / 7, times the residuals, by account.
    y, x = TWO_GROUPS
    scores = absorbed_poisson(y, x, ONE).account_scores(0, np.array([0, 0, 1, 1, 1, 2, 2]))
    low, high, mean = -3 / 7, 4 / 7, 17 / 7
    by_hand = [
        low * (1 + 2 - 2 * mean),
        low * (3 + 2 - 2 * mean) + high * (6 - mean),
        high * (2 + 1 - 2 * mean),
    ]
    assert scores == pytest.approx(by_hand)


def test_equals_pyfixest_with_period_effects():
    rows = world(1)
    ours = absorbed_poisson(*reordered(rows, "y", ["z", "flag", "x"], "period"))
    reference = poisson(rows, "y", ["x", "flag", "z"], effects=["period"])
    account = rows["account_id"].to_numpy()
    compare(ours, ours.covariance(account), reference, ["z", "flag", "x"])
    effect = ours.effect(-1, account, step=0.25)
    assert effect.estimate == pytest.approx(reference.effect("x", 0.25).estimate, abs=1e-9)
    assert effect.std_error == pytest.approx(reference.effect("x", 0.25).std_error, abs=1e-8)
    assert effect.df == reference.df


def test_equals_pyfixest_with_errors_clustered_both_ways_within_accounts():
    rows = world(2)
    ours = absorbed_poisson(*reordered(rows, "y", ["z", "x"], "account_id"))
    clusters = [rows[name].to_numpy() for name in ("account_id", "contact_id")]
    reference = poisson(
        rows, "y", ["x", "z"], effects=["account_id"], cluster=["account_id", "contact_id"]
    )
    compare(ours, ours.covariance(*clusters), reference, ["z", "x"])
    effect = ours.effect(-1, *clusters)
    assert effect.std_error == pytest.approx(reference.std_errors["x"], abs=1e-7)
    assert effect.df == reference.df


def test_equals_pyfixest_with_two_effects_when_one_is_given_as_dummies():
    rows = world(3)
    dummies = pd.get_dummies(rows["period"], dtype=float).iloc[:, 1:].to_numpy()
    x, account = np.column_stack([dummies, rows[["z", "x"]]]), rows["account_id"].to_numpy()
    ours = absorbed_poisson(rows["y"].to_numpy(), x, account).effect(-1, account)
    reference = poisson(rows, "y", ["x", "z"], effects=["account_id", "period"])
    assert ours.estimate == pytest.approx(reference.coefficients["x"], abs=1e-7)
    assert ours.std_error == pytest.approx(reference.std_errors["x"], abs=1e-6)


def test_equals_pyfixest_with_an_exposure():
    rows = world(4)
    y, x, period = reordered(rows, "per_size", ["z", "x"], "period")
    ours = absorbed_poisson(y, x, period, offset=np.log(rows["size"].to_numpy(float)))
    reference = poisson(rows, "per_size", ["x", "z"], effects=["period"], exposure="size")
    compare(ours, ours.covariance(rows["account_id"].to_numpy()), reference, ["z", "x"])


def reordered(rows, outcome, columns, effect):
    return rows[outcome].to_numpy(float), rows[columns].to_numpy(float), rows[effect].to_numpy()


def compare(ours, covariance, reference, columns):
    assert ours.coefficients == pytest.approx(reference.coefficients[columns], abs=1e-7)
    assert np.sqrt(np.diag(covariance)) == pytest.approx(reference.std_errors[columns], abs=1e-6)


@pytest.mark.parametrize("in_order", [True, False])
def test_the_order_of_the_rows_is_nothing_but_speed(in_order):
    rows = world(5).sort_values("period") if in_order else world(5)
    y, x, period = reordered(rows, "y", ["z", "x"], "period")
    fit = absorbed_poisson(y, x, period)
    reference = poisson(rows, "y", ["x", "z"], effects=["period"])
    assert fit.coefficients[1] == pytest.approx(reference.coefficients["x"], abs=1e-8)


def test_the_design_is_demeaned_by_group_with_the_fitted_means_as_weights():
    rows = world(6)
    y, x, period = reordered(rows, "y", ["z", "x"], "period")
    fit = absorbed_poisson(y, x, period)
    assert fit.design.shape == (600, 2)
    for column in fit.design.T:
        assert np.bincount(period, fit.means * column) == pytest.approx(np.zeros(9), abs=1e-9)
    assert fit.design.T @ fit.residuals == pytest.approx(np.zeros(2), abs=1e-6)


def test_scores_are_those_of_a_general_solver():
    """The null model as a GLM with dummies; the column on the others by weighted least squares."""
    rows = world(7)
    y, x, period = reordered(rows, "y", ["z", "flag", "x"], "period")
    account = rows["account_id"].to_numpy()
    others = np.column_stack([x[:, :2], pd.get_dummies(period, dtype=float)])
    null = sm.GLM(y, others, family=sm.families.Poisson()).fit()
    rest = sm.WLS(x[:, 2], others, weights=null.fittedvalues).fit().resid
    by_account = np.bincount(account, rest * (y - null.fittedvalues))
    assert absorbed_poisson(y, x, period).account_scores(2, account) == pytest.approx(
        by_account, abs=1e-6
    )


def test_one_more_column_gives_the_same_as_all_at_once():
    rows = world(8)
    y, x, period = reordered(rows, "y", ["z", "flag", "x"], "period")
    account = rows["account_id"].to_numpy()
    grown = absorbed_poisson(y, x[:, :2], period).with_column(x[:, 2])
    at_once = absorbed_poisson(y, x, period)
    assert grown.coefficients == pytest.approx(at_once.coefficients, abs=1e-9)
    assert grown.effect(-1, account).std_error == pytest.approx(
        at_once.effect(-1, account).std_error, rel=1e-8
    )


def test_leaving_accounts_out_in_one_step_is_close_to_leaving_them_out():
    rows = world(9, n=1500, accounts=40)
    # One account with a quarter of all rows, whose part in the curvature counts.
    rows.loc[::4, "account_id"] = 0
    account = rows["account_id"].to_numpy()
    fit = absorbed_poisson(*reordered(rows, "y", ["z", "x"], "period"))
    near = fit.without_each(-1, account)
    exact = [
        absorbed_poisson(*reordered(rows[account != one], "y", ["z", "x"], "period")).coefficients[
            -1
        ]
        for one in range(40)
    ]
    moved = np.abs(np.array(exact) - fit.coefficients[-1])
    assert np.abs(near - exact).max() < 0.1 * moved.max()
    assert np.abs(near - fit.coefficients[-1]).argmax() == moved.argmax()


def test_a_column_that_repeats_others_is_left_out_unless_it_is_the_term():
    rows = world(10)
    y, x, period = reordered(rows, "y", ["z", "flag", "x"], "period")
    doubled = np.column_stack([x[:, 0], 2 * x[:, 0], period, x[:, 2]])
    fit = absorbed_poisson(y, doubled, period)
    assert fit.kept.tolist() == [True, False, False, True]
    alone = absorbed_poisson(y, x[:, [0, 2]], period)
    assert fit.coefficients[[0, 3]] == pytest.approx(alone.coefficients, abs=1e-10)
    for ask in (lambda: fit.effect(2, period), lambda: alone.with_column(doubled[:, 1])):
        with pytest.raises(FitError, match="repeats the others"):
            ask()


def test_groups_without_an_outcome_are_refused():
    with pytest.raises(FitError, match="outcomes are all 0; leave it out"):
        absorbed_poisson(np.array([0, 0, 1, 2]), np.ones((4, 1)), np.array([0, 0, 1, 1]))


def test_separation_is_refused():
    # Wherever x is 1, y is 0: the best coefficient is minus infinity.
    y, x = np.array([0, 0, 2, 1, 3]), np.array([[1.0, 1, 0, 0, 0]]).T
    with pytest.raises(FitError, match="separation"):
        absorbed_poisson(y, x, np.zeros(5, dtype=int))


def test_a_fit_that_does_not_settle_is_refused(monkeypatch):
    monkeypatch.setattr(absorbed, "MOST_STEPS", 1)
    with pytest.raises(FitError, match="does not settle in 1 steps"):
        absorbed_poisson(*TWO_GROUPS, ONE)


def test_a_start_or_a_step_too_far_is_taken_back():
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(40), 5)
    x = np.column_stack([rng.standard_normal(200), np.exp(2 * rng.standard_normal(200))])
    y = rng.poisson(np.exp(0.3 * x[:, 0]))
    kept = np.bincount(groups, y)[groups] > 0
    y, x, groups = y[kept], x[kept], np.unique(groups[kept], return_inverse=True)[1]
    usual = absorbed_poisson(y, x, groups)
    for start in ([5_000.0, -5_000.0], [40.0, 3.0]):
        again = absorbed_poisson(y, x, groups, start=np.array(start))
        assert again.coefficients == pytest.approx(usual.coefficients, abs=1e-7)


def test_an_error_of_nothing_is_refused():
    y, x, account = np.array([1, 2, 10, 20]), np.array([[0.0, 1, 0, 1]]).T, np.array([0, 0, 1, 1])
    fit = absorbed_poisson(y, x, account)
    exact = absorbed.Absorbed(**{**vars(fit), "means": y.astype(float)})
    with pytest.raises(FitError, match="no error to estimate"):
        exact.effect(0, account)


def test_groups_add_up_in_any_order():
    labels = np.array([2, 0, 2, 3])
    values = np.array([[1.0, 10], [2, 20], [4, 40], [8, 80]])
    groups = Groups(labels)
    assert groups.sums(values).tolist() == [[2, 20], [0, 0], [5, 50], [8, 80]]
    assert groups.count == 3
    ordered = Groups(np.array([0, 0, 1, 2]))
    assert ordered.sums(values).tolist() == [[3, 30], [4, 40], [8, 80]]
    assert groups.crossed(Groups(np.array([0, 0, 0, 1]))).count == 3
