"""Lasting under other gaps and horizons: truth by eye, and what decides comes out the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smo_research.errors import DataError
from smo_research.evidence.comeback import return_when_answered
from smo_research.evidence.horizons import _with_outcome, across_windows
from smo_research.evidence.lasting import lasting_growth
from smo_research.evidence.result import VOCABULARY
from smo_research.evidence.retention import retention_table
from smo_research.evidence.returning import first_contacts
from smo_research.measures.panel import panel
from smo_research.report.horizons import across_horizons, lasting_under
from smo_research.report.retention import retention
from smo_research.tables import Windows

WEEK = Windows(period=7, gap=7, horizon=42)


def log_of(*acts) -> pd.DataFrame:
    """Acts "who whom day"; whole days and parts of them."""
    who, whom, days = zip(*(act.split() for act in acts), strict=True)
    since = pd.to_timedelta(np.array(days, dtype=float), unit="D")
    at = pd.Timestamp("2020-01-01", tz="UTC") + since
    return pd.DataFrame(
        {"source_id": who, "target_id": whom, "created_at": at, "seq": range(len(who)),
         "kind": "message"}
    )  # fmt: skip


def random_log(acts: int = 900, *, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, 25, (acts, 2)).astype(str)
    at = pd.Timestamp("2020-01-01 05:00", tz="UTC") + pd.to_timedelta(
        np.sort(rng.integers(0, 100 * 86_400, acts)), unit="s"
    )
    return pd.DataFrame(
        {"source_id": ends[:, 0], "target_id": ends[:, 1], "created_at": at.as_unit("us"),
         "seq": range(acts), "kind": "message"}
    )  # fmt: skip


BACK = log_of("b a 0", "c a 1", "b a 7", "c a 4", "d a 12", "b b 13", "e a 21")


def share(table, gap, days):
    return table.loc[(table["gap"] == gap) & (table["days"] == days), "back"].item()


def test_newcomers_are_back_from_the_gap_on():
    table = retention_table(BACK, horizon=10, gaps=[1, 5], dataset="mine")
    # e came too late to be followed for 10 days, d just in time.
    assert set(table["n_newcomers"]) == {2}
    assert [share(table, 1, day) for day in (2, 3, 6, 7)] == [0, 0.5, 0.5, 1]
    assert [share(table, 5, day) for day in (6, 7, 10)] == [0, 0.5, 0.5]
    assert share(retention_table(BACK, horizon=10, gaps=[7], dataset="mine"), 7, 7) == 0.5
    nine = retention_table(BACK, horizon=9, gaps=[1], dataset="mine")
    assert set(nine["n_newcomers"]) == {3}


def test_intervals_are_clustered_by_the_account_acted_toward():
    """With one newcomer an account, the error is that of a mean: s / sqrt(n)."""
    acts = [f"x{k} a{k} 0" for k in range(6)] + ["x0 a0 3", "x1 a1 3", "z y 30"]
    last = retention_table(log_of(*acts), horizon=10, gaps=[1], dataset="mine").iloc[-1]
    back = np.array([1, 1, 0, 0, 0, 0])
    reach = 2.570581835636314 * back.std(ddof=1) / np.sqrt(6)
    assert last["ci_high"] - last["back"] == pytest.approx(reach)
    assert last["ci_low"] == 0


@pytest.mark.parametrize("gaps", [[], [0], [11]])
def test_gaps_lie_within_the_horizon(gaps):
    with pytest.raises(DataError, match="gaps must be"):
        retention_table(BACK, horizon=10, gaps=gaps, dataset="mine")


def test_a_log_too_short_to_follow_anybody_says_so():
    with pytest.raises(DataError, match="shorter horizon"):
        retention_table(BACK, horizon=60, gaps=[1], dataset="mine")


@pytest.mark.parametrize(
    "windows",
    [WEEK, Windows(period=4, gap=2, horizon=15), Windows(period=14, gap=10, horizon=40)],
    ids=str,
)
def test_the_outcome_of_other_windows_is_that_of_their_own_panel(windows):
    log = random_log()
    others = log[log["source_id"] != log["target_id"]]
    shortest = Windows(period=windows.period, gap=1, horizon=1)
    own = panel(log, windows=windows)
    found = _with_outcome(panel(log, windows=shortest), others, windows)
    pd.testing.assert_frame_equal(found[own.columns], own, check_dtype=False)
    assert own["lasting_audience"].sum() > 0


def test_lasting_newcomers_are_those_the_panel_counts():
    log = log_of(*(f"x{k} a {k}" for k in range(30)), "x8 a 16", "x9 a 30", "a q 70")
    rows = _with_outcome(panel(log, windows=Windows(period=7, gap=1, horizon=1)), log, WEEK)
    lasting = rows.set_index(["account_id", "period"])["lasting_audience"]
    assert lasting["a", 0] == 2
    assert lasting.sum() == 2


def test_reasons_stand_where_there_is_no_estimate():
    table = across_windows(random_log(), "H5", windows=WEEK, horizons=[8, 21], dataset="mine")
    assert table.columns.tolist() == ["period", "gap", "horizon", *VOCABULARY]
    assert "must not pass the horizon" in table["reason"][0]
    growth = across_windows(random_log(), "H3", windows=WEEK, horizons=[14, 150], dataset="mine")
    assert "shorter period or horizon" in growth["reason"][1]
    assert growth["estimate"].isna()[1]


def test_a_gap_longer_than_a_horizon_is_passed_over():
    table = across_windows(
        random_log(), "H5", windows=WEEK, gaps=[7, 21], horizons=[14, 28], dataset="mine"
    )
    assert table[["gap", "horizon"]].to_numpy().tolist() == [[7, 14], [7, 28], [21, 28]]


def test_panels_are_built_once():
    kept: dict[int, pd.DataFrame] = {}
    log, asked = random_log(), {"windows": WEEK, "dataset": "mine", "panels": kept}
    across_windows(log, "H3", horizons=[14], **asked)
    first = kept[7]
    before = first.copy()
    across_windows(log, "H7", horizons=[21], **asked)
    assert kept[7] is first
    pd.testing.assert_frame_equal(first, before)


@pytest.mark.parametrize(
    ("hypothesis", "horizons"), [("H2", [42]), ("H3", [])], ids=["hypothesis", "horizons"]
)
def test_what_is_asked_must_make_sense(hypothesis, horizons):
    with pytest.raises(DataError):
        across_windows(BACK, hypothesis, windows=WEEK, horizons=horizons, dataset="mine")


@pytest.mark.data
def test_under_its_own_windows_it_says_what_decides(real):
    log = real("collegemsg").interactions
    asked = {"windows": WEEK, "horizons": [42], "dataset": "collegemsg"}
    decides = {
        "H3": lasting_growth(panel(log, windows=WEEK), "H3", windows=WEEK, dataset="collegemsg"),
        "H5": return_when_answered(first_contacts(log, windows=WEEK), dataset="collegemsg"),
    }
    for hypothesis, result in decides.items():
        row = across_windows(log, hypothesis, **asked).iloc[0]
        numbers = ["estimate", "ci_low", "ci_high", "n_obs", "n_accounts"]
        expected = result.table.iloc[0][numbers].tolist()
        assert row[numbers].tolist() == pytest.approx(expected, rel=1e-5, abs=1e-7)


def across(*gaps) -> pd.DataFrame:
    """Estimates that fall with the horizon, the last of which holds no effect."""
    rows = [
        {"period": 7, "gap": gap, "horizon": horizon, "hypothesis": "H5", "dataset": "mine",
         "term": "answered", "estimate": estimate, "ci_low": estimate - 0.15,
         "ci_high": estimate + 0.15, "unit": "ln ratio if answered", "reason": ""}
        for gap in gaps for horizon, estimate in ((14, 0.3), (42, 0.2), (84, 0.1))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_the_figure_counts_the_choices_and_names_the_gaps():
    ax = across_horizons(across(3, 7), windows=WEEK)
    assert ax.get_title("left").replace("\n", " ") == (
        "H5 on mine: the interval lies above 1 in 4 of 6 choices of gap and horizon, "
        "below 1 in 0, and holds 1 in 2"
    )
    assert {text.get_text() for text in ax.texts} == {"gap 3 days", "gap 7 days (decides)"}
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["14", "42\n(decides)", "84"]


def test_the_figure_needs_one_hypothesis_and_an_estimate():
    two = pd.concat([across(7), across(7).assign(hypothesis="H3")])
    with pytest.raises(DataError, match="one hypothesis"):
        across_horizons(two)
    with pytest.raises(DataError, match="no estimate"):
        across_horizons(across(7).assign(estimate=np.nan))


def test_newcomers_are_drawn_a_line_a_gap():
    table = retention_table(BACK, horizon=10, gaps=[1, 5], dataset="mine")
    ax = retention(table, gap=5)
    assert ax.get_title("left") == "mine: 50 % of 2 newcomers act again between days 5 and 10"
    assert [text.get_text() for text in ax.texts] == [
        "50 % after 5 days or more",
        "100 % after a day or more",
    ]
    with pytest.raises(DataError, match="gap must be one of 1, 5"):
        retention(table, gap=3)
    with pytest.raises(DataError, match="one data set"):
        retention(pd.concat([table, table.assign(dataset="other")]))


def test_one_choice_of_windows_is_drawn_with_what_it_says():
    table = retention_table(BACK, horizon=10, gaps=[7], dataset="mine")
    effects = across(7).iloc[[0]]
    unknown = effects.assign(hypothesis="H3", estimate=np.nan, ci_low=np.nan, reason="too short")
    figure = lasting_under(table, pd.concat([effects, unknown]), windows=WEEK)
    title = figure.get_suptitle()
    assert title == "Period 7, gap 7, horizon 42 days: 1 of 2 intervals exclude 1"
    assert "too short" in {text.get_text() for text in figure.axes[1].texts}
