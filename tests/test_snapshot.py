"""One snapshot of accounts: rows by hand, and least squares against statsmodels and R."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from smo_research.errors import FitError
from smo_research.evidence.crosssection import (
    OUTCOME,
    TWEAKS,
    least_squares_hc3,
    snapshot,
    snapshot_growth,
)
from smo_research.evidence.verdicts import judge
from smo_research.tables import Tables

FOLDER = Path(__file__).with_name("reference")
SEEN = pd.Timestamp("2020-01-11", tz="UTC")


def three_accounts():
    accounts = pd.DataFrame(
        {
            "account_id": ["a", "b", "gone"],
            "platform": "x",
            "created_at": SEEN - pd.to_timedelta([10, 100, 5], unit="D"),
            "follow_back": [0.5, 0.25, 0.1],
        }
    )
    followers = pd.DataFrame(
        {
            "account_id": ["a", "b"],
            "observed_at": [SEEN, SEEN],
            "followers": pd.array([30, 100], dtype="Int64"),
            "posts_total": pd.array([9, 0], dtype="Int64"),
        }
    )
    posts = pd.DataFrame(
        {
            "account_id": ["a", "a", "a", "b"],
            "hashtags": pd.array([2, None, 0, 1], dtype="Int64"),
            "links": pd.array([1, 1, 0, None], dtype="Int64"),
            "is_reply": pd.array([True, False, False, True], dtype="boolean"),
        }
    )
    return Tables("hand", accounts=accounts, followers=followers, posts=posts)


def world(seed=0, *, n=120, replies=0.0, tags=0.0):
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({name: rng.uniform(size=n) for name in (*TWEAKS, "reply_share")})
    rows = rows.assign(log_age=rng.normal(7, 0.3, n), post_volume=rng.normal(5, 1, n))
    noise = rng.normal(size=n) * (0.1 + 0.3 * rows["reply_share"])
    drawn = replies * rows["reply_share"] + tags * rows["hashtag_rate"] + noise
    return rows.assign(account_id=[str(k) for k in range(n)], **{OUTCOME: drawn})


def test_rows_by_hand():
    rows = snapshot(three_accounts()).set_index("account_id")
    assert rows.index.tolist() == ["a", "b"], "the third was never counted"
    assert rows[OUTCOME].tolist() == pytest.approx([np.log(1 + 3), np.log(1 + 1)])
    assert rows["log_age"].tolist() == pytest.approx(np.log([10, 100]))
    assert rows["post_volume"].tolist() == pytest.approx([np.log(10), 0])
    assert rows["hashtag_rate"].tolist() == [1.0, 1.0], "what is not known is left out"
    assert rows["link_rate"].fillna(-1).tolist() == pytest.approx([2 / 3, -1])
    assert rows["reply_share"].tolist() == pytest.approx([1 / 3, 1])
    assert rows["follow_back"].tolist() == [0.5, 0.25]
    assert "media_share" not in rows


def test_a_snapshot_needs_its_tables():
    tables = three_accounts()
    with pytest.raises(FitError, match="a snapshot needs accounts, followers and posts"):
        snapshot(Tables("hand", accounts=tables.accounts, posts=tables.posts))


@pytest.mark.parametrize("hypothesis", ["H2", "H3"])
def test_equals_statsmodels(hypothesis):
    rows = world(1, replies=0.5)
    result = snapshot_growth(rows, hypothesis, dataset="planted")
    for term in TWEAKS if hypothesis == "H2" else ["reply_share"]:
        others = ["reply_share"] if hypothesis == "H2" else list(TWEAKS)
        right = " + ".join([term, "log_age", "post_volume", *others])
        fit = smf.ols(f"{OUTCOME} ~ {right}", rows).fit(cov_type="HC3", use_t=True)
        effect = result.effects["cross-section", "total", term]
        assert effect.estimate == pytest.approx(0.25 * fit.params[term], rel=1e-9)
        assert effect.std_error == pytest.approx(0.25 * fit.bse[term], rel=1e-9)
        assert effect.p_difference == pytest.approx(fit.pvalues[term], rel=1e-6)


def test_planted_truth_is_recovered_and_graded_c_at_most():
    result = snapshot_growth(world(2, n=300, replies=1.0), "H3", dataset="planted")
    effect = result.effects["cross-section", "total", "reply_share"]
    assert abs(effect.estimate - 0.25) < 3 * effect.std_error
    row = judge([result], declared={}, untestable={}).iloc[0]
    assert (row["verdict"], row["grade"]) == ("supported", "C")
    assert result.bound == pytest.approx(0.1 * world(2, n=300, replies=1.0)[OUTCOME].std())


def test_what_cannot_be_tested_says_so():
    few = snapshot_growth(world(3, n=49), "H3", dataset="small")
    assert few.reason == "49 accounts; at least 50 are needed"
    narrow = world(3).assign(reply_share=lambda rows: 0.1 * rows["reply_share"])
    result = snapshot_growth(narrow, "H3", dataset="small")
    assert "the contrast of 0.25 in reply_share is wider than its 1st to 99th" in result.reason
    with pytest.raises(FitError, match="reply_share or what it is adjusted for repeats others"):
        least_squares_hc3(world(3), OUTCOME, ["reply_share", "log_age", "log_age"])


def test_inputs_are_not_changed():
    rows = world(4)
    before = rows.copy()
    snapshot_growth(rows, "H2", dataset="a")
    pd.testing.assert_frame_equal(rows, before)
    tables = three_accounts()
    snapshot(tables)
    pd.testing.assert_frame_equal(tables.posts, three_accounts().posts)


@pytest.mark.data
def test_libraries_equal_sandwich(real):
    """R, h3_snapshot.R: lm and vcovHC(type = "HC3")."""
    expected = pd.read_csv(FOLDER / "h3_snapshot.csv", comment="#").set_index("term")
    rows = snapshot(real("german-libraries"))
    assert len(rows) == expected["n_obs"].iloc[0] == 51
    for place, term in enumerate(expected.index):
        terms = [term, *expected.index.delete(place)]
        effect = least_squares_hc3(rows, OUTCOME, terms)
        assert effect.estimate == pytest.approx(expected.loc[term, "estimate"], abs=1e-9)
        assert effect.std_error == pytest.approx(expected.loc[term, "error"], rel=1e-8)
        assert effect.p_difference == pytest.approx(expected.loc[term, "p_value"], rel=1e-6)
    effect = snapshot_growth(rows, "H3", dataset="german-libraries").effects[
        "cross-section", "total", "reply_share"
    ]
    assert effect.estimate == pytest.approx(0.25 * expected.loc["reply_share", "estimate"])
    assert effect.std_error == pytest.approx(0.25 * expected.loc["reply_share", "error"])
