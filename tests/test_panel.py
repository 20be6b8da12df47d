"""The panel: truth by eye, against brute force, and proof that it does not look ahead."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from brute_force import brute_force_panel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smo_research.errors import DataError
from smo_research.measures.panel import OUTCOMES, panel
from smo_research.measures.tweaks import expected_hour_entropy
from smo_research.tables import Windows

SMALL = Windows(period=3, gap=2, horizon=6)
START = pd.Timestamp("2020-01-01", tz="UTC")


def make_log(acts):
    """Acts as (source, target, hours since START), in the order of the log."""
    source, target, hours = zip(*acts, strict=True)
    return pd.DataFrame(
        {
            "source_id": list(source),
            "target_id": list(target),
            "created_at": START + pd.to_timedelta(hours, unit="h"),
            "seq": range(len(acts)),
            "kind": "message",
        }
    ).assign(created_at=lambda log: log["created_at"].dt.as_unit("us"))


def assert_same(fast, brute):
    fast = fast.set_index(["account_id", "period"])
    brute = brute.set_index(["account_id", "period"])
    assert fast.index.tolist() == brute.index.tolist()
    for column in brute.columns:
        np.testing.assert_allclose(
            fast[column].to_numpy(float),
            brute[column].to_numpy(float),
            rtol=1e-9,
            atol=1e-12,
            err_msg=column,
        )


accounts = st.sampled_from(["a", "b", "c", "d", "007", "7"])
acts = st.tuples(accounts, accounts, st.integers(0, 24 * 30).map(lambda h: h / 2))
logs = st.lists(acts, min_size=2, max_size=60).map(
    lambda some: make_log([*some, ("a", "b", 0), ("b", "a", 24 * 15)])
)


def test_two_accounts_by_eye():
    # b writes to a in period 0 and is answered after 12 hours; c comes in period 1 and is back
    # 3 days later, d comes in period 1 and is not.
    log = make_log(
        [
            ("b", "a", 1),
            ("a", "b", 13),
            ("c", "a", 24 * 3 + 1),
            ("d", "a", 24 * 4),
            ("c", "a", 24 * 6 + 1),
            ("x", "y", 24 * 13),
        ]
    )
    rows = panel(log, windows=SMALL)
    row = rows[(rows.account_id == "a") & (rows.period == 0)].iloc[0]
    assert (row.inbound, row.answered, row.answer_delay_hours) == (1, 1, 12.0)
    assert row.answering == (1 + 2 * 0.5) / (1 + 2)
    assert (row.new_audience, row.lasting_audience) == (2, 1)
    assert (row.depth, row.reciprocity, row.persistence) == (1.0, 1.0, 1.0)
    assert row.post_volume == 0.0, "a's only act is an answer"
    b = rows[(rows.account_id == "b") & (rows.period == 0)].iloc[0]
    assert (b.inbound, b.answered, b.cold_outreach) == (1, 0, 1.0)
    assert b.post_volume == pytest.approx(np.log(2))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(logs)
def test_equals_brute_force(log):
    if (log.source_id == log.target_id).all():
        return
    fast = panel(log, windows=SMALL)
    assert_same(fast, brute_force_panel(log, period=3, gap=2, horizon=6))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(logs, st.lists(acts, max_size=30), st.integers(0, 3))
def test_predictors_do_not_look_ahead(log, other_future, t):
    """Whatever happens after the end of t, the predictors of t and before stay, bit for bit."""
    end = 24 * 3 * (t + 1)
    past = log[log["created_at"] < START + pd.Timedelta(hours=end)]
    first, second = (
        pd.concat([past, future]).assign(seq=lambda rows: range(len(rows)))
        for future in (
            make_log([("a", "b", end), ("x", "y", 24 * 40)]),
            make_log([*[(i, j, end + hours) for i, j, hours in other_future], ("e", "f", 24 * 60)]),
        )
    )
    one, two = (
        rows[rows["period"] <= t].drop(columns=OUTCOMES)
        for rows in (panel(each, windows=SMALL) for each in (first, second))
    )
    assert one["period"].max() == past_period(past)
    pd.testing.assert_frame_equal(
        one.reset_index(drop=True), two.reset_index(drop=True), check_exact=True
    )


def past_period(past):
    others = past[past["source_id"] != past["target_id"]]
    return (others["created_at"].max() - START) // pd.Timedelta(days=3)


def test_equals_brute_force_on_real_messages(real):
    log = real("collegemsg").interactions.head(5_000)
    fast = panel(log, windows=Windows(period=1, gap=1, horizon=2))
    brute = brute_force_panel(log, period=1, gap=1, horizon=2)
    assert len(fast) > 300
    assert fast["schedule_focus"].notna().sum() > 50
    assert fast["lasting_audience"].sum() > 50
    assert_same(fast, brute)


def test_expected_entropy_is_that_of_random_hours():
    rng = np.random.default_rng(1)
    for n in (10, 240, 5_000):
        counts = rng.multinomial(n, np.full(24, 1 / 24), size=4_000)
        shares = np.where(counts > 0, counts, 1) / n
        entropy = -(counts / n * np.log(shares)).sum(axis=1)
        error = entropy.std() / np.sqrt(len(entropy))
        assert abs(entropy.mean() - expected_hour_entropy(np.array([n]))[0]) < 4 * error


def test_order_of_the_log_decides_ties():
    ask_first = make_log([("b", "a", 1), ("a", "b", 1), ("x", "y", 24 * 13)])
    answer_first = make_log([("a", "b", 1), ("b", "a", 1), ("x", "y", 24 * 13)])
    answered = [
        panel(log, windows=SMALL).query("account_id == 'a'")["answered"].item()
        for log in (ask_first, answer_first)
    ]
    assert answered == [1, 0]


def test_acts_toward_oneself_leave_no_trace():
    log = make_log([("b", "a", 1), ("a", "b", 2), ("x", "y", 24 * 13)])
    with_self = pd.concat([log, log.assign(target_id=log.source_id, seq=log.seq + 3)])
    pd.testing.assert_frame_equal(panel(log, windows=SMALL), panel(with_self, windows=SMALL))


def test_input_is_not_changed():
    log = make_log([("b", "a", 1), ("x", "y", 24 * 13)])
    before = log.copy()
    panel(log, windows=SMALL)
    pd.testing.assert_frame_equal(log, before)


def test_too_short_a_log_says_so():
    with pytest.raises(DataError, match="choose a shorter period or horizon"):
        panel(make_log([("b", "a", 1), ("a", "b", 2)]), windows=SMALL)


def test_only_acts_toward_oneself_says_so():
    with pytest.raises(DataError, match="no act between two different accounts"):
        panel(make_log([("b", "b", 1)]), windows=SMALL)
