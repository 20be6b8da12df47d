"""Presence without interaction (H6): planted truth, the effect at each share, its figure."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from smo_research.errors import DataError
from smo_research.evidence.presence import SHARES, TOGETHER, VOLUME, presence_alone, presence_counts
from smo_research.evidence.result import VOCABULARY
from smo_research.evidence.verdicts import judge
from smo_research.report.presence_plot import marginal_effects
from smo_research.tables import Windows

WINDOWS = Windows(period=7, gap=7, horizon=14)
DOUBLING, STEP = np.log(2), 0.25
MINUS = "\N{MINUS SIGN}"


def world(seed=0, *, accounts=400, periods=12, volume=0.0, both=0.0, answered=0.4):
    """Rows of a panel in which post_volume adds `volume + both * share answered` to ln rates."""
    rng = np.random.default_rng(seed)
    n = accounts * periods
    account = np.repeat(np.arange(accounts), periods)
    size = 0.3 * rng.normal(size=accounts)[account]
    posts = np.log1p(rng.poisson(np.exp(1 + 0.5 * rng.normal(size=accounts)[account])))
    inbound = rng.poisson(3, n)
    replies = rng.binomial(inbound, answered)
    share = replies / np.maximum(inbound, 1)
    rate = np.exp(0.3 + size + (volume + both * share) * (posts - 1))
    period = np.tile(np.arange(periods), accounts)
    return pd.DataFrame(
        {
            "account_id": [f"a{i}" for i in account],
            "period": period,
            "lasting_audience": rng.poisson(rate),
            "inbound": inbound,
            "answered": replies,
            "answering": np.where(inbound > 0, (replies + 1) / (inbound + 2), np.nan),
            "pooled_answering": 0.5,
            "post_volume": posts,
            "schedule_focus": rng.normal(0, 0.3, n),
            "burstiness": rng.normal(0, 0.3, n),
            "new_now": rng.poisson(1, n),
            "tenure": period,
            "past_inbound": rng.poisson(6, n),
            "past_acts": rng.poisson(6, n),
        }
    )


def followers(seed=0, *, accounts=60, periods=40, both=0.1):
    """Rows of a panel of follower counts; their outcome windows overlap unless 3 periods apart."""
    rng = np.random.default_rng(seed)
    n = accounts * periods
    volume = rng.uniform(0, 3, n)
    replies = np.where(rng.uniform(size=n) < 0.3, 0.0, rng.uniform(size=n))
    return pd.DataFrame(
        {
            "account_id": np.repeat([f"a{k}" for k in range(accounts)], periods),
            "period": np.tile(np.arange(periods), accounts),
            "lasting_growth": both * volume * replies + 0.1 * rng.normal(size=n),
            "posts": 5,
            "post_volume": volume,
            "reply_share": replies,
            "tenure": np.tile(np.arange(periods), accounts),
            "past_acts": rng.poisson(5, n),
            "hashtag_rate": rng.uniform(size=n),
        }
    )


def fitted(rows, name="planted"):
    return presence_counts(rows, windows=WINDOWS, dataset=name)


@cache
def social():
    """Posting helps only where people are answered."""
    return fitted(world(1, both=1.2))


def totals(result):
    return (result.effects["between", "total", term] for term in (VOLUME, TOGETHER))


def assert_near(effect, truth, *, sharp=0.1):
    assert abs(effect.estimate - truth) < 3 * effect.std_error
    assert effect.std_error < sharp, "precise enough to mean something"


def test_presence_is_told_from_presence_with_answers():
    alone, beside = totals(social())
    assert_near(alone, 0.0)
    assert_near(beside, 1.2 * DOUBLING * STEP)
    assert list(social().table.columns) == VOCABULARY
    assert social().table["unit"].tolist()[:3] == [
        "ln ratio per doubling",
        "ln ratio per doubling and +0.25",
        "ln ratio per doubling",
    ]
    assert judge([social()], declared={}, untestable={})["verdict"].item() == "supported"


def test_presence_that_works_alone_is_seen():
    result = fitted(world(2, volume=0.6))
    alone, beside = totals(result)
    assert_near(alone, 0.6 * DOUBLING)
    assert_near(beside, 0.0)
    assert judge([result], declared={}, untestable={})["verdict"].item() == "contradicted"


def test_nothing_anywhere_does_not_support_it():
    result = fitted(world(3))
    alone, beside = totals(result)
    assert_near(alone, 0.0)
    assert_near(beside, 0.0)
    assert judge([result], declared={}, untestable={})["verdict"].item() == "inconclusive"


def test_the_effect_at_a_share_is_that_of_a_model_counted_from_it():
    """Against statsmodels' GLM with dummies, errors clustered (its correction is ours)."""
    rows = world(1, both=1.2)
    rows = rows[rows["inbound"] > 0]
    share = rows["answered"] / rows["inbound"]
    classes = pd.cut(rows["inbound"], [-1, 0, 1, 2, 3, 5, 8, 12, 19, np.inf])
    dummies = pd.concat([pd.get_dummies(classes), pd.get_dummies(rows["period"])], axis=1)
    dummies = dummies.loc[:, dummies.any()].drop(columns=0).astype(float)
    logs = np.log1p(rows[["new_now", "tenure", "past_inbound", "past_acts"]])
    logs = logs.drop(columns="tenure")
    rest = [dummies.to_numpy(), logs, rows[["schedule_focus", "burstiness"]], share]
    clusters = pd.factorize(rows["account_id"])[0]
    for at in (0.0, 0.5, 1.0):
        volume = rows["post_volume"]
        x = np.column_stack([volume, volume * (share - at), *rest])
        model = sm.GLM(rows["lasting_audience"].to_numpy(), x, family=sm.families.Poisson())
        theirs = model.fit(cov_type="cluster", cov_kwds={"groups": clusters}, tol=1e-12)
        ours = social().effects["described", f"at share {at:g}", VOLUME]
        assert ours.estimate == pytest.approx(theirs.params[0] * DOUBLING, abs=1e-6)
        assert ours.std_error == pytest.approx(theirs.bse[0] * DOUBLING, rel=0.005)


