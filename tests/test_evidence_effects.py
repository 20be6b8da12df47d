"""Effects: p-values by hand, against scipy and statsmodels; Holm against statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

from smo_research.evidence.effects import Effect, holm, loudness

BOUND = -math.log(0.9)
LARGE = 1e9


def sample_and_effect(mean, n=25, seed=1):
    """A sample, and the effect that its mean is."""
    x = np.random.default_rng(seed).normal(mean, 1, n)
    return x, Effect(x.mean(), x.std(ddof=1) / math.sqrt(n), n - 1)


def test_two_standard_errors_by_hand():
    effect = Effect(0.196, 0.1, LARGE)
    assert effect.p_difference == pytest.approx(0.05, abs=1e-4)
    assert effect.interval() == pytest.approx((0.0, 0.392), abs=1e-4)
    assert effect.interval(0.9) == pytest.approx((0.196 - 0.16449, 0.196 + 0.16449), abs=1e-5)


def test_small_samples_have_wider_intervals():
    low, high = Effect(0.0, 1.0, 1).interval()
    assert (low, high) == pytest.approx((-12.706, 12.706), abs=1e-3)


@pytest.mark.parametrize("mean", [-1.0, -0.1, 0.0, 0.3])
def test_difference_equals_the_t_test(mean):
    """scipy.stats.ttest_1samp, its p-value and interval."""
    x, effect = sample_and_effect(mean)
    expected = stats.ttest_1samp(x, 0)
    assert effect.p_difference == pytest.approx(expected.pvalue, rel=1e-9)
    assert effect.interval() == pytest.approx(tuple(expected.confidence_interval()), rel=1e-9)


@pytest.mark.parametrize("mean", [-1.0, -0.1, 0.0, 0.3])
@pytest.mark.parametrize("bound", [0.1, 0.5, 2.0])
def test_equivalence_equals_tost(mean, bound):
    """statsmodels DescrStatsW.ttost_mean: the larger of two one-sided p-values."""
    x, effect = sample_and_effect(mean)
    expected = DescrStatsW(x).ttost_mean(-bound, bound)[0]
    assert effect.p_equivalence(bound) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("estimate", [BOUND, -BOUND])
def test_equivalence_at_the_bound_is_a_coin(estimate):
    assert Effect(estimate, 0.03, 100).p_equivalence(BOUND) == pytest.approx(0.5)


def test_equivalence_below_five_percent_is_a_90_percent_interval_inside_the_bounds():
    for estimate in np.linspace(-0.2, 0.2, 41):
        effect = Effect(float(estimate), 0.04, 30)
        low, high = effect.interval(0.9)
        assert (effect.p_equivalence(BOUND) < 0.05) == (low > -BOUND and high < BOUND)


@pytest.mark.parametrize("estimate", [-0.4, -0.105, 0.0, 0.05, 0.2])
def test_minimal_effect_equals_the_noncentral_chi_square(estimate):
    """With many degrees of freedom: scipy.stats.ncx2 of the squared ratio, df 1."""
    effect = Effect(estimate, 0.05, LARGE)
    expected = stats.ncx2.sf((estimate / 0.05) ** 2, 1, (BOUND / 0.05) ** 2)
    assert effect.p_minimal_effect(BOUND) == pytest.approx(expected, abs=1e-6)


def test_minimal_effect_by_hand():
    assert Effect(0.0, 0.05, LARGE).p_minimal_effect(BOUND) == pytest.approx(1.0)
    assert Effect(BOUND, 0.001, LARGE).p_minimal_effect(BOUND) == pytest.approx(0.5)
    beyond = Effect(BOUND + 1.6449 * 0.01, 0.01, LARGE)
    assert beyond.p_minimal_effect(BOUND) == pytest.approx(0.05, abs=1e-4)
    without_band = Effect(0.1, 0.05, 20)
    assert without_band.p_minimal_effect(0.0) == pytest.approx(without_band.p_difference)


def test_minimal_effect_holds_its_size_at_the_edge():
    estimates = np.random.default_rng(2).normal(BOUND, 0.05, 4_000)
    rejected = sum(Effect(e, 0.05, LARGE).p_minimal_effect(BOUND) < 0.05 for e in estimates)
    low, high = stats.binom.interval(0.999, 4_000, 0.05)
    assert low <= rejected <= high


def test_both_signs_weigh_the_same():
    up, down = Effect(0.08, 0.05, 12), Effect(-0.08, 0.05, 12)
    assert up.p_difference == down.p_difference
    assert up.p_equivalence(BOUND) == down.p_equivalence(BOUND)
    assert up.p_minimal_effect(BOUND) == down.p_minimal_effect(BOUND)


def test_detectable_is_found_in_80_of_100_samples():
    effect = Effect(0.0, 0.05, 200)
    critical = stats.t.ppf(0.975, 200)
    power = stats.nct.sf(critical, 200, effect.detectable / 0.05)
    assert power == pytest.approx(0.8, abs=0.005)
    assert Effect(0.0, 1.0, LARGE).detectable == pytest.approx(1.96 + 0.8416, abs=1e-3)


@pytest.mark.parametrize(
    ("estimate", "std_error", "heard"),
    [
        (0.0, 0.01, "quiet"),
        (0.05, 0.01, "quiet"),  # differs from none, and is inside the bounds
        (0.4, 0.05, "loud"),
        (-0.4, 0.05, "loud"),
        (0.0, 0.5, "uninformative"),
        (math.nan, math.nan, "uninformative"),
    ],
)
def test_loudness(estimate, std_error, heard):
    assert loudness(Effect(estimate, std_error, 100), BOUND) == heard


@pytest.mark.parametrize("seed", range(5))
def test_holm_equals_statsmodels(seed):
    """statsmodels multipletests(method="holm")."""
    p = np.random.default_rng(seed).uniform(0, 0.2, 6).round(2)
    ours = holm(dict(enumerate(p)), family=6)
    expected = multipletests(p, method="holm")[1]
    np.testing.assert_allclose([ours[i] for i in range(6)], expected)


def test_holm_counts_those_not_run_with_p_1():
    """statsmodels multipletests with ones appended."""
    p = {"a": 0.04, "b": 0.001, "c": 0.02}
    expected = multipletests([*p.values(), 1, 1], method="holm")[1][:3]
    ours = holm(p, family=5)
    np.testing.assert_allclose([ours[name] for name in "abc"], expected)


def test_holm_counts_missing_with_p_1():
    assert holm({"a": 0.02, "b": math.nan}, family=2) == {"a": 0.04, "b": 1.0}


def test_holm_of_nothing():
    assert holm({}, family=3) == {}


def test_family_smaller_than_the_p_values_is_refused():
    with pytest.raises(ValueError, match="family must be at least 2, but is 1"):
        holm({"a": 0.1, "b": 0.2}, family=1)
