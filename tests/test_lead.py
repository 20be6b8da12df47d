"""The lead test: later values by eye, feedback that is seen, and none where there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from smo_research.evidence import follower_samples, followers, lasting
from smo_research.evidence.few import seed_for
from smo_research.evidence.lasting import lasting_growth
from smo_research.evidence.models import poisson
from smo_research.evidence.robustness import with_lead
from smo_research.evidence.samples import growth_sample, whole, without_effects
from smo_research.tables import Windows

WINDOWS = Windows(period=7, gap=7, horizon=14)


def test_the_lead_by_eye():
    panel = pd.DataFrame(
        {
            "account_id": [*"aaaab", "b", "b"],
            "period": [0, 1, 2, 3, 0, 1, 2],
            "answering": [0.1, 0.2, 0.3, np.nan, 0.5, 0.6, 0.7],
        }
    )
    # a: row 0 sees row 2; row 1 sees row 3, which is not known; b: row 0 sees row 2.
    sample = with_lead(whole(panel), panel, "answering")
    assert sample.rows[
        ["account_id", "period", "answering", "lead_answering"]
    ].to_numpy().tolist() == [
        ["a", 0, 0.1, 0.3],
        ["b", 0, 0.5, 0.7],
    ]
    assert sample.left_out.to_numpy().tolist() == [["answering is not known 2 periods later", 5, 0]]


def test_the_lead_is_taken_from_the_panel_not_from_the_sample():
    # A row that the sample leaves out still lends its value, and what is filled in never does.
    panel = pd.DataFrame({"account_id": "a", "period": range(5), "x": [1.0, 2.0, np.nan, 4.0, 5.0]})
    sample = whole(panel.assign(x=panel["x"].fillna(9.0)).query("period in [0, 1]"))
    assert with_lead(sample, panel, "x").rows["lead_x"].tolist() == [4.0]


def test_inputs_are_not_changed():
    panel = pd.DataFrame({"account_id": "a", "period": range(4), "x": 1.0})
    before, sample = panel.copy(), whole(panel)
    with_lead(sample, panel, "x")
    pd.testing.assert_frame_equal(panel, before)
    pd.testing.assert_frame_equal(sample.rows, before)


def world(seed=0, *, accounts=150, periods=14, effect=0.0, feedback=0.0):
    """Rows of a panel; `feedback` is what newcomers of t + 1 do to answering in t + 2."""
    rng = np.random.default_rng(seed)
    size, habit = rng.normal(0, 0.5, (2, accounts, 1))
    push = habit + rng.normal(0, 1, (accounts, periods))
    new = np.zeros((accounts, periods), dtype=int)
    answering = np.zeros((accounts, periods))
    for t in range(periods):
        before = new[:, t - 2] - new[:, max(t - 3, 0)] if t >= 2 else 0
        answering[:, t] = 1 / (1 + np.exp(-push[:, t] - feedback * before))
        new[:, t] = rng.poisson(np.exp(0.7 + size[:, 0] + effect * answering[:, t]))
    n = accounts * periods
    return pd.DataFrame(
        {
            "account_id": np.repeat(np.arange(accounts), periods),
            "period": np.tile(np.arange(periods), accounts),
            "new_audience": new.ravel(),
            "lasting_audience": rng.binomial(new.ravel(), 0.5),
            "inbound": rng.poisson(3, n) + 1,
            "answering": answering.ravel(),
            "past_answering": 1 / (1 + np.exp(-rng.normal(0, 1, n))),
            "pooled_answering": 0.5,
            "own_acts": rng.poisson(3, n),
            "post_volume": np.log1p(rng.poisson(2, n)),
            "schedule_focus": np.where(rng.uniform(size=n) < 0.2, np.nan, rng.normal(0, 0.3, n)),
            "burstiness": rng.normal(0, 0.3, n),
            "new_now": rng.poisson(1, n),
            "tenure": np.tile(np.arange(periods), accounts),
            "past_inbound": rng.poisson(6, n),
            "past_acts": rng.poisson(3, n),
        }
    )


def lead(rows, hypothesis="H3", term="answering"):
    result = lasting_growth(rows, hypothesis, windows=WINDOWS, dataset="planted")
    return result, result.effects["lead", "total", term]


def test_answering_that_follows_newcomers_is_seen():
    result, effect = lead(world(1, feedback=0.5))
    assert effect.estimate > 0
    assert effect.p_difference < 0.001
    row = result.table.query("model == 'lead'").iloc[0]
    assert (row["block"], row["term"], row["unit"]) == ("total", "answering", "ln ratio per +0.25")
    assert row["estimate"] == effect.estimate


def test_an_effect_alone_leaves_the_lead_quiet():
    result, effect = lead(world(2, effect=0.8))
    assert effect.p_difference > 0.05
    assert result.effects["within", "total", "answering"].p_difference < 0.001


@pytest.mark.parametrize(
    ("hypothesis", "terms"),
    [("H2", ["schedule_focus", "burstiness"]), ("H3", ["answering"]), ("H7", ["past_answering"])],
)
def test_every_term_has_its_lead(hypothesis, terms):
    result = lasting_growth(world(3), hypothesis, windows=WINDOWS, dataset="planted")
    assert [key for key in result.effects if key[0] == "lead"] == [
        ("lead", "total", term) for term in terms
    ]


def test_the_lead_stands_beside_the_predictor_in_the_within_model():
    """The same model put together by hand."""
    rows = world(4, effect=0.5, feedback=0.3)
    result, effect = lead(rows)
    sample = growth_sample(rows, "H3", windows=WINDOWS)
    later = rows.set_index(["account_id", "period"])["answering"]
    at = pd.MultiIndex.from_arrays([sample.rows["account_id"], sample.rows["period"] + 2])
    known = sample.rows.assign(ahead=later.reindex(at).to_numpy()).dropna(subset="ahead")
    by = ["account_id", "period"]
    used = without_effects(whole(known), "lasting_audience", by).rows
    right = result.formula.split(" ~ ")[1].split(" | ")[0].split(" + ")
    fit = poisson(used, "lasting_audience", ["ahead", *right], effects=by)
    assert effect.estimate == pytest.approx(0.25 * fit.coefficients["ahead"], abs=1e-8)
    assert effect.std_error == pytest.approx(0.25 * fit.std_errors["ahead"], rel=1e-6)
    row = result.table.query("model == 'lead'").iloc[0]
    assert row["n_obs"] == len(used)
    gone = result.left_out.query("model == 'lead'")
    assert "answering is not known 2 periods later" in gone["reason"].tolist()
    assert row["n_obs"] + gone["rows"].sum() == len(rows)


def test_size_under_the_null(monkeypatch):
    """About 5 % of worlds with an effect and no feedback are barred (99.9 % binomial interval)."""
    monkeypatch.setattr(lasting, "EFFECTS", {"within": ["account_id", "period"]})
    monkeypatch.setattr(lasting, "PARTS", {"total": lasting.PARTS["total"]})
    monkeypatch.setattr(lasting, "CHECKS", {"lead": "within"})
    worlds = 40
    p_values = [
        lead(world(seed, accounts=60, periods=9, effect=0.5))[1].p_difference
        for seed in range(worlds)
    ]
    low, high = stats.binom.interval(0.999, worlds, 0.05)
    assert low <= sum(p < 0.05 for p in p_values) <= high


def test_without_later_rows_there_is_a_reason_and_no_number():
    rows = world(5, accounts=80).query("period < 2")
    result = lasting_growth(rows, "H3", windows=WINDOWS, dataset="short")
    said = result.table.query("model == 'lead'").iloc[0]
    assert said["reason"] == "0 rows have an outcome above 0; at least 50 are needed"
    assert np.isnan(said["estimate"])
    assert ("lead", "total", "answering") not in result.effects


def follower_world(seed=0, *, accounts=60, periods=24, effect=0.0, feedback=0.0):
    """Rows of a follower panel; `feedback` is what growth does to the share two rows later."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 0.03, (accounts, periods))
    share = 1 / (1 + np.exp(-rng.normal(0, 1, (accounts, periods))))
    growth = noise + rng.normal(0, 0.02, (accounts, 1)) + effect * share
    share[:, 2:] = np.clip(share[:, 2:] + feedback * noise[:, :-2], 0, 1)
    n = accounts * periods
    return pd.DataFrame(
        {
            "account_id": np.repeat(np.arange(accounts), periods),
            "period": np.tile(np.arange(periods), accounts),
            "posts": 5.0,
            "tenure": np.tile(np.arange(periods), accounts),
            "past_acts": rng.poisson(20, n),
            "post_volume": np.log1p(rng.poisson(8, n)),
            "reply_share": share.ravel(),
            "growth": growth.ravel() / 2 + rng.normal(0, 0.01, n),
            "lasting_growth": growth.ravel(),
        }
    )


