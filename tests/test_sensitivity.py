"""How strong a confounder would have to be: published examples, and some made that strong."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from smo_research.errors import DataError
from smo_research.evidence.effects import Effect
from smo_research.evidence.few import seed_for, wild_bootstrap
from smo_research.evidence.result import VOCABULARY
from smo_research.evidence.sensitivity import e_value, robustness_value, unmeasured

WORDS = {"predictor": "answering", "outcome": "lasting growth"}


def ratio_effect(ratio, low, high):
    """An effect in ln ratio whose 95 % interval has these ends, but for rounding."""
    error = math.log(high / low) / (2 * stats.norm.ppf(0.975))
    return Effect(math.log(ratio), error, 1e9)


@pytest.mark.parametrize(
    ("ratio", "low", "high", "point", "limit", "rounding"),
    [
        (3.9, 1.8, 8.7, 7.26, 3.00, 0.005),
        (0.80, 0.71, 0.91, 1.81, 1.43, 0.005),
        (10.73, 8.02, 14.36, 20.9, 15.5, 0.051),
    ],
)
def test_equals_published_e_values(ratio, low, high, point, limit, rounding):
    """VanderWeele & Ding (2017): infant deaths and feeding; leukaemia; smoking and lung cancer."""
    assert e_value(ratio) == pytest.approx(point, abs=rounding)
    nearest = low if ratio > 1 else high
    assert e_value(nearest) == pytest.approx(limit, abs=rounding)
    found = unmeasured(ratio_effect(ratio, low, high), unit="ln ratio if so", **WORDS)
    assert found.strength == pytest.approx(point, abs=rounding)
    assert found.strength_at_limit == pytest.approx(limit, rel=0.02)


def test_no_effect_needs_no_confounder():
    assert e_value(1.0) == 1.0
    assert robustness_value(0.0, 50) == 0.0


@pytest.mark.parametrize("ratio", [1.14, 2.5, 40.0])
def test_a_confounder_of_that_strength_explains_the_ratio(ratio):
    """Ding and VanderWeele's bound on the bias: ab / (a + b - 1), with a = b = E."""
    strength = e_value(ratio)
    assert strength**2 / (2 * strength - 1) == pytest.approx(ratio)
    assert e_value(1 / ratio) == pytest.approx(strength)


@pytest.mark.parametrize("ratio", [0.0, -1.0, math.nan])
def test_a_ratio_is_above_0(ratio):
    with pytest.raises(DataError, match="ratio must be above 0"):
        e_value(ratio)


@pytest.mark.parametrize(
    ("t", "df", "q", "alpha", "expected"),
    [
        (4.18445, 783, 1, None, 0.13877635436),
        (4.18445, 783, 0.5, None, 0.0720269760473),
        (4.18445, 783, 1, 0.05, 0.076257966046),
        (-4.18445, 783, 0.5, 0.05, 0.0045627610846),
        (1.2, 40, 1, 0.05, 0.0),
        (25.0, 60, 1, None, 0.918933820772),
        (25.0, 60, 1, 0.01, 0.901890447129),
        (3.333, 7, 1, 0.05, 0.227712209448),
        (9.0, 12, 1, 0.1, 0.833135457102),
    ],
)
def test_equals_sensemakr(t, df, q, alpha, expected):
    """PySensemakr 0.0.8, robustness_value(t_statistic=t, dof=df, q=q, alpha=alpha).

    The first and third are those of Darfur in Cinelli & Hazlett (2020): 13.9 % and 7.6 %.
    """
    assert robustness_value(t, df, q=q, alpha=alpha) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("t", "df"), [(4.18445, 783), (9.0, 12), (2.5, 30), (7.0, 9)])
def test_a_confounder_of_that_strength_takes_the_significance(t, df):
    """With partial R² r of the predictor and s of the outcome the t left is

    (|t| - √(df s r / (1 - r))) √((df - 1) / df) √((1 - r) / (1 - s)); s is at most r.
    """

    def left(r, s):
        bias = math.sqrt(df * s * r / (1 - r))
        return (t - bias) * math.sqrt((df - 1) / df * (1 - r) / (1 - s))

    r = robustness_value(t, df, alpha=0.05)
    least = min(left(r, s) for s in np.linspace(0, r, 20_001))
    assert least == pytest.approx(stats.t.ppf(0.975, df - 1), rel=1e-6)


