"""The negative binomial: closed forms, brute-force likelihood, planted truth, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from smo_research.errors import FitError
from smo_research.evidence import negative_binomial as module
from smo_research.evidence.models import poisson
from smo_research.evidence.negative_binomial import NOT_OVERDISPERSED, negative_binomial


def world(seed=0, *, n=600, accounts=60, effect=0.5, dispersion=0.8):
    """Counts with variance mu + dispersion mu^2 around a known ln mean."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "account_id": np.arange(n) % accounts,
            "period": np.arange(n) // accounts,
            "x": rng.integers(0, 2, n).astype(float),
            "z": rng.normal(size=n),
            "size_class": rng.choice(["a", "b", "c"], n),
        }
    )
    mu = np.exp(0.4 + effect * rows["x"] - 0.3 * rows["z"] + 0.1 * np.sin(rows["period"]))
    shape = 1 / dispersion
    return rows.assign(y=rng.poisson(mu * rng.gamma(shape, dispersion, n)))


def fitted(rows, terms=("x", "z", "C(size_class)"), **options):
    return negative_binomial(rows, "y", list(terms), effect="period", **options)


def test_one_flag_is_the_ratio_of_means():
    # Means 2 and 6 whatever the dispersion; the score of a group is (y - mu) / (1 + alpha mu).
    zero, one = [0, 0, 1, 7], [18, 0, 2, 4]
    rows = pd.DataFrame(
        {"x": [0.0] * 4 + [1.0] * 4, "y": zero + one, "period": 0, "account_id": range(8)}
    )
    fit = fitted(rows, ["x"])
    assert fit.coefficients["x"] == pytest.approx(np.log(6 / 2), abs=1e-9)
    # The variance of ln of a mean is sum of squared residuals over its total squared.
    by_hand = (2 * 2**2 + 1 + 5**2) / 8**2 + (12**2 + 6**2 + 4**2 + 2**2) / 24**2
    assert fit.std_errors["x"] == pytest.approx(np.sqrt(by_hand * 8 / 7 * 7 / 6), rel=1e-9)
    assert (fit.n_obs, fit.n_accounts, fit.df) == (8, 8, 7)


def test_equals_the_maximum_of_the_likelihood():
    """scipy's minimiser on scipy's negative binomial probabilities, with a dummy a period."""
    rows = world(1, n=300, accounts=60)
    fit = fitted(rows, ["x", "z"])
    periods = pd.get_dummies(rows["period"]).to_numpy(float)
    design = np.column_stack([rows[["x", "z"]].to_numpy(), periods])

    def loss(values):
        mu, size = np.exp(design @ values[:-1]), np.exp(-values[-1])
        return -stats.nbinom.logpmf(rows["y"], size, size / (size + mu)).sum()

    start = np.zeros(design.shape[1] + 1)
    found = optimize.minimize(loss, start, method="BFGS", options={"gtol": 1e-6})
    assert fit.coefficients[["x", "z"]].to_numpy() == pytest.approx(found.x[:2], abs=1e-5)
    assert fit.dispersion == pytest.approx(np.exp(found.x[-1]), rel=1e-4)
    assert fit.log_likelihood == pytest.approx(-found.fun, abs=1e-6)


def test_errors_by_hand():
    rows = world(2)
    fit = fitted(rows, ["x"])
    means = fit.means
    weights = means / (1 + fit.dispersion * means)
    design = np.column_stack([rows["x"], pd.get_dummies(rows["period"]).to_numpy(float)])
    bread = np.linalg.inv(design.T @ (weights[:, None] * design))
    rest = (rows["y"] - means) / (1 + fit.dispersion * means)
    sums = pd.DataFrame(design * rest.to_numpy()[:, None]).groupby(rows["account_id"]).sum()
    n, accounts, k = len(rows), rows["account_id"].nunique(), design.shape[1]
    factor = accounts / (accounts - 1) * (n - 1) / (n - k)
    covariance = factor * bread @ (sums.T @ sums).to_numpy() @ bread
    assert fit.std_errors["x"] == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-9)


