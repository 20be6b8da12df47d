"""Samples: which rows a test uses, the adjustment set, and what was left out and why."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from smo_research.evidence.robustness import placebo_lag, placebo_rows
from smo_research.evidence.samples import (
    adjusted,
    growth_sample,
    hardly_varies,
    numbered,
    too_little,
    tweak_terms,
    under_study,
    whole,
    without_effects,
)
from smo_research.tables import Windows

LAUNCH = Windows(period=7, gap=7, horizon=42)


def panel_rows(**columns):
    """Rows of a panel; what is not given is nothing out of the ordinary."""
    n = max(len(values) for values in columns.values())
    usual = {
        "account_id": [f"a{i}" for i in range(n)],
        "period": 5,
        "inbound": 1,
        "answering": 0.5,
        "past_answering": 0.5,
        "pooled_answering": 0.4,
        "own_acts": 1,
        "new_now": 0,
        "tenure": 0,
        "past_inbound": 0,
        "past_acts": 0,
        "post_volume": 0.0,
        "schedule_focus": 0.1,
        "burstiness": 0.1,
        "new_audience": 1,
        "lasting_audience": 1,
    }
    return pd.DataFrame({name: columns.get(name, value) for name, value in usual.items()})


FOUR = panel_rows(
    account_id=["acts", "hears", "both", "silent past"],
    own_acts=[1, 0, 1, 1],
    inbound=[0, 1, 2, 3],
    answering=[np.nan, 0.2, 0.6, 0.7],
    past_answering=[0.5, 0.5, 0.5, np.nan],
)


@pytest.mark.parametrize(
    ("hypothesis", "kept", "reasons"),
    [
        ("H2", ["acts", "both", "silent past"], ["no own act in the period"]),
        ("H3", ["hears", "both", "silent past"], ["nobody wrote in the period"]),
        (
            "H7",
            ["hears", "both"],
            ["nobody wrote in the period", "nobody wrote in the past three periods"],
        ),
    ],
)
def test_rows_of_each_hypothesis(hypothesis, kept, reasons):
    sample = growth_sample(FOUR, hypothesis, windows=LAUNCH)
    assert sample.rows["account_id"].tolist() == kept
    assert sample.left_out["reason"].tolist() == reasons
    assert sample.left_out["rows"].tolist() == [1] * len(reasons)
    assert sample.left_out["accounts"].tolist() == [1] * len(reasons)


def test_with_posts_a_post_is_as_good_as_an_act():
    rows = growth_sample(FOUR.assign(posts=[0, 0, 2, 0]), "H2", windows=LAUNCH).rows
    assert rows["account_id"].tolist() == ["acts", "both", "silent past"]
    sample = growth_sample(FOUR.assign(posts=[0, 3, 0, 0], own_acts=0), "H2", windows=LAUNCH)
    assert sample.rows["account_id"].tolist() == ["hears"]
    assert sample.left_out["reason"].tolist() == ["neither an own act nor a post in the period"]


def test_what_was_put_into_posts_is_missing_together_where_there_was_none():
    rows = panel_rows(posts=[0, 2, 1, 0], inbound=[1, 1, 1, 1]).assign(
        hashtag_rate=[np.nan, 1.0, 0.0, np.nan],
        link_rate=[np.nan, 1.0, 0.0, np.nan],
        media_share=[np.nan, np.nan, 0.5, np.nan],
    )
    adjustable = adjusted(rows)
    assert tweak_terms(adjustable, fewest=1) == [
        *["schedule_focus", "burstiness", "hashtag_rate", "link_rate", "media_share"],
        *["hashtag_rate_missing", "media_share_missing"],
    ]
    assert adjustable["hashtag_rate"].tolist() == [0.5, 1.0, 0.0, 0.5]
    assert "paid_share_known" not in adjustable


LISTED = pd.DataFrame({"account_id": ["a", "b"]})


@pytest.mark.parametrize(
    ("sources", "accounts", "kept"),
    [
        (["a", "fan"], LISTED, ["a", "b"]),
        (["a", "b"], LISTED, ["a", "fan", "b"]),
        (["a", "fan"], None, ["a", "fan", "b"]),
    ],
)
def test_accounts_listed_are_under_study_where_others_act_too(sources, accounts, kept):
    log = pd.DataFrame({"source_id": sources, "target_id": "a"})
    rows = pd.DataFrame({"account_id": ["a", "fan", "b"], "period": [0, 0, 1]})
    assert under_study(rows, log, accounts)["account_id"].tolist() == kept
    assert len(rows) == 3


def test_nobody_writing_takes_the_pooled_value():
    rows = growth_sample(FOUR, "H2", windows=LAUNCH).rows.set_index("account_id")
    assert rows["answering"].to_dict() == {"acts": 0.4, "both": 0.6, "silent past": 0.7}


@pytest.mark.parametrize(
    ("period", "gap", "first"), [(28, 28, 2), (28, 7, 2), (7, 7, 2), (7, 8, 3), (7, 28, 5)]
)
def test_a_log_that_starts_later_loses_its_first_periods(period, gap, first):
    windows = Windows(period=period, gap=gap, horizon=100, from_launch=False)
    rows = panel_rows(period=range(8))
    sample = growth_sample(rows, "H3", windows=windows)
    assert sample.rows["period"].tolist() == list(range(math.ceil(gap / period) + 1, 8))
    assert sample.rows["period"].min() == first
    assert sample.left_out.to_numpy().tolist() == [
        ["the log starts after the platform did", first, first]
    ]
    from_launch = Windows(period=period, gap=gap, horizon=100, from_launch=True)
    assert len(growth_sample(rows, "H3", windows=from_launch).rows) == 8


def test_inbound_classes():
    first_of = {
        "0": 0,
        "1": 1,
        "2": 2,
        "3": 3,
        "4-5": 4,
        "6-8": 6,
        "9-12": 9,
        "13-19": 13,
        "20+": 20,
    }
    inbound = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 18, 19, 20, 21, 5_000]
    expected = [max((n, label) for label, n in first_of.items() if n <= i)[1] for i in inbound]
    said = adjusted(panel_rows(inbound=inbound))["inbound_class"]
    assert said.tolist() == expected
    assert said.nunique() == 9


def test_amounts_are_taken_as_ln_1_plus():
    rows = adjusted(
        panel_rows(new_now=[0, 3], tenure=[1, 7], past_inbound=[2, 0], past_acts=[9, 1])
    )
    np.testing.assert_allclose(rows["log_new_now"], np.log([1, 4]))
    np.testing.assert_allclose(rows["log_tenure"], np.log([2, 8]))
    np.testing.assert_allclose(rows["log_past_inbound"], np.log([3, 1]))
    np.testing.assert_allclose(rows["log_past_acts"], np.log([10, 2]))


def test_a_missing_tweak_gets_its_mean_and_an_indicator():
    rows = adjusted(panel_rows(burstiness=[0.2, np.nan, 0.6], schedule_focus=[0.1, 0.1, 0.1]))
    assert rows["burstiness"].tolist() == pytest.approx([0.2, 0.4, 0.6])
    assert rows["burstiness_missing"].tolist() == [0, 1, 0]
    assert rows["burstiness_known"].isna().tolist() == [False, True, False]
    assert rows["schedule_focus_missing"].sum() == 0


@pytest.mark.parametrize(
    ("schedule_focus", "burstiness", "terms"),
    [
        ([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], ["schedule_focus", "burstiness"]),
        (
            [0.1, None, 0.3],
            [0.1, None, 0.3],
            ["schedule_focus", "burstiness", "schedule_focus_missing"],
        ),
        (
            [0.1, None, 0.3],
            [0.1, 0.2, None],
            ["schedule_focus", "burstiness", "schedule_focus_missing", "burstiness_missing"],
        ),
        ([None, None, None], [0.1, None, 0.3], ["burstiness", "burstiness_missing"]),
        ([None, None, None], [None, None, None], []),
    ],
)
def test_tweak_terms_have_an_indicator_for_each_pattern(schedule_focus, burstiness, terms):
    rows = panel_rows(
        schedule_focus=pd.array(schedule_focus, dtype=float),
        burstiness=pd.array(burstiness, dtype=float),
    )
    assert tweak_terms(adjusted(rows), fewest=1) == terms


def test_inputs_are_not_changed():
    before = FOUR.copy()
    growth_sample(FOUR, "H2", windows=LAUNCH)
    numbered(FOUR)
    pd.testing.assert_frame_equal(FOUR, before)


def test_numbers_keep_accounts_apart():
    rows = numbered(panel_rows(account_id=["007", "7", "b", "7"]))
    assert rows["account_id"].tolist() == [0, 1, 2, 1]


def plain_without_effects(rows, outcome, effects):
    """Drop one group at a time until none is left to drop."""
    rows = rows.copy()
    while True:
        doomed = [
            group.index
            for effect in effects
            for _, group in rows.groupby(effect)
            if group[outcome].sum() == 0 or (len(effects) > 1 and len(group) == 1)
        ]
        if not doomed:
            return rows
        rows = rows.drop(doomed[0])


@pytest.mark.parametrize("effects", [["period"], ["account_id"], ["account_id", "period"]])
@pytest.mark.parametrize("seed", range(8))
def test_without_effects_equals_dropping_one_group_at_a_time(effects, seed):
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "account_id": rng.integers(0, 25, 60),
            "period": rng.integers(0, 12, 60),
            "y": rng.poisson(0.35, 60),
        }
    ).drop_duplicates(["account_id", "period"])
    sample = without_effects(whole(rows), "y", effects)
    expected = plain_without_effects(rows, "y", effects)
    assert 0 < len(expected) < len(rows)
    pd.testing.assert_frame_equal(sample.rows, expected)
    assert sample.left_out["rows"].sum() == len(rows) - len(expected)
    gone = rows["account_id"].nunique() - expected["account_id"].nunique()
    assert sample.left_out["accounts"].sum() == gone
    assert sample.left_out["reason"].is_unique


def test_without_effects_by_eye():
    # Period 2 is all 0; without it c has one row; without c, period 3 has one row; without
    # that, b has one row. a and d stay.
    rows = pd.DataFrame(
        [
            *[("a", 0, 1), ("a", 1, 1), ("d", 0, 1), ("d", 1, 0)],
            *[("b", 0, 1), ("b", 3, 1), ("c", 3, 1), ("c", 2, 0)],
        ],
        columns=["account_id", "period", "y"],
    )
    sample = without_effects(whole(rows), "y", ["account_id", "period"])
    assert sample.rows["account_id"].tolist() == ["a", "a", "d", "d"]
    assert sample.left_out.set_index("reason")["rows"].to_dict() == {
        "periods whose outcome is 0 throughout": 1,
        "accounts with a single row": 2,
        "periods with a single row": 1,
    }


def test_nothing_to_drop_leaves_nothing_out():
    rows = panel_rows(account_id=["a", "a", "b", "b"], period=[0, 1, 0, 1])
    sample = without_effects(whole(rows), "lasting_audience", ["account_id", "period"])
    pd.testing.assert_frame_equal(sample.rows, rows)
    assert sample.left_out.empty


def test_too_little_counts_rows_and_accounts_with_an_outcome_above_0():
    rows = panel_rows(account_id=list("aabbcc"), lasting_audience=[1, 2, 1, 0, 0, 0])
    limits = {"fewest_rows": 3, "fewest_accounts": 2}
    assert too_little(rows, "lasting_audience", **limits) == ""
    said = too_little(rows, "lasting_audience", fewest_rows=4, fewest_accounts=2)
    assert said == "3 rows have an outcome above 0; at least 4 are needed"
    said = too_little(rows, "lasting_audience", fewest_rows=3, fewest_accounts=3)
    assert said == "2 accounts have an outcome above 0; at least 3 are needed"


def test_hardly_varies_counts_accounts_in_which_the_predictor_varies():
    rows = panel_rows(account_id=list("aabbcc"), answering=[0.1, 0.2, 0.3, 0.3, 0.4, None])
    assert hardly_varies(rows, "answering", fewest_accounts=1) == ""
    said = hardly_varies(rows, "answering", fewest_accounts=2)
    assert said == "answering varies within 1 accounts; at least 2 are needed"


def test_placebo_sets_a_predictor_against_an_outcome_that_was_over_before_it():
    windows = Windows(period=7, gap=7, horizon=14)
    assert placebo_lag(windows) == 2 + 2 + 3
    panel = panel_rows(
        account_id=["a"] * 10 + ["b"],
        period=[*range(10), 9],
        answering=np.linspace(0.0, 1.0, 11),
        lasting_audience=range(100, 111),
        tenure=range(11),
    )
    rows = growth_sample(panel, "H3", windows=windows).rows
    lagged = placebo_rows(rows, panel, windows=windows, predictor="answering")
    assert lagged["period"].tolist() == [7, 8, 9], "b has no earlier row"
    assert lagged["answering"].tolist() == pytest.approx([0.7, 0.8, 0.9])
    assert lagged["lasting_audience"].tolist() == [100, 101, 102]
    np.testing.assert_allclose(lagged["log_tenure"], np.log1p([0, 1, 2]))


def test_placebo_outcome_ends_before_the_predictors_history_begins():
    for windows in (LAUNCH, Windows(period=28, gap=28, horizon=168)):
        # The newcomers of row t - k come in t - k + 1 and last up to the horizon after.
        lag = placebo_lag(windows)
        over = -(lag - 2) * windows.period + windows.horizon
        history = -3 * windows.period
        assert over <= history
        assert over + windows.period > history, "the first such lag"