def follower_lead(rows):
    result = followers.follower_growth(
        rows, "H3", windows=Windows(period=7, horizon=7), dataset="planted", draws=99
    )
    return result, result.effects["lead", "total", "reply_share"]


def test_replies_that_follow_growth_are_seen():
    result, effect = follower_lead(follower_world(1, feedback=3.0))
    assert effect.estimate > 0
    assert effect.p_difference < 0.01
    gone = result.left_out.query("model == 'lead'")
    assert "reply_share is not known 2 periods later" in gone["reason"].tolist()
    n_obs = result.table.query("model == 'lead'")["n_obs"].iloc[0]
    assert n_obs + gone["rows"].sum() == 60 * 24


def test_replies_that_only_help_leave_the_lead_of_followers_quiet():
    result, effect = follower_lead(follower_world(3, effect=0.1))
    assert effect.p_difference > 0.05
    assert result.effects["within", "total", "reply_share"].p_difference < 0.001


def test_the_lead_of_followers_put_together_by_hand():
    rows = follower_world(3, effect=0.05)
    _, effect = follower_lead(rows)
    windows = Windows(period=7, horizon=7)
    sample = follower_samples.follower_sample(rows, ("reply_share",), windows=windows)
    later = rows.assign(period=rows["period"] - 2)[["account_id", "period", "reply_share"]]
    used = sample.rows.merge(later.rename(columns={"reply_share": "ahead"}))
    by_hand = followers.least_squares(
        used,
        "lasting_growth",
        "ahead",
        ["reply_share", "log_tenure", "log_past_acts", "post_volume"],
        effects=["account_id", "period"],
        step=0.25,
        rng=seed_for(1),
        draws=9,
    )
    assert effect.estimate == pytest.approx(by_hand.estimate, rel=1e-9)
    assert effect.std_error == pytest.approx(by_hand.std_error, rel=1e-9)