def test_a_confounder_made_that_strong_leaves_no_coefficient():
    """Planted: a column that explains just that share of what is left of both sides."""
    rng = seed_for(1, "confounder")
    z, x, noise, other = rng.normal(size=(4, 300))
    x = x + 0.5 * z
    y = 0.3 * x + z + noise
    controls = sm.add_constant(z)
    fit = sm.OLS(y, np.column_stack([x, controls])).fit()
    share = robustness_value(fit.tvalues[0], fit.df_resid)

    def rest(values, design):
        left = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
        return left / np.linalg.norm(left)

    of_x = rest(x, controls)
    of_y = rest(y, np.column_stack([x, controls]))
    new = rest(other, np.column_stack([x, y, controls]))
    # Correlation √r with what is left of x; of the remainder, √r along what is left of y.
    remainder = math.sqrt(share) * of_y + math.sqrt(1 - share) * new
    confounder = math.sqrt(share) * of_x + math.sqrt(1 - share) * remainder
    with_it = sm.OLS(y, np.column_stack([x, controls, confounder])).fit()
    assert fit.params[0] > 0.1
    assert with_it.params[0] == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize(
    ("df", "options"), [(1, {}), (50, {"q": 0.0}), (50, {"alpha": 0.0}), (50, {"alpha": 1.0})]
)
def test_bad_numbers_are_refused(df, options):
    with pytest.raises(DataError, match="df must be above 1"):
        robustness_value(2.0, df, **options)


def test_a_ratio_per_contrast_says_what_the_contrast_is():
    effect = Effect(0.135, 0.045, 19_976)
    found = unmeasured(effect, unit="ln ratio per +0.25", **WORDS)
    assert found.sentence == (
        "To explain away the ratio of 1.14 per +0.25 of answering, an unmeasured confounder would "
        "have to be associated with both answering and lasting growth by a ratio of at least 1.55 "
        "each, beyond all that is adjusted for; 1.27 each would bring its interval to no effect."
    )
    row = found.row(hypothesis="H3", dataset="mathoverflow", term="answering", n_obs=7)
    assert list(row) == VOCABULARY
    assert (row["model"], row["block"], row["unit"]) == ("sensitivity", "E-value", "ratio")
    assert row["estimate"] == pytest.approx(e_value(math.exp(0.135)))
    assert row["ci_low"] == pytest.approx(e_value(math.exp(effect.interval()[0])))
    assert math.isnan(row["p_value"])
    assert row["n_obs"] == 7


@pytest.mark.parametrize("estimate", [0.135, -0.135])
def test_an_interval_with_no_effect_in_it_needs_no_confounder(estimate):
    found = unmeasured(Effect(estimate, 0.1, 200), unit="ln ratio if answered", **WORDS)
    assert found.strength > 1.5
    assert found.strength_at_limit == 1.0
    assert found.sentence.endswith("; its interval includes no effect as it is.")
    assert " if answered, an" in found.sentence


def test_least_squares_get_a_robustness_value():
    effect = Effect(0.4, 0.1, 30)
    unit = "ln followers per +0.25"
    found = unmeasured(effect, unit=unit, residual_df=200, **WORDS)
    assert found.strength == pytest.approx(robustness_value(4.0, 200))
    assert found.strength_at_limit == pytest.approx(robustness_value(4.0, 200, alpha=0.05))
    assert found.row()["block"] == "robustness value"
    assert found.sentence == (
        "To explain away the effect per +0.25 of answering, an unmeasured confounder would have to "
        "explain at least 24.6 % of what is left of both answering and lasting growth after all "
        "that is adjusted for; 13.3 % would bring its interval to no effect."
    )
    with pytest.raises(DataError, match="residual_df must be given"):
        unmeasured(effect, unit=unit, **WORDS)


def test_where_the_bootstrap_finds_nothing_the_interval_needs_no_confounder():
    rng = seed_for(2, "few")
    label = np.repeat(np.arange(6), 20)
    x = rng.normal(size=6)[label]
    y = 0.4 * x + rng.normal(size=6)[label] + rng.normal(size=120)
    effect = wild_bootstrap(y, x, np.ones((120, 1)), label, rng=rng, draws=399)
    low, high = effect.interval()
    assert low < 0 < high
    found = unmeasured(effect, unit="ln followers per +0.25", residual_df=118, **WORDS)
    assert found.strength_at_limit == 0.0


def test_other_units_have_none():
    assert unmeasured(Effect(0.05, 0.01, 50), unit="nats per row", **WORDS) is None
