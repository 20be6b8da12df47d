"""The time-varying Cox model: by hand, against statsmodels and R, with planted hazards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smo_research.datasets.catalog import dataset
from smo_research.errors import DataError, FitError
from smo_research.evidence.cox import cox
from smo_research.evidence.exposure import SINCE_THE_ANSWER, follow
from smo_research.evidence.return_models import CONTROLS, since_rows
from smo_research.evidence.returning import first_contacts
from smo_research.evidence.risk_sets import RiskSets

FOLDER = Path(__file__).with_name("reference")


def fit(rows, strata=None, cluster=None):
    """Rows are (start, stop, event, x), or with more x."""
    start, stop, event, *x = zip(*rows, strict=True)
    n = len(rows)
    return cox(
        start,
        stop,
        event,
        np.array(x, dtype=float).T,
        strata=strata or [0] * n,
        cluster=cluster or range(n),
    )


def ratio(found):
    return float(np.exp(found.coefficients[0]))


def test_three_subjects_by_hand():
    # r / (2r + 1), then 1 / (1 + r): highest where 2 r^2 = 1.
    found = fit([(0, 1, 1, 1), (0, 2, 1, 0), (0, 3, 0, 1)])
    assert ratio(found) == pytest.approx(np.sqrt(0.5), abs=1e-9)
    r = np.sqrt(0.5)
    assert found.log_likelihood == pytest.approx(np.log(r / (2 * r + 1) / (1 + r)))
    # Minus the second derivative: of each set, its share of x = 1 times the rest.
    information = 2 * r / (2 * r + 1) ** 2 + r / (1 + r) ** 2
    assert found.covariance.iloc[0, 0] == pytest.approx(1 / information)
    assert (found.n_obs, found.n_events, found.n_clusters) == (3, 2, 3)


def test_a_term_that_changes_in_time_by_hand():
    # The first is exposed from 1 on. At 1: 1/3. At 2: r / (r + 1). At 3, the last alone: 1.
    # Another at 2 instead of it, in a second stratum: 1 / (2 r + 1). Highest where 2 r^2 = 1.
    one = [(0, 1, 0, 0), (1, 2, 1, 1), (0, 1, 1, 0), (0, 3, 1, 0)]
    other = [(0, 1, 0, 0), (1, 3, 0, 1), (0, 3, 0, 1), (0, 2, 1, 0)]
    found = fit(one + other, strata=[0] * 4 + [1] * 4)
    assert ratio(found) == pytest.approx(np.sqrt(0.5), abs=1e-9)
    assert found.log_likelihood == pytest.approx(
        np.log(1 / 3 * np.sqrt(0.5) / (np.sqrt(0.5) + 1) / (2 * np.sqrt(0.5) + 1))
    )


def test_ties_are_breslows_by_hand():
    # Two at once of three at risk: r / (r + 2)^2, highest at 2. Efron's would be another.
    assert ratio(fit([(0, 1, 1, 1), (0, 1, 1, 0), (0, 2, 0, 0)])) == pytest.approx(2, abs=1e-9)


BASE = [(0, 1, 1, 1), (0, 2, 1, 0), (0, 3, 1, 1), (0, 4, 1, 0), (0, 5, 0, 1)]


def test_who_starts_at_the_time_of_an_event_is_not_at_risk_and_who_stops_there_is():
    found = fit(BASE)
    late = fit([*BASE, (4, 9, 0, 1)])
    assert ratio(late) == pytest.approx(ratio(found), abs=1e-12)
    assert late.log_likelihood == pytest.approx(found.log_likelihood, abs=1e-12)
    assert ratio(fit([*BASE, (0, 1, 0, 0)])) > 1.01 * ratio(found)


def test_cutting_an_interval_changes_nothing():
    whole = fit(BASE, cluster=[0, 1, 2, 3, 4])
    cut = [*BASE[:4], (0, 2, 0, 1), (2, 2.5, 0, 1), (2.5, 5, 0, 1)]
    parts = fit(cut, cluster=[0, 1, 2, 3, 4, 4, 4])
    for name in ("covariance", "robust_covariance"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-9)
    assert ratio(parts) == pytest.approx(ratio(whole), abs=1e-12)


def test_time_is_only_compared_within_a_stratum():
    faster = [(start / 7, stop / 7, event, x) for start, stop, event, x in BASE]
    both = fit([*BASE, *faster], strata=["a"] * 5 + ["b"] * 5, cluster=[*range(5), *range(5)])
    one = fit(BASE)
    assert ratio(both) == pytest.approx(ratio(one), abs=1e-12)
    np.testing.assert_allclose(both.covariance, one.covariance / 2, rtol=1e-9)
    np.testing.assert_allclose(both.robust_covariance, one.robust_covariance, rtol=1e-9)


def test_order_of_rows_does_not_matter_and_input_is_kept():
    rows = survival(300, seed=4)
    before = rows.copy()
    there = fit_frame(rows)
    back = fit_frame(rows.iloc[::-1])
    pd.testing.assert_frame_equal(rows, before)
    np.testing.assert_allclose(there.coefficients, back.coefficients, rtol=0, atol=1e-10)
    np.testing.assert_allclose(there.robust_covariance, back.robust_covariance, rtol=1e-9)


TERMS = ["exposed", "size"]


def survival(n, *, seed, effects=(0.7, -0.3), accounts=40, censored=0.3):
    """Subjects whose exposure begins at a random time; each account has its own hazard."""
    rng = np.random.default_rng(seed)
    account = rng.integers(0, accounts, n)
    size = rng.normal(size=n)
    hazard = rng.lognormal(0, 1, accounts)[account] * np.exp(effects[1] * size)
    begins = np.where(rng.uniform(size=n) < 0.7, rng.exponential(1.0, n), 99.0)
    # Unit-rate time lived until the event, spent faster once exposed.
    lived = rng.exponential(size=n) / hazard
    at = np.where(lived < begins, lived, begins + (lived - begins) / np.exp(effects[0]))
    ends = np.where(rng.uniform(size=n) < censored, rng.uniform(0, 3, n), 3.0)
    stop = np.minimum(at, ends)
    frame = pd.DataFrame({"account": account, "size": size, "subject": np.arange(n)})
    before = frame.assign(start=0.0, stop=np.minimum(stop, begins), exposed=0)
    before["event"] = (stop <= begins) & (at <= ends)
    after = frame.assign(start=begins, stop=stop, exposed=1, event=at <= ends)[stop > begins]
    return pd.concat([before, after], ignore_index=True)


def fit_frame(rows, terms=TERMS, cluster="account"):
    return cox(
        rows["start"],
        rows["stop"],
        rows["event"],
        rows[terms],
        strata=rows["account"],
        cluster=rows[cluster],
    )


def test_planted_hazard_ratios_are_recovered():
    found = [fit_frame(survival(2_000, seed=seed), cluster="subject") for seed in range(8)]
    for term, planted in zip(TERMS, (0.7, -0.3), strict=True):
        z = np.array([(one.coefficients[term] - planted) / one.std_errors[term] for one in found])
        assert abs(z.sum()) / np.sqrt(len(z)) < 3
        assert (np.abs(z) < 3).all()
        assert all(one.std_errors[term] < 0.12 for one in found)


def test_nothing_planted_nothing_found():
    found = fit_frame(survival(2_000, seed=1, effects=(0.0, 0.0)))
    assert found.effect("exposed").p_difference > 0.01
    assert found.effect("exposed", -2).estimate == -2 * found.coefficients["exposed"]
    assert found.effect("exposed").df == 39


def test_equals_statsmodels():
    """statsmodels PHReg(ties="breslow", strata=...), robust by groups=..., on rows without ties.

    Its robust error is missing where a row is never at risk, so those are left out.
    """
    from statsmodels.duration.hazard_regression import PHReg

    rows = survival(400, seed=2, effects=(0.0, -0.5), accounts=6)
    rows = rows[rows["start"] == 0].assign(other=lambda frame: np.sin(frame["subject"]))
    first_event = rows["stop"].where(rows["event"]).groupby(rows["account"]).transform("min")
    rows = rows[rows["stop"] >= first_event]
    terms = ["size", "other"]
    ours = fit_frame(rows, terms)
    other = PHReg(
        rows["stop"], rows[terms], status=rows["event"], strata=rows["account"], ties="breslow"
    )
    theirs = other.fit(groups=rows["account"].to_numpy())
    np.testing.assert_allclose(ours.coefficients, theirs.params, rtol=0, atol=1e-6)
    np.testing.assert_allclose(ours.std_errors, theirs.bse, rtol=1e-5)
    plain = np.sqrt(np.diag(ours.covariance))
    np.testing.assert_allclose(plain, other.fit().bse, rtol=1e-5)
    assert ours.log_likelihood == pytest.approx(theirs.llf, abs=1e-6)


interval = st.tuples(
    st.integers(0, 6), st.integers(1, 6), st.booleans(), st.integers(0, 2), st.integers(-2, 2)
)


@settings(max_examples=80, deadline=None)
@given(st.lists(interval, min_size=2, max_size=25), st.floats(-1, 1))
def test_sums_over_risk_sets_equal_plain_python(some, beta):
    rows = [(start, start + length, *rest) for start, length, *rest in some]
    if not any(row[2] for row in rows):
        return
    likelihood, score, information = 0.0, 0.0, 0.0
    for _, stop, event, stratum, x in rows:
        if not event:
            continue
        risk = [row for row in rows if row[3] == stratum and row[0] < stop <= row[1]]
        weight = [np.exp(beta * row[4]) for row in risk]
        values = [row[4] for row in risk]
        mean = np.average(values, weights=weight)
        likelihood += beta * x - np.log(sum(weight))
        score += x - mean
        information += np.average(np.square(values), weights=weight) - mean**2
    start, stop, event, stratum, x = (np.array(column) for column in zip(*rows, strict=True))
    sets = RiskSets(start, stop, event, x[:, None].astype(float), stratum=stratum)
    at = np.array([beta])
    assert sets.likelihood(at) == pytest.approx(likelihood, abs=1e-9)
    found = sets.derivatives(at)
    assert (found[0][0], found[1][0, 0]) == pytest.approx((score, information), abs=1e-9)
    assert sets.score_residuals(at).sum() == pytest.approx(score, abs=1e-9)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([(0, 1, 0, 1), (0, 2, 0, 0)], "none of 2 intervals ends with the event"),
        ([(0, 1, 1, 1), (0, 2, 0, 1)], "0 is the same in all intervals"),
        ([(0, 1, 1, 1), (0, 2, 1, 0)], "0 is separated"),
        ([(0, 1, 1, 1, 2), *[(0, k, 1, k % 2, 2 * (k % 2)) for k in range(2, 9)]], "repeat each"),
        ([(0, 1, 1, 1), (2, 3, 1, 0)], "0 does not vary among those at risk"),
        ([], "none of 0 intervals"),
    ],
)
def test_what_cannot_be_fitted_says_why(rows, reason):
    with pytest.raises(FitError, match=reason):
        if rows:
            fit(rows)
        else:
            cox([], [], [], np.empty((0, 1)), strata=[], cluster=[])


def test_one_cluster_has_no_error():
    with pytest.raises(FitError, match="errors need two clusters"):
        fit(BASE, cluster=[0] * 5)


def test_a_very_large_ratio_is_found_and_a_separated_one_is_not():
    rows = [(0, 1 + k / 100, 1, 1) for k in range(60)] + [(0, 3 + k, 1, 0) for k in range(60)]
    with pytest.raises(FitError, match="separated"):
        fit(rows)
    assert 100 < ratio(fit([*rows, (0, 0.5, 1, 0)])) < 1e4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": [0, 2]}, "stop must be after start, but row 1 is"),
        ({"start": [0, np.nan]}, "Row 1 has a missing or infinite value"),
        ({"event": [0, 2]}, "event must be 0 or 1"),
        ({"strata": [0]}, "must have one length, but have 1, 2"),
        ({"cluster": [0, None]}, "Row 1 has a missing"),
    ],
)
def test_input_that_is_not_intervals_is_refused(change, message):
    good = {"start": [0, 0], "stop": [1, 2], "event": [1, 0], "x": np.array([[1.0], [0.0]])}
    given = good | {"strata": [0, 0], "cluster": [0, 1]} | change
    with pytest.raises(DataError, match=message):
        cox(**given)


@pytest.mark.data
@pytest.mark.parametrize("name", ["collegemsg", "mathoverflow"])
def test_equals_r_on_real_data(real, name):
    """R, h5_cox.R.

    coxph(Surv(start, stop, acted_again) ~ ... + strata(account_id), ties = "breslow",
    cluster = account_id): coefficients, model and robust errors, log-likelihood.
    """
    expected = pd.read_csv(FOLDER / "h5_cox.csv", comment="#")
    expected = expected[expected["dataset"] == name].set_index("term")
    log, windows = real(name).interactions, dataset(name).windows
    contacts = first_contacts(log, windows=windows)
    rows, stretches, _ = since_rows(contacts, follow(log, contacts), windows=windows)
    assert stretches == list(SINCE_THE_ANSWER)
    found = cox(
        rows["start_days"],
        rows["stop_days"],
        rows["acted_again"],
        rows[[*stretches, *CONTROLS]],
        strata=rows["account_id"],
        cluster=rows["account_id"],
    )
    first = expected.iloc[0]
    assert (found.n_obs, found.n_events, found.n_clusters) == (
        first["n_obs"],
        first["n_events"],
        first["n_accounts"],
    ), "not the rows R saw: make tests/reference anew"
    terms = expected.index
    np.testing.assert_allclose(found.coefficients[terms], expected["estimate"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.std_errors[terms], expected["error_by_account"], rtol=1e-8)
    plain = np.sqrt(np.diag(found.covariance.loc[terms, terms]))
    np.testing.assert_allclose(plain, expected["error"], rtol=1e-8)
    assert found.log_likelihood == pytest.approx(first["log_likelihood"], rel=1e-11)
