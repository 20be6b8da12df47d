"""Lasting growth: planted truth, size under the null, and what cannot be tested."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from smo_research.evidence import lasting
from smo_research.evidence.effects import loudness
from smo_research.evidence.hypotheses import rule
from smo_research.evidence.lasting import lasting_growth
from smo_research.evidence.result import VOCABULARY
from smo_research.tables import Windows

WINDOWS = Windows(period=7, gap=7, horizon=14)


def world(
    seed=0, *, accounts=300, periods=12, discovery=0.0, retention=0.0, past=0.0, confounded=0.0
):
    """Rows of a panel whose truth is known.

    Answering differs between accounts and periods. It adds `discovery` to the ln rate of
    newcomers and `retention` to the ln share of them who last; `past` is past answering's part of
    the former. Larger accounts (a random effect, so that rows of an account are alike) have more
    newcomers, and answer more where `confounded`.
    """
    rng = np.random.default_rng(seed)
    n = accounts * periods
    account, period = np.repeat(np.arange(accounts), periods), np.tile(np.arange(periods), accounts)
    size = rng.normal(0, 0.7, accounts)[account]
    habit = rng.normal(0, 1, accounts)[account]
    past_acts, inbound = rng.poisson(3, n), rng.poisson(3, n)
    volume = np.log1p(rng.poisson(2, n))
    push = habit + rng.normal(0, 1, n) + 0.5 * (np.log1p(past_acts) - 1) + confounded * size
    answering = 1 / (1 + np.exp(-push))
    past_answering = 1 / (1 + np.exp(-habit - rng.normal(0, 1, n)))
    rate = np.exp(
        0.5
        + size
        + 0.1 * np.sin(period)
        + 0.3 * np.log1p(past_acts)
        + 0.2 * volume
        + discovery * answering
        + past * past_answering
    )
    new = rng.poisson(rate)
    return pd.DataFrame(
        {
            "account_id": [f"a{i}" for i in account],
            "period": period,
            "new_audience": new,
            "lasting_audience": rng.binomial(new, 0.3 * np.exp(retention * answering)),
            "inbound": inbound,
            "answering": np.where(inbound > 0, answering, np.nan),
            "past_answering": np.where(period < 3, np.nan, past_answering),
            "pooled_answering": 0.5,
            "own_acts": rng.poisson(3, n),
            "post_volume": volume,
            "schedule_focus": np.where(rng.uniform(size=n) < 0.3, np.nan, rng.normal(0, 0.3, n)),
            "burstiness": rng.normal(0, 0.3, n),
            "new_now": rng.poisson(1, n),
            "tenure": period,
            "past_inbound": rng.poisson(6, n),
            "past_acts": past_acts,
        }
    )


def assert_near(effect, truth, *, sharp=0.1):
    assert abs(effect.estimate - truth) < 3 * effect.std_error
    assert effect.std_error < sharp, "precise enough to mean something"


def test_a_planted_effect_of_answering_is_recovered():
    rows = world(1, discovery=0.6, retention=0.4)
    result = lasting_growth(rows, "H3", windows=WINDOWS, dataset="planted")
    step = 0.25
    for model in ("between", "within"):
        assert_near(result.effects[model, "total", "answering"], step * (0.6 + 0.4))
        assert_near(result.effects[model, "discovery", "answering"], step * 0.6)
        assert_near(result.effects[model, "retention", "answering"], step * 0.4)
    assert result.effects["between", "total", "answering"].p_difference < 0.001


def test_within_accounts_is_free_of_what_accounts_are():
    rows = world(2, discovery=0.5, confounded=1.0)
    result = lasting_growth(rows, "H3", windows=WINDOWS, dataset="confounded")
    between = result.effects["between", "total", "answering"]
    assert between.estimate - 0.125 > 3 * between.std_error, "size is not in the adjustment set"
    assert_near(result.effects["within", "total", "answering"], 0.125)


def test_the_placebo_tells_of_what_accounts_are():
    for confounded in (0.0, 1.0):
        rows = world(10, confounded=confounded)
        result = lasting_growth(rows, "H3", windows=WINDOWS, dataset="no effect")
        placebo = result.effects["placebo", "total", "answering"]
        assert (loudness(placebo, rule().bound) == "loud") == bool(confounded)


def test_past_answering_is_told_from_answering_now():
    rows = world(3, discovery=1.5, past=0.4)
    result = lasting_growth(rows, "H7", windows=WINDOWS, dataset="planted")
    assert_near(result.effects["between", "total", "past_answering"], 0.25 * 0.4)
    nothing = lasting_growth(world(3, discovery=1.5), "H7", windows=WINDOWS, dataset="planted")
    assert_near(nothing.effects["between", "total", "past_answering"], 0.0)


def test_tweaks_without_effect_show_none():
    result = lasting_growth(world(4, discovery=0.8), "H2", windows=WINDOWS, dataset="planted")
    for term in ("schedule_focus", "burstiness"):
        assert_near(result.effects["between", "total", term], 0.0, sharp=0.05)
        assert_near(result.effects["within", "total", term], 0.0, sharp=0.05)
    assert {key[2] for key in result.effects} == {"schedule_focus", "burstiness"}


def test_what_was_put_into_posts_is_tested_where_posts_are_known():
    rows = world(14)
    rng = np.random.default_rng(14)
    posts = rng.poisson(2, len(rows))
    tags = np.where(posts > 0, rng.gamma(2, 0.5, len(rows)), np.nan)
    came = rng.poisson(np.exp(0.3 * np.nan_to_num(tags, nan=1.0)))
    rows = rows.assign(
        posts=posts,
        hashtag_rate=tags,
        paid_share=np.where(posts > 0, 0.0, np.nan),
        lasting_audience=came,
    )
    result = lasting_growth(rows, "H2", windows=WINDOWS, dataset="planted")
    for model in ("between", "within"):
        assert_near(result.effects[model, "total", "hashtag_rate"], 0.25 * 0.3)
    assert list(dict.fromkeys(result.table["term"])) == [
        *("schedule_focus", "burstiness", "hashtag_rate", "paid_share")
    ]
    reasons = result.table.set_index("term")["reason"]
    assert reasons["paid_share"] == "paid_share varies within 0 accounts; at least 20 are needed"
    assert "hashtag_rate_missing" in result.formula
    held = lasting_growth(rows, "H3", windows=WINDOWS, dataset="planted").formula
    assert "hashtag_rate + paid_share + schedule_focus_missing + hashtag_rate_missing" in held


def test_size_under_the_null(monkeypatch):
    """About 5 % of worlds without an effect are rejected, judged by a 99.9 % binomial interval."""
    monkeypatch.setattr(lasting, "EFFECTS", {"between": ["period"]})
    monkeypatch.setattr(lasting, "PARTS", {"total": lasting.PARTS["total"]})
    monkeypatch.setattr(lasting, "CHECKS", {})
    worlds = 200
    p_values = [
        lasting_growth(world(seed, accounts=120, periods=4), "H3", windows=WINDOWS, dataset="null")
        .effects["between", "total", "answering"]
        .p_difference
        for seed in range(worlds)
    ]
    low, high = stats.binom.interval(0.999, worlds, 0.05)
    assert low <= sum(p < 0.05 for p in p_values) <= high
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_result_says_what_was_fitted():
    rows = world(5)
    result = lasting_growth(rows, "H3", windows=WINDOWS, dataset="a", data_hashes={"f": "0"})
    assert list(result.table) == VOCABULARY
    assert result.table[["model", "block"]].to_numpy().tolist() == [
        *[[model, block] for model in ("between", "within") for block in lasting.PARTS],
        ["negative binomial", "total"],
        ["placebo", "total"],
        ["lead", "total"],
    ]
    assert (result.table["unit"] == "ln ratio per +0.25").all()
    assert result.formula.startswith("lasting_audience ~ answering + C(inbound_class)")
    assert result.formula.endswith("| period")
    assert result.table["n_obs"].iloc[0] == (rows["inbound"] > 0).sum()
    assert result.data_hashes == {"f": "0"}
    assert result.null_hypothesis == "answering does not predict lasting audience growth"


def test_every_model_accounts_for_every_row():
    rows = world(8, accounts=60)
    rows = only(rows, rows["account_id"] < "a4")
    result = lasting_growth(rows, "H2", windows=WINDOWS, dataset="a")
    assert list(result.left_out) == ["model", "block", "term", "reason", "rows", "accounts"]
    fitted = result.table[result.table["reason"] == ""]
    assert set(fitted["model"]) >= {"between", "within", *lasting.CHECKS}
    gone = result.left_out.groupby(["model", "block", "term"])[["rows", "accounts"]].sum()
    for row in fitted.itertuples():
        lost = gone.loc[(row.model, row.block, row.term)]
        assert row.n_obs + lost["rows"] == len(rows)
        assert row.n_accounts + lost["accounts"] == rows["account_id"].nunique()
    assert "accounts whose outcome is 0 throughout" in set(result.left_out["reason"])


def test_rows_that_a_model_fits_perfectly_are_counted():
    # Nobody with 9 writers or more gets a newcomer: that class says nothing of the others.
    rows = world(12, accounts=80)
    rows["inbound"] = rows["inbound"].where(np.arange(len(rows)) % 9 != 0, 10)
    rows = only(rows, rows["inbound"] < 9)
    result = lasting_growth(rows, "H3", windows=WINDOWS, dataset="a")
    gone = result.left_out.query("reason == 'the model fits them perfectly'")
    separated = (rows["inbound"] >= 9).sum()
    assert gone.query("block == 'total' and model == 'between'")["rows"].tolist() == [separated]
    total = result.table.query("model == 'between' and block == 'total'")["n_obs"].iloc[0]
    others = result.left_out.query("model == 'between' and block == 'total'")["rows"].sum()
    assert total + others == len(rows)


def test_overdispersed_counts_are_also_fitted_as_negative_binomial():
    result = lasting_growth(world(13, discovery=0.6), "H3", windows=WINDOWS, dataset="planted")
    poisson = result.effects["between", "total", "answering"]
    binomial = result.effects["negative binomial", "total", "answering"]
    assert binomial.df == poisson.df
    assert binomial.estimate != poisson.estimate
    assert_near(binomial, 0.25 * 0.6)


def test_counts_without_overdispersion_say_so():
    rows = world(14, accounts=60)
    rows["lasting_audience"] = (pd.factorize(rows["account_id"])[0] + rows["period"]) % 2
    result = lasting_growth(rows, "H3", windows=WINDOWS, dataset="even")
    said = result.table.query("model == 'negative binomial'").iloc[0]
    assert said["reason"] == "no overdispersion: the negative binomial is the Poisson"
    assert np.isnan(said["estimate"])
    assert ("between", "total", "answering") in result.effects


def test_a_number_or_a_reason_never_neither():
    for hypothesis in ("H2", "H3", "H7"):
        table = lasting_growth(SMALL, hypothesis, windows=WINDOWS, dataset="a").table
        numbers = table[["estimate", "std_error", "ci_low", "ci_high", "p_value"]]
        assert (numbers.notna().all(axis=1) == (table["reason"] == "")).all()
        assert (numbers.isna().all(axis=1) == (table["reason"] != "")).all()


def test_names_and_order_of_accounts_do_not_matter():
    rows = world(6, accounts=80)
    one = lasting_growth(rows, "H3", windows=WINDOWS, dataset="a")
    renamed = rows.assign(account_id="x" + rows["account_id"]).iloc[::-1]
    two = lasting_growth(renamed, "H3", windows=WINDOWS, dataset="a")
    numbers = ["estimate", "std_error"]
    np.testing.assert_allclose(one.table[numbers], two.table[numbers], rtol=1e-5)


def test_input_is_not_changed():
    rows = world(7, accounts=60)
    before = rows.copy()
    lasting_growth(rows, "H2", windows=WINDOWS, dataset="a")
    pd.testing.assert_frame_equal(rows, before)


def only(rows, wanted):
    """The outcome is above 0 in the wanted rows alone."""
    return rows.assign(lasting_audience=rows["lasting_audience"].where(wanted, 0))


SMALL = world(8, accounts=60, periods=6)
OFTEN = SMALL["lasting_audience"].gt(0) & SMALL["inbound"].gt(0)
REFUSED = {
    "too few rows": (
        only(SMALL, OFTEN & (OFTEN.cumsum() <= 49)),
        "49 rows have an outcome above 0; at least 50 are needed",
    ),
    "too few accounts": (
        only(world(8, accounts=60), world(8, accounts=60)["account_id"].isin(["a1", "a2"])),
        "rows have an outcome above 0",
    ),
    "too few accounts, many rows": (
        world(9, accounts=19, periods=20),
        "19 accounts have an outcome above 0; at least 20 are needed",
    ),
    "no variation": (
        SMALL.assign(answering=0.5),
        "answering varies within 0 accounts; at least 20 are needed",
    ),
    "variation between accounts only": (
        SMALL.assign(answering=SMALL.groupby("account_id")["answering"].transform("first")),
        "answering varies within 0 accounts; at least 20 are needed",
    ),
    "too narrow": (
        SMALL.assign(answering=0.5 + 0.2 * SMALL["answering"]),
        "the contrast of 0.25 in answering is wider than its 1st to 99th percentile",
    ),
    "nobody wrote": (SMALL.assign(inbound=0), "0 rows have an outcome above 0"),
    "separated": (
        SMALL.assign(
            answering=SMALL["answering"].gt(0.5).astype(float).where(SMALL["answering"].notna())
        ).pipe(lambda rows: only(rows, rows["answering"] == 1)),
        "",
    ),
}


@pytest.mark.parametrize(("rows", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_tested_is_a_result_with_a_reason(rows, reason):
    result = lasting_growth(rows, "H3", windows=WINDOWS, dataset="small")
    total = result.table.query("block in ['', 'total'] and model not in ['placebo', 'lead']")
    assert reason in result.reason
    assert total["estimate"].isna().all()
    assert total["p_value"].isna().all()
    assert total["reason"].str.len().gt(0).all()
    assert ("between", "total", "answering") not in result.effects


def test_fifty_rows_are_enough():
    rows = only(SMALL, OFTEN & (OFTEN.cumsum() <= 50))
    result = lasting_growth(rows, "H3", windows=WINDOWS, dataset="small")
    assert "rows have an outcome above 0" not in result.reason


def test_a_tweak_that_is_out_of_reach_leaves_the_other():
    rows = SMALL.assign(burstiness=0.1 * SMALL["burstiness"])
    result = lasting_growth(rows, "H2", windows=WINDOWS, dataset="small")
    assert {key[2] for key in result.effects} == {"schedule_focus"}
    said = result.table.query("term == 'burstiness'")
    assert said["reason"].tolist()[0].startswith("the contrast of 0.25 in burstiness is wider")
    assert said["estimate"].isna().all()


def test_a_tweak_that_was_never_measured_is_left_out():
    rows = SMALL.assign(schedule_focus=np.nan)
    result = lasting_growth(rows, "H2", windows=WINDOWS, dataset="small")
    assert set(result.table["term"]) == {"burstiness"}
    assert "schedule_focus" not in result.formula
    neither = rows.assign(burstiness=np.nan)
    assert lasting_growth(neither, "H2", windows=WINDOWS, dataset="a").reason == "not measured"


def test_missing_tweaks_are_judged_by_what_was_measured():
    # Filled in with means, burstiness would vary within no account; measured, it does.
    rows = SMALL.assign(burstiness=SMALL["burstiness"].where(SMALL["period"] < 1))
    result = lasting_growth(rows, "H2", windows=WINDOWS, dataset="small")
    said = result.table.query("term == 'burstiness'")["reason"].tolist()
    assert said == ["burstiness varies within 0 accounts; at least 20 are needed"]