def test_planted_truth_is_recovered():
    fit = fitted(world(3, n=6000, accounts=300, effect=0.5, dispersion=0.8))
    effect = fit.effect("x", 0.25)
    assert abs(effect.estimate - 0.125) < 3 * effect.std_error
    assert effect.std_error < 0.02
    assert fit.dispersion == pytest.approx(0.8, abs=0.1)
    assert fit.coefficients["z"] == pytest.approx(-0.3, abs=0.06)


def test_nominal_size_under_the_null():
    """About 5 % of worlds without an effect are rejected, judged by a 99.9 % binomial interval."""
    worlds = 60
    p_values = [
        fitted(world(seed, n=300, effect=0.0), ["x"]).effect("x").p_difference
        for seed in range(worlds)
    ]
    low, high = stats.binom.interval(0.999, worlds, 0.05)
    assert low <= sum(p < 0.05 for p in p_values) <= high


def test_a_poisson_fit_at_hand_changes_nothing():
    rows = world(4)
    start = poisson(rows, "y", ["x", "z"], effects=["period"])
    one, two = fitted(rows, ["x", "z"], start=start), fitted(rows, ["x", "z"])
    pd.testing.assert_series_equal(one.coefficients, two.coefficients)
    assert one.formula == "y ~ x + z | period, negative binomial"


def test_order_of_rows_does_not_matter_and_input_is_not_changed():
    rows = world(5)
    before = rows.copy()
    one = fitted(rows)
    mixed = rows.sample(frac=1, random_state=1)
    two = fitted(mixed)
    pd.testing.assert_frame_equal(rows, before)
    np.testing.assert_allclose(one.coefficients, two.coefficients, rtol=0, atol=1e-8)
    np.testing.assert_allclose(one.std_errors, two.std_errors, rtol=1e-7)
    at = pd.Series(one.means, rows.index)[mixed.index]
    np.testing.assert_allclose(two.means, at, rtol=1e-7)


def test_a_class_that_is_separated_is_left_out_as_in_the_poisson():
    rows = world(6)
    rows["y"] = rows["y"].where(rows["size_class"] != "c", 0)
    fit = fitted(rows)
    assert fit.n_obs == (rows["size_class"] != "c").sum()
    without = fitted(rows[rows["size_class"] != "c"], ["x", "z", "C(size_class)"])
    assert fit.coefficients["x"] == pytest.approx(without.coefficients["x"], abs=1e-8)


def refused(rows, terms=("x", "z"), **options):
    with pytest.raises(FitError) as caught:
        fitted(rows, terms, **options)
    return str(caught.value)


def test_counts_without_overdispersion_are_refused():
    rows = world(7)
    level = rows.groupby("period")["y"].transform("size")
    assert refused(rows.assign(y=level % 2 + np.arange(len(rows)) % 2)) == NOT_OVERDISPERSED


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rows: rows.assign(y=0), "y is 0 in all 600 rows"),
        (lambda rows: rows.assign(y=2), "y is the same in all 600 rows"),
        (lambda rows: rows.head(0), "y is 0 in all 0 rows"),
        (lambda rows: rows.assign(account_id=1), "account_id is the same in all 600 rows"),
        (lambda rows: rows.assign(x=rows["period"] * 2.0), "x is separated or repeats others"),
        (lambda rows: rows.assign(x=rows["z"] * 2.0), "x is separated or repeats others"),
        (
            lambda rows: rows.assign(y=rows["y"].where(rows["x"] == 0, 0)),
            "x is separated or repeats others",
        ),
    ],
)
def test_what_the_poisson_refuses_is_refused_with_its_reason(change, reason):
    assert reason in refused(change(world(8)))


def test_a_fit_that_does_not_settle_is_refused(monkeypatch):
    monkeypatch.setattr(module, "ROUNDS", 2)
    assert refused(world(9)).endswith("the negative binomial does not settle in 2 rounds")
