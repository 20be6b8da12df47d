"""Few accounts: the wild cluster bootstrap against refits, references and its own promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from smo_research.errors import FitError
from smo_research.evidence.few import WEBB, joint_p, seed_for, wild_bootstrap

FOLDER = Path(__file__).with_name("reference")
REFERENCE = pd.read_csv(FOLDER / "wild_bootstrap.csv", comment="#").set_index("dataset")
ROWS = pd.read_csv(FOLDER / "wild_bootstrap_rows.csv")


def world(seed=0, *, clusters=12, size=10, effect=0.0, controls=1):
    """y, x, controls and labels: rows of a cluster share part of x and part of the error."""
    rng = np.random.default_rng(seed)
    label = np.repeat(np.arange(clusters), size)
    n = len(label)
    z = np.column_stack([np.ones(n), rng.normal(size=(n, controls))])
    x = rng.normal(size=clusters)[label] + 0.5 * z[:, 1] + rng.normal(size=n)
    y = effect * x + 0.4 * z[:, 1] + rng.normal(size=clusters)[label] + rng.normal(size=n)
    return y, x, z, label


def crv1(y, design, label):
    """Coefficients and clustered covariance, from statsmodels."""
    return sm.OLS(y, design).fit(cov_type="cluster", cov_kwds={"groups": label}, use_t=True)


def fitted(seed=0, draws=999, step=1.0, **options):
    return wild_bootstrap(*world(seed, **options), rng=seed_for(1), draws=draws, step=step)


def columns_of(name):
    """A reference data set; controls repeat each other where it has dummies."""
    rows = ROWS[ROWS["dataset"] == name]
    z = [np.ones(len(rows)), rows["control"]]
    if name == "dummies":
        z += [pd.get_dummies(rows[by]).to_numpy(float) for by in ("cluster", "season")]
    y, x, label = (rows[column].to_numpy() for column in ("y", "x", "cluster"))
    return y, x, np.column_stack(z), label


@pytest.mark.parametrize("name", REFERENCE.index)
def test_equals_wildboottest(name):
    """wildboottest, Webb's weights, null imposed: tests/reference/wild_bootstrap.py."""
    expected = REFERENCE.loc[name]
    draws = 19_999
    effect = wild_bootstrap(*columns_of(name), rng=seed_for(1), draws=draws)
    assert effect.estimate / effect.std_error == pytest.approx(expected["t"], rel=1e-6)
    error = np.sqrt(expected["p"] * (1 - expected["p"]) * (1 / draws + 1 / expected["draws"]))
    assert abs(effect.p_difference - expected["p"]) < 4 * error


@pytest.mark.parametrize("null", [0.0, 0.3, -0.2])
@pytest.mark.parametrize("name", ["effect", "dummies"])
def test_every_draw_equals_a_refit(name, null):
    """The same weights, multiplied onto the null's residuals, and the model fitted anew."""
    y, x, z, label = columns_of(name)
    effect = wild_bootstrap(y, x, z, label, rng=np.random.default_rng(5), draws=99)
    group, number = np.unique(label, return_inverse=True)
    weights = WEBB[np.random.default_rng(5).integers(0, 6, size=(99, len(group)))]
    keep = np.linalg.svd(z, full_matrices=False)
    z = keep.U[:, keep.S > 1e-8]
    rest = y - null * x
    rest = rest - z @ (z.T @ rest)
    drawn = [
        (fit := crv1(w[number] * rest, np.column_stack([x, z]), label)).params[0] / fit.bse[0]
        for w in weights
    ]
    np.testing.assert_allclose(effect._draws(null), drawn, rtol=1e-8)
    t = abs(effect.estimate - null) / effect.std_error
    assert effect.p_of(null) == (1 + sum(abs(one) >= t for one in drawn)) / 100


@pytest.mark.parametrize("name", ["no effect", "effect", "dummies"])
def test_estimate_and_error_equal_statsmodels(name):
    y, x, z, label = columns_of(name)
    effect = wild_bootstrap(y, x, z, label, rng=seed_for(1), draws=9)
    keep = np.linalg.svd(z, full_matrices=False)
    fit = crv1(y, np.column_stack([x, keep.U[:, keep.S > 1e-8]]), label)
    assert effect.estimate == pytest.approx(fit.params[0], rel=1e-9)
    assert effect.std_error == pytest.approx(fit.bse[0], rel=1e-9)
    assert effect.df == len(np.unique(label)) - 1


def test_the_interval_is_what_the_test_does_not_reject():
    for seed, level in [(1, 0.95), (2, 0.95), (3, 0.9)]:
        effect = fitted(seed, effect=0.3)
        low, high = effect.interval(level)
        assert low < effect.estimate < high
        for edge, outward in ((low, -1), (high, 1)):
            assert effect.p_of(edge) == pytest.approx(1 - level, abs=0.004)
            assert effect.p_of(edge + outward * 1e-6) < 1 - level
            assert effect.p_of(edge - outward * 1e-6) >= 1 - level
    assert effect.p_of(effect.estimate) == 1.0


