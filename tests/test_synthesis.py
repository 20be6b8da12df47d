"""The data sets together: by hand, against metafor and statsmodels, and what is pooled at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from smo_research.errors import DataError, FitError
from smo_research.evidence.effects import Effect
from smo_research.evidence.few import seed_for
from smo_research.evidence.random_effects import random_effects
from smo_research.evidence.result import VOCABULARY, Result, effect_row, evidence_row, untested
from smo_research.evidence.synthesis import ALL, HETEROGENEITY, MEAN, PREDICTION, UNEXPLORED, pool
from smo_research.evidence.verdicts import deciding

FOLDER = Path(__file__).with_name("reference")
REFERENCE = pd.read_csv(FOLDER / "meta.csv", comment="#").set_index("example")
SETS = pd.read_csv(FOLDER / "meta_rows.csv")
EXPLORATORY = ("mathoverflow", "collegemsg")
T2 = 4.302652729911275  # 97.5 % of t(2)


def example(name):
    rows = SETS[SETS["example"] == name]
    return rows["estimate"].to_numpy(), rows["std_error"].to_numpy()


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def test_three_sets_that_agree():
    """By hand. Errors 0.1, 0.2, 0.2: weights 100, 25, 25, together 150.

    Mean (100·0.1 + 25·0.2 + 25·0.3) / 150 = 22.5 / 150 = 0.15; distances 0.05, 0.05, 0.15.
    Slope of the likelihood at tau² = 0: Σw²d² - Σw + Σw²/Σw = 40.625 - 150 + 75 < 0: tau² = 0.
    Q = 100·0.0025 + 25·0.0025 + 25·0.0225 = 0.875, so q = 0.875 / 2 = 0.4375, below 1.
    Variance 1/150, or 0.4375/150 with q as it is. p of Q with 2 degrees of freedom: exp(-Q/2).
    """
    pooled = random_effects([0.1, 0.2, 0.3], [0.1, 0.2, 0.2])
    assert (pooled.tau2, pooled.i2, pooled.tau2_low) == (0.0, 0.0, 0.0)
    assert pooled.mean.estimate == close(0.15)
    assert pooled.q == close(0.875)
    assert pooled.p_q == close(np.exp(-0.4375))
    assert pooled.mean.std_error == close(np.sqrt(1 / 150))
    assert pooled.mean.df == 2
    reach = T2 * np.sqrt(1 / 150)
    assert pooled.mean.interval() == (close(0.15 - reach), close(0.15 + reach))
    plain = random_effects([0.1, 0.2, 0.3], [0.1, 0.2, 0.2], at_least_sampling=False)
    assert plain.mean.std_error == close(np.sqrt(0.4375 / 150))


def test_three_sets_that_differ():
    """By hand, errors all 0.1, so that REML is the sample variance less v.

    Variance of (0, 0.3, 0.6) is 0.09, so tau² = 0.09 - 0.01 = 0.08; all weights are 1/0.09.
    Mean 0.3, q = (0.09 + 0 + 0.09) / 0.09 / 2 = 1, variance 0.09 / 3 = 0.03.
    Q = (0.09 + 0.09) / 0.01 = 18; the typical variance is v, so I² = 0.08 / 0.09.
    """
    pooled = random_effects([0.0, 0.3, 0.6], [0.1, 0.1, 0.1])
    assert pooled.tau2 == close(0.08)
    assert pooled.i2 == close(8 / 9)
    assert pooled.mean.estimate == close(0.3)
    assert pooled.mean.std_error == close(np.sqrt(0.03))
    assert pooled.mean.interval()[1] == close(0.3 + T2 * np.sqrt(0.03))
    assert (pooled.q, pooled.p_q) == (close(18), close(np.exp(-9)))


@pytest.mark.parametrize("name", REFERENCE.index)
def test_equals_metafor(name):
    """R, meta.R: rma(method = "REML"; test = "adhoc" and "knha"), confint, and t(k - 2) by hand."""
    expected = REFERENCE.loc[name]
    pooled = random_effects(*example(name))
    plain = random_effects(*example(name), at_least_sampling=False)
    low, high = pooled.mean.interval()
    found = {
        "sets": pooled.sets,
        "estimate": pooled.mean.estimate,
        "tau2": pooled.tau2,
        "tau2_low": pooled.tau2_low,
        "tau2_high": pooled.tau2_high,
        "q": pooled.q,
        "p_q": pooled.p_q,
        "i2": pooled.i2,
        "plain_error": plain.mean.std_error,
        "plain_p": plain.mean.p_difference,
        "std_error": pooled.mean.std_error,
        "ci_low": low,
        "ci_high": high,
        "p_value": pooled.mean.p_difference,
    }
    if pooled.sets >= 5:
        found["prediction_low"], found["prediction_high"] = pooled.prediction()
    np.testing.assert_allclose(
        list(found.values()), expected[list(found)].to_numpy(float), rtol=1e-9, atol=1e-12
    )


def test_equals_statsmodels_where_it_can():
    """With equal errors Paule and Mandel's tau² is REML's; statsmodels has no REML of its own."""
    from statsmodels.stats.meta_analysis import combine_effects

    y, error = example("five with equal errors")
    theirs = combine_effects(y, error**2, method_re="iterated", atol=1e-12)
    plain = random_effects(y, error, at_least_sampling=False)
    assert plain.tau2 == pytest.approx(theirs.tau2, rel=1e-6)
    assert plain.mean.estimate == pytest.approx(theirs.mean_effect_re, rel=1e-9)
    assert plain.mean.std_error == pytest.approx(theirs.sd_eff_w_re_hksj, rel=1e-6)
    assert plain.q == pytest.approx(theirs.q, rel=1e-9)


@pytest.mark.parametrize(
    ("y", "error"),
    [
        ([0.14, -1.58, 0.15], [0.05, 0.69, 0.29]),
        ([-0.59, -1.93, -0.65, 1.77], [0.05, 1.43, 0.06, 0.91]),
        *[example(name) for name in REFERENCE.index],
    ],
)
def test_no_other_tau2_is_more_likely(y, error):
    """The restricted likelihood is that of the differences to the first set, a plain normal.

    The first two have two peaks, one at 0: the other is the higher one of the first alone.
    """
    y, error = np.asarray(y), np.asarray(error)
    differences = np.column_stack([-np.ones(len(y) - 1), np.eye(len(y) - 1)])

    def likelihood(tau2):
        covariance = differences @ np.diag(error**2 + tau2) @ differences.T
        return stats.multivariate_normal(cov=covariance).logpdf(differences @ y)

    best = likelihood(random_effects(y, error).tau2)
    grid = np.concatenate([[0.0], np.geomspace(1e-8, 100, 500)])
    assert max(likelihood(tau2) for tau2 in grid) <= best + 1e-9


def test_order_and_scale_do_not_matter():
    y, error = example("eight")
    pooled = random_effects(y, error)
    turned = random_effects(y[::-1], error[::-1])
    np.testing.assert_allclose(turned.mean.interval(), pooled.mean.interval(), rtol=1e-9)
    scaled = random_effects(100 * y + 3, 100 * error)
    assert scaled.tau2 == pytest.approx(1e4 * pooled.tau2, rel=1e-9)
    assert scaled.mean.estimate == pytest.approx(100 * pooled.mean.estimate + 3, rel=1e-9)


def test_sets_all_alike_have_no_variance_between_them():
    pooled = random_effects([0.2] * 4, [0.1, 0.2, 0.3, 0.4])
    assert (pooled.tau2, pooled.tau2_high) == (0.0, 0.0)
    assert (pooled.q, pooled.p_q) == (close(0), close(1))
    assert pooled.mean.std_error > 0
    plain = random_effects([0.2] * 4, [0.1, 0.2, 0.3, 0.4], at_least_sampling=False)
    assert plain.mean.std_error == close(0)


def test_too_few_sets_are_refused_by_name():
    with pytest.raises(FitError, match="a mean needs 3 sets; here 2"):
        random_effects([0.1, 0.2], [0.1, 0.1])
    with pytest.raises(FitError, match="a prediction interval needs 5 sets; here 3"):
        random_effects([0.1, 0.2, 0.3], [0.1, 0.1, 0.1]).prediction()


@pytest.mark.parametrize(
    ("y", "error"),
    [
        ([0.1, 0.2, 0.3], [0.1, 0.1]),
        ([0.1, 0.2, np.nan], [0.1, 0.1, 0.1]),
        ([0.1, 0.2, 0.3], [0.1, 0.0, 0.1]),
        ([0.1, 0.2, 0.3], [0.1, np.inf, 0.1]),
    ],
)
def test_bad_numbers_are_refused(y, error):
    with pytest.raises(DataError, match="std_errors"):
        random_effects(y, error)


def coverage(errors, between, *, worlds=300):
    """Shares of worlds with mean 0.3 whose interval holds it: as it is, with the unmodified error.

    And the share of prediction intervals that hold the effect in one more set.
    """
    errors, rng = np.asarray(errors), seed_for(1, "coverage", str(errors))
    effects = 0.3 + between * rng.normal(size=(worlds, len(errors)))
    held = plain = predicted = 0
    for y in effects + errors * rng.normal(size=effects.shape):
        pooled = random_effects(y, errors)
        off = abs(pooled.mean.estimate - 0.3)
        weights = 1 / (errors**2 + pooled.tau2)
        q = weights @ (y - pooled.mean.estimate) ** 2 / (len(errors) - 1)
        reach = stats.t.ppf(0.975, pooled.mean.df) / np.sqrt(weights.sum())
        held += off <= reach * np.sqrt(max(1, q))
        plain += off <= reach * np.sqrt(q)
        if len(errors) >= 5:
            low, high = pooled.prediction()
            predicted += low <= 0.3 + between * rng.normal() <= high
    return held / worlds, plain / worlds, predicted / worlds


NOISE = 3 * np.sqrt(0.95 * 0.05 / 300)


@pytest.mark.parametrize("between", [0.0, 0.2])
def test_intervals_hold_the_truth_where_errors_are_equal(between):
    held, plain, _ = coverage([0.1] * 4, between)
    assert abs(plain - 0.95) < NOISE
    assert plain <= held


def test_where_errors_differ_the_modified_interval_holds_more_often():
    """Errors of the four sets of H5: nine in ten, not 95 in 100; the unmodified, five in six."""
    held, plain, _ = coverage(example("four with one far larger")[1], 0.17)
    assert held > 0.9 - NOISE
    assert plain < held - 0.02


def test_one_more_set_lies_where_predicted():
    _, _, predicted = coverage(example("eight")[1], 0.6)
    assert predicted > 0.95 - NOISE


MADE = {
    "H1": ("posts", "engagement", "ln ratio if so"),
    "H2": ("between", "lasting_audience", "ln ratio per +0.25"),
    "H3": ("between", "lasting_audience", "ln ratio per +0.25"),
    "H4": ("contest", "lasting_growth", "nats per row"),
    "H5": ("landmark", "returned", "ln ratio if answered"),
}
FOUR = {"mathoverflow": 0.42, "collegemsg": 0.13, "delab-twitter": 0.07, "delab-reddit": 0.10}


def made(hypothesis, dataset, outcome=None, unit=None, **terms):
    """A result that the given terms decide, each with an error of 0.1."""
    model, usual, usually = MADE[hypothesis]
    effects = {(model, "total", term): Effect(value, 0.1, 200) for term, value in terms.items()}
    rows = [
        effect_row(
            effect,
            hypothesis=hypothesis,
            dataset=dataset,
            model=model,
            block="total",
            term=term,
            unit=unit or usually,
            n_obs=1_000,
            n_accounts=201,
        )
        for (_, _, term), effect in effects.items()
    ]
    rows.append(
        evidence_row(hypothesis=hypothesis, dataset=dataset, model="placebo", block="total")
    )
    formula = f"{outcome or usual} ~ {' + '.join(terms)} | account_id"
    hashes = {"log.csv": f"hash of {dataset}"}
    return Result(
        *(hypothesis, dataset, pd.DataFrame(rows), "none"),
        **{"formula": formula, "effects": effects, "data_hashes": hashes},
    )


def answered(values):
    return [made("H5", name, answered=value) for name, value in values.items()]


def pooled_rows(results, exploratory=EXPLORATORY):
    table = pd.concat([one.table for one in pool(results, exploratory=exploratory)])
    return table.set_index(["model", "block", "term"]).sort_index()


def test_four_sets_have_a_mean_and_two_have_none():
    (result,) = pool(answered(FOUR), exploratory=EXPLORATORY)
    expected = random_effects(list(FOUR.values()), [0.1] * 4)
    assert list(result.table) == VOCABULARY
    assert (result.hypothesis, result.dataset, result.reason) == ("H5", "pooled", "")
    rows = result.table.set_index(["model", "block"])
    mean = rows.loc[[(MEAN, ALL)]].iloc[0]
    assert mean["estimate"] == close(expected.mean.estimate)
    assert mean["std_error"] == close(expected.mean.std_error)
    assert (mean["ci_low"], mean["ci_high"]) == tuple(map(close, expected.mean.interval()))
    assert mean["p_value"] == close(expected.mean.p_difference)
    assert (mean["unit"], mean["n_obs"], mean["n_accounts"]) == ("ln ratio if answered", 4_000, 804)
    prediction = rows.loc[[(PREDICTION, ALL)]].iloc[0]
    assert prediction["reason"] == "a prediction interval needs 5 sets; here 4"
    assert np.isnan(prediction["ci_low"])
    without = rows.loc[[(MEAN, UNEXPLORED)]].iloc[0]
    assert without["reason"] == "a mean needs 3 sets; here 2"
    assert without[["estimate", "std_error", "ci_low", "ci_high", "p_value"]].isna().all()
    differ = rows.loc[(HETEROGENEITY, ALL)].set_index("unit")
    assert differ.loc["tau^2", ["estimate", "ci_low", "ci_high"]].to_list() == [
        close(expected.tau2),
        close(expected.tau2_low),
        close(expected.tau2_high),
    ]
    assert differ.loc["Q", ["estimate", "p_value"]].to_list() == [
        close(expected.q),
        close(expected.p_q),
    ]
    assert differ.loc["I^2 (share)", "estimate"] == close(expected.i2)
    assert result.notes == (
        "answered, all sets: collegemsg, delab-reddit, delab-twitter, mathoverflow",
    )
    assert result.data_hashes["delab-reddit/log.csv"] == "hash of delab-reddit"


def test_five_sets_have_a_prediction_interval():
    values = FOUR | {"five": 0.2, "six": 0.5, "seven": -0.1}
    rows = pooled_rows(answered(values)).xs("answered", level="term")
    row = rows.loc[[(PREDICTION, ALL)]].iloc[0]
    expected = random_effects(list(values.values()), [0.1] * 7).prediction()
    assert (row["ci_low"], row["ci_high"]) == tuple(map(close, expected))
    assert np.isnan(row["estimate"])
    assert row["reason"] == ""
    assert rows.loc[[(PREDICTION, UNEXPLORED)]].iloc[0]["n_obs"] == 5_000


def test_nothing_pooled_is_ever_judged():
    (result,) = pool(answered(FOUR), exploratory=EXPLORATORY)
    assert deciding(result) == ("", {})
    assert (result.table[["verdict", "grade"]] == "").all(axis=None)


def test_order_of_the_results_does_not_matter():
    results = [*answered(FOUR), *(made("H3", name, answering=v) for name, v in FOUR.items())]
    one, other = pooled_rows(results), pooled_rows(results[::-1])
    pd.testing.assert_frame_equal(one, other)


def test_without_exploratory_sets_all_is_said_once():
    rows = pooled_rows(answered(FOUR), exploratory=())
    assert set(rows.index.get_level_values("block")) == {ALL}


def test_only_the_same_outcome_and_contrast_are_pooled():
    results = [made("H3", name, answering=0.1) for name in "abc"]
    results.append(made("H3", "d", outcome="lasting_growth", answering=9.0))
    results.append(made("H3", "e", unit="ln ratio per +0.5", answering=9.0))
    found = pool(results, exploratory=())
    assert [one.formula.partition(":")[0] for one in found] == [
        "lasting_audience",
        "lasting_growth",
    ]
    first, second = (one.table[one.table["model"] == MEAN].set_index("unit") for one in found)
    assert first.loc["ln ratio per +0.25", "estimate"] == close(0.1)
    assert first.loc["ln ratio per +0.5", "reason"] == "a mean needs 3 sets; here 1"
    assert second["reason"].to_list() == ["a mean needs 3 sets; here 1"]
    assert found[1].reason == "a mean needs 3 sets; here 1"


def test_where_only_timing_is_measured_h2_is_not_pooled():
    results = [made("H2", name, schedule_focus=0.1, burstiness=0.1) for name in "abc"]
    rows = pooled_rows(results)
    assert set(rows["reason"]) == {"not pooled, schedule only: a, b, c"}
    assert rows["estimate"].isna().all()
    full = [made("H2", name, schedule_focus=0.3, hashtag_rate=0.1) for name in "def"]
    (both,) = pool([*results, *full], exploratory=())
    row = both.table[(both.table["term"] == "schedule_focus") & (both.table["model"] == MEAN)]
    assert row["estimate"].item() == close(0.3)
    assert row["n_obs"].item() == 3_000
    assert any("a left out, schedule only" in note for note in both.notes)


def test_every_tweak_is_pooled_not_the_one_with_the_smallest_p():
    results = [made("H1", name, has_link=0.1 * n, has_media=1.0) for n, name in enumerate("abc")]
    rows = pooled_rows(results)
    assert rows.loc[(MEAN, ALL, "has_link"), "estimate"].item() == close(0.1)
    assert rows.loc[(MEAN, ALL, "has_media"), "estimate"].item() == close(1.0)


@pytest.mark.parametrize(
    ("hypothesis", "term", "reason"),
    [
        ("H1", "type_video", "each set compares with a type of its own"),
        ("H4", "margin", "nats per row depend on the outcome, which differs between sets"),
    ],
)
def test_what_is_not_alike_is_not_pooled(hypothesis, term, reason):
    rows = pooled_rows([made(hypothesis, name, **{term: 0.1}) for name in "abc"])
    assert rows["reason"].to_list() == [f"not pooled, {reason}: a, b, c"]


def test_what_has_no_deciding_effect_is_passed_over():
    described = evidence_row(
        hypothesis="H2", dataset="chosen", model="described", block="total", estimate=9.0
    )
    results = [
        untested("H5", "empty", "none", "too few rows"),
        Result("H2", "chosen", pd.DataFrame([described]), "none", formula="growth ~ cadence"),
    ]
    assert pool(results, exploratory=()) == []


def test_a_set_that_comes_twice_is_refused():
    with pytest.raises(DataError, match="each data set once for H5"):
        pool(answered({"a": 0.1}) * 2, exploratory=())


def test_an_error_that_is_not_known_leaves_a_set_out():
    results = answered(FOUR)
    key = ("landmark", "total", "answered")
    odd = made("H5", "odd", answered=0.1)
    odd = Result(
        *("H5", "odd", odd.table, ""), effects={key: Effect(0.1, np.inf, 9)}, formula=odd.formula
    )
    rows = pooled_rows([*results, odd])
    assert rows.loc[(MEAN, ALL, "answered"), "n_obs"].item() == 4_000


def test_it_prints_and_draws():
    (result,) = pool(answered(FOUR), exploratory=EXPLORATORY)
    said = result.summary()
    assert "random effects, all sets, answered: 0.180" in said
    assert "a mean needs 3 sets; here 2" in said
    assert "random effects" in result._repr_html_()
    import matplotlib.pyplot as plt

    plt.close(result.plot().figure)
