"""Lasting follower growth: rows apart, planted truth, other programs' numbers, refusals."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pyfixest
import pytest
import statsmodels.formula.api as smf

from smo_research.datasets.catalog import dataset
from smo_research.errors import FitError
from smo_research.evidence.channels import MODEL, describe_channels
from smo_research.evidence.effects import Effect
from smo_research.evidence.few import WildBootstrap, seed_for
from smo_research.evidence.follower_samples import (
    apart,
    follower_rows,
    follower_sample,
    measured_tweaks,
    outcome_bound,
    prepared,
)
from smo_research.evidence.followers import (
    follower_growth,
    follower_placebo,
    least_squares,
)
from smo_research.evidence.presence import presence_alone
from smo_research.evidence.result import VOCABULARY
from smo_research.evidence.robustness import placebo_lag
from smo_research.evidence.verdicts import judge
from smo_research.measures.panel import follower_panel
from smo_research.tables import Windows

WINDOWS = Windows(period=7, horizon=14)
STRIDE = 3


def world(
    seed=0, *, accounts=30, periods=40, replies=0.0, past=0.0, tags=0.0, volume=0.0, both=0.0
):
    """Rows of a follower panel whose truth is known, per unit of each column."""
    rng = np.random.default_rng(seed)
    n = accounts * periods
    account, period = np.repeat(np.arange(accounts), periods), np.tile(np.arange(periods), accounts)
    share = rng.beta(0.6, 0.9, n)
    share = np.where(rng.uniform(size=n) < 0.25, 0.0, share)
    past_share, rate = rng.beta(1, 1, n), rng.gamma(2, 0.4, n)
    post_volume = np.log1p(rng.poisson(8, n) + 1)
    growth = (
        0.02 * np.sin(period)
        + replies * share
        + past * past_share
        + tags * rate
        + volume * post_volume
        + both * post_volume * share
        + rng.normal(0, 0.01, accounts)[account]
        + rng.normal(0, 0.03, n)
    )
    return pd.DataFrame(
        {
            "account_id": [f"a{number}" for number in account],
            "period": period,
            "posts": np.round(np.expm1(post_volume)),
            "tenure": period,
            "past_acts": rng.poisson(20, n),
            "post_volume": post_volume,
            "reply_share": share,
            "past_reply_share": np.where(period < 3, np.nan, past_share),
            "hashtag_rate": rate,
            "schedule_focus": np.where(rng.uniform(size=n) < 0.3, np.nan, rng.normal(0, 0.3, n)),
            "growth": growth / 2 + rng.normal(0, 0.01, n),
            "lasting_growth": growth,
        }
    )


def fitted(rows, hypothesis, draws=199, **options):
    return follower_growth(
        rows, hypothesis, windows=WINDOWS, dataset="planted", draws=draws, **options
    )


def assert_near(effect, truth):
    assert abs(effect.estimate - truth) < 3 * effect.std_error
    assert effect.std_error < 0.005, "precise enough to mean something"


@pytest.mark.parametrize(("period", "horizon"), [(7, 14), (7, 15), (28, 7), (7, 56)])
def test_rows_apart_have_windows_that_do_not_overlap(period, horizon):
    rng = np.random.default_rng(1)
    rows = world(accounts=8)[lambda rows: rng.uniform(size=len(rows)) < 0.6]
    kept = apart(rows, Windows(period=period, horizon=horizon))
    for _, own in kept.groupby("account_id"):
        begin = (own["period"].sort_values() + 1) * period
        end = begin + period + horizon
        assert (begin.to_numpy()[1:] >= end.to_numpy()[:-1]).all()
    stride = 1 + -(-horizon // period)
    choices = [(rows["period"] % stride == place).sum() for place in range(stride)]
    assert len(kept) == max(choices)
    pd.testing.assert_frame_equal(kept, rows.loc[kept.index])


def test_of_equals_the_earliest_is_taken():
    rows = pd.DataFrame({"period": [5, 1, 4, 2]})
    assert apart(rows, WINDOWS)["period"].tolist() == [1, 4]


def test_the_choice_of_rows_does_not_look_at_outcomes():
    rows = world(accounts=5)
    noisy = rows.assign(lasting_growth=np.random.default_rng(1).permutation(rows["lasting_growth"]))
    assert apart(rows, WINDOWS).index.tolist() == apart(noisy, WINDOWS).index.tolist()


def test_rows_left_out_by_hand():
    rows = world(accounts=2, periods=9)
    rows.loc[[0, 1], "lasting_growth"] = np.nan
    rows.loc[2, "posts"] = 0
    rows.loc[3, "reply_share"] = np.nan
    sample = follower_sample(rows, ("reply_share", "schedule_focus"), windows=WINDOWS)
    assert sample.left_out[["reason", "rows"]].to_numpy().tolist() == [
        ["no fresh count of followers", 2],
        ["no post in the period", 1],
        ["reply_share is not known", 1],
        ["its outcome window overlaps another's", 9],
    ]
    assert set(sample.rows["period"] % STRIDE) == {1}


def test_a_missing_tweak_gets_its_mean_and_an_indicator():
    rows = pd.DataFrame(
        {"tenure": [0, 1], "past_acts": [3, 0], "cadence": [0.5, np.nan], "burstiness": [0.1, 0.3]}
    )
    before = rows.copy()
    made = prepared(rows)
    assert made["cadence"].tolist() == [0.5, 0.5]
    assert made["cadence_missing"].tolist() == [0.0, 1.0]
    assert made["log_past_acts"].tolist() == pytest.approx([np.log(4), 0.0])
    assert measured_tweaks(made) == ["burstiness"], "filled in, cadence does not vary"
    pd.testing.assert_frame_equal(rows, before)


CONTROLS = ["post_volume", "hashtag_rate"]


@pytest.mark.parametrize("effects", [["period"], ["account_id", "period"]])
@pytest.mark.parametrize("accounts", [12, 60])
def test_least_squares_equals_dummies_and_pyfixest(effects, accounts):
    """statsmodels OLS with a dummy a level; errors of pyfixest (CRV1)."""
    rows = world(2, accounts=accounts, periods=6, replies=0.05)
    step = 0.25
    effect = least_squares(
        rows,
        "lasting_growth",
        "reply_share",
        CONTROLS,
        effects=effects,
        step=step,
        rng=seed_for(1),
        draws=99,
    )
    right = " + ".join(["reply_share", *CONTROLS])
    dummies = " + ".join(f"C({name})" for name in effects)
    dense = smf.ols(f"lasting_growth ~ {right} + {dummies}", rows).fit()
    assert effect.estimate == pytest.approx(step * dense.params["reply_share"], rel=1e-8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        fit = pyfixest.feols(
            f"lasting_growth ~ {right} | {' + '.join(effects)}", rows, vcov={"CRV1": "account_id"}
        )
    assert effect.std_error == pytest.approx(step * fit.se()["reply_share"], rel=1e-6)
    assert effect.df == accounts - 1
    assert isinstance(effect, WildBootstrap if accounts == 12 else Effect)


def test_too_few_rows_for_a_model_say_so():
    rows = world(accounts=5, periods=2)
    with pytest.raises(Exception, match="10 rows are too few for the model"):
        least_squares(
            rows,
            "growth",
            "reply_share",
            [*CONTROLS, "past_acts"],
            effects=["account_id", "period"],
            step=1,
            rng=seed_for(1),
        )


REFUSED_FITS = {
    "empty": (lambda rows: rows.head(0), "0 rows are too few for the model"),
    "constant outcome": (
        lambda rows: rows.assign(lasting_growth=0.1),
        "lasting_growth is the same in all 360 rows",
    ),
    "outcome explained": (
        lambda rows: rows.assign(lasting_growth=rows["period"] * 0.1),
        "the model explains lasting_growth in full; the residuals leave no error",
    ),
    "collinear": (
        lambda rows: rows.assign(reply_share=rows["post_volume"] * 2),
        "the predictor repeats the controls",
    ),
    "constant predictor": (
        lambda rows: rows.assign(reply_share=rows["period"] / 9),
        "the predictor repeats the controls",
    ),
    "few accounts": (
        lambda rows: rows[rows["account_id"].isin(["a0", "a1", "a2", "a3"])],
        "4 clusters; the wild bootstrap needs at least 5",
    ),
}


@pytest.mark.parametrize(("change", "reason"), REFUSED_FITS.values(), ids=REFUSED_FITS.keys())
def test_least_squares_that_cannot_be_fitted_says_why(change, reason, capfd):
    with pytest.raises(FitError) as caught:
        least_squares(
            change(world(accounts=60, periods=6)),
            "lasting_growth",
            "reply_share",
            CONTROLS,
            effects=["period"],
            step=0.25,
            rng=seed_for(1),
            draws=9,
        )
    assert str(caught.value) == reason
    assert capfd.readouterr() == ("", "")


def test_every_model_of_followers_accounts_for_every_row():
    rows = world(13, accounts=25)
    rows.loc[rows.index % 7 == 0, "growth"] = np.nan
    result = fitted(rows, "H3", draws=9)
    gone = result.left_out.groupby(["model", "block"])["rows"].sum()
    for row in result.table.query("model != 'placebo'").itertuples():
        assert row.n_obs + gone[row.model, row.block] == len(rows)
    assert gone["between", "growth now"] > gone["between", "total"]


def test_the_bound_is_a_tenth_of_the_spread_after_effects():
    rows = world(3, accounts=10, periods=8)
    fit = smf.ols("lasting_growth ~ C(account_id) + C(period)", rows).fit()
    bound = outcome_bound(rows, "lasting_growth", ["account_id", "period"])
    assert bound == pytest.approx(0.1 * np.sqrt(fit.scale), rel=1e-9)


@pytest.mark.parametrize("accounts", [30, 60])
def test_a_planted_effect_of_replies_is_recovered(accounts):
    result = fitted(world(4, accounts=accounts, replies=0.1), "H3")
    for model in ("between", "within"):
        effect = result.effects[model, "total", "reply_share"]
        assert_near(effect, 0.025)
        assert isinstance(effect, WildBootstrap) == (accounts == 30)
        assert effect.p_difference < 0.05
    assert_near(result.effects["between", "growth now", "reply_share"], 0.0125)
    assert result.formula.startswith("lasting_growth ~ reply_share + log_tenure + log_past_acts")
    assert "schedule_focus_missing" in result.formula
    assert list(result.table) == VOCABULARY
    assert set(result.table["unit"]) == {"ln followers per +0.25"}


def test_past_replies_are_told_from_replies_now():
    result = fitted(world(5, replies=0.3, past=0.1), "H7")
    assert_near(result.effects["between", "total", "past_reply_share"], 0.025)
    nothing = fitted(world(5, replies=0.3), "H7")
    assert_near(nothing.effects["between", "total", "past_reply_share"], 0.0)


def test_each_tweak_is_tested_alone():
    result = fitted(world(26, accounts=60, tags=0.08, replies=0.2), "H2")
    assert_near(result.effects["between", "total", "hashtag_rate"], 0.02)
    assert_near(result.effects["between", "total", "schedule_focus"], 0.0)
    assert {key[2] for key in result.effects} == {"hashtag_rate", "schedule_focus"}


def test_the_placebo_takes_the_growth_that_was_over():
    rows = world(7)
    sample = follower_sample(rows, ("reply_share",), windows=WINDOWS)
    placebo = follower_placebo(rows, sample.rows, "reply_share", windows=WINDOWS)
    lag = placebo_lag(WINDOWS)
    assert lag == 2 + 2 + 3
    at = rows.set_index(["account_id", "period"])
    assert len(placebo) > 100
    for row in placebo.sample(20, random_state=1).itertuples():
        then, now = at.loc[(row.account_id, row.period - lag)], at.loc[(row.account_id, row.period)]
        assert row.lasting_growth == then["lasting_growth"]
        assert row.reply_share == now["reply_share"]
        assert row.earlier_reply_share == then["reply_share"]
        assert row.post_volume == then["post_volume"]
    assert len(set(placebo["period"] % STRIDE)) == 1


def test_the_placebo_is_quiet_where_only_now_matters():
    result = fitted(world(8, accounts=60, replies=0.3), "H3")
    assert_near(result.effects["placebo", "total", "reply_share"], 0.0)


def test_presence_is_told_from_presence_with_replies():
    """H6: A is volume where nobody is answered, B how much it rises with the share of replies."""
    result = presence_alone(
        world(9, accounts=60, volume=0.0, both=0.1), windows=WINDOWS, dataset="planted"
    )
    doubling = np.log(2)
    alone = result.effects["between", "total", "post_volume"]
    beside = result.effects["between", "total", "volume_times_replies"]
    assert_near(alone, 0.0)
    assert_near(beside, 0.1 * doubling * 0.25)
    assert beside.p_difference < 0.01
    assert alone.p_difference > 0.05
    units = result.table.query("model == 'between'").set_index("term")["unit"]
    assert units["post_volume"] == "ln followers per doubling"
    assert units["volume_times_replies"] == "ln followers per doubling and +0.25"


def test_presence_that_works_alone_is_seen():
    result = presence_alone(world(10, accounts=60, volume=0.05), windows=WINDOWS, dataset="planted")
    alone = result.effects["between", "total", "post_volume"]
    assert_near(alone, 0.05 * np.log(2))
    verdict = judge([result], declared={}, untestable={}).iloc[0]
    assert verdict["verdict"] == "contradicted"


FEW_ROWS = world(accounts=3, periods=6)
SAME = world().assign(
    reply_share=lambda rows: rows.groupby("account_id")["period"].transform("max")
)
NARROW = world().assign(reply_share=lambda rows: 0.5 + 0.2 * rows["reply_share"])
REFUSED = {
    "few rows": (FEW_ROWS, "H3", "6 rows have outcome windows that do not overlap; at least 50"),
    "unknown": (world().drop(columns="reply_share"), "H3", "the tables do not have the predictor"),
    "constant": (SAME, "H3", "reply_share varies within 0 accounts; at least 20 are needed"),
    "narrow": (NARROW, "H3", "the contrast of 0.25 in reply_share is wider than its 1st to 99th"),
    "few accounts": (world(accounts=19), "H3", "reply_share varies within 19 accounts"),
}


@pytest.mark.parametrize(("rows", "name", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_tested_is_a_result_with_a_reason(rows, name, reason):
    result = fitted(rows, name)
    assert reason in result.reason
    assert not result.effects
    assert judge([result], declared={}, untestable={})["verdict"].tolist() == ["untestable"]


REFUSED_H6 = {
    "few rows": (FEW_ROWS, "6 rows have an outcome; at least 50 are needed"),
    "all answer": (
        world().assign(reply_share=lambda rows: rows["reply_share"].clip(lower=0.01)),
        "in 0.0% of the rows nobody was answered; at least 5 % are needed",
    ),
    "few accounts": (world(accounts=19), "post_volume varies within 19 accounts"),
    "narrow": (
        world().assign(reply_share=lambda rows: 0.2 * rows["reply_share"]),
        "the contrast of 0.25 in reply_share is wider",
    ),
}


@pytest.mark.parametrize(("rows", "reason"), REFUSED_H6.values(), ids=REFUSED_H6.keys())
def test_presence_that_cannot_be_tested_says_so(rows, reason):
    result = presence_alone(rows, windows=WINDOWS, dataset="small", draws=99)
    assert reason in result.reason
    assert not result.effects


def test_same_seed_same_numbers_whatever_was_run_before():
    rows = world(11, accounts=25, periods=20, replies=0.05)
    one = fitted(rows, "H3", draws=99)
    fitted(rows, "H7", draws=99)
    pd.testing.assert_frame_equal(one.table, fitted(rows, "H3", draws=99).table)
    assert (one.table["p_value"] != fitted(rows, "H3", draws=99, seed=2).table["p_value"]).any()


def test_inputs_are_not_changed():
    rows = world(12, accounts=25, periods=20)
    before = rows.copy()
    for name in ("H2", "H3", "H7"):
        fitted(rows, name, draws=9)
    presence_alone(rows, windows=WINDOWS, dataset="a", draws=9)
    pd.testing.assert_frame_equal(rows, before)


@pytest.fixture(scope="module")
def candidates(real):
    tables = real("candidates-2020")
    return follower_panel(
        tables.followers, tables.posts, windows=dataset("candidates-2020").windows
    )


@pytest.mark.data
@pytest.mark.parametrize("hypothesis", ["H2", "H3", "H7"])
def test_candidates_have_too_few_rows_apart(candidates, hypothesis):
    windows = dataset("candidates-2020").windows
    result = follower_growth(
        candidates, hypothesis, windows=windows, dataset="candidates-2020", draws=199
    )
    reason = "49 rows have outcome windows that do not overlap; at least 50 are needed"
    assert result.reason.startswith(reason)
    assert "with overlapping windows it could have found" in result.reason
    assert set(result.table["model"]) == {"overlapping windows"}
    assert result.table["estimate"].notna().all()
    terms = ("reply_share",) if hypothesis == "H3" else ("past_reply_share",)
    rows = follower_rows(candidates, terms if hypothesis != "H2" else ()).rows
    assert (result.table["n_obs"] == len(rows)).all()
    assert judge([result], declared={}, untestable={})["verdict"].tolist() == ["untestable"]


@pytest.mark.data
def test_channels_are_described_and_never_judged(real):
    entry = dataset("youtube-entertainment")
    tables = real("youtube-entertainment")
    rows = follower_panel(tables.followers, windows=entry.windows)
    results = describe_channels(
        rows, tables.accounts, dataset=entry.name, untestable=entry.untestable
    )
    assert [result.hypothesis for result in results] == ["H2", "H6"]
    verdicts = judge(results, declared={}, untestable={})
    assert verdicts["verdict"].tolist() == ["untestable", "untestable"]
    assert "selected on" in verdicts["reason"].str.cat()
    used = rows.merge(tables.accounts, on="account_id").dropna(
        subset=["cadence", "post_volume", "growth", "lasting_growth"]
    )
    used = used.assign(
        file_period=used["sample"] + used["period"].astype(str),
        log_past_acts=np.log1p(used["past_acts"].astype(float)),
        channel=pd.factorize(used["account_id"])[0],
    )
    assert used["sample"].nunique() > 1
    for result, term, step in zip(
        results, ["cadence", "post_volume"], [0.25, np.log(2)], strict=True
    ):
        assert result.table["model"].str.startswith("described").all()
        assert MODEL.startswith("described")
        assert not result.effects
        for part, outcome in [("growth now", "growth"), ("total", "lasting_growth")]:
            columns = used[[outcome, "cadence", "post_volume", "log_past_acts"]].astype(float)
            flat = columns
            for _ in range(200):
                for name in ("channel", "file_period"):
                    flat = flat - flat.groupby(used[name]).transform("mean")
            slopes = np.linalg.lstsq(
                flat.iloc[:, 1:].to_numpy(), flat[outcome].to_numpy(), rcond=None
            )[0]
            row = result.table[result.table["block"] == part].iloc[0]
            place = ["cadence", "post_volume"].index(term)
            assert row["estimate"] == pytest.approx(step * slopes[place], rel=1e-3)