def test_a_step_scales_all_but_p():
    one, other = fitted(4, effect=0.3), fitted(4, effect=0.3, step=0.25)
    assert other.estimate == pytest.approx(0.25 * one.estimate)
    assert other.std_error == pytest.approx(0.25 * one.std_error)
    np.testing.assert_allclose(other.interval(), np.multiply(0.25, one.interval()))
    assert other.p_difference == one.p_difference
    assert other.p_equivalence(0.05) == one.p_equivalence(0.2)


def test_effects_of_the_clusters_change_the_error_and_no_p():
    y, x, z, label = columns_of("dummies")
    counted, nested = (
        wild_bootstrap(y, x, z, label, rng=seed_for(1), nested=number, draws=499)
        for number in (0, 8)
    )
    # A constant, a control, 8 and 3 dummies, and x.
    want = np.sqrt((len(y) - 14) / (len(y) - 6))
    assert nested.std_error / counted.std_error == pytest.approx(want)
    assert nested.p_difference == counted.p_difference
    assert nested.p_equivalence(0.3) == counted.p_equivalence(0.3)
    np.testing.assert_allclose(nested.interval(), counted.interval(), rtol=1e-6)


def test_where_the_effect_lies_decides_which_band_p_is_small():
    strong = fitted(5, effect=2.0, clusters=20)
    assert strong.p_minimal_effect(0.5) < 0.01 < 0.9 < strong.p_equivalence(0.5)
    y, x, z, label = world(5, effect=-2.0, clusters=20)
    down = wild_bootstrap(y, x, z, label, rng=seed_for(1), draws=999)
    assert down.p_minimal_effect(0.5) < 0.01 < 0.9 < down.p_equivalence(0.5)
    weak = fitted(6, effect=0.0, clusters=20, size=40)
    assert weak.p_equivalence(1.0) < 0.01 < 0.9 < weak.p_minimal_effect(1.0)


def test_turning_the_sign_of_y_turns_the_estimate_alone():
    y, x, z, label = world(7, effect=0.4)
    up, down = (
        wild_bootstrap(sign * y, x, z, label, rng=seed_for(1), draws=999) for sign in (1, -1)
    )
    assert down.estimate == pytest.approx(-up.estimate)
    assert down.p_difference == up.p_difference
    # Webb's weights are symmetric, the draws only nearly: one-sided p differ a little.
    assert down.p_equivalence(0.5) == pytest.approx(up.p_equivalence(0.5), abs=0.05)
    assert down.p_minimal_effect(0.1) == pytest.approx(up.p_minimal_effect(0.1), abs=0.05)


def test_a_larger_band_is_easier_to_be_inside_of():
    effect = fitted(8, effect=0.2)
    bands = (0.1, 0.3, 0.6, 1.0)
    inside = [effect.p_equivalence(bound) for bound in bands]
    beyond = [effect.p_minimal_effect(bound) for bound in bands]
    assert inside == sorted(inside, reverse=True)
    assert beyond == sorted(beyond)


def test_one_term_together_is_that_term():
    for seed in range(3):
        y, x, z, label = world(seed, effect=0.2)
        alone = wild_bootstrap(y, x, z, label, rng=seed_for(1), draws=1_999)
        together = joint_p(y, x[:, None], z, label, rng=seed_for(1), draws=1_999)
        assert together == pytest.approx(alone.p_difference, abs=1e-9)


def test_terms_together_equal_refits():
    y, x, z, label = world(9, effect=0.2, controls=3)
    x = np.column_stack([x, z[:, 2:]])
    z = z[:, :2]
    p = joint_p(y, x, z, label, rng=np.random.default_rng(5), draws=99)
    weights = WEBB[np.random.default_rng(5).integers(0, 6, size=(99, 12))]
    rest = sm.OLS(y, z).fit().resid

    def wald(outcome):
        fit = crv1(outcome, np.column_stack([x, z]), label)
        b = fit.params[:3]
        return b @ np.linalg.solve(fit.cov_params()[:3, :3], b)

    drawn = np.array([wald(w[label] * rest) for w in weights])
    assert p == (1 + (drawn >= wald(y)).sum()) / 100


def test_the_basis_of_terms_together_does_not_matter():
    y, x, z, label = world(10, effect=0.3, controls=2)
    x, z = np.column_stack([x, z[:, 2]]), z[:, :2]
    mixed = x @ np.array([[2.0, 1.0], [-1.0, 3.0]])
    one, other = (joint_p(y, part, z, label, rng=seed_for(1), draws=999) for part in (x, mixed))
    assert one == other