def effects_at(result):
    return {s: result.effects["described", f"at share {s:g}", VOLUME] for s in SHARES}


def test_effects_at_shares_lie_on_a_line():
    few = presence_alone(followers(4, accounts=30), windows=WINDOWS, dataset="planted", draws=199)
    for result in (social(), few):
        alone, beside = totals(result)
        for share, effect in effects_at(result).items():
            expected = alone.estimate + beside.estimate * share / STEP
            assert effect.estimate == pytest.approx(expected, abs=1e-9)
        assert effects_at(result)[0.0] is alone
        assert len(result.table) == 2 + len(SHARES)


def test_the_bootstrap_at_a_share_is_that_of_a_model_counted_from_it():
    """Under 50 accounts: replies counted from a half make A the effect at a half, exactly."""
    rows = followers(5, accounts=30)
    rows.loc[rows.index % 10 == 0, "reply_share"] = 0.5
    moved = rows.assign(reply_share=rows["reply_share"] - 0.5)
    options = {"windows": WINDOWS, "dataset": "planted", "draws": 199}
    at_half = effects_at(presence_alone(rows, **options))[0.5]
    alone, _ = totals(presence_alone(moved, **options))
    assert alone.estimate == pytest.approx(at_half.estimate, abs=1e-9)
    assert alone.interval() == pytest.approx(at_half.interval(), abs=1e-9)


NARROW = world(6).assign(inbound=100, answered=lambda rows: (rows["period"] % 2 * 20).astype(int))
SILENT = world(6).assign(answered=lambda rows: rows["inbound"].clip(lower=1))
STILL = world(6).assign(
    post_volume=lambda rows: rows.groupby("account_id")["post_volume"].transform("first")
)
REFUSED = {
    "rare": (
        world(6).assign(lasting_audience=lambda rows: (rows.index % 400 == 0) * 1),
        "rows have an outcome above 0; at least 50 are needed",
    ),
    "few accounts": (world(6, accounts=15), "15 accounts have an outcome above 0"),
    "all answered": (SILENT, "in 0.0% of the rows nobody was answered; at least 5 % are needed"),
    "narrow": (NARROW, "the contrast of 0.25 in answering is wider than its 1st to 99th"),
    "still": (STILL, "post_volume varies within 0 accounts; at least 20 are needed"),
    "together": (
        world(6).assign(
            answered=lambda rows: rows["inbound"].where(rows["period"] % 2 == 0, 0),
            post_volume=lambda rows: np.where(rows["period"] % 2 == 0, 1.0, 0.0),
        ),
        "has no finite solution: post_volume is separated or repeats others",
    ),
}


@pytest.mark.parametrize(("rows", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_tested_is_a_result_with_a_reason(rows, reason):
    result = fitted(rows)
    assert reason in result.reason
    assert not result.effects
    assert judge([result], declared={}, untestable={})["verdict"].tolist() == ["untestable"]


def test_inputs_are_not_changed_and_numbers_stay():
    rows = world(1, both=1.2)
    before = rows.copy()
    pd.testing.assert_frame_equal(fitted(rows).table, social().table, rtol=1e-9)
    pd.testing.assert_frame_equal(rows, before)


def heights(ax):
    return ax.lines[-1].get_ydata()


def test_the_figure_of_counts():
    ax = marginal_effects(social().table)
    ratios = [np.exp(effect.estimate) - 1 for effect in effects_at(social()).values()]
    np.testing.assert_allclose(heights(ax), ratios)
    assert ax.get_title(loc="left").replace("\n", " ") == (
        "planted: posting twice as much predicts no clear change in lasting newcomers where "
        "nobody is answered, and more the more people are answered"
    )
    said = [text.get_text() for text in ax.texts]
    assert said[0] == "too small to matter"
    assert said[1] == f"{100 * ratios[-1]:+.0f} % where\nall are answered"
    assert "lasting newcomers" in ax.get_ylabel()
    band = ax.collections[0].get_paths()[0].vertices
    low, high = effects_at(social())[1.0].interval()
    assert band[:, 1].max() == pytest.approx(np.exp(high) - 1)
    assert np.isclose(band[:, 1], np.exp(low) - 1).any()


def test_the_figure_of_follower_growth_and_one_that_falls():
    result = presence_alone(followers(7, both=-0.1), windows=WINDOWS, dataset="planted", draws=99)
    ax = marginal_effects(result.table)
    assert "lasting followers" in ax.get_ylabel()
    assert (
        ax.get_title(loc="left")
        .replace("\n", " ")
        .endswith("and less the more people are answered")
    )
    assert heights(ax)[-1] < 0
    assert ax.texts[0].get_text().startswith(MINUS)


def test_a_figure_needs_shares_of_one_data_set():
    table = social().table
    with pytest.raises(DataError, match="must hold H6 of one data set at two or more shares"):
        marginal_effects(table[table["block"] == "total"])
    with pytest.raises(DataError, match="but holds 5 of 2"):
        marginal_effects(pd.concat([table, table.assign(dataset="other")]))
    with pytest.raises(DataError, match="lacks unit"):
        marginal_effects(table.drop(columns="unit"))
