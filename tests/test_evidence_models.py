"""The estimator: closed forms by hand, statsmodels, and what it refuses."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pandas as pd
import pyfixest
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from smo_research.errors import FitError
from smo_research.evidence import models
from smo_research.evidence.models import poisson


def two_groups(zero, one):
    """Outcomes of two groups, each row an account of its own, all in one period."""
    return pd.DataFrame(
        {
            "account_id": range(len(zero) + len(one)),
            "period": 0,
            "x": [0.0] * len(zero) + [1.0] * len(one),
            "y": [*zero, *one],
        }
    )


def world(seed=0, n=400, accounts=40):
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "account_id": [f"a{i % accounts}" for i in range(n)],
            "period": np.arange(n) % 7,
            "x": rng.integers(0, 2, n).astype(float),
            "z": rng.normal(size=n),
            "size": rng.integers(1, 9, n),
        }
    )
    rate = np.exp(0.3 * rows["x"] - 0.2 * rows["z"] + 0.05 * rows["period"])
    return rows.assign(y=rng.poisson(rate), per_size=rng.poisson(rate * rows["size"]))


def test_one_flag_is_the_ratio_of_means():
    # Means 2 and 3: the ratio is 1.5. Residuals squared sum to 2 over 4 rows, and to 14 over 3.
    fit = poisson(two_groups([1, 2, 3, 2], [6, 2, 1]), "y", ["x"], effects=["period"])
    assert fit.coefficients["x"] == pytest.approx(math.log(3 / 2), abs=1e-7)
    by_hand = 2 / (4 * 2) ** 2 + 14 / (3 * 3) ** 2
    adjusted = by_hand * 7 / (7 - 1) * (7 - 1) / (7 - 2)
    assert fit.std_errors["x"] == pytest.approx(math.sqrt(adjusted), rel=1e-4)
    assert (fit.n_obs, fit.n_accounts, fit.df) == (7, 7, 6)


def test_account_effects_compare_accounts_with_themselves():
    # Account a: 1 without and 2 with; b: 10 and 20. Each doubles.
    rows = pd.DataFrame({"account_id": list("aabb"), "x": [0.0, 1.0] * 2, "y": [1, 2, 10, 20]})
    fit = poisson(rows, "y", ["x"], effects=["account_id"])
    assert fit.coefficients["x"] == pytest.approx(math.log(2), abs=1e-8)
    assert fit.df == 1


def test_equals_statsmodels():
    """statsmodels GLM, Poisson with dummies, cov_type="cluster"."""
    rows = world()
    fit = poisson(rows, "y", ["x", "z"], effects=["period"])
    expected = smf.glm("y ~ x + z + C(period)", rows, family=sm.families.Poisson()).fit(
        cov_type="cluster", cov_kwds={"groups": pd.factorize(rows["account_id"])[0]}
    )
    for term in ("x", "z"):
        assert fit.coefficients[term] == pytest.approx(expected.params[term], abs=1e-7)
        assert fit.std_errors[term] == pytest.approx(expected.bse[term], rel=1e-4)


def test_exposure_is_an_offset():
    """statsmodels GLM, Poisson with exposure."""
    rows = world()
    fit = poisson(rows, "per_size", ["x", "z"], effects=["period"], exposure="size")
    expected = smf.glm(
        "per_size ~ x + z + C(period)", rows, family=sm.families.Poisson(), exposure=rows["size"]
    ).fit(cov_type="cluster", cov_kwds={"groups": pd.factorize(rows["account_id"])[0]})
    for term in ("x", "z"):
        assert fit.coefficients[term] == pytest.approx(expected.params[term], abs=1e-7)
        assert fit.std_errors[term] == pytest.approx(expected.bse[term], rel=1e-4)
    assert fit.formula.endswith(", exposure size")


def test_two_way_errors_by_hand():
    """The variance by one, plus by the other, minus by both (Cameron, Gelbach, Miller 2011)."""
    rows = world().assign(other=lambda frame: np.arange(len(frame)) % 31)
    rows["both"] = rows["account_id"] + "/" + rows["other"].astype(str)
    of = {
        name: poisson(rows, "y", ["x"], effects=["period"], cluster=name).std_errors["x"] ** 2
        for name in ("account_id", "other", "both")
    }
    # One-way errors carry G / (G - 1) each; the two-way error that of the fewest clusters.
    raw = {name: v * (1 - 1 / rows[name].nunique()) for name, v in of.items()}
    expected = (raw["account_id"] + raw["other"] - raw["both"]) * 31 / 30
    fit = poisson(rows, "y", ["x"], effects=["period"], cluster=["account_id", "other"])
    assert fit.std_errors["x"] == pytest.approx(math.sqrt(expected), rel=1e-6)
    assert fit.df == 30


def test_effect_of_a_step():
    fit = poisson(two_groups([1, 2, 3, 2], [6, 2, 1]), "y", ["x"], effects=["period"])
    up, down = fit.effect("x", 0.25), fit.effect("x", -2.0)
    assert up.estimate == pytest.approx(0.25 * math.log(1.5))
    assert down.estimate == pytest.approx(-2 * math.log(1.5))
    assert down.std_error == pytest.approx(8 * up.std_error)
    assert (up.df, down.df) == (6, 6)


def test_input_is_not_changed():
    rows = world()
    before = rows.copy()
    poisson(rows, "per_size", ["x", "z"], effects=["period"], exposure="size")
    pd.testing.assert_frame_equal(rows, before)


def test_order_of_rows_and_unit_of_others_do_not_matter():
    rows = world()
    one = poisson(rows, "y", ["x", "z"], effects=["period"])
    changed = rows.sample(frac=1, random_state=1).assign(z=rows["z"] * 1_000)
    two = poisson(changed, "y", ["x", "z"], effects=["period"])
    assert two.coefficients["x"] == pytest.approx(one.coefficients["x"], abs=1e-7)
    assert two.std_errors["x"] == pytest.approx(one.std_errors["x"], rel=1e-5)


def refused(rows, outcome="y", terms=("x", "z"), effects=("period",), **options):
    with pytest.raises(FitError) as caught:
        poisson(rows, outcome, list(terms), effects=list(effects), **options)
    return str(caught.value)


def test_outcomes_that_never_vary_are_refused():
    rows = world()
    assert refused(rows.assign(y=0)) == "y is 0 in all 400 rows"
    assert refused(rows.assign(y=3)) == "y is the same in all 400 rows"
    assert refused(rows.head(0)) == "y is 0 in all 0 rows"


def test_one_cluster_is_refused():
    assert "account_id is the same" in refused(world().assign(account_id="a"))


@pytest.mark.parametrize("effects", [["period"], ["account_id"], ["account_id", "period"]])
@pytest.mark.parametrize("flag", [0.0, 1.0])
def test_a_separated_term_is_refused(flag, effects):
    """Where y is 0 whenever the flag is up (or down), the ratio is 0 (or infinite)."""
    rows = world()
    rows["y"] = rows["y"].where(rows["x"] != flag, 0)
    assert "x is separated or repeats others" in refused(rows, effects=effects)


def test_a_separated_class_leaves_the_others_as_without_it():
    rows = world().assign(size_class=lambda frame: np.where(frame["size"] < 8, "small", "big"))
    rows["y"] = rows["y"].where(rows["size_class"] == "small", 0)
    fit = poisson(rows, "y", ["x", "z", "C(size_class)"], effects=["period"])
    small = rows[rows["size_class"] == "small"]
    without = poisson(small, "y", ["x", "z"], effects=["period"])
    assert fit.coefficients["x"] == pytest.approx(without.coefficients["x"], abs=1e-6)
    assert fit.std_errors["x"] == pytest.approx(without.std_errors["x"], rel=1e-4)
    assert fit.n_obs == len(small), "rows that say nothing are not counted"


@pytest.mark.parametrize("terms", [["x", "z", "twice"], ["x", "twice"], ["twice", "x", "z"]])
def test_a_term_that_repeats_others_is_refused(terms):
    rows = world().assign(twice=lambda frame: 2 * frame["x"])
    assert f"{terms[0]} is separated or repeats others" in refused(rows, terms=terms)


def test_a_term_that_the_effects_repeat_is_refused():
    rows = world().assign(x=lambda frame: frame["period"] * 2.0)
    assert "x is separated or repeats others" in refused(rows)
    assert "no finite solution" in refused(rows, terms=["x"])


def test_others_that_repeat_each_other_do_no_harm():
    rows = world().assign(twice=lambda frame: 2 * frame["z"])
    fit = poisson(rows, "y", ["x", "z", "twice"], effects=["period"])
    without = poisson(rows, "y", ["x", "z"], effects=["period"])
    assert fit.coefficients["x"] == pytest.approx(without.coefficients["x"], abs=1e-7)
    assert fit.std_errors["x"] == pytest.approx(without.std_errors["x"], rel=1e-6)


def test_refusals_name_the_model():
    rows = world().assign(x=lambda frame: frame["period"] * 2.0)
    assert refused(rows).startswith("y ~ x + z | period has no finite solution")


def test_a_fit_that_does_not_converge_is_refused(monkeypatch):
    monkeypatch.setattr(models, "ROUNDS", 3)
    assert refused(world()) == "y ~ x + z | period did not converge in 3 rounds"


def test_a_search_for_separation_that_does_not_end_is_refused(monkeypatch):
    fit = pyfixest.fepois

    def endless(*arguments, **options):
        warnings.warn(
            "iterative rectivier separation check: maximum number of iterations reached before "
            "convergence",
            stacklevel=1,
        )
        return fit(*arguments, **options)

    monkeypatch.setattr(pyfixest, "fepois", endless)
    assert refused(world()).endswith(
        "the search for rows that the model fits perfectly did not end"
    )


def test_more_parameters_than_rows_are_refused():
    rows = world(n=8, accounts=4).assign(period=0, y=range(8))
    dummies = {f"d{i}": np.eye(8)[i] for i in range(7)}
    assert "no finite solution" in refused(rows.assign(**dummies), terms=["x", "z", *dummies])


def test_negative_outcomes_are_refused():
    assert "positive" in refused(world().assign(y=lambda rows: rows["y"] - 1))


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.assign(y=0),
        lambda rows: rows.assign(x=rows["period"] * 1.0),
        lambda rows: rows.assign(y=rows["y"].where(rows["x"] == 0, 0)),
        lambda rows: rows.assign(account_id="a"),
        lambda rows: rows,
    ],
)
def test_nothing_is_printed_and_nothing_warned(change, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            fit = poisson(change(world()), "y", ["x", "z"], effects=["period"])
            assert np.isfinite([*fit.coefficients, *fit.std_errors]).all()
        except FitError as error:
            assert "nan" not in str(error).lower()
    assert capfd.readouterr() == ("", "")