def test_size_under_the_null():
    """About 5 % of 300 worlds of 12 clusters are rejected, by a 99.9 % binomial interval."""
    worlds = 300
    alone, together = [], []
    for seed in range(worlds):
        y, x, z, label = world(seed, controls=2)
        rng = seed_for(seed, "size")
        alone.append(wild_bootstrap(y, x, z, label, rng=rng, draws=399).p_difference)
        both = np.column_stack([x, np.random.default_rng(seed).normal(size=12)[label]])
        together.append(joint_p(y, both, z[:, :2], label, rng=rng, draws=399))
    low, high = stats.binom.interval(0.999, worlds, 0.05)
    for found in (alone, together):
        assert low <= sum(p <= 0.05 for p in found) <= high


def test_the_truth_is_mostly_not_rejected():
    worlds = 150
    covered = 0
    for seed in range(worlds):
        y, x, z, label = world(seed, effect=0.5)
        fit = wild_bootstrap(y, x, z, label, rng=seed_for(seed), draws=199)
        covered += fit.p_of(0.5) >= 0.05
    low, high = stats.binom.interval(0.999, worlds, 0.95)
    assert low <= covered <= high


def test_same_seed_same_numbers():
    one, two = fitted(11, effect=0.3), fitted(11, effect=0.3)
    assert one.p_difference == two.p_difference
    assert one.interval() == two.interval()
    y, x, z, label = world(11)
    pair = [joint_p(y, x[:, None], z, label, rng=seed_for(2), draws=99) for _ in range(2)]
    assert pair[0] == pair[1]


def test_names_and_order_of_clusters_do_not_matter_much():
    y, x, z, label = world(12, effect=0.3)
    turned = np.random.default_rng(1).permutation(len(y))
    names = np.array([f"account {number}" for number in label])
    one = wild_bootstrap(y, x, z, label, rng=seed_for(1), draws=999)
    two = wild_bootstrap(y[turned], x[turned], z[turned], label[turned], rng=seed_for(1), draws=999)
    other = wild_bootstrap(y, x, z, names, rng=seed_for(1), draws=9_999)
    assert two.estimate == pytest.approx(one.estimate)
    assert two.p_difference == one.p_difference
    assert other.p_difference == pytest.approx(one.p_difference, abs=0.05)


def test_random_numbers_depend_on_names_alone():
    first = seed_for(1, "a", "H2").random()
    seed_for(1, "b", "H3").random(1_000)
    assert seed_for(1, "a", "H2").random() == first
    others = [seed_for(2, "a", "H2"), seed_for(1, "H2", "a"), seed_for(1, "a"), seed_for(1)]
    assert first not in [rng.random() for rng in others]


def test_random_numbers_do_not_depend_on_the_session():
    """Python's own hash would: it is salted anew in every session. 3904355907 is crc32 of "a"."""
    assert seed_for(1, "a").random() == np.random.default_rng([1, 3904355907]).random()


def test_detectable_is_what_a_test_finds_in_four_of_five_samples():
    effect = fitted(13)
    want = stats.t.ppf(0.975, 11) + stats.t.ppf(0.8, 11)
    assert effect.detectable == pytest.approx(want * effect.std_error)


def test_inputs_are_not_changed():
    inputs = world(14)
    before = [one.copy() for one in inputs]
    wild_bootstrap(*inputs, rng=seed_for(1), draws=9)
    for one, other in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(one, other)


Y, X, Z, LABEL = world(15)
REFUSED = {
    "few clusters": ((Y, X, Z, LABEL % 4), "4 clusters; the wild bootstrap needs at least 5"),
    "a control": ((Y, Z[:, 1] * 3, Z, LABEL), "the predictor repeats the controls"),
    "a constant": ((Y, np.full(len(Y), 7.0), Z, LABEL), "the predictor repeats the controls"),
    "nothing": ((Y, 0 * X, Z, LABEL), "the predictor repeats the controls"),
    "a perfect fit": ((X * 0.0, X, Z, LABEL), "the residuals leave no error"),
}


@pytest.mark.parametrize(("inputs", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_fitted_says_so(inputs, reason):
    with pytest.raises(FitError, match=reason):
        wild_bootstrap(*inputs, rng=seed_for(1), draws=9)


def test_five_clusters_are_enough():
    assert wild_bootstrap(Y, X, Z, LABEL % 5, rng=seed_for(1), draws=9).df == 4


def test_terms_that_cannot_be_tested_together_say_so():
    with pytest.raises(FitError, match="the terms repeat each other or the controls"):
        joint_p(Y, np.column_stack([X, 2 * X]), Z, LABEL, rng=seed_for(1), draws=9)
    with pytest.raises(FitError, match="the terms repeat each other or the controls"):
        joint_p(Y, np.column_stack([X, Z[:, 1]]), Z, LABEL, rng=seed_for(1), draws=9)
    wide = np.random.default_rng(1).normal(size=(len(Y), 12))
    with pytest.raises(FitError, match="12 terms together need more than 12 clusters"):
        joint_p(Y, wide, Z, LABEL, rng=seed_for(1), draws=9)
