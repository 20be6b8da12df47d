"""Our estimates against R's, on the same rows: see tests/reference/README.md."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smo_research.datasets.catalog import dataset
from smo_research.evidence.comeback import OUTCOMES, TERMS, comparable, return_when_answered
from smo_research.evidence.few import seed_for
from smo_research.evidence.follower_samples import follower_rows, prepared
from smo_research.evidence.followers import least_squares
from smo_research.evidence.hypotheses import contrast
from smo_research.evidence.lasting import lasting_growth
from smo_research.evidence.models import poisson
from smo_research.evidence.negative_binomial import negative_binomial
from smo_research.evidence.returning import first_contacts
from smo_research.evidence.samples import ADJUSTMENT, growth_sample, whole, without_effects
from smo_research.measures.panel import follower_panel, panel

FOLDER = Path(__file__).with_name("reference")
BOTH = pytest.mark.parametrize("name", ["collegemsg", "mathoverflow"])
OTHER_ROWS = "not the rows R saw: make tests/reference anew"

pytestmark = pytest.mark.data


def reference(file, name, model):
    rows = pd.read_csv(FOLDER / f"{file}.csv", comment="#")
    return rows[(rows["dataset"] == name) & (rows["model"] == model)].set_index("term")


@cache
def contacts_of(name, tables):
    return first_contacts(tables.interactions, windows=dataset(name).windows)


@cache
def answering_sample(name, tables):
    windows = dataset(name).windows
    return growth_sample(panel(tables.interactions, windows=windows), "H3", windows=windows)


def assert_agrees(fit, expected, error, *, coefficients, errors=0.002):
    """Coefficients within an absolute, errors within a relative distance."""
    assert (fit.n_obs, fit.n_accounts) == tuple(expected[["n_obs", "n_accounts"]].iloc[0]), (
        OTHER_ROWS
    )
    terms = expected.index
    np.testing.assert_allclose(
        fit.coefficients[terms], expected["estimate"], rtol=0, atol=coefficients
    )
    np.testing.assert_allclose(fit.std_errors[terms], error, rtol=errors)


@BOTH
@pytest.mark.parametrize("model", list(OUTCOMES))
def test_return_equals_a_stratified_cox_model(real, name, model):
    """R, h5_return.R.

    coxph(Surv(one, outcome) ~ answered + log_acts_j + log_acts_i + strata(account_id),
    ties = "breslow") with one = 1, and + cluster(account_id) for its robust error; two-way by
    vcovCL(cluster = account_id, contact_id; type = "HC0", cadjust = TRUE).
    """
    expected = reference("h5_return", name, model)
    flags = dict.fromkeys(["answered", "returned", "elsewhere"], int)
    rows = comparable(whole(contacts_of(name, real(name)).astype(flags)), OUTCOMES[model]).rows
    for cluster, error in [
        ("account_id", "error_by_account"),
        (["account_id", "contact_id"], "error_two_way"),
    ]:
        fit = poisson(rows, OUTCOMES[model], TERMS, effects=["account_id"], cluster=cluster)
        assert_agrees(fit, expected, expected[error], coefficients=1e-6)


@BOTH
def test_return_reports_what_r_found(real, name):
    """R, h5_return.R: the numbers of the result, with two-way errors."""
    result = return_when_answered(contacts_of(name, real(name)), dataset=name)
    for model in OUTCOMES:
        expected = reference("h5_return", name, model).loc["answered"]
        effect = result.effects[model, "total", "answered"]
        assert effect.estimate == pytest.approx(expected["estimate"], abs=1e-5)
        assert effect.std_error == pytest.approx(expected["error_two_way"], rel=0.01)


def small_sample(expected):
    """Our factor of an error, G / (G - 1) x (n - 1) / (n - k); `parameters` is k."""
    n, accounts, k = expected[["n_obs", "n_accounts", "parameters"]].iloc[0]
    return np.sqrt(accounts / (accounts - 1) * (n - 1) / (n - k))


FIRST_ACCOUNTS = 150
RIGHT_HAND_SIDE = ["answering", *ADJUSTMENT, "schedule_focus", "burstiness"]


@BOTH
def test_answering_between_equals_glm(real, name):
    """R, h3_between.R.

    glm(lasting_audience ~ answering + factor(inbound_class) + ... + factor(period), poisson) and
    vcovCL(cluster = ~account_id, type = "HC1", cadjust = TRUE).
    """
    expected = reference("h3_between", name, "between")
    sample = without_effects(answering_sample(name, real(name)), "lasting_audience", ["period"])
    terms = [*RIGHT_HAND_SIDE, "schedule_focus_missing"]
    fit = poisson(sample.rows, "lasting_audience", terms, effects=["period"])
    assert_agrees(fit, expected, expected["error_by_account"], coefficients=1e-6, errors=1e-4)


def test_answering_within_equals_glm(real):
    """R, h3_within.R.

    glm(lasting_audience ~ ... + factor(account_id) + factor(period), poisson) and
    vcovCL(cluster = ~account_id, type = "HC0", cadjust = TRUE). Ours also has (n - 1) / (n - k), k
    the parameters without the effects of accounts, which are nested in the clusters (HC1 in R
    would count them: errors 6 % larger here).
    """
    expected = reference("h3_within", "collegemsg", "within")
    by = ["account_id", "period"]
    sample = without_effects(
        answering_sample("collegemsg", real("collegemsg")), "lasting_audience", by
    )
    terms = [*RIGHT_HAND_SIDE, "schedule_focus_missing"]
    fit = poisson(sample.rows, "lasting_audience", terms, effects=by)
    n, k = expected["n_obs"].iloc[0], expected["parameters"].iloc[0]
    error = expected["error_by_account"] * np.sqrt((n - 1) / (n - k))
    assert_agrees(fit, expected, error, coefficients=1e-6, errors=0.001)


def test_answering_within_equals_a_stratified_cox_model(real):
    """R, h3_within_cox.R.

    coxph(Surv(one, event) ~ ... + factor(period) + offset(shift) + strata(account_id) +
    cluster(account_id), weights = events, ties = "breslow"): each row at risk once, its count as
    the weight of an event that the offset takes out of the risk set. Its robust error has no
    factor; ours has G / (G - 1) x (n - 1) / (n - k), k without the effects of accounts.
    """
    expected = reference("h3_within_cox", "mathoverflow", "within")
    by = ["account_id", "period"]
    sample = without_effects(
        answering_sample("mathoverflow", real("mathoverflow")), "lasting_audience", by
    )
    terms = [*RIGHT_HAND_SIDE, "schedule_focus_missing"]
    fit = poisson(sample.rows, "lasting_audience", terms, effects=by)
    error = expected["error_by_account"] * small_sample(expected)
    assert_agrees(fit, expected, error, coefficients=1e-6, errors=0.001)


@BOTH
def test_negative_binomial_equals_glm_nb(real, name):
    """R, h3_negative_binomial.R.

    MASS::glm.nb(lasting_audience ~ ... + factor(period)) and
    vcovCL(cluster = ~account_id, type = "HC1", cadjust = TRUE).
    """
    expected = reference("h3_negative_binomial", name, "negative binomial")
    sample = without_effects(answering_sample(name, real(name)), "lasting_audience", ["period"])
    terms = [*RIGHT_HAND_SIDE, "schedule_focus_missing"]
    fit = negative_binomial(sample.rows, "lasting_audience", terms, effect="period")
    assert_agrees(fit, expected, expected["error_by_account"], coefficients=1e-6, errors=1e-4)
    assert fit.dispersion == pytest.approx(expected["dispersion"].iloc[0], rel=1e-5)
    assert fit.log_likelihood == pytest.approx(expected["log_likelihood"].iloc[0], abs=1e-4)


@pytest.mark.parametrize(
    ("name", "term"), [("candidates-2020", "reply_share"), ("youtube-entertainment", "cadence")]
)
def test_follower_growth_within_equals_plm(real, name, term):
    """R, followers_within.R.

    plm(lasting_growth ~ ..., model = "within", effect = "twoways") and
    vcovHC(method = "arellano", type = "HC0", cluster = "group"), times our own factor.
    """
    expected = reference("followers_within", name, "within")
    tables = real(name)
    rows = follower_panel(tables.followers, tables.posts, windows=dataset(name).windows)
    rows = prepared(follower_rows(rows, (term,)).rows)
    rows = rows.dropna(subset=["lasting_growth", *expected.index])
    number = pd.Series(pd.factorize(rows["account_id"])[0], rows.index)
    rows = rows[number < FIRST_ACCOUNTS]
    rows = rows[rows.groupby("account_id")["period"].transform("size") > 1]
    size = (len(rows), rows["account_id"].nunique())
    assert size == tuple(expected[["n_obs", "n_accounts"]].iloc[0]), OTHER_ROWS
    for tested in expected.index:
        effect = least_squares(
            rows,
            "lasting_growth",
            tested,
            [other for other in expected.index if other != tested],
            effects=["account_id", "period"],
            step=1.0,
            rng=seed_for(1),
            draws=9,
        )
        error = expected["error_by_account"] * small_sample(expected)
        assert effect.estimate == pytest.approx(expected.loc[tested, "estimate"], abs=1e-8)
        assert effect.std_error == pytest.approx(error[tested], rel=1e-6)


@BOTH
def test_answering_reports_what_r_found(real, name):
    """R, h3_between.R and h3_within.R: the effects of the result, per contrast."""
    windows = dataset(name).windows
    rows = panel(real(name).interactions, windows=windows)
    result = lasting_growth(rows, "H3", windows=windows, dataset=name)
    models = {"between": "h3_between", "negative binomial": "h3_negative_binomial"}
    within = {"within": "h3_within"} if name == "collegemsg" else {}
    for model, file in (models | within).items():
        expected = reference(file, name, model).loc["answering"]
        effect = result.effects[model, "total", "answering"]
        step = contrast("answering")
        assert effect.estimate == pytest.approx(expected["estimate"] * step, abs=1e-5)
        assert effect.std_error == pytest.approx(expected["error_by_account"] * step, rel=0.01)
